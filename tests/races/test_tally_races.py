"""Workers that measure in the same moment: no measurement is lost, and none waits for ever."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest

from restoration import tallies
from restoration.models import Tally
from restoration.queries.figures import figures
from tests import factories
from tests.races.together import together


def finish_two_steps(order: int) -> None:
    steps = [("tone", 0.2), ("guard", 2.0)][:: 1 if order % 2 else -1]
    records = [{"step": step, "backend": "embedded", "seconds": seconds} for step, seconds in steps]
    tallies.add_steps(records, megapixels=0)


@pytest.mark.slow
@pytest.mark.usefixtures("on_postgres")
def test_twenty_workers_that_finish_together_are_all_counted() -> None:
    results = together([partial(finish_two_steps, number) for number in range(20)])
    assert results == [None] * 20
    assert sorted(Tally.objects.values_list("first", "count")) == [("guard", 20), ("tone", 20)]
    found = figures(queues=["cpu"], now=factories.NOW + timedelta(days=1))
    assert [(each.labels[0], each.buckets[-1]) for each in found.steps] == [
        ("guard", ("+Inf", 20)),
        ("tone", ("+Inf", 20)),
    ]
