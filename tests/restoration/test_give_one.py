"""Give me one: the site chooses, and the choice is claimed at once."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from archive.models import Collection, Photo
from restoration.actions import claims
from restoration.models import Claim
from restoration.views import wall
from tests import factories
from tests.factories import NOW
from tests.people import Cast

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
    monkeypatch.setattr(wall.CHANCE, "shuffle", lambda rows: rows.sort(key=lambda row: row.pk))

    def quicker(*, photo: Photo, by: Any, now: Any) -> Claim:
        if photo == first and by == people.vera:
            claims.claim_photo(photo=first, by=people.victor, now=now)
        return claims.claim_photo(photo=photo, by=by, now=now)

    monkeypatch.setattr(wall, "claim_photo", quicker)
    assert give(client)["Location"] == bench(second)
    assert Claim.objects.get(photo=first).volunteer == people.victor


def test_one_that_was_given_back_does_not_come_again_first(
    client: Client, box: Collection, people: Cast
) -> None:
    old = factories.photo(box, added_at=NOW.replace(hour=1))
    claim = factories.claim(old, people.vera)
    claims.release_claim(claim=claim, by=people.vera, now=NOW)
    for _each in range(wall.A_FEW):
        factories.photo(box)
    assert give(client)["Location"] != bench(old)


def test_it_draws_among_the_oldest_few(client: Client, box: Collection) -> None:
    waiting = [factories.photo(box, added_at=NOW.replace(minute=n)) for n in range(10)]
    few = {bench(photo) for photo in waiting[: wall.A_FEW]}
    assert give(client)["Location"] in few


def test_with_full_hands_it_says_why_not(client: Client, box: Collection, people: Cast) -> None:
    for _each in range(3):
        factories.claim(factories.photo(box), people.vera)
    factories.photo(box)
    answer = client.post(
        reverse(GIVE),
        follow=True,
        headers={"referer": f"http://testserver{reverse('restoration:wall')}"},
    )
    assert "You already hold three photos" in answer.text
    assert Claim.objects.count() == 3


def test_it_is_never_done_by_a_link(client: Client, box: Collection) -> None:
    assert client.get(reverse(GIVE)).status_code == 405
