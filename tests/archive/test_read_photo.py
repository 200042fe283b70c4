"""A worker reads what came in, and may be killed at any moment."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from archive import actions, batch, decode, ingest, storage
from archive.actions import READING_LEASE, receive_scan, sweep_readings
from archive.intake import Batch, BatchFile
from archive.lifecycle import FileOutcome, FileStep, PhotoState, SourceKind
from archive.models import Collection, Event, Original, Photo
from archive.sizes import NAMES
from tests.archive.scans import broken, scan
from tests.factories import NOW, collection
from tests.people import cast, person
from tests.services.need import ROOT


@pytest.fixture(autouse=True)
def bells(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    rung: list[int] = []
    monkeypatch.setattr("archive.tasks._send", rung.append)
    return rung


def received(box: Collection, content: bytes, by: Any = None) -> Photo:
    by = by or person(f"steward-of-{box.slug}", is_steward=True)
    photo, _new = receive_scan(
        collection=box, chunks=[content], filename="scan", by=by, now=timezone.now()
    )
    return photo


def read(photo: Photo) -> Photo:
    ingest.read_photo(photo_id=photo.pk)
    photo.refresh_from_db()
    return photo


@pytest.mark.django_db
def test_a_good_file_becomes_an_original_and_a_ready_photo() -> None:
    photo = read(received(collection(), scan()))
    assert (photo.state, photo.width, photo.height) == (PhotoState.READY, 90, 60)
    original = photo.original
    assert original is not None
    assert (original.sha256, original.size) == (photo.sha256, len(scan()))
    assert (original.media_type, original.bits, original.bands) == ("image/jpeg", 8, 3)
    with storage.open_key(storage.original_key(photo.sha256)) as stream:
        assert stream.read() == scan()
    assert not storage.exists(storage.incoming_key(photo.sha256))
    assert storage.exists(storage.working_key(photo.working_sha256))
    for name in NAMES:
        assert storage.exists(storage.derivative_key(photo.working_sha256, name))
    event = Event.objects.get(photo=photo, verb="photo.ready")
    assert event.facts == {
        "id": photo.pk,
        "sha256": photo.sha256,
        "size": len(scan()),
        "pages": 1,
    }


@pytest.mark.django_db
def test_a_bad_file_is_set_aside_with_its_reason_and_the_others_go_on() -> None:
    box = collection()
    steward = person("sten", is_steward=True)
    batch = [received(box, each, steward) for each in (scan(1), broken(), b"<html>", scan(2))]
    states = [read(photo).state for photo in batch]
    assert states == ["ready", "quarantined", "quarantined", "ready"]
    assert [photo.quarantine_code for photo in batch[1:3]] == ["truncated", "not-a-picture"]
    assert storage.exists(storage.incoming_key(batch[1].sha256))
    assert not storage.exists(storage.original_key(batch[1].sha256))


@pytest.mark.django_db
def test_the_doorbell_may_ring_twice() -> None:
    photo = read(received(collection(), scan()))
    read(photo)
    assert Event.objects.filter(photo=photo, verb="photo.ready").count() == 1
    assert photo.attempts == 1


@pytest.mark.django_db
def test_two_collections_share_one_original() -> None:
    steward = person("sten", is_steward=True)
    first = received(collection(), scan(), steward)
    second = received(collection(), scan(), steward)
    assert read(first).state == read(second).state == PhotoState.READY
    assert Original.objects.count() == 1


@pytest.mark.django_db
def test_another_reader_keeps_its_hands_off_while_the_lease_lasts() -> None:
    photo = received(collection(), scan())
    Photo.objects.filter(pk=photo.pk).update(reading_since=timezone.now(), attempts=1)
    assert read(photo).state == PhotoState.READING
    Photo.objects.filter(pk=photo.pk).update(reading_since=timezone.now() - READING_LEASE * 2)
    assert read(photo).state == PhotoState.READY


@pytest.mark.django_db
def test_a_reader_that_was_overtaken_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    photo = received(collection(), scan())
    settle = ingest._settle

    def overtaken(mine: Photo, *rest: Any) -> None:
        later = timezone.now() + timedelta(seconds=1)
        Photo.objects.filter(pk=mine.pk).update(reading_since=later)
        settle(mine, *rest)

    monkeypatch.setattr(ingest, "_settle", overtaken)
    assert read(photo).state == PhotoState.READING
    assert not Original.objects.exists()
    assert storage.exists(storage.incoming_key(photo.sha256))


@pytest.mark.django_db
def test_what_passes_is_tried_three_times_and_then_set_aside(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def slow(*_args: Any, **_words: Any) -> None:
        raise decode.Unreadable("took-too-long", {"seconds": 180})

    monkeypatch.setattr(decode, "read", slow)
    photo = received(collection(), scan())
    assert [read(photo).state for _ in range(3)] == ["reading", "reading", "quarantined"]
    assert photo.quarantine_code == "took-too-long"


@pytest.mark.django_db
def test_our_own_fault_is_logged_and_tried_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_args: Any) -> None:
        raise OSError("the disk is full")

    photo = received(collection(), scan())
    with monkeypatch.context() as full_disk:
        full_disk.setattr(storage, "put_file", full)
        assert read(photo).state == PhotoState.READING
    assert photo.reading_since is None
    assert "our fault" in caplog.text
    assert read(photo).state == PhotoState.READY


@pytest.mark.django_db
def test_bytes_that_are_gone_are_said_to_be_gone() -> None:
    photo = received(collection(), scan())
    storage.delete(storage.incoming_key(photo.sha256))
    assert read(photo).quarantine_code == "lost-bytes"


@pytest.mark.django_db
def test_a_disk_that_is_not_mounted_has_lost_nothing(bytes_in_folder: Path) -> None:
    photo = received(collection(), scan())
    there = bytes_in_folder.rename(bytes_in_folder.parent / "elsewhere")
    for _ in range(2):
        assert (read(photo).state, photo.attempts) == (PhotoState.READING, 0)
        assert photo.reading_since is None
    bytes_in_folder.mkdir()
    assert (read(photo).state, photo.attempts) == (PhotoState.READING, 0)
    bytes_in_folder.rmdir()
    there.rename(bytes_in_folder)
    assert read(photo).state == PhotoState.READY


@pytest.mark.django_db
def test_a_quarantined_file_can_be_read_again(bells: list[int]) -> None:
    people, box = cast(), collection()
    photo = received(box, scan(), people.sten)
    actions.quarantine_photo(photo=photo, code="worker-lost", facts={}, now=NOW)
    actions.read_again(photo=photo, by=people.sten, now=NOW)
    photo.refresh_from_db()
    assert (photo.state, photo.attempts, photo.quarantine_code) == ("reading", 0, "")
    assert read(photo).state == PhotoState.READY


# --- a batch whose hand died ---------------------------------------------------------------------
def taken_in(photo: Photo, held_by: str, **reading: Any) -> Batch:
    """A batch whose file became the photo, by the hand of that name."""
    told = {"kind": SourceKind.FOLDER, "state": "taking", "begun_at": NOW}
    made = Batch.objects.create(collection=photo.collection, **told)
    done = {"step": FileStep.SETTLED, "outcome": FileOutcome.NEW, "settled_at": NOW}
    BatchFile.objects.create(batch=made, photo=photo, place="a", held_by=held_by, **done)
    Photo.objects.filter(pk=photo.pk).update(**reading)
    return made


DEAD = f"{socket.gethostname()}:{2**22 + 1}"  # no process has so high a number


@pytest.mark.django_db
def test_a_hand_that_goes_on_for_a_dead_one_is_known_as_the_reader(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    photo = received(collection(), scan())
    work = taken_in(photo, DEAD, reading_since=timezone.now(), attempts=1)
    monkeypatch.setattr(ingest, "_read", lambda _photo: (_ for _ in ()).throw(SystemExit))
    with pytest.raises(SystemExit):
        batch._read_the_rest(work)
    photo.refresh_from_db()
    assert photo.attempts == 2
    batch._read_the_rest(work)  # another hand comes: it leaves the lease to the second, who lives
    assert Photo.objects.get(pk=photo.pk).reading_since == photo.reading_since


@pytest.mark.django_db
def test_the_third_reader_is_left_alone_while_it_lives() -> None:
    photo, now = received(collection(), scan()), timezone.now()
    work = taken_in(photo, batch.hand().name, reading_since=now, attempts=3)
    batch._read_the_rest(work)
    photo.refresh_from_db()
    assert (photo.state, photo.reading_since) == (PhotoState.READING, now)


@pytest.mark.django_db
def test_what_a_living_reader_finishes_meanwhile_is_not_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    photo, now = received(collection(), scan()), timezone.now()
    work = taken_in(photo, DEAD, reading_since=now, attempts=3)
    reader = Photo.objects.get(pk=photo.pk)

    def finishes(_name: str) -> bool:
        ingest._read(reader)
        return True

    monkeypatch.setattr(batch, "_is_dead", finishes)
    batch._read_the_rest(work)
    photo.refresh_from_db()
    assert photo.state == PhotoState.READY
    assert not photo.events.filter(verb="photo.quarantined").exists()


# --- the sweep -----------------------------------------------------------------------------------
@pytest.mark.django_db
def test_a_bell_that_nobody_heard_is_rung_again(
    bells: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    photo = received(collection(), scan())
    came = timezone.now()
    assert sweep_readings(now=came + timedelta(seconds=20)) == 0
    with django_capture_on_commit_callbacks(execute=True):
        assert sweep_readings(now=came + timedelta(seconds=40)) == 1
        assert sweep_readings(now=came + timedelta(seconds=50)) == 0
    assert bells == [photo.pk]


@pytest.mark.django_db
def test_the_sweep_is_patient_while_a_worker_is_busy_with_another() -> None:
    steward, box = person("sten", is_steward=True), collection()
    busy, waiting = received(box, scan(1), steward), received(box, scan(2), steward)
    now = timezone.now()
    Photo.objects.filter(pk=busy.pk).update(reading_since=now, attempts=1)
    assert sweep_readings(now=now + timedelta(seconds=60)) == 0
    waiting.refresh_from_db()
    assert waiting.rung_at is not None
    assert waiting.rung_at <= now


@pytest.mark.django_db
def test_a_lost_worker_is_noticed_and_the_third_is_the_last() -> None:
    photo = received(collection(), scan())
    now = timezone.now()
    for attempt in (1, 2, 3):
        Photo.objects.filter(pk=photo.pk).update(reading_since=now, attempts=attempt)
        now += READING_LEASE * 2
        sweep_readings(now=now)
        photo.refresh_from_db()
        assert photo.state == ("reading" if attempt < 3 else "quarantined")
    assert photo.quarantine_code == "worker-lost"


@pytest.mark.django_db
def test_a_file_that_took_three_tries_and_has_no_reader_is_given_up_by_the_sweep(
    bells: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    photo = received(collection(), scan())
    Photo.objects.filter(pk=photo.pk).update(reading_since=None, attempts=3)
    assert read(photo).state == PhotoState.READING  # nobody may take it
    with django_capture_on_commit_callbacks(execute=True):
        assert sweep_readings(now=timezone.now() + timedelta(minutes=6)) == 1
    photo.refresh_from_db()
    assert (photo.state, photo.quarantine_code) == (PhotoState.QUARANTINED, "worker-lost")
    assert photo.events.filter(verb="photo.quarantined").count() == 1
    assert bells == []
    actions.read_again(photo=photo, by=person("stella", is_steward=True), now=timezone.now())
    assert read(photo).state == PhotoState.READY


@pytest.mark.django_db
def test_the_sweep_gives_up_nothing_that_somebody_is_reading_again() -> None:
    photo = received(collection(), scan())
    Photo.objects.filter(pk=photo.pk).update(attempts=3)
    seen = Photo.objects.get(pk=photo.pk)  # by a sweep that is slow
    sweep_readings(now=timezone.now())
    photo.refresh_from_db()
    actions.read_again(photo=photo, by=person("stella", is_steward=True), now=timezone.now())
    assert not actions._let_go(seen, timezone.now())
    assert read(photo).state == PhotoState.READY


@pytest.mark.django_db
def test_times_from_before_the_clock_was_put_back_do_not_hold_a_file_for_so_long() -> None:
    photo, now = received(collection(), scan()), timezone.now()
    Photo.objects.filter(pk=photo.pk).update(reading_since=now + timedelta(days=1), attempts=1)
    sweep_readings(now=now)
    photo.refresh_from_db()
    assert photo.reading_since is None
    Photo.objects.filter(pk=photo.pk).update(rung_at=now + timedelta(days=1))
    assert sweep_readings(now=now) == 1


# --- kill -9 -------------------------------------------------------------------------------------
MOMENTS = [
    "archive.storage.put_file",
    pytest.param("archive.decode.read", marks=pytest.mark.slow),
    pytest.param("archive.derivatives.make", marks=pytest.mark.slow),
]
# Reads until the moment has been done once, then dies without a word.
KILLED = """
import importlib, os, signal
from archive import ingest
module, _dot, name = {moment!r}.rpartition(".")
place = importlib.import_module(module)
really = getattr(place, name)
def then_die(*args, **words):
    really(*args, **words)
    os.kill(os.getpid(), signal.SIGKILL)
setattr(place, name, then_die)
ingest.read_photo(photo_id={photo})
"""


@pytest.mark.slow
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_reader_killed_in_the_middle_is_followed_by_one_that_finishes(
    moment: str, on_sqlite_file: str, settings: Any, tmp_path: Path
) -> None:
    bytes_dir = tmp_path / "bytes"
    settings.STORAGES = settings.STORAGES | {
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(bytes_dir)},
        }
    }
    photo = received(collection(), scan())
    where = {"REKINDLE_DATABASE_URL": on_sqlite_file, "REKINDLE_BYTES_DIR": str(bytes_dir)}
    code = KILLED.format(moment=moment, photo=photo.pk)
    command = [sys.executable, str(ROOT / "manage.py"), "shell", "--no-imports", "--command", code]
    ended = subprocess.run(command, env=os.environ | where, check=False, timeout=60)
    assert ended.returncode == -signal.SIGKILL
    photo.refresh_from_db()
    assert (photo.state, photo.attempts) == (PhotoState.READING, 1)
    sweep_readings(now=timezone.now() + READING_LEASE * 2)
    assert read(photo).state == PhotoState.READY
    assert Event.objects.filter(photo=photo, verb="photo.ready").count() == 1
    kept = bytes_dir / storage.original_key(photo.sha256)
    assert storage.digest(kept) == photo.sha256
    assert kept.stat().st_mode & 0o777 == 0o440
