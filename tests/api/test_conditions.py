"""With `If-Match` no program writes over words of a row that it has not read."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from exhibit.actions import publish_version
from exhibit.arranging import Words
from exhibit.models import Placement
from tests import factories
from tests.api.conftest import Programs
from tests.people import Cast, appoint, cast

pytestmark = pytest.mark.django_db

API = "/api/v1"


@pytest.fixture
def people() -> Cast:
    return cast()


@pytest.fixture
def urls(people: Cast) -> dict[str, str]:
    """One row of each kind in Cora's collection."""
    box = factories.collection()
    appoint(people.cora, box)
    room, photo = factories.room(box), factories.photo(box)
    version, _review = factories.accepted(photo, people.vera, people.sten)
    words = Words(caption_en="In the harbour")
    publish_version(version=version, room=room, words=words, by=people.cora, now=factories.NOW)
    return {
        "collection": f"{API}/collections/{box.slug}",
        "exhibit": f"{API}/exhibits/{room.exhibit.slug}",
        "room": f"{API}/rooms/{room.pk}",
        "placement": f"{API}/placements/{Placement.objects.get().pk}",
    }


def change(client: APIClient, url: str, tag: str, **said: Any) -> Any:
    return client.patch(url, said, format="json", headers={"If-Match": tag})


KINDS = [
    ("collection", "contact", "one@museum.example", "two@museum.example"),
    ("exhibit", "title_en", "Our first Games", "Tehran 1974"),
    ("room", "intro_zh", "湖边", "港口"),
    ("placement", "caption_en", "Su Zhibo", "The marksman"),
]


@pytest.mark.parametrize(("kind", "field", "first", "second"), KINDS)
def test_who_was_overtaken_is_told_what_is_said_now(
    people: Cast, program: Programs, urls: dict[str, str], kind: str, field: str, first: str,
    second: str,
) -> None:  # fmt: skip
    cora, sten, url = program(people.cora), program(people.sten), urls[kind]
    tag = cora.get(url)["ETag"]
    other = change(sten, url, tag, **{field: first})
    assert (other.status_code, other["ETag"] == tag) == (200, False)
    late = change(cora, url, tag, **{field: second})
    told = late.json()
    assert (late.status_code, told["code"], told["facts"][field]) == (412, "words-moved", first)
    assert cora.get(url).json()[field] == first
    assert late["ETag"] == other["ETag"] == cora.get(url)["ETag"]
    assert change(cora, url, late["ETag"], **{field: second}).json()[field] == second


@pytest.mark.parametrize(("kind", "field", "first", "second"), KINDS)
def test_the_same_change_again_is_no_other_hands(
    people: Cast, program: Programs, urls: dict[str, str], kind: str, field: str, first: str,
    second: str,
) -> None:  # fmt: skip
    cora, url = program(people.cora), urls[kind]
    tag = cora.get(url)["ETag"]
    assert [change(cora, url, tag, **{field: first}).status_code for _ in range(2)] == [200, 200]
    assert change(cora, url, tag, **{field: second}).status_code == 412


def test_where_a_picture_hangs_is_part_of_what_is_read(
    people: Cast, program: Programs, urls: dict[str, str]
) -> None:
    cora = program(people.cora)
    tag = cora.get(urls["placement"])["ETag"]
    exhibit = urls["exhibit"]
    room = cora.post(f"{exhibit}/rooms", {"title_en": "The lake"}, format="json").json()["id"]
    assert change(cora, urls["placement"], tag, room=room).status_code == 200
    late = change(cora, urls["placement"], tag, caption_en="Su Zhibo")
    assert (late.status_code, late.json()["facts"]["room"]) == (412, room)


def test_doors_and_places_in_a_row_are_no_words(
    people: Cast, program: Programs, urls: dict[str, str]
) -> None:
    cora = program(people.cora)
    tag = cora.get(urls["exhibit"])["ETag"]
    cora.post(f"{urls['exhibit']}/close")
    assert change(cora, urls["exhibit"], tag, title_en="Closed").status_code == 200


@pytest.mark.parametrize("kind", ["collection", "exhibit", "room", "placement"])
def test_without_a_condition_the_last_one_counts(
    people: Cast, program: Programs, urls: dict[str, str], kind: str
) -> None:
    cora = program(people.cora)
    field = next(each[1] for each in KINDS if each[0] == kind)
    for said in ("a@b.example", "c@d.example"):
        answer = cora.patch(urls[kind], {field: said}, format="json")
        assert (answer.status_code, answer.json()[field]) == (200, said)
