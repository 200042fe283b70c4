"""A ZIP file, on this machine or in our storage. Nothing is unpacked to a path of its choosing."""

from __future__ import annotations

import lzma
import struct
import zipfile
import zlib
from collections.abc import Generator, Iterator
from contextlib import closing
from pathlib import PurePosixPath
from typing import IO

from archive.places import StorageAway
from archive.sources.source import BLOCK, Found, Unreachable, could_be_a_scan
from archive.sources.table import LARGEST

MOST_NAMES = 200_000
LOCKED, NAMES_IN_UTF8 = 0x1, 0x800
# What the desks that zip without saying so write their names in.
ENCODINGS = ("utf-8", "gb18030")
# A scan has grain; beyond this a short entry that promises much is a trap.
BOMB_BYTES, BOMB_RATIO = 64 * 1024**2, 900
TABLE = "metadata.csv"
DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, struct.error)


class Zipped:
    """The files in an opened ZIP."""

    near = True

    def __init__(self, stream: IO[bytes]) -> None:
        try:
            self.archive = zipfile.ZipFile(stream)
        except (*DAMAGED, OSError, ValueError, NotImplementedError) as error:
            # To zipfile whatever it cannot read is no ZIP.
            for each in (error, error.__context__):
                if isinstance(each, StorageAway):
                    raise each from None
            raise Unreachable("not-a-zip", whole=True) from None
        entries = [each for each in self.archive.infolist() if not each.is_dir()]
        if len(entries) > MOST_NAMES:
            raise Unreachable("too-many-files", whole=True, limit_files=MOST_NAMES)
        named = ((_name(each), each) for each in entries)
        self.entries = {name: each for name, each in named if not name.endswith("/")}

    def find(self, place: str = "") -> Iterator[Found]:
        """The files by name."""
        for name, entry in sorted(self.entries.items()):
            if could_be_a_scan(name):
                yield Found(name, PurePosixPath(name).name, size=entry.file_size)

    def table(self) -> bytes | None:
        """A table that was put in beside the scans, wherever the ZIP has its top.

        Of one that is too large, enough to see that it is.
        """
        found = [name for name in self.entries if PurePosixPath(name).name.lower() == TABLE]
        if not found:
            return None
        highest = min(found, key=lambda name: (name.count("/"), name))
        return self._beginning(highest, LARGEST + 1)

    def _beginning(self, place: str, most: int) -> bytes:
        """Up to `most` bytes, and the others stay packed: of a trap there would be no end."""
        found = bytearray()
        with closing(self.chunks(place)) as chunks:
            for block in chunks:
                found += block[: most - len(found)]
                if len(found) == most:
                    break
        return bytes(found)

    def chunks(self, place: str) -> Generator[bytes, None, None]:
        """The bytes of one file, checked by the ZIP's own sum."""
        entry = self.entries.get(place)
        if entry is None:
            raise Unreachable("not-there")
        if entry.flag_bits & LOCKED:
            raise Unreachable("zip-locked")
        if entry.file_size > max(BOMB_BYTES, BOMB_RATIO * entry.compress_size):
            raise Unreachable("bomb")
        try:
            with self.archive.open(entry) as stream:
                while block := stream.read(BLOCK):
                    yield block
        except NotImplementedError:  # first: it is a RuntimeError too
            raise Unreachable("zip-packed") from None
        except (*DAMAGED, lzma.LZMAError, RuntimeError, ValueError):
            raise Unreachable("zip-damaged") from None
        except OSError as error:
            # bz2 has no error of its own; what a disk or our storage says has a number or a name.
            if error.errno is not None or isinstance(error, StorageAway):
                raise
            raise Unreachable("zip-damaged") from None

    def head(self, place: str) -> bytes | None:
        """The first kilobyte."""
        for block in self.chunks(place):
            return block[:1024]
        return b""


def _name(entry: zipfile.ZipInfo) -> str:
    """What the entry is called; Windows PowerShell 5.1 parts its folders by a backslash.

    Only of decoded names: half of some Chinese signs is one too.
    """
    return _decoded(entry).replace("\\", "/")


def _decoded(entry: zipfile.ZipInfo) -> str:
    """The name in letters. Without the mark for UTF-8, Python takes it for a DOS of 1981."""
    if entry.flag_bits & NAMES_IN_UTF8:
        return entry.filename
    try:
        raw = entry.filename.encode("cp437")
    except UnicodeEncodeError:
        return entry.filename
    for encoding in ENCODINGS:
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return entry.filename
