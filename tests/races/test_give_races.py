"""A crowd asks for a photo in one moment; counts are changed while they are compared."""

from __future__ import annotations

import random
import threading
from collections import Counter
from functools import partial

import pytest
from django.db import connections

from accounts.models import User
from archive.models import Photo
from archive.policy import Refused
from restoration import counting
from restoration.actions.claims import claim_photo, release_claim
from restoration.actions.giving import give_photo, refill_turns
from restoration.actions.versions import submit_version, withdraw_version
from restoration.lifecycle import ClaimState
from restoration.models import Claim
from restoration.standings import Standing
from tests import factories
from tests.factories import NOW
from tests.people import person
from tests.races.together import together


def crowd_asks(people: list[User], at_once: int) -> list[object]:
    """Everybody asks for one, so many at a time; what each got."""
    got: list[object] = []
    for start in range(0, len(people), at_once):
        some = people[start : start + at_once]
        got += together([partial(give_photo, by=one, wishes={}, now=NOW) for one in some])
    return got


def never_more_hands_than_slots() -> None:
    held = Counter(Claim.objects.filter(state=ClaimState.OPEN).values_list("photo", flat=True))
    slots = dict(Photo.objects.values_list("pk", "slots"))
    assert all(count <= slots[photo] for photo, count in held.items())


@pytest.mark.usefixtures("on_postgres")
@pytest.mark.parametrize(
    ("volunteers", "photos"), [(40, 8), pytest.param(1000, 200, marks=pytest.mark.slow)]
)
def test_a_crowd_gets_every_photo_and_none_twice(volunteers: int, photos: int) -> None:
    boxes = [factories.collection() for _ in range(4)]
    for number in range(photos):
        factories.photo(boxes[number % 4], slots=1 + (number % 10 == 0))
    hands = sum(Photo.objects.values_list("slots", flat=True))
    refill_turns(now=NOW)
    got = crowd_asks([person(f"volunteer{n}") for n in range(volunteers)], at_once=40)
    claims = [each for each in got if isinstance(each, Claim)]
    others = [each for each in got if not isinstance(each, Claim)]
    assert {type(each) for each in others} == {Refused}, others
    assert len(claims) == hands
    never_more_hands_than_slots()
    assert counting.recount() == []


@pytest.mark.slow
@pytest.mark.usefixtures("on_postgres")
def test_counts_stay_right_while_everybody_works_and_somebody_recounts() -> None:
    box = factories.collection()
    photos = [factories.photo(box) for _ in range(6)]
    people = [person(f"volunteer{n}") for n in range(8)]
    over = threading.Event()

    def works(one: User) -> None:
        dice = random.Random(one.pk)
        for _ in range(8):
            photo = dice.choice(photos)
            try:
                claim = claim_photo(photo=photo, by=one, now=NOW)
                made = factories.version(photo, one)
                if dice.random() < 0.5:
                    submit_version(version=made, by=one, note="", now=NOW)
                    withdraw_version(version=made, by=one, now=NOW)
                else:
                    release_claim(claim=claim, by=one, now=NOW)
            except Refused:
                continue

    def recounts() -> None:
        try:
            while not over.is_set():
                assert counting.recount() == []
                counting.add_up(now=NOW)
        finally:
            connections.close_all()

    failed: list[BaseException] = []

    def watched() -> None:
        try:
            recounts()
        except BaseException as error:  # noqa: BLE001 - told below
            failed.append(error)

    auditors = [threading.Thread(target=watched) for _ in range(2)]
    for each in auditors:
        each.start()
    results = together([partial(works, one) for one in people])
    over.set()
    for each in auditors:
        each.join(60)
    assert failed == []
    assert results == [None] * len(people)
    assert counting.recount() == []
    standing = Standing.objects.get(photo=photos[0])
    held = Claim.objects.filter(photo=photos[0], state=ClaimState.OPEN).count()
    assert standing.held == held


@pytest.mark.slow
@pytest.mark.usefixtures("on_postgres")
def test_a_submit_and_a_release_of_one_photo_do_not_wait_for_each_other() -> None:
    """Both touch the claim and the photo's standing; neither may end in a deadlock."""
    box, vera = factories.collection(), person("vera")
    for _ in range(10):
        photo = factories.photo(box)
        claim = factories.claim(photo, vera)
        made = factories.version(photo, vera)
        results = together(
            [
                partial(submit_version, version=made, by=vera, note="", now=NOW),
                partial(release_claim, claim=claim, by=vera, now=NOW),
                partial(give_photo, by=person(f"other{photo.pk}"), wishes={}, now=NOW),
            ]
        )
        errors = [each for each in results if isinstance(each, Exception)]
        assert all(isinstance(each, Refused) for each in errors), errors
    assert counting.recount() == []
