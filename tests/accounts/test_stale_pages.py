"""What a steward presses on a page that was opened before another steward did something."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from archive.models import Event
from archive.policy import Refused
from archive.trust import Trust
from exhibit.hiding import restore_account
from exhibit.models import Hiding
from restoration.actions.standing import limit_person, suspend_person
from tests.factories import NOW
from tests.people import Cast, person, signed_in

pytestmark = pytest.mark.django_db
LOOK_AGAIN = "This account is at another level by now. Look again."


@pytest.fixture
def olga(people: Cast) -> Client:
    """The other steward, whose page is the old one."""
    return signed_in(person("olga", is_steward=True))


def post(client: Client, name: str, who: User, **data: Any) -> Any:
    return client.post(reverse(name, args=[who.pk]), data, follow=True)


def trust(who: User) -> str:
    return User.objects.get(pk=who.pk).trust


@pytest.mark.parametrize("first", ["people:suspend", "exhibit:hide"])
def test_slow_down_of_an_old_page_lifts_no_suspension(
    people: Cast, sten: Client, olga: Client, first: str
) -> None:
    post(sten, first, people.vera, reason="Spam.")
    answer = post(olga, "people:limit", people.vera, reason="It looks odd to me.")
    assert answer.status_code == 422
    assert LOOK_AGAIN in answer.text
    assert "slowed down" not in answer.text
    assert "It looks odd to me." in answer.text
    assert trust(people.vera) == Trust.SUSPENDED
    assert not Event.objects.filter(verb="trust.limited").exists()
    assert Hiding.objects.filter(undone_at=None).exists() == (first == "exhibit:hide")


def test_the_verb_itself_slows_nobody_down_who_is_suspended(people: Cast) -> None:
    told = {"person": people.vera, "by": people.sten, "reason": "Spam.", "now": NOW}
    suspend_person(**told)
    with pytest.raises(Refused, match="trust-moved-on"):
        limit_person(**told)
    assert trust(people.vera) == Trust.SUSPENDED


def test_back_of_an_old_page_lifts_no_newer_suspension(
    people: Cast, sten: Client, olga: Client
) -> None:
    post(sten, "people:limit", people.vera, reason="Too fast.")
    page = olga.get(reverse("people:person", args=[people.vera.pk])).text
    assert '<input type="hidden" name="shown" value="limited">' in page
    post(sten, "people:suspend", people.vera, reason="Theft.")
    answer = post(olga, "exhibit:restore", people.vera, shown="limited")
    assert LOOK_AGAIN in answer.text
    assert trust(people.vera) == Trust.SUSPENDED
    answer = post(olga, "exhibit:restore", people.vera, shown="suspended")
    assert "as it was before" in answer.text
    assert trust(people.vera) == Trust.REGULAR


def test_who_names_no_level_gives_the_trust_back_as_before(people: Cast) -> None:
    limit_person(person=people.vera, by=people.sten, reason="Too fast.", now=NOW)
    restore_account(person=people.vera, by=people.sten, now=NOW)
    assert trust(people.vera) == Trust.REGULAR


# --- what was typed ------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["people:limit", "people:suspend", "exhibit:hide"])
def test_of_a_refused_press_the_reason_stays_in_the_form(
    people: Cast, sten: Client, name: str
) -> None:
    other = person("olga", is_steward=True)
    answer = post(sten, name, other, reason="Every word of this was typed.")
    assert answer.status_code == 422
    assert "Take the office of steward back first." in answer.text
    assert "Every word of this was typed." in answer.text
    assert trust(other) == Trust.REGULAR


def test_so_it_does_where_time_is_not_given(people: Cast, sten: Client) -> None:
    asked = {"resource": "cpu", "minutes": "-600", "reason": "Every word of this was typed."}
    answer = post(sten, "people:grant", people.vera, **asked)
    assert answer.status_code == 422
    assert "Every word of this was typed." in answer.text


@pytest.mark.parametrize("name", ["people:limit", "people:suspend"])
def test_without_a_reason_the_form_says_so(people: Cast, sten: Client, name: str) -> None:
    answer = post(sten, name, people.vera, reason=" ")
    assert answer.status_code == 422
    assert "Say why; the next steward will read it." in answer.text


def test_what_is_always_refused_is_not_offered(people: Cast, sten: Client) -> None:
    other = person("olga", is_steward=True)
    page = sten.get(reverse("people:person", args=[other.pk])).text
    for name in ("people:limit", "people:suspend", "people:switch-off", "exhibit:hide"):
        assert reverse(name, args=[other.pk]) not in page, name
    assert "Take the office of steward back first." in page
    hide = sten.get(reverse("exhibit:hide", args=[other.pk])).text
    assert "Take the office of steward back first." in hide
    assert "button-grave" not in hide
    page = sten.get(reverse("people:person", args=[people.vera.pk])).text
    for name in ("people:limit", "people:suspend", "people:switch-off", "exhibit:hide"):
        assert reverse(name, args=[people.vera.pk]) in page, name


def test_a_steward_who_is_off_can_still_be_switched_on(people: Cast, sten: Client) -> None:
    other = person("olga", is_steward=True, is_active=False)
    page = sten.get(reverse("people:person", args=[other.pk])).text
    assert reverse("people:switch-on", args=[other.pk]) in page


# --- two who hide --------------------------------------------------------------------------------
def test_a_second_steward_who_hides_is_in_the_log_and_on_the_page(
    people: Cast, sten: Client, olga: Client
) -> None:
    post(sten, "exhibit:hide", people.vera, reason="Spam in the prompts.")
    answer = post(olga, "exhibit:hide", people.vera, reason="Stolen pictures, too.")
    assert answer.status_code == 200
    told = Event.objects.filter(verb="person.hidden").order_by("pk")
    assert [(each.actor.username, each.facts["reason"]) for each in told if each.actor] == [
        ("sten", "Spam in the prompts."),
        ("olga", "Stolen pictures, too."),
    ]
    assert len({each.facts["hiding"] for each in told}) == 1
    for name in ("exhibit:hide", "people:person"):
        page = sten.get(reverse(name, args=[people.vera.pk])).text
        assert page.index("Spam in the prompts.") < page.index("Stolen pictures, too.")
        assert "By olga" in page


def test_trust_is_no_thing_that_is_counted(people: Cast, sten: Client) -> None:
    post(sten, "exhibit:hide", people.vera, reason="Spam.")
    page = sten.get(reverse("people:person", args=[people.vera.pk])).text
    assert "0 things were changed." in page
    hiding = Hiding.objects.get()
    hiding.things.create(kind="version", key=1)
    page = sten.get(reverse("people:person", args=[people.vera.pk])).text
    assert "1 thing was changed." in page
