"""A public name hides nothing and is nobody else's; on grave pages the other name is beside it."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from tests import factories
from tests.people import PASSWORD, Cast, appoint, cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def people() -> Cast:
    return cast()


def rename(user: User, name: str) -> str:
    client = Client()
    client.force_login(user)
    data = {"display_name": name, "language": "en"}
    page = client.post(reverse("people:profile"), data, follow=True).text
    user.refresh_from_db()
    return page


@pytest.mark.parametrize("name", ["Cora", "cora", "ＣＯＲＡ", " CORA ", "Victor", "sten"])
def test_a_name_that_somebody_goes_by_is_refused(people: Cast, name: str) -> None:
    assert "Somebody else here goes by this name" in rename(people.vera, name)
    assert people.vera.display_name == "Vera"


@pytest.mark.parametrize(
    "name",
    [
        "Co\u200bra",
        "\u202earoC",
        "Ve\u00adra",
        "Bo\u2066b",
        "Co\u200dra",
        "Bob\ufe0f",
        "\u3164",
        "Bo\U000e0100b",
        "Bob\U000e01ef",
        "Bo\u180bb",
        "Bo\u180db",
        "Bo\u17b4b",
        "Bo\u17b5b",
    ],
)
def test_a_character_that_nobody_sees_is_refused(people: Cast, name: str) -> None:
    assert "a character that nobody can see" in rename(people.vera, name)
    assert people.vera.display_name == "Vera"


@pytest.mark.parametrize(
    "name", ["Vera", "vera", "苏志波", "O'Brien", "نرگس\u200cخاتون", "ක්\u200dරිස්ටි", "Zoë"]
)
def test_names_of_every_script_and_ones_own_are_taken(people: Cast, name: str) -> None:
    assert "Saved." in rename(people.vera, name)
    assert people.vera.display_name == name


def test_who_signs_up_takes_no_public_name_of_another(people: Cast, client: Client) -> None:
    User.objects.filter(pk=people.cora.pk).update(display_name="Maria Huber")
    words = {"username": "maria huber", "password1": PASSWORD, "password2": PASSWORD}
    page = client.post(reverse("account_signup"), words)
    assert "Somebody else here goes by this name" in page.text


def test_an_old_name_keeps_nobody_from_changing_the_language(people: Cast) -> None:
    User.objects.filter(pk=people.vera.pk).update(display_name="Cora")
    assert "Saved." in rename(User.objects.get(pk=people.vera.pk), "Cora")


def test_grave_pages_and_the_desk_say_the_name_to_sign_in_with(people: Cast) -> None:
    User.objects.filter(pk=people.vera.pk).update(display_name="Mallory")
    box = factories.collection()
    appoint(people.cora, box)
    factories.submitted(factories.photo(box), people.vera)
    steward, curator = Client(), Client()
    steward.force_login(people.sten)
    curator.force_login(people.cora)
    both = 'Mallory <span class="dim small">vera</span>'
    assert both in steward.get(reverse("people:person", args=[people.vera.pk])).text
    hide = steward.get(reverse("exhibit:hide", args=[people.vera.pk])).text
    assert "The person signs in as vera." in hide
    assert both in curator.get(reverse("restoration:desk")).text
