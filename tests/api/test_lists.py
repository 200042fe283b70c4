"""Versions and reviews in lists: what one may see on pages, and nothing else."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from archive.models import Photo
from restoration.actions.reviews import open_review, return_version
from restoration.models import Review, Version
from tests import factories
from tests.api.conftest import Programs
from tests.factories import NOW
from tests.people import Cast, appoint, cast

pytestmark = pytest.mark.django_db

API = "/api/v1"


class Desk:
    """A photo with a draft of Vera's, one in review, one that came back, and Victor's draft."""

    def __init__(self, people: Cast, program: Programs) -> None:
        self.people, self.program, box = people, program, factories.collection()
        appoint(people.cora, box)
        self.photo: Photo = factories.photo(box)
        self.draft = factories.version(self.photo, people.vera)
        self.hidden = factories.version(self.photo, people.victor)
        self.back = factories.submitted(self.photo, people.vera)
        self.returned = open_review(version=self.back, by=people.cora, now=NOW)
        told = {"reason": "damage", "advice": "The crease.", "now": NOW}
        return_version(review=self.returned, by=people.cora, **told)
        self.sent = factories.submitted(self.photo, people.vera)
        self.open: Review = open_review(version=self.sent, by=people.cora, now=NOW)
        self.scan = Version.objects.get(photo=self.photo, kind="scan")

    def found(self, path: str, person: User, **asked: object) -> list[int]:
        answer = self.program(person).get(f"{API}/{path}", asked)
        assert answer.status_code == 200, answer.json()
        return [row["id"] for row in answer.json()["results"]]


@pytest.fixture
def desk(program: Programs) -> Desk:
    return Desk(cast(), program)


def test_the_maker_finds_all_of_their_versions(desk: Desk) -> None:
    vera = desk.people.vera
    assert desk.found("versions", vera, mine="true") == [
        desk.sent.pk,
        desk.back.pk,
        desk.draft.pk,
    ]
    assert desk.found("versions", vera, mine="true", state="returned") == [desk.back.pk]
    assert desk.found("versions", vera, mine="false") == [desk.scan.pk]
    assert desk.found("versions", vera, kind="scan") == [desk.scan.pk]


def test_a_draft_stays_its_makers_and_what_was_sent_is_seen_by_who_decides(desk: Desk) -> None:
    sent = [desk.sent.pk, desk.back.pk, desk.scan.pk]
    assert desk.found("versions", desk.people.cora, photo=desk.photo.ref) == sent
    assert desk.found("versions", desk.people.clive) == [desk.scan.pk]
    assert desk.hidden.pk in desk.found("versions", desk.people.sten)


def test_versions_of_another_photo_are_left_out(desk: Desk) -> None:
    other = factories.version(factories.photo(desk.photo.collection), desk.people.vera)
    vera, ref = desk.people.vera, other.photo.ref
    assert desk.found("versions", vera, photo=ref, mine="true") == [other.pk]
    assert desk.found("versions", vera, photo="zzz") == []


def test_a_curator_finds_the_reviews_and_the_maker_what_was_decided(desk: Desk) -> None:
    both = [desk.open.pk, desk.returned.pk]
    assert desk.found("reviews", desk.people.cora) == both
    assert desk.found("reviews", desk.people.sten, photo=desk.photo.ref) == both
    assert desk.found("reviews", desk.people.vera) == [desk.returned.pk]
    assert desk.found("reviews", desk.people.victor) == []
    assert desk.found("reviews", desk.people.clive) == []


def test_reviews_are_found_by_state_version_and_whose_they_are(desk: Desk) -> None:
    cora, sten = desk.people.cora, desk.people.sten
    assert desk.found("reviews", cora, state="open") == [desk.open.pk]
    assert desk.found("reviews", cora, version=desk.back.pk) == [desk.returned.pk]
    assert desk.found("reviews", cora, mine="true") == [desk.open.pk, desk.returned.pk]
    assert desk.found("reviews", sten, mine="true") == []
    assert desk.found("reviews", sten, mine="false") == [desk.open.pk, desk.returned.pk]


@pytest.mark.parametrize(
    ("path", "code"),
    [("versions?stat=draft", "unknown-field"), ("versions?state=lost", "invalid"),
     ("versions?mine=", "invalid"), ("versions?photo=", "invalid"),
     ("reviews?version=first", "invalid"), ("reviews?version=99999999999999999999", "invalid"),
     ("reviews?version=", "invalid"), ("reviews?maker=vera", "unknown-field")],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused(desk: Desk, path: str, code: str) -> None:
    answer = desk.program(desk.people.vera).get(f"{API}/{path}")
    assert (answer.status_code, answer.json()["code"]) == (422, code)


@pytest.mark.parametrize("path", ["versions", "reviews"])
def test_a_list_has_a_flat_price(desk: Desk, path: str) -> None:
    for _ in range(4):
        made = factories.submitted(factories.photo(desk.photo.collection), desk.people.vera)
        review = open_review(version=made, by=desk.people.cora, now=NOW)
        told = {"reason": "damage", "advice": "The crease.", "now": NOW}
        return_version(review=review, by=desk.people.cora, **told)
    cora = desk.program(desk.people.cora)
    with CaptureQueriesContext(connection) as few:
        cora.get(f"{API}/{path}", {"limit": "1"})
    with CaptureQueriesContext(connection) as many:
        assert cora.get(f"{API}/{path}").json()["count"] >= 6
    assert len(many) == len(few)
