"""The one door: from a batch's row to its source and its table."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

from django.conf import settings

from archive import storage
from archive.intake import Batch
from archive.lifecycle import SourceKind
from archive.sources.bucket import Bucket
from archive.sources.folder import Folder
from archive.sources.manifest import Manifest
from archive.sources.source import Source, Unreachable
from archive.sources.table import BadTable, Named, Table, read_table
from archive.sources.zipped import Zipped

BUFFER = 1024 * 1024


@contextmanager
def opened(batch: Batch) -> Iterator[tuple[Source, Table]]:
    """The source of a batch and what a table says of its files. Unreachable when there is none."""
    with ExitStack() as ends:
        table = _table_of(batch)
        if batch.kind == SourceKind.ZIP:
            zipped = Zipped(ends.enter_context(_zip_of(batch)))
            yield zipped, table or _parsed(zipped.table()) or Table()
        elif batch.kind == SourceKind.TABLE:
            table = table or Table()
            yield Named(table, Path(batch.place).parent if batch.by_command else None), table
        else:
            yield _far_or_folder(batch), table or Table()


def _far_or_folder(batch: Batch) -> Source:
    if batch.kind == SourceKind.BUCKET:
        return Bucket(batch.place)
    if batch.kind == SourceKind.MANIFEST:
        return Manifest(batch.place)
    if batch.by_command:
        return Folder(Path(batch.place))
    return Folder(folder_of_the_site(batch.place), confined=True)


def folder_of_the_site(name: str) -> Path:
    """A folder that the operator has put out for curators. Unreachable when it is none of these."""
    root = settings.INGEST_DIR
    if root is None:
        raise Unreachable("no-such-folder", whole=True, path=name)
    path = (root / name).resolve()
    if not path.is_relative_to(root.resolve()) or not path.is_dir():
        raise Unreachable("no-such-folder", whole=True, path=name)
    return path


def folders_of_the_site() -> list[str]:
    """The names of these folders, for a curator to choose from."""
    root = settings.INGEST_DIR
    if root is None or not root.is_dir():
        return []
    return sorted(
        each.name for each in root.iterdir() if each.is_dir() and not each.name.startswith(".")
    )


@contextmanager
def _zip_of(batch: Batch) -> Iterator[IO[bytes]]:
    try:
        with _stream(batch) as stream:
            yield stream
    except FileNotFoundError:
        raise Unreachable("lost-bytes", whole=True) from None


@contextmanager
def _stream(batch: Batch) -> Iterator[IO[bytes]]:
    """A ZIP that can be sought; one in our storage is not fetched whole for one of its files."""
    if batch.by_command:
        with Path(batch.place).open("rb") as stream:
            yield stream
    else:
        yield io.BufferedReader(Stored(batch.place), BUFFER)


class Stored(io.RawIOBase):
    """Stored bytes as a file that can be sought, read range by range."""

    def __init__(self, key: str) -> None:
        self.key, self.size, self.at = key, storage.size(key), 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self.at, io.SEEK_END: self.size}[whence]
        self.at = max(0, start + offset)
        return self.at

    def readinto(self, buffer: Any) -> int:
        length = min(len(buffer), self.size - self.at)
        if length <= 0:
            return 0
        block = storage.read_range(self.key, self.at, length)
        buffer[: len(block)] = block
        self.at += len(block)
        return len(block)


def _table_of(batch: Batch) -> Table | None:
    if not batch.table:
        return None
    try:
        with storage.open_key(batch.table) as stream:
            return _parsed(stream.read())
    except FileNotFoundError:
        raise Unreachable("lost-bytes", whole=True) from None


def _parsed(content: bytes | None) -> Table | None:
    if content is None:
        return None
    try:
        return read_table(content)
    except BadTable as bad:
        raise Unreachable(bad.code, whole=True, **bad.facts) from None
