"""The search for people, and the names that programs sign in with."""

from __future__ import annotations

import unicodedata

import pytest
from allauth.account.models import EmailAddress
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from tests.people import PASSWORD, Cast, cast, person, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def people() -> Cast:
    return cast()


def found(people: Cast, said: str) -> list[str]:
    answer = signed_in(people.sten).get(reverse("people:list"), {"q": said})
    return [each.username for each in answer.context["page"]]


@pytest.mark.parametrize("said", ["vera@work.example", "VERA@work", " vera@work.example "])
def test_somebody_is_found_by_another_address_and_once(people: Cast, said: str) -> None:
    for address in ("vera@work.example", "vera@work.example.org"):
        EmailAddress.objects.create(user=people.vera, email=address, verified=True)
    assert found(people, said) == ["vera"]


def test_so_the_list_asks_no_more(people: Cast) -> None:
    sten = signed_in(people.sten)

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            sten.get(reverse("people:list"), {"q": "example"})
        return len(queries)

    before = asked()
    for number in range(5):
        somebody = person(f"somebody-{number}")
        EmailAddress.objects.create(user=somebody, email=f"{number}@example.org", verified=True)
    assert asked() == before


@pytest.mark.parametrize(
    "said", ["Vera Ü", "vera ü", " Vera  Ü ", unicodedata.normalize("NFD", "Vera Ü"), "ü"]
)
def test_a_name_is_found_however_it_is_written(people: Cast, said: str) -> None:
    User.objects.filter(pk=people.vera.pk).update(username="Vera Ü", display_name="")
    assert found(people, said) == ["Vera Ü"]


@pytest.mark.parametrize("said", ["ÉMILIE", "émilie", "Émilie"])
def test_nor_do_capitals_matter(people: Cast, said: str) -> None:
    person("Émilie")
    assert found(people, said) == ["Émilie"]
    User.objects.filter(username="Émilie").update(username="emmy", display_name="Émilie Noël")
    assert found(people, f"{said} noËL") == ["emmy"]


@pytest.mark.parametrize(
    "said",
    ["José Müller", "José  Müller", " José Müller", unicodedata.normalize("NFD", "José Müller")],
)
def test_a_program_is_let_in_by_the_name_that_the_page_takes(said: str) -> None:
    person("José Müller")
    client = Client()
    page = client.post(reverse("account_login"), {"login": said, "password": PASSWORD})
    assert page.status_code == 302
    sent = {"name": said, "password": PASSWORD}
    answer = Client().post("/api/v1/token", sent, content_type="application/json")
    assert answer.status_code == 200, answer.text
    assert answer.json()["token"]
