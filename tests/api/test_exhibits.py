"""What programs read of exhibits without a sign-in: everything with its address, kept a minute."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from archive.saying import revision
from exhibit.actions import publish_version, retract_publication
from exhibit.arranging import HEADLINE, Words
from exhibit.models import Publication, Room
from tests import factories
from tests.api.conftest import Programs
from tests.people import Cast, appoint, cast

pytestmark = pytest.mark.django_db

HOST = "http://localhost:8000"


class Wall:
    """An open room of a collection; pictures are hung in it."""

    def __init__(self, people: Cast) -> None:
        self.people, self.box = people, factories.collection()
        appoint(people.cora, self.box)
        self.room: Room = factories.room(self.box)

    @property
    def url(self) -> str:
        return f"/api/v1/exhibits/{self.room.exhibit.slug}"

    def hang(self, **described: str) -> Publication:
        photo = factories.photo(self.box, bytes_too=True, **described)
        version, _review = factories.accepted(
            photo, self.people.vera, self.people.sten, image=factories.picture(7)
        )
        words = Words(caption_en="In the harbour")
        return publish_version(
            version=version, room=self.room, words=words, by=self.people.sten, now=factories.NOW
        )


@pytest.fixture
def wall() -> Wall:
    return Wall(cast())


def placements(wall: Wall) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = APIClient().get(wall.url).json()["rooms"][0]["placements"]
    return told


def test_a_picture_is_told_with_its_title_date_rights_and_whose_it_is(wall: Wall) -> None:
    shown = wall.hang(title_en="The medal", title_zh="金牌", date_edtf="1974-09")
    told = placements(wall)[0]
    assert (told["publication"], told["photo"]) == (shown.pk, shown.photo.ref)
    assert (told["title_en"], told["title_zh"], told["date_edtf"]) == (
        "The medal",
        "金牌",
        "1974-09",
    )
    assert told["rights"] == wall.box.rights_uri
    assert (told["credit_en"], told["credit_zh"]) == (
        wall.box.institution_en,
        wall.box.institution_zh,
    )
    assert told["original_sha256"] == shown.photo.sha256
    assert told["version_sha256"] == shown.version_sha256


def test_every_address_is_whole_and_answers(wall: Wall) -> None:
    shown = wall.hang()
    told = placements(wall)[0]
    page = f"{HOST}/exhibits/{wall.room.exhibit.slug}/{shown.photo.ref}/"
    published = f"{HOST}/published/{shown.pk}"
    assert {name: told[name] for name in ADDRESSES} == {
        "page": page,
        "permalink": f"{published}/",
        "manifest": f"{published}/manifest.json",
        "made_url": f"{page}made.json",
        "download": f"{published}/download/full.jpg",
        "original": f"{published}/original/1600.jpg",
        "restored": f"{published}/restored/1600.jpg",
    }
    for name in ADDRESSES:
        answer = APIClient().get(told[name].removeprefix(HOST), follow=True)
        assert answer.status_code == 200, name


ADDRESSES = ("page", "permalink", "manifest", "made_url", "download", "original", "restored")


def test_the_number_of_queries_does_not_grow_with_the_pictures(wall: Wall) -> None:
    wall.hang()
    with CaptureQueriesContext(connection) as few:
        placements(wall)
    for _ in range(4):
        wall.hang()
    with CaptureQueriesContext(connection) as many:
        assert len(placements(wall)) == 5
    assert len(many) == len(few)


@pytest.mark.parametrize("which", ["list", "one"])
def test_who_has_it_is_told_that_nothing_changed_until_something_does(
    wall: Wall, which: str
) -> None:
    shown, client = wall.hang(), APIClient()
    url = wall.url if which == "one" else "/api/v1/exhibits"
    first = client.get(url)
    assert first["Cache-Control"] == "public, max-age=60"
    assert first["Content-Type"] == "application/json"
    assert {"Cookie", "Authorization"} <= set(first["Vary"].split(", "))
    has = {"If-None-Match": first["ETag"]}
    for ask in (client.get, client.head):
        again = ask(url, headers=has)
        assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
        assert again["Cache-Control"] == "public, max-age=60"
    retract_publication(publication=shown, by=wall.people.cora, reason="Asked.", now=factories.NOW)
    wall.room.exhibit.title_en = "Another title"
    wall.room.exhibit.save()
    changed = client.get(url, headers=has)
    assert changed.status_code == 200
    assert changed["ETag"] != first["ETag"]


def _tag_of_words(wall: Wall) -> str:
    return f'"{revision(wall.room.exhibit, HEADLINE)}"'


def test_what_somebody_gets_who_is_signed_in_is_kept_by_nobody(
    program: Programs, wall: Wall
) -> None:
    wall.hang()
    for url in (wall.url, "/api/v1/exhibits"):
        for person in (wall.people.cora, wall.people.vera):
            answer = program(person).get(url)
            assert answer.status_code == 200
            assert answer["Cache-Control"] == "private, no-store"
            # The list has no tag; one exhibit that of its words, for a change: no answer is 304.
            assert answer.get("ETag") == (_tag_of_words(wall) if url == wall.url else None)
            again = program(person).get(url, headers={"If-None-Match": answer.get("ETag", "*")})
            assert again.status_code == 200
