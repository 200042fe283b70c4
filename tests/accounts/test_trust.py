"""Trust in an account grows with accepted work; a steward takes it down and gives it back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from archive.lifecycle import sources
from archive.models import Event
from archive.policy import Refused
from archive.trust import TRUST_MOVES, Trust
from exhibit.hiding import hide_everything, restore_account
from restoration.actions.reviews import decline_version, open_review
from restoration.actions.standing import (
    limit_person,
    promote_due,
    restore_person,
    suspend_person,
)
from restoration.lifecycle import ReviewReason
from restoration.sweeps import promote_hourly
from tests import factories
from tests.people import Cast, appoint, cast, person

pytestmark = pytest.mark.django_db
NOW = factories.NOW


@pytest.fixture
def people() -> Cast:
    made = cast()
    User.objects.update(date_joined=NOW - timedelta(days=20))
    return made


def accepted(people: Cast, maker: User, many: int, *, declined: str = "") -> None:
    """So many versions accepted, or declined with a reason."""
    box = factories.collection()
    appoint(people.cora, box)
    for _ in range(many):
        photo = factories.photo(box)
        if not declined:
            factories.accepted(photo, maker, people.cora)
            continue
        made = factories.submitted(photo, maker)
        review = open_review(version=made, by=people.cora, now=NOW)
        words = {"reason": declined, "advice": "No."}
        decline_version(review=review, by=people.cora, now=NOW, **words)


def trust(user: User) -> str:
    user.refresh_from_db()
    return user.trust


def test_three_accepted_versions_and_three_days_make_an_account_regular(people: Cast) -> None:
    vera = person("newcomer", trust=Trust.NEW, date_joined=NOW - timedelta(days=3))
    accepted(people, vera, 2)
    assert promote_due(now=NOW) == 0
    accepted(people, vera, 1)
    User.objects.filter(pk=vera.pk).update(date_joined=NOW - timedelta(days=2))
    assert promote_due(now=NOW) == 0
    assert promote_due(now=NOW + timedelta(days=1)) == 1
    assert trust(vera) == Trust.REGULAR
    told = Event.objects.get(verb="trust.regular")
    assert told.facts == {"person": vera.pk, "from": "new", "to": "regular", "accepted": 3}
    assert promote_due(now=NOW + timedelta(days=1)) == 0


def test_twenty_with_nine_of_ten_accepted_make_it_trusted(people: Cast) -> None:
    accepted(people, people.vera, 20)
    accepted(people, people.vera, 3, declined=ReviewReason.DAMAGE)
    assert promote_due(now=NOW) == 0
    accepted(people, people.vera, 7)
    assert promote_due(now=NOW) == 1
    assert trust(people.vera) == Trust.TRUSTED


def test_that_another_version_was_chosen_is_nobodys_fault(people: Cast) -> None:
    accepted(people, people.vera, 20)
    accepted(people, people.vera, 5, declined=ReviewReason.NOT_CHOSEN)
    assert promote_due(now=NOW) == 1


def test_who_was_taken_down_is_not_lifted_by_the_sweep(people: Cast) -> None:
    accepted(people, people.vera, 20)
    limit_person(person=people.vera, by=people.sten, reason="Too fast.", now=NOW)
    assert promote_due(now=NOW) == 0
    assert trust(people.vera) == Trust.LIMITED


def test_looking_for_promotions_asks_the_same_for_many_people(people: Cast) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            promote_due(now=NOW)
        return len(queries)

    few = asked()
    for number in range(5):
        accepted(people, person(f"volunteer{number}"), 1)
    assert asked() == few == 2


def test_the_sweep_looks_once_an_hour(people: Cast) -> None:
    cache.clear()
    accepted(people, people.vera, 20)
    assert promote_hourly(now=NOW) == 1
    accepted(people, people.victor, 20)
    assert promote_hourly(now=NOW) == 0


def test_a_steward_slows_down_suspends_and_gives_back(people: Cast, client: Client) -> None:
    client.force_login(people.sten)
    vera, page = people.vera, reverse("people:person", args=[people.vera.pk])
    for name, level in (("limit", Trust.LIMITED), ("suspend", Trust.SUSPENDED)):
        url = reverse(f"people:{name}", args=[vera.pk])
        assert "Say why" in client.post(url, {"reason": ""}, follow=True).text
        client.post(url, {"reason": "Spam."})
        assert trust(vera) == level
        assert "Back to what it was" in client.get(page).text
    client.post(reverse("exhibit:restore", args=[vera.pk]))
    assert (trust(vera), vera.trust_before) == (Trust.REGULAR, "")
    told = Event.objects.filter(verb__startswith="trust.").order_by("pk")
    reasons = told.values_list("facts__reason", flat=True)
    assert list(reasons) == ["Spam.", "Spam.", None]


def test_of_two_stewards_at_once_one_is_told(people: Cast) -> None:
    stale = User.objects.get(pk=people.vera.pk)
    suspend_person(person=people.vera, by=people.sten, reason="Spam.", now=NOW)
    with pytest.raises(Refused, match="trust-moved-on"):
        limit_person(person=stale, by=people.sten, reason="Spam.", now=NOW)
    with pytest.raises(Refused, match="trust-moved-on"):
        restore_person(person=people.victor, by=people.sten, now=NOW)


def test_trust_alone_does_not_come_back_while_everything_is_hidden(
    people: Cast, client: Client
) -> None:
    hide_everything(person=people.vera, by=people.sten, reason="Spam.", now=NOW)
    with pytest.raises(Refused, match="is-hidden"):
        restore_account(person=people.vera, by=people.sten, now=NOW)
    client.force_login(people.sten)
    url = reverse("exhibit:restore", args=[people.vera.pk])
    assert "Bring that back; its trust comes along." in client.post(url, follow=True).text
    assert trust(people.vera) == Trust.SUSPENDED
    client.post(reverse("exhibit:unhide", args=[people.vera.pk]))
    assert trust(people.vera) == Trust.REGULAR


def test_only_stewards_and_never_on_stewards(people: Cast) -> None:
    with pytest.raises(Refused, match="not-steward"):
        suspend_person(person=people.vera, by=people.cora, reason="Spam.", now=NOW)
    with pytest.raises(Refused, match="is-steward"):
        suspend_person(person=people.sten, by=people.sten, reason="Spam.", now=NOW)


def test_a_suspended_curator_decides_nothing(people: Cast, client: Client) -> None:
    box = factories.collection()
    appoint(people.cora, box)
    version = factories.submitted(factories.photo(box), people.vera)
    suspend_person(person=people.cora, by=people.sten, reason="Spam.", now=NOW)
    people.cora.refresh_from_db()
    with pytest.raises(Refused, match="not-curator"):
        open_review(version=version, by=people.cora, now=NOW)
    client.force_login(people.cora)
    assert client.get(reverse("archive:collection", args=[box.slug])).status_code == 404


def test_a_level_that_is_none_cannot_be_written(people: Cast) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.update(trust="divine")


def test_nobody_rises_two_levels_at_once() -> None:
    assert sources(TRUST_MOVES, Trust.TRUSTED) == {
        Trust.REGULAR,
        Trust.LIMITED,
        Trust.SUSPENDED,
    }
