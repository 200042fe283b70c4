"""Give me one: the site chooses, and the choice is claimed at once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from archive.models import Collection, Photo
from archive.policy import Refused
from restoration.actions import claims, giving
from restoration.models import Claim
from restoration.standings import Turn
from tests import factories
from tests.factories import NOW
from tests.people import Cast, appoint

GIVE = "restoration:give-one"


@pytest.fixture
def client(client: Client, people: Cast) -> Client:
    client.force_login(people.vera)
    return client


def give(client: Client, **wishes: str) -> Any:
    return client.post(reverse(GIVE, query=wishes))


def bench(photo: Photo) -> str:
    return reverse("restoration:bench", args=[photo.ref])


def test_it_claims_one_that_waits_and_opens_its_bench(
    client: Client, box: Collection, people: Cast
) -> None:
    photo = factories.photo(box)
    assert give(client)["Location"] == bench(photo)
    assert Claim.objects.get(photo=photo).volunteer == people.vera


def test_it_keeps_to_the_wishes(client: Client, box: Collection) -> None:
    factories.photo(box)
    other = factories.photo(factories.collection(slug="boxes"))
    assert give(client, collection="boxes")["Location"] == bench(other)


def test_when_nothing_is_left_it_says_so_on_the_wall(client: Client, box: Collection) -> None:
    answer = client.post(reverse(GIVE, query={"damage": "heavy"}), follow=True)
    assert answer.redirect_chain[-1][0] == reverse("restoration:wall", query={"damage": "heavy"})
    assert "Nothing waits with these wishes" in answer.text


def test_it_takes_the_next_when_somebody_was_quicker(
    client: Client, box: Collection, people: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = factories.photo(box), factories.photo(box)
    monkeypatch.setattr(giving.CHANCE, "choice", lambda rows: min(rows, key=lambda row: row.pk))

    def quicker(*, photo: Photo, by: User, now: datetime) -> Claim | None:
        if photo == first and by == people.vera:
            claims.claim_photo(photo=first, by=people.victor, now=now)
        return claims.take_slot(photo=photo, by=by, now=now)

    monkeypatch.setattr(giving, "take_slot", quicker)
    assert give(client)["Location"] == bench(second)
    assert Claim.objects.get(photo=first).volunteer == people.victor


def test_one_that_was_given_back_does_not_come_again_first(
    client: Client, box: Collection, people: Cast
) -> None:
    old = factories.photo(box, added_at=NOW.replace(hour=1))
    claim = factories.claim(old, people.vera)
    claims.release_claim(claim=claim, by=people.vera, now=NOW)
    factories.photo(box)
    assert give(client)["Location"] != bench(old)


def test_one_that_was_given_back_lately_does_not_come_again_at_all(
    box: Collection, people: Cast
) -> None:
    photo = factories.photo(box)
    claims.release_claim(claim=factories.claim(photo, people.vera), by=people.vera, now=NOW)
    soon = NOW + giving.COOL_DOWN - timedelta(seconds=1)
    with pytest.raises(Refused, match="nothing-waits"):
        giving.give_photo(by=people.vera, wishes={}, now=soon)
    assert giving.give_photo(by=people.victor, wishes={}, now=soon).photo == photo
    claims.release_claim(claim=Claim.objects.get(state="open"), by=people.victor, now=soon)
    later = NOW + giving.COOL_DOWN + timedelta(seconds=1)
    assert giving.give_photo(by=people.vera, wishes={}, now=later).photo == photo


def test_it_draws_among_the_oldest_where_no_turn_fits(client: Client, box: Collection) -> None:
    waiting = [
        factories.photo(box, added_at=NOW.replace(minute=n)) for n in range(giving.OLDEST + 2)
    ]
    few = {bench(photo) for photo in waiting[: giving.OLDEST]}
    assert give(client)["Location"] in few


def test_a_turn_comes_before_the_oldest_and_is_used_up(
    client: Client, box: Collection, people: Cast
) -> None:
    factories.photo(box, added_at=NOW.replace(hour=1))
    turned = factories.photo(box)
    Turn.objects.create(photo=turned, collection=box, place=1)
    assert give(client)["Location"] == bench(turned)
    assert not Turn.objects.exists()


def test_the_sweep_gives_each_collection_as_many_turns(box: Collection, people: Cast) -> None:
    small = factories.collection()
    for _each in range(4):
        factories.photo(box)
    held, plain = factories.photo(small), factories.photo(small)
    assert giving.refill_turns(now=NOW) == 6
    factories.claim(held, people.vera)
    giving.refill_turns(now=NOW)
    assert set(Turn.objects.filter(collection=small).values_list("photo", flat=True)) == {plain.pk}
    assert Turn.objects.filter(collection=box).count() == 4


def test_turns_that_one_may_not_see_are_passed_over(client: Client, people: Cast) -> None:
    closed = factories.collection(is_open=False)
    photo = factories.photo(closed)
    giving.refill_turns(now=NOW)
    assert give(client)["Location"].startswith(reverse("restoration:wall"))
    appoint(people.vera, closed)
    assert give(client)["Location"] == bench(photo)


def test_it_says_that_another_collection_still_has_some(client: Client, box: Collection) -> None:
    factories.photo(box)
    empty = factories.collection()
    answer = client.post(reverse(GIVE, query={"collection": empty.slug}), follow=True)
    assert "in another one something does" in answer.text


def test_it_names_no_other_collection_where_there_is_none(client: Client, box: Collection) -> None:
    factories.photo(box)
    answer = client.post(reverse(GIVE, query={"collection": box.slug, "words": "zebra"}))
    assert "in another one something does" not in client.get(answer["Location"]).text


def test_it_names_no_other_collection_where_nothing_fits_the_other_wishes(
    client: Client, box: Collection, people: Cast
) -> None:
    factories.photo(factories.collection())
    mine = factories.photo(factories.collection(), title_en="A zebra", slots=2)
    factories.claim(mine, people.vera)  # she has it: she would not be given it
    wishes = {"collection": box.slug, "words": "zebra"}
    assert "in another one something does" not in (
        client.post(reverse(GIVE, query=wishes), follow=True).text
    )
    factories.photo(factories.collection(), title_en="Another zebra")
    assert "in another one something does" in (
        client.post(reverse(GIVE, query=wishes), follow=True).text
    )


def test_picking_costs_the_same_however_many_wait(box: Collection, people: Cast) -> None:
    def cost(who: User) -> int:
        giving.refill_turns(now=NOW)
        with CaptureQueriesContext(connection) as queries:
            giving.give_photo(by=who, wishes={}, now=NOW)
        return len(queries)

    factories.photo(box)
    few = cost(people.vera)
    for _each in range(30):
        factories.photo(box)
    assert cost(people.victor) == few


def test_with_full_hands_it_says_why_not(client: Client, box: Collection, people: Cast) -> None:
    for _each in range(3):
        factories.claim(factories.photo(box), people.vera)
    factories.photo(box)
    answer = client.post(
        reverse(GIVE),
        follow=True,
        headers={"referer": f"http://testserver{reverse('restoration:wall')}"},
    )
    assert "You already hold 3 photos" in answer.text
    assert Claim.objects.count() == 3


def test_it_is_never_done_by_a_link(client: Client, box: Collection) -> None:
    assert client.get(reverse(GIVE)).status_code == 405
