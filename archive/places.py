"""One place that keeps bytes, a folder or a bucket: what Django's storages leave open.

Files come whole or not at all, are read in part, listed and dated; and a place that does not
answer, is full or refuses says so with one kind of exception, whatever it is made of.
"""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import FileSystemStorage, Storage, storages
from django.utils import timezone

BLOCK = 1024 * 1024
READ_ONLY = 0o440
# What is larger waits on the disk while it is read.
IN_MEMORY = 16 * 1024**2
S3 = "s3://"
PART = ".part-"  # how a file is called in a folder before it is whole
SERVICES = {"botocore", "boto3", "s3transfer", "urllib3"}
NOT_THERE = {"404", "NoSuchKey"}
PAST_THE_END = {"416", "InvalidRange"}
# What file systems over a network say when a folder cannot be waited for.
UNSYNCED = (errno.EINVAL, errno.ENOTSUP)


class StorageAway(OSError):  # noqa: N818 - says what happened
    """The place did not answer, is full or refused. Nothing was half done; try again later."""


class NoPlace(StorageAway):
    """There is no such place as far as this machine and its settings know; the text says why."""


class Item(NamedTuple):
    """A stored file: its key, its length in bytes, when it was last written."""

    key: str
    size: int
    changed: datetime


@contextlib.contextmanager
def answering() -> Iterator[None]:
    """Say StorageAway for whatever goes wrong with the place, FileNotFoundError for a lack."""
    try:
        yield
    except (FileNotFoundError, StorageAway):
        raise
    except OSError as error:
        raise StorageAway(error.errno, error.strerror or str(error)) from error
    except Exception as error:
        if type(error).__module__.partition(".")[0] not in SERVICES:
            raise
        if code(error) in NOT_THERE:
            raise FileNotFoundError(str(error)) from error
        raise StorageAway(str(error)) from error


def code(error: Exception) -> str:
    """What an S3 service called its refusal; nothing when it did not answer at all."""
    said: Any = getattr(error, "response", None) or {}
    return str(said.get("Error", {}).get("Code", ""))


# --- which place ---------------------------------------------------------------------------------
def at(where: str) -> Storage:
    """The folder of that path, or with s3://NAME that bucket of the service in the settings.

    NoPlace when no service is known, or when there is no such folder.
    """
    if where.startswith(S3):
        told = settings.BUCKET_STORAGE
        options = told["OPTIONS"] | {"bucket_name": where.removeprefix(S3)}
        if not (settings.S3_BUCKET or options["endpoint_url"] or options["access_key"]):
            raise NoPlace(f"{where} needs the service's address and keys: REKINDLE_S3_ENDPOINT, …")
        return storages.create_storage(told | {"OPTIONS": options})
    if not Path(where).is_dir():
        raise NoPlace(f"There is no folder {where}.")
    return FileSystemStorage(location=where)


def address(place: Storage) -> str:
    """What `at` finds the place by; nothing for one that is neither folder nor bucket."""
    if is_bucket(place):
        return f"{S3}{cast(Any, place).bucket_name}"
    return str(place.location) if isinstance(place, FileSystemStorage) else ""


def is_bucket(place: Storage) -> bool:
    """Whether an S3 service keeps it."""
    return hasattr(place, "querystring_auth")


def path(place: Storage, key: str) -> Path | None:
    """Where it lies on this machine's disk; None when it lies elsewhere."""
    # Asked by its kind: the storage in memory answers `path` too, with a file that is not there.
    return Path(place.path(key)) if isinstance(place, FileSystemStorage) else None


def _object(place: Storage, key: str) -> Any:
    return cast(Any, place).bucket.Object(key)


# --- one file ------------------------------------------------------------------------------------
def put(place: Storage, key: str, content: File[bytes]) -> None:
    """Write a whole file under exactly this key, over what may lie there."""
    target = path(place, key)
    with answering():
        if target is not None:
            _move_in(content, target)
        elif is_bucket(place):
            # The service shows it when the last byte is in, and drops the parts of one cut off.
            content.seek(0)
            _object(place, key).upload_fileobj(content, Config=cast(Any, place).transfer_config)
        else:
            place.delete(key)
            place.save(key, content)


def _sync(folder: Path) -> None:
    """Wait until the names in a folder are on the disk: a power cut would take them with it."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in UNSYNCED:
            raise
    finally:
        os.close(handle)


def make_folder(folder: Path) -> None:
    """Make a folder and what lies above it; their names are on the disk then."""
    lacking = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for each in lacking:
        _sync(each.parent)


def _move_in(content: File[bytes], target: Path) -> None:
    """Whole or not at all: a worker killed in the middle must not leave half a file as the key."""
    make_folder(target.parent)
    handle, name = tempfile.mkstemp(prefix=PART, dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as out:
            for chunk in content.chunks(BLOCK):
                out.write(chunk)
            out.flush()
            os.fsync(out.fileno())
        Path(name).chmod(READ_ONLY)
        Path(name).replace(target)
        _sync(target.parent)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def get(place: Storage, key: str) -> IO[bytes]:
    """All bytes of a file, here and whole before the first is read; FileNotFoundError if none."""
    with answering():
        if not is_bucket(place):
            return cast("IO[bytes]", place.open(key, "rb"))
        came = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY, prefix="rekindle-")  # noqa: SIM115
        try:
            _object(place, key).download_fileobj(came, Config=cast(Any, place).transfer_config)
        except BaseException:
            came.close()
            raise
        came.seek(0)
        return cast("IO[bytes]", came)


def part(place: Storage, key: str, start: int, length: int) -> bytes:
    """Up to `length` bytes from `start` on, without reading the others; none behind the end."""
    with answering():
        if not is_bucket(place):
            with place.open(key, "rb") as stream:
                stream.seek(start)
                return bytes(stream.read(length))
        wanted = f"bytes={start}-{start + length - 1}"
        try:
            return bytes(_object(place, key).get(Range=wanted)["Body"].read())
        except Exception as error:
            if code(error) in PAST_THE_END:
                return b""
            raise


def look(place: Storage, key: str) -> Item | None:
    """What is known of a file without reading it; None when there is none."""
    try:
        with answering():
            if is_bucket(place):
                found = _object(place, key)
                return Item(key, found.content_length, found.last_modified)
            return Item(key, place.size(key), place.get_modified_time(key))
    except FileNotFoundError:
        return None


def freshen(place: Storage, key: str, *, older: timedelta) -> bool:
    """Whether the file is there; if so it counts as written now, unless it is not even so old.

    Whoever clears away what no row names goes by that date, and a row is about to name this.
    """
    found = look(place, key)
    if found is None or timezone.now() - found.changed < older:
        return found is not None
    return touch(place, key)


def touch(place: Storage, key: str) -> bool:
    """Let a file count as written now; whether it was there."""
    here = path(place, key)
    try:
        with answering():
            if here is not None:
                os.utime(here)
            elif is_bucket(place):
                one = _object(place, key)
                source = {"Bucket": one.bucket_name, "Key": key}
                one.copy_from(CopySource=source, MetadataDirective="REPLACE")
    except FileNotFoundError:
        return False
    return True


def remove(place: Storage, key: str) -> None:
    """Forget a file; that there is none is as good."""
    with contextlib.suppress(FileNotFoundError), answering():
        place.delete(key)


def carry(place: Storage, key: str, to: str) -> None:
    """Give a file another key within its place; FileNotFoundError when there is none."""
    here, there = path(place, key), path(place, to)
    if here is None or there is None:
        copy(place, key, to)
        remove(place, key)
        return
    with answering():
        make_folder(there.parent)
        here.rename(there)
        _sync(there.parent)


def copy(place: Storage, key: str, to: str) -> None:
    """Let a file lie under another key too; FileNotFoundError when there is none."""
    if is_bucket(place):
        with answering():
            one = _object(place, key)
            _object(place, to).copy({"Bucket": one.bucket_name, "Key": key})
        return
    with get(place, key) as stream:
        put(place, to, File(stream))


# --- all files -----------------------------------------------------------------------------------
def listing(place: Storage, under: str = "") -> Iterator[Item]:
    """Every file below a folder, those that are not whole too; in no order."""
    if isinstance(place, FileSystemStorage):
        root = Path(place.location)
        yield from _walk(root, root / under)
    elif is_bucket(place):
        yield from _pages(place, under)
    else:
        yield from _recurse(place, under.rstrip("/"))


def _walk(root: Path, folder: Path) -> Iterator[Item]:
    with answering():
        try:
            found = list(os.scandir(folder))
        except FileNotFoundError:
            return
    for each in sorted(found, key=lambda entry: entry.name):
        if each.is_dir(follow_symlinks=False):
            yield from _walk(root, Path(each.path))
            continue
        with contextlib.suppress(FileNotFoundError):  # it was finished or taken meanwhile
            seen = each.stat(follow_symlinks=False)
            key = Path(each.path).relative_to(root).as_posix()
            yield Item(key, seen.st_size, datetime.fromtimestamp(seen.st_mtime, UTC))


def _pages(place: Storage, under: str) -> Iterator[Item]:
    found = iter(cast(Any, place).bucket.objects.filter(Prefix=under))
    while True:
        with answering():
            each = next(found, None)
        if each is None:
            return
        yield Item(each.key, each.size, each.last_modified)


def _recurse(place: Storage, folder: str) -> Iterator[Item]:
    folders, files = place.listdir(folder)
    start = f"{folder}/" if folder else ""
    for name in files:
        key = f"{start}{name}"
        yield Item(key, place.size(key), place.get_modified_time(key))
    for name in folders:
        yield from _recurse(place, f"{start}{name}")


class Unfinished(NamedTuple):
    """An upload in parts to a bucket that has not ended: invisible, and paid for."""

    key: str
    id: str
    began: datetime


def unfinished(place: Storage) -> Iterator[Unfinished]:
    """Uploads in parts that nobody ended: whoever sent them was killed, or still sends."""
    if not is_bucket(place):
        return
    bucket = cast(Any, place).bucket
    with answering():
        found = list(bucket.multipart_uploads.all())
    for each in found:
        yield Unfinished(each.object_key, each.id, each.initiated)


def give_up(place: Storage, upload: Unfinished) -> None:
    """End an unfinished upload; its parts go."""
    with contextlib.suppress(FileNotFoundError), answering():
        cast(Any, place).bucket.Object(upload.key).MultipartUpload(upload.id).abort()
