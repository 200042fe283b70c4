"""What every stranger sees alike is made once for an edition; a change turns the edition."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.cache import caches
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from archive.models import Collection, Photo
from config import kept_pages
from exhibit import actions, queries
from exhibit.models import Exhibit, Placement
from tests.exhibit.conftest import LATER, Museum, hang


@pytest.fixture(autouse=True)
def _kept(settings: Any) -> Iterator[None]:
    settings.PAGES_KEPT_SECONDS = 60
    caches["pages"].clear()
    yield
    caches["pages"].clear()


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """A change comes from another process: a second passes before it is looked for again."""
    monkeypatch.setattr(kept_pages, "LOOK_AGAIN", -1.0)


def asked(client: Client, url: str, **headers: str) -> tuple[Any, int]:
    """The answer, and how many queries it took."""
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(url, headers=headers)
    return answer, len(queries)


@pytest.mark.parametrize(
    "path", ["/", "/exhibits/", "/exhibits/{slug}/", "{photo}", "{photo}zoom/"]
)
def test_a_public_page_takes_five_queries_at_most_and_none_the_second_time(
    client: Client, museum: Museum, path: str
) -> None:
    url = path.format(slug=museum.exhibit.slug, photo=museum.url)
    first, many = asked(client, url)
    again, few = asked(client, url)
    assert many <= 1 + 5  # and one for the edition, once a second
    assert few == 0
    assert again.content == first.content
    assert again["Content-Type"] == first["Content-Type"]


def test_it_may_be_kept_on_the_way_for_a_minute_and_differs_by_cookie_and_language(
    client: Client, museum: Museum
) -> None:
    for _each in ("made", "kept"):
        answer = client.get(museum.url)
        assert answer["Cache-Control"] == "public, max-age=60"
        assert {"Cookie", "Accept-Language"} <= set(answer["Vary"].split(", "))
        assert "Content-Security-Policy" in answer
        assert not answer.cookies
        assert "csrfmiddlewaretoken" not in answer.text


def test_who_has_it_is_told_that_nothing_changed(client: Client, museum: Museum) -> None:
    etag = client.get(museum.url)["ETag"]
    answer = client.get(museum.url, headers={"if-none-match": f'W/"other", W/{etag}'})
    assert (answer.status_code, answer.content) == (304, b"")
    assert answer["ETag"] == etag
    assert {"Cookie", "Accept-Language"} <= set(answer["Vary"].split(", "))
    hang(museum)
    assert client.get(f"/exhibits/{museum.exhibit.slug}/").status_code == 200


def test_each_language_has_its_own(client: Client, museum: Museum) -> None:
    chinese = client.get("/", headers={"accept-language": "zh-CN,zh;q=0.9"})
    english = client.get("/", headers={"accept-language": "en"})
    assert 'lang="zh-Hans"' in chinese.text
    assert 'lang="en"' in english.text
    client.post("/i18n/setlang/", {"language": "zh-hans", "next": "/"})
    assert 'lang="zh-Hans"' in client.get("/", headers={"accept-language": "en"}).text


def test_whoever_is_signed_in_gets_a_page_of_their_own(client: Client, museum: Museum) -> None:
    strangers = client.get(museum.url).text
    member = Client()
    member.force_login(museum.people.vera)
    answer = member.get(museum.url)
    assert "vera" in answer.text
    assert "private" in answer["Cache-Control"]
    assert client.get(museum.url).text == strangers


def retract(museum: Museum) -> None:
    actions.retract_publication(
        publication=museum.publication, by=museum.people.sten, reason="Asked.", now=LATER
    )


def suspend(museum: Museum) -> None:
    actions.suspend_publication(
        publication=museum.publication, by=museum.people.sten, reason="Hm.", now=LATER
    )


CHANGES: dict[str, Callable[[Museum], object]] = {
    "retracted": retract,
    "suspended": suspend,
    "the exhibit closes": lambda museum: Exhibit.objects.update(is_open=False),
    "taken from the wall": lambda museum: Placement.objects.all().delete(),
    "the photo is held": lambda museum: Photo.objects.update(state="on_hold"),
}


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize("change", CHANGES)
def test_what_is_taken_away_is_not_shown_again(client: Client, museum: Museum, change: str) -> None:
    assert client.get(museum.url).status_code == 200
    CHANGES[change](museum)
    assert client.get(museum.url).status_code in (404, 410)


@pytest.mark.usefixtures("elsewhere")
def test_words_that_are_corrected_show(client: Client, museum: Museum) -> None:
    client.get(museum.url)
    Photo.objects.update(title_en="The second gold medal")
    assert "The second gold medal" in client.get(museum.url).text
    Collection.objects.update(institution_en="Museum of All Games")
    assert "Museum of All Games" in client.get(museum.url).text
    Placement.objects.update(caption_en="Archery, bow")
    assert "Archery, bow" in client.get(museum.url).text


def test_the_site_that_took_it_down_does_not_wait_a_second(client: Client, museum: Museum) -> None:
    assert client.get(museum.url).status_code == 200
    client.force_login(museum.people.sten)
    answer = client.post(
        f"/curate/publications/{museum.publication.pk}/retract/", {"reason": "A relative asked."}
    )
    assert answer.status_code == 302
    client.cookies.clear()
    assert client.get(museum.url).status_code == 410


def test_work_on_photos_leaves_the_edition_alone(museum: Museum) -> None:
    """A thousand volunteers must not make the public pages anew all the time."""
    before = queries.edition()
    Photo.objects.update(rung_at=LATER, attempts=3)
    Photo.objects.exclude(pk=museum.photo.pk).update(state="on_hold")
    assert queries.edition() == before
    hang(museum)
    assert queries.edition() != before


def test_addresses_that_anybody_can_make_up_are_not_kept(client: Client, museum: Museum) -> None:
    client.get(f"{museum.url}?x=1")
    answer, many = asked(client, f"{museum.url}?x=1")
    assert answer.status_code == 200
    assert "ETag" not in answer
    assert many > 0


def test_nothing_is_kept_of_what_is_not_there(client: Client, museum: Museum) -> None:
    assert client.get("/exhibits/none/").status_code == 404
    _answer, many = asked(client, "/exhibits/none/")
    assert many > 0


def test_kept_pages_are_counted_under_the_name_of_their_view(
    client: Client, museum: Museum
) -> None:
    from config.metrics import REQUESTS

    client.get(museum.url)
    counted = REQUESTS.labels("exhibit:photo", "2xx")._sum
    before = counted.get()
    time.sleep(0.001)
    client.get(museum.url)
    assert counted.get() > before
