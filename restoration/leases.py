"""A worker's hold on a job: start, beat, finish, fail. Every later write carries the token."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import Max

from archive import renditions
from archive.models import Photo
from archive.stateful import IllegalMove
from restoration import tallies
from restoration.lifecycle import (
    JOB_ATTEMPTS,
    JOB_BACKOFF,
    JOB_BACKOFF_MOST,
    JOB_RETURNS,
    UNFIT,
    ClaimState,
    JobState,
)
from restoration.models import Attempt, Claim, Job, Preview, Version

logger = logging.getLogger(__name__)

# A job as it waits: nobody holds it, no bell was rung for it, nothing of it is done.
WAITING = {"token": "", "lease_until": None, "rung_at": None, "progress": 0, "step": ""}


class LeaseLost(Exception):  # noqa: N818 - says what happened
    """The job was cancelled or given to another worker; whatever this one makes is not wanted."""


@dataclass(frozen=True)
class NewVersion:
    """What a worker made, ready to become a row."""

    kind: str
    sha256: str
    width: int
    height: int
    frame: list[Any] = field(default_factory=list)
    records: list[Any] = field(default_factory=list)
    meters: dict[str, Any] = field(default_factory=dict)
    maps: dict[str, str] = field(default_factory=dict)
    notes: list[Any] = field(default_factory=list)


@dataclass(frozen=True)
class Glimpse:
    """A small half-finished picture, as a JPEG."""

    picture: bytes
    width: int
    height: int


def lease() -> timedelta:
    """How long a job may go without a beat before another worker takes it."""
    return timedelta(seconds=settings.JOB_LEASE_SECONDS)


def start(*, job_id: int, worker: str, now: datetime) -> Job | None:
    """Take a queued job, or None when it is not there to take: the doorbell rang twice."""
    waits = Job.objects.filter(pk=job_id, state=JobState.QUEUED).first()
    return begin(waits, worker=worker, now=now) if waits else None


def begin(waits: Job, *, worker: str, now: datetime) -> Job | None:
    """Take a job that was seen waiting; of `waits` the id, the photo and the tries are read.

    The rest of its row is fetched when it has begun. None when another hand was quicker.
    """
    token = secrets.token_hex(16)
    taken = {
        "token": token,
        "lease_until": now + lease(),
        "started_at": now,
        "attempt": waits.attempt + 1,
        "progress": 0,
        "step": "",
        "not_before": None,
        # Of the try before; what is told is of this one.
        "error_code": "",
        "error_facts": {},
    }
    where, facts = {"attempt": waits.attempt}, {"worker": worker}
    try:
        with transaction.atomic():
            waits.move(JobState.RUNNING, by=None, at=now, where=where, set_=taken, facts=facts)
            Attempt.objects.create(
                job=waits, number=waits.attempt, worker=worker, token=token, started_at=now
            )
    except IllegalMove:
        return None
    return _begun(waits.pk, token)


def _begun(job_id: int, token: str) -> Job:
    job = Job.objects.select_related("photo__collection", "source").get(pk=job_id)
    job.token = token  # also if it was taken away by now: then the first beat says so
    if job.attempt == 1 and job.started_at:
        _count_wait(job, job.started_at)
    return job


def _count_wait(job: Job, started_at: datetime) -> None:
    """Beside the transaction: every worker writes these rows, and none shall wait to begin.

    A figure that could not be written is not worth the run that has begun.
    """
    waited = (started_at - job.requested_at).total_seconds()
    try:
        tallies.add(tallies.WAIT, (job.queue, job.kind), waited)
    except DatabaseError:
        logger.warning("how long job %s waited was not counted", job.pk, exc_info=True)


def _held(job: Job) -> Any:
    return Job.objects.filter(pk=job.pk, state=JobState.RUNNING, token=job.token)


def beat(*, job: Job, now: datetime, glimpse: Glimpse | None = None, **changes: Any) -> None:
    """Renew the lease, with progress when there is some; LeaseLost when it is not ours any more.

    A glimpse takes the place of the one before, under the same lock on the job's row.
    """
    with transaction.atomic():
        if not _held(job).update(lease_until=now + lease(), **changes):
            raise LeaseLost
        if glimpse is not None:
            shown = vars(glimpse) | {"made_at": now}
            Preview.objects.update_or_create(job=job, defaults=shown)


def forget_preview(job: Job) -> None:
    """Half-finished pictures end with the attempt that made them."""
    Preview.objects.filter(job=job).delete()


def _close(job: Job, token: str, outcome: str, now: datetime) -> None:
    Attempt.objects.filter(job=job, token=token).update(ended_at=now, outcome=outcome)
    forget_preview(job)
    # The claim waited for the run; its idle clock starts again now.
    Claim.objects.filter(
        photo=job.photo_id, volunteer=job.requested_by_id, state=ClaimState.OPEN
    ).update(seen_at=now)


def _next_number(photo_id: int) -> int:
    # The lock serialises two finishes on one photo; the unique constraint has the last word.
    Photo.objects.select_for_update().get(pk=photo_id)
    last = Version.objects.filter(photo=photo_id).aggregate(last=Max("number"))["last"]
    return (last or 0) + 1


def finish(*, job: Job, made: NewVersion | None, now: datetime) -> Version | None:
    """Close the job with its one version in one transaction; a stale worker's result is refused."""
    facts = {"sha256": made.sha256} if made else {}
    try:
        with transaction.atomic():
            job.move(
                JobState.SUCCEEDED,
                by=None,
                at=now,
                where={"token": job.token},
                set_={"ended_at": now, "progress": 1.0, "lease_until": None},
                facts=facts,
            )
            version = _keep(job, made, now) if made else None
            _close(job, job.token, "succeeded", now)
            # Last, because every worker writes these rows: nobody waits for longer than a commit.
            if made is not None:
                tallies.add_steps(made.records, megapixels=_megapixels(job))
    except IllegalMove:
        raise LeaseLost from None
    return version


def _megapixels(job: Job) -> float:
    return job.source.width * job.source.height / 1e6 if job.source else 0.0


def _keep(job: Job, made: NewVersion, now: datetime) -> Version:
    version = Version.objects.create(
        photo_id=job.photo_id,
        number=_next_number(job.photo_id),
        parent_id=job.source_id,
        made_by_id=job.requested_by_id,
        made_at=now,
        **vars(made),
    )
    Job.objects.filter(pk=job.pk).update(version=version)
    version.record("made", by=job.requested_by, at=now, facts={"sha256": made.sha256})
    renditions.note(made.sha256, now=now)
    return version


def cancelled(*, job: Job, now: datetime) -> None:
    """Whoever held the job, their try is over."""
    Attempt.objects.filter(job=job, ended_at=None).update(ended_at=now, outcome="cancelled")
    forget_preview(job)


def fail(*, job: Job, code: str, facts: Mapping[str, Any], permanent: bool, now: datetime) -> None:
    """Record why; try again later when that may help, and at most JOB_ATTEMPTS times."""
    strikes = job.strikes + 1
    again = not permanent and strikes < JOB_ATTEMPTS
    ended: dict[str, Any] = {"error_code": code, "error_facts": dict(facts), "strikes": strikes}
    ended |= WAITING if again else {"ended_at": now, "lease_until": None}
    _end_try(job, "failed", JobState.QUEUED if again else JobState.FAILED, ended, code, now)


def give_back(*, job: Job, code: str, now: datetime, wait: bool = True) -> None:
    """Hand a job back unfinished and unpunished: the worker leaves, or a part of the site is away.

    Each return but the first waits twice as long as the one before; after JOB_RETURNS the job
    fails with that code. Without `wait` the next worker may take it at once.
    """
    returns = job.attempt - job.strikes
    over = returns >= JOB_RETURNS
    later = min(JOB_BACKOFF * 2 ** min(returns - 1, 10), JOB_BACKOFF_MOST)
    ended: dict[str, Any] = {"error_code": code, "error_facts": {}}
    ended |= {"ended_at": now, "lease_until": None} if over else WAITING
    ended |= {"not_before": now + later} if wait and not over else {}
    _end_try(job, "returned", JobState.FAILED if over else JobState.QUEUED, ended, code, now)


def pass_on(
    *, job: Job, code: str, facts: Mapping[str, Any], elsewhere: bool, now: datetime
) -> None:
    """Leave a job to another machine, unpunished, when this one cannot do it.

    Without a machine `elsewhere` that has not tried, the job fails; so it does after JOB_RETURNS.
    """
    over = not elsewhere or job.attempt - job.strikes >= JOB_RETURNS
    ended: dict[str, Any] = {"error_code": code, "error_facts": dict(facts)}
    ended |= {"ended_at": now, "lease_until": None} if over else WAITING
    outcome = "failed" if over else UNFIT
    _end_try(job, outcome, JobState.FAILED if over else JobState.QUEUED, ended, code, now)


def _end_try(
    job: Job, outcome: str, to: JobState, set_: Mapping[str, Any], code: str, now: datetime
) -> None:
    """Close the try and move the job, or raise LeaseLost and do neither."""
    token = job.token
    where = {"token": token, "state": JobState.RUNNING}
    try:
        with transaction.atomic():
            # A copy, so that the caller still holds the token when the database did not take it.
            copy(job).move(to, by=None, at=now, where=where, set_=set_, facts={"code": code})
            _close(job, token, outcome, now)
    except IllegalMove:
        raise LeaseLost from None


def requeue_lost(*, job: Job, now: datetime) -> bool:
    """Give a job whose worker went silent to the next worker, or fail it after the last try."""
    token, strikes = job.token, job.strikes + 1
    again = strikes < JOB_ATTEMPTS
    change: dict[str, Any] = {"strikes": strikes, "error_code": "worker-lost", "error_facts": {}}
    change |= WAITING if again else {"ended_at": now, "lease_until": None}
    try:
        with transaction.atomic():
            job.move(
                JobState.QUEUED if again else JobState.FAILED,
                by=None,
                at=now,
                where={"token": token, "lease_until__lt": now},
                set_=change,
                facts={"code": "worker-lost"},
            )
            _close(job, token, "lost", now)
    except IllegalMove:
        return False
    return True
