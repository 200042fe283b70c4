"""Request, cancel, and look after jobs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from archive import clock, storage, tracing
from archive.lifecycle import PhotoState, UploadState
from archive.models import Photo, Upload
from archive.places import StorageAway
from archive.policy import Refused
from archive.stateful import IllegalMove
from restoration import costs, leases, ledger, masks, policy, presence
from restoration.engine.plan import Plan
from restoration.lifecycle import (
    JOB_BACKOFF,
    JOB_RING_AGAIN,
    LIVE_JOBS,
    ClaimState,
    JobKind,
    JobLane,
    JobState,
)
from restoration.models import Claim, Job, Version
from restoration.purses import Resource
from restoration.tasks import ring

if TYPE_CHECKING:
    from accounts.models import User

AT_ONCE = 100
# Why a run was stopped that nobody cancelled.
WITHDRAWN = "photo-withdrawn"


def request_job(
    *,
    source: Version,
    by: User,
    fence: int,
    plan: Plan,
    now: datetime,
) -> Job:
    """Freeze the plan and put one run of it on one version in the queue.

    While such a run of theirs waits or works, that one is given again: the same plan on the same
    version gives the same pixels, and whoever asks twice has pressed twice, or lost the answer.
    BadInput `unknown-mask` when its mask is not at hand for this person on this photo.
    """
    photo = source.photo
    claim = policy.hold(by, photo, fence=fence)
    policy.check_open(by, photo)
    masks.require_at_hand(photo, by, plan.mask_sha256)
    needs = presence.needs(plan)
    steps = [step.name for step in plan.steps]
    policy.check_run(by, photo, steps, offered=presence.offered(needs, now=now))
    with transaction.atomic():
        policy.one_at_a_time(by)  # before looking, so that two requests at once are told apart
        job = _live_again(source, by, plan)
        if job is None:
            job = _request(source, by, plan, needs, now)
        Claim.objects.filter(pk=claim.pk).update(seen_at=now)
    return job


def _live_again(source: Version, by: User, plan: Plan) -> Job | None:
    """The run of this plan on this version that this person has waiting or running."""
    mine = Job.objects.filter(requested_by=by, state__in=LIVE_JOBS, kind=JobKind.RESTORE)
    rows = mine.filter(source=source, plan_sha256=plan.digest())
    return rows.select_related("photo", "source").order_by("pk").first()


def _request(source: Version, by: User, plan: Plan, needs: list[str], now: datetime) -> Job:
    photo, queue = source.photo, presence.queue(needs)
    with _admitted(by, photo, costs.bound(plan, source), now=now, queue=queue) as admit:
        job = _queue(
            photo=photo,
            kind=JobKind.RESTORE,
            source=source,
            requested_by=by,
            plan=plan.to_json(),
            plan_sha256=plan.digest(),
            needs=needs,
            queue=queue,
            now=now,
        )
        admit(job)
    return job


def request_retouch(
    *,
    parent: Version,
    by: User,
    fence: int,
    upload_sha256: str,
    filename: str,
    now: datetime,
    note: str = "",
) -> Job:
    """Have a worker take in a retouched file that has been received, as a child of `parent`.

    While the same file waits or is looked at, that run is given again, as with request_job; what
    was told with it belongs to it, its name does not.
    """
    _check_retouch(parent, by, fence)
    with transaction.atomic():
        policy.one_at_a_time(by)  # before looking, so that two requests at once are told apart
        told = {"upload_sha256": upload_sha256, "filename": filename, "note": note}
        job = (
            _unsettled(parent, by)
            .filter(plan__upload_sha256=upload_sha256, plan__note=note)
            .first()
        )
        return job or _request_retouch(parent, by, told, now)


def _unsettled(parent: Version, by: User) -> QuerySet[Job]:
    """The retouches of this version that this person has waiting or running."""
    mine = Job.objects.filter(requested_by=by, state__in=LIVE_JOBS, kind=JobKind.RETOUCH)
    return mine.filter(source=parent).select_related("photo", "source").order_by("pk")


def _request_retouch(parent: Version, by: User, told: dict[str, str], now: datetime) -> Job:
    with _retouching(parent, by, now) as admit:
        job = _queue(
            photo=parent.photo,
            kind=JobKind.RETOUCH,
            source=parent,
            requested_by=by,
            plan=told,
            needs=[presence.EMBEDDED],
            now=now,
        )
        admit(job)
    return job


def bring_retouch(
    *,
    parent: Version,
    by: User,
    fence: int,
    chunks: Iterable[bytes],
    filename: str,
    now: datetime,
    note: str = "",
) -> Job:
    """Receive a retouched file, and have a worker take it in. storage.TooLarge, StorageAway.

    All that may refuse it is asked before a byte is kept, and what is refused then is let go.
    """
    _check_retouch(parent, by, fence)
    try:
        with _retouching(parent, by, now):
            pass  # nothing is reserved: the file may take minutes to keep
    except Refused:
        if not _unsettled(parent, by).exists():
            raise
        # It may be the file that waits, and whoever presses twice is not refused: its bytes tell.
    with storage.receive(chunks, limit=settings.MAX_UPLOAD_BYTES) as came:
        key = storage.incoming_key(came.sha256)
        was_there = storage.exists(key)
        storage.put_file(key, came.path)
    told = {"upload_sha256": came.sha256, "filename": filename[:255], "note": note}
    try:
        return request_retouch(parent=parent, by=by, fence=fence, now=now, **told)
    except Refused:
        if not was_there:
            _let_go(came.sha256)
        raise


def _let_go(sha256: str) -> None:
    """Forget a refused file, unless a scan that nobody has read yet or another's run has its bytes.

    When the storage is away it stays, as a stray that the operator may delete.
    """
    needed = (
        Job.objects.filter(state__in=LIVE_JOBS, plan__upload_sha256=sha256),
        Photo.objects.filter(original=None, sha256=sha256),
        Upload.objects.filter(state=UploadState.WHOLE, sha256=sha256),
    )
    if any(rows.exists() for rows in needed):
        return
    with suppress(StorageAway):
        storage.delete(storage.incoming_key(sha256))


def _check_retouch(parent: Version, by: User, fence: int) -> None:
    """All that a retouch is asked but its pace."""
    photo = parent.photo
    policy.hold(by, photo, fence=fence)
    policy.check_open(by, photo)
    policy.check_run(by, photo, (), offered=True)


@contextmanager
def _retouching(parent: Version, by: User, now: datetime) -> Iterator[Callable[[Job], None]]:
    """A retouch's own pace, under the lock of _admitted as the runs' is."""
    with _admitted(by, parent.photo, costs.bound_of_retouch(parent), now=now) as admit:
        policy.check_upload(by, now=now)
        yield admit


@contextmanager
def _admitted(
    by: User, photo: Photo, seconds: int, *, now: datetime, queue: str = presence.CPU
) -> Iterator[Callable[[Job], None]]:
    """The one door for a person's job: time is reserved and the pace is kept, under one lock.

    The person is locked before anything is counted, and the purses then: fifty requests at once
    are told apart there, also where nobody's time is counted, or where two purses pay.
    """
    resource = Resource.CPU if queue == presence.CPU else Resource.GPU
    with transaction.atomic():
        policy.one_at_a_time(by)
        held = ledger.hold(
            user=by, collection_id=photo.collection_id, resource=resource, seconds=seconds, now=now
        )
        policy.check_pace(by, now=now)
        yield lambda job: ledger.reserve(held=held, job=job, now=now)


def look_again(*, job: Job, by: User, now: datetime) -> Job | None:
    """Ask for another look at a photo, for a steward, where one failed; None when one waits.

    Other runs are their owner's to ask for: they need a claim.
    """
    policy.check_look_again(by, job)
    return _look(job.photo, by, now)


def request_look(*, photo: Photo, now: datetime) -> Job | None:
    """Have a worker assess a photo; None when one already waits or runs."""
    return _look(photo, None, now)


def _look(photo: Photo, by: User | None, now: datetime) -> Job | None:
    try:
        with transaction.atomic():
            return _queue(
                photo=photo,
                kind=JobKind.ASSESS,
                lane=JobLane.BATCH,
                needs=[presence.EMBEDDED],
                now=now,
                by=by,
            )
    except IntegrityError:
        return None


def _queue(*, now: datetime, by: User | None = None, **fields: Any) -> Job:
    """The one door into the queue; inside the transaction of whoever asked and was admitted.

    by: who asked for what is nobody's run.
    """
    job = Job.objects.create(requested_at=now, trace=tracing.here(), **fields)
    asked = by or fields.get("requested_by")
    job.record("requested", by=asked, at=now, facts={"kind": job.kind})
    ring(job=job, now=now)
    return job


def cancel_job(*, job: Job, by: User, now: datetime) -> None:
    """Stop a waiting or running job; the worker notices at its next report and keeps nothing."""
    policy.check_cancel(by, job)
    try:
        _cancel(job, by, now)
    except IllegalMove:
        raise Refused("job-over", _("This run had already ended."), conflict=True) from None


def _cancel(job: Job, by: User | None, now: datetime, **why: str) -> None:
    ended = {"ended_at": now, "lease_until": None, **why}
    with transaction.atomic():
        job.move(JobState.CANCELLED, by=by, at=now, set_=ended, facts=why)
        leases.cancelled(job=job, now=now)
        Claim.objects.filter(
            photo=job.photo_id, volunteer=job.requested_by_id, state=ClaimState.OPEN
        ).update(seen_at=now)


def cancel_withdrawn(*, now: datetime) -> int:
    """Stop what waits or runs on photos that were withdrawn; called by the sweep.

    On a photo on hold what was asked for before is done, and its version is kept.
    """
    ended = 0
    for job in Job.objects.filter(state__in=LIVE_JOBS, photo__state=PhotoState.WITHDRAWN)[:AT_ONCE]:
        with suppress(IllegalMove):  # it ended by itself
            _cancel(job, None, now, error_code=WITHDRAWN)
            ended += 1
    return ended


def sweep_jobs(*, now: datetime) -> int:
    """Requeue what lost its lease, and ring again for what nobody picked up."""
    _shorten(now)
    count = sum(leases.requeue_lost(job=job, now=now) for job in _lost(now))
    due = Job.objects.filter(Q(not_before=None) | Q(not_before__lte=now), state=JobState.QUEUED)
    for job in due.filter(rung_at=None).order_by("requested_at")[:AT_ONCE]:
        ring(job=job, now=now)
    # In the future: by the clock of a site process that is wrong.
    unheard = Q(rung_at__lt=now - JOB_RING_AGAIN) | Q(rung_at__gt=now + JOB_RING_AGAIN)
    _ring_again(due.filter(unheard), now)
    return count


def _shorten(now: datetime) -> None:
    """What was written before the clock was put back holds no longer than if it were written now.

    A worker that lives renews its lease anyway.
    """
    late = now + leases.lease() + clock.AHEAD
    running = Job.objects.filter(state=JobState.RUNNING, lease_until__gt=late)
    running.update(lease_until=now + leases.lease())
    waiting = Job.objects.filter(state=JobState.QUEUED, not_before__gt=now + clock.AHEAD)
    waiting.update(not_before=now + JOB_BACKOFF)


def _lost(now: datetime) -> list[Job]:
    """What lost its lease, without those rows that a link holds whose worker froze in the middle.

    The database ends such a link within a minute; nobody else's job waits for that.
    """
    lost = Job.objects.filter(state=JobState.RUNNING, lease_until__lt=now)
    if not connection.features.has_select_for_update_skip_locked:
        return list(lost)
    with transaction.atomic():
        return list(lost.select_for_update(skip_locked=True))


def _ring_again(unheard: QuerySet[Job], now: datetime) -> None:
    """One bell for each worker that has nothing to do, and one in any case.

    Bells are alike, and a worker that is busy comes by itself when it is done; more of them would
    only pile up in the broker while nobody can answer.
    """
    room = presence.idle(now=now)
    for queue in (presence.CPU, presence.GENERATIVE):
        most = min(max(1, room.get(queue, 0)), AT_ONCE)
        for job in unheard.filter(queue=queue).order_by("rung_at", "pk")[:most]:
            ring(job=job, now=now)


def look_at_new_photos(*, now: datetime, limit: int = 50) -> int:
    """Ask for an assessment of every ready photo that has none and did not already fail one."""
    unseen = Photo.objects.filter(state=PhotoState.READY, assessment=None).exclude(
        jobs__kind=JobKind.ASSESS
    )
    return sum(request_look(photo=photo, now=now) is not None for photo in unseen[:limit])
