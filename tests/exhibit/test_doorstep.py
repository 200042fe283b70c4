"""At the server's door a kept page is given again without Django, and nothing else is."""

from __future__ import annotations

import gzip
import io
import logging
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIHandler

from config import doorstep, kept_pages, telemetry
from tests.exhibit.conftest import Museum


@pytest.fixture(autouse=True)
def _believed(pages_kept: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A test never has to ask whether the edition is still the same."""
    monkeypatch.setattr(kept_pages, "BELIEVED", 60.0)


@dataclass
class Server:
    """Asks the door as gunicorn does, and counts how often the site behind it was asked."""

    behind: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        site = WSGIHandler()

        def counted(environ: Any, start_response: Any) -> Any:
            self.behind.append(environ["PATH_INFO"])
            return site(environ, start_response)

        self.door = doorstep.Doorstep(counted)

    def get(self, path: str, method: str = "GET", **words: str) -> tuple[str, Any, bytes]:
        told: list[Any] = []
        asked = {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "SERVER_NAME": "testserver",
            "SERVER_PORT": "80",
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(),
            **words,
        }
        body = self.door(asked, lambda status, headers, *_more: told.extend((status, headers)))
        return told[0], dict(told[1]), b"".join(body)


@pytest.fixture
def server(museum: Museum) -> Server:
    server = Server()
    server.get(museum.url)
    assert server.behind == [museum.url]
    return server


def test_what_is_asked_again_is_the_same_to_the_letter_but_for_its_id(
    server: Server, museum: Museum
) -> None:
    first_status, first, page = server.get(museum.url, HTTP_ACCEPT_LANGUAGE="en")
    status, headers, again = server.get(museum.url, HTTP_ACCEPT_LANGUAGE="en")
    assert len(server.behind) == 2
    assert (status, again) == (first_status, page) == ("200 OK", page)
    assert headers.pop("X-Request-ID") != first.pop("X-Request-ID")
    assert headers == first
    assert {"ETag", "Content-Security-Policy", "X-Content-Type-Options"} <= headers.keys()


@pytest.mark.parametrize(
    "words",
    [
        {"HTTP_COOKIE": "sessionid=x"},
        {"HTTP_AUTHORIZATION": "Bearer x"},
        {"HTTP_IF_NONE_MATCH": '"x"'},
        {"QUERY_STRING": "layer=changed"},
        {"HTTP_ACCEPT_LANGUAGE": "zh-Hans"},
        {"HTTP_X_FORWARDED_PROTO": "https"},
        {"method": "HEAD"},
        {"method": "POST"},
    ],
)
def test_an_asking_that_may_get_another_answer_goes_the_whole_way(
    server: Server, museum: Museum, words: dict[str, str]
) -> None:
    server.get(museum.url, **words)
    assert len(server.behind) == 2


def test_each_language_and_packing_has_its_own(server: Server, museum: Museum) -> None:
    for _twice in range(2):
        _status, _headers, chinese = server.get(museum.url, HTTP_ACCEPT_LANGUAGE="zh-Hans")
        _status, headers, packed = server.get(museum.url, HTTP_ACCEPT_ENCODING="gzip")
        _status, _headers, plain = server.get(museum.url)
        assert 'lang="zh-Hans"' in chinese.decode()
        assert headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(packed) == plain
    assert len(server.behind) == 3


def test_nothing_of_a_former_edition_is_given(server: Server, museum: Museum) -> None:
    server.get(museum.url)
    assert len(server.behind) == 1
    kept_pages.belief.number += 1  # another thread has heard of it
    server.get(museum.url)
    assert len(server.behind) == 2


def test_a_page_taken_down_is_gone_when_the_belief_is_over(
    server: Server, museum: Museum, monkeypatch: pytest.MonkeyPatch
) -> None:
    museum.placement.delete()
    monkeypatch.setattr(kept_pages, "BELIEVED", -1.0)
    status, _headers, _body = server.get(museum.url)
    assert status.startswith("404")


def test_a_page_is_not_given_beyond_its_time(
    server: Server, museum: Museum, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doorstep.time, "time", lambda: 10.0**11)
    server.get(museum.url)
    assert len(server.behind) == 2


def test_what_is_no_kept_page_is_not_remembered(server: Server) -> None:
    for _twice in range(2):
        server.get("/health/live")
        server.get("/exhibits/nowhere/")
    assert len(server.behind) == 1 + 4


def test_it_is_logged_and_timed_like_any_request(
    server: Server, museum: Museum, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "config.requests"):
        _status, headers, _body = server.get(museum.url, HTTP_X_REQUEST_ID="given-by-a-proxy")
    assert len(server.behind) == 1
    assert headers["X-Request-ID"] == "given-by-a-proxy"
    [line] = caplog.records
    assert vars(line)["facts"]["view"] == "exhibit:photo"
    assert vars(line)["facts"]["status"] == 200


def test_no_more_are_remembered_than_there_is_room_for(
    server: Server, museum: Museum, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doorstep, "MOST", 3)
    for number in range(9):
        server.get(museum.url, HTTP_ACCEPT_LANGUAGE=f"en;q=0.{number}")
        assert len(server.door.sheets) <= 3


def test_where_traces_are_kept_each_request_goes_the_whole_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    site = WSGIHandler()
    assert isinstance(doorstep.before(site), doorstep.Doorstep)
    monkeypatch.setattr(telemetry, "is_wanted", lambda: True)
    assert doorstep.before(site) is site
