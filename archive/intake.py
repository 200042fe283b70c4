"""A batch of files on its way into a collection. Its rows are the truth: what was found where,
and what became of each; a process that dies leaves nothing but a row that nobody holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from archive import wording
from archive.lifecycle import (
    BATCH_MOVES,
    BatchState,
    FileOutcome,
    FileStep,
    Moves,
    PagesAre,
    SourceKind,
)
from archive.stateful import Stateful

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from accounts.models import User

# Of an address within a source: a key of S3 has at most 1,024 bytes, a web address may be longer.
LONGEST_PLACE = 1500


class BatchQuerySet(models.QuerySet["Batch"]):
    def visible_to(self, user: User | AnonymousUser) -> BatchQuerySet:
        """The batches of the collections in which this person decides."""
        if not user.is_authenticated:
            return self.none()
        return self if user.is_steward else self.filter(collection__curatorships__user=user)


class Batch(Stateful):
    """One source of files, taken into one collection."""

    moves: ClassVar[Moves] = BATCH_MOVES

    collection = models.ForeignKey(
        "archive.Collection", on_delete=models.PROTECT, related_name="batches"
    )
    state = models.CharField(_("state"), max_length=8, choices=BatchState)
    kind = models.CharField(_("kind of source"), max_length=8, choices=SourceKind)
    # A folder, the key of a stored ZIP, s3://bucket/prefix, or a web address.
    place = models.CharField(_("source"), max_length=LONGEST_PLACE)
    label = models.CharField(_("name"), max_length=255)
    # A table of descriptions that came with it: the key under which it is stored.
    table = models.CharField(max_length=120, blank=True)
    # What the pages of a file are, when there are several; nobody is asked then.
    pages_are = models.CharField(_("several pages are"), max_length=6, choices=PagesAre, blank=True)
    # A command on the machine where the files are does the work; no worker is called for it.
    by_command = models.BooleanField(default=False)
    begun_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    begun_at = models.DateTimeField(_("begun"))
    # When the taking began and ended, for the rate.
    taking_since = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(_("ended"), null=True)
    listed_at = models.DateTimeField(null=True)
    # The last sign of life of whoever works on it, and when a worker was last called.
    beat_at = models.DateTimeField(null=True)
    rung_at = models.DateTimeField(null=True)
    # What is odd about the table, or why the source cannot be reached: codes of archive.wording.
    oddities = models.JSONField(default=list, blank=True)
    code = models.CharField(max_length=60, blank=True)
    facts = models.JSONField(default=dict, blank=True)

    objects = BatchQuerySet.as_manager()

    class Meta:
        verbose_name = _("batch")
        verbose_name_plural = _("batches")
        constraints = (
            models.CheckConstraint(
                condition=Q(state__in=BatchState.values), name="batch_state_known"
            ),
            # Whoever begins the same once more goes on with what is under way.
            models.UniqueConstraint(
                fields=("collection", "kind", "place"),
                condition=Q(state__in=("looking", "looked", "taking", "stopped", "failed")),
                name="batch_open_once",
            ),
        )
        indexes = (
            # The sweep looks for those that nobody works on.
            models.Index(fields=("state", "rung_at"), name="batch_unheard"),
        )

    def __str__(self) -> str:
        return self.label

    @property
    def standing(self) -> str:
        """Its state for people; of one that failed, what has failed."""
        if self.state == BatchState.FAILED:
            return str(wording.failure(self.code) or self.get_state_display())
        return str(self.get_state_display())

    def record(
        self, verb: str, *, by: User | None, at: datetime, facts: Mapping[str, Any] | None = None
    ) -> None:
        """Append one line to the collection's history: a batch belongs to no single photo."""
        from archive.models import Event  # it stands on this module

        Event.objects.create(
            collection_id=self.collection_id,
            actor_id=by.pk if by else None,
            verb=f"batch.{verb}",
            at=at,
            facts={"id": self.pk, **(facts or {})},
        )


class BatchFile(models.Model):
    """One file of a batch, or one list of files: where it is and what became of it."""

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="files")
    place = models.CharField(max_length=LONGEST_PLACE)
    is_list = models.BooleanField(default=False)
    filename = models.CharField(_("file name"), max_length=255)
    described = models.JSONField(default=dict, blank=True)
    # The sha256 that the table promises, and the one that was seen.
    promised = models.CharField(max_length=64, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    size = models.PositiveBigIntegerField(_("bytes"), default=0)
    step = models.CharField(max_length=7, choices=FileStep, default=FileStep.LISTED)
    outcome = models.CharField(max_length=7, choices=FileOutcome, blank=True)
    code = models.CharField(max_length=60, blank=True)
    facts = models.JSONField(default=dict, blank=True)
    photo = models.ForeignKey(
        "archive.Photo", on_delete=models.PROTECT, null=True, related_name="batch_files"
    )
    # Whoever works on it: a process by machine and number, so that a dead one is seen as such.
    held_by = models.CharField(max_length=120, blank=True)
    held_since = models.DateTimeField(null=True)
    tries = models.PositiveSmallIntegerField(default=0)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("file of a batch")
        verbose_name_plural = _("files of a batch")
        constraints = (
            # Listing the same source once more adds nothing.
            models.UniqueConstraint(fields=("batch", "place"), name="batch_file_once"),
            models.CheckConstraint(
                condition=Q(step__in=FileStep.values), name="batch_file_step_known"
            ),
            models.CheckConstraint(
                condition=~Q(step="settled") | ~Q(outcome__in=("", "unseen")),
                name="batch_file_settled_has_outcome",
            ),
        )
        indexes = (
            # The next one to work on, and how many stand where.
            models.Index(fields=("batch", "step", "id"), name="batch_file_next"),
            # Whether the same file was seen in this source already.
            models.Index(fields=("batch", "sha256"), name="batch_file_twice"),
            # How many were settled in the last minutes.
            models.Index(fields=("batch", "settled_at"), name="batch_file_rate"),
        )

    def __str__(self) -> str:
        return self.filename
