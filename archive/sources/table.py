"""A table: one row a file, with what is said about it; and files that only a table names."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from archive.models import DESCRIPTION
from archive.sources.folder import Folder
from archive.sources.manifest import picture
from archive.sources.source import Found, Unreachable

COLUMNS = ("filename", "url", "sha256", *DESCRIPTION)
# What Excel writes for a Chinese desk when it is not asked for UTF-8.
ENCODINGS = ("utf-8-sig", "gb18030")
LARGEST = 64 * 1024**2
MOST_ODDITIES = 50
SHA256 = re.compile(r"[0-9a-f]{64}")
Row = Mapping[str, str]


class BadTable(Exception):  # noqa: N818 - the word of the sentence
    """The table as a whole cannot be used; archive.wording has a sentence for the code."""

    def __init__(self, code: str, **facts: Any) -> None:
        super().__init__(code)
        self.code, self.facts = code, facts


@dataclass
class Table:
    """The rows of a table by file name, and what is odd about it: codes with their facts."""

    rows: dict[str, Row] = field(default_factory=dict)
    by_url: dict[str, str] = field(default_factory=dict)
    oddities: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def name_of(self, found: Found) -> str:
        """The name under which the table speaks of a file: its path within the source, or less."""
        if found.place in self.by_url:
            return self.by_url[found.place]
        parts = PurePosixPath(found.place).parts
        tails = ("/".join(parts[at:]) for at in range(len(parts)))
        return next((name for name in tails if name in self.rows), found.filename)

    def odd(self, code: str, **facts: Any) -> None:
        """Note something; a table that is odd throughout need not say so ten thousand times."""
        if len(self.oddities) < MOST_ODDITIES:
            self.oddities.append((code, facts))


def read_table(content: bytes) -> Table:
    """The table's rows; unknown columns and repeated names are told, not guessed at."""
    text = _text(content)
    if not text.strip():
        raise BadTable("table-empty")
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    table = Table()
    try:
        reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
        _check_columns(reader, table)
        for number, row in enumerate(reader, start=2):
            _add_row(table, number, row)
    except csv.Error:
        raise BadTable("table-broken") from None
    return table


def _check_columns(reader: csv.DictReader[str], table: Table) -> None:
    names = [name.strip().lower() for name in reader.fieldnames or ()]
    reader.fieldnames = names
    if not {"filename", "url"} & set(names):
        raise BadTable("table-names-no-files")
    strangers = [name for name in names if name not in COLUMNS]
    if strangers:
        table.odd("table-columns", names=", ".join(strangers)[:500], known=", ".join(COLUMNS))


def _text(content: bytes) -> str:
    if len(content) > LARGEST:
        raise BadTable("too-large", limit=LARGEST)
    for encoding in ENCODINGS:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise BadTable("table-not-utf8")


def _add_row(table: Table, number: int, row: Mapping[Any, Any]) -> None:
    kept = {name: str(row.get(name) or "").strip() for name in COLUMNS if row.get(name)}
    name = kept.pop("filename", "").replace("\\", "/") or kept.get("url", "")
    if not name:
        if kept:
            table.odd("table-row-without-file", number=number)
    elif name in table.rows:
        table.odd("table-row-again", number=number, filename=name)
    else:
        table.rows[name] = kept
        if "url" in kept:
            table.by_url.setdefault(kept["url"], name)


class Named:
    """The files that a table names: by a web address, or in the folder where the table lies."""

    near = True

    def __init__(self, table: Table, folder: Path | None) -> None:
        self.table = table
        self.folder = Folder(folder) if folder else None

    def find(self, place: str = "") -> Iterator[Found]:
        """One for each row whose file can be looked for; the others the table names in vain."""
        for name, row in self.table.rows.items():
            url = row.get("url", "")
            if url:
                filename = PurePosixPath(name if name != url else unquote(urlsplit(url).path)).name
                yield Found(url, filename or "web")
            elif self.folder and (self.folder.root / name).is_file():
                yield Found(name, PurePosixPath(name).name)

    def chunks(self, place: str) -> Iterator[bytes]:
        """The bytes of one file."""
        if _is_web(place):
            return picture(place)
        if self.folder is None:
            raise Unreachable("not-there")
        return self.folder.chunks(place)

    def head(self, place: str) -> bytes | None:
        """The first kilobyte of a file that is here."""
        if _is_web(place) or self.folder is None:
            return None
        return self.folder.head(place)


def _is_web(place: str) -> bool:
    return place.startswith(("https://", "http://"))
