"""Where the bytes of an upload wait until all of them are here: a file that grows, or parts.

In a folder it is one file, and its length says how much has come. In a bucket the browser sends
the parts straight to the service, by addresses that are good for one part each, and the service
says which are there. Nothing of it is a scan yet; archive.uploading decides what becomes of it.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

from archive import places, storage
from archive.forwarding import way
from archive.places import StorageAway, Unfinished

FOLDER = "arriving/"
BLOCK = 1024 * 1024
# S3 takes 10,000 parts of at least 5 MiB; small ones lose little when the line breaks.
PART_BYTES = 8 * 1024**2
MOST_PARTS = 9_000
# A signed address outlives a part on a slow line: 8 MiB in an hour are 20 kbit/s.
ADDRESS_SECONDS = 3600
CHECKSUMS: dict[str, Callable[..., Any]] = {"sha1": hashlib.sha1, "sha256": hashlib.sha256}


class Overtaken(Exception):  # noqa: N818 - says what happened
    """Another request goes on with this upload; this one has stopped."""


class ChecksumDiffers(Exception):  # noqa: N818 - says what happened
    """What came is not what was sent; it was thrown away."""


class Part(NamedTuple):
    """A part that the service has: its number from 1 on, its bytes, what the service calls it."""

    number: int
    size: int
    tag: str


def key(ref: str) -> str:
    """Where the bytes of an upload wait."""
    return f"{FOLDER}{ref}"


def in_parts() -> bool:
    """Whether the storage is a service that the browser can send to by itself."""
    main, other, _both = way()
    return other is None and places.is_bucket(main)


def in_a_file() -> bool:
    """Whether the storage is a folder, in which a file can grow."""
    main, other, _both = way()
    return other is None and places.path(main, FOLDER) is not None


def is_in_reach(upload_id: str) -> bool:
    """Whether the storage is of the kind an upload was begun in: parts in a bucket, or a folder."""
    main = way().main
    return places.is_bucket(main) if upload_id else places.path(main, FOLDER) is not None


# --- a file that grows ----------------------------------------------------------------------------
def _path(ref: str) -> Path:
    found = places.path(way().main, key(ref))
    if found is None:
        raise StorageAway(f"{key(ref)} does not lie in a folder")
    return found


def begin_file(ref: str) -> None:
    """An empty file that may be written to."""
    with places.answering():
        path = _path(ref)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def length(ref: str) -> int:
    """How many bytes have come; FileNotFoundError when there is no such file."""
    with places.answering():
        return _path(ref).stat().st_size


def _write(handle: int, chunk: bytes, at: int) -> None:
    """All of it: a disk that is nearly full takes the beginning first and refuses only then."""
    rest = memoryview(chunk)
    while rest:
        done = os.pwrite(handle, rest, at)
        rest, at = rest[done:], at + done


def append(
    ref: str,
    chunks: Iterable[bytes],
    *,
    at: int,
    most: int,
    mine: Callable[[], bool],
    checksum: tuple[str, bytes] | None = None,
) -> int:
    """Write what comes behind the `at` bytes that are there; gives the new length.

    Whatever came before the line broke stays, unless a checksum was promised for the whole of it.
    `mine` is asked before each block: a connection that everybody has given up on may still hang
    here when the next one goes on, and must not write any more. Bytes past `most` are not taken.
    """
    seen = CHECKSUMS[checksum[0]]() if checksum else None

    def is_right() -> bool:
        return seen is None or checksum is None or seen.digest() == checksum[1]

    end = at
    with places.answering(), _path(ref).open("r+b") as file:
        try:
            for chunk in chunks:
                chunk = chunk[: most - end]
                if seen is not None:
                    seen.update(chunk)
                # By its length others see that all is here: it never is before that is known.
                if end + len(chunk) == most and not is_right():
                    break
                with _held(file, mine):
                    _write(file.fileno(), chunk, end)
                end += len(chunk)
        finally:
            if not (whole := is_right()):
                with contextlib.suppress(Overtaken), _held(file, mine):
                    os.ftruncate(file.fileno(), at)
            os.fsync(file.fileno())
    if not whole:
        raise ChecksumDiffers
    return end


@contextlib.contextmanager
def _held(file: IO[bytes], mine: Callable[[], bool]) -> Iterator[None]:
    """The file locked for one block, for the request whose turn it is."""
    fcntl.flock(file, fcntl.LOCK_EX)
    try:
        if not mine():
            raise Overtaken
        yield
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)


def settled_length(ref: str) -> int:
    """The length, once the block that another request is writing has been written."""
    with places.answering(), _path(ref).open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        return os.fstat(file.fileno()).st_size


# --- parts in a bucket ----------------------------------------------------------------------------
def part_bytes(size: int) -> int:
    """How long each part of a file is, but the last."""
    return max(PART_BYTES, -(-size // MOST_PARTS))


def _service() -> tuple[Any, str]:
    main = cast(Any, way().main)
    return main.connection.meta.client, str(main.bucket_name)


def begin_parts(ref: str) -> str:
    """Tell the service that parts will come; gives its name for that."""
    with places.answering():
        client, bucket = _service()
        return str(client.create_multipart_upload(Bucket=bucket, Key=key(ref))["UploadId"])


def address(ref: str, upload_id: str, number: int) -> str:
    """Where the browser may send this one part for a while."""
    client, bucket = _service()
    what = {"Bucket": bucket, "Key": key(ref), "UploadId": upload_id, "PartNumber": number}
    signed = client.generate_presigned_url("upload_part", Params=what, ExpiresIn=ADDRESS_SECONDS)
    return str(signed)


def parts(ref: str, upload_id: str) -> list[Part]:
    """What the service has, by number; FileNotFoundError when it knows no such upload."""
    found: list[Part] = []
    with places.answering():
        client, bucket = _service()
        pages = client.get_paginator("list_parts").paginate(
            Bucket=bucket, Key=key(ref), UploadId=upload_id
        )
        try:
            for page in pages:
                found += [_part(each) for each in page.get("Parts", ())]
        except client.exceptions.NoSuchUpload as error:
            raise FileNotFoundError(upload_id) from error
    return sorted(found)


def _part(told: dict[str, Any]) -> Part:
    return Part(int(told["PartNumber"]), int(told["Size"]), str(told["ETag"]))


def join(ref: str, upload_id: str, found: list[Part]) -> None:
    """Make one file of the parts; the service keeps nothing else of them."""
    said = [{"PartNumber": each.number, "ETag": each.tag} for each in found]
    with places.answering():
        client, bucket = _service()
        client.complete_multipart_upload(
            Bucket=bucket, Key=key(ref), UploadId=upload_id, MultipartUpload={"Parts": said}
        )


# --- the end --------------------------------------------------------------------------------------
def drop(ref: str, upload_id: str, now: datetime) -> None:
    """Forget all that came of an upload; that there is nothing is as good."""
    main = way().main
    if upload_id and places.is_bucket(main):
        places.give_up(main, Unfinished(key(ref), upload_id, now))
    storage.delete(key(ref))


def adopt(ref: str, sha256: str, path: Path) -> None:
    """Give the bytes the key of a file that came in; `path` is where they can be read here."""
    main, other, _both = way()
    if other is None:
        if places.path(main, key(ref)) is not None:
            path.chmod(places.READ_ONLY)
        places.carry(main, key(ref), storage.incoming_key(sha256))
        return
    storage.put_file(storage.incoming_key(sha256), path)
    storage.delete(key(ref))


def strays(known: Callable[[str], bool], before: datetime) -> int:
    """Give up what waits since before and no row knows, files and parts; gives their number.

    Whoever began it was killed before the row was written, or ended it and was killed before this.
    Only below our folder: parts elsewhere in a bucket are a worker's, or somebody else's.
    """
    main, done = way().main, 0
    for item in list(places.listing(main, FOLDER)):
        if item.changed < before and not known(item.key.removeprefix(FOLDER)):
            places.remove(main, item.key)
            done += 1
    for each in places.unfinished(main):
        ours = each.key.startswith(FOLDER) and each.began < before
        if ours and not known(each.key.removeprefix(FOLDER)):
            places.give_up(main, each)
            done += 1
    return done
