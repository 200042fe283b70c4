"""Kept bytes are read again: what is found, who is told, how they come back."""

from __future__ import annotations

import io
import shutil
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.base import ContentFile, File
from django.core.files.storage import FileSystemStorage, default_storage
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DatabaseError, transaction

from archive import places, storage
from archive.lifecycle import AlarmState, Kept, Outcome
from archive.models import Alarm, Event, FixityCheck, Photo
from restoration import fixity, tasks
from restoration.holdings import Holding
from restoration.models import Version
from tests import factories
from tests.factories import NOW
from tests.people import person
from tests.services import buckets, lines

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _in_a_folder(settings: Any, tmp_path: Path) -> None:
    """Real files: what is put back must be whole or not there at all."""
    folder = {"BACKEND": "django.core.files.storage.FileSystemStorage"}
    settings.STORAGES = settings.STORAGES | {
        "default": folder | {"OPTIONS": {"location": str(tmp_path / "bytes")}}
    }
    cache.clear()


@pytest.fixture
def photo() -> Photo:
    """A scan and one restored version, both really stored: three files."""
    made = factories.photo(factories.collection(), bytes_too=True)
    factories.version(made, person("vera"), image=factories.picture(9))
    return made


def restored(photo: Photo) -> Holding:
    version = Version.objects.filter(photo=photo).latest("number")
    return Holding(Kept.WORKING, version.sha256)


def lie(holding: Holding, content: bytes = b"something else") -> None:
    path = Path(default_storage.path(fixity.key_of(holding)))
    path.chmod(0o640)
    path.write_bytes(content)


def lose(holding: Holding) -> None:
    Path(default_storage.path(fixity.key_of(holding))).unlink()


def check_all(now: Any = NOW, **limits: int) -> list[FixityCheck]:
    return list(fixity.check_round(now=now, before=now, **limits))


def outcomes(checks: list[FixityCheck]) -> dict[str, str]:
    return {check.sha256: check.outcome for check in checks}


def run(**options: Any) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command("fixity", stdout=out, stderr=err, **options)
    return out.getvalue(), err.getvalue()


# --- checking ------------------------------------------------------------------------------------
def test_every_original_and_version_is_read_once_and_the_outcome_kept(photo: Photo) -> None:
    checks = check_all()
    assert [check.outcome for check in checks] == [Outcome.OK] * 3
    assert FixityCheck.objects.count() == 3
    check = FixityCheck.objects.get(kind=Kept.ORIGINAL)
    assert (check.sha256, check.seen_sha256) == (photo.sha256, photo.sha256)
    with storage.open_key(storage.original_key(photo.sha256)) as stream:
        assert check.size == len(stream.read())
    assert not Alarm.objects.exists()


def test_the_oldest_checked_come_first_and_a_limit_ends_the_round(photo: Photo) -> None:
    first = check_all(NOW, most=1)
    rest = check_all(NOW + DAY, most=2)
    again = check_all(NOW + 2 * DAY, most=1)
    assert len({check.sha256 for check in first + rest}) == 3
    assert again[0].sha256 == first[0].sha256


def test_a_limit_of_bytes_ends_the_round_behind_the_file_that_reaches_it(photo: Photo) -> None:
    assert len(check_all(most_bytes=1)) == 1


def test_what_was_checked_lately_is_left_alone(photo: Photo) -> None:
    check_all()
    assert list(fixity.check_round(now=NOW + DAY, before=NOW - DAY)) == []


def test_a_large_file_is_read_in_blocks() -> None:
    class Blocks(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            assert size == storage.BLOCK
            return super().read(size)

    assert storage.measure(Blocks(b"x" * (3 * storage.BLOCK + 7)))[1] == 3 * storage.BLOCK + 7


def test_a_check_is_never_rewritten(photo: Photo) -> None:
    check_all()
    with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
        FixityCheck.objects.update(outcome=Outcome.OK)


@pytest.mark.parametrize(("harm", "outcome"), [(lie, "mismatch"), (lose, "missing")])
def test_bad_bytes_raise_one_alarm_with_its_event_and_a_good_check_closes_it(
    photo: Photo, harm: Any, outcome: str
) -> None:
    bad = restored(photo)
    good = Path(default_storage.path(fixity.key_of(bad))).read_bytes()
    harm(bad)
    assert outcomes(check_all())[bad.sha256] == outcome
    check_all(NOW + DAY)
    alarm = Alarm.objects.get()
    assert (alarm.photo, alarm.sha256, alarm.state) == (photo, bad.sha256, AlarmState.OPEN)
    raised = Event.objects.get(verb="alarm.open")
    assert (raised.photo, raised.facts["outcome"]) == (photo, outcome)

    target = Path(default_storage.path(fixity.key_of(bad)))
    target.unlink(missing_ok=True)
    target.write_bytes(good)
    check_all(NOW + 2 * DAY)
    alarm.refresh_from_db()
    assert alarm.state == AlarmState.CLOSED
    assert alarm.closed_by is not None
    assert Event.objects.get(verb="alarm.closed").facts["sha256"] == bad.sha256


def test_every_photo_that_needs_the_file_has_an_alarm_of_its_own(photo: Photo) -> None:
    other = factories.photo(
        factories.collection(), sha256=photo.sha256, original=photo.original, bytes_too=True
    )
    lose(Holding(Kept.ORIGINAL, photo.sha256))
    check_all()
    assert set(Alarm.objects.values_list("photo", flat=True)) == {photo.pk, other.pk}


def test_a_disk_that_is_not_mounted_is_no_mismatch_and_is_tried_again_later(photo: Photo) -> None:
    bytes_ = Path(default_storage.path(""))
    elsewhere = bytes_.with_name("away")
    bytes_.rename(elsewhere)
    assert [check.outcome for check in check_all()] == [Outcome.UNREACHABLE] * 3
    bytes_.mkdir()  # the bare mount point
    assert check_all(NOW + timedelta(minutes=5)) == []
    assert {check.outcome for check in check_all(NOW + DAY)} == {Outcome.UNREACHABLE}
    assert not Alarm.objects.exists()
    bytes_.rmdir()
    elsewhere.rename(bytes_)
    assert {check.outcome for check in check_all(NOW + 2 * DAY)} == {Outcome.OK}


def test_an_error_while_reading_closes_no_alarm_and_raises_none(
    photo: Photo, monkeypatch: pytest.MonkeyPatch
) -> None:
    lie(restored(photo))
    check_all()

    def broken(_key: str) -> None:
        raise ConnectionError("the service does not answer")

    monkeypatch.setattr("archive.storage.open_key", broken)
    assert {check.outcome for check in check_all(NOW + DAY)} == {Outcome.UNREACHABLE}
    assert Alarm.objects.get().state == AlarmState.OPEN


def test_a_storage_that_answers_nothing_is_not_asked_for_every_file(
    photo: Photo, monkeypatch: pytest.MonkeyPatch
) -> None:
    factories.photo(photo.collection, bytes_too=True)

    def broken(_key: str) -> None:
        raise ConnectionError

    monkeypatch.setattr("archive.storage.open_key", broken)
    assert len(check_all()) == fixity.IN_A_ROW < 5


# --- bringing back -------------------------------------------------------------------------------
@pytest.fixture
def replica(photo: Photo, tmp_path: Path) -> FileSystemStorage:
    """A copy of all bytes, made while they were right."""
    shutil.copytree(default_storage.path(""), tmp_path / "replica")
    return FileSystemStorage(location=tmp_path / "replica")


@pytest.mark.parametrize("harm", [lie, lose])
def test_the_command_brings_bad_bytes_back_and_sets_the_wrong_ones_aside(
    photo: Photo, replica: FileSystemStorage, harm: Any
) -> None:
    bad = restored(photo)
    harm(bad)
    with pytest.raises(CommandError, match="missing or altered"):
        run()
    out, _err = run(restore=replica.location)
    assert out.strip() == "1 files: 1 ok"
    path = Path(default_storage.path(fixity.key_of(bad)))
    assert storage.digest(path) == bad.sha256
    assert Alarm.objects.get().state == AlarmState.CLOSED
    aside = [each.read_bytes() for each in path.parents[3].glob("set-aside/*/*/*")]
    assert aside == ([b"something else"] if harm is lie else [])


def test_a_replica_that_is_wrong_itself_is_not_taken(
    photo: Photo, replica: FileSystemStorage
) -> None:
    bad = restored(photo)
    lie(bad)
    check_all()
    there = Path(replica.path(fixity.key_of(bad)))
    there.chmod(0o640)
    there.write_bytes(b"wrong as well")
    with pytest.raises(CommandError):
        run(restore=replica.location)
    lost = Path(default_storage.path(fixity.key_of(bad)))
    assert lost.read_bytes() == b"something else"
    there.unlink()
    with pytest.raises(CommandError):
        run(restore=replica.location)
    assert Alarm.objects.get().state == AlarmState.OPEN


def test_bytes_that_are_right_are_never_written_over(
    photo: Photo, replica: FileSystemStorage
) -> None:
    bad = restored(photo)
    lie(bad)
    check_all()
    path = Path(default_storage.path(fixity.key_of(bad)))
    path.write_bytes(Path(replica.path(fixity.key_of(bad))).read_bytes())  # mended by hand
    before = path.stat()
    run(restore=replica.location)
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    storage.put_back(fixity.key_of(bad), bad.sha256, Path(replica.path(fixity.key_of(bad))))
    assert path.stat().st_ino == before.st_ino
    with pytest.raises(ValueError, match="does not hold"):
        storage.put_back(fixity.key_of(bad), "0" * 64, path)


def test_a_storage_without_paths_gets_its_bytes_back_too(settings: Any, tmp_path: Path) -> None:
    settings.STORAGES = settings.STORAGES | {
        "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"}
    }
    photo = factories.photo(factories.collection(), bytes_too=True)
    holding = Holding(Kept.ORIGINAL, photo.sha256)
    key = fixity.key_of(holding)
    with storage.open_key(key) as stream:
        good = stream.read()
    replica = FileSystemStorage(location=tmp_path / "replica")
    replica.save(key, ContentFile(good))
    default_storage.delete(key)
    default_storage.save(key, ContentFile(b"wrong"))
    fixity.check_holding(holding=holding, now=NOW)
    check = fixity.restore_holding(holding=holding, replica=replica, now=NOW)
    assert check.outcome == Outcome.OK
    with storage.open_key(key) as stream:
        assert stream.read() == good
    assert not Alarm.objects.standing().exists()


def test_bad_bytes_come_back_from_the_place_of_the_backups_itself(
    photo: Photo, tmp_path: Path
) -> None:
    place = tmp_path / "backup"
    (place / "backups" / "20260101T000000Z").mkdir(parents=True)
    (place / "backups" / "20260101T000000Z" / "manifest.json").write_text("{}")
    shutil.copytree(default_storage.path(""), place / "bytes")
    lose(restored(photo))
    check_all()
    out, _err = run(restore=str(place))
    assert out.strip() == "1 files: 1 ok"
    assert not Alarm.objects.standing().exists()


def test_the_command_names_a_replica_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="There is no folder"):
        run(restore=str(tmp_path / "nowhere"))
    with pytest.raises(CommandError, match="REKINDLE_S3_ENDPOINT"):
        run(restore="s3://copies")


# --- by itself -----------------------------------------------------------------------------------
def test_the_sweep_calls_a_worker_once_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr(tasks.check_kept_bytes, "apply_async", lambda **more: sent.append(more))
    assert tasks.ring_for_fixity(now=NOW) == 1
    assert tasks.ring_for_fixity(now=NOW) == 0
    assert [each["expires"] for each in sent] == [tasks.FIXITY_EVERY]


def test_nobody_is_called_where_the_operator_switched_it_off(settings: Any) -> None:
    settings.FIXITY_DAYS = 0
    assert tasks.ring_for_fixity(now=NOW) == 0


def test_the_worker_checks_what_is_due_and_no_more(photo: Photo) -> None:
    tasks.check_kept_bytes()
    assert FixityCheck.objects.count() == 3
    tasks.check_kept_bytes()
    assert FixityCheck.objects.count() == 3


def test_the_worker_stands_back_for_people_after_a_slice(
    photo: Photo, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr(tasks.check_kept_bytes, "apply_async", lambda **more: sent.append(more))
    monkeypatch.setattr(tasks, "FIXITY_SLICE_SECONDS", 0.0)
    tasks.check_kept_bytes(most_bytes=1_000_000)
    first = FixityCheck.objects.get()
    assert [each["kwargs"] for each in sent] == [{"most_bytes": 1_000_000 - first.size}]
    while sent:
        tasks.check_kept_bytes(**sent.pop()["kwargs"])
    assert FixityCheck.objects.count() == 3
    tasks.check_kept_bytes(most_bytes=0)
    assert not sent


# --- a real S3 service ---------------------------------------------------------------------------
@pytest.mark.slow
def test_bad_objects_of_a_bucket_come_back_from_another_bucket_and_from_a_folder(
    photo: Photo, s3_bucket: dict[str, str], settings: Any, tmp_path: Path
) -> None:
    """The site is in one bucket; a copy of it in a second bucket, and one in a folder."""
    kept = tmp_path / "bytes"
    with buckets.bucket(s3_bucket["REKINDLE_S3_ENDPOINT"]) as second:
        for each in (second, s3_bucket):
            buckets.keep_bytes_in(each, settings)
            for item in places.listing(FileSystemStorage(location=str(kept))):
                storage.put_file(item.key, kept / item.key)
        good, holding = outcomes(check_all()), restored(photo)
        assert set(good.values()) == {Outcome.OK}
        key = fixity.key_of(holding)
        for number, replica in enumerate((f"s3://{second['REKINDLE_S3_BUCKET']}", str(kept))):
            places.remove(default_storage, key)
            if number:
                places.put(default_storage, key, ContentFile(b"wrong"))
            bad = {c.outcome for c in check_all(NOW + DAY * (30 * number + 1))} - {Outcome.OK}
            assert bad == {Outcome.MISMATCH if number else Outcome.MISSING}
            run(restore=replica)
            assert not Alarm.objects.standing().exists()
            with storage.open_key(key) as stream:
                assert storage.measure(stream)[0] == holding.sha256


@pytest.mark.slow
def test_bad_bytes_come_back_from_a_bucket_of_backups_too(
    photo: Photo, s3_bucket: dict[str, str], settings: Any, tmp_path: Path
) -> None:
    kept = tmp_path / "bytes"
    buckets.keep_bytes_in(s3_bucket, settings)
    for item in places.listing(FileSystemStorage(location=str(kept))):
        storage.put_file(item.key, kept / item.key)
    with buckets.bucket(s3_bucket["REKINDLE_S3_ENDPOINT"]) as copies:
        where = f"s3://{copies['REKINDLE_S3_BUCKET']}"
        place = places.at(where)
        places.put(place, "backups/20260101T000000Z/manifest.json", ContentFile(b"{}"))
        for item in places.listing(FileSystemStorage(location=str(kept))):
            with places.get(default_storage, item.key) as stream:
                places.put(place, f"bytes/{item.key}", File(stream))
        places.remove(default_storage, fixity.key_of(restored(photo)))
        check_all()
        run(restore=where)
        assert not Alarm.objects.standing().exists()


@pytest.mark.slow
def test_a_service_that_refuses_is_no_finding_about_the_bytes(
    photo: Photo, bad_line: lines.BadLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / "bytes"
    for item in places.listing(FileSystemStorage(location=str(kept))):
        storage.put_file(item.key, kept / item.key)
    bad_line.is_refusing = True
    assert {check.outcome for check in check_all()} == {Outcome.UNREACHABLE}
    assert not Alarm.objects.exists()
    bad_line.mend()
    assert {check.outcome for check in check_all(NOW + DAY)} == {Outcome.OK}
