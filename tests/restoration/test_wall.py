"""The wall shows what waits, and finds what somebody wishes for."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from archive.lifecycle import PhotoState
from archive.models import Collection, Photo
from restoration.actions.reviews import open_review, return_version
from restoration.models import Assessment
from tests import factories
from tests.factories import NOW
from tests.people import Cast, appoint

WALL = "restoration:wall"


@pytest.fixture
def client(client: Client, people: Cast) -> Client:
    client.force_login(people.vera)
    return client


def titles(client: Client, **wishes: str) -> list[str]:
    page = client.get(reverse(WALL), wishes).context["page"]
    return [card["title"] for card in page.object_list]


def seen(photo: Photo, **facts: object) -> Assessment:
    return Assessment.objects.create(photo=photo, made_at=NOW, **facts)


def test_a_stranger_is_asked_to_sign_in(db: None) -> None:
    answer = Client().get(reverse(WALL))
    assert answer.status_code == 302
    assert reverse("account_login") in answer["Location"]


def test_it_shows_what_waits_oldest_first(client: Client, box: Collection) -> None:
    factories.photo(box, title_en="Second", added_at=NOW)
    factories.photo(box, title_en="First", added_at=NOW.replace(hour=1))
    assert titles(client) == ["First", "Second"]


def test_what_is_not_ready_or_not_open_does_not_show(client: Client, box: Collection) -> None:
    factories.photo(box, state=PhotoState.ON_HOLD)
    factories.photo(factories.collection(is_open=False))
    assert titles(client) == []
    assert "Every photo is in good hands" in client.get(reverse(WALL)).text


def test_a_photo_in_hands_leaves_the_wall_and_says_whose_it_is(
    client: Client, box: Collection, people: Cast
) -> None:
    held = factories.photo(box, title_en="Held")
    factories.claim(held, people.victor)
    assert titles(client) == []
    answer = client.get(reverse(WALL), {"state": "claimed"})
    (card,) = answer.context["page"].object_list
    assert (card["holder"], card["claim_url"], card["mine"]) == ("Victor", "", False)
    assert "with Victor until" in answer.text


def test_a_photo_with_a_second_slot_still_waits(
    client: Client, box: Collection, people: Cast
) -> None:
    factories.claim(factories.photo(box, title_en="For two", slots=2), people.victor)
    assert titles(client) == ["For two"]


def test_states_are_told_apart(client: Client, box: Collection, people: Cast) -> None:
    appoint(people.cora, box)
    factories.photo(box, title_en="Waits")
    factories.submitted(factories.photo(box, title_en="In review"), people.victor)
    factories.accepted(factories.photo(box, title_en="Done"), people.victor, people.cora)
    returned = factories.submitted(factories.photo(box, title_en="Returned"), people.victor)
    review = open_review(version=returned, by=people.cora, now=NOW)
    return_version(review=review, by=people.cora, reason="colour", advice="Less red.", now=NOW)
    assert titles(client) == ["Waits", "Returned"]
    assert titles(client, state="review") == ["In review"]
    assert titles(client, state="done") == ["Done"]
    assert titles(client, state="returned") == ["Returned"]
    assert len(titles(client, state="any")) == 4


def test_wishes_are_heard(client: Client, box: Collection) -> None:
    faces = factories.photo(box, title_en="Faces", place_en="Tehran")
    seen(faces, faces=2, damage="none", is_grey=True)
    torn = factories.photo(box, title_en="Torn", title_zh="撕裂")
    seen(torn, faces=0, damage="heavy")
    plain = factories.collection(do_not_colourise=True)
    seen(factories.photo(plain, title_en="Stays grey"), is_grey=True)
    assert titles(client, faces="on") == ["Faces"]
    assert titles(client, damage="heavy") == ["Torn"]
    assert titles(client, colour="on") == ["Faces"]
    assert titles(client, collection=plain.slug) == ["Stays grey"]
    assert titles(client, words="tehran") == ["Faces"]
    assert titles(client, words="撕裂") == ["Torn"]
    assert titles(client, words="stays", damage="heavy") == []


def test_a_wish_that_makes_no_sense_is_left_out(client: Client, box: Collection) -> None:
    factories.photo(box, title_en="Here")
    for wish in ({"collection": "nowhere"}, {"damage": "huge"}, {"page": "x"}, {"state": "?"}):
        assert titles(client, **wish) == ["Here"], wish


def test_a_closed_collection_cannot_be_found_by_its_name(client: Client) -> None:
    closed = factories.collection(is_open=False)
    factories.photo(closed)
    assert titles(client, collection=closed.slug) == []


def test_pages_are_numbered_and_keep_the_wishes(client: Client, box: Collection) -> None:
    for _each in range(25):
        factories.photo(box)
    answer = client.get(reverse(WALL), {"collection": box.slug})
    assert len(answer.context["page"].object_list) == 24
    assert f"?collection={box.slug}&amp;page=2" in answer.text
    assert len(titles(client, collection=box.slug, page="2")) == 1


def test_with_one_collection_chosen_the_states_are_counted_in_it_alone(
    client: Client, box: Collection, people: Cast
) -> None:
    factories.photo(box)
    factories.claim(factories.photo(box), people.victor)
    for _each in range(5):
        factories.photo(factories.collection())

    def counted(**wishes: str) -> dict[str, int | None]:
        filters = client.get(reverse(WALL), wishes).context["filters"]
        [states] = [each for each in filters if each["name"] == "state"]
        return {str(choice["label"]): choice["count"] for choice in states["choices"]}

    found = counted(collection=box.slug)
    assert (found["waiting"], found["in somebody's hands"], found["all"]) == (1, 1, 2)
    assert counted()["waiting"] == 6


def test_a_thumbnail_says_its_size(client: Client, box: Collection) -> None:
    factories.photo(box, width=4000, height=3000)
    (card,) = client.get(reverse(WALL)).context["page"].object_list
    assert (card["thumb_width"], card["thumb_height"], card["ratio"]) == (400, 300, 13)


def test_queries_stay_the_same_however_many_photos_there_are(
    client: Client, box: Collection, people: Cast
) -> None:
    def cost() -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            client.get(reverse(WALL), {"state": "any"})
        return len(queries)

    seen(factories.photo(box), faces=1)
    few = cost()
    for _each in range(20):
        photo = factories.photo(box, slots=2)
        seen(photo)
    factories.claim(photo, people.victor)
    assert cost() == few
    # Session, person, collections, count, photos, hands; the header asks once for an office.
    assert few <= 7


def test_it_speaks_chinese(client: Client, box: Collection, people: Cast) -> None:
    factories.photo(box, title_en="Opening", title_zh="开幕式")
    client.cookies["django_language"] = "zh-hans"
    assert titles(client) == ["开幕式"]


def test_my_own_photo_is_one_click_away(client: Client, box: Collection, people: Cast) -> None:
    mine = factories.photo(box, title_en="Mine")
    factories.claim(mine, people.vera)
    mark = client.get(reverse(WALL)).context["my_claim"]
    assert mark == {"title": "Mine", "url": reverse("restoration:bench", args=[mine.ref])}


def test_a_curator_sees_the_closed_collection(client: Client, people: Cast) -> None:
    closed = factories.collection(is_open=False)
    factories.photo(closed, title_en="Behind a door")
    appoint(people.vera, closed)
    assert titles(client) == ["Behind a door"]
