"""Request, cancel, and look after jobs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, connection, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from archive import clock, tracing
from archive.lifecycle import PhotoState
from archive.models import Photo
from archive.policy import Refused
from archive.stateful import IllegalMove
from restoration import costs, leases, ledger, masks, policy, presence
from restoration.engine.plan import Plan
from restoration.lifecycle import (
    JOB_BACKOFF,
    JOB_RING_AGAIN,
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


def request_job(
    *,
    source: Version,
    by: User,
    fence: int,
    plan: Plan,
    now: datetime,
) -> Job:
    """Freeze the plan and put one run of it on one version in the queue.

    BadInput `unknown-mask` when its mask is not at hand for this person on this photo.
    """
    photo = source.photo
    claim = policy.hold(by, photo, fence=fence)
    masks.require_at_hand(photo, by, plan.mask_sha256)
    needs = presence.needs(plan)
    steps = [step.name for step in plan.steps]
    policy.check_run(by, photo, steps, offered=presence.offered(needs, now=now))
    queue = presence.queue(needs)
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
        Claim.objects.filter(pk=claim.pk).update(seen_at=now)
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
    """Have a worker take in a retouched file that has been received, as a child of `parent`."""
    policy.hold(by, parent.photo, fence=fence)
    policy.check_run(by, parent.photo, (), offered=True)
    policy.check_upload(by, now=now)
    with _admitted(by, parent.photo, costs.bound_of_retouch(parent), now=now) as admit:
        job = _queue(
            photo=parent.photo,
            kind=JobKind.RETOUCH,
            source=parent,
            requested_by=by,
            plan={"upload_sha256": upload_sha256, "filename": filename, "note": note},
            needs=[presence.EMBEDDED],
            now=now,
        )
        admit(job)
    return job


@contextmanager
def _admitted(
    by: User, photo: Photo, seconds: int, *, now: datetime, queue: str = presence.CPU
) -> Iterator[Callable[[Job], None]]:
    """The one door for a person's job: time is reserved and the pace is kept, under one lock.

    The purses are locked before anything is counted: fifty requests at once are told apart there.
    """
    resource = Resource.CPU if queue == presence.CPU else Resource.GPU
    with transaction.atomic():
        held = ledger.hold(
            user=by, collection_id=photo.collection_id, resource=resource, seconds=seconds, now=now
        )
        policy.check_pace(by, now=now)
        yield lambda job: ledger.reserve(held=held, job=job, now=now)


def request_look(*, photo: Photo, now: datetime) -> Job | None:
    """Have a worker assess a photo; None when one already waits or runs."""
    try:
        with transaction.atomic():
            return _queue(
                photo=photo,
                kind=JobKind.ASSESS,
                lane=JobLane.BATCH,
                needs=[presence.EMBEDDED],
                now=now,
            )
    except IntegrityError:
        return None


def _queue(*, now: datetime, **fields: Any) -> Job:
    """The one door into the queue; inside the transaction of whoever asked and was admitted."""
    job = Job.objects.create(requested_at=now, trace=tracing.here(), **fields)
    job.record("requested", by=fields.get("requested_by"), at=now, facts={"kind": job.kind})
    ring(job=job, now=now)
    return job


def cancel_job(*, job: Job, by: User, now: datetime) -> None:
    """Stop a waiting or running job; the worker notices at its next report and keeps nothing."""
    policy.check_cancel(by, job)
    try:
        with transaction.atomic():
            job.move(JobState.CANCELLED, by=by, at=now, set_={"ended_at": now, "lease_until": None})
            leases.cancelled(job=job, now=now)
            Claim.objects.filter(
                photo=job.photo_id, volunteer=job.requested_by_id, state=ClaimState.OPEN
            ).update(seen_at=now)
    except IllegalMove:
        raise Refused("job-over", _("This run had already ended."), conflict=True) from None


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
