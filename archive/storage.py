"""Where bytes live: content-addressed keys in one private storage, a folder or an S3 service.

Nothing here is ever served by a storage URL of its own accord; views ask a policy first. A key
names its content by sha256, so writing the same key twice writes the same bytes.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from django.core.files.base import ContentFile, File
from django.core.files.storage import FileSystemStorage, default_storage

BLOCK = 1024 * 1024
READ_ONLY = 0o440


class TooLarge(Exception):  # noqa: N818 - says what happened
    """The stream went past the limit; what had come was thrown away."""


def _fan(sha256: str) -> str:
    return f"{sha256[:2]}/{sha256[2:4]}/{sha256}"


def incoming_key(sha256: str) -> str:
    """A file that nobody has looked into yet."""
    return f"incoming/{_fan(sha256)}"


def original_key(sha256: str) -> str:
    """The untouched scan, for ever."""
    return f"originals/{_fan(sha256)}"


def working_key(sha256: str) -> str:
    """A full-size upright sRGB TIFF: the scan's working copy or a version."""
    return f"working/{_fan(sha256)}.tif"


def sheet_key(sha256: str) -> str:
    """A mask or map: an 8-bit grey PNG."""
    return f"sheets/{_fan(sha256)}.png"


def derivative_key(sha256: str, name: str) -> str:
    """A smaller copy of a working file; deletable and remakeable."""
    return f"derivatives/{_fan(sha256)}/{name}"


def aside_key(sha256: str) -> str:
    """Bytes that lay under a wrong name, kept for whoever wants to know what became of them."""
    return f"set-aside/{_fan(sha256)}"


KEYS: dict[str, Callable[[str], str]] = {"original": original_key, "working": working_key}


def digest(path: Path) -> str:
    """The sha256 of a file, in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@dataclass(frozen=True)
class Received:
    """A stream that came in whole: where it lies, what it is called by, how long it is."""

    path: Path
    sha256: str
    size: int


@contextlib.contextmanager
def receive(chunks: Iterable[bytes], *, limit: int) -> Iterator[Received]:
    """Write a stream to a temporary file while hashing it; raise TooLarge past `limit` bytes."""
    sha, size = hashlib.sha256(), 0
    handle, name = tempfile.mkstemp(prefix="rekindle-")
    try:
        with os.fdopen(handle, "wb") as out:
            for chunk in chunks:
                size += len(chunk)
                if size > limit:
                    raise TooLarge
                sha.update(chunk)
                out.write(chunk)
        yield Received(Path(name), sha.hexdigest(), size)
    finally:
        Path(name).unlink(missing_ok=True)


def put_file(key: str, path: Path) -> None:
    """Store a file under a content-addressed key; a key that exists already holds these bytes."""
    if default_storage.exists(key):
        return
    with path.open("rb") as stream:
        _save(key, File(stream))


def put_bytes(key: str, content: bytes) -> None:
    """Store bytes under a content-addressed key."""
    if not default_storage.exists(key):
        _save(key, ContentFile(content))


def _path(key: str) -> Path | None:
    """Where it lies on this machine's disk; None when it lies elsewhere."""
    # Asked by its kind: the storage in memory answers `path` too, with a file that is not there.
    if not isinstance(default_storage, FileSystemStorage):
        return None
    return Path(default_storage.path(key))


def _save(key: str, content: File[bytes]) -> None:
    target = _path(key)
    if target is not None:
        _place(content, target)
        return
    stored = default_storage.save(key, content)
    if stored != key:
        # Somebody wrote the same content in the same moment; theirs is as good.
        default_storage.delete(stored)


def _place(content: File[bytes], target: Path) -> None:
    """Whole or not at all: a worker killed in the middle must not leave half a file as the key."""
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".part-", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as out:
            for chunk in content.chunks(BLOCK):
                out.write(chunk)
            out.flush()
            os.fsync(out.fileno())
        Path(name).chmod(READ_ONLY)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def open_key(key: str) -> IO[bytes]:
    """Open stored bytes for reading; FileNotFoundError when there are none."""
    if not default_storage.exists(key):
        raise FileNotFoundError(key)
    stream: IO[bytes] = default_storage.open(key, "rb")
    return stream


def holds_anything() -> bool:
    """Whether the storage is there at all: a disk not mounted looks like an empty folder."""
    folders, files = default_storage.listdir("")
    return bool(folders or files)


def measure(stream: IO[bytes]) -> tuple[str, int]:
    """The sha256 and the length of a stream, read block by block."""
    sha, size = hashlib.sha256(), 0
    while block := stream.read(BLOCK):
        sha.update(block)
        size += len(block)
    return sha.hexdigest(), size


def put_back(key: str, sha256: str, path: Path) -> None:
    """Put the right bytes where wrong ones lie or none; ValueError unless they are the right ones.

    Right bytes are never written over, and wrong ones are set aside, not deleted.
    """
    if digest(path) != sha256:
        raise ValueError(f"{path} does not hold {sha256}")
    if default_storage.exists(key):
        with local(key) as here:
            found = digest(here)
            if found == sha256:
                return
            put_file(aside_key(found), here)
        if _path(key) is None:  # a folder replaces in one move, a bucket takes no name twice
            default_storage.delete(key)
    with path.open("rb") as stream:
        _save(key, File(stream))


def exists(key: str) -> bool:
    """Whether bytes are stored under the key."""
    return default_storage.exists(key)


def delete(key: str) -> None:
    """Forget remakeable or unread bytes. Originals and versions are never deleted."""
    if key.startswith(("originals/", "working/")):
        raise ValueError(f"{key} is kept for ever")
    default_storage.delete(key)


@contextlib.contextmanager
def local(key: str) -> Iterator[Path]:
    """A path to the bytes on this machine's disk, fetched first when they are stored elsewhere."""
    here = _path(key)
    if here is not None:
        if not here.exists():
            raise FileNotFoundError(key)
        yield here
        return
    with tempfile.TemporaryDirectory(prefix="rekindle-") as folder:
        there = Path(folder) / Path(key).name
        with open_key(key) as source, there.open("wb") as target:
            shutil.copyfileobj(source, target, BLOCK)
        yield there
