"""Where the check doubts a version, the bench offers to try again with less risk."""

from __future__ import annotations

import pytest

from restoration import presence
from restoration.engine.plan import Plan, Prompt, StepPlan
from restoration.lifecycle import JobKind, JobState
from restoration.models import Job, Version
from tests import factories

from .conftest import Desk

REDRAW = StepPlan("redraw", "generative", {"strength": 0.5})
PLAN = Plan((StepPlan("repair"), REDRAW), prompt=Prompt(words="a street"), seed=11)
FAILED = {"guard": {"verdict": "fail", "reasons": ["moved"]}}


@pytest.fixture(autouse=True)
def model_on(now: object) -> None:
    """A worker that could redraw."""
    offers = presence.needs(PLAN)
    presence.announce(name="gpu@there", queues=["gpu"], offers=offers, models=[], now=now)


def made(desk: Desk, plan: Plan = PLAN, **fields: object) -> Version:
    """A version of the scan as a run of that plan left it."""
    version = factories.version(desk.photo, desk.user, **({"meters": FAILED} | fields))
    Job.objects.create(
        photo=desk.photo, kind=JobKind.RESTORE, source=version.parent, version=version,
        requested_by=desk.user, requested_at=version.made_at, plan=plan.to_json(),
        plan_sha256=plan.digest(), state=JobState.SUCCEEDED, needs=[],
    )  # fmt: skip
    return version


def again(desk: Desk, version: Version, rung: str) -> object:
    return desk.post("again", version.number, data={"rung": rung})


def test_a_doubtful_version_offers_its_rungs_in_words(vera: Desk) -> None:
    made(vera)
    page = vera.get("bench").text
    assert "Try again with less risk" in page
    assert page.index("redraw less (strength 0.35)") < page.index("redraw less (strength 0.15)")
    assert page.index("leave faces as they are") < page.index("without the model")


def test_a_version_that_passed_offers_nothing(vera: Desk) -> None:
    made(vera, meters={"guard": {"verdict": "pass", "reasons": []}})
    assert "Try again with less risk" not in vera.get("bench").text


def test_who_does_not_hold_the_photo_is_offered_nothing(vera: Desk, victor: Desk) -> None:
    version = made(vera)
    assert "Try again with less risk" not in victor.get("bench").text
    assert again(victor, version, "mask-only").status_code in (404, 409)
    assert not Job.objects.filter(state=JobState.QUEUED).exists()


def test_a_rung_is_another_run_on_the_same_start_with_the_same_seed(vera: Desk) -> None:
    version = made(vera)
    answer = again(vera, version, "less-redraw-0.25")
    assert answer["Location"].endswith("?base=0#job")
    queued = Job.objects.get(state=JobState.QUEUED)
    assert queued.source == version.parent
    assert queued.plan["seed"] == 11
    (redraw,) = [each for each in queued.plan["steps"] if each["name"] == "redraw"]
    assert redraw["settings"]["strength"] == 0.25
    version.refresh_from_db()
    assert version.meters == FAILED


def test_a_rung_that_was_not_offered_is_not_run(vera: Desk) -> None:
    version = made(vera)
    assert again(vera, version, "colour-only").status_code == 404
    assert again(vera, version, "").status_code == 404


def test_a_hand_retouch_has_no_rungs(vera: Desk) -> None:
    version = factories.version(vera.photo, vera.user, meters=FAILED)
    assert "Try again with less risk" not in vera.get("bench").text
    assert again(vera, version, "mask-only").status_code == 404
