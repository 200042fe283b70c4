"""The public face: exhibits, their rooms, the placements in them, and what is published."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from archive.lifecycle import Moves
from archive.models import Collection, Photo
from archive.stateful import Stateful
from restoration.lifecycle import MOVES, PublicationState
from restoration.models import Review, Version, known

if TYPE_CHECKING:
    from accounts.models import User


class ExhibitQuerySet(models.QuerySet["Exhibit"]):
    def visible_to(self, user: User) -> ExhibitQuerySet:
        """Open exhibits for everybody; closed ones for the curators who arrange them."""
        if not user.is_authenticated:
            return self.filter(is_open=True)
        if user.is_steward:
            return self
        return self.filter(Q(is_open=True) | Q(collection__curatorships__user=user)).distinct()


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

    class Meta:
        verbose_name = _("placement")
        verbose_name_plural = _("placements")
        constraints = (
            models.UniqueConstraint(fields=("room", "photo"), name="placement_once_per_room"),
        )

    def __str__(self) -> str:
        return f"{self.photo_id} in {self.room_id}"
