"""What every source is: a list of what it holds, and the bytes of each, read block by block."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, Protocol

from archive.intake import LONGEST_PLACE

BLOCK = 1024 * 1024
# What B-tree pages of PostgreSQL take, with room for the number of the batch.
LONGEST_PLACE_BYTES = 2000
# Tables and notes lie beside the scans; what a desk's own programs leave there is nobody's scan.
NO_SCANS = frozenset({".csv", ".txt", ".md", ".db", ".ini"})


class Unreachable(Exception):  # noqa: N818 - says what happened
    """The source, or one file of it, cannot be read; archive.wording has a sentence for the code.

    `whole` tells that the rest of the source cannot be read either.
    """

    def __init__(self, code: str, *, whole: bool = False, **facts: Any) -> None:
        super().__init__(code)
        self.code, self.facts, self.whole = code, facts, whole


@dataclass(frozen=True, slots=True)
class Found:
    """One thing in a source: a file, or a list of more (`is_list`).

    `place` finds it again within the source and is what makes it one; `described` has columns of
    a description; `size` is in bytes, 0 when not known.
    """

    place: str
    filename: str
    described: Mapping[str, str] = field(default_factory=dict)
    promised: str = ""
    size: int = 0
    is_list: bool = False


class Source(Protocol):
    """A folder, a ZIP, a table, a bucket or a manifest."""

    # Whether a look may read every byte, or only what costs little.
    near: bool

    def find(self, place: str = "") -> Iterator[Found]:
        """What is there, or in the list at `place`, in a steady order; or Unreachable."""
        ...

    def chunks(self, place: str) -> Iterator[bytes]:
        """The bytes of one file. Unreachable when it cannot be read, also in the middle."""
        ...

    def head(self, place: str) -> bytes | None:
        """Its first kilobyte, or None where even that has to be fetched from afar."""
        ...


def readable(name: str) -> str:
    """A name as a person and a database can read it; nearly always it is so already.

    What is not UTF-8 on a disk here is most often of a Chinese desk, folder by folder.
    """
    try:
        name.encode()
    except UnicodeEncodeError:
        name = "/".join(_decoded(part) for part in name.split("/"))
    return name.replace("\0", "\\0")


def _decoded(part: str) -> str:
    try:
        raw = os.fsencode(part)
    except UnicodeEncodeError:  # half a sign that came from the web, not from a disk
        return part.encode(errors="backslashreplace").decode()
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("gb18030", "backslashreplace")


def trouble(place: str) -> str:
    """Why no row can hold a place, as a code; nothing when one can."""
    if place != readable(place):
        return "name-not-utf8"
    fits = len(place) <= LONGEST_PLACE and len(place.encode()) <= LONGEST_PLACE_BYTES
    return "" if fits else "name-too-long"


def could_be_a_scan(name: str) -> bool:
    """Whether a name within a source is meant: not hidden, no table, not a system's own."""
    path = PurePosixPath(name)
    if path.suffix.lower() in NO_SCANS or "__MACOSX" in path.parts:
        return False
    return not any(part.startswith(".") for part in path.parts)
