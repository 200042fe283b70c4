"""Uploads that have arrived whole are in a backup, hashed yet or not."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone

from archive import arriving, ingest, places, storage, uploading
from archive.lifecycle import UploadState
from archive.models import Photo, Upload
from config import backup
from tests import factories
from tests.archive.scans import scan
from tests.factories import NOW
from tests.people import person
from tests.services import databases

SCAN = scan(7, height=300, width=400)


@pytest.fixture(autouse=True)
def _no_bells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archive.tasks._send", lambda _photo_id: None)
    monkeypatch.setattr("archive.tasks._send_upload", lambda _upload_id: None)


@pytest.fixture
def place(on_sqlite_file: str, bytes_in_folder: Path, tmp_path: Path) -> Any:
    (tmp_path / "backup").mkdir()
    return backup.at(str(tmp_path / "backup"))


@pytest.fixture
def upload(place: Any) -> Upload:
    factories.photo(factories.collection(), bytes_too=True)
    made = uploading.begin_upload(
        collection=factories.collection(),
        filename="x.jpg",
        size=len(SCAN),
        by=person("sten", is_steward=True),
        now=timezone.now(),
    )
    uploading.add_bytes(upload=made, chunks=[SCAN], offset=0, now=timezone.now())
    return made


def comes_back(place: Any, tmp_path: Path) -> None:
    """The disk and the database are lost; the upload is settled at the new place."""
    for each in list(places.listing(default_storage)):
        places.remove(default_storage, each.key)
    with databases.rows_in(f"sqlite:///{tmp_path / 'new.sqlite3'}"):
        backup.restore(place, say=lambda _line: None)
        upload = Upload.objects.get()
        assert upload.state == UploadState.WHOLE
        uploading.settle_upload(upload_id=upload.pk, now=timezone.now())
        upload.refresh_from_db()
        assert upload.state == UploadState.TAKEN
        assert upload.photo is not None
        ingest.read_photo(photo_id=upload.photo.pk)
        with storage.open_key(storage.original_key(upload.sha256)) as stream:
            assert stream.read() == SCAN


@pytest.mark.slow
def test_one_that_nobody_has_hashed_comes_back(upload: Upload, place: Any, tmp_path: Path) -> None:
    for again in range(2):  # the second finds its bytes in the place
        _stamp, manifest = backup.make(place, now=timezone.now() + timedelta(seconds=again))
        assert manifest.lacking == []
    comes_back(place, tmp_path)


@pytest.mark.slow
def test_one_that_is_hashed_comes_back(
    upload: Upload, place: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as death:
        death.setattr("archive.actions.adopt_scan", _killed)
        with pytest.raises(SystemExit):
            uploading.settle_upload(upload_id=upload.pk, now=NOW)
    assert not storage.exists(arriving.key(upload.ref))
    _stamp, manifest = backup.make(place, now=NOW)
    assert manifest.lacking == []
    comes_back(place, tmp_path)


def _killed(**_words: Any) -> None:
    raise SystemExit


@pytest.mark.slow
@pytest.mark.parametrize("how_far", ["came in", "was read"])
def test_one_that_goes_on_its_way_meanwhile_is_found(
    upload: Upload, place: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how_far: str
) -> None:
    keep = backup._keep_bytes

    def later(*args: Any, **words: Any) -> Any:
        uploading.settle_upload(upload_id=upload.pk, now=timezone.now())
        if how_far == "was read":
            ingest.read_photo(photo_id=Photo.objects.get(filename="x.jpg").pk)
        return keep(*args, **words)

    monkeypatch.setattr(backup, "_keep_bytes", later)
    _stamp, manifest = backup.make(place, now=NOW)
    assert manifest.lacking == []
    comes_back(place, tmp_path)
