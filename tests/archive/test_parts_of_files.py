"""Stored bytes over HTTP: not sent again to who has them, and in part to whom they broke off."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from django.http import Http404, HttpResponseBase
from django.test import RequestFactory

from archive import pictures, storage
from archive.pictures import respond
from archive.sizes import PIPELINE

CONTENT = bytes(range(256)) * 40
SHA = hashlib.sha256(CONTENT).hexdigest()
KEY = storage.working_key(SHA)


def asked(method: str = "get", key: str = KEY, public: bool = False, **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = getattr(RequestFactory(), method)("/", headers=named)
    return respond(key, content_type="image/tiff", public=public, filename="a.tif", request=request)


def body(answer: HttpResponseBase) -> bytes:
    return b"".join(answer)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def _kept(db: None) -> None:
    storage.put_bytes(KEY, CONTENT)


def test_the_whole_says_that_parts_may_be_asked_for() -> None:
    answer = asked()
    assert (answer.status_code, body(answer)) == (200, CONTENT)
    assert answer["Accept-Ranges"] == "bytes"
    assert answer["Content-Length"] == str(len(CONTENT))


def test_who_has_it_is_told_so_before_the_file_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    etag = asked()["ETag"]
    monkeypatch.setattr(storage, "open_key", lambda _key: pytest.fail("it was opened"))
    for method in ("get", "head"):
        answer = asked(method, if_none_match=f'"other", {etag}')
        assert (answer.status_code, answer.content, answer["ETag"]) == (304, b"", etag)
        assert answer["Cache-Control"] == pictures.PRIVATE


def test_who_has_another_gets_it_all() -> None:
    assert body(asked(if_none_match='"other"')) == CONTENT


@pytest.mark.parametrize(
    ("wanted", "start", "stop"),
    [("bytes=0-99", 0, 100), ("bytes=5000-", 5000, None), ("bytes=-50", -50, None)],
)
def test_a_download_that_broke_off_goes_on(
    monkeypatch: pytest.MonkeyPatch, wanted: str, start: int, stop: int | None
) -> None:
    monkeypatch.setattr(storage, "BLOCK", 700)  # several reads for a part
    answer = asked(range=wanted, if_range=asked()["ETag"])
    expected = CONTENT[start:stop]
    assert (answer.status_code, body(answer)) == (206, expected)
    assert answer["Content-Length"] == str(len(expected))
    at = start % len(CONTENT)
    assert answer["Content-Range"] == f"bytes {at}-{at + len(expected) - 1}/{len(CONTENT)}"
    assert answer["Content-Disposition"] == 'attachment; filename="a.tif"'
    assert answer["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("wanted", ["bytes=999999-", "bytes=-0"])
def test_a_part_that_is_not_there_is_refused_with_the_length(wanted: str) -> None:
    answer = asked(range=wanted)
    assert (answer.status_code, answer["Content-Range"]) == (416, f"bytes */{len(CONTENT)}")


@pytest.mark.parametrize(
    "wanted",
    ["bytes=9-3", "bytes=-", "lines=1-2", "bytes=0-1,4-5", f"bytes=0-{'9' * 5000}", "bytes=٣-٤"],
)
def test_a_part_that_makes_no_sense_is_the_whole(wanted: str) -> None:
    assert body(asked(range=wanted)) == CONTENT


@pytest.mark.parametrize("named", ['"another"', 'W/"another"', "Wed, 21 Oct 2015 07:28:00 GMT"])
def test_a_part_of_what_is_not_the_same_any_more_is_the_whole(named: str) -> None:
    assert body(asked(range="bytes=5-", if_range=named)) == CONTENT


def test_who_asks_for_the_head_alone_is_told_of_the_whole() -> None:
    answer = asked("head", range="bytes=0-9")
    assert (answer.status_code, answer["Content-Length"]) == (200, str(len(CONTENT)))


def test_a_part_of_what_is_not_there_is_not_found() -> None:
    for headers in ({}, {"range": "bytes=5-"}):
        with pytest.raises(Http404):
            asked(key=storage.working_key("0" * 64), **headers)


def test_what_is_made_anew_in_another_way_has_another_tag(monkeypatch: pytest.MonkeyPatch) -> None:
    """A part of the one must not be put behind a part of the other."""
    key = storage.derivative_key(SHA, "full.jpg")
    storage.put_bytes(key, CONTENT)
    etag = asked(key=key, public=True)["ETag"]
    monkeypatch.setattr(pictures, "PIPELINE", PIPELINE + 1)
    answer = asked(key=key, public=True, range="bytes=5-", if_range=etag)
    assert (answer.status_code, body(answer)) == (200, CONTENT)


@pytest.mark.parametrize("wanted", [{"range": "bytes=999999-"}, {"if_match": '"another"'}])
def test_no_cache_on_the_way_keeps_a_refusal_for_the_next(wanted: dict[str, str]) -> None:
    answer = asked(public=True, **wanted)
    assert answer.status_code in (412, 416)
    assert answer["Cache-Control"] == "private, no-store"


def test_a_time_is_not_heeded_of_what_has_none() -> None:
    assert body(asked(if_unmodified_since="Wed, 21 Oct 2015 07:28:00 GMT")) == CONTENT
