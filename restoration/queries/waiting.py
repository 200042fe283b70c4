"""How long a run waits and works: its place, and a range from runs like it that have finished.

The order is that of restoration.dispatch, people in turns. It is drawn up for everybody at once and
believed for FRESH: a poll looks its run up on that board, whatever the length of the queue.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from restoration import dispatch, presence
from restoration.dispatch import Turns, Waiting
from restoration.lifecycle import JobKind, JobLane, JobState
from restoration.models import Attempt, Job, Version, Worker

if TYPE_CHECKING:
    from accounts.models import User

FRESH = timedelta(seconds=2)
# Of the last finished runs in a queue so many are looked through for as many with the same needs.
LOOKED_THROUGH, A_SAMPLE = 400, 50
# Small pictures take longer for each pixel; below this they count as this many megapixels.
LEAST_MEGAPIXELS = 0.5
# What a run is thought to take, while turns are foreseen, of which nothing is known yet.
UNKNOWN = 30.0


@dataclass(frozen=True)
class Seconds:
    """From the quarter that was quickest to the tenth that was slowest."""

    low: float
    high: float

    def __add__(self, other: Seconds) -> Seconds:
        return Seconds(self.low + other.low, self.high + other.high)

    def times(self, factor: float) -> Seconds:
        """So many of them."""
        return Seconds(self.low * factor, self.high * factor)


NOTHING = Seconds(0.0, 0.0)


@dataclass(frozen=True)
class Outlook:
    """What can honestly be said of a run: machines for it, runs before it, time to its end."""

    workers: int
    ahead: int
    seconds: Seconds | None
    # Its place among those that wait, from 1; none where nobody can run it.
    place: int | None = None


def megapixels(width: int | None, height: int | None) -> float:
    """The size of what is worked on."""
    return max(LEAST_MEGAPIXELS, (width or 0) * (height or 0) / 1e6)


# --- what runs take ------------------------------------------------------------------------------
def pace(*, kind: str, needs: Sequence[str]) -> Seconds | None:
    """Seconds a megapixel, of the last finished runs with the same needs; None without any."""
    wanted = list(needs)
    done = (
        Job.objects.filter(kind=kind, queue=presence.queue(wanted), state=JobState.SUCCEEDED)
        .order_by("-ended_at")
        .values_list("needs", "started_at", "ended_at", "source__width", "source__height")
    )
    took = [
        (ended - started).total_seconds() / megapixels(*size)
        for asked, started, ended, *size in done[:LOOKED_THROUGH]
        if asked == wanted and started and ended
    ]
    paces = sorted(took[:A_SAMPLE])
    return Seconds(_quantile(paces, 0.25), _quantile(paces, 0.9)) if paces else None


def _quantile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class Paces:
    """What runs of each kind took, asked once."""

    def __init__(self) -> None:
        self.known: dict[tuple[str, tuple[str, ...]], Seconds | None] = {}

    def of(self, kind: str, needs: Sequence[str], size: float) -> Seconds | None:
        """The range for a run on so many megapixels."""
        key = (kind, tuple(needs))
        if key not in self.known:
            self.known[key] = pace(kind=kind, needs=needs)
        found = self.known[key]
        return found.times(size) if found else None


# --- the board -----------------------------------------------------------------------------------
@dataclass(frozen=True)
class Board:
    """What waits for a group of machines, in the order in which it will go."""

    at: datetime
    slots: int
    # Runs at work, and what is left of them.
    running: int
    left: Seconds
    # The turn of each that waits, in order, and the seconds of all before it.
    turns: list[tuple[Any, ...]]
    before: list[Seconds]
    places: Mapping[int, int]
    had: Mapping[int | None, float]
    order: Turns
    paces: Paces

    def place_of(self, each: Waiting) -> int:
        """How many go before it; also for one that came after the board was drawn."""
        if each.pk in self.places:
            return self.places[each.pk]
        turn = self.order.of(each, before=self.had.get(each.person, 0.0))
        return bisect_left(self.turns, turn)

    def outlook(self, at: int, own: Seconds | None, workers: int) -> Outlook:
        """For the one that goes after `at` others."""
        place = at + 1
        if self.running + at < self.slots:
            return Outlook(workers, 0, own, place)
        wait = (self.left + self.before[at]).times(1 / self.slots)
        return Outlook(workers, self.running + at, wait + own if own else None, place)


def _draw(queue: str, able: Sequence[Worker], now: datetime) -> Board:
    """What these machines will do, as people take turns; in a fixed number of queries."""
    order, paces = Turns.at(now), Paces()
    offers = {offer for worker in able for offer in worker.offers}
    found = dispatch.waiting(queues=[queue], offers=offers, now=now)

    def takes(each: Waiting) -> Seconds | None:
        return paces.of(each.kind, each.needs, megapixels(each.width, each.height))

    had: dict[int | None, float] = defaultdict(float)
    turns: list[tuple[tuple[Any, ...], Waiting, Seconds]] = []
    for each in sorted(found, key=order.of):
        seconds = takes(each) or Seconds(UNKNOWN, UNKNOWN)
        turns.append((order.of(each, before=had[each.person]), each, seconds))
        had[each.person] += seconds.high
    turns.sort(key=lambda turn: turn[0])
    running, left = _at_work([worker.name for worker in able], paces, now)
    return Board(
        at=now,
        slots=sum(max(1, worker.slots) for worker in able),
        running=running,
        left=left,
        turns=[turn for turn, _each, _seconds in turns],
        before=list(accumulate((seconds for _t, _e, seconds in turns), initial=NOTHING)),
        places={each.pk: at for at, (_turn, each, _seconds) in enumerate(turns)},
        had=had,
        order=order,
        paces=paces,
    )


def _at_work(names: Iterable[str], paces: Paces, now: datetime) -> tuple[int, Seconds]:
    """How many runs these machines are at, and what is left of them together."""
    columns = ("job__kind", "job__needs", "job__source__width", "job__source__height")
    tries = Attempt.objects.filter(ended_at=None, job__state=JobState.RUNNING, worker__in=names)
    count, left = 0, NOTHING
    for started, kind, needs, *size in tries.values_list("started_at", *columns):
        own = paces.of(kind, needs, megapixels(*size)) or Seconds(UNKNOWN, UNKNOWN)
        count, left = count + 1, left + _less(own, (now - started).total_seconds())
    return count, left


_drawn: dict[tuple[str, ...], Board] = {}
_pen = threading.Lock()


def _board(
    queue: str, able: Sequence[Worker], now: datetime, since: datetime | None = None
) -> Board:
    """The board of these machines; one thread draws it anew when it is too old, others wait."""
    key = (queue, *(worker.name for worker in able))
    board = _drawn.get(key)
    if board is not None and _is_fresh(board, now, since):
        return board
    with _pen:
        board = _drawn.get(key)
        if board is None or not _is_fresh(board, now, since):
            for old in [each for each in _drawn if not _is_fresh(_drawn[each], now)]:
                del _drawn[old]
            board = _drawn[key] = _draw(queue, able, now)
    return board


def _is_fresh(board: Board, now: datetime, since: datetime | None = None) -> bool:
    return abs(now - board.at) < FRESH and (since is None or board.at > since)


# --- what is said --------------------------------------------------------------------------------
def outlook_of(job: Job, *, now: datetime) -> Outlook:
    """What can be said of a run that waits or works."""
    able = _able(job.needs, job.queue, now)
    if not able:
        return Outlook(0, 0, None)
    board = _board(job.queue, able, now)
    own = board.paces.of(job.kind, job.needs, _size(job.source))
    if job.state == JobState.RUNNING and job.started_at is not None:
        passed = (now - job.started_at).total_seconds()
        return Outlook(len(able), 0, _less(own, passed) if own else None)
    by, since = job.requested_by_id, job.requested_at
    at = board.place_of(Waiting(job.pk, by, job.lane, job.kind, job.needs, since))
    return board.outlook(at, own, len(able))


def outlook_for(
    source: Version,
    *,
    by: User,
    needs: Sequence[str],
    now: datetime,
    since: datetime | None = None,
) -> Outlook:
    """What could be said of a run if this person asked for it now.

    `since`: when a run of theirs ended, which must not be counted as one that is before it.
    """
    queue = presence.queue(needs)
    able = _able(needs, queue, now)
    if not able:
        return Outlook(0, 0, None)
    board = _board(queue, able, now, since)
    own = board.paces.of(JobKind.RESTORE, needs, _size(source))
    new = Waiting(0, by.pk, JobLane.INTERACTIVE, JobKind.RESTORE, needs, now)
    return board.outlook(board.place_of(new), own, len(able))


def _size(version: Version | None) -> float:
    return megapixels(version.width, version.height) if version else LEAST_MEGAPIXELS


def _able(needs: Sequence[str], queue: str, now: datetime) -> list[Worker]:
    """The living machines that can run it."""
    alive = presence.alive(now=now)
    return [each for each in alive if queue in each.queues and presence.covers(each.offers, needs)]


def _less(own: Seconds, passed: float) -> Seconds:
    return Seconds(max(0.0, own.low - passed), max(1.0, own.high - passed))


def slower_than_usual(seconds: Seconds | None) -> bool:
    """Whether a run has already taken longer than nine in ten do."""
    return seconds is not None and seconds.high <= 1.0
