"""Programs publish, hide, show again and take down; what they leave out stays."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.models import User
from archive.actions import withdraw_photo
from archive.models import Event, Photo
from archive.stateful import IllegalMove
from exhibit import hiding
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


def say(client: APIClient, hung: Hung, verb: str, **told: Any) -> Any:
    return client.post(f"{PUBLICATIONS}/{hung.publication.pk}/{verb}", told, format="json")


def test_a_curator_hides_a_picture_with_a_reason_and_shows_it_again(
    program: Programs, hung: Hung
) -> None:
    cora = program(hung.people.cora)
    told = say(cora, hung, "suspend", reason="A doubt").json()
    assert (told["state"], told["reason"], bool(told["ended_at"])) == ("suspended", "A doubt", True)
    assert cora.get(f"{PUBLICATIONS}/{told['id']}").json() == told
    back = say(cora, hung, "resume").json()
    assert (back["state"], back["reason"], back["ended_at"]) == ("live", "", None)
    verbs = Event.objects.filter(photo=hung.photo, verb__startswith="publication.")
    assert [each.verb for each in verbs.order_by("pk")] == [
        "publication.live",
        "publication.suspended",
        "publication.live",
    ]


def test_the_public_does_not_read_why_a_picture_is_hidden(
    program: Programs, hung: Hung, client: Client
) -> None:
    cora, pk = program(hung.people.cora), hung.publication.pk
    say(cora, hung, "suspend", reason="A widow asked")
    slug, ref = hung.room.exhibit.slug, hung.photo.ref
    page, published = f"/exhibits/{slug}/", f"/published/{pk}/"
    addresses = (
        *(published, f"{published}manifest.json", page, f"/api/v1/exhibits/{slug}"),
        *(f"{page}{ref}/", f"{page}{ref}/made.json"),
    )
    for is_withdrawn in (False, True):
        if is_withdrawn:
            withdraw_photo(photo=hung.photo, by=hung.people.cora, reason="W", now=factories.NOW)
        for address in addresses:
            assert "A widow asked" not in client.get(address).text, address


def test_the_very_same_again_changes_nothing_and_is_no_refusal(
    program: Programs, hung: Hung
) -> None:
    cora = program(hung.people.cora)
    for verb, state, told in (
        ("resume", "live", {}),
        ("suspend", "suspended", {"reason": "A doubt"}),
    ):
        first = say(cora, hung, verb, **told)
        many = Event.objects.count()
        again = say(cora, hung, verb, **told)
        assert (first.status_code, again.status_code) == (200, 200)
        assert (again.json()["state"], again.json()["reason"]) == (state, told.get("reason", ""))
        assert again.json() == first.json()
        assert Event.objects.count() == many


def test_whoever_hides_what_is_hidden_is_heard_too(program: Programs, hung: Hung) -> None:
    cora, sten = program(hung.people.cora), program(hung.people.sten)
    first = say(cora, hung, "suspend", reason="A doubt").json()
    for client, reason in ((sten, "A widow asked"), (cora, "Her son too")):
        told = say(client, hung, "suspend", reason=reason)
        assert (told.status_code, told.json()["reason"]) == (200, reason)
        assert told.json()["ended_at"] == first["ended_at"]
        assert told.json()["changed_at"] > first["changed_at"]
    assert say(sten, hung, "suspend").json()["reason"] == "Her son too"
    told_of = Event.objects.filter(verb__startswith="publication.susp").order_by("pk")
    assert [(each.verb.partition(".")[2], each.facts["reason"]) for each in told_of] == [
        ("suspended", "A doubt"),
        ("suspended-again", "A widow asked"),
        ("suspended-again", "Her son too"),
        ("suspended-again", "Her son too"),
    ]


@pytest.mark.parametrize("who", ["cora", "sten"])
def test_what_a_person_hides_is_not_shown_when_an_account_is_not_hidden_any_more(
    program: Programs, hung: Hung, who: str
) -> None:
    """Also the steward's own: who hid an account did not think of this one picture."""
    vera, sten, now = hung.people.vera, hung.people.sten, factories.NOW
    hiding.hide_everything(person=vera, by=sten, reason="Spam.", now=now)
    client = program(getattr(hung.people, who))
    for _once_more in range(2):
        answer = say(client, hung, "suspend", reason="" if who == "sten" else "A widow asked")
        assert answer.status_code == 200
    assert Event.objects.filter(verb="publication.suspended-again").count() == 1
    came = hiding.undo_hiding(person=vera, by=sten, now=now)
    assert came == {"back": 1, "moved-on": 1}
    hung.publication.refresh_from_db()
    told = (hung.publication.state, hung.publication.reason)
    assert told == ("suspended", "" if who == "sten" else "A widow asked")
    assert hung.publication.words_hidden_at is None


def test_what_was_shown_and_hidden_again_meanwhile_stays_hidden(
    program: Programs, hung: Hung
) -> None:
    vera, sten, cora = hung.people.vera, hung.people.sten, program(hung.people.cora)
    hiding.hide_everything(person=vera, by=sten, reason="Spam.", now=factories.NOW)
    say(cora, hung, "resume")
    say(cora, hung, "suspend", reason="A widow asked")
    hiding.undo_hiding(person=vera, by=sten, now=factories.NOW)
    hung.publication.refresh_from_db()
    assert (hung.publication.state, hung.publication.reason) == ("suspended", "A widow asked")


def test_what_is_shown_and_hidden_with_the_account_once_more_comes_back_with_it(
    program: Programs, hung: Hung
) -> None:
    told = {"person": hung.people.vera, "by": hung.people.sten, "now": factories.NOW}
    hiding.hide_everything(reason="Spam.", **told)
    say(program(hung.people.cora), hung, "suspend", reason="A doubt")
    say(program(hung.people.cora), hung, "resume")
    hiding.hide_everything(reason="Spam.", **told)
    assert hiding.undo_hiding(**told) == {"back": 2}
    hung.publication.refresh_from_db()
    assert hung.publication.state == "live"


def test_a_wish_that_comes_while_an_account_is_shown_again_is_kept(
    hung: Hung, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look of the undo at what it brings back, and its turn for this picture."""
    people, now = hung.people, factories.NOW
    hiding.hide_everything(person=people.vera, by=people.sten, reason="Spam.", now=now)
    back = hiding.BACK[hiding.HiddenKind.PUBLICATION]

    def late(key: int, *told: Any) -> None:
        hiding.HiddenThing.objects.filter(key=key).update(outcome="moved-on")
        back(key, *told)

    monkeypatch.setitem(hiding.BACK, hiding.HiddenKind.PUBLICATION, late)
    hiding.undo_hiding(person=people.vera, by=people.sten, now=now)
    hung.publication.refresh_from_db()
    assert hung.publication.state == "suspended"


def test_what_was_taken_down_is_neither_hidden_nor_shown(program: Programs, hung: Hung) -> None:
    cora = program(hung.people.cora)
    say(cora, hung, "retract", reason="Why")
    for verb in ("suspend", "resume"):
        answer = say(cora, hung, verb)
        assert (answer.status_code, answer.json()["code"]) == (409, "not-public")


@pytest.mark.parametrize("verb", ["suspend", "resume"])
def test_nobody_else_hides_or_shows(program: Programs, hung: Hung, verb: str) -> None:
    for person in (hung.people.vera, hung.people.clive):
        assert say(program(person), hung, verb).status_code == 404
    wrong = say(program(hung.people.cora), hung, verb, why="?")
    assert (wrong.status_code, wrong.json()["code"]) == (422, "unknown-field")


def test_a_picture_that_a_curator_hid_is_not_shown_by_unhiding_an_account(hung: Hung) -> None:
    """A steward who hides everything by somebody finds it hidden by another hand in that moment."""
    sten, now = hung.people.sten, factories.NOW
    found = hiding.look(hung.people.vera).publications
    suspend_publication(publication=hung.publication, by=hung.people.cora, reason="A", now=now)
    with pytest.raises(IllegalMove):
        hiding._hide_publication(found[0], sten, now)


def test_publications_are_listed_for_those_who_curate_them(program: Programs, hung: Hung) -> None:
    post(program(hung.people.cora), hung.told())
    other = elsewhere(hung.people)

    def found(person: User, **asked: str) -> list[int]:
        answer = program(person).get(PUBLICATIONS, asked)
        return [row["id"] for row in answer.json()["results"]]

    newer, older = found(hung.people.cora)
    assert older == hung.publication.pk
    assert found(hung.people.sten) == [other.pk, newer, older]
    assert found(hung.people.vera) == []
    assert found(hung.people.cora, state="superseded") == [older]
    assert found(hung.people.sten, photo=other.photo.ref) == [other.pk]
    assert found(hung.people.sten, collection=other.photo.collection.slug) == [other.pk]


def test_the_list_of_publications_has_a_flat_price(program: Programs, hung: Hung) -> None:
    sten = program(hung.people.sten)
    for _ in range(3):
        elsewhere(hung.people)
    with CaptureQueriesContext(connection) as few:
        sten.get(PUBLICATIONS, {"limit": "1"})
    with CaptureQueriesContext(connection) as many:
        assert sten.get(PUBLICATIONS).json()["count"] == 4
    assert len(many) == len(few)


def elsewhere(people: Cast) -> Publication:
    """In a collection that nobody of the cast curates but the steward."""
    box = factories.collection()
    version, _review = factories.accepted(factories.photo(box), people.vera, people.sten)
    return publish_version(
        version=version,
        room=factories.room(box),
        words=Words("Elsewhere"),
        by=people.sten,
        now=factories.NOW,
    )
