"""Where the check doubts a version, the bench offers to try again with less risk."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from archive import trust
from archive.lifecycle import PhotoState
from archive.models import Photo
from restoration import presence
from restoration.engine.plan import Plan, Prompt, StepPlan
from restoration.lifecycle import ClaimState, JobKind, JobState
from restoration.models import Claim, Job, Version
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


def test_a_doubt_is_said_once_on_the_strip(vera: Desk) -> None:
    made(vera)
    assert vera.get("bench").text.count("something moved: it is not where the scan has it") == 1


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


def test_the_answer_to_htmx_brings_the_line_of_a_run_that_waits_already(vera: Desk) -> None:
    version = made(vera)
    again(vera, version, "less-redraw-0.15")
    waits = Job.objects.get(state=JobState.QUEUED)
    page = vera.htmx("again", version.number, data={"rung": "less-redraw-0.25"}).text
    assert page.count(f'id="run-{waits.pk}"') == 1
    assert f'data-job="{waits.pk}"' not in page


def test_a_rung_that_was_not_offered_is_not_run(vera: Desk) -> None:
    version = made(vera)
    assert again(vera, version, "colour-only").status_code == 404
    assert again(vera, version, "").status_code == 404


def test_a_hand_retouch_has_no_rungs(vera: Desk) -> None:
    version = factories.version(vera.photo, vera.user, meters=FAILED)
    assert "Try again with less risk" not in vera.get("bench").text
    assert again(vera, version, "mask-only").status_code == 404


def stopped(desk: Desk, code: str = "reframed", plan: Plan = PLAN) -> Job:
    """A run of that plan that ended without a version."""
    scan = Version.objects.get(photo=desk.photo, number=0)
    return Job.objects.create(
        photo=desk.photo, kind=JobKind.RESTORE, source=scan, requested_by=desk.user,
        requested_at=timezone.now(), plan=plan.to_json(), plan_sha256=plan.digest(),
        state=JobState.FAILED, error_code=code, error_facts={}, needs=[],
    )  # fmt: skip


def once_more(desk: Desk, job: Job, rung: str, **headers: str) -> Any:
    fence = f"?claim={desk.claim.pk}" if desk.claim else ""
    address = reverse("restoration:run-again", args=[job.pk])
    return desk.client.post(address + fence, {"rung": rung}, headers=headers)


def test_a_run_that_a_gate_stopped_offers_its_rungs_though_there_is_no_version(vera: Desk) -> None:
    job = stopped(vera)
    page = vera.get("bench").text
    assert "try again with less risk" in page
    assert page.index("redraw less (strength 0.35)") < page.index("without the model")
    answer = once_more(vera, job, "no-redraw")
    assert answer["Location"].endswith("?base=0#job")
    queued = Job.objects.get(state=JobState.QUEUED)
    assert [step["name"] for step in queued.plan["steps"]] == ["repair", "guard"]
    assert queued.source == job.source


def test_with_a_script_the_new_run_takes_the_place_of_the_old(vera: Desk) -> None:
    answer = once_more(vera, stopped(vera), "less-redraw-0.15", **{"HX-Request": "true"})
    assert 'data-state="queued"' in answer.text


@pytest.mark.parametrize("code", ["disk-full", "out-of-memory", "worker-lost"])
def test_a_run_that_failed_for_another_reason_offers_none(vera: Desk, code: str) -> None:
    job = stopped(vera, code)
    assert "try again with less risk" not in vera.get("bench").text
    assert once_more(vera, job, "no-redraw").status_code == 404


def test_who_does_not_hold_the_photo_any_more_is_offered_none(vera: Desk, victor: Desk) -> None:
    job = stopped(vera)
    assert once_more(victor, job, "no-redraw").status_code == 404
    Claim.objects.filter(volunteer=vera.user).update(
        state=ClaimState.RELEASED, closed_at=timezone.now()
    )
    assert "try again with less risk" not in vera.get("bench").text
    once_more(vera, job, "no-redraw")
    assert not Job.objects.filter(state=JobState.QUEUED).exists()


WITH_SCRIPT = {"HX-Request": "true"}


def waiting(desk: Desk, many: int) -> None:
    """Runs of theirs that nobody has begun."""
    for number in range(many):
        scan = Version.objects.get(photo=desk.photo, number=0)
        Job.objects.create(
            photo=desk.photo, kind=JobKind.RESTORE, source=scan, requested_by=desk.user,
            requested_at=timezone.now(), plan={}, plan_sha256=f"{number:064}", needs=[],
        )  # fmt: skip


def test_over_a_limit_the_sentence_stands_on_the_run_that_offered_it(vera: Desk) -> None:
    job = stopped(vera)
    waiting(vera, 3)
    answer = once_more(vera, job, "no-redraw", **WITH_SCRIPT)
    assert (answer.status_code, answer["Retry-After"]) == (429, "30")
    assert "3 runs of yours are waiting or running." in answer.text
    assert f'data-job="{job.pk}"' in answer.text  # and with it the other rungs
    assert 'value="less-redraw-0.15"' in answer.text
    assert "<html" not in answer.text
    assert "<header" not in answer.text


def test_without_a_script_the_limit_is_a_page_that_says_when(vera: Desk) -> None:
    job = stopped(vera)
    waiting(vera, 3)
    answer = once_more(vera, job, "no-redraw")
    assert (answer.status_code, answer["Retry-After"]) == (429, "30")
    assert "<html" in answer.text
    assert "3 runs of yours are waiting or running." in answer.text


def test_a_mask_that_is_not_there_any_more_is_told_on_the_run_as_well(vera: Desk) -> None:
    plan = Plan((StepPlan("repair"), REDRAW), prompt=PLAN.prompt, mask_sha256="ab" * 32)
    answer = once_more(vera, stopped(vera, plan=plan), "no-redraw", **WITH_SCRIPT)
    assert answer.status_code == 422
    assert "The painted mask could not be found." in answer.text
    assert "<html" not in answer.text


def test_a_limit_that_no_view_expects_is_no_page_inside_a_page(
    vera: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What htmx swaps in is never a whole page, whoever refused it."""
    none = replace(trust.LIMITS[trust.Trust.REGULAR], masks=0)
    monkeypatch.setattr(trust, "limits", lambda *_whom, **_when: none)
    answer = vera.htmx("mask")
    assert answer.status_code == 429
    assert int(answer["Retry-After"]) > 0
    assert "You have painted more masks in the last hour" in answer.text
    assert "<html" not in answer.text
    assert (answer["HX-Reswap"], answer["HX-Reselect"]) == ("innerHTML", "unset")


def test_a_part_of_a_page_that_is_refused_is_no_page_either(vera: Desk) -> None:
    Photo.objects.filter(pk=vera.photo.pk).update(state=PhotoState.WITHDRAWN)
    url = reverse("restoration:strip", args=[vera.photo.ref])
    answer = vera.client.get(url, headers=WITH_SCRIPT)
    assert answer.status_code == 409
    assert "withdrawn" in answer.text
    assert "<html" not in answer.text
    assert "autofocus" not in answer.text  # nobody asked for it by hand
    assert "<html" in vera.client.get(url).text
