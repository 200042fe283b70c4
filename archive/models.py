"""What an institution holds: collections, photos, originals, and the history of each."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.fields.json import KeyTransform
from django.utils.translation import gettext_lazy as _

from archive.intake import Batch, BatchFile
from archive.lifecycle import (
    ALARM_MOVES,
    PHOTO_MOVES,
    UPLOAD_MOVES,
    AlarmState,
    Kept,
    Moves,
    Outcome,
    PagesAre,
    PhotoState,
    UploadState,
)
from archive.rights import RIGHTS
from archive.stateful import Stateful
from archive.trust import is_suspended
from archive.twins import Fingerprint, Pair

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from accounts.models import User

# Those of intake and twins are named here too, because Django looks for models in this module.
__all__ = [
    "DESCRIPTION",
    "Alarm",
    "Batch",
    "BatchFile",
    "Collection",
    "Curatorship",
    "Event",
    "Fingerprint",
    "FixityCheck",
    "Original",
    "Pair",
    "Photo",
    "new_ref",
]

# No vowels and no look-alikes: a reference is read aloud in reading rooms.
ALPHABET = "23456789bcdfghjkmnpqrstvwxz"


# What is said about a photo, in the order of forms and tables.
DESCRIPTION = (
    "title_en", "title_zh", "date_edtf", "place_en", "place_zh", "people_en", "people_zh",
    "description_en", "description_zh", "identifier",
)  # fmt: skip


def new_ref() -> str:
    """A short public reference that tells nothing about its neighbours."""
    return "".join(secrets.choice(ALPHABET) for _ in range(10))


class CollectionQuerySet(models.QuerySet["Collection"]):
    def visible_to(self, user: User | AnonymousUser) -> CollectionQuerySet:
        """Collections whose photos this person may see at work."""
        if not user.is_authenticated:
            return self.none()
        if user.is_steward:
            return self
        return self.filter(Q(is_open=True) | Q(curatorships__user=user)).distinct()

    def curated_by(self, user: User | AnonymousUser) -> CollectionQuerySet:
        """Collections in which this person decides."""
        if not user.is_authenticated or is_suspended(user):
            return self.none()
        return self if user.is_steward else self.filter(curatorships__user=user)


class Collection(models.Model):
    """The photos of one institution under one rights statement and one set of rules."""

    slug = models.SlugField(_("address"), unique=True, max_length=80)
    institution_en = models.CharField(_("institution (English)"), max_length=200)
    institution_zh = models.CharField(_("institution (Chinese)"), max_length=200, blank=True)
    title_en = models.CharField(_("title (English)"), max_length=200)
    title_zh = models.CharField(_("title (Chinese)"), max_length=200, blank=True)
    description_en = models.TextField(_("description (English)"), blank=True)
    description_zh = models.TextField(_("description (Chinese)"), blank=True)
    instructions_en = models.TextField(_("instructions to volunteers (English)"), blank=True)
    instructions_zh = models.TextField(_("instructions to volunteers (Chinese)"), blank=True)
    notice_en = models.CharField(_("notice on every picture (English)"), max_length=200, blank=True)
    notice_zh = models.CharField(_("notice on every picture (Chinese)"), max_length=200, blank=True)
    rights_uri = models.URLField(_("rights statement"), choices=RIGHTS)
    contact = models.EmailField(
        _("contact"),
        blank=True,
        default="",
        db_default="",
        help_text=_("An e-mail address, for visitors who know who or what is in a picture."),
    )
    do_not_colourise = models.BooleanField(
        _("do not colourise"),
        default=False,
        help_text=_("Colour cannot be added to photos of this collection."),
    )
    two_person = models.BooleanField(
        _("two people to publish"),
        default=False,
        help_text=_("Whoever accepted a version may not publish it."),
    )
    is_open = models.BooleanField(
        _("open to volunteers"),
        default=True,
        help_text=_("Volunteers see the photos that wait."),
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = CollectionQuerySet.as_manager()

    class Meta:
        verbose_name = _("collection")
        verbose_name_plural = _("collections")

    def __str__(self) -> str:
        return self.title_en


class Curatorship(models.Model):
    """That a person decides for a collection."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="curatorships"
    )
    collection = models.ForeignKey(
        Collection, on_delete=models.CASCADE, related_name="curatorships"
    )

    class Meta:
        verbose_name = _("curatorship")
        verbose_name_plural = _("curatorships")
        constraints = (models.UniqueConstraint(fields=("user", "collection"), name="curator_once"),)

    def __str__(self) -> str:
        return f"{self.user_id} / {self.collection_id}"


class Original(models.Model):
    """The untouched scan, known by its sha256. Written once; a trigger refuses every change."""

    sha256 = models.CharField(primary_key=True, max_length=64)
    size = models.PositiveBigIntegerField(_("bytes"))
    media_type = models.CharField(_("media type"), max_length=40)
    width = models.PositiveIntegerField(_("width"))
    height = models.PositiveIntegerField(_("height"))
    bits = models.PositiveSmallIntegerField(_("bits per sample"))
    bands = models.PositiveSmallIntegerField(_("samples per pixel"))
    interpretation = models.CharField(_("colour"), max_length=20)
    icc = models.CharField(_("colour profile"), max_length=120, blank=True)
    orientation = models.PositiveSmallIntegerField(_("orientation"), default=1)
    dpi = models.FloatField(_("dots per inch"), null=True)
    stored_at = models.DateTimeField(_("stored"))

    class Meta:
        verbose_name = _("original")
        verbose_name_plural = _("originals")
        indexes = (
            # The operator's graphs add up all of them.
            models.Index(fields=("size",), name="original_size"),
        )

    def __str__(self) -> str:
        return self.sha256[:12]


class PhotoQuerySet(models.QuerySet["Photo"]):
    def visible_to(self, user: User | AnonymousUser) -> PhotoQuerySet:
        """Photos this person may see at work; the public sees publications, never photos."""
        if not user.is_authenticated:
            return self.none()
        if user.is_steward:
            return self
        curated = Curatorship.objects.filter(user=user).values("collection_id")
        at_work = Q(collection__is_open=True, state=PhotoState.READY)
        return self.filter(at_work | Q(collection__in=curated))


class Photo(Stateful):
    """One photographic object with one original and one bilingual description."""

    moves: ClassVar[Moves] = PHOTO_MOVES

    ref = models.CharField(_("reference"), max_length=10, unique=True, default=new_ref)
    collection = models.ForeignKey(Collection, on_delete=models.PROTECT, related_name="photos")
    state = models.CharField(
        _("state"), max_length=12, choices=PhotoState, default=PhotoState.READING
    )
    # Known from the first byte on, before anything is decoded: it is what makes a file one photo.
    sha256 = models.CharField(_("sha256 of the file"), max_length=64)
    filename = models.CharField(_("file name"), max_length=255, blank=True)
    original = models.ForeignKey(
        Original, on_delete=models.PROTECT, related_name="photos", null=True
    )
    # Which page of the file, and what somebody said that its pages are; nothing while nobody was
    # asked or has answered.
    page = models.PositiveSmallIntegerField(_("page of the file"), default=1)
    pages_are = models.CharField(_("its pages are"), max_length=6, choices=PagesAre, blank=True)
    # The upright sRGB copy that work starts from, at the scan's full size and depth.
    working_sha256 = models.CharField(_("working file"), max_length=64, blank=True)
    width = models.PositiveIntegerField(_("width"), default=0)
    height = models.PositiveIntegerField(_("height"), default=0)
    slots = models.PositiveSmallIntegerField(_("hands at once"), default=1)

    title_en = models.CharField(_("title (English)"), max_length=200, blank=True)
    title_zh = models.CharField(_("title (Chinese)"), max_length=200, blank=True)
    date_edtf = models.CharField(
        _("date"), max_length=60, blank=True, help_text=_("EDTF, for example 1974-09 or 191X~.")
    )
    place_en = models.CharField(_("place (English)"), max_length=200, blank=True)
    place_zh = models.CharField(_("place (Chinese)"), max_length=200, blank=True)
    people_en = models.CharField(_("people (English)"), max_length=500, blank=True)
    people_zh = models.CharField(_("people (Chinese)"), max_length=500, blank=True)
    description_en = models.TextField(_("description (English)"), blank=True)
    description_zh = models.TextField(_("description (Chinese)"), blank=True)
    identifier = models.CharField(_("identifier at the source"), max_length=200, blank=True)

    quarantine_code = models.CharField(_("why it is in quarantine"), max_length=60, blank=True)
    quarantine_facts = models.JSONField(default=dict, blank=True)
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    added_at = models.DateTimeField(_("added"))
    # The reader's lease: a worker that died in the middle is noticed by the sweep.
    reading_since = models.DateTimeField(null=True)
    # When a worker was last called for it, so that the sweep does not ring without end.
    rung_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)

    objects = PhotoQuerySet.as_manager()

    class Meta:
        verbose_name = _("photo")
        verbose_name_plural = _("photos")
        constraints = (
            # The same page of the same file twice is one photo.
            models.UniqueConstraint(
                fields=("collection", "sha256", "page"), name="photo_page_once"
            ),
            models.CheckConstraint(condition=Q(page__gte=1), name="photo_pages_from_one"),
            models.CheckConstraint(
                condition=Q(pages_are__in=("", *PagesAre.values)), name="photo_pages_known"
            ),
            models.CheckConstraint(
                condition=Q(state__in=PhotoState.values), name="photo_state_known"
            ),
            models.CheckConstraint(
                condition=Q(state__in=("reading", "quarantined", "withdrawn"))
                | Q(original__isnull=False, width__gt=0, height__gt=0),
                name="photo_ready_has_original",
            ),
            models.CheckConstraint(condition=Q(slots__gte=1, slots__lte=3), name="photo_slots"),
        )
        indexes = (
            # The wall and the collection page list by collection, state and age.
            models.Index(fields=("collection", "state", "added_at"), name="photo_wall"),
        )

    def __str__(self) -> str:
        return self.title_en or self.title_zh or self.filename or self.ref

    def event_photo_id(self) -> int:
        return self.pk


class Event(models.Model):
    """One append-only line of provenance: who did what to which photo, when, with which facts."""

    photo = models.ForeignKey(Photo, on_delete=models.PROTECT, null=True, related_name="events")
    collection = models.ForeignKey(
        Collection, on_delete=models.PROTECT, null=True, related_name="events"
    )
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    verb = models.CharField(max_length=40)
    at = models.DateTimeField()
    facts = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        indexes = (
            # "How this picture was made" reads one photo's lines in order.
            models.Index(fields=("photo", "at"), name="event_history"),
            # The stewards' search, in the order of its pages.
            models.Index(fields=("-at", "-id"), name="event_time"),
            models.Index(fields=("actor", "-at", "-id"), name="event_by"),
            models.Index(fields=("verb", "-at", "-id"), name="event_verb"),
            # What was done about somebody, by whomever.
            models.Index(KeyTransform("person", "facts"), name="event_about"),
        )

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.verb}"


class FixityCheck(models.Model):
    """That stored bytes were read and hashed, and what came out. Append-only, as events are."""

    kind = models.CharField(_("kind"), max_length=8, choices=Kept)
    # The digest that rows name it by; what was seen instead is beside it.
    sha256 = models.CharField(max_length=64)
    at = models.DateTimeField(_("checked"))
    outcome = models.CharField(_("outcome"), max_length=12, choices=Outcome)
    seen_sha256 = models.CharField(max_length=64, blank=True)
    size = models.PositiveBigIntegerField(_("bytes"), default=0)
    seconds = models.FloatField(_("seconds"), default=0)

    class Meta:
        verbose_name = _("check of a file")
        verbose_name_plural = _("checks of files")
        constraints = (
            models.CheckConstraint(condition=Q(kind__in=Kept.values), name="fixity_kind_known"),
            models.CheckConstraint(
                condition=Q(outcome__in=Outcome.values), name="fixity_outcome_known"
            ),
        )
        indexes = (
            # The round asks of every file when it was last checked.
            models.Index(fields=("kind", "sha256", "at"), name="fixity_oldest"),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.sha256[:12]} {self.outcome}"


class AlarmQuerySet(models.QuerySet["Alarm"]):
    def visible_to(self, user: User | AnonymousUser) -> AlarmQuerySet:
        """Those of the collections in which this person decides."""
        collections = Collection.objects.curated_by(user).values("pk")
        return self.filter(photo__collection__in=collections)

    def standing(self) -> AlarmQuerySet:
        """Those that no later check has closed."""
        return self.filter(state=AlarmState.OPEN)


class Alarm(Stateful):
    """That a file of a photo is missing or altered, until a check finds it right again."""

    moves: ClassVar[Moves] = ALARM_MOVES

    photo = models.ForeignKey(Photo, on_delete=models.PROTECT, related_name="alarms")
    kind = models.CharField(_("kind"), max_length=8, choices=Kept)
    sha256 = models.CharField(max_length=64)
    state = models.CharField(_("state"), max_length=8, choices=AlarmState, default=AlarmState.OPEN)
    raised_by = models.ForeignKey(FixityCheck, on_delete=models.PROTECT, related_name="+")
    closed_by = models.ForeignKey(
        FixityCheck, on_delete=models.PROTECT, null=True, related_name="+"
    )

    objects = AlarmQuerySet.as_manager()

    class Meta:
        verbose_name = _("alarm")
        verbose_name_plural = _("alarms")
        constraints = (
            models.UniqueConstraint(
                fields=("photo", "kind", "sha256"),
                condition=Q(state="open"),
                name="alarm_open_once",
            ),
            models.CheckConstraint(
                condition=Q(state="open", closed_by__isnull=True)
                | Q(state="closed", closed_by__isnull=False),
                name="alarm_closed_by_a_check",
            ),
        )

    def __str__(self) -> str:
        return f"{self.photo_id} {self.kind} {self.sha256[:12]}"


class Rendition(models.Model):
    """What is made of one working file for looking at, and which pipeline made it.

    All of it may be made again: the row says whether it must be, and who is at it.
    """

    sha256 = models.CharField(_("working file"), primary_key=True, max_length=64)
    # The pipeline of sizes.PIPELINE that made them; 0: there are none yet.
    sizes = models.PositiveSmallIntegerField(_("pipeline of the sizes"), default=0)
    tiles = models.PositiveSmallIntegerField(_("pipeline of the tiles"), default=0)
    tiles_bytes = models.PositiveBigIntegerField(_("bytes of the tiles"), default=0)
    made_at = models.DateTimeField(_("made"), null=True)
    rung_at = models.DateTimeField(null=True)
    # The maker's lease: a worker that died in the middle is noticed by the sweep.
    taken_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    # The pipeline that could not make it; the next one tries anew.
    given_up = models.PositiveSmallIntegerField(default=0)

    class Meta:
        verbose_name = _("rendition")
        verbose_name_plural = _("renditions")
        indexes = (
            # The sweep looks for what an older pipeline made, or none.
            models.Index(fields=("tiles", "rung_at"), name="rendition_tiles"),
            models.Index(fields=("sizes",), name="rendition_sizes"),
        )

    def __str__(self) -> str:
        return f"{self.sha256[:12]} by pipeline {self.tiles}"


def new_upload_ref() -> str:
    """A name that nobody guesses; it also names the bytes while they wait."""
    return secrets.token_hex(16)


class UploadQuerySet(models.QuerySet["Upload"]):
    def visible_to(self, user: User | AnonymousUser) -> UploadQuerySet:
        """One's own, into collections in which one still decides."""
        if not user.is_authenticated:
            return self.none()
        collections = Collection.objects.curated_by(user).values("pk")
        return self.filter(by=user, collection__in=collections)

    def open_of(self, user: User) -> UploadQuerySet:
        """Those of this person that have not all arrived."""
        return self.filter(by=user, state=UploadState.ARRIVING)


class Upload(Stateful):
    """A large file on its way in, which may be cut off and go on; then it becomes a photo."""

    moves: ClassVar[Moves] = UPLOAD_MOVES

    ref = models.CharField(max_length=32, unique=True, default=new_upload_ref)
    collection = models.ForeignKey(Collection, on_delete=models.PROTECT, related_name="uploads")
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="uploads"
    )
    state = models.CharField(
        _("state"), max_length=8, choices=UploadState, default=UploadState.ARRIVING
    )
    filename = models.CharField(_("file name"), max_length=255, blank=True)
    size = models.PositiveBigIntegerField(_("bytes"))
    promised_sha256 = models.CharField(max_length=64, blank=True)
    # What several pages of it are; nothing when its sender wants to be asked.
    pages_are = models.CharField(max_length=6, choices=PagesAre, default="", db_default="")
    # What was found when all of it was here.
    sha256 = models.CharField(max_length=64, blank=True)
    # The service's name for an upload in parts; empty where the file grows in a folder.
    multipart_id = models.CharField(max_length=255, blank=True)
    part_size = models.PositiveIntegerField(default=0)
    # Whoever goes on with it counts up; an earlier request that still hangs then stops.
    fence = models.PositiveIntegerField(default=0)
    photo = models.ForeignKey(Photo, on_delete=models.SET_NULL, null=True, related_name="+")
    why = models.CharField(max_length=60, blank=True)
    began_at = models.DateTimeField(_("began"))
    expires_at = models.DateTimeField(_("expires"))
    settling_since = models.DateTimeField(null=True)
    rung_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)

    objects = UploadQuerySet.as_manager()

    class Meta:
        verbose_name = _("upload")
        verbose_name_plural = _("uploads")
        constraints = (
            models.CheckConstraint(
                condition=Q(state__in=UploadState.values), name="upload_state_known"
            ),
            models.CheckConstraint(condition=Q(size__gte=1), name="upload_not_empty"),
            models.CheckConstraint(
                condition=~Q(state="taken") | ~Q(sha256=""), name="upload_taken_was_hashed"
            ),
        )
        indexes = (
            # A person's open ones are counted at each beginning; the sweep looks for late ones.
            models.Index(fields=("by", "state"), name="upload_open"),
            models.Index(fields=("state", "expires_at"), name="upload_late"),
        )

    def __str__(self) -> str:
        return self.filename or self.ref

    @property
    def parts(self) -> int:
        """How many parts it comes in; none where it grows."""
        return -(-self.size // self.part_size) if self.part_size else 0
