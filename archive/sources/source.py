"""What every source is: a list of what it holds, and the bytes of each, read block by block."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, Protocol

BLOCK = 1024 * 1024
# Tables and notes lie beside the scans; what a desk's own programs leave there is nobody's scan.
NO_SCANS = frozenset({".csv", ".txt", ".md", ".db", ".ini"})


class Unreachable(Exception):  # noqa: N818 - says what happened
    """The source, or one file of it, cannot be read; archive.wording has a sentence for the code.

    `whole` tells that the rest of the source cannot be read either.
    """

    def __init__(self, code: str, *, whole: bool = False, **facts: Any) -> None:
        super().__init__(code)
        self.code, self.facts, self.whole = code, facts, whole


@dataclass(frozen=True)
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


def could_be_a_scan(name: str) -> bool:
    """Whether a name within a source is meant: not hidden, no table, not a system's own."""
    path = PurePosixPath(name)
    if path.suffix.lower() in NO_SCANS or "__MACOSX" in path.parts:
        return False
    return not any(part.startswith(".") for part in path.parts)
