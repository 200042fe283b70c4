"""What is promised beside Run is of what would be run: by the machines that can, after those who
wait for them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.urls import reverse

from restoration import presence
from restoration.actions.drafts import save_draft
from restoration.actions.jobs import cancel_job, request_job
from restoration.drafting import cleaned
from restoration.engine.plan import Plan
from restoration.models import Version
from restoration.queries import waiting
from tests import factories
from tests.people import Cast

from .conftest import Desk

REDRAWN = Plan.from_json(
    {
        "steps": [{"name": "redraw", "backend": "generative", "settings": {"model": "sd15"}}],
        "prompt": {"words": "a team"},
    }
)
REDRAW = {"redraw": {"on": True, "settings": {"model": "sd15"}}}
NOBODY = "Nobody can run this now"


@pytest.fixture(autouse=True)
def _drawn_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows of these tests change within the same second."""
    monkeypatch.setattr(waiting, "FRESH", timedelta(0))


@pytest.fixture
def gpu_on(now: datetime) -> None:
    offers = ["redraw:sd15"]
    model = {"name": "sd15", "licence": "Open RAIL-M", "offers": offers}
    presence.announce(
        name="gpu@here", queues=["generative"], offers=offers, models=[model], now=now
    )


@pytest.fixture
def three_wait(people: Cast, sit: Callable[..., Desk], vera: Desk, now: datetime) -> None:
    """Three others wait for the generative machine."""
    for who in (people.victor, people.cora, people.clive):
        redraw(sit(who, factories.photo(vera.photo.collection)), now)


def redraw(desk: Desk, now: datetime) -> Any:
    assert desk.claim is not None
    source = Version.objects.get(photo=desk.photo, number=0)
    return request_job(source=source, by=desk.user, fence=desk.claim.pk, plan=REDRAWN, now=now)


def keep(desk: Desk, now: datetime, *, rev: int = 0, **body: Any) -> None:
    assert desk.claim is not None
    save_draft(
        photo=desk.photo, by=desk.user, rev=rev, body=cleaned(body), fence=desk.claim.pk, now=now
    )


def estimate(desk: Desk) -> str:
    return str(desk.get("bench").context["estimate"])


def test_a_generative_step_waits_behind_those_who_wait_for_its_machine(
    vera: Desk, worker_on: None, gpu_on: None, three_wait: None, now: datetime
) -> None:
    assert "nobody before you" in estimate(vera)
    keep(vera, now, steps=REDRAW, prompt={"words": "a team"})
    assert "3 runs before you" in estimate(vera)


def test_also_while_its_words_are_missing(
    vera: Desk, worker_on: None, gpu_on: None, three_wait: None, now: datetime
) -> None:
    keep(vera, now, steps=REDRAW)
    assert "3 runs before you" in estimate(vera)


def test_where_only_its_machine_is_on_it_can_be_run(
    vera: Desk, gpu_on: None, now: datetime
) -> None:
    assert NOBODY in estimate(vera)
    keep(vera, now, steps=REDRAW, prompt={"words": "a team"})
    assert "nobody before you" in estimate(vera)


def test_of_a_step_that_no_machine_can_do_nothing_is_promised_for_the_run_is_refused(
    vera: Desk, worker_on: None, now: datetime
) -> None:
    keep(vera, now, steps=REDRAW | {"tone": {"on": True}}, prompt={"words": "a team"})
    assert estimate(vera) == ""
    keep(vera, now, rev=1, steps={"tone": {"on": True}})
    assert "nobody before you" in estimate(vera)


def test_after_a_run_it_is_of_one_like_it(
    vera: Desk, worker_on: None, gpu_on: None, three_wait: None, now: datetime
) -> None:
    job = redraw(vera, now)
    cancel_job(job=job, by=vera.user, now=now)
    answer = vera.client.get(
        reverse("restoration:job", args=[job.pk]), headers={"HX-Request": "true"}
    )
    assert "3 runs before you" in answer.context["estimate"]
