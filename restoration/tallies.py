"""Running totals of how long things took, kept where every worker writes and every site reads.

A worker has no address to be asked at and its process may end at any time, so what it measured is
added to rows: a few hundred of them whatever was measured, only ever growing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import F

from restoration.models import Tally

MINUTE, HOUR = 60, 3600
BEYOND = "+Inf"


@dataclass(frozen=True)
class Measure:
    """What is measured in seconds, by which two labels, and the bounds of its buckets.

    A bound may be added; the name must change with a bound that is moved or taken away.
    """

    name: str
    labels: tuple[str, str]
    bounds: tuple[float, ...]

    def buckets(self) -> list[str]:
        """Every bound as Prometheus writes it, the last without end."""
        return [*(str(float(bound)) for bound in self.bounds), BEYOND]

    def bucket(self, seconds: float) -> str:
        """The bound that it falls under."""
        return next(bound for bound in self.buckets() if seconds <= float(bound))


WAIT = Measure(
    "wait", ("queue", "kind"), (1, 5, 15, 30, MINUTE, 300, 900, 1800, HOUR, 4 * HOUR, 24 * HOUR)
)
# Seconds a megapixel: what a run of a step is reserved by.
RATE = Measure("rate", ("step", "backend"), (0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 16, 32, 64, 128))
STEP = Measure("step", ("step", "backend"), (0.1, 0.3, 1, 3, 10, 30, MINUTE, 180, 600, 1800))


def add(measure: Measure, labels: tuple[str, str], seconds: float) -> None:
    """Add one measurement to its row."""
    first, second = labels
    where = {"measure": measure.name, "first": first, "second": second}
    where["le"] = measure.bucket(seconds)
    grown = {"count": F("count") + 1, "total": F("total") + seconds}
    if not Tally.objects.filter(**where).update(**grown):
        Tally.objects.get_or_create(defaults=None, **where)
        Tally.objects.filter(**where).update(**grown)


def add_steps(records: Iterable[Mapping[str, Any]], *, megapixels: float) -> None:
    """Add the seconds of each step of a finished run; one done by hand has none.

    Always in the same order: two workers that finish together must not wait for each other.
    """
    timed = [
        (each["step"], each["backend"], each["seconds"]) for each in records if "seconds" in each
    ]
    for step, backend, seconds in sorted(timed):
        add(STEP, (step, backend), seconds)
    for step, backend, seconds in sorted(timed) if megapixels else ():
        add(RATE, (step, backend), seconds / megapixels)


# When the file was last read that was not read for longest: too dear to find out at every scrape.
UNREAD_SINCE: dict[str, Any] = {"measure": "unread-since", "first": "", "second": "", "le": ""}


def note_unread_since(moment: datetime | None) -> None:
    """Write it down, instead of what was written before; None: nothing is kept."""
    if moment is None:
        Tally.objects.filter(**UNREAD_SINCE).delete()
    else:
        Tally.objects.update_or_create(defaults={"total": moment.timestamp()}, **UNREAD_SINCE)


def unread_since(tallies: Iterable[Tally]) -> datetime | None:
    """What was written down, found among all of them."""
    found = [each.total for each in tallies if each.measure == UNREAD_SINCE["measure"]]
    return datetime.fromtimestamp(found[0], UTC) if found else None
