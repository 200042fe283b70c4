"""What every storage promises, asked of a folder and of a bucket on a real S3 service."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.test import RequestFactory

from archive import places, storage
from archive.pictures import respond
from tests.services.need import ROOT
from tests.services.processes import wait_until

pytestmark = pytest.mark.usefixtures("kept_bytes")
CONTENT = b"the bytes of a scan"
SHA = hashlib.sha256(CONTENT).hexdigest()
KEY = storage.original_key(SHA)
MISSING = storage.original_key("d" * 64)
LARGE = 9 * 1024**2  # a bucket takes it in parts


def keys() -> list[str]:
    return [each.key for each in places.listing(default_storage)]


def read(key: str) -> bytes:
    with storage.open_key(key) as stream:
        return stream.read()


def test_bytes_come_back_as_they_were_put(tmp_path: Path) -> None:
    storage.put_bytes(KEY, CONTENT)
    assert read(KEY) == CONTENT
    file = tmp_path / "scan.tif"
    file.write_bytes(os.urandom(LARGE))
    key = storage.working_key(storage.digest(file))
    storage.put_file(key, file)
    with storage.open_key(key) as stream:
        assert storage.measure(stream) == (storage.digest(file), LARGE)
    with storage.local(key) as here:
        assert here.read_bytes() == file.read_bytes()


def test_a_part_is_read_without_the_rest() -> None:
    storage.put_bytes(KEY, CONTENT)
    assert storage.read_range(KEY, 0, 3) == b"the"
    assert storage.read_range(KEY, 4, 5) == b"bytes"
    assert storage.read_range(KEY, len(CONTENT) - 4, 100) == b"scan"
    assert storage.read_range(KEY, len(CONTENT), 10) == b""
    assert storage.read_range(KEY, 1000, 10) == b""


def test_what_is_not_there_is_said_to_be_missing() -> None:
    assert not storage.exists(MISSING)
    for ask in (storage.open_key, storage.size, lambda key: storage.read_range(key, 0, 1)):
        with pytest.raises(FileNotFoundError):
            ask(MISSING)
    with pytest.raises(FileNotFoundError), storage.local(MISSING):
        pass
    storage.delete(storage.incoming_key("d" * 64))  # to forget what is not there is no error


def test_what_is_there_has_its_size_and_the_day_it_came() -> None:
    storage.put_bytes(KEY, CONTENT)
    assert storage.exists(KEY)
    assert storage.size(KEY) == len(CONTENT)
    [item] = places.listing(default_storage)
    assert (item.key, item.size) == (KEY, len(CONTENT))
    assert abs(item.changed - datetime.now(UTC)) < timedelta(minutes=1)
    assert [each.key for each in places.listing(default_storage, "originals/")] == [KEY]
    assert list(places.listing(default_storage, "working/")) == []


def test_what_is_kept_is_never_written_over_nor_deleted() -> None:
    storage.put_bytes(KEY, CONTENT)
    storage.put_bytes(KEY, b"something else")
    assert read(KEY) == CONTENT
    assert keys() == [KEY]
    for key in (KEY, storage.working_key(SHA)):
        with pytest.raises(ValueError, match="for ever"):
            storage.delete(key)
    assert read(KEY) == CONTENT


def test_many_hands_that_put_the_same_file_at_once_put_one(tmp_path: Path) -> None:
    file = tmp_path / "scan.tif"
    file.write_bytes(os.urandom(300_000))
    key = storage.working_key(storage.digest(file))
    together = threading.Barrier(8)

    def put() -> None:
        together.wait()
        storage.put_file(key, file)

    hands = [threading.Thread(target=put) for _ in range(8)]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()
    assert keys() == [key]
    assert read(key) == file.read_bytes()


class BreaksOff(File[bytes]):
    """A file that cannot be read to its end."""

    def __init__(self) -> None:
        super().__init__(ContentFile(os.urandom(LARGE)).file)

    def read(self, size: int = -1) -> bytes:
        if self.tell() > LARGE // 2:
            raise OSError("the disk that it is read from went away")
        return bytes(self.file.read(size))

    def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:
        while block := self.read(chunk_size or 65536):
            yield block


def test_a_put_that_breaks_off_leaves_nothing() -> None:
    with pytest.raises(storage.StorageAway):
        places.put(default_storage, KEY, BreaksOff())
    assert not storage.exists(KEY)
    assert keys() == []
    assert list(places.unfinished(default_storage)) == []


KILLED = """
import os, sys, threading, time
from django.core.files.base import ContentFile
from archive import places
from django.core.files.storage import default_storage
class Slow(ContentFile):
    def read(self, size=-1):
        if self.tell() >= 8 * 1024**2:
            print("half", flush=True); time.sleep(60)
        return self.file.read(size)
    def chunks(self, size=65536):
        while block := self.read(size):
            yield block
places.put(default_storage, sys.argv[1], Slow(os.urandom(10 * 1024**2)))
"""


def test_a_name_is_on_the_disk_before_a_row_can_say_so(
    bytes_in_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[tuple[str, list[str]]] = []

    def fsync(handle: int) -> None:
        if (path := Path(f"/proc/self/fd/{handle}").readlink()).is_dir():
            there = sorted(each.name for each in path.iterdir())
            waited.append((path.relative_to(bytes_in_folder).as_posix(), there))

    monkeypatch.setattr(os, "fsync", fsync)
    came, kept = storage.incoming_key("ab" * 32), storage.sheet_key("ab" * 32)
    storage.put_bytes(came, b"x")
    assert waited[-1] == ("incoming/ab/ab", ["ab" * 32])
    assert {(".", "incoming"), ("incoming", "ab"), ("incoming/ab", "ab")} <= _names(waited)
    waited.clear()
    places.carry(default_storage, came, kept)
    assert waited[-1] == ("sheets/ab/ab", [f"{'ab' * 32}.png"])
    assert {(".", "sheets"), ("sheets", "ab"), ("sheets/ab", "ab")} <= _names(waited)


def _names(waited: list[tuple[str, list[str]]]) -> set[tuple[str, str]]:
    return {(folder, name) for folder, names in waited for name in names}


@pytest.mark.slow
def test_a_put_that_is_killed_leaves_no_key_and_the_next_one_is_whole(
    kept_bytes: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    told: Any = request.getfixturevalue(
        "bytes_in_s3" if kept_bytes == "bucket" else "bytes_in_folder"
    )
    where = told if kept_bytes == "bucket" else {"REKINDLE_BYTES_DIR": str(told)}
    code = f"import sys; sys.argv = ['-', {KEY!r}]\n{KILLED}"
    command = [sys.executable, str(ROOT / "manage.py"), "shell", "--no-imports", "-c", code]
    log = tmp_path / "log"
    with log.open("wb") as out:
        running = subprocess.Popen(command, env=os.environ | where, stdout=out, stderr=out)
    wait_until(lambda: "half" in log.read_text(), "half of it was sent", log=log.read_text)
    running.send_signal(signal.SIGKILL)
    running.wait()
    assert not storage.exists(KEY)
    left = [Path(key).name for key in keys()]
    assert all(name.startswith(places.PART) for name in left)
    assert len(left) + len(list(places.unfinished(default_storage))) == 1
    storage.put_bytes(KEY, CONTENT)
    assert read(KEY) == CONTENT


# --- who may have it -----------------------------------------------------------------------------
def test_private_bytes_come_from_the_site_or_by_an_address_that_soon_expires(
    kept_bytes: str,
) -> None:
    storage.put_bytes(KEY, CONTENT)
    answer = respond(
        KEY, content_type="image/jpeg", public=False, request=RequestFactory().get("/")
    )
    if kept_bytes == "folder":
        assert b"".join(answer) == CONTENT  # type: ignore[arg-type]
        assert answer["Cache-Control"] == "private, max-age=31536000, immutable"
        assert storage.presigned(KEY, {}) == ""
        return
    assert answer["Cache-Control"] == "private, max-age=300"
    assert "X-Amz-Expires=600" in answer["Location"]
    with urllib.request.urlopen(answer["Location"]) as shown:
        assert shown.read() == CONTENT
        assert shown.headers["Content-Type"] == "image/jpeg"
        assert shown.headers["Cache-Control"] == "private, max-age=31536000, immutable"


def test_public_bytes_are_kept_by_readers_for_good_and_by_caches_for_an_hour() -> None:
    storage.put_bytes(KEY, CONTENT)
    answer = respond(KEY, content_type="image/jpeg", public=True, request=RequestFactory().get("/"))
    assert b"".join(answer) == CONTENT  # type: ignore[arg-type]
    assert answer["Cache-Control"] == "public, max-age=31536000, s-maxage=3600, immutable"
    assert answer["ETag"] == f'"originals-{SHA[:2]}-{SHA[2:4]}-{SHA}"'
    assert answer["Content-Length"] == str(len(CONTENT))


def test_a_bucket_that_is_there_is_as_good_as_a_new_one(kept_bytes: str) -> None:
    if kept_bytes == "bucket":
        call_command("make_bucket")
    assert keys() == []


@pytest.mark.slow
def test_sixty_four_megabytes_go_in_parts_and_come_back(tmp_path: Path) -> None:
    file = tmp_path / "large.tif"
    file.write_bytes(os.urandom(64 * 1024**2))
    sha256 = storage.digest(file)
    key = storage.original_key(sha256)
    storage.put_file(key, file)
    assert storage.size(key) == 64 * 1024**2
    assert list(places.unfinished(default_storage)) == []
    with storage.open_key(key) as stream:
        assert storage.measure(stream) == (sha256, 64 * 1024**2)
    middle = 40 * 1024**2 + 7
    assert storage.read_range(key, middle, 1000) == file.read_bytes()[middle : middle + 1000]
