"""Why a version came back: its maker reads it through the API too."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from restoration.actions.reviews import decline_version, open_review, return_version
from restoration.models import Review
from tests import factories
from tests.api.conftest import Programs
from tests.people import Cast, appoint, cast

pytestmark = pytest.mark.django_db

API = "/api/v1"
WORDS = "The crease on the right is still there."


@pytest.fixture
def people() -> Cast:
    return cast()


def _returned(people: Cast, many: int = 1) -> list[Review]:
    box = factories.collection()
    appoint(people.cora, box)
    photo, found = factories.photo(box), []
    for _ in range(many):
        version = factories.submitted(photo, people.vera)
        review = open_review(version=version, by=people.cora, now=timezone.now())
        return_version(
            review=review, by=people.cora, reason="damage", advice=WORDS, now=timezone.now()
        )
        found.append(review)
    return found


def test_the_maker_reads_the_reason_and_the_advice(people: Cast, program: Programs) -> None:
    [review] = _returned(people)
    told = program(people.vera).get(f"{API}/versions/{review.version_id}").json()["review"]
    assert (told["id"], told["state"], told["reason"]) == (review.pk, "returned", "damage")
    assert (told["why"], told["advice"]) == ("Damage is still there", WORDS)
    assert told["decided_at"].endswith("Z")
    chinese = {"HTTP_ACCEPT_LANGUAGE": "zh-hans"}
    again = program(people.vera).get(f"{API}/versions/{review.version_id}", **chinese)
    assert again.json()["review"]["why"] != told["why"]


def test_what_nobody_decided_has_no_review(people: Cast, program: Programs) -> None:
    box = factories.collection()
    version = factories.submitted(factories.photo(box), people.vera)
    assert program(people.vera).get(f"{API}/versions/{version.pk}").json()["review"] is None


def test_the_maker_opens_a_closed_review_and_nobody_else_does(
    people: Cast, program: Programs
) -> None:
    [review] = _returned(people)
    url = f"{API}/reviews/{review.pk}"
    assert program(people.vera).get(url).json()["advice"] == WORDS
    assert program(people.victor).get(url).status_code == 404
    assert program(people.vera).post(f"{url}/beat").status_code == 404


def test_an_open_review_is_its_curators_alone(people: Cast, program: Programs) -> None:
    box = factories.collection()
    appoint(people.cora, box)
    version = factories.submitted(factories.photo(box), people.vera)
    review = open_review(version=version, by=people.cora, now=timezone.now())
    assert program(people.vera).get(f"{API}/reviews/{review.pk}").status_code == 404
    decline_version(
        review=review, by=people.cora, reason="not-chosen", advice="", now=timezone.now()
    )
    assert program(people.vera).get(f"{API}/reviews/{review.pk}").status_code == 200


def test_a_list_asks_no_more_for_many_decisions(people: Cast, program: Programs) -> None:
    [first, *_rest] = _returned(people, many=6)
    client = program(people.vera)
    url = f"{API}/photos/{first.photo.ref}/versions"
    client.get(url)  # which makes the scan's version
    with CaptureQueriesContext(connection) as few:
        client.get(url, {"limit": "2"})
    with CaptureQueriesContext(connection) as many:
        told = client.get(url).json()["results"]
    assert [row["review"] and row["review"]["advice"] for row in told] == [None, *[WORDS] * 6]
    assert len(few) == len(many)
