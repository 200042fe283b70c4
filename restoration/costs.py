"""The most seconds a run should take, from what its steps took before: a bound by size."""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings

from restoration.engine.plan import Plan
from restoration.models import Tally, Version
from restoration.tallies import BEYOND, RATE

# Seconds a megapixel of a step that nobody has measured here yet; cautious, as it is a bound.
UNMEASURED = {"embedded": 4.0, "generative": 60.0}
# Loading, judging and keeping are part of every run.
START = 5
LEAST_MEGAPIXELS = 0.25
# Nine of ten measurements were quicker.
SHARE = 0.9
RETOUCH = (("retouch", "embedded"), ("guard", "embedded"))


def bound(plan: Plan, source: Version) -> int:
    """Seconds to reserve for a run of the plan."""
    steps = [(step.name, step.backend) for step in plan.steps]
    return _bound([*steps, ("guard", "embedded")], source)


def bound_of_retouch(parent: Version) -> int:
    """Seconds to reserve for taking in a hand retouch."""
    return _bound(RETOUCH, parent)


def _bound(steps: Iterable[tuple[str, str]], source: Version) -> int:
    wanted = set(steps)
    rates = _rates(wanted)
    size = max(LEAST_MEGAPIXELS, source.width * source.height / 1e6)
    paces = [rates.get(each, UNMEASURED.get(each[1], 60.0)) for each in wanted]
    return max(1, min(START + round(size * sum(paces)), settings.JOB_LIMIT_SECONDS))


def _rates(steps: set[tuple[str, str]]) -> dict[tuple[str, str], float]:
    """Seconds a megapixel under which nine of ten runs of each step stayed; one query."""
    names = {name for name, _backend in steps}
    rows = Tally.objects.filter(measure=RATE.name, first__in=names)
    counts: dict[tuple[str, str], dict[str, int]] = {}
    for row in rows:
        counts.setdefault((row.first, row.second), {})[row.le] = row.count
    found = {step: _quantile(buckets) for step, buckets in counts.items()}
    return {step: rate for step, rate in found.items() if rate is not None}


def _quantile(buckets: dict[str, int]) -> float | None:
    """The bound of the bucket in which the ninth of ten falls; beyond the last, the last twice."""
    wanted, seen = SHARE * sum(buckets.values()), 0
    for name in RATE.buckets():
        seen += buckets.get(name, 0)
        if seen >= wanted and seen:
            return 2 * RATE.bounds[-1] if name == BEYOND else float(name)
    return None
