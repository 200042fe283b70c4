"""A collection is closed to volunteers while somebody sits at one of its photos."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.urls import reverse

from archive.models import Collection
from archive.trust import LIMITS, Trust
from restoration.actions.claims import expire_due
from restoration.lifecycle import CLAIM_IDLE, VersionState
from restoration.models import Draft, Job
from restoration.policy import held_by
from tests import factories
from tests.people import Cast, appoint

from .conftest import Desk, recipe
from .test_mask import drafted

SHUT = "This collection is closed to volunteers now, so you cannot work on this photo. Your draft"


@pytest.fixture
def shut(vera: Desk) -> Callable[[], None]:
    return lambda: set_open(vera, is_open=False)


def set_open(desk: Desk, *, is_open: bool) -> None:
    Collection.objects.filter(pk=desk.photo.collection_id).update(is_open=is_open)


def test_the_bench_says_so_and_leads_on(vera: Desk, shut: Any) -> None:
    shut()
    answer = vera.get("bench")
    assert (answer.status_code, answer.templates[0].name) == (409, "restoration/away.html")
    assert SHUT in answer.text
    for where in ("restoration:wall", "people:work"):
        assert f'href="{reverse(where)}"' in answer.text


def test_it_is_said_in_the_place_of_every_page_of_the_photo(vera: Desk, shut: Any) -> None:
    shut()
    for name in ("compare", "strip"):
        answer = vera.get(name)
        assert answer.status_code == 409, name
        assert SHUT in answer.text


def test_an_open_page_is_told_with_its_next_beat(vera: Desk, shut: Any) -> None:
    shut()
    told = vera.post("beat").json()
    assert told["state"] == "open"
    assert SHUT in told["warning"]
    set_open(vera, is_open=True)
    assert vera.post("beat").json()["warning"] == ""


def test_the_next_press_says_why_where_she_looks(vera: Desk, shut: Any) -> None:
    shut()
    answer = vera.htmx("run", data=recipe())
    assert (answer.status_code, answer.templates[0].name) == (422, "restoration/_job.html")
    assert SHUT in answer.text
    assert not Job.objects.exists()


def test_a_page_without_a_script_keeps_the_draft_and_leads_to_the_reason(
    vera: Desk, shut: Any
) -> None:
    shut()
    page = reverse("restoration:bench", args=[vera.photo.ref])
    sent = recipe() | {"prompt-place": "Tehran"}
    came = {"referer": f"http://testserver{page}"}
    answer = vera.client.post(vera.url("run"), sent, headers=came, follow=True)
    assert answer.templates[0].name == "restoration/away.html"
    assert SHUT in answer.text
    assert Draft.objects.get(volunteer=vera.user).body["prompt"]["place"] == "Tehran"


def test_what_is_still_on_her_page_is_kept(vera: Desk, shut: Any) -> None:
    shut()
    assert drafted(vera, "").status_code == 200


def test_the_photo_is_in_nobodys_way(vera: Desk, shut: Any, now: datetime) -> None:
    for _each in range(LIMITS[Trust.REGULAR].claims - 1):
        factories.claim(factories.photo(vera.photo.collection), vera.user)
    shut()
    assert held_by(vera.user).count() == 0
    elsewhere = factories.photo(factories.collection())
    answer = vera.client.post(reverse("restoration:claim", args=[elsewhere.ref]))
    assert answer["Location"] == reverse("restoration:bench", args=[elsewhere.ref])
    assert held_by(vera.user).count() == 1


def test_the_wall_does_not_lead_back_to_it_and_my_work_says_why(vera: Desk, shut: Any) -> None:
    wall, work = (reverse(name) for name in ("restoration:wall", "people:work"))
    assert vera.client.get(wall).context["my_claim"] is not None
    assert SHUT not in vera.client.get(work).text
    shut()
    assert vera.client.get(wall).context["my_claim"] is None
    page = vera.client.get(work).text
    assert SHUT in page
    assert "it goes back to the wall in" not in page


def test_of_its_curators_it_still_counts(vera: Desk, shut: Any) -> None:
    appoint(vera.user, vera.photo.collection)
    shut()
    assert held_by(vera.user).count() == 1
    assert vera.get("bench").status_code == 200
    assert vera.post("beat").json()["warning"] == ""


def test_given_back_it_is_not_said_to_be_on_the_wall(vera: Desk, shut: Any) -> None:
    shut()
    answer = vera.client.post(vera.url("release"), follow=True)
    assert "back on the wall" not in answer.text
    assert f"You gave the photo back. {SHUT}" in answer.text


def test_a_version_is_still_handed_in_and_a_curator_looks_at_it(vera: Desk, shut: Any) -> None:
    mine = factories.version(vera.photo, vera.user)
    shut()
    answer = vera.client.post(vera.url("submit", mine.number), {"note": ""}, follow=True)
    assert "A curator will look at it" in answer.text
    assert SHUT in answer.text  # who ever had it in hand
    mine.refresh_from_db()
    assert mine.state == VersionState.SUBMITTED


def test_her_time_runs_out_and_it_is_still_said(vera: Desk, shut: Any, now: datetime) -> None:
    shut()
    assert expire_due(now=now + CLAIM_IDLE * 2) == 1
    assert SHUT in vera.get("bench").text


def test_opened_again_her_work_goes_on(vera: Desk, shut: Any) -> None:
    shut()
    assert vera.get("bench").status_code == 409
    set_open(vera, is_open=True)
    assert vera.get("bench").templates[0].name == "restoration/bench.html"


def test_a_photo_on_hold_in_it_is_said_to_be_on_hold(vera: Desk, shut: Any) -> None:
    type(vera.photo).objects.filter(pk=vera.photo.pk).update(state="on_hold")
    shut()
    assert "This photo is on hold" in vera.get("bench").text


def test_a_program_is_told_the_same_and_keeps_its_draft(vera: Desk, shut: Any) -> None:
    shut()
    assert vera.claim is not None
    fence, asked = vera.claim.pk, {"content_type": "application/json"}
    photo, jobs, draft = (
        reverse(f"api:{name}", args=[vera.photo.ref]) for name in ("photo", "photo-jobs", "draft")
    )
    plan = {"steps": [{"name": "tone"}]}
    for answer in (
        vera.client.get(photo),
        vera.client.post(jobs, {"claim": fence, "plan": plan}, **asked),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "collection-closed")
        assert SHUT in answer.json()["detail"]
    answer = vera.client.put(draft, {"claim": fence, "rev": 0, "body": {}}, **asked)
    assert answer.status_code == 200


def test_who_never_had_it_in_hand_learns_nothing(
    victor: Desk, people: Cast, vera: Desk, shut: Any
) -> None:
    hers = factories.version(vera.photo, vera.user)
    shut()
    for name in ("bench", "compare", "strip"):
        assert victor.get(name).status_code == 404, name
    assert victor.post("run", data=recipe()).status_code == 404
    assert victor.get("working", hers.number, "tif").status_code == 404
    assert victor.client.get(reverse("api:photo", args=[vera.photo.ref])).status_code == 404


def test_what_others_made_of_a_photo_in_reach_is_still_not_there(vera: Desk, people: Cast) -> None:
    theirs = factories.version(vera.photo, people.victor)
    assert vera.get("working", theirs.number, "tif").status_code == 404
