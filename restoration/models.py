"""The work on a photo: claims, drafts, jobs, versions, reviews; and the workers that do it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.db.models.functions import Length
from django.db.models.lookups import LessThanOrEqual
from django.utils.translation import gettext_lazy as _

from archive.lifecycle import Moves
from archive.models import Curatorship, Photo
from archive.stateful import Stateful
from restoration import ledger
from restoration.lifecycle import (
    ENDED,
    LIVE_JOBS,
    MOVES,
    ClaimState,
    JobKind,
    JobLane,
    JobState,
    ReviewReason,
    ReviewState,
    VersionKind,
    VersionState,
)
from restoration.purses import Entry, Guest, Purse, Workshop
from restoration.standings import Change, Standing, Sum, Turn

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from accounts.models import User

# Django looks for models here.
__all__ = ["Change", "Entry", "Guest", "Purse", "Standing", "Sum", "Turn", "Workshop"]


def known(states: type[models.TextChoices], name: str) -> models.CheckConstraint:
    """A state that is not in the table cannot be written, whoever writes it."""
    return models.CheckConstraint(condition=Q(state__in=states.values), name=name)


class Assessment(models.Model):
    """What the engine saw on the scan: a report, a suggested recipe and a damage mask."""

    photo = models.OneToOneField(Photo, on_delete=models.CASCADE, related_name="assessment")
    report = models.JSONField(default=dict)
    suggestions = models.JSONField(default=list)
    mask_sha256 = models.CharField(max_length=64, blank=True)
    damage = models.CharField(
        max_length=8,
        choices=(
            ("none", _("little damage seen")),
            ("some", _("some damage")),
            ("heavy", _("heavy damage")),
        ),
        default="none",
    )
    faces = models.PositiveSmallIntegerField(default=0)
    is_grey = models.BooleanField(default=False)
    made_at = models.DateTimeField()

    class Meta:
        verbose_name = _("assessment")
        verbose_name_plural = _("assessments")
        indexes = (
            # The wall filters by what was seen.
            models.Index(fields=("damage", "faces", "is_grey"), name="assessment_wall"),
        )

    def __str__(self) -> str:
        return f"{self.photo_id}: {self.damage}"


class Claim(Stateful):
    """A volunteer's exclusive, expiring hold on one slot of a photo. Its number is the fence."""

    moves: ClassVar[Moves] = MOVES[ClaimState]

    photo = models.ForeignKey(Photo, on_delete=models.PROTECT, related_name="claims")
    volunteer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="claims"
    )
    slot = models.PositiveSmallIntegerField(default=1)
    state = models.CharField(_("state"), max_length=10, choices=ClaimState, default=ClaimState.OPEN)
    opened_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    # The hard cap; moved once by an extension.
    ends_at = models.DateTimeField()
    extended = models.BooleanField(default=False)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("claim")
        verbose_name_plural = _("claims")
        constraints = (
            # The constraint decides a race, not a query: two clicks can pass any query.
            models.UniqueConstraint(
                fields=("photo", "slot"), condition=Q(state="open"), name="claim_open_once"
            ),
            models.UniqueConstraint(
                fields=("photo", "volunteer"),
                condition=Q(state="open"),
                name="claim_open_once_per_person",
            ),
            known(ClaimState, "claim_state_known"),
        )
        indexes = (
            # The sweep looks for open claims that nobody has touched.
            models.Index(fields=("state", "seen_at"), name="claim_sweep"),
            models.Index(fields=("volunteer", "state"), name="claim_mine"),
        )

    def __str__(self) -> str:
        return f"{self.photo_id} by {self.volunteer_id}"


class Draft(models.Model):
    """A volunteer's unfinished settings for a photo; outlives every claim, so nothing is lost."""

    photo = models.ForeignKey(Photo, on_delete=models.CASCADE, related_name="drafts")
    volunteer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="drafts"
    )
    # Counted up by each save; a second tab that saves an older number is told, not obeyed.
    rev = models.PositiveIntegerField(default=0)
    body = models.JSONField(default=dict)
    saved_at = models.DateTimeField()

    class Meta:
        verbose_name = _("draft")
        verbose_name_plural = _("drafts")
        constraints = (models.UniqueConstraint(fields=("photo", "volunteer"), name="draft_once"),)

    def __str__(self) -> str:
        return f"{self.photo_id} by {self.volunteer_id}, {self.rev}"


class Sheet(models.Model):
    """A mask that a volunteer painted for a photo; only its maker may name it, only there."""

    photo = models.ForeignKey(Photo, on_delete=models.CASCADE, related_name="sheets")
    sha256 = models.CharField(max_length=64)
    kept_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="sheets"
    )
    kept_at = models.DateTimeField()

    class Meta:
        verbose_name = _("painted mask")
        verbose_name_plural = _("painted masks")
        constraints = (
            models.UniqueConstraint(fields=("photo", "kept_by", "sha256"), name="sheet_once"),
        )
        indexes = (models.Index(fields=("kept_by", "kept_at"), name="sheet_pace"),)

    def __str__(self) -> str:
        return f"{self.photo_id} by {self.kept_by_id}, {self.sha256[:12]}"


class VersionQuerySet(models.QuerySet["Version"]):
    def visible_to(self, user: User | AnonymousUser) -> VersionQuerySet:
        """Own work, the scan of a photo in reach, and what was ever submitted where one curates."""
        if not user.is_authenticated:
            return self.none()
        if user.is_steward:
            return self
        curated = Curatorship.objects.filter(user=user).values("collection_id")
        # Of the row's own photo: a list of all photos in reach would be made for each question.
        here = Photo.objects.visible_to(user).filter(pk=models.OuterRef("photo"))
        scan = Q(kind=VersionKind.SCAN) & Q(models.Exists(here))
        # A draft that was taken back without having been shown stays its maker's.
        seen = Q(submitted_at__isnull=False) & Q(photo__collection__in=curated)
        return self.filter(Q(made_by=user) | scan | seen)


class Version(Stateful):
    """One kept image of a photo, with its parent; a trigger refuses to change pixels or lineage."""

    moves: ClassVar[Moves] = MOVES[VersionState]

    photo = models.ForeignKey(Photo, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="children")
    kind = models.CharField(_("kind"), max_length=8, choices=VersionKind)
    state = models.CharField(
        _("state"), max_length=10, choices=VersionState, default=VersionState.DRAFT
    )
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="versions"
    )
    made_at = models.DateTimeField()
    sha256 = models.CharField(max_length=64)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    # How this version lies on the scan: a 2x3 affine from scan pixels to its own.
    frame = models.JSONField(default=list)
    records = models.JSONField(default=list)
    meters = models.JSONField(default=dict)
    # Map name -> sha256 of a PNG sheet: repaired, changed, coloured by evidence, coloured by guess.
    maps = models.JSONField(default=dict)
    notes = models.JSONField(default=list)
    note = models.TextField(_("note to the reviewer"), blank=True)
    is_alternative = models.BooleanField(default=False)
    submitted_at = models.DateTimeField(null=True)

    objects = VersionQuerySet.as_manager()

    class Meta:
        verbose_name = _("version")
        verbose_name_plural = _("versions")
        constraints = (
            models.UniqueConstraint(fields=("photo", "number"), name="version_number_once"),
            # Number 0 is the scan, and only the scan has no parent.
            models.UniqueConstraint(
                fields=("photo",), condition=Q(kind="scan"), name="version_one_scan"
            ),
            models.CheckConstraint(
                condition=Q(kind="scan", parent__isnull=True, number=0)
                | (~Q(kind="scan") & Q(parent__isnull=False, number__gt=0)),
                name="version_has_parent",
            ),
            known(VersionState, "version_state_known"),
        )
        indexes = (
            # The desk reads what waits, oldest first.
            models.Index(fields=("state", "submitted_at"), name="version_desk"),
            models.Index(fields=("made_by", "made_at"), name="version_mine"),
        )

    def __str__(self) -> str:
        return f"{self.photo_id} v{self.number}"


class Job(Stateful):
    """One run of one frozen Plan on one version. This row is the truth; the message only rings."""

    moves: ClassVar[Moves] = MOVES[JobState]

    photo = models.ForeignKey(Photo, on_delete=models.PROTECT, related_name="jobs")
    kind = models.CharField(_("kind"), max_length=8, choices=JobKind, default=JobKind.RESTORE)
    source = models.ForeignKey(
        Version, on_delete=models.PROTECT, null=True, related_name="jobs_from"
    )
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="jobs"
    )
    plan = models.JSONField(default=dict)
    plan_sha256 = models.CharField(max_length=64, blank=True)
    # What a worker must offer to run it, for example ["embedded"] or ["redraw:sd15"].
    needs = models.JSONField(default=list)
    queue = models.CharField(max_length=20, default="cpu")
    lane = models.CharField(max_length=12, choices=JobLane, default=JobLane.INTERACTIVE)
    state = models.CharField(_("state"), max_length=10, choices=JobState, default=JobState.QUEUED)
    requested_at = models.DateTimeField()
    rung_at = models.DateTimeField(null=True)
    # A part of the site was away; nobody need try before.
    not_before = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    attempt = models.PositiveSmallIntegerField(default=0)
    # The tries that count against it: lost and failed ones, not those that were given back.
    strikes = models.PositiveSmallIntegerField(default=0)
    token = models.CharField(max_length=32, blank=True)
    lease_until = models.DateTimeField(null=True)
    step = models.CharField(max_length=20, blank=True)
    progress = models.FloatField(default=0)
    error_code = models.CharField(max_length=60, blank=True)
    error_facts = models.JSONField(default=dict)
    # Who asked, as a trace knows it: its `traceparent`; empty where nobody traces.
    trace = models.CharField(max_length=55, blank=True, default="", db_default="")
    version = models.OneToOneField(Version, on_delete=models.PROTECT, null=True, related_name="job")

    class Meta:
        verbose_name = _("job")
        verbose_name_plural = _("jobs")
        constraints = (
            known(JobState, "job_state_known"),
            models.CheckConstraint(condition=Q(lane__in=JobLane.values), name="job_lane_known"),
            # One look at a photo at a time.
            models.UniqueConstraint(
                fields=("photo",),
                condition=Q(kind="assess", state__in=("queued", "running")),
                name="job_one_look",
            ),
            models.CheckConstraint(
                condition=Q(progress__gte=0, progress__lte=1), name="job_progress_range"
            ),
        )
        indexes = (
            # The queue's order, and the sweep for lost leases.
            models.Index(fields=("state", "queue", "requested_at"), name="job_queue"),
            models.Index(fields=("state", "lease_until"), name="job_sweep"),
            models.Index(fields=("requested_by", "state"), name="job_mine"),
            # What the last finished runs of a kind took, for whoever waits.
            models.Index(
                fields=("queue", "kind", "ended_at"),
                condition=Q(state="succeeded"),
                name="job_took",
            ),
            # How many runs somebody asked for in the last hour.
            models.Index(fields=("requested_by", "requested_at"), name="job_pace"),
        )

    def __str__(self) -> str:
        return f"job {self.pk}"

    @property
    def live(self) -> bool:
        """Whether it still waits or runs."""
        return self.state in LIVE_JOBS

    def move(self, to: str, *, by: User | None, at: datetime, **more: Any) -> None:
        """As every move; whoever ends a job closes its reservation in the same transaction.

        The purses come first: every transaction takes them before other rows.
        """
        if to not in ENDED:
            super().move(to, by=by, at=at, **more)
            return
        with transaction.atomic():
            # Who has their run stopped by the site pays nothing.
            is_stopped = to == JobState.CANCELLED and by is None
            used = None if is_stopped else self._to_pay(to, at)
            ledger.close(job=self, used=used, now=at)
            super().move(to, by=by, at=at, **more)

    def _to_pay(self, to: str, at: datetime) -> float | None:
        """Seconds of the try that ends; nothing for a failure or for what never began."""
        if to == JobState.FAILED:
            return None
        now = Job.objects.filter(pk=self.pk).values("state", "started_at").first()
        if now is None or now["state"] != JobState.RUNNING or now["started_at"] is None:
            return None
        return max(0.0, (at - now["started_at"]).total_seconds())


class Attempt(models.Model):
    """One worker's try at a job: who, when, and how it ended."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="attempts")
    number = models.PositiveSmallIntegerField()
    worker = models.CharField(max_length=120)
    token = models.CharField(max_length=32)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=12, blank=True)

    class Meta:
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        constraints = (
            models.UniqueConstraint(fields=("job", "number"), name="attempt_number_once"),
        )
        indexes = (
            # The operator's graphs count by outcome.
            models.Index(fields=("outcome",), name="attempt_outcome"),
            # Whose turn it is depends on the seconds of the last hour.
            models.Index(fields=("ended_at",), name="attempt_last_hour"),
        )

    def __str__(self) -> str:
        return f"{self.job_id} try {self.number}"


MOST_PREVIEW_BYTES = 64 * 1024


class Preview(models.Model):
    """The newest small picture of a run at work: one row a job, gone when the attempt ends."""

    job = models.OneToOneField(
        Job, on_delete=models.CASCADE, primary_key=True, related_name="preview"
    )
    picture = models.BinaryField()
    width = models.PositiveSmallIntegerField()
    height = models.PositiveSmallIntegerField()
    made_at = models.DateTimeField()

    class Meta:
        verbose_name = _("preview")
        verbose_name_plural = _("previews")
        constraints = (
            models.CheckConstraint(
                condition=LessThanOrEqual(Length("picture"), MOST_PREVIEW_BYTES),
                name="preview_is_small",
            ),
        )

    def __str__(self) -> str:
        return f"preview of job {self.job_id}"


class Review(Stateful):
    """One curator's leased look at one version, and the decision it ended in."""

    moves: ClassVar[Moves] = MOVES[ReviewState]

    photo = models.ForeignKey(Photo, on_delete=models.PROTECT, related_name="reviews")
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="reviews")
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="reviews"
    )
    state = models.CharField(
        _("state"), max_length=10, choices=ReviewState, default=ReviewState.OPEN
    )
    opened_at = models.DateTimeField()
    lease_until = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    # The exact bytes the decision is about.
    file_sha256 = models.CharField(max_length=64, blank=True)
    reason = models.CharField(_("reason"), max_length=40, blank=True)
    advice = models.TextField(_("advice"), blank=True)

    class Meta:
        verbose_name = _("review")
        verbose_name_plural = _("reviews")
        constraints = (
            models.UniqueConstraint(
                fields=("version",), condition=Q(state="open"), name="review_open_once"
            ),
            models.CheckConstraint(
                condition=Q(state__in=("open", "lapsed")) | ~Q(file_sha256=""),
                name="review_names_the_file",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=("returned", "declined")) | ~Q(reason=""),
                name="review_gives_a_reason",
            ),
            known(ReviewState, "review_state_known"),
        )

    def __str__(self) -> str:
        return f"review of {self.version_id}"

    @property
    def why(self) -> str:
        """The reason as its maker reads it; an accepted version needs none."""
        known = self.reason in ReviewReason.values
        return str(ReviewReason(self.reason).label) if known else ""


class Worker(models.Model):
    """A worker that said it is alive and what it can run."""

    name = models.CharField(primary_key=True, max_length=120)
    queues = models.JSONField(default=list)
    offers = models.JSONField(default=list)
    models_listed = models.JSONField(default=list)
    # How many jobs it runs at once, and the models it has in memory now.
    slots = models.PositiveSmallIntegerField(default=1)
    warm = models.JSONField(default=list)
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name = _("worker")
        verbose_name_plural = _("workers")

    def __str__(self) -> str:
        return self.name


class Tally(models.Model):
    """A running total: how many measurements fell under a bound, and their sum in seconds."""

    measure = models.CharField(max_length=20)
    first = models.CharField(max_length=40)
    second = models.CharField(max_length=40)
    le = models.CharField(max_length=12)
    count = models.PositiveBigIntegerField(default=0)
    total = models.FloatField(default=0)

    class Meta:
        verbose_name = _("tally")
        verbose_name_plural = _("tallies")
        constraints = (
            models.UniqueConstraint(fields=("measure", "first", "second", "le"), name="tally_once"),
        )

    def __str__(self) -> str:
        return f"{self.measure} {self.first} {self.second} up to {self.le}: {self.count}"


def ancestry(versions: dict[int, Any], version: Version) -> list[Version]:
    """The version and its ancestors, youngest first, out of a photo's versions by id."""
    line = [version]
    while line[-1].parent_id:
        line.append(versions[line[-1].parent_id])
    return line
