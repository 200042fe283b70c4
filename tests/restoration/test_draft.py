"""Save what lies on the bench: nothing is lost, and two tabs never overwrite each other."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from restoration import drafting
from restoration.models import Draft

from .conftest import Desk

BODY = {
    "base": 0,
    "steps": {"tone": {"on": True, "settings": {"strength": 0.3}}},
    "prompt": {"place": "Tehran"},
    "mask": None,
    "dabs": [{"x": 0.5, "y": 0.25, "colour": "#b4252c", "word": "red"}],
    "regions": [],
}


def put(desk: Desk, rev: int, draft: Any = BODY) -> Any:
    sent = {"rev": rev, "draft": draft}
    return desk.client.put(desk.url("draft"), sent, content_type="application/json")


def kept(desk: Desk) -> Draft:
    return Draft.objects.get(photo=desk.photo, volunteer=desk.user)


def test_it_is_kept_with_a_number_that_counts_up(vera: Desk) -> None:
    assert put(vera, 0).json()["rev"] == 1
    assert put(vera, 1).json()["rev"] == 2
    body = kept(vera).body
    assert body["steps"]["tone"] == {"on": True, "settings": {"strength": 0.3}}
    assert body["dabs"] == BODY["dabs"]
    assert body["prompt"]["place"] == "Tehran"


def test_an_older_tab_gets_the_newer_draft_and_overwrites_nothing(vera: Desk) -> None:
    put(vera, 0)
    put(vera, 1, BODY | {"prompt": {"place": "Isfahan"}})
    answer = put(vera, 1, BODY | {"prompt": {"place": "Shiraz"}})
    told = answer.json()
    assert (answer.status_code, told["code"], told["rev"]) == (409, "draft-moved", 2)
    assert told["draft"]["prompt"]["place"] == "Isfahan"
    assert told["mask_url"] is None
    assert kept(vera).body["prompt"]["place"] == "Isfahan"


def test_a_page_that_missed_the_answer_sends_the_same_again_and_is_told_its_number(
    vera: Desk,
) -> None:
    put(vera, 0)
    answer = put(vera, 0)
    assert (answer.status_code, answer.json()["rev"]) == (200, 1)
    answer = put(vera, 0, BODY | {"prompt": {"place": "Isfahan"}})
    assert (answer.status_code, answer.json()["rev"]) == (409, 1)


def test_after_the_claim_has_ended_it_is_refused_and_kept_as_it_was(vera: Desk) -> None:
    put(vera, 0)
    vera.post("release")
    answer = put(vera, 1, BODY | {"prompt": {"place": "late"}})
    assert (answer.status_code, answer.json()["code"]) == (409, "no-claim")
    assert kept(vera).body["prompt"]["place"] == "Tehran"


def test_a_page_of_an_older_claim_cannot_save(vera: Desk) -> None:
    vera.post("release")
    vera.client.post(reverse("restoration:claim", args=[vera.photo.ref]))
    assert put(vera, 0).json()["code"] == "no-claim"


def test_another_volunteer_cannot_write_into_it(vera: Desk, victor: Desk) -> None:
    answer = victor.client.put(
        vera.url("draft"), {"rev": 0, "draft": BODY}, content_type="application/json"
    )
    assert answer.status_code == 409
    assert not Draft.objects.exists()


def test_nonsense_is_kept_as_an_empty_bench(vera: Desk) -> None:
    for nonsense in (None, [], "x", {"steps": [], "dabs": {"a": 1}, "mask": "../x", "seed": "1e9"}):
        rev = Draft.objects.filter(volunteer=vera.user).values_list("rev", flat=True).first() or 0
        assert put(vera, rev, nonsense).status_code == 200
        body = kept(vera).body
        assert (body["mask"], body["dabs"], body["steps"]["tone"]["on"]) == (None, [], False)
    assert vera.get("bench").status_code == 200


def test_numbers_that_no_picture_has_are_kept_as_none() -> None:
    far = {"x": 10**400, "y": float("inf"), "colour": "#abcdef"}
    face = {"x": 0.1, "y": 0.1, "width": 10**400, "height": 0.2}
    draft = drafting.cleaned({"dabs": [far], "faces": [face]})
    assert (draft["dabs"][0]["x"], draft["dabs"][0]["y"]) == (0.5, 0.5)
    assert not draft["faces"]


def test_a_draft_reads_the_same_from_a_form_and_from_json() -> None:
    form = {
        "base": "2",
        "step-tone": "on",
        "tone-strength": "0.3",
        "tone-cast": "0",
        "prompt-place": " Tehran ",
        "dabs": '[{"x": 2, "y": -1, "colour": "#ABCDEF", "word": ""}]',
        "regions": "not json",
    }
    draft = drafting.from_post(form)
    assert draft["base"] == 2
    assert draft["steps"]["tone"] == {"on": True, "settings": {"strength": 0.3, "cast": 0.0}}
    assert draft["steps"]["repair"]["on"] is False
    assert draft["prompt"]["place"] == "Tehran"
    assert draft["dabs"] == [{"x": 1.0, "y": 0.0, "colour": "#abcdef", "word": ""}]
    assert drafting.cleaned(draft) == draft
