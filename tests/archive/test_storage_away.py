"""A storage that is slow, breaks off or refuses: a clear sentence, and nothing lost."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from rest_framework.authtoken.models import Token

from archive import places, storage
from archive.actions import receive_scan
from archive.models import Photo
from tests.archive.scans import scan
from tests.factories import NOW, collection
from tests.people import cast
from tests.services.lines import BadLine

pytestmark = pytest.mark.django_db
CONTENT = b"the bytes of a scan"
KEY = storage.original_key("c" * 64)
SENTENCE = "does not answer now. Nothing was lost"


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests need not wait for as long as people would."""
    monkeypatch.setattr("archive.bucket.READ", 0.5)
    monkeypatch.setattr("archive.bucket.TRIES", 2)
    monkeypatch.setattr("archive.tasks._send", lambda _photo_id: None)


def read(key: str) -> bytes:
    with storage.open_key(key) as stream:
        return stream.read()


def test_a_service_that_refuses_once_is_asked_again(bad_line: BadLine) -> None:
    storage.put_bytes(KEY, CONTENT)
    bad_line.is_refusing = True
    before = bad_line.asked
    with pytest.raises(storage.StorageAway):
        read(KEY)
    assert bad_line.asked >= before + 2
    bad_line.mend()
    assert read(KEY) == CONTENT


@pytest.mark.parametrize(
    "trouble", ["refuses", "is closed", pytest.param("is slow", marks=pytest.mark.slow), "is cut"]
)
def test_each_trouble_is_told_as_one_and_never_as_a_missing_or_shorter_file(
    bad_line: BadLine, trouble: str
) -> None:
    storage.put_bytes(KEY, os.urandom(500_000))
    whole = read(KEY)
    match trouble:
        case "refuses":
            bad_line.is_refusing = True
        case "is closed":
            bad_line.is_closed = True
        case "is slow":
            bad_line.delay = 1.5
        case _:
            bad_line.cut_after = 60_000
    asks: list[Any] = [read] if trouble == "is cut" else [read, storage.exists, storage.size]
    for ask in asks:
        with pytest.raises(storage.StorageAway):
            ask(KEY)
    bad_line.mend()
    assert read(KEY) == whole


def test_a_slow_service_is_waited_for(bad_line: BadLine) -> None:
    bad_line.delay = 0.2
    storage.put_bytes(KEY, CONTENT)
    assert read(KEY) == CONTENT


def test_a_scan_that_cannot_be_kept_makes_no_photo_and_goes_in_later(bad_line: BadLine) -> None:
    people, box = cast(), collection()
    bad_line.is_refusing = True
    told: dict[str, Any] = {"collection": box, "filename": "a.jpg", "by": people.sten, "now": NOW}
    with pytest.raises(storage.StorageAway):
        receive_scan(chunks=[scan()], **told)
    assert not Photo.objects.exists()
    bad_line.mend()
    assert list(places.listing(default_storage)) == []
    photo, new = receive_scan(chunks=[scan()], **told)
    assert new
    assert read(storage.incoming_key(photo.sha256)) == scan()


def test_people_and_programs_are_told_so_in_their_language(
    bad_line: BadLine, client: Client
) -> None:
    people, box = cast(), collection()
    bad_line.is_refusing = True
    client.force_login(people.sten)
    upload = reverse("archive:upload", args=[box.slug])
    send = reverse("archive:receive", args=[box.slug])
    sent = {"files": SimpleUploadedFile("a.jpg", scan(), "image/jpeg")}
    answer = client.post(send, sent, follow=True, headers={"referer": upload})
    assert SENTENCE in answer.text
    chinese = {"accept-language": "zh-hans", "accept": "application/json"}
    sent = {"files": SimpleUploadedFile("a.jpg", scan(), "image/jpeg")}
    answer = client.post(send, sent, headers=chinese)
    assert (answer.status_code, answer["Retry-After"]) == (503, "60")
    assert answer.json()["code"] == "storage-away"
    assert "没有丢失" in answer.json()["message"]
    token = {"authorization": f"Token {Token.objects.create(user=people.sten).key}"}
    answer = Client().post(
        f"/api/v1/collections/{box.slug}/scans", {"file": io.BytesIO(scan())}, headers=token
    )
    assert (answer.status_code, answer["Retry-After"]) == (503, "60")
    assert answer.json()["code"] == "storage-away"
    assert not Photo.objects.exists()


def test_a_disk_that_is_full_or_gone_is_told_the_same_way(
    bytes_in_folder: Path, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    people, box = cast(), collection()
    client.force_login(people.sten)
    upload = reverse("archive:upload", args=[box.slug])
    send = reverse("archive:receive", args=[box.slug])
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        sent = {"files": SimpleUploadedFile("a.jpg", scan(), "image/jpeg")}
        answer = client.post(send, sent, follow=True, headers={"referer": upload})
    assert SENTENCE in answer.text
    assert not Photo.objects.exists()
    assert list(places.listing(default_storage)) == []


def test_a_picture_that_cannot_be_had_is_asked_for_again_and_kept_by_no_cache(
    bytes_in_folder: Path, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    people, box = cast(), collection()
    photo, _new = receive_scan(
        collection=box, chunks=[scan()], filename="a.jpg", by=people.sten, now=NOW
    )
    from archive import ingest

    ingest.read_photo(photo_id=photo.pk)
    client.force_login(people.sten)

    def gone(*_words: Any) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(type(default_storage), "_open", gone, raising=False)
    monkeypatch.setattr("django.core.files.storage.FileSystemStorage._open", gone)
    answer = client.get(reverse("archive:picture", args=[photo.ref, "400.jpg"]))
    assert (answer.status_code, answer["Cache-Control"]) == (503, "no-store")
    assert SENTENCE in answer.text
