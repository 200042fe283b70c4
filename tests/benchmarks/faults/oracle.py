"""Reads every row and every byte after the rounds, and says what is wrong with them."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, cast

from archive import storage
from archive.lifecycle import PhotoState
from archive.models import Event, Original, Photo, Rendition
from restoration import counting, holdings, runner
from restoration.lifecycle import MOVES, JobKind, JobState, VersionKind
from restoration.models import Attempt, Claim, Job, Preview, Review, Version
from restoration.purses import Entry, EntryKind, Purse
from tests.benchmarks.faults.rounds import Round

OUTCOMES = {"succeeded", "failed", "lost", "returned", "cancelled", "unfit"}
MADE = (VersionKind.MACHINE, VersionKind.RETOUCH)


@dataclass
class Verdict:
    """What was counted, and each thing that is wrong in words."""

    jobs: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    illegal: list[str] = field(default_factory=list)
    attempts: dict[str, int] = field(default_factory=dict)
    originals: int = 0
    files: int = 0
    compared: int = 0

    def is_good(self) -> bool:
        """Whether nothing at all is wrong."""
        return not (self.lost or self.doubled or self.changed or self.illegal)


def judge(rounds: Iterable[Round], *, compare: int) -> Verdict:
    """Read it all. `compare`: how many results are computed once more without any fault."""
    rounds = list(rounds)
    found = Verdict(
        jobs=Job.objects.count(),
        attempts=dict(Counter(Attempt.objects.values_list("outcome", flat=True))),
        originals=Original.objects.count(),
    )
    found.lost += _lost(rounds)
    found.doubled += _doubled()
    found.changed += _changed(rounds)
    found.illegal += [*_illegal_jobs(), *_illegal_histories(), *_illegal_others(), *_miscounted()]
    named = holdings.named()
    found.files = len(named)
    found.changed += _wrong_bytes(named)
    for job in Job.objects.filter(kind=JobKind.RESTORE, version__isnull=False)[:compare]:
        found.compared += 1
        found.changed += _other_pixels(job)
    return found


def _lost(rounds: list[Round]) -> Iterator[str]:
    """Asked for, and not there or not done. No plan of ours is one that may fail."""
    for each in rounds:
        states = dict(Job.objects.filter(pk__in=each.jobs).values_list("pk", "state"))
        for pk in each.jobs:
            if states.get(pk) != JobState.SUCCEEDED:
                yield f"round {each.number} ({each.fault}): job {pk} is {states.get(pk)}"
        photos = dict(Photo.objects.filter(pk__in=each.photos).values_list("pk", "state"))
        for pk in each.photos:
            if photos.get(pk) != PhotoState.READY:
                yield f"round {each.number} ({each.fault}): upload {pk} is {photos.get(pk)}"
    for job in Job.objects.exclude(state=JobState.SUCCEEDED):
        yield f"job {job.pk} ({job.kind}) is {job.state}: {job.error_code}"


def _doubled() -> Iterator[str]:
    made = Version.objects.filter(kind__in=MADE)
    for version in made.filter(job=None):
        yield f"version {version.pk} belongs to no job"
    per_parent = Counter(made.values_list("photo", "parent"))
    for (photo, parent), count in per_parent.items():
        asked = Job.objects.filter(photo=photo, source=parent).exclude(kind=JobKind.ASSESS).count()
        if count > asked:
            yield f"photo {photo}: {count} versions for {asked} jobs"


def _changed(rounds: list[Round]) -> Iterator[str]:
    """The scans as they came in are in the rounds' own memory, and may not be gone either."""
    for each in rounds:
        for sha, content in each.originals.items():
            where = f"round {each.number} ({each.fault}): original {sha[:12]}"
            if not Original.objects.filter(pk=sha).exists():
                yield f"{where} has no row"
            try:
                with storage.open_key(storage.original_key(sha)) as stream:
                    if stream.read() != content:
                        yield f"{where} is another"
            except FileNotFoundError:
                yield f"{where} is missing"


def _wrong_bytes(named: dict[str, str]) -> Iterator[str]:
    for key, sha in named.items():
        try:
            with storage.open_key(key) as stream:
                if sha and hashlib.file_digest(stream, "sha256").hexdigest() != sha:
                    yield f"{key} holds something else"
        except FileNotFoundError:
            yield f"{key} is missing"


def _illegal_jobs() -> Iterator[str]:
    for job in Job.objects.prefetch_related("attempts"):
        tries = sorted(job.attempts.all(), key=lambda each: each.number)
        if [each.number for each in tries] != list(range(1, job.attempt + 1)):
            yield f"job {job.pk}: attempt {job.attempt}, rows {[each.number for each in tries]}"
        if any(each.ended_at is None or each.outcome not in OUTCOMES for each in tries):
            yield f"job {job.pk}: a try has no end"
        good = sum(each.outcome == "succeeded" for each in tries)
        if good != (job.state == JobState.SUCCEEDED):
            yield f"job {job.pk} is {job.state} with {good} good tries"
        if job.strikes != sum(each.outcome in ("failed", "lost") for each in tries):
            yield f"job {job.pk}: {job.strikes} strikes"
        wants_version = job.state == JobState.SUCCEEDED and job.kind != JobKind.ASSESS
        if wants_version != (job.version_id is not None):
            yield f"job {job.pk} is {job.state}, version {job.version_id}"
        if job.ended_at is None or job.lease_until is not None:
            yield f"job {job.pk} is over and still held"


def _illegal_histories() -> Iterator[str]:
    """Every job's events, in order, are moves of the table, and end where the row stands."""
    stories: defaultdict[int, list[str]] = defaultdict(list)
    for verb, facts in (
        Event.objects.filter(verb__startswith="job.").order_by("pk").values_list("verb", "facts")
    ):
        stories[facts["id"]].append(verb.partition(".")[2])
    moves = MOVES[JobState]
    for job in Job.objects.all():
        first, *rest = stories[job.pk] or ["nothing"]
        state = JobState.QUEUED
        for word in rest:
            if word not in moves.get(state, ()):
                yield f"job {job.pk} went from {state} to {word}"
            state = JobState(word)
        if first != "requested" or state != job.state:
            yield f"job {job.pk} is {job.state}, its history says {stories[job.pk]}"


def _illegal_others() -> Iterator[str]:
    for rows in (Claim, Version, Review, Photo):
        known = {choice for choice, _label in rows._meta.get_field("state").choices}
        for row in rows.objects.exclude(state__in=known):
            yield f"{rows.__name__} {row.pk} is {row.state}"
    for photo in Photo.objects.filter(state=PhotoState.READY).exclude(reading_since=None):
        yield f"photo {photo.pk} is ready and still being read"
    for preview in Preview.objects.all():
        yield f"job {preview.job_id} is over and its half-finished picture is still there"
    for rendition in Rendition.objects.exclude(given_up=0):
        yield f"the tiles of {rendition.pk} were given up"
    yield from _gaps()


def _miscounted() -> Iterator[str]:
    """What is added up beside the rows: machine time that was reserved, numbers on the pages."""
    for entry in Entry.objects.filter(kind=EntryKind.RESERVE, closed_by=None):
        yield f"job {entry.job_id} is over and its machine time is still reserved"
    for purse in Purse.objects.all():
        lines = purse.entries.order_by("number").values_list("number", "seconds", "balance")
        balance = 0
        for place, (number, seconds, told) in enumerate(lines, start=1):
            balance += seconds
            if (number, told) != (place, balance):
                yield f"line {number} of purse {purse.pk} says {told}, it adds up to {balance}"
    yield from (f"a count differed: {each}" for each in counting.recount())


def _gaps() -> Iterator[str]:
    numbers: defaultdict[int, list[int]] = defaultdict(list)
    for photo, number in Version.objects.order_by("number").values_list("photo", "number"):
        numbers[photo].append(number)
    for photo, found in numbers.items():
        if found != list(range(len(found))):
            yield f"photo {photo}: versions {found}"


def _other_pixels(job: Job) -> list[str]:
    """The same plan once more, undisturbed: the same bytes."""
    made = runner._restore(job, cast(Any, lambda *_words: None))
    same = made.sha256 == job.version.sha256 if job.version else False
    return [] if same else [f"job {job.pk}: other pixels than an undisturbed run"]
