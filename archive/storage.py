"""Where bytes live: content-addressed keys in one private storage, a folder or an S3 service.

While the bytes move from one place to another there are two of them (forwarding.py), and this is
the only module that knows. Nothing here is ever served by a storage URL of its own accord; views
ask a policy first. A key names its content by sha256, so writing the same key twice writes the
same bytes.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import IO, Any, TypeVar, cast

from django.core.files.base import ContentFile, File
from django.core.files.storage import Storage

from archive import places
from archive.forwarding import way
from archive.places import StorageAway

logger = logging.getLogger(__name__)
Read = TypeVar("Read")

BLOCK = places.BLOCK
# A file that is stored again counts as new from then on, if it is so old.
STALE = timedelta(hours=6)


class TooLarge(Exception):  # noqa: N818 - says what happened
    """The stream went past the limit; what had come was thrown away."""


def _fan(sha256: str) -> str:
    return f"{sha256[:2]}/{sha256[2:4]}/{sha256}"


def incoming_key(sha256: str) -> str:
    """A file that nobody has looked into yet."""
    return f"incoming/{_fan(sha256)}"


def source_key(sha256: str, suffix: str) -> str:
    """What a batch was sent as, a ZIP or a table, until all of it is taken in."""
    return f"sources/{_fan(sha256)}{suffix}"


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


def evidence_key(sha256: str) -> str:
    """A publication's evidence pack: a ZIP that can be made again."""
    return f"evidence/{_fan(sha256)}.zip"


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
    """Write a stream to a temporary file while hashing it; raise TooLarge past `limit` bytes.

    StorageAway when this machine's disk is full.
    """
    sha, size = hashlib.sha256(), 0
    handle, name = tempfile.mkstemp(prefix="rekindle-")
    try:
        with os.fdopen(handle, "wb") as out:
            for chunk in chunks:
                size += len(chunk)
                if size > limit:
                    raise TooLarge
                sha.update(chunk)
                with places.answering():
                    out.write(chunk)
        yield Received(Path(name), sha.hexdigest(), size)
    finally:
        Path(name).unlink(missing_ok=True)


def put_file(key: str, path: Path) -> None:
    """Store a file under a content-addressed key; a key that exists already holds these bytes.

    StorageAway when the storage does not take it; then nothing of it is there.
    """
    with path.open("rb") as stream:
        _put(key, File(stream))


def put_bytes(key: str, content: bytes) -> None:
    """Store bytes under a content-addressed key; StorageAway as put_file."""
    _put(key, ContentFile(content))


def replace_bytes(key: str, content: bytes) -> None:
    """Store bytes in the place of others, in one move: whoever reads gets the old or the new.

    For what may be made again; kept bytes are never replaced.
    """
    if key.startswith(("originals/", "working/", "sheets/")):
        raise ValueError(f"{key} is kept for ever")
    main, other, both = way()
    places.put(main, key, ContentFile(content))
    if both and other is not None:
        # Not only where there is none: the old bytes would come along as the new.
        places.put(other, key, ContentFile(content))


def _put(key: str, content: File[bytes]) -> None:
    main, other, both = way()
    if not places.freshen(main, key, older=STALE):
        places.put(main, key, content)
    if both and other is not None:
        _put_there_too(other, key, content)


def _put_there_too(other: Storage, key: str, content: File[bytes]) -> None:
    """The copy for the new place may fail: whoever moves the bytes comes by once more."""
    try:
        if places.look(other, key) is None:
            content.seek(0)
            places.put(other, key, content)
    except StorageAway:
        logger.warning("the new storage did not take %s", key, exc_info=True)


def _first(key: str) -> Storage:
    """The place that holds the key; FileNotFoundError when none does."""
    for place in _asked():
        if places.look(place, key) is not None:
            return place
    raise FileNotFoundError(key)


def _asked() -> list[Storage]:
    main, other, _both = way()
    return [main] if other is None else [main, other]


def open_key(key: str) -> IO[bytes]:
    """Open stored bytes for reading; FileNotFoundError when there are none."""
    main, other, _both = way()
    try:
        return places.get(main, key)
    except FileNotFoundError:
        if other is None:
            raise FileNotFoundError(key) from None
        return places.get(other, key)


def read_range(key: str, start: int, length: int) -> bytes:
    """Up to `length` bytes from `start` on, and only these are read; none behind the end.

    FileNotFoundError when there is no such file.
    """
    main, other, _both = way()
    try:
        return places.part(main, key, start, length)
    except FileNotFoundError:
        if other is None:
            raise FileNotFoundError(key) from None
        return places.part(other, key, start, length)


def size(key: str) -> int:
    """How long stored bytes are; FileNotFoundError when there are none."""
    for place in _asked():
        found = places.look(place, key)
        if found is not None:
            return found.size
    raise FileNotFoundError(key)


def presigned(key: str, said: Mapping[str, str]) -> str:
    """An address at the S3 service that soon expires; nothing where bytes go through the site.

    `said` are headers that the service shall answer with, as its API calls them.
    """
    main, other, _both = way()
    if other is not None or not places.is_bucket(main):
        return ""
    return str(cast(Any, main).url(key, parameters=dict(said)))


def holds_anything() -> bool:
    """Whether the storage is there at all: a disk not mounted looks like an empty folder."""
    with places.answering():
        folders, files = way().main.listdir("")
    return bool(folders or files)


def check_mounted() -> None:
    """StorageAway when the storage as a whole is not there: then nothing of it is lost."""
    is_there = False
    with contextlib.suppress(FileNotFoundError):
        is_there = holds_anything()
    if not is_there:
        raise StorageAway("The storage is empty or not mounted.")


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
    main = way().main
    if places.look(main, key) is not None:
        with local(key) as here:
            found = digest(here)
            if found == sha256:
                return
            put_file(aside_key(found), here)
    with path.open("rb") as stream:
        places.put(main, key, File(stream))


def exists(key: str) -> bool:
    """Whether bytes are stored under the key."""
    return any(places.look(place, key) is not None for place in _asked())


def delete(key: str) -> None:
    """Forget remakeable or unread bytes. Originals and versions are never deleted."""
    if key.startswith(("originals/", "working/")):
        raise ValueError(f"{key} is kept for ever")
    for place in _asked():
        places.remove(place, key)


def read_received(sha256: str, read: Callable[[Path], Read]) -> Read:
    """Call `read` on a file that came in: as it lies there still, or by now as the original.

    Another reader of the same bytes, done with them, may take them from under this one; then it is
    called once more. FileNotFoundError when they are at neither place.
    """
    came, original = incoming_key(sha256), original_key(sha256)
    try:
        with local(came) as path:
            return read(path)
    except Exception:
        if exists(came) or not exists(original):
            raise
    with local(original) as path:
        return read(path)


@contextlib.contextmanager
def local(key: str) -> Iterator[Path]:
    """A path to the bytes on this machine's disk, fetched first when they are stored elsewhere."""
    place = _first(key)
    here = places.path(place, key)
    if here is not None:
        yield here
        return
    with tempfile.TemporaryDirectory(prefix="rekindle-") as folder:
        there = Path(folder) / Path(key).name
        with places.get(place, key) as source, places.answering(), there.open("wb") as target:
            shutil.copyfileobj(source, target, BLOCK)
        yield there
