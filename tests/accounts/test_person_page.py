"""A steward's page of one person, and the list: states, reasons, time that was given."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from archive.models import Event
from archive.policy import Refused
from archive.trust import Trust
from exhibit.hiding import hide_everything
from exhibit.models import Hiding
from restoration.actions.budgets import MOST_GIVEN, grant_person
from restoration.actions.standing import limit_person, suspend_person
from restoration.purses import Entry
from tests.people import Cast, person

pytestmark = pytest.mark.django_db


def page(client: Client, who: User) -> str:
    return client.get(reverse("people:person", args=[who.pk])).text


def post(client: Client, name: str, who: User, **data: Any) -> Any:
    return client.post(reverse(f"people:{name}", args=[who.pk]), data, follow=True)


def test_a_limited_account_can_be_suspended_from_its_page(people: Cast, sten: Client) -> None:
    limit_person(person=people.vera, by=people.sten, reason="Fast.", now=timezone.now())
    assert "Suspend this account" in page(sten, people.vera)
    post(sten, "suspend", people.vera, reason="Spam.")
    assert "Suspend this account" not in page(sten, people.vera)


def test_the_next_steward_reads_who_why_and_when(people: Cast, sten: Client) -> None:
    suspend_person(person=people.vera, by=people.sten, reason="Spam on Monday.", now=timezone.now())
    found = page(sten, people.vera)
    assert "“suspended” by sten" in found
    assert "Spam on Monday." in found


def test_a_limited_steward_is_not_called_trusted(people: Cast, sten: Client) -> None:
    User.objects.filter(pk=people.cora.pk).update(trust=Trust.LIMITED, is_steward=True)
    found = sten.get(reverse("people:person", args=[people.cora.pk]))
    assert found.context["level"] == "limited"
    assert "A steward counts as trusted" in found.text


def test_the_list_shows_states_and_is_narrowed_by_them(people: Cast, sten: Client) -> None:
    User.objects.filter(pk=people.vera.pk).update(trust=Trust.LIMITED)
    User.objects.filter(pk=people.victor.pk).update(trust=Trust.SUSPENDED)
    person("olga", is_active=False)
    person("carl", is_active=False, closed_at=timezone.now())
    wanted = {
        "limited": ["vera"],
        "suspended": ["victor"],
        "off": ["olga"],
        "closed": ["carl"],
        "stewards": ["sten"],
        "curators": [],
        "nonsense": ["carl", "clive", "cora", "olga", "sten", "vera", "victor"],
    }
    for state, names in wanted.items():
        answer = sten.get(reverse("people:list"), {"state": state})
        assert [each.username for each in answer.context["page"]] == names, state
    everybody = sten.get(reverse("people:list")).text
    for word in ("limited", "suspended", "switched off", "closed by its owner"):
        assert word in everybody


def test_the_wishes_stay_on_the_next_page(people: Cast, sten: Client) -> None:
    for number in range(31):
        person(f"slow-{number}", trust=Trust.LIMITED)
    assert (
        "?state=limited&amp;page=2" in sten.get(reverse("people:list"), {"state": "limited"}).text
    )


def test_accounts_are_switched_off_and_on_here(people: Cast, sten: Client) -> None:
    assert "Switched off" in post(sten, "switch-off", people.vera).text
    assert not User.objects.get(pk=people.vera.pk).is_active
    assert "Switch this account on" in page(sten, people.vera)
    assert "Switched on" in post(sten, "switch-on", people.vera).text
    assert User.objects.get(pk=people.vera.pk).is_active


def test_what_is_hidden_is_told_and_is_not_called_as_it_was(people: Cast, sten: Client) -> None:
    hide_everything(person=people.vera, by=people.sten, reason="Spam.", now=timezone.now())
    found = page(sten, people.vera)
    assert "Everything by this account is hidden" in found
    assert "Bring everything back" in found
    assert "Back to what it was" not in found
    answer = sten.post(reverse("exhibit:restore", args=[people.vera.pk]), follow=True)
    assert "as it was before" not in answer.text
    assert User.objects.get(pk=people.vera.pk).trust == Trust.SUSPENDED
    sten.post(reverse("exhibit:unhide", args=[people.vera.pk]))
    assert not Hiding.objects.filter(undone_at=None).exists()
    assert "Everything by this account is hidden" not in page(sten, people.vera)


def test_time_is_given_within_bounds_and_for_a_reason(people: Cast, sten: Client) -> None:
    asked = {"resource": "gpu", "reason": "A film for the anniversary"}
    for minutes in ("100000", "-100000", "0", "x"):
        answer = post(sten, "grant", people.vera, minutes=minutes, **asked)
        assert answer.status_code == 422
    assert post(sten, "grant", people.vera, minutes="5", resource="gpu").status_code == 422
    assert not Entry.objects.filter(kind="grant").exists()
    assert "Given." in post(sten, "grant", people.vera, minutes="60", **asked).text
    assert "Taken back." in post(sten, "grant", people.vera, minutes="-5", **asked).text
    rows = sten.get(reverse("people:person", args=[people.vera.pk])).context["grants"]
    assert [(each.by, each.minutes, each.reason) for each in rows] == [
        (people.sten, -5, "A film for the anniversary"),
        (people.sten, 60, "A film for the anniversary"),
    ]


def test_the_verb_keeps_the_bounds_whoever_calls_it(people: Cast) -> None:
    asked = {"person": people.vera, "resource": "cpu", "by": people.sten, "now": timezone.now()}
    for minutes in (0, MOST_GIVEN + 1, -MOST_GIVEN - 1):
        with pytest.raises(Refused, match="too-many-minutes"):
            grant_person(minutes=minutes, **asked)


def test_the_page_asks_no_more_for_a_long_history(people: Cast, sten: Client) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            page(sten, people.vera)
        return len(queries)

    one = {"actor": people.sten, "at": timezone.now()}
    facts = {"person": people.vera.pk, "minutes": 5, "resource": "cpu"}
    Event.objects.create(verb="budget.granted", facts=facts, **one)
    before = asked()
    for _ in range(9):
        Event.objects.create(verb="budget.granted", facts=facts, **one)
        Event.objects.create(verb="trust.limited", facts=facts, **one)
    assert asked() <= before
