"""Two who read the same bytes at once: none takes them from under the other."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from archive import decode, ingest, storage
from archive.actions import answer_pages, receive_scan
from archive.lifecycle import PhotoState
from archive.models import Collection, Photo
from tests import factories
from tests.archive.scans import scan, tiff
from tests.people import person
from tests.races.together import together


@pytest.fixture(autouse=True)
def _in_a_folder(bytes_in_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where one reader's path is the other's; what comes from a bucket is a copy of one's own."""
    monkeypatch.setattr("archive.tasks._send", lambda _photo_id: None)


def received(content: bytes, *boxes: Collection) -> list[Photo]:
    sten = person("sten", is_steward=True)
    return [
        receive_scan(
            collection=box, chunks=[content], filename="scan", by=sten, now=timezone.now()
        )[0]
        for box in boxes
    ]


def meanwhile(monkeypatch: pytest.MonkeyPatch, what: Any, *, before: bool = False) -> None:
    """Do something once, while the next file is being decoded."""
    real = decode.read

    def read(path: Path, **words: Any) -> decode.Decoded:
        monkeypatch.setattr(decode, "read", real)
        if before:
            what()
        found = real(path, **words)
        if not before:
            what()
        return found

    monkeypatch.setattr(decode, "read", read)


@pytest.mark.django_db
def test_a_page_that_is_read_while_another_is_takes_nothing_from_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (photo,) = received(tiff(2), factories.collection())
    ingest.read_photo(photo_id=photo.pk)
    photo.refresh_from_db()
    sten = person("sten2", is_steward=True)
    answer_pages(photo=photo, pages="photos", by=sten, now=timezone.now())
    one, two = Photo.objects.order_by("page")
    meanwhile(monkeypatch, partial(ingest.read_photo, photo_id=one.pk))
    ingest.read_photo(photo_id=two.pk)
    assert set(Photo.objects.values_list("state", "quarantine_code")) == {(PhotoState.READY, "")}
    assert storage.exists(storage.original_key(photo.sha256))
    assert not storage.exists(storage.incoming_key(photo.sha256))


@pytest.mark.django_db
@pytest.mark.parametrize("before", [True, False])
def test_bytes_that_were_taken_from_under_a_reader_are_read_where_they_are_kept(
    monkeypatch: pytest.MonkeyPatch, before: bool
) -> None:
    (photo,) = received(scan(), factories.collection())

    def carried_on() -> None:
        storage.put_bytes(storage.original_key(photo.sha256), scan())
        storage.delete(storage.incoming_key(photo.sha256))

    meanwhile(monkeypatch, carried_on, before=before)
    ingest.read_photo(photo_id=photo.pk)
    photo.refresh_from_db()
    assert (photo.state, photo.quarantine_code) == (PhotoState.READY, "")


@pytest.mark.django_db
def test_a_file_that_is_bad_is_not_blamed_on_anybody_else() -> None:
    (photo,) = received(b"<html>", factories.collection())
    ingest.read_photo(photo_id=photo.pk)
    photo.refresh_from_db()
    assert photo.quarantine_code == "not-a-picture"
    assert storage.exists(storage.incoming_key(photo.sha256))


@pytest.mark.slow
@pytest.mark.usefixtures("on_postgres")
def test_the_same_file_in_two_collections_is_read_for_both_at_once() -> None:
    boxes = [factories.collection(), factories.collection()]
    photos = received(scan(3, height=300, width=400), *boxes)
    assert together([partial(ingest.read_photo, photo_id=each.pk) for each in photos]) == [None] * 2
    assert set(Photo.objects.values_list("state", "quarantine_code")) == {(PhotoState.READY, "")}
    assert not storage.exists(storage.incoming_key(photos[0].sha256))
