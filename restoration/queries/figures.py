"""What the operator's graphs show of the rows, in a constant number of indexed queries.

Counted when asked: so they are right however many site processes there are, and whichever answers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from typing import Any

from django.db.models import Count, Min, Q, Sum

from archive.models import Alarm, Original
from restoration import presence
from restoration.lifecycle import LIVE_JOBS, JobState
from restoration.models import Attempt, Job, Tally
from restoration.tallies import STEP, WAIT, Measure, unread_since


@dataclass(frozen=True)
class QueueFigures:
    """One queue now: jobs by state, those whose lease ran out unswept, workers, the oldest wait."""

    queue: str
    waiting: int = 0
    running: int = 0
    overdue: int = 0
    workers: int = 0
    oldest_seconds: float = 0.0


@dataclass(frozen=True)
class HistogramFigures:
    """A measure for one pair of labels: counts up to and including each bound, and the sum."""

    labels: tuple[str, str]
    buckets: list[tuple[str, int]]
    seconds: float


@dataclass(frozen=True)
class Figures:
    """Everything that is read from the database for one scrape."""

    queues: list[QueueFigures]
    attempts: dict[str, int]
    waits: list[HistogramFigures]
    steps: list[HistogramFigures]
    originals: int
    original_bytes: int
    # Files known to be missing or altered, by photo; how long ago the least lately read was read.
    bad_files: int
    unread_seconds: float | None


def figures(*, queues: Iterable[str], now: datetime) -> Figures:
    """Count it all; a queue without any job is named too, with zeros."""
    tallies = list(Tally.objects.all())
    kept = Original.objects.aggregate(count=Count("*"), bytes=Sum("size"))
    since = unread_since(tallies)
    return Figures(
        queues=_queues(queues, now),
        attempts=_attempts(),
        waits=_histograms(WAIT, tallies),
        steps=_histograms(STEP, tallies),
        originals=kept["count"],
        original_bytes=kept["bytes"] or 0,
        bad_files=Alarm.objects.standing().count(),
        unread_seconds=max((now - since).total_seconds(), 0.0) if since else None,
    )


def _queues(names: Iterable[str], now: datetime) -> list[QueueFigures]:
    workers = Counter(name for worker in presence.alive(now=now) for name in worker.queues)
    found = (
        Job.objects.filter(state__in=LIVE_JOBS)
        .values("queue")
        .annotate(
            waiting=Count("pk", filter=Q(state=JobState.QUEUED)),
            running=Count("pk", filter=Q(state=JobState.RUNNING)),
            overdue=Count("pk", filter=Q(state=JobState.RUNNING, lease_until__lt=now)),
            oldest=Min("requested_at", filter=Q(state=JobState.QUEUED)),
        )
    )
    rows = {row["queue"]: {**row} for row in found}
    return [
        QueueFigures(workers=workers[name], **_aged(rows.get(name, {"queue": name}), now))
        for name in sorted({*names, *rows, *workers})
    ]


def _aged(row: dict[str, Any], now: datetime) -> dict[str, Any]:
    """The row with its oldest wait in seconds; nothing waits for less than none."""
    oldest = row.pop("oldest", None)
    return row | {"oldest_seconds": max((now - oldest).total_seconds(), 0.0) if oldest else 0.0}


def _attempts() -> dict[str, int]:
    """How many tries ended in which way, since the first; those that still run have no outcome."""
    ended = Attempt.objects.exclude(outcome="").values("outcome").annotate(count=Count("*"))
    none = dict.fromkeys(("succeeded", "failed", "lost", "cancelled"), 0)
    return none | {row["outcome"]: row["count"] for row in ended}


def _histograms(measure: Measure, tallies: Iterable[Tally]) -> list[HistogramFigures]:
    ours = [tally for tally in tallies if tally.measure == measure.name]
    pairs = sorted({(tally.first, tally.second) for tally in ours})
    return [
        _histogram(measure, pair, [tally for tally in ours if (tally.first, tally.second) == pair])
        for pair in pairs
    ]


def _histogram(measure: Measure, labels: tuple[str, str], tallies: list[Tally]) -> HistogramFigures:
    counts = {tally.le: tally.count for tally in tallies}
    bounds = measure.buckets()
    so_far = accumulate(counts.get(bound, 0) for bound in bounds)
    return HistogramFigures(
        labels=labels,
        buckets=list(zip(bounds, so_far, strict=True)),
        seconds=sum(tally.total for tally in tallies),
    )
