"""Somebody takes their name out of what is published; the frozen account keeps it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts import crediting
from accounts.models import User
from archive.models import Event
from archive.policy import Refused
from exhibit import queries, showing
from exhibit.models import Evidence, Publication
from tests.people import PASSWORD

from .conftest import Museum, hang


def hide(museum: Museum, who: str = "vera") -> None:
    person = getattr(museum.people, who)
    crediting.hide_name(person=person, by=person, now=timezone.now())


def told(museum: Museum) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Client().get(f"{museum.url}made.json").content)
    return found


def test_on_my_account_one_takes_the_name_out_and_puts_it_back(museum: Museum) -> None:
    client = Client()
    client.force_login(museum.people.vera)
    assert "Vera" in Client().get(museum.url).text
    client.post(reverse("people:hide-my-name"))
    page = Client().get(museum.url).text
    assert "Vera" not in page
    assert "a volunteer" in page
    client.post(reverse("people:show-my-name"))
    assert "Vera" in Client().get(museum.url).text
    verbs = Event.objects.filter(verb__startswith="person.name").order_by("pk")
    assert list(verbs.values_list("verb", flat=True)) == ["person.name-hidden", "person.name-shown"]


def test_credits_and_lineage_say_a_volunteer_and_the_row_is_not_touched(museum: Museum) -> None:
    before = Publication.objects.get(pk=museum.publication.pk).made
    hide(museum)
    found = told(museum)
    assert {"role": "restored", "name": "a volunteer"} in found["credits"]
    assert "Vera" not in json.dumps(found)
    assert found["review"]["by"] == "Cora"
    assert Publication.objects.get(pk=museum.publication.pk).made == before


def test_whoever_accepted_or_published_is_a_curator_then(museum: Museum) -> None:
    hide(museum, "cora")
    hide(museum, "sten")
    found = told(museum)
    assert found["review"]["by"] == found["publication"]["by"] == "a curator"
    assert {"role": "reviewed", "name": "a curator"} in found["credits"]
    assert {"role": "restored", "name": "Vera"} in found["credits"]


def test_a_picture_of_a_person_with_another_of_the_name_keeps_that_one(museum: Museum) -> None:
    User.objects.filter(pk=museum.people.cora.pk).update(display_name="Vera")
    hide(museum, "victor")
    assert "Vera" in json.dumps(told(museum)["credits"])


@pytest.mark.usefixtures("pages_kept")
def test_a_kept_page_is_made_anew(museum: Museum) -> None:
    vera = Client()
    vera.force_login(museum.people.vera)
    assert "Vera" in Client().get(museum.url).text
    assert "Vera" in Client().get(museum.url).text
    vera.post(reverse("people:hide-my-name"))
    assert "Vera" not in Client().get(museum.url).text


def test_a_steward_does_it_for_somebody_and_nobody_else_does(museum: Museum) -> None:
    client = Client()
    client.force_login(museum.people.sten)
    client.post(reverse("people:hide-name", args=[museum.people.vera.pk]))
    assert "Vera" not in json.dumps(told(museum))
    client.post(reverse("people:show-name", args=[museum.people.vera.pk]))
    assert "Vera" in json.dumps(told(museum))
    with pytest.raises(Refused, match="not-steward"):
        crediting.hide_name(person=museum.people.vera, by=museum.people.victor, now=timezone.now())


def test_what_a_steward_took_out_only_a_steward_puts_back(museum: Museum) -> None:
    vera, steward, volunteer = museum.people.vera, Client(), Client()
    steward.force_login(museum.people.sten)
    volunteer.force_login(vera)
    steward.post(reverse("people:hide-name", args=[vera.pk]))
    page = volunteer.get(reverse("people:profile")).text
    assert "A steward took your name out" in page
    assert "Show my name again" not in page
    answer = volunteer.post(reverse("people:show-my-name"), follow=True)
    assert "Only a steward can put it back." in answer.text
    assert "Vera" not in json.dumps(told(museum))
    with pytest.raises(Refused, match="steward-hid-it"):
        crediting.show_name(person=vera, by=vera, now=timezone.now())
    page = steward.get(reverse("people:person", args=[vera.pk])).text
    assert "A steward took the name out" in page
    assert "Show the name again" in page


def test_ones_own_wish_is_ended_by_no_steward(museum: Museum) -> None:
    vera, steward, volunteer = museum.people.vera, Client(), Client()
    steward.force_login(museum.people.sten)
    volunteer.force_login(vera)
    hide(museum)
    page = steward.get(reverse("people:person", args=[vera.pk])).text
    assert "This person took the name out" in page
    assert "Only they can put it back." in page
    assert "Show the name again" not in page
    url = reverse("people:show-name", args=[vera.pk])
    assert "took their name out themselves" in steward.post(url, follow=True).text
    assert "Vera" not in json.dumps(told(museum))
    page = volunteer.get(reverse("people:profile")).text
    assert "You took your name out" in page
    assert "Show my name again" in page


def test_the_last_hiding_says_whose_it_is(museum: Museum) -> None:
    vera, sten, now = museum.people.vera, museum.people.sten, timezone.now()
    crediting.hide_name(person=vera, by=vera, now=now)
    crediting.show_name(person=vera, by=vera, now=now)
    crediting.hide_name(person=vera, by=sten, now=now)
    with pytest.raises(Refused, match="steward-hid-it"):
        crediting.show_name(person=vera, by=vera, now=now)
    crediting.show_name(person=vera, by=sten, now=now)
    assert vera.name_hidden_at is None


def test_who_leaves_may_leave_without_the_name(museum: Museum) -> None:
    client = Client()
    client.force_login(museum.people.vera)
    client.post(reverse("people:close"), {"credit": "hide", "password": PASSWORD})
    assert "Vera" not in Client().get(museum.url).text


def test_packs_with_the_name_are_not_handed_out_any_more(museum: Museum) -> None:
    now = timezone.now()
    made = {"asked_at": now, "started_at": now, "made_at": now, "sha256": "a" * 64}
    Evidence.objects.create(publication=museum.publication, asked_by=museum.people.cora, **made)
    assert queries.packs(museum.publication).exists()
    hide(museum)
    publication = Publication.objects.get(pk=museum.publication.pk)
    assert not queries.packs(publication).exists()


def test_the_api_asks_once_for_all_that_hangs(museum: Museum) -> None:
    url = f"/api/v1/exhibits/{museum.exhibit.slug}"

    def asked() -> int:
        with CaptureQueriesContext(connection) as found:
            answer = Client().get(url)
        assert "Vera" not in answer.text
        return len(found)

    hide(museum)
    before = asked()
    hang(museum)
    hang(museum)
    assert asked() == before


def test_a_hidden_account_and_a_name_taken_out_go_together(museum: Museum) -> None:
    Publication.objects.update(words_hidden_at=timezone.now())
    hide(museum, "cora")
    publication = Publication.objects.get(pk=museum.publication.pk)
    assert {row["name"] for row in showing.account(publication)["credits"]} == {
        "a volunteer",
        "a curator",
    }
