"""A large file of which all has arrived is never lost, whoever is away or dies."""

from __future__ import annotations

import base64
import contextlib
import errno
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from archive import arriving, ingest, storage, uploading
from archive.arriving import ChecksumDiffers
from archive.lifecycle import PhotoState, UploadState
from archive.models import Collection, Photo, Upload
from archive.places import StorageAway
from tests.archive.scans import scan

SCAN = scan(7, height=300, width=400)
TUS = {"Tus-Resumable": "1.0.0"}
BYTES = "application/offset+octet-stream"


@pytest.fixture(autouse=True)
def rung(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The uploads for which a worker was called."""
    called: list[int] = []
    monkeypatch.setattr("archive.tasks._send", lambda _photo_id: None)
    monkeypatch.setattr("archive.tasks.ring_upload", lambda *, upload_id, now: _ring(called, now))
    return called


def _ring(called: list[int], now: Any) -> None:
    Upload.objects.update(rung_at=now)
    called.append(1)


@pytest.fixture(autouse=True)
def folder(bytes_in_folder: Path) -> Path:
    return bytes_in_folder


def begun(client: Client, box: Collection, *told: str) -> Any:
    address = reverse("archive:uploads", args=[box.slug])
    said = {"Upload-Length": str(len(SCAN)), "Upload-Metadata": ",".join(told)}
    return client.post(address, headers=TUS | said)


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.fixture
def upload(cora: Client, box: Collection) -> Upload:
    """All of it is here, and no worker has hashed it."""
    url = begun(cora, box)["Location"]
    cora.patch(url, SCAN, content_type=BYTES, headers=TUS | {"Upload-Offset": "0"})
    return Upload.objects.get(state=UploadState.WHOLE)


@pytest.fixture
def unfinished(cora: Client, box: Collection, monkeypatch: pytest.MonkeyPatch) -> str:
    """The last byte is here, and the request that brought it died before it could say so."""
    url: str = begun(cora, box)["Location"]

    def killed(**_words: Any) -> None:
        raise SystemExit

    with monkeypatch.context() as death:
        death.setattr(uploading, "finish_upload", killed)
        with pytest.raises(SystemExit):
            cora.patch(url, SCAN, content_type=BYTES, headers=TUS | {"Upload-Offset": "0"})
    assert Upload.objects.get().state == UploadState.ARRIVING
    return url


def settled(upload: Upload, **later: float) -> Upload:
    now = timezone.now() + timedelta(**later)
    uploading.settle_upload(upload_id=upload.pk, now=now)
    upload.refresh_from_db()
    return upload


# --- whoever is away ------------------------------------------------------------------------------
def test_a_storage_that_is_away_for_hours_costs_no_try_and_no_byte(
    upload: Upload, monkeypatch: pytest.MonkeyPatch, rung: list[int]
) -> None:
    @contextlib.contextmanager
    def away(_key: str) -> Iterator[Path]:
        raise StorageAway(errno.ENOSPC, "No space left on device")
        yield

    with monkeypatch.context() as outage:
        outage.setattr(storage, "local", away)
        for minutes in range(1, 60, 11):
            now_whole = settled(upload, minutes=minutes)
            assert (now_whole.state, now_whole.attempts) == (UploadState.WHOLE, 0)
            rung.clear()
            later = timezone.now() + timedelta(minutes=minutes + 1)
            assert uploading.sweep_uploads(now=later) == len(rung) == 1
    assert settled(upload, hours=2).state == UploadState.TAKEN


def test_a_disk_that_is_not_mounted_has_lost_nothing(upload: Upload, folder: Path) -> None:
    there = folder.rename(folder.parent / "elsewhere")
    assert settled(upload).state == UploadState.WHOLE
    folder.mkdir()
    assert settled(upload).state == UploadState.WHOLE
    folder.rmdir()
    there.rename(folder)
    assert settled(upload).state == UploadState.TAKEN


def test_bytes_that_are_gone_are_said_to_be_gone(upload: Upload) -> None:
    storage.delete(arriving.key(upload.ref))
    assert (settled(upload).state, upload.why) == (UploadState.REFUSED, "lost-bytes")


def test_a_scan_whose_bytes_are_gone_comes_back_when_it_is_sent_again(
    upload: Upload, cora: Client, box: Collection
) -> None:
    photo = settled(upload).photo
    assert photo is not None
    storage.delete(storage.incoming_key(photo.sha256))
    ingest.read_photo(photo_id=photo.pk)
    assert Photo.objects.get().quarantine_code == "lost-bytes"
    url = begun(cora, box)["Location"]
    cora.patch(url, SCAN, content_type=BYTES, headers=TUS | {"Upload-Offset": "0"})
    again = settled(Upload.objects.get(state=UploadState.WHOLE))
    assert (again.state, again.photo) == (UploadState.TAKEN, photo)
    assert Photo.objects.get().state == PhotoState.READING
    ingest.read_photo(photo_id=photo.pk)
    assert Photo.objects.get().state == PhotoState.READY


def test_three_lost_workers_make_it_wait_longer_and_throw_nothing_away(
    upload: Upload, rung: list[int]
) -> None:
    now = timezone.now()
    Upload.objects.update(settling_since=now, rung_at=now, attempts=3)
    rung.clear()
    assert uploading.sweep_uploads(now=now + timedelta(minutes=20)) == 0
    assert uploading.sweep_uploads(now=now + timedelta(minutes=61)) == len(rung) == 1
    assert settled(upload, minutes=61).state == UploadState.TAKEN


# --- whoever dies ---------------------------------------------------------------------------------
@pytest.mark.parametrize("asks", ["head", "get"])
def test_who_asks_how_far_it_is_finishes_what_its_last_request_could_not(
    cora: Client, unfinished: str, rung: list[int], asks: str
) -> None:
    answer = getattr(cora, asks)(unfinished, headers=TUS)
    assert answer.status_code == 200
    upload = Upload.objects.get()
    assert (upload.state, len(rung)) == (UploadState.WHOLE, 1)
    assert settled(upload).state == UploadState.TAKEN
    assert Photo.objects.get() == upload.photo


def test_the_sweep_finishes_it_instead_of_ending_it(
    unfinished: str, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = timezone.now() + timedelta(hours=settings.UPLOAD_HOURS + 1)

    def away(_ref: str) -> int:
        raise StorageAway("the disk does not answer")

    with monkeypatch.context() as outage:
        outage.setattr(arriving, "settled_length", away)
        assert uploading.sweep_uploads(now=late) == 0
    assert Upload.objects.get().state == UploadState.ARRIVING
    assert uploading.sweep_uploads(now=late) == 1
    assert settled(Upload.objects.get()).state == UploadState.TAKEN


def test_it_is_never_seen_whole_before_its_checksum_is_known_to_be_right(
    cora: Client, box: Collection
) -> None:
    url = begun(cora, box)["Location"]
    upload = Upload.objects.get()

    def chunks() -> Iterator[bytes]:
        yield SCAN[:-1]
        yield SCAN[-1:]
        cora.head(url, headers=TUS)  # somebody asks just then
        yield b""

    with pytest.raises(ChecksumDiffers):
        uploading.add_bytes(
            upload=upload,
            chunks=chunks(),
            offset=0,
            checksum=("sha1", b"another one"),
            now=timezone.now(),
        )
    assert cora.head(url, headers=TUS)["Upload-Offset"] == "0"
    assert Upload.objects.get().state == UploadState.ARRIVING


# --- what was promised ----------------------------------------------------------------------------
@pytest.mark.parametrize("said", ["a" * 65, "a" * 63, "g" * 64, "a\0b", "ａ" * 64])
def test_a_sha256_that_is_none_is_refused_with_a_sentence(
    cora: Client, box: Collection, folder: Path, said: str
) -> None:
    answer = begun(cora, box, f"sha256 {encoded(said)}")
    assert (answer.status_code, answer.json()["code"]) == (400, "no-sha256")
    assert "64 digits" in answer.json()["message"]
    assert not Upload.objects.exists()
    assert not (folder / "arriving").exists()


def test_capital_letters_do_for_a_sha256(cora: Client, box: Collection) -> None:
    assert begun(cora, box, f"sha256 {encoded('A' * 64)}").status_code == 201
    assert Upload.objects.get().promised_sha256 == "a" * 64
