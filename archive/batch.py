"""A folder of scans and a table of descriptions, taken into a collection file by file.

A bad file or row costs itself only: it gets a sentence and the rest goes on. Doing it all again
adds nothing, because a file is known by its sha256.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from django.utils import timezone
from django.utils.translation import gettext as _

from archive import ingest, storage, wording
from archive.actions import DESCRIPTION, checked_description, receive_scan
from archive.decoder import Refused as FileRefused
from archive.decoder import sniff
from archive.lifecycle import PhotoState
from archive.models import Collection, Photo
from archive.policy import Refused

if TYPE_CHECKING:
    from accounts.models import User

COLUMNS = ("filename", "sha256", *DESCRIPTION)
# What Excel writes for a Chinese desk when it is not asked for UTF-8.
ENCODINGS = ("utf-8-sig", "gb18030")
Row = Mapping[str, str]


class BadTable(Exception):  # noqa: N818 - the word of the sentence
    """The table as a whole cannot be used; the message is a sentence."""


@dataclass
class Table:
    """The rows of a table by file name, and what is odd about it."""

    rows: dict[str, Row] = field(default_factory=dict)
    oddities: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Outcome:
    """What became of one file: new, known, quarantined or refused, and a sentence when it helps."""

    filename: str
    kind: str
    sentence: str = ""
    photo: Photo | None = None


def read_table(path: Path) -> Table:
    """The table's rows; unknown columns and repeated names are told, not guessed at."""
    lines = _text(path).splitlines(keepends=True)
    if not lines:
        raise BadTable(_("The table is empty."))
    delimiter = max(",;\t", key=lines[0].count)
    reader = csv.DictReader(lines, delimiter=delimiter)
    names = [name.strip().lower() for name in reader.fieldnames or ()]
    reader.fieldnames = names
    if "filename" not in names:
        raise BadTable(_("The table has no column “filename”."))
    table = Table()
    strangers = [name for name in names if name not in COLUMNS]
    if strangers:
        told = _("These columns are not known and were left out: {names}. Known are: {known}.")
        table.oddities.append(told.format(names=", ".join(strangers), known=", ".join(COLUMNS)))
    for number, row in enumerate(reader, start=2):
        _add_row(table, number, row)
    return table


def _text(path: Path) -> str:
    content = path.read_bytes()
    for encoding in ENCODINGS:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise BadTable(_("The table is not written in UTF-8."))


def _add_row(table: Table, number: int, row: Mapping[str | None, str | list[str] | None]) -> None:
    kept = {name: str(row.get(name) or "").strip() for name in COLUMNS if row.get(name)}
    filename = kept.pop("filename", "").replace("\\", "/")
    if not filename:
        if kept:
            told = _("Row {number} names no file.")
            table.oddities.append(told.format(number=number))
    elif filename in table.rows:
        told = _("Row {number} names {filename} again; the first row counts.")
        table.oddities.append(told.format(number=number, filename=filename))
    else:
        table.rows[filename] = kept


def take(
    folder: Path,
    *,
    collection: Collection,
    by: User,
    table: Table,
    dry_run: bool = False,
    wait: bool = False,
) -> Iterator[Outcome]:
    """Take every file of the folder, telling of each one; nothing is changed in a dry run."""
    unused = set(table.rows)
    for path in _files(folder):
        inside = path.relative_to(folder).as_posix()
        name = inside if inside in table.rows else path.name
        unused.discard(name)
        row = table.rows.get(name, {})
        try:
            yield _take(path, row, collection, by, dry_run, wait)
        except (Refused, FileRefused, OSError) as error:
            yield Outcome(inside, "refused", _sentence(error))
    for name in sorted(unused):
        yield Outcome(name, "refused", _("The table names this file, but it is not in the folder."))


def _files(folder: Path) -> list[Path]:
    """Every file that could be meant: not hidden, and no table."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file()
        and path.suffix.lower() not in (".csv", ".txt", ".md")
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )


def _sentence(error: Exception) -> str:
    if isinstance(error, Refused):
        return str(error.message)
    if isinstance(error, FileRefused):
        return wording.sentence(error.code, error.facts)
    return _("The file cannot be opened ({problem}).").format(problem=error)


def _take(
    path: Path, row: Row, collection: Collection, by: User, dry_run: bool, wait: bool
) -> Outcome:
    described = {name: text for name, text in row.items() if name in DESCRIPTION}
    promised = row.get("sha256", "").lower()
    if promised and storage.digest(path) != promised:
        told = _("The file's sha256 is not the one in the table: it was changed or cut on its way.")
        return Outcome(path.name, "refused", told)
    if dry_run:
        return _look(path, described, collection)
    with path.open("rb") as stream:
        photo, new = receive_scan(
            collection=collection,
            chunks=iter(lambda: stream.read(storage.BLOCK), b""),
            filename=path.name,
            by=by,
            now=timezone.now(),
            describe=described,
            ring=not wait,
        )
    if wait and photo.state == PhotoState.READING:
        ingest.read_photo(photo_id=photo.pk)
        photo.refresh_from_db()
    return _told(photo, path.name, new)


def _told(photo: Photo, filename: str, new: bool) -> Outcome:
    if photo.state == PhotoState.QUARANTINED:
        why = wording.sentence(photo.quarantine_code, photo.quarantine_facts)
        return Outcome(filename, "quarantined", why, photo)
    return Outcome(filename, "new" if new else "known", photo=photo)


def _look(path: Path, described: Row, collection: Collection) -> Outcome:
    """What a dry run can say without keeping anything: row, first bytes, whether it is here."""
    checked_description(described)
    with path.open("rb") as stream:
        sniff(stream.read(1024))
    known = Photo.objects.filter(collection=collection, sha256=storage.digest(path)).first()
    return _told(known, path.name, new=False) if known else Outcome(path.name, "new")
