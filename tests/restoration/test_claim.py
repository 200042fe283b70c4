"""Claim a photo: one hand at a time, and a way on for who comes second."""

from __future__ import annotations

from collections.abc import Callable

from django.test import Client
from django.urls import reverse

from archive.lifecycle import PhotoState
from archive.models import Collection, Photo
from restoration.models import Claim
from tests import factories
from tests.people import Cast

from .conftest import Desk


def bench(photo: Photo) -> str:
    return reverse("restoration:bench", args=[photo.ref])


def test_a_claim_opens_the_bench(victor: Desk) -> None:
    assert victor.post("claim")["Location"] == bench(victor.photo)
    assert Claim.objects.get().volunteer == victor.user
    assert "yours until" in victor.get("bench").text


def test_a_claim_on_what_one_holds_is_the_same_claim(vera: Desk) -> None:
    vera.post("claim")
    assert Claim.objects.count() == 1


def test_who_comes_second_gets_a_sentence_and_another_photo(
    vera: Desk, victor: Desk, box: Collection
) -> None:
    other = factories.photo(box, bytes_too=True)
    answer = victor.client.post(victor.url("claim"), follow=True)
    assert answer.redirect_chain[-1][0] == bench(other)
    assert "Someone else took this photo a moment ago. Here is another one." in answer.text
    assert "Take this photo" in answer.text


def test_who_comes_second_is_led_to_the_wall_when_nothing_else_waits(
    vera: Desk, victor: Desk
) -> None:
    answer = victor.client.post(victor.url("claim"), follow=True)
    assert answer.redirect_chain[-1][0] == reverse("restoration:wall")
    assert "Someone else took this photo a moment ago." in answer.text


def test_a_second_slot_is_a_second_hand(
    people: Cast, box: Collection, sit: Callable[..., Desk]
) -> None:
    wide = factories.photo(box, slots=2, bytes_too=True)
    sit(people.vera, wide)
    sit(people.victor, wide)
    assert set(Claim.objects.values_list("slot", flat=True)) == {1, 2}


def test_more_than_three_photos_are_too_many(victor: Desk, box: Collection) -> None:
    for _each in range(3):
        factories.claim(factories.photo(box), victor.user)
    answer = victor.client.post(
        victor.url("claim"),
        follow=True,
        headers={"referer": f"http://testserver{bench(victor.photo)}"},
    )
    assert answer.redirect_chain[-1][0].endswith(bench(victor.photo))
    assert "You already hold 3 photos" in answer.text


def test_a_script_gets_a_problem_with_a_code(victor: Desk, box: Collection) -> None:
    for _each in range(3):
        factories.claim(factories.photo(box), victor.user)
    answer = victor.post("claim", headers={"accept": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (409, "too-many-claims")
    assert answer["Cache-Control"] == "no-store"


def test_a_photo_on_hold_cannot_be_seen_nor_claimed(victor: Desk) -> None:
    Photo.objects.update(state=PhotoState.ON_HOLD)
    assert victor.post("claim").status_code == 404
    assert victor.get("bench").status_code == 404


def test_a_stranger_is_asked_to_sign_in(photo: Photo) -> None:
    answer = Client().post(reverse("restoration:claim", args=[photo.ref]))
    assert answer.status_code == 401
    assert f'href="{reverse("account_login")}?next=' in answer.text
    assert not Claim.objects.exists()


def test_a_link_claims_nothing(victor: Desk) -> None:
    assert victor.get("claim").status_code == 405


def test_a_photo_in_other_hands_can_still_be_looked_at(vera: Desk, victor: Desk) -> None:
    answer = victor.get("bench")
    assert answer.status_code == 200
    assert "With Vera, until" in answer.text
    assert "Take this photo" not in answer.text
