"""Whose turn it is. Decided when a worker takes its next job, from the rows; a bell only wakes it.

The order, and what bounds it:
1. who has waited for FLOOR_WAIT with nothing running: everybody has a floor slot, a newcomer, a
   heavy user and the work in the background alike;
2. what a person waits for, before work in the background;
3. who had the fewest worker seconds in the last hour;
4. who has waited longest.
A worker may take a job whose model it has in memory before the first in turn, but never one of a
later lane, at most AFFINITY_ROW times in a row, and not when the first has waited AFFINITY_WAIT.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import DurationField, ExpressionWrapper, F, Q, QuerySet, Sum, Value, Window
from django.db.models.functions import Coalesce, Greatest, RowNumber

from restoration import leases, presence
from restoration.lifecycle import (
    AFFINITY_ROW,
    AFFINITY_WAIT,
    FLOOR_WAIT,
    SHARE_WINDOW,
    UNFIT,
    JobLane,
    JobState,
)
from restoration.models import Attempt, Job, Worker

# What the worker of this process announced, if it runs no models: for as long as it lives.
_announced: dict[str, tuple[list[str], list[str]]] = {}
# Of one person and lane, as many as may be jumped to in a row.
DEPTH = AFFINITY_ROW


@dataclass(frozen=True)
class Seat:
    """Who asks for work: what it serves and can run, what it has in memory, its warm row so far."""

    worker: str
    queues: Collection[str]
    offers: Collection[str]
    warm: Collection[str] = ()
    row: int = 0


@dataclass(frozen=True)
class Waiting:
    """A job that waits, as far as the order needs it."""

    pk: int
    person: int | None
    lane: str
    kind: str
    needs: Sequence[str]
    since: datetime
    width: int | None = None
    height: int | None = None
    photo: int = 0
    attempt: int = 0


@dataclass(frozen=True)
class Taken:
    """A job that was started, and whether it was taken before its turn."""

    job: Job
    early: bool


def seat(worker: str, *, warm: Collection[str] = (), row: int = 0) -> Seat | None:
    """The seat of a worker by what it announced last; None for one that is not in the book yet.

    Read anew for each job where models run: what is offered there changes with the files on a disk.
    """
    if worker not in _announced:
        told = Worker.objects.filter(name=worker).values_list("queues", "offers").first()
        if told is None:
            return None
        if presence.GENERATIVE in told[0]:
            return Seat(worker, *told, warm, row)
        _announced[worker] = told
    queues, offers = _announced[worker]
    return Seat(worker, queues, offers, warm, row)


def take(at: Seat, *, now: datetime) -> Taken | None:
    """Start the job whose turn it is here; None when nothing waits that this worker can run.

    Two that choose the same job meet at its row: one has it, the other goes on to the next.
    """
    fair = _for_others_first(line(queues=at.queues, offers=at.offers, now=now), at, now)
    for each in preferred(fair, at, now=now):
        waits = Job(pk=each.pk, photo_id=each.photo, attempt=each.attempt)
        job = leases.begin(waits, worker=at.worker, now=now)
        if job is not None:
            return Taken(job, early=each != fair[0])
    return None


def _for_others_first(fair: list[Waiting], at: Seat, now: datetime) -> list[Waiting]:
    """Without what could not be done here, as long as another worker lives that has not tried."""
    again = [each.pk for each in fair if each.attempt]
    if not again:
        return fair
    tries = Attempt.objects.filter(job__in=again, worker=at.worker, outcome=UNFIT)
    here = set(tries.values_list("job", flat=True))
    return [each for each in fair if each.pk not in here or not _may_go_on(each, now)]


def _may_go_on(each: Waiting, now: datetime) -> bool:
    tried = presence.found_unfit(each.pk)
    return bool(presence.others(each.needs, tried=tried, now=now))


def line(*, queues: Collection[str], offers: Collection[str], now: datetime) -> list[Waiting]:
    """What waits there and can be run with these offers, in the order of turns; four queries.

    Of one person and lane no more than DEPTH: the others are behind them anyway.
    """
    # Most of the time at most one waits, and is next whoever asked for it.
    few = _plain(_due(queues, now).order_by()[:2])
    if len(few) > 1:
        return sorted(waiting(queues=queues, offers=offers, now=now), key=Turns.at(now).of)
    return [each for each in few if presence.covers(offers, each.needs)]


@dataclass(frozen=True)
class Turns:
    """By what the order is decided, as the rows are at a moment; two queries."""

    now: datetime
    spent: Mapping[int | None, float]
    at_work: Collection[tuple[int | None, str]]

    @classmethod
    def at(cls, now: datetime) -> Turns:
        """Who had how much lately, and who has something running."""
        return cls(now, _spent(now), _at_work())

    def of(self, each: Waiting, *, before: float = 0.0) -> tuple[Any, ...]:
        """The lower, the earlier; `before` are seconds that its person will have had until then."""
        if not before and self._is_on_the_floor(each):
            return (0, 0, 0.0, each.since, each.pk)
        in_background = each.lane != JobLane.INTERACTIVE
        had = self.spent.get(each.person, 0.0) + before
        return (1, in_background, had, each.since, each.pk)

    def _is_on_the_floor(self, each: Waiting) -> bool:
        waited = self.now - each.since >= FLOOR_WAIT
        return waited and (each.person, each.lane) not in self.at_work


def preferred(fair: Sequence[Waiting], at: Seat, *, now: datetime) -> Sequence[Waiting]:
    """The order of turns, what is warm here put first as far as fairness allows."""
    if not fair or not at.warm or at.row >= AFFINITY_ROW:
        return fair
    if now - fair[0].since > AFFINITY_WAIT:
        return fair
    near = [each for each in fair if each.lane == fair[0].lane and _is_warm(each, at)]
    return [*near, *(each for each in fair if each not in near)]


def _is_warm(each: Waiting, at: Seat) -> bool:
    named = presence.models_of(each.needs)
    return bool(named) and named <= set(at.warm)


def waiting(*, queues: Collection[str], offers: Collection[str], now: datetime) -> list[Waiting]:
    """What waits there and can be run with these offers, of one person and lane at most DEPTH."""
    kind_of_work = [F("requested_by"), F("lane"), F("needs")]
    rank = Window(RowNumber(), partition_by=kind_of_work, order_by=["requested_at", "pk"])
    found = _plain(_due(queues, now).annotate(rank=rank).filter(rank__lte=DEPTH))
    return [each for each in found if presence.covers(offers, each.needs)]


def _due(queues: Collection[str], now: datetime) -> QuerySet[Job]:
    due = Q(not_before=None) | Q(not_before__lte=now)
    return Job.objects.filter(due, state=JobState.QUEUED, queue__in=queues)


def _plain(rows: QuerySet[Job]) -> list[Waiting]:
    asks = ("pk", "requested_by_id", "lane", "kind", "needs", "requested_at")
    work = ("source__width", "source__height", "photo_id", "attempt")
    return [Waiting(*row) for row in rows.values_list(*asks, *work)]


def _spent(now: datetime) -> Mapping[int | None, float]:
    """Worker seconds of the last hour by person, tries that failed included."""
    since = now - SHARE_WINDOW
    recent = Attempt.objects.filter(Q(ended_at__gt=since) | Q(ended_at=None))
    took = ExpressionWrapper(
        Coalesce(F("ended_at"), Value(now)) - Greatest(F("started_at"), Value(since)),
        output_field=DurationField(),
    )
    rows = recent.values("job__requested_by").annotate(took=Sum(took))
    return {row["job__requested_by"]: row["took"].total_seconds() for row in rows}


def _at_work() -> set[tuple[int | None, str]]:
    running = Job.objects.filter(state=JobState.RUNNING).order_by()
    return set(running.values_list("requested_by_id", "lane").distinct())
