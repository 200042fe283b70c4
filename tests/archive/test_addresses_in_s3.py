"""Addresses at a real S3 service: for minutes, for one object, and for nobody who made them up."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.files.storage import default_storage

from archive import storage

CONTENT = b"the bytes of a scan"
SHA, OTHER = "c" * 64, "e" * 64
KEY = storage.original_key(SHA)
# Services differ in how they say no: an unsigned request is no S3 request to Swift, so it says 400
# or 412 where others say 403, and 501 to a verb it does not know. Not found would be a leak.
REFUSALS = {400, 401, 403, 412, 501}


@pytest.fixture(autouse=True)
def _two_scans(bytes_in_s3: dict[str, str]) -> None:
    storage.put_bytes(KEY, CONTENT)
    storage.put_bytes(storage.original_key(OTHER), b"another")


def asked(url: str, method: str = "GET") -> int | bytes:
    """What the service answers: the bytes, or the state with which it refuses."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method=method)) as answer:
            return bytes(answer.read())
    except urllib.error.HTTPError as refused:
        return refused.code


def test_an_address_works_for_its_object_and_its_time() -> None:
    address = storage.presigned(KEY, {})
    assert parse_qs(urlsplit(address).query)["X-Amz-Expires"] == ["600"]
    assert asked(address) == CONTENT


def test_nothing_is_reached_without_a_signature() -> None:
    bare = storage.presigned(KEY, {}).partition("?")[0]
    bucket = bare.partition("/originals/")[0]
    for url in (bare, bucket, f"{bucket}?list-type=2", f"{bucket}?uploads"):
        assert asked(url) in REFUSALS, url
    assert asked(bare, "DELETE") in REFUSALS
    assert asked(bare, "PUT") in REFUSALS


def test_an_address_is_good_for_one_object_and_for_reading_only() -> None:
    address = storage.presigned(KEY, {})
    assert asked(address.replace(SHA, OTHER)) in REFUSALS
    for method in ("PUT", "DELETE", "POST"):
        assert asked(address, method) in REFUSALS, method
    assert asked(address) == CONTENT


@pytest.mark.parametrize("part", ["X-Amz-Signature", "X-Amz-Expires", "X-Amz-Date"])
def test_a_forged_address_is_refused(part: str) -> None:
    address = storage.presigned(KEY, {})
    value = parse_qs(urlsplit(address).query)[part][0]
    changed = value.replace(value[-2], "1" if value[-2] != "1" else "2")
    assert asked(address.replace(f"{part}={value}", f"{part}={changed}")) in REFUSALS


def test_an_address_cannot_be_made_to_answer_with_another_content_type() -> None:
    address = storage.presigned(KEY, {"ResponseContentType": "image/jpeg"})
    assert asked(address) == CONTENT
    assert asked(address.replace("image%2Fjpeg", "text%2Fhtml")) in REFUSALS


@pytest.mark.slow
def test_an_expired_address_is_refused() -> None:
    address = default_storage.url(KEY, expire=1)  # type: ignore[call-arg]
    assert asked(address) == CONTENT
    time.sleep(2.1)
    assert asked(address) in REFUSALS
