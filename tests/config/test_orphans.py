"""Stored files that no row names: listed, set aside when asked, and never one that is wanted."""

from __future__ import annotations

import hashlib
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connections, models, transaction

from archive import forwarding, ingest, places, storage
from archive.actions import receive_scan
from archive.models import Collection, Event, Photo
from config import naming, orphans, rows
from restoration.holdings import named
from restoration.models import Draft
from tests import factories
from tests.archive.scans import scan
from tests.factories import NOW
from tests.people import cast, person

DAY = timedelta(days=1)
WEEK = timedelta(days=7)


def put(key: Any, content: bytes) -> str:
    sha256 = hashlib.sha256(content).hexdigest()
    storage.put_bytes(key(sha256), content)
    return str(key(sha256))


def keys() -> set[str]:
    return {each.key for each in places.listing(default_storage)}


def age(key: str, by: timedelta = timedelta(days=30)) -> None:
    then = (datetime.now(UTC) - by).timestamp()
    os.utime(default_storage.path(key), (then, then))


def later(days: int = 30) -> datetime:
    """A bucket's dates cannot be changed, so the clock is."""
    return datetime.now(UTC) + timedelta(days=days)


def run(**options: Any) -> str:
    out = StringIO()
    call_command("orphans", stdout=out, stderr=out, **options)
    return out.getvalue()


def fields_of(model: Any) -> list[Any]:
    return list(model._meta.local_concrete_fields)


# --- which are orphans ---------------------------------------------------------------------------
@pytest.mark.django_db
def test_what_no_row_names_is_listed_and_what_any_row_names_is_not(kept_bytes: str) -> None:
    photo = factories.photo(factories.collection(), bytes_too=True)
    lost = {put(storage.original_key, b"lost"), put(storage.sheet_key, b"a mask of nobody")}
    lost.add(storage.derivative_key("f" * 64, "400.jpg"))
    storage.put_bytes(storage.derivative_key("f" * 64, "400.jpg"), b"small")
    event = put(storage.sheet_key, b"named by an event")
    Event.objects.create(verb="x", at=NOW, facts={"deep": [{"sha": naming.digest_in(event)}]})
    draft = put(storage.incoming_key, b"named by a draft")
    body = {"mask": f"sheet:{naming.digest_in(draft)}"}
    Draft.objects.create(photo=photo, volunteer=person("vera"), body=body, saved_at=NOW)
    found = orphans.find(now=later(), older=WEEK)
    assert {each.key for each in found.orphans} == lost
    assert (found.halves, found.uploads, found.strangers, found.aside) == ([], [], [], [])
    assert not {each.key for each in found.orphans} & set(named())


@pytest.mark.django_db
def test_a_row_of_any_table_that_can_hold_a_digest_protects_its_bytes() -> None:
    """Asked of each text column there is: also of those of tables that are yet to come."""
    able = {
        rows.label(model): columns
        for model in apps.get_models(include_auto_created=True)
        if (
            columns := [f.attname for f in model._meta.local_concrete_fields if naming._may_name(f)]
        )
    }
    for needed in ("archive.Original", "archive.Event", "restoration.Version", "restoration.Draft"):
        assert needed in able
    long = [
        (model, field)
        for model in apps.get_models(include_auto_created=True)
        for field in fields_of(model)
        if isinstance(field, models.TextField | models.JSONField) and model._meta.managed
    ]
    assert all(field.attname in able[rows.label(model)] for model, field in long)
    left_out = set(able) - {rows.label(each) for each in rows.tables()}
    # Of these no digest keeps a file: what a rendition names, and a kept page, is made again.
    assert left_out <= rows.LEFT_OUT
    assert left_out <= {"sessions.Session", "archive.Rendition", "exhibit.KeptPage"}


@pytest.mark.django_db
def test_the_young_are_left_alone_and_a_day_is_the_least(bytes_in_folder: Path) -> None:
    put(storage.original_key, b"just came")
    assert orphans.find(now=datetime.now(UTC), older=DAY).orphans == []
    with pytest.raises(CommandError, match="younger than a day"):
        run(older=0, delete=True)
    assert len(keys()) == 1


@pytest.mark.django_db
def test_listing_changes_nothing(bytes_in_folder: Path) -> None:
    key = put(storage.original_key, b"lost")
    age(key)
    told = run()
    assert key in told
    assert "1 files that no row names (4 bytes): 1 of originals" in told
    assert keys() == {key}


# --- clearing away -------------------------------------------------------------------------------
@pytest.mark.django_db
def test_an_orphan_is_set_aside_first_and_gone_a_day_later(
    kept_bytes: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orphans, "GRACE", 0)
    kept = factories.photo(factories.collection(), bytes_too=True)
    wanted = keys()
    key = put(storage.original_key, b"lost")
    *_steps, done = orphans.clear(orphans.find(now=later(), older=WEEK))
    assert done == orphans.Cleared(aside=1)
    assert keys() == wanted | {orphans.ASIDE + key}
    again = orphans.find(now=datetime.now(UTC), older=WEEK)
    assert (again.orphans, again.aside) == ([], [])
    *_steps, done = orphans.clear(orphans.find(now=later(2), older=WEEK))
    assert done == orphans.Cleared(gone=1, bytes=4)
    assert keys() == wanted
    with storage.open_key(storage.original_key(kept.sha256)) as stream:
        assert stream.read()


@pytest.mark.django_db
def test_what_is_named_again_comes_back(bytes_in_folder: Path) -> None:
    key = put(storage.sheet_key, b"lost for a while")
    age(key)
    run(delete=True)
    assert keys() == {orphans.ASIDE + key}
    Event.objects.create(verb="x", at=NOW, facts={"sheet": naming.digest_in(key)})
    assert "1 put back" in run(delete=True)
    assert keys() == {key}


@pytest.mark.django_db
def test_halves_of_killed_writers_go_and_strange_files_stay(bytes_in_folder: Path) -> None:
    half, strange = "originals/ab/cd/.part-x1", "notes from the director.txt"
    for key in (half, strange):
        (bytes_in_folder / key).parent.mkdir(parents=True, exist_ok=True)
        (bytes_in_folder / key).write_bytes(b"123")
        age(key)
    told = run(delete=True)
    assert "1 half files" in told
    assert f"not ours, left alone: {strange}" in told
    assert keys() == {strange}


@pytest.mark.django_db
@pytest.mark.usefixtures("bytes_in_s3")
def test_unfinished_uploads_of_a_bucket_are_ended() -> None:
    default_storage.bucket.Object("originals/x").initiate_multipart_upload()  # type: ignore[attr-defined]
    found = orphans.find(now=later(), older=WEEK)
    assert [each.key for each in found.uploads] == ["originals/x"]
    list(orphans.clear(found))
    assert list(places.unfinished(default_storage)) == []


@pytest.mark.django_db
def test_nothing_is_cleared_while_the_bytes_move_house(
    bytes_in_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "new").mkdir()
    forwarding.leave(default_storage, forwarding.Note(str(tmp_path / "new"), moved=False))
    with pytest.raises(CommandError, match="are moving"):
        run(delete=True)


# --- races with whoever stores the same file -----------------------------------------------------
def received(box: Collection, by: Any) -> Photo:
    return receive_scan(collection=box, chunks=[scan()], filename="a.jpg", by=by, now=NOW)[0]


@pytest.mark.django_db
def test_a_file_that_is_stored_again_counts_as_new_before_its_row_is_there(
    bytes_in_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The orphan of yesterday's killed upload is sent again, and its row is not yet in."""
    monkeypatch.setattr("archive.tasks._send", lambda _photo_id: None)
    key = put(storage.incoming_key, scan())
    age(key)
    found = orphans.find(now=datetime.now(UTC), older=WEEK)
    assert [each.key for each in found.orphans] == [key]
    people, box = cast(), factories.collection()
    put(storage.incoming_key, scan())  # what receive_scan does before it writes the row
    list(orphans.clear(found))
    assert keys() == {key}
    photo = received(box, people.sten)
    ingest.read_photo(photo_id=photo.pk)
    assert storage.exists(storage.original_key(photo.sha256))


@pytest.mark.django_db
def test_a_row_that_comes_while_its_file_is_set_aside_brings_it_back(
    bytes_in_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = put(storage.sheet_key, b"named in the last moment")
    age(key)
    touch = places.touch

    def named_meanwhile(place: Any, aside: str) -> bool:
        Event.objects.create(verb="x", at=NOW, facts={"sheet": naming.digest_in(key)})
        return touch(place, aside)

    monkeypatch.setattr(places, "touch", named_meanwhile)
    *_steps, done = orphans.clear(orphans.find(now=datetime.now(UTC), older=WEEK))
    assert done == orphans.Cleared(back=1)
    assert keys() == {key}


@pytest.mark.slow
@pytest.mark.usefixtures("on_postgres", "bytes_in_folder")
def test_clearing_away_again_and_again_takes_nothing_from_a_running_ingest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Every file lies there as an old orphan when it is sent; rows wait before they commit."""
    monkeypatch.setattr("archive.tasks._send", lambda _photo_id: None)
    people, box = cast(), factories.collection()
    contents = [b"scan %d" % number for number in range(60)]
    for content in contents:
        age(put(storage.incoming_key, content))
    waiting, over = iter(contents), threading.Event()
    lock = threading.Lock()

    def send() -> None:
        while content := taken():
            with transaction.atomic():
                receive_scan(
                    collection=box, chunks=[content], filename="a", by=people.sten, now=NOW
                )
                threading.Event().wait(0.02)
        connections.close_all()

    def taken() -> bytes | None:
        with lock:
            return next(waiting, None)

    def sweep() -> int:
        rounds = 0
        while not over.is_set():
            list(orphans.clear(orphans.find(now=datetime.now(UTC), older=DAY)))
            rounds += 1
        connections.close_all()
        return rounds

    with ThreadPoolExecutor(6) as hands:
        sweepers = [hands.submit(sweep) for _ in range(2)]
        for each in [hands.submit(send) for _ in range(4)]:
            each.result()
        over.set()
    assert sum(each.result() for each in sweepers) > 2
    assert Photo.objects.count() == len(contents)
    assert set(named()) <= keys()
