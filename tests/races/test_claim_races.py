"""Fifty people press the same button in the same moment."""

from __future__ import annotations

from functools import partial

import pytest

from accounts.models import User
from archive.models import Event, Photo
from archive.policy import Refused
from archive.trust import LIMITS, Trust
from restoration import counting
from restoration.actions.claims import claim_photo, expire_due
from restoration.actions.giving import give_photo, refill_turns
from restoration.lifecycle import CLAIM_IDLE, ClaimState
from restoration.models import Claim
from tests import factories
from tests.people import person
from tests.races.together import together

PEOPLE = 50


@pytest.mark.usefixtures("on_postgres")
@pytest.mark.parametrize("rounds", [1, pytest.param(20, marks=pytest.mark.slow)])
def test_fifty_people_claim_one_photo_and_one_gets_it_every_time(rounds: int) -> None:
    crowd = [person(f"volunteer{number}") for number in range(PEOPLE)]
    collection = factories.collection()
    for _ in range(rounds):
        photo = factories.photo(collection)
        results = together(
            [partial(claim_photo, photo=photo, by=one, now=factories.NOW) for one in crowd]
        )
        winners = [each for each in results if isinstance(each, Claim)]
        losers = [each for each in results if isinstance(each, Refused)]
        assert len(winners) == 1
        assert [each.code for each in losers] == ["already-claimed"] * (PEOPLE - 1)
        assert Claim.objects.filter(photo=photo, state=ClaimState.OPEN).count() == 1
        assert Event.objects.filter(photo=photo, verb="claim.open").count() == 1
        winners[0].move(ClaimState.RELEASED, by=None, at=factories.NOW)


@pytest.mark.usefixtures("on_postgres")
def test_two_clicks_of_one_person_are_one_claim() -> None:
    vera, photo = person("vera"), factories.photo(factories.collection())
    click = partial(claim_photo, photo=photo, by=vera, now=factories.NOW)
    first, second = together([click, click])
    assert first.pk == second.pk


@pytest.mark.usefixtures("on_postgres")
def test_a_photo_with_three_slots_takes_three_people_and_no_fourth() -> None:
    photo = factories.photo(factories.collection(), slots=3)
    crowd = [person(f"volunteer{number}") for number in range(8)]
    results = together(
        [partial(claim_photo, photo=photo, by=one, now=factories.NOW) for one in crowd]
    )
    slots = sorted(each.slot for each in results if isinstance(each, Claim))
    assert slots == [1, 2, 3]


@pytest.mark.usefixtures("on_postgres")
def test_an_idle_claim_ends_once_when_sweep_and_newcomer_meet() -> None:
    vera, victor = person("vera"), person("victor")
    photo = factories.photo(factories.collection())
    old = factories.claim(photo, vera)
    later = factories.NOW + CLAIM_IDLE * 2
    results = together(
        [
            partial(expire_due, now=later),
            partial(claim_photo, photo=photo, by=victor, now=later),
            partial(expire_due, now=later),
        ]
    )
    assert isinstance(results[1], Claim)
    old.refresh_from_db()
    assert old.state == ClaimState.EXPIRED
    assert Event.objects.filter(photo=photo, verb="claim.expired").count() == 1


def _held(nora: User) -> int:
    return Claim.objects.filter(volunteer=nora, state=ClaimState.OPEN).count()


@pytest.mark.slow
@pytest.mark.usefixtures("on_postgres")
def test_one_person_who_takes_twelve_photos_at_once_holds_as_many_as_the_account_may() -> None:
    nora, box = person("nora", trust=Trust.NEW), factories.collection()
    photos: list[Photo] = [factories.photo(box) for _ in range(12)]
    results = together(
        [partial(claim_photo, photo=each, by=nora, now=factories.NOW) for each in photos]
    )
    most = LIMITS[Trust.NEW].claims
    assert _held(nora) == most
    codes = [each.code for each in results if isinstance(each, Refused)]
    assert codes == ["too-many-claims"] * (12 - most)


@pytest.mark.slow
@pytest.mark.usefixtures("on_postgres")
def test_one_person_who_asks_to_be_given_one_twelve_times_gets_no_more_either() -> None:
    nora, box = person("nora", trust=Trust.NEW), factories.collection()
    for _ in range(12):
        factories.photo(box)
    counting.add_up(now=factories.NOW)
    refill_turns(now=factories.NOW)
    ask = partial(give_photo, by=nora, wishes={}, now=factories.NOW)
    results = together([ask] * 12)
    assert _held(nora) == LIMITS[Trust.NEW].claims
    refused = [each for each in results if not isinstance(each, Claim)]
    assert {each.code for each in refused if isinstance(each, Refused)} == {"too-many-claims"}
    assert all(isinstance(each, Refused) for each in refused), refused
