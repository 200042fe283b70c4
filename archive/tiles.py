"""The tiles of a picture as they are read: an IIIF Image 3 service of level 0 out of one archive.

archive.tiling writes the archive. Its entries are stored as they are, one after the other, so a
tile is one read of so many bytes from some place on; the places are read once and remembered.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from functools import lru_cache
from typing import Any, NamedTuple

from archive import storage
from archive.sizes import FULL_SIDE, TILE, WHOLE_SIDE, fit

# For so many archives each process remembers the places: at most some 60 kB each.
REMEMBERED = 256
# What is fetched at once from the end of an archive: the list of its entries fits in, mostly.
TAIL = 64 * 1024
HEADER = 30  # a local header without extra fields, before its name
CONTEXT = "http://iiif.io/api/image/3/context.json"
WHOLE = "full/max"
ENDING = "0/default.jpg"


class Entry(NamedTuple):
    """Where in its archive a tile lies, how long it is, and the checksum of its bytes."""

    start: int
    size: int
    crc: int


class _Tail(io.RawIOBase):
    """An archive as a stream for whoever reads its end: that is fetched at once, and kept."""

    def __init__(self, key: str) -> None:
        super().__init__()
        self.key, self.at = key, 0
        self.size = storage.size(key)
        self.end = storage.read_range(key, max(0, self.size - TAIL), TAIL)

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self.at, io.SEEK_END: self.size}[whence]
        self.at = base + offset
        return self.at

    def read(self, size: int = -1) -> bytes:
        length = self.size - self.at if size < 0 else min(size, self.size - self.at)
        from_end = self.at - (self.size - len(self.end))
        if from_end >= 0:
            found = self.end[from_end : from_end + length]
        else:
            found = storage.read_range(self.key, self.at, length)
        self.at += len(found)
        return found


# --- what is in an archive -----------------------------------------------------------------------
def name(region: str, size: str) -> str:
    """What a tile is called, in the archive and in its address."""
    return f"{region}/{size}/{ENDING}"


@lru_cache(maxsize=REMEMBERED)
def directory(key: str) -> dict[str, Entry]:
    """Every entry of an archive by its name; FileNotFoundError when there is no archive."""
    with zipfile.ZipFile(_Tail(key)) as archive:
        return {
            each.filename: Entry(
                each.header_offset + HEADER + len(each.filename.encode()), each.file_size, each.CRC
            )
            for each in archive.infolist()
        }


def find(key: str, wanted: str) -> Entry | None:
    """The entry of that name, or None; FileNotFoundError when there is no archive."""
    return directory(key).get(wanted)


def read(key: str, wanted: str) -> bytes:
    """The bytes of an entry that `find` found.

    An archive that was made anew meanwhile has its places elsewhere: they are looked up once more.
    OSError when the bytes are not those that were stored.
    """
    for _once_more in range(2):
        entry = find(key, wanted)
        if entry is None:
            raise FileNotFoundError(f"{key} {wanted}")
        content = storage.read_range(key, entry.start, entry.size)
        if len(content) == entry.size and zlib.crc32(content) == entry.crc:
            return content
        directory.cache_clear()
    raise OSError(f"{wanted} in {key} is damaged")


# --- what the service says of itself -------------------------------------------------------------
def factors(width: int, height: int) -> list[int]:
    """By what the picture is made smaller, level by level, until it fits into one tile."""
    found = [1]
    while -(-max(width, height) // found[-1]) > TILE:
        found.append(2 * found[-1])
    return found


def sizes(width: int, height: int) -> list[tuple[int, int]]:
    """The whole pictures in the archive, growing: levels of the pyramid, and the largest there is.

    Only true levels: OpenSeadragon takes a list as long as the pyramid for its levels.
    """
    levels = [(-(-width // each), -(-height // each)) for each in factors(width, height)]
    small = [each for each in reversed(levels) if max(each) <= WHOLE_SIDE]
    largest = fit(width, height, FULL_SIDE)
    return small if largest in small else [*small, largest]


def canonical(wanted: str, width: int, height: int) -> str:
    """The name under which a request is kept: the largest whole picture has two."""
    largest = "{},{}".format(*fit(width, height, FULL_SIDE))
    return name(*WHOLE.split("/")) if wanted == name("full", largest) else wanted


def info(address: str, width: int, height: int, *, rights: str = "") -> dict[str, Any]:
    """The info.json of the service at `address`, of a picture with so many pixels."""
    largest = fit(width, height, FULL_SIDE)
    said: dict[str, Any] = {
        "@context": CONTEXT,
        "id": address,
        "type": "ImageService3",
        "protocol": "http://iiif.io/api/image",
        "profile": "level0",
        "width": width,
        "height": height,
        "sizes": [{"width": each[0], "height": each[1]} for each in sizes(width, height)],
        "tiles": [{"width": TILE, "scaleFactors": factors(width, height)}],
    }
    if largest != (width, height):
        said |= {"maxWidth": largest[0], "maxHeight": largest[1]}
    return said | ({"rights": rights} if rights else {})
