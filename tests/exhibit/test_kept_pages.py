"""What every stranger sees alike is made once for an edition; a change turns the edition."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core.cache import caches
from django.db import DatabaseError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from archive.models import Collection, Photo
from config import kept_pages
from exhibit import actions, keeping, queries
from exhibit.models import Exhibit, KeptPage, Placement
from tests.exhibit.conftest import LATER, Museum, hang

pytestmark = pytest.mark.usefixtures("pages_kept")


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """A change comes from another process: this one believes nothing that it has not just read."""
    monkeypatch.setattr(kept_pages, "BELIEVED", -1.0)


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
    assert many <= 5 + 1  # and one to keep it
    assert few <= 1
    assert again.content == first.content
    assert again["Content-Type"] == first["Content-Type"]


@pytest.mark.parametrize("path", ["/", "{photo}"])
def test_a_process_that_never_made_a_page_shows_it_after_one_query(
    client: Client, museum: Museum, path: str
) -> None:
    url = path.format(photo=museum.url)
    first = client.get(url)
    caches["pages"].clear()  # what this process remembers
    again, few = asked(Client(), url)
    assert few == 1
    assert again.content == first.content
    assert again["ETag"] == first["ETag"]
    assert again["Content-Security-Policy"] == first["Content-Security-Policy"]


def test_it_is_sent_packed_to_who_can_unpack_it(client: Client, museum: Museum) -> None:
    plain = client.get(museum.url)
    packed = client.get(museum.url, headers={"accept-encoding": "gzip, br"})
    assert packed["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.content) == plain.content
    for answer in (plain, packed):
        assert answer["Content-Length"] == str(len(answer.content))
        assert "Accept-Encoding" in answer["Vary"]
    assert packed["ETag"] == plain["ETag"]
    assert plain["ETag"].startswith("W/")


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
    answer = client.get(museum.url, headers={"if-none-match": f'"other", {etag}'})
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


def test_who_took_it_down_is_answered_when_no_process_shows_it_any_more(
    client: Client, museum: Museum
) -> None:
    """Another process may have read the edition just before: it is believed for a moment."""
    other = Client()
    assert client.get(museum.url).status_code == other.get(museum.url).status_code == 200
    client.force_login(museum.people.sten)
    at = time.monotonic()
    answer = client.post(
        f"/curate/publications/{museum.publication.pk}/retract/", {"reason": "A relative asked."}
    )
    assert answer.status_code == 302
    assert time.monotonic() - at >= kept_pages.BELIEVED
    client.cookies.clear()
    assert client.get(museum.url).status_code == other.get(museum.url).status_code == 410


def test_a_post_that_changes_no_public_page_is_not_kept_waiting(
    client: Client, museum: Museum, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.post("/i18n/setlang/", {"language": "en", "next": "/"})
    monkeypatch.setattr(kept_pages.time, "sleep", lambda _seconds: pytest.fail("it waited"))
    client.post("/i18n/setlang/", {"language": "en", "next": "/"})


def test_a_page_that_was_being_made_while_the_edition_turned_is_not_shown(
    client: Client, museum: Museum, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The words that it was made with are the former ones."""
    keep = keeping.keep

    def turned_meanwhile(name: str, page: keeping.Page, *, made_in: int) -> None:
        Photo.objects.update(title_en="The second gold medal")
        keep(name, page, made_in=made_in)

    monkeypatch.setattr(keeping, "keep", turned_meanwhile)
    client.get(museum.url)
    monkeypatch.undo()
    assert "The second gold medal" in client.get(museum.url).text


@pytest.mark.usefixtures("emptied")
@pytest.mark.django_db(transaction=True)
def test_many_who_come_at_once_have_the_page_made_once(
    museum: Museum, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Of a database in memory a table that one thread writes is locked for the others.
    one_at_a_time, look, keep = threading.Lock(), keeping.look, keeping.keep

    def alone(do: Callable[..., Any]) -> Callable[..., Any]:
        def done(*told: Any, **more: Any) -> Any:
            with one_at_a_time:
                return do(*told, **more)

        return done

    monkeypatch.setattr(keeping, "look", alone(look))
    monkeypatch.setattr(keeping, "keep", alone(keep))
    made = []
    walk = queries.walk
    monkeypatch.setattr(queries, "walk", lambda exhibit: made.append(exhibit) or walk(exhibit))
    url, site = f"/exhibits/{museum.exhibit.slug}/", Client()
    site.get("/health/live")  # the site's code is loaded

    def visit(_number: int) -> bytes:
        try:
            return site.get(url).content
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as visitors:
        seen = set(visitors.map(visit, range(8)))
    assert len(seen) == len(made) == 1


def test_work_on_photos_leaves_the_edition_alone(museum: Museum) -> None:
    """A thousand volunteers must not make the public pages anew all the time."""
    before = queries.edition()
    Photo.objects.update(rung_at=LATER, attempts=3)
    Photo.objects.exclude(pk=museum.photo.pk).update(state="on_hold")
    assert queries.edition() == before
    hang(museum)
    assert queries.edition() != before


@pytest.mark.parametrize("query", ["?x=1", "?utm_source=a&utm_medium=b", "?layer=%00", "?&&"])
def test_what_anybody_hangs_on_an_address_neither_makes_a_page_nor_is_on_it(
    client: Client, museum: Museum, query: str
) -> None:
    first = client.get(f"{museum.url}{query}")
    again, few = asked(client, museum.url)
    assert again.content == first.content
    assert few == 1
    assert query not in first.text
    assert KeptPage.objects.count() == 1


def test_each_layer_that_there_is_has_its_own_page(client: Client, museum: Museum) -> None:
    client.get(f"{museum.url}?layer=changed")
    client.get(f"{museum.url}?layer=changed&x=1")
    client.get(f"{museum.url}?layer=made-up")
    assert KeptPage.objects.count() == 2


def test_a_page_names_the_site_as_it_is_called_and_not_as_it_was_asked(
    client: Client, museum: Museum, settings: Any
) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    page = client.get(museum.url, headers={"host": "elsewhere.example"}).text
    assert "elsewhere.example" not in page
    assert f'<link rel="canonical" href="{settings.SITE_URL}{museum.url}">' in page


def test_a_page_with_a_nonce_is_not_kept(
    client: Client, museum: Museum, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is good for one answer alone."""
    monkeypatch.setattr("csp.middleware.build_policy", lambda **_told: "script-src 'nonce-abc'")
    assert "ETag" not in client.get(museum.url)
    assert not KeptPage.objects.exists()


def test_a_page_that_cannot_be_kept_is_shown_all_the_same(
    client: Client, museum: Museum, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_what: object, **_more: object) -> None:
        raise DatabaseError("the disk is full")

    monkeypatch.setattr(keeping, "keep", away)
    assert client.get(museum.url).status_code == 200


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
