"""Programs publish: what they leave out stays, and what was hidden or taken down is not undone."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from archive.models import Photo
from exhibit.actions import publish_version, suspend_publication
from exhibit.arranging import Words
from exhibit.models import Placement, Publication, Room
from tests import factories
from tests.api.conftest import Programs
from tests.people import Cast, appoint, cast

pytestmark = pytest.mark.django_db

PUBLICATIONS = "/api/v1/publications"


class Hung:
    """A photo on the wall, and a newer accepted version of it."""

    def __init__(self, people: Cast) -> None:
        self.people, box = people, factories.collection()
        appoint(people.cora, box)
        self.photo: Photo = factories.photo(box)
        self.room: Room = factories.room(box)
        version, _review = factories.accepted(self.photo, people.vera, people.sten)
        words = Words("The opening", "开幕式", "A story", "故事")
        self.publication: Publication = publish_version(
            version=version, room=self.room, words=words, by=people.cora, now=factories.NOW
        )
        self.newer, _review = factories.accepted(self.photo, people.victor, people.sten)

    def told(self, **more: Any) -> dict[str, Any]:
        return {"version": self.newer.pk, "room": self.room.pk, **more}


@pytest.fixture
def hung() -> Hung:
    return Hung(cast())


def post(client: APIClient, told: dict[str, Any]) -> Any:
    return client.post(PUBLICATIONS, told, format="json")


def test_words_that_a_program_leaves_out_stay(program: Programs, hung: Hung) -> None:
    answer = post(program(hung.people.cora), hung.told(caption_en="The closing", story_en=""))
    assert answer.status_code == 201, answer.json()
    hangs = Placement.objects.get()
    assert hangs.publication_id == answer.json()["id"]
    assert (hangs.caption_en, hangs.caption_zh) == ("The closing", "开幕式")
    assert (hangs.story_en, hangs.story_zh) == ("", "故事")


def test_a_hidden_picture_does_not_come_back_with_one_post(program: Programs, hung: Hung) -> None:
    suspend_publication(
        publication=hung.publication, by=hung.people.cora, reason="A doubt", now=factories.NOW
    )
    for version in (hung.newer.pk, hung.publication.version_id):
        told = hung.told(version=version, although_retracted=True)
        answer = post(program(hung.people.cora), told)
        assert (answer.status_code, answer.json()["code"]) == (409, "suspended")
    assert Publication.objects.count() == 1


def test_what_was_taken_down_comes_back_when_a_program_says_so(
    program: Programs, hung: Hung
) -> None:
    cora = program(hung.people.cora)
    cora.post(f"{PUBLICATIONS}/{hung.publication.pk}/retract", {"reason": "Why"}, format="json")
    for told in (hung.told(), hung.told(although_retracted=False)):
        answer = post(cora, told)
        assert (answer.status_code, answer.json()["code"]) == (409, "was-retracted")
        assert "Why" in answer.json()["detail"]
    assert post(cora, hung.told(although_retracted="yes")).status_code == 422
    assert post(cora, hung.told(although_retracted=True)).status_code == 201


def test_what_happens_to_words_and_after_a_retraction_is_described(client: Client) -> None:
    schema = client.get("/api/v1/schema?format=json").json()
    told = schema["components"]["schemas"]["PublishRequest"]
    assert {"version", "room"} == set(told["required"])
    assert "stay as they hang" in told["properties"]["caption_en"]["description"]
    assert "was-retracted" in told["properties"]["although_retracted"]["description"]
    words = schema["paths"]["/api/v1/publications"]["post"]["description"]
    for code in ("suspended", "was-retracted", "left out stay"):
        assert code in words
