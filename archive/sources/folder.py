"""A folder on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from archive.sources.source import BLOCK, Found, Unreachable, could_be_a_scan


class Folder:
    """Every file below a folder; `confined` keeps links from leading out of it."""

    near = True

    def __init__(self, root: Path, *, confined: bool = False) -> None:
        self.root, self.confined = root, confined

    def find(self, place: str = "") -> Iterator[Found]:
        """The files by name."""
        if not self.root.is_dir():
            raise Unreachable("no-such-folder", whole=True, path=str(self.root))
        for path in sorted(self.root.rglob("*")):
            name = path.relative_to(self.root).as_posix()
            if could_be_a_scan(name) and path.is_file() and self._inside(path):
                yield Found(name, path.name, size=path.stat().st_size)

    def _inside(self, path: Path) -> bool:
        return not self.confined or path.resolve().is_relative_to(self.root.resolve())

    def chunks(self, place: str) -> Iterator[bytes]:
        """The bytes of one file."""
        path = self.root / place
        if not self._inside(path):
            raise Unreachable("not-there")
        try:
            with path.open("rb") as stream:
                while block := stream.read(BLOCK):
                    yield block
        except FileNotFoundError:
            if not self.root.is_dir():
                raise Unreachable("no-such-folder", whole=True, path=str(self.root)) from None
            raise Unreachable("not-there") from None
        except OSError as error:
            raise Unreachable("cannot-open", problem=error.strerror or str(error)) from None

    def head(self, place: str) -> bytes | None:
        """The first kilobyte."""
        for block in self.chunks(place):
            return block[:1024]
        return b""
