"""A backup of everything, and the drill: destroy the site and bring it back."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.core.files.base import ContentFile
from django.core.files.storage import Storage, default_storage
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DatabaseError, connection, connections, transaction
from django.db.migrations.recorder import MigrationRecorder

from archive import places, storage
from archive.lifecycle import PhotoState
from archive.models import Collection, Event, FixityCheck, Original, Photo
from config import backup, rows
from exhibit.actions import publish_version
from exhibit.arranging import Words
from restoration import fixity
from restoration.holdings import named
from restoration.models import Draft, Job, Preview, Sheet, Version
from tests import factories
from tests.factories import NOW
from tests.people import appoint, cast
from tests.services import buckets, databases
from tests.services.need import ROOT

KEPT = ("originals", "working", "sheets", "incoming")


@pytest.fixture(autouse=True)
def _in_a_folder(settings: Any, tmp_path: Path) -> None:
    folder = {"BACKEND": "django.core.files.storage.FileSystemStorage"}
    settings.STORAGES = settings.STORAGES | {
        "default": folder | {"OPTIONS": {"location": str(tmp_path / "bytes")}}
    }
    (tmp_path / "backup").mkdir()


@pytest.fixture
def site(on_sqlite_file: str) -> str:
    """A site in a SQLite file, with something of every kind in it."""
    furnish()
    return on_sqlite_file


def furnish() -> None:
    people, collection = cast(), factories.collection(institution_zh="亚运会博物馆")
    appoint(people.cora, collection)
    photo = factories.photo(collection, bytes_too=True)
    sheet = stored(storage.sheet_key, b"a map")
    version, _review = factories.accepted(
        photo,
        people.vera,
        people.cora,
        image=factories.picture(7),
        maps={"changed": sheet},
        meters={"guard": {"verdict": "pass", "share": 0.1 + 0.2}},
    )
    room = factories.room(collection)
    publish_version(version=version, room=room, words=Words(), by=people.cora, now=NOW)
    painted = stored(storage.sheet_key, b"a painted mask")
    Sheet.objects.create(photo=photo, sha256=painted, kept_by=people.vera, kept_at=NOW)
    precise = NOW + timedelta(microseconds=123_457)
    Draft.objects.create(photo=photo, volunteer=people.vera, body={"字": [None]}, saved_at=precise)
    job = Job.objects.create(photo=photo, requested_at=precise, requested_by=people.vera)
    Preview.objects.create(job=job, picture=b"\x00\xff\x00", width=1, height=1, made_at=NOW)
    unread = stored(storage.incoming_key, b"not a picture")
    Photo.objects.create(
        collection=collection, sha256=unread, state=PhotoState.QUARANTINED, added_at=precise
    )
    people.sten.user_permissions.add(1)
    list(fixity.check_round(now=NOW, before=NOW))


def stored(key: Any, content: bytes) -> str:
    sha256 = hashlib.sha256(content).hexdigest()
    storage.put_bytes(key(sha256), content)
    return sha256


def every_row() -> dict[str, list[Any]]:
    """Read by the ORM, not by the dump."""
    return {
        rows.label(model): [
            {name: bytes(v) if isinstance(v, memoryview) else v for name, v in row.items()}
            for row in model._base_manager.order_by("pk").values()
        ]
        for model in rows.tables()
    }


def every_file() -> dict[str, bytes]:
    found = {}
    for each in places.listing(default_storage):
        if each.key.startswith(KEPT):
            with places.get(default_storage, each.key) as stream:
                found[each.key] = stream.read()
    return found


def wipe() -> None:
    """The disk is lost, or the bucket emptied."""
    for each in list(places.listing(default_storage)):
        places.remove(default_storage, each.key)


def make(where: Path | str, **options: Any) -> str:
    out = StringIO()
    call_command("backup", str(where), **options, stdout=out, stderr=StringIO())
    return out.getvalue()


def restore(where: Path | str, **options: Any) -> str:
    out = StringIO()
    call_command("restore_backup", str(where), stdout=out, stderr=StringIO(), **options)
    return out.getvalue()


def refused(change: Any) -> None:
    with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
        change()


# --- the drill -----------------------------------------------------------------------------------
def drill(folder: Path | str, url: str) -> None:
    """Destroy the storage, go to another database, bring all back and compare."""
    make(folder)
    before, files = every_row(), every_file()
    assert {path.split("/")[0] for path in files} == set(KEPT)
    wipe()
    assert every_file() == {}
    with databases.rows_in(url):
        told = restore(folder)
        assert "The site is as it was" in told
        after = every_row()
        for name in before:
            assert after[name] == before[name], name
        assert every_file() == files
        _is_alive()


def _is_alive() -> None:
    """It remembers, refuses to forget, shows its pictures and takes new rows."""
    assert Event.objects.filter(verb="publication.live").exists()
    refused(lambda: Original.objects.update(size=1))
    refused(lambda: Event.objects.update(verb="nothing"))
    refused(lambda: FixityCheck.objects.update(outcome="missing"))
    refused(lambda: Version.objects.update(sha256="b" * 64))
    version = Version.objects.latest("number")
    assert storage.exists(storage.derivative_key(version.sha256, "400.jpg"))
    last = Event.objects.order_by("pk").last()
    assert last is not None
    made = Event.objects.create(verb="drill.done", at=NOW)
    assert made.pk > last.pk
    checks = list(fixity.check_round(now=NOW + timedelta(days=1), before=NOW + timedelta(days=1)))
    assert {check.outcome for check in checks} == {"ok"}


@pytest.mark.slow
def test_a_site_whose_database_and_bytes_are_gone_comes_back_row_for_row_and_byte_for_byte(
    site: str, tmp_path: Path
) -> None:
    drill(tmp_path / "backup", f"sqlite:///{tmp_path / 'new.sqlite3'}")


@pytest.mark.slow
def test_a_backup_of_sqlite_comes_back_on_postgresql(
    site: str, tmp_path: Path, postgres_url: str
) -> None:
    drill(tmp_path / "backup", postgres_url)


@pytest.mark.slow
def test_a_backup_of_postgresql_comes_back_on_sqlite(on_postgres: str, tmp_path: Path) -> None:
    furnish()
    drill(tmp_path / "backup", f"sqlite:///{tmp_path / 'new.sqlite3'}")


@pytest.mark.slow
def test_a_site_on_postgresql_and_s3_whose_rows_and_bucket_are_gone_comes_back(
    on_postgres: str, bytes_in_s3: dict[str, str], migrated_postgres: str, tmp_path: Path
) -> None:
    furnish()
    with databases.postgres_database(template=migrated_postgres) as another:
        drill(tmp_path / "backup", another)


@pytest.mark.slow
def test_a_site_whose_backup_lies_in_another_bucket_comes_back(
    on_postgres: str, bytes_in_s3: dict[str, str], migrated_postgres: str
) -> None:
    furnish()
    with pytest.raises(CommandError, match="keeps its own files in s3://"):
        make(f"s3://{bytes_in_s3['REKINDLE_S3_BUCKET']}")
    with buckets.bucket(bytes_in_s3["REKINDLE_S3_ENDPOINT"]) as copies:
        where = f"s3://{copies['REKINDLE_S3_BUCKET']}"
        with databases.postgres_database(template=migrated_postgres) as another:
            drill(where, another)
        _a_bucket_is_read_again_only_when_asked(where)


def _a_bucket_is_read_again_only_when_asked(where: str) -> None:
    place = backup.at(where)
    _stamp, manifest = backup.find(place)
    files = {each.key for each in places.listing(place, "bytes/")}
    assert len(files) == manifest.files
    spoilt = max(files)
    places.put(place, spoilt, ContentFile(b"rotten"))
    with pytest.raises(CommandError, match="damaged"):
        restore(where, over=True)
    assert not _is_right(place, spoilt, backup.make(place, now=NOW)[0])
    assert _is_right(place, spoilt, backup.make(place, now=NOW + timedelta(days=1), again=True)[0])
    assert {each.key for each in places.listing(place, "bytes/")} == files


def _is_right(place: Storage, name: str, stamp: str) -> bool:
    wanted = {f"bytes/{each.key}": each.sha256 for each in backup.files_of(place, stamp)}
    with places.get(place, name) as stream:
        return storage.measure(stream)[0] == wanted[name]


# --- one moment ----------------------------------------------------------------------------------
def _holds_one_moment() -> None:
    def elsewhere() -> None:
        factories.collection()
        connections.close_all()

    with rows.snapshot():
        before = Collection.objects.count()
        writer = threading.Thread(target=elsewhere)
        writer.start()
        writer.join(10)
        assert not writer.is_alive()
        assert Collection.objects.count() == before
    assert Collection.objects.count() == before + 1


@pytest.mark.usefixtures("on_sqlite_file")
def test_rows_are_of_one_moment_and_nobody_waits_to_write_on_sqlite() -> None:
    _holds_one_moment()
    assert connection.transaction_mode == "IMMEDIATE"  # type: ignore[attr-defined]


@pytest.mark.slow
@pytest.mark.usefixtures("on_postgres")
def test_rows_are_of_one_moment_and_nobody_waits_to_write_on_postgresql() -> None:
    _holds_one_moment()


# --- whole or not at all -------------------------------------------------------------------------
@pytest.mark.slow
def test_a_second_backup_copies_only_what_is_new(
    site: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "backup"
    backup.make(backup.at(str(folder)), now=NOW)
    copied: list[str] = []
    fetch = backup._fetch
    monkeypatch.setattr(
        backup, "_fetch", lambda key, sha, part: (copied.append(key), fetch(key, sha, part))
    )
    new = factories.photo(Collection.objects.get(), bytes_too=True)
    spoilt = next(path for path in (folder / "bytes").rglob("*.png"))
    spoilt.write_bytes(b"rotten")
    _stamp, manifest = backup.make(backup.at(str(folder)), now=NOW + timedelta(days=1))
    expected = {storage.original_key(new.sha256), storage.working_key(new.working_sha256)}
    assert set(copied) == expected | {str(spoilt.relative_to(folder / "bytes"))}
    assert manifest.lacking == []
    assert backup.find(backup.at(str(folder)))[1].made_at == (NOW + timedelta(days=1)).isoformat()


def test_a_backup_that_was_cut_off_is_none_and_the_one_before_it_counts(
    site: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "backup"

    def killed(*_words: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(backup, "_keep", killed)
        with pytest.raises(KeyboardInterrupt):
            backup.make(backup.at(str(folder)), now=NOW)
    with pytest.raises(CommandError, match="no whole backup"):
        restore(folder)
    whole, _manifest = backup.make(backup.at(str(folder)), now=NOW + timedelta(hours=1))
    with monkeypatch.context() as patched:
        patched.setattr(backup, "_keep", killed)
        with pytest.raises(KeyboardInterrupt):
            backup.make(backup.at(str(folder)), now=NOW + timedelta(hours=2))
    assert backup.find(backup.at(str(folder)))[0] == whole


@pytest.mark.slow
def test_a_backup_killed_in_the_middle_of_a_file_is_none_and_the_next_one_is_whole(
    site: str, tmp_path: Path
) -> None:
    folder = tmp_path / "backup"
    last = Path(default_storage.path(max(named())))
    good = last.read_bytes()
    last.unlink()
    os.mkfifo(last)  # whoever reads it waits, until it is killed
    where = {"REKINDLE_DATABASE_URL": site, "REKINDLE_BYTES_DIR": default_storage.path("")}
    command = [sys.executable, str(ROOT / "manage.py"), "backup", str(folder)]
    with subprocess.Popen(command, env=os.environ | where) as running:
        copying = folder / "bytes" / "working"
        until(lambda: running.poll() is not None or list(copying.rglob(".part-*")))
        running.kill()
    assert running.returncode == -signal.SIGKILL
    with pytest.raises(CommandError, match="1 was cut off"):
        restore(folder, over=True)
    last.unlink()
    last.write_bytes(good)
    _stamp, manifest = backup.make(backup.at(str(folder)), now=NOW)
    assert manifest.lacking == []
    backup.verify(backup.at(str(folder)), *backup.find(backup.at(str(folder))))


def until(seen: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not seen():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_file_that_is_altered_is_not_copied_and_is_named(site: str, tmp_path: Path) -> None:
    photo = Photo.objects.exclude(original=None).get()
    key = storage.original_key(photo.sha256)
    path = Path(default_storage.path(key))
    path.chmod(0o640)
    path.write_bytes(b"altered")
    with pytest.raises(CommandError, match="whole but for"):
        make(tmp_path / "backup")
    _stamp, manifest = backup.find(backup.at(str(tmp_path / "backup")))
    assert manifest.lacking == [key]
    assert not (tmp_path / "backup" / "bytes" / key).exists()


def test_a_storage_that_is_not_mounted_makes_no_backup(site: str, tmp_path: Path) -> None:
    shutil.rmtree(default_storage.path(""))
    Path(default_storage.path("")).mkdir()
    with pytest.raises(CommandError, match="not mounted"):
        make(tmp_path / "backup")
    with pytest.raises(CommandError, match="no whole backup"):
        restore(tmp_path / "backup")


def test_the_site_is_no_place_for_its_own_backup(site: str, tmp_path: Path) -> None:
    for where in (tmp_path / "bytes", tmp_path / "bytes" / "copies", tmp_path):
        with pytest.raises(CommandError, match="keeps its own files"):
            make(where)
        with pytest.raises(CommandError, match="keeps its own files"):
            restore(where)
    assert not (tmp_path / "backups").exists()


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("not mounted", "There is no folder .*not mounted. Make it, or mount its disk"),
        ("a file", "a file is a file. Name a folder."),
        ("/proc/nope", "There is no folder /proc/nope"),
    ],
)
def test_a_place_that_is_no_folder_is_refused_and_none_is_made(
    site: str, tmp_path: Path, where: str, said: str
) -> None:
    (tmp_path / "a file").write_bytes(b"x")
    before = sorted(tmp_path.iterdir())
    for command in (make, restore):
        with pytest.raises(CommandError, match=said):
            command(tmp_path / where)
    assert sorted(tmp_path.iterdir()) == before


def test_a_disk_that_takes_nothing_is_named_in_a_sentence(
    site: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(CommandError, match=r"The backup cannot go on\. /proc/[^ ]+: "):
        make("/proc/self")

    def full(_path: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(backup, "_sync", full)
    with pytest.raises(CommandError, match=r"cannot go on\. .*/backup: No space left"):
        make(tmp_path / "backup")
    with pytest.raises(CommandError, match="no whole backup"):
        restore(tmp_path / "backup")


def test_nobody_else_on_the_machine_reads_what_lies_in_the_place(site: str, tmp_path: Path) -> None:
    (tmp_path / "backup").chmod(0o755)
    make(tmp_path / "backup")
    for name in (backup.BYTES, backup.BACKUPS):
        assert stat.S_IMODE((tmp_path / "backup" / name).stat().st_mode) == backup.PRIVATE


def test_a_bucket_is_refused_with_the_reason(site: str) -> None:
    with pytest.raises(CommandError, match="REKINDLE_S3_ENDPOINT"):
        make("s3://copies")
    with pytest.raises(CommandError, match="a bucket of its own"):
        make("s3://copies/site")


# --- no ------------------------------------------------------------------------------------------
@pytest.fixture
def kept(site: str, tmp_path: Path) -> Path:
    """A backup of the site, which still stands."""
    make(tmp_path / "backup")
    return tmp_path / "backup"


def rewrite(folder: Path, **changes: Any) -> None:
    stamp, _manifest = backup.find(backup.at(str(folder)))
    path = folder / backup.BACKUPS / stamp / backup.MANIFEST
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_a_site_in_use_is_not_written_over_unless_told(kept: Path) -> None:
    Collection.objects.update(title_en="Changed since")
    before = every_row()
    with pytest.raises(CommandError, match="in use"):
        restore(kept)
    assert every_row() == before
    Session.objects.create(session_key="a", session_data="b", expire_date=NOW)
    restore(kept, over=True)
    assert not Session.objects.exists()
    assert not Collection.objects.filter(title_en="Changed since").exists()


def test_migrations_that_nobody_here_knows_are_refused(kept: Path) -> None:
    migrations = backup.find(backup.at(str(kept)))[1].migrations
    rewrite(kept, migrations=[*migrations, "archive.0999_from_the_future"], version="9.9")
    with pytest.raises(CommandError, match=r"0999_from_the_future.* version 9\.9 and names no"):
        restore(kept, over=True)


def test_a_backup_from_before_an_update_is_refused_with_the_way_to_go(kept: Path) -> None:
    migrations = backup.find(backup.at(str(kept)))[1].migrations
    rewrite(kept, migrations=[each for each in migrations if "freeze_checks" not in each])
    with pytest.raises(CommandError, match=r"older than archive\.0005_freeze_checks"):
        restore(kept, over=True)


def test_a_database_that_is_half_migrated_is_refused(kept: Path) -> None:
    MigrationRecorder(connection).record_unapplied("archive", "0005_freeze_checks")
    with pytest.raises(CommandError, match="not up to date"):
        restore(kept, over=True)


def test_another_format_is_refused(kept: Path) -> None:
    rewrite(kept, format=2)
    with pytest.raises(CommandError, match="format 2"):
        restore(kept, over=True)


@pytest.mark.parametrize("what", ["a file", "the rows"])
def test_a_damaged_backup_changes_nothing(kept: Path, what: str) -> None:
    stamp, _manifest = backup.find(backup.at(str(kept)))
    path = next((kept / "bytes" / "originals").rglob("*/*/*")) if what == "a file" else None
    target = path or kept / backup.BACKUPS / stamp / backup.ROWS
    target.write_bytes(target.read_bytes()[:-1])
    before, files = every_row(), every_file()
    with pytest.raises(CommandError, match="damaged"):
        restore(kept, over=True)
    assert (every_row(), every_file()) == (before, files)


def test_rows_that_do_not_add_up_leave_the_site_as_it_was(kept: Path) -> None:
    tables = backup.find(backup.at(str(kept)))[1].tables
    rewrite(kept, tables=tables | {"archive.Photo": 99})
    before = every_row()
    with pytest.raises(CommandError, match="do not add up"):
        restore(kept, over=True)
    assert every_row() == before
