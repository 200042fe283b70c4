"""The public face: exhibits, their rooms, the placements in them, and what is published."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from archive.lifecycle import Moves, PhotoState
from archive.models import Collection, Curatorship, Event, Photo
from archive.stateful import Stateful
from restoration.lifecycle import MOVES, PublicationState
from restoration.models import Review, Version, known

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from accounts.models import User


class HiddenKind(models.TextChoices):
    """What hiding an account touches, in the order in which an undo brings it back."""

    TRUST = "trust", pgettext_lazy("part of an account", "trust")
    CLAIM = "claim", pgettext_lazy("part of an account", "photo in hand")
    JOB = "job", pgettext_lazy("part of an account", "run")
    VERSION = "version", pgettext_lazy("part of an account", "version in review")
    PUBLICATION = "publication", pgettext_lazy("part of an account", "published picture")


class ExhibitQuerySet(models.QuerySet["Exhibit"]):
    def visible_to(self, user: User | AnonymousUser) -> ExhibitQuerySet:
        """Open exhibits for everybody; closed ones for the curators who arrange them."""
        if not user.is_authenticated:
            return self.filter(is_open=True)
        if user.is_steward:
            return self
        return self.filter(Q(is_open=True) | Q(collection__curatorships__user=user)).distinct()

    def arranged_by(self, user: User | AnonymousUser) -> ExhibitQuerySet:
        """Exhibits that this person arranges."""
        return self.filter(collection__in=Collection.objects.curated_by(user))


class Exhibit(models.Model):
    """A curated, ordered public page of publications."""

    slug = models.SlugField(_("address"), unique=True, max_length=80)
    collection = models.ForeignKey(Collection, on_delete=models.PROTECT, related_name="exhibits")
    title_en = models.CharField(_("title (English)"), max_length=200)
    title_zh = models.CharField(_("title (Chinese)"), max_length=200, blank=True)
    intro_en = models.TextField(_("introduction (English)"), blank=True)
    intro_zh = models.TextField(_("introduction (Chinese)"), blank=True)
    is_open = models.BooleanField(_("open to the public"), default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ExhibitQuerySet.as_manager()

    class Meta:
        verbose_name = _("exhibit")
        verbose_name_plural = _("exhibits")

    def __str__(self) -> str:
        return self.title_en


class Room(models.Model):
    """A part of an exhibit with a heading and an order."""

    exhibit = models.ForeignKey(Exhibit, on_delete=models.CASCADE, related_name="rooms")
    position = models.PositiveIntegerField(_("position"), default=1)
    title_en = models.CharField(_("title (English)"), max_length=200)
    title_zh = models.CharField(_("title (Chinese)"), max_length=200, blank=True)
    intro_en = models.TextField(_("introduction (English)"), blank=True)
    intro_zh = models.TextField(_("introduction (Chinese)"), blank=True)

    class Meta:
        verbose_name = _("room")
        verbose_name_plural = _("rooms")

    def __str__(self) -> str:
        return self.title_en


class PublicationQuerySet(models.QuerySet["Publication"]):
    def public(self) -> PublicationQuerySet:
        """Live, of a ready photo, and hung in an exhibit that is open."""
        return self.filter(
            state=PublicationState.LIVE,
            photo__state=PhotoState.READY,
            placements__room__exhibit__is_open=True,
        ).distinct()

    def visible_to(self, user: User | AnonymousUser) -> PublicationQuerySet:
        """What the public sees, and for a curator everything of their own collections."""
        if not user.is_authenticated:
            return self.public()
        if user.is_steward:
            return self
        curated = Curatorship.objects.filter(user=user).values("collection_id")
        mine = self.filter(photo__collection__in=curated)
        return self.filter(Q(pk__in=self.public().values("pk")) | Q(pk__in=mine.values("pk")))


class Publication(Stateful):
    """That one accepted version is a photo's public face: pinned by sha256, from when, by whom."""

    moves: ClassVar[Moves] = MOVES[PublicationState]

    photo = models.ForeignKey(Photo, on_delete=models.PROTECT, related_name="publications")
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="publications")
    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="publications")
    version_sha256 = models.CharField(max_length=64)
    original_sha256 = models.CharField(max_length=64)
    working_sha256 = models.CharField(max_length=64)
    state = models.CharField(
        _("state"), max_length=10, choices=PublicationState, default=PublicationState.LIVE
    )
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    published_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    reason = models.TextField(_("reason"), blank=True)
    # "How this picture was made", frozen: steps, models, prompt, people, dates, hashes.
    made = models.JSONField(default=dict)
    # The names and words of whoever worked on it are not shown; the frozen account keeps them.
    words_hidden_at = models.DateTimeField(null=True)

    objects = PublicationQuerySet.as_manager()

    class Meta:
        verbose_name = _("publication")
        verbose_name_plural = _("publications")
        constraints = (
            models.UniqueConstraint(
                fields=("photo",),
                condition=Q(state__in=("live", "suspended")),
                name="publication_one_live",
            ),
            models.CheckConstraint(
                condition=~Q(state="retracted") | ~Q(reason=""), name="publication_tombstone_reason"
            ),
            known(PublicationState, "publication_state_known"),
        )

    def __str__(self) -> str:
        return f"{self.photo_id} {self.state}"


class Hiding(models.Model):
    """That everything by an account was hidden: by whom, why, and whether it was undone."""

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="hidings"
    )
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(_("reason"), max_length=1000)
    at = models.DateTimeField()
    # Empty while it is at work; who finds it so goes on where the last hand stopped.
    done_at = models.DateTimeField(null=True)
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    class Meta:
        verbose_name = _("hiding of an account")
        verbose_name_plural = _("hidings of accounts")
        constraints = (
            models.UniqueConstraint(
                fields=("person",), condition=Q(undone_at=None), name="hiding_once"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="hiding_has_a_reason"),
        )

    def __str__(self) -> str:
        return f"hiding of {self.person_id}"

    def changed(self) -> int:
        """How many things it changed; that the account is suspended is said anyway."""
        return self.things.exclude(kind=HiddenKind.TRUST).count()

    def joined(self) -> list[Event]:
        """Who pressed the button too while it stood, when and why; the oldest first."""
        told = Event.objects.filter(facts__person=self.person_id, facts__hiding=self.pk)
        rows = told.filter(verb="person.hidden").select_related("actor").order_by("pk")
        return list(rows)[1:]


class HiddenThing(models.Model):
    """One thing a hiding changed, written with that change: what an undo brings back."""

    hiding = models.ForeignKey(Hiding, on_delete=models.PROTECT, related_name="things")
    kind = models.CharField(max_length=12, choices=HiddenKind)
    key = models.BigIntegerField()
    # The level of trust before; of other things the kind says it.
    was = models.CharField(max_length=20, blank=True)
    # Of a picture whose words alone were hidden: the undo brings back those, and not the picture.
    WORDS = "words"

    # Empty until the undo has dealt with it; then what came of it.
    outcome = models.CharField(max_length=40, blank=True)

    class Meta:
        verbose_name = _("hidden thing")
        verbose_name_plural = _("hidden things")
        constraints = (
            models.UniqueConstraint(fields=("hiding", "kind", "key"), name="hidden_once"),
            models.CheckConstraint(
                condition=Q(kind__in=HiddenKind.values), name="hidden_kind_known"
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"


class Evidence(models.Model):
    """An evidence pack of a publication that somebody asked for, and what a worker made of it."""

    publication = models.ForeignKey(Publication, on_delete=models.PROTECT, related_name="evidence")
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    asked_at = models.DateTimeField()
    # When a worker was last called, and the lease of the one who makes it.
    rung_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    made_at = models.DateTimeField(null=True)
    sha256 = models.CharField(max_length=64, blank=True)
    size = models.PositiveBigIntegerField(_("bytes"), default=0)
    failed = models.CharField(max_length=20, blank=True)

    class Meta:
        verbose_name = _("evidence pack")
        verbose_name_plural = _("evidence packs")
        constraints = (
            # Two who press at once wait for the same pack.
            models.UniqueConstraint(
                fields=("publication",),
                condition=Q(made_at__isnull=True, failed=""),
                name="evidence_one_in_the_making",
            ),
            models.CheckConstraint(
                condition=Q(made_at__isnull=True) | ~Q(sha256=""), name="evidence_made_has_bytes"
            ),
        )

    def __str__(self) -> str:
        return f"{self.publication_id} {self.sha256[:12]}"

    @property
    def is_waiting(self) -> bool:
        """Neither made nor given up."""
        return self.made_at is None and not self.failed


class PlacementQuerySet(models.QuerySet["Placement"]):
    def shown(self) -> PlacementQuerySet:
        """Those whose picture is public in itself; whether the exhibit is open is asked of it."""
        return self.filter(publication__state=PublicationState.LIVE, photo__state=PhotoState.READY)

    def in_order(self) -> PlacementQuerySet:
        """As a visitor walks: room by room, from the first picture to the last."""
        return self.order_by("room__position", "room_id", "position", "pk")


class Placement(models.Model):
    """Where a published photo hangs, and what is written beside it."""

    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="placements")
    photo = models.ForeignKey(Photo, on_delete=models.PROTECT, related_name="placements")
    # The pinned publication; a newer one takes the place by the publish verb, never by itself.
    publication = models.ForeignKey(
        Publication, on_delete=models.PROTECT, related_name="placements"
    )
    position = models.PositiveIntegerField(_("position"), default=1)
    caption_en = models.CharField(_("caption (English)"), max_length=300, blank=True)
    caption_zh = models.CharField(_("caption (Chinese)"), max_length=300, blank=True)
    story_en = models.TextField(_("story (English)"), blank=True)
    story_zh = models.TextField(_("story (Chinese)"), blank=True)

    objects = PlacementQuerySet.as_manager()

    class Meta:
        verbose_name = _("placement")
        verbose_name_plural = _("placements")
        constraints = (
            models.UniqueConstraint(fields=("room", "photo"), name="placement_once_per_room"),
        )

    def __str__(self) -> str:
        return f"{self.photo_id} in {self.room_id}"


class Edition(models.Model):
    """One row; its number becomes another one when a public page may have changed (reactions)."""

    number = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = _("edition")
        verbose_name_plural = _("editions")
        constraints = (models.CheckConstraint(condition=Q(pk=1), name="edition_only_one"),)

    def __str__(self) -> str:
        return str(self.number)


class KeptPage(models.Model):
    """A page as every stranger sees it, where all processes of the site find it (keeping).

    Good for one edition and until a second of the clock; whoever may not see it any more is not
    asked: the edition has turned.
    """

    name = models.CharField(primary_key=True, max_length=32)
    edition = models.BigIntegerField()
    good_until = models.BigIntegerField()
    etag = models.CharField(max_length=40)
    headers = models.TextField()
    # The name of the view that made it, for those who count requests.
    view = models.CharField(max_length=80)
    packed = models.BinaryField()

    class Meta:
        verbose_name = _("kept page")
        verbose_name_plural = _("kept pages")

    def __str__(self) -> str:
        return self.name
