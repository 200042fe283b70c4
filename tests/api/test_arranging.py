"""Programs make and arrange exhibits: doors, rooms, the order of pictures and their words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from api.views import arranging as views
from api.views import exhibits
from archive.models import Event
from archive.policy import Refused
from exhibit.actions import publish_version, suspend_publication
from exhibit.arranging import Headline, Words, add_room, edit_words, move_placement
from exhibit.models import Exhibit, Placement, Room
from tests import factories
from tests.api.conftest import Programs
from tests.people import Cast, appoint, cast

pytestmark = pytest.mark.django_db

API = "/api/v1"


class Hall:
    """A room of an open exhibit in Cora's collection; pictures are hung in it."""

    def __init__(self, people: Cast) -> None:
        self.people, self.box = people, factories.collection()
        appoint(people.cora, self.box)
        self.room: Room = factories.room(self.box)
        self.exhibit: Exhibit = self.room.exhibit
        self.url = f"{API}/exhibits/{self.exhibit.slug}"

    def hang(self, caption: str = "In the harbour") -> Placement:
        photo = factories.photo(self.box)
        version, _review = factories.accepted(photo, self.people.vera, self.people.sten)
        publish_version(
            version=version,
            room=self.room,
            words=Words(caption, "港口"),
            by=self.people.cora,
            now=factories.NOW,
        )
        return Placement.objects.get(photo=photo)


@pytest.fixture
def hall() -> Hall:
    return Hall(cast())


@pytest.fixture
def cora(hall: Hall, program: Programs) -> APIClient:
    return program(hall.people.cora)


def say(client: APIClient, method: str, url: str, **told: Any) -> Any:
    return getattr(client, method)(url, told, format="json")


def new(hall: Hall, **more: Any) -> dict[str, Any]:
    return {"collection": hall.box.slug, "slug": "games", "title_en": "The Games"} | more


# --- exhibits -------------------------------------------------------------------------------------


def test_a_curator_makes_an_exhibit_and_opens_and_closes_it(hall: Hall, cora: APIClient) -> None:
    made = say(cora, "post", f"{API}/exhibits", **new(hall, title_zh="亚运会"))
    assert made.status_code == 201, made.json()
    assert (made.json()["is_open"], made.json()["title_zh"]) == (False, "亚运会")
    url = f"{API}/exhibits/games"
    assert len(cora.get(url).json()["rooms"]) == 1
    assert APIClient().get(url).status_code == 404
    for _twice in range(2):
        assert cora.post(f"{url}/open").json()["is_open"] is True
    assert APIClient().get(url).status_code == 200
    assert cora.post(f"{url}/close").json()["is_open"] is False
    assert APIClient().get(url).status_code == 404
    told = Event.objects.filter(verb__startswith="exhibit.").order_by("pk")
    assert [each.verb for each in told] == ["exhibit.created", "exhibit.opened", "exhibit.closed"]


def test_an_address_is_given_once_and_not_that_of_a_page(hall: Hall, cora: APIClient) -> None:
    taken = say(cora, "post", f"{API}/exhibits", **new(hall, slug=hall.exhibit.slug))
    assert (taken.status_code, taken.json()["code"]) == (409, "slug-taken")
    page = say(cora, "post", f"{API}/exhibits", **new(hall, slug="new"))
    assert (page.status_code, page.json()["code"]) == (422, "slug-reserved")
    assert page.json()["errors"][0]["field"] == "/slug"
    assert Exhibit.objects.count() == 1


def test_words_that_are_left_out_of_an_exhibit_stay(hall: Hall, cora: APIClient) -> None:
    told = say(cora, "patch", hall.url, intro_en="They met in Tehran.").json()
    assert (told["intro_en"], told["title_zh"]) == ("They met in Tehran.", "第一次亚运会")
    assert say(cora, "patch", hall.url, title_zh="").json()["title_zh"] == ""
    blank = say(cora, "patch", hall.url, title_en="")
    assert (blank.status_code, blank.json()["code"]) == (422, "invalid")
    moved = say(cora, "patch", hall.url, slug="elsewhere")
    assert (moved.status_code, moved.json()["code"]) == (422, "unknown-field")


def test_nobody_else_makes_or_changes_an_exhibit(hall: Hall, program: Programs) -> None:
    for person in (hall.people.vera, hall.people.clive):
        client = program(person)
        asked = (
            say(client, "post", f"{API}/exhibits", **new(hall)),
            say(client, "patch", hall.url, title_en="Mine"),
            client.post(f"{hall.url}/open"),
            client.post(f"{hall.url}/close"),
            say(client, "post", f"{hall.url}/rooms", title_en="Mine"),
        )
        for answer in asked:
            assert (answer.status_code, answer.json()["code"]) == (403, "not-curator")
    stranger = say(APIClient(), "post", f"{API}/exhibits", **new(hall))
    assert (stranger.status_code, stranger.json()["code"]) == (401, "not-signed-in")


# --- rooms ----------------------------------------------------------------------------------------


def test_a_room_is_added_named_moved_and_taken_away(hall: Hall, cora: APIClient) -> None:
    made = say(cora, "post", f"{hall.url}/rooms", title_en="The closing").json()
    assert (made["exhibit"], made["position"]) == (hall.exhibit.slug, 2)
    url = f"{API}/rooms/{made['id']}"
    assert cora.get(url).json() == made
    told = say(cora, "patch", url, intro_zh="闭幕").json()
    assert (told["title_en"], told["intro_zh"]) == ("The closing", "闭幕")
    for up, place in ((True, 1), (True, 1), (False, 2)):
        assert say(cora, "post", f"{url}/move", up=up).json()["position"] == place
    assert cora.delete(url).status_code == 204
    assert cora.get(url).status_code == 404


def test_a_room_with_pictures_is_not_taken_away(hall: Hall, cora: APIClient) -> None:
    hall.hang()
    answer = cora.delete(f"{API}/rooms/{hall.room.pk}")
    assert (answer.status_code, answer.json()["code"]) == (409, "room-not-empty")


def test_nobody_else_changes_a_room(hall: Hall, program: Programs) -> None:
    url = f"{API}/rooms/{hall.room.pk}"
    for person in (hall.people.vera, hall.people.clive):
        client = program(person)
        assert client.get(url).status_code == 200
        for answer in (
            say(client, "patch", url, title_en="Mine"),
            say(client, "post", f"{url}/move", up=True),
            client.delete(url),
        ):
            assert (answer.status_code, answer.json()["code"]) == (403, "not-curator")
        assert client.get(f"{url}/placements").status_code == 404
        assert say(client, "post", f"{url}/arrange", order=[]).status_code == 404
    Exhibit.objects.update(is_open=False)
    assert program(hall.people.clive).get(url).status_code == 404


# --- pictures -------------------------------------------------------------------------------------


def test_a_curator_sees_all_that_hangs_and_the_public_what_is_live(
    hall: Hall, cora: APIClient
) -> None:
    shown, hidden = hall.hang(), hall.hang()
    suspend_publication(
        publication=hidden.publication, by=hall.people.cora, reason="", now=factories.NOW
    )
    told = cora.get(f"{API}/rooms/{hall.room.pk}/placements").json()["results"]
    assert [(row["id"], row["state"]) for row in told] == [
        (shown.pk, "live"),
        (hidden.pk, "suspended"),
    ]
    [public] = APIClient().get(hall.url).json()["rooms"][0]["placements"]
    assert public["id"] == shown.pk


def test_pictures_are_put_in_another_order(hall: Hall, cora: APIClient) -> None:
    order = [hall.hang().pk for _ in range(3)]
    url = f"{API}/rooms/{hall.room.pk}"
    turned = order[::-1]
    told = say(cora, "post", f"{url}/arrange", order=turned).json()
    assert [(row["id"], row["position"]) for row in told] == list(
        zip(turned, (1, 2, 3), strict=True)
    )
    public = APIClient().get(hall.url).json()["rooms"][0]["placements"]
    assert [row["id"] for row in public] == turned


def test_an_order_that_names_other_pictures_than_hang_there_is_refused(
    hall: Hall, cora: APIClient
) -> None:
    first, second = hall.hang().pk, hall.hang().pk
    for order in ([first], [first, second, 999_999], [first, first], [], [second, first, first]):
        answer = say(cora, "post", f"{API}/rooms/{hall.room.pk}/arrange", order=order)
        assert (answer.status_code, answer.json()["code"]) == (409, "other-order")
    assert list(Placement.objects.order_by("position").values_list("pk", flat=True)) == [
        first,
        second,
    ]


def test_a_picture_is_hung_elsewhere_and_its_words_stay(hall: Hall, cora: APIClient) -> None:
    hung = hall.hang()
    room = say(cora, "post", f"{hall.url}/rooms", title_en="The closing").json()["id"]
    url = f"{API}/placements/{hung.pk}"
    told = say(cora, "patch", url, room=room, caption_en="At sea").json()
    assert (told["room"], told["caption_en"], told["caption_zh"]) == (room, "At sea", "港口")
    assert say(cora, "patch", url, caption_zh="").json()["room"] == room
    assert cora.get(url).json()["caption_zh"] == ""


def test_a_change_writes_only_what_was_sent_over_what_another_hand_writes_meanwhile(
    hall: Hall, cora: APIClient, program: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    hung, sten = hall.hang(), program(hall.people.sten)
    room = say(cora, "post", f"{hall.url}/rooms", title_en="The closing").json()["id"]
    for module, verb, url, theirs, ours in (
        (views, "edit_words", f"{API}/placements/{hung.pk}", {"room": room}, "caption_en"),
        (views, "edit_room", f"{API}/rooms/{room}", {"intro_en": "Long words"}, "title_en"),
        (exhibits, "edit_exhibit", hall.url, {"intro_en": "Long words"}, "title_en"),
    ):
        with between(monkeypatch, module, verb, lambda url=url, said=theirs: sten.patch(
            url, said, format="json"
        )):  # fmt: skip
            told = say(cora, "patch", url, **{ours: "At sea"}).json()
        assert {name: told[name] for name in theirs} == theirs
        assert told[ours] == "At sea"


def test_a_picture_keeps_its_place_in_the_room_where_it_hangs(hall: Hall, cora: APIClient) -> None:
    first, _second = hall.hang(), hall.hang()
    told = say(cora, "patch", f"{API}/placements/{first.pk}", room=hall.room.pk).json()
    assert (told["room"], told["position"]) == (hall.room.pk, 1)


def test_a_room_that_is_taken_away_in_this_moment_is_not_moved_nor_hung_full(
    hall: Hall, cora: APIClient, program: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    hung, sten = hall.hang(), program(hall.people.sten)
    for verb, method, way, said in (
        ("move_room", "post", "rooms/{room}/move", {"up": True}),
        ("arrange", "post", "rooms/{room}/arrange", {"order": []}),
        ("edit_words", "patch", "placements/{hung}", {"caption_en": "At sea"}),
    ):
        room = say(cora, "post", f"{hall.url}/rooms", title_en="The closing").json()["id"]
        told = said | ({"room": room} if method == "patch" else {})
        url = f"{API}/{way.format(room=room, hung=hung.pk)}"
        with between(monkeypatch, views, verb, lambda pk=room: sten.delete(f"{API}/rooms/{pk}")):
            answer = say(cora, method, url, **told)
        assert (answer.status_code, answer.json()["code"]) == (409, "other-order")
    assert cora.get(f"{API}/placements/{hung.pk}").json()["caption_en"] == "In the harbour"


def test_a_picture_that_is_hung_elsewhere_in_this_moment_is_not_moved(hall: Hall) -> None:
    hung, cora = hall.hang(), hall.people.cora
    stale = Placement.objects.select_related("room__exhibit__collection").get(pk=hung.pk)
    other = add_room(exhibit=hall.exhibit, headline=Headline("The closing"), by=cora)
    edit_words(placement=hung, room=other, words=Words(), by=cora)
    with pytest.raises(Refused, match="other-order"):
        move_placement(placement=stale, by=cora, up=True)


@contextmanager
def between(
    monkeypatch: pytest.MonkeyPatch, module: Any, verb: str, deed: Callable[[], Any]
) -> Iterator[None]:
    """Another hand does something between what a view reads and what its verb writes."""
    real = getattr(module, verb)

    def late(**told: Any) -> None:
        patch.undo()
        assert deed().status_code in (200, 204)
        real(**told)

    with monkeypatch.context() as patch:
        patch.setattr(module, verb, late)
        yield


def test_a_picture_stays_in_its_exhibit(hall: Hall, cora: APIClient) -> None:
    hung, other = hall.hang(), factories.room(hall.box)
    answer = say(cora, "patch", f"{API}/placements/{hung.pk}", room=other.pk)
    assert (answer.status_code, answer.json()["code"]) == (403, "other-exhibit")
    away = say(cora, "patch", f"{API}/placements/{hung.pk}", room=999_999)
    assert away.status_code == 404


def test_a_picture_that_hangs_is_not_there_for_others(hall: Hall, program: Programs) -> None:
    url = f"{API}/placements/{hall.hang().pk}"
    for person in (hall.people.vera, hall.people.clive):
        assert program(person).get(url).status_code == 404
        assert say(program(person), "patch", url, caption_en="Mine").status_code == 404


def test_the_list_of_what_hangs_has_a_flat_price(hall: Hall, cora: APIClient) -> None:
    for _ in range(5):
        hall.hang()
    url = f"{API}/rooms/{hall.room.pk}/placements"
    with CaptureQueriesContext(connection) as few:
        cora.get(url, {"limit": "1"})
    with CaptureQueriesContext(connection) as many:
        assert cora.get(url).json()["count"] == 5
    assert len(many) == len(few)
