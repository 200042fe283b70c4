"""The same archive when its bytes lie in a bucket of a real S3 service."""

from __future__ import annotations

import urllib.error
import urllib.request
from typing import Any

import pytest
from django.http import FileResponse
from django.test import Client, RequestFactory
from django.urls import reverse

from archive import ingest, pictures, storage
from archive.actions import receive_scan
from archive.lifecycle import PhotoState
from tests.archive.scans import scan
from tests.factories import NOW, collection
from tests.people import cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def in_a_bucket(s3_bucket: dict[str, str], settings: Any) -> None:
    settings.STORAGES = settings.STORAGES | {
        "default": {
            "BACKEND": "storages.backends.s3.S3Storage",
            "OPTIONS": {
                "bucket_name": s3_bucket["REKINDLE_S3_BUCKET"],
                "endpoint_url": s3_bucket["REKINDLE_S3_ENDPOINT"],
                "access_key": s3_bucket["REKINDLE_S3_KEY"],
                "secret_key": s3_bucket["REKINDLE_S3_SECRET"],
                "region_name": s3_bucket["REKINDLE_S3_REGION"],
                "addressing_style": "path",
                "signature_version": "s3v4",
                "default_acl": None,
                "querystring_auth": True,
                "querystring_expire": 600,
                "file_overwrite": False,
            },
        }
    }


@pytest.mark.usefixtures("in_a_bucket")
def test_a_scan_is_received_read_and_shown_from_a_bucket(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("archive.tasks._send", lambda _photo_id: None)
    people, box = cast(), collection()
    photo, _new = receive_scan(
        collection=box, chunks=[scan()], filename="开幕式.jpg", by=people.sten, now=NOW
    )
    ingest.read_photo(photo_id=photo.pk)
    photo.refresh_from_db()
    assert photo.state == PhotoState.READY
    assert not storage.exists(storage.incoming_key(photo.sha256))

    client.force_login(people.sten)
    answer = client.get(reverse("archive:picture", args=[photo.ref, "400.jpg"]))
    assert answer.status_code == 302
    assert answer["Cache-Control"] == "private, max-age=300"
    with urllib.request.urlopen(answer["Location"]) as picture:
        assert picture.headers["Content-Type"] == "image/jpeg"
        assert picture.read(3) == b"\xff\xd8\xff"

    answer = client.get(reverse("archive:original", args=[photo.ref]))
    with urllib.request.urlopen(answer["Location"]) as original:
        assert original.read() == scan()
        assert original.headers["Content-Disposition"].startswith("attachment")

    without_signature = answer["Location"].partition("?")[0]
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(without_signature)
    assert refused.value.code in (400, 401, 403)  # services differ in how they say no


@pytest.mark.usefixtures("in_a_bucket")
def test_what_a_script_reads_is_given_by_the_site_itself(rf: RequestFactory) -> None:
    key = storage.sheet_key("0" * 64)
    storage.put_bytes(key, b"pixels")
    told: dict[str, Any] = {"content_type": "image/png", "public": False, "request": rf.get("/")}
    assert pictures.respond(key, **told).status_code == 302
    answer = pictures.respond(key, **told, for_script=True)
    assert isinstance(answer, FileResponse)
    assert (answer.status_code, b"".join(answer)) == (200, b"pixels")
    assert answer["Cache-Control"] == pictures.PRIVATE
