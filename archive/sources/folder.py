"""A folder on this machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from archive.sources.source import BLOCK, Found, Unreachable, could_be_a_scan


class Folder:
    """Every file below a folder; `confined` keeps links from leading out of it."""

    near = True

    def __init__(self, root: Path, *, confined: bool = False) -> None:
        self.root, self.confined = root, confined

    def find(self, place: str = "") -> Iterator[Found]:
        """The files by name; a folder that cannot be read stands there as a file that cannot."""
        if not os.path.isdir(self.root):  # noqa: PTH112 - Path's own raises where it may not look
            raise self._no_root()
        found: list[Found] = []
        for where, names in self._folders(found):
            inside = where.relative_to(self.root).as_posix().removeprefix(".")
            for name in names:
                place = f"{inside}/{name}" if inside else name
                if could_be_a_scan(place) and (size := self._size(where / name)) is not None:
                    found.append(Found(place, name, size=size))
        yield from sorted(found, key=lambda each: each.place.split("/"))

    def _folders(self, closed: list[Found]) -> Iterator[tuple[Path, list[str]]]:
        """Each folder with the names of its files; those that cannot be read are put to `closed`.

        A link to a folder is followed when all real ones were seen, and never to one of these.
        """

        def note(error: OSError) -> None:
            path = Path(os.fsdecode(error.filename or self.root))
            if path == self.root:
                raise self._no_root()
            closed.append(Found(path.relative_to(self.root).as_posix() + "/", f"{path.name}/"))

        tops, seen = [self.root], set[tuple[int, int]]()
        for top in tops:
            for where, folders, names in os.walk(top, onerror=note):
                here = Path(where)
                folders[:] = [each for each in folders if could_be_a_scan(f"{each}/x")]
                if _is_again(here, seen):
                    folders.clear()
                    continue
                yield here, names
                if not self.confined:
                    tops += sorted(here / each for each in folders if _is_link(here / each))

    def _no_root(self) -> Unreachable:
        return Unreachable("no-such-folder", whole=True, path=str(self.root))

    def _size(self, path: Path) -> int | None:
        """How long a file is, 0 when nobody may know; None for what is no file of this folder."""
        try:
            if not path.is_file() or not self._inside(path):
                return None
            return path.stat().st_size
        except OSError:
            # Reading it will say what stands in the way.
            return 0

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
                raise self._no_root() from None
            raise Unreachable("not-there") from None
        except IsADirectoryError as error:
            raise Unreachable("cannot-open", problem=_why_closed(path) or error.strerror) from None
        except OSError as error:
            raise Unreachable("cannot-open", problem=error.strerror or str(error)) from None

    def head(self, place: str) -> bytes | None:
        """The first kilobyte."""
        for block in self.chunks(place):
            return block[:1024]
        return b""


def _is_again(folder: Path, seen: set[tuple[int, int]]) -> bool:
    """Whether a folder was walked through already, under this name or another."""
    told = folder.stat()
    known = (told.st_dev, told.st_ino) in seen
    seen.add((told.st_dev, told.st_ino))
    return known


def _is_link(folder: Path) -> bool:
    try:
        return folder.is_symlink()
    except OSError:
        return False


def _why_closed(folder: Path) -> str:
    try:
        os.scandir(folder).close()
    except OSError as error:
        return error.strerror or str(error)
    return ""
