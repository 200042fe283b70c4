"""All bytes to another place while the site runs: nothing lost, nothing unseen, and a way back."""

from __future__ import annotations

import hashlib
import itertools
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import FileSystemStorage, default_storage
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from archive import arriving, forwarding, places, storage, uploading
from archive.lifecycle import UploadState
from archive.models import Photo, Upload
from config import moving
from tests import factories
from tests.archive.scans import scan
from tests.people import person
from tests.services import databases
from tests.services.need import ROOT
from tests.services.processes import wait_until

pytestmark = pytest.mark.django_db
_number = itertools.count()


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setattr(forwarding, "EVERY", 0.05)
    settings.VAR_DIR = tmp_path
    yield
    forwarding.forget()


@pytest.fixture
def new(tmp_path: Path) -> str:
    (tmp_path / "new").mkdir()
    return str(tmp_path / "new")


@pytest.fixture
def photo(bytes_in_folder: Path) -> Photo:
    """A scan and a version, with all that is made from them, in the old folder."""
    made = factories.photo(factories.collection(), bytes_too=True)
    factories.version(made, person("vera"), image=factories.picture(9))
    storage.put_bytes(storage.sheet_key(hashlib.sha256(b"map").hexdigest()), b"map")
    return made


def run(**options: Any) -> str:
    out = StringIO()
    call_command("move_storage", stdout=out, stderr=out, **options)
    return out.getvalue()


def files(place: Any) -> dict[str, bytes]:
    found = {}
    for each in places.listing(place):
        with places.get(place, each.key) as stream:
            found[each.key] = stream.read()
    own = (forwarding.NOTE, places.PART)  # a note, and what a killed hand left
    return {key: data for key, data in found.items() if not key.rpartition("/")[2].startswith(own)}


def put_one() -> str:
    content = b"number %d" % next(_number)
    key = storage.working_key(hashlib.sha256(content).hexdigest())
    storage.put_bytes(key, content)
    return key


def there_and_found(photo: Photo, to: str) -> None:
    before = files(default_storage)
    told = run(to=to)
    assert f"{len(before)} files looked at" in told
    target = places.at(to)
    assert files(target) == before == files(default_storage)
    assert places.address(forwarding.way().main) == to
    key = put_one()
    assert places.look(target, key) is not None
    assert places.look(default_storage, key) is None
    with storage.open_key(storage.original_key(photo.sha256)) as stream:
        assert stream.read() == before[storage.original_key(photo.sha256)]


def test_from_a_folder_to_another(photo: Photo, new: str) -> None:
    there_and_found(photo, new)


@pytest.mark.slow
def test_from_a_folder_to_a_bucket_and_back(
    photo: Photo, s3_bucket: dict[str, str], settings: Any, bytes_in_folder: Path
) -> None:
    kept = settings.STORAGES
    options = settings.BUCKET_STORAGE["OPTIONS"] | {
        "endpoint_url": s3_bucket["REKINDLE_S3_ENDPOINT"],
        "access_key": s3_bucket["REKINDLE_S3_KEY"],
        "secret_key": s3_bucket["REKINDLE_S3_SECRET"],
    }
    settings.BUCKET_STORAGE = settings.BUCKET_STORAGE | {"OPTIONS": options}
    bucket = f"s3://{s3_bucket['REKINDLE_S3_BUCKET']}"
    there_and_found(photo, bucket)
    only_there = put_one()
    # The settings are changed and the site is restarted: the same place, now by its own name.
    settings.STORAGES = kept | {
        "default": settings.BUCKET_STORAGE
        | {"OPTIONS": options | {"bucket_name": s3_bucket["REKINDLE_S3_BUCKET"]}}
    }
    assert storage.presigned(only_there, {}).startswith(s3_bucket["REKINDLE_S3_ENDPOINT"])
    run(to=str(bytes_in_folder))
    assert only_there in files(FileSystemStorage(location=str(bytes_in_folder)))
    assert places.address(forwarding.way().main) == str(bytes_in_folder)
    settings.STORAGES = kept
    assert forwarding.way() == forwarding.Way(forwarding.way().main)
    assert storage.exists(only_there)


def test_a_dry_run_tells_what_there_is_to_do_and_does_nothing(photo: Photo, new: str) -> None:
    here = files(default_storage)
    told = run(to=new, dry_run=True)
    size = sum(map(len, here.values()))
    assert f"{len(here)} files ({size} bytes), {len(here)} of them to copy" in told
    assert files(places.at(new)) == {}
    assert forwarding.read(default_storage) is None
    Path(default_storage.path(storage.original_key(photo.sha256))).unlink()
    assert f"and nowhere: {storage.original_key(photo.sha256)}" in run(to=new, dry_run=True)


def test_a_place_that_is_not_there_or_not_another_is_refused(photo: Photo, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="There is no folder"):
        run(to=str(tmp_path / "nowhere"))
    with pytest.raises(CommandError, match="REKINDLE_S3_ENDPOINT"):
        run(to="s3://somewhere")
    with pytest.raises(CommandError, match=r"are at .* already"):
        run(to=default_storage.path(""))
    with pytest.raises(CommandError, match="No bytes are moving"):
        run(back=True)


# --- while the site runs -------------------------------------------------------------------------
def test_whoever_stores_and_reads_meanwhile_notices_nothing(photo: Photo, new: str) -> None:
    over, kept = threading.Event(), []

    def work() -> list[str]:
        # As busy people do: three that never rest outrun one who copies.
        while not over.wait(0.01):
            kept.append(put_one())
            for key in kept[-20:]:
                with storage.open_key(key) as stream:
                    assert stream.read().startswith(b"number")
        return kept

    failed: list[BaseException] = []
    hands = [threading.Thread(target=_guarded(work, failed)) for _ in range(3)]
    for hand in hands:
        hand.start()
    run(to=new)
    over.set()
    for hand in hands:
        hand.join()
    assert failed == []
    assert len(kept) > 10
    assert set(kept) <= set(files(places.at(new)))


def _guarded(work: Callable[[], object], failed: list[BaseException]) -> Callable[[], None]:
    def guarded() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - told to the test
            failed.append(error)

    return guarded


def test_while_it_moves_both_places_get_what_comes(photo: Photo, new: str) -> None:
    forwarding.leave(default_storage, forwarding.Note(new, moved=False))
    key = put_one()
    assert places.look(default_storage, key) is not None
    assert places.look(places.at(new), key) is not None
    storage.put_bytes(storage.incoming_key("a" * 64), b"x")
    storage.delete(storage.incoming_key("a" * 64))
    for place in (default_storage, places.at(new)):
        assert places.look(place, storage.incoming_key("a" * 64)) is None


def test_what_a_slow_hand_put_at_the_old_place_is_still_found(photo: Photo, new: str) -> None:
    run(to=new)
    key = storage.sheet_key("b" * 64)
    (Path(default_storage.path(key)).parent).mkdir(parents=True, exist_ok=True)
    Path(default_storage.path(key)).write_bytes(b"late")
    with storage.open_key(key) as stream:
        assert stream.read() == b"late"
    with storage.local(key) as path:
        assert path.read_bytes() == b"late"
    assert storage.read_range(key, 1, 2) == b"at"


def test_a_large_upload_on_its_way_is_waited_for_and_ends_where_it_began(
    photo: Photo, new: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("archive.tasks._send", lambda _photo_id: None)
    monkeypatch.setattr("archive.tasks._send_upload", lambda _upload_id: None)
    content = scan(7, height=300, width=400)
    upload = uploading.begin_upload(
        collection=photo.collection,
        filename="x.jpg",
        size=len(content),
        by=person("sten", is_steward=True),
        now=timezone.now(),
    )

    def chunks() -> Iterator[bytes]:
        yield content[:5000]
        with pytest.raises(CommandError, match=r"on their way: 1\. Nothing was switched"):
            run(to=new)
        yield content[5000:]

    uploading.add_bytes(upload=upload, chunks=chunks(), offset=0, now=timezone.now())
    assert "nowhere" not in run(to=new, dry_run=True)
    with pytest.raises(CommandError, match="on their way: 1"):
        run(to=new)
    uploading.settle_upload(upload_id=upload.pk, now=timezone.now())
    assert Upload.objects.get().state == UploadState.TAKEN
    run(to=new)
    assert not (Path(new) / arriving.FOLDER).exists()
    key = storage.incoming_key(hashlib.sha256(content).hexdigest())
    assert files(places.at(new))[key] == content


# --- cut off, refused, undone --------------------------------------------------------------------
def test_a_move_that_was_cut_off_goes_on_where_it_was(
    photo: Photo, new: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied: list[str] = []
    carry = moving._carry_over

    def breaks(source: Any, target: Any, key: str) -> bool:
        if len(copied) == 4:
            raise places.StorageAway("the line broke")
        copied.append(key)
        return carry(source, target, key)

    monkeypatch.setattr(moving, "HANDS", 1)
    with monkeypatch.context() as patched:
        patched.setattr(moving, "_carry_over", breaks)
        with pytest.raises(CommandError, match=r"the line broke.*goes on where it was"):
            run(to=new)
    assert storage.exists(put_one())
    first = set(copied)
    again: list[str] = []
    monkeypatch.setattr(
        moving, "_carry_over", lambda s, t, key: (again.append(key), carry(s, t, key))[1]
    )
    run(to=new)
    assert len(first) == 4
    assert not first & set(again)
    assert files(places.at(new)) == files(default_storage)


def test_altered_and_missing_files_stop_the_switch_unless_told(photo: Photo, new: str) -> None:
    original = storage.original_key(photo.sha256)
    working = storage.working_key(photo.working_sha256)
    Path(default_storage.path(original)).chmod(0o640)
    Path(default_storage.path(original)).write_bytes(b"altered")
    Path(default_storage.path(working)).unlink()
    with pytest.raises(CommandError, match="Missing or altered") as refused:
        run(to=new)
    assert original in str(refused.value)
    assert working in str(refused.value)
    assert not (Path(new) / original).exists()
    assert places.address(forwarding.way().main) == default_storage.path("").rstrip("/")
    run(to=new, despite_bad=True)
    assert places.address(forwarding.way().main) == new
    with storage.open_key(original) as stream:
        assert stream.read() == b"altered"  # it stays at the old place, for whoever mends it


def test_a_move_is_called_off_before_its_end(photo: Photo, new: str) -> None:
    here = files(default_storage)
    forwarding.leave(default_storage, forwarding.Note(new, moved=False))
    with pytest.raises(CommandError, match="are moving to"):
        run(to=str(Path(new).parent))
    key = put_one()
    assert "Called off" in run(back=True)
    assert forwarding.way().other is None
    assert set(files(default_storage)) == {*here, key}


def test_a_new_place_that_goes_away_while_it_moves_stops_nobody(
    photo: Photo, new: str, tmp_path: Path
) -> None:
    forwarding.leave(default_storage, forwarding.Note(new, moved=False))
    storage.exists("x")
    Path(new).rmdir()
    Path(new).write_bytes(b"no folder any more")
    assert places.look(default_storage, put_one()) is not None


@pytest.mark.slow
def test_a_move_killed_in_the_middle_is_ended_by_calling_it_again(
    on_sqlite_file: str, bytes_in_folder: Path, tmp_path: Path, new: str
) -> None:
    for _ in range(400):
        put_one()
    where = {
        "REKINDLE_DATABASE_URL": on_sqlite_file,
        "REKINDLE_BYTES_DIR": str(bytes_in_folder),
        "REKINDLE_VAR_DIR": str(tmp_path),
    }
    words = ["move_storage", "--to", new]
    journal = tmp_path / "moving"
    command = [sys.executable, str(ROOT / "manage.py"), *words]
    with subprocess.Popen(command, env=os.environ | where) as running:
        wait_until(
            lambda: (
                running.poll() is not None
                or any(each.stat().st_size > 2000 for each in journal.glob("*.txt"))
            ),
            "some files were moved",
        )
        running.kill()
    assert running.returncode == -signal.SIGKILL
    assert len(files(places.at(new))) < 400
    forwarding.forget()
    assert forwarding.way().both
    put_one()
    databases.manage(*words, **where)
    assert files(places.at(new)) == files(default_storage)
    assert len(files(places.at(new))) == 401
