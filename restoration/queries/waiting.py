"""How long a run waits and works: its place, and a range from runs like it that have finished."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q

from restoration import presence
from restoration.lifecycle import JobKind, JobState
from restoration.models import Job, Version

A_SAMPLE = 50
# Small pictures take longer for each pixel; below this they count as this many megapixels.
LEAST_MEGAPIXELS = 0.5


@dataclass(frozen=True)
class Seconds:
    """From the quarter that was quickest to the tenth that was slowest."""

    low: float
    high: float


@dataclass(frozen=True)
class Outlook:
    """What can honestly be said of a run: machines for it, runs before it, time to its end."""

    workers: int
    ahead: int
    seconds: Seconds | None
    # Its place among those that wait, from 1.
    place: int = 1


def megapixels(version: Version | None) -> float:
    """The size of what is worked on."""
    if version is None:
        return LEAST_MEGAPIXELS
    return max(LEAST_MEGAPIXELS, version.width * version.height / 1e6)


def pace(*, kind: str, needs: Sequence[str]) -> Seconds | None:
    """Seconds a megapixel, of the last finished runs with the same needs; None without any."""
    done = (
        Job.objects.filter(kind=kind, needs=list(needs), state=JobState.SUCCEEDED)
        .select_related("source")
        .only("started_at", "ended_at", "source__width", "source__height")
        .order_by("-ended_at")[:A_SAMPLE]
    )
    paces = sorted(
        (job.ended_at - job.started_at).total_seconds() / megapixels(job.source)
        for job in done
        if job.started_at and job.ended_at
    )
    if not paces:
        return None
    return Seconds(_quantile(paces, 0.25), _quantile(paces, 0.9))


def _quantile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def before(job: Job) -> tuple[int, int]:
    """How many runs of the same queue work, and how many have waited longer."""
    counts = (
        Job.objects.filter(queue=job.queue)
        .exclude(pk=job.pk)
        .aggregate(
            running=Count("pk", filter=Q(state=JobState.RUNNING)),
            waiting=Count("pk", filter=Q(state=JobState.QUEUED, requested_at__lt=job.requested_at)),
        )
    )
    return counts["running"], counts["waiting"]


def outlook_of(job: Job, *, now: datetime) -> Outlook:
    """What can be said of a run that waits or works."""
    workers = _workers(job.needs, job.queue, now)
    own = _scaled(pace(kind=job.kind, needs=job.needs), megapixels(job.source))
    if job.state == JobState.RUNNING and job.started_at is not None:
        return Outlook(workers, 0, _less(own, (now - job.started_at).total_seconds()))
    running, waiting = before(job)
    ahead = running + waiting
    return Outlook(workers, ahead, _queued(own, ahead, workers), place=waiting + 1)


def outlook_for(source: Version, *, needs: Sequence[str], now: datetime) -> Outlook:
    """What could be said of a run if it were asked for now."""
    queue = presence.queue(needs)
    workers = _workers(needs, queue, now)
    live = (JobState.QUEUED, JobState.RUNNING)
    ahead = Job.objects.filter(queue=queue, state__in=live).count()
    own = _scaled(pace(kind=JobKind.RESTORE, needs=needs), megapixels(source))
    return Outlook(workers, ahead, _queued(own, ahead, workers))


def _workers(needs: Sequence[str], queue: str, now: datetime) -> int:
    alive = presence.alive(now=now)
    able = [queue in each.queues and presence.covers(each.offers, needs) for each in alive]
    return sum(able)


def _scaled(rate: Seconds | None, size: float) -> Seconds | None:
    return Seconds(rate.low * size, rate.high * size) if rate else None


def _queued(own: Seconds | None, ahead: int, workers: int) -> Seconds | None:
    """As if what is before were like it: unknown plans of unknown photos, so a wide range."""
    if own is None or not workers:
        return None
    rounds = ahead / workers
    return Seconds(own.low * (1 + rounds), own.high * (1 + rounds))


def _less(own: Seconds | None, passed: float) -> Seconds | None:
    if own is None:
        return None
    return Seconds(max(0.0, own.low - passed), max(1.0, own.high - passed))


def slower_than_usual(seconds: Seconds | None) -> bool:
    """Whether a run has already taken longer than nine in ten do."""
    return seconds is not None and seconds.high <= 1.0
