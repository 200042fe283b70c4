"""A table: one row a file, with what is said about it; and files that only a table names."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from archive.models import DESCRIPTION
from archive.sources.folder import Folder
from archive.sources.manifest import picture
from archive.sources.source import Found, Unreachable
from archive.wording import meant

COLUMNS = ("filename", "url", "sha256", *DESCRIPTION)
# What Excel writes for a Chinese desk when it is not asked for UTF-8.
UTF8, GB18030 = "utf-8-sig", "gb18030"
# A western desk's table read as GB18030: M黮ler for Müller, John抯 for John's. One sign amid
# small letters, as Chinese words beside Latin ones are longer or stand beside capitals.
NOT_CHINESE = re.compile(
    r"[A-Za-z][\u3400-\u9fff][a-z]|[A-Za-z][\u62af\u62b0\u62a3\u62ae\u62b3\u62ce\u62a6]"
)
UNCLOSED = "unexpected end of data"
# Excel's own first line, by which a table says what parts its cells; saved again it may have grown
# quotation marks and empty cells.
SEPARATOR = re.compile(r'"?sep=([^\w\s"\x00-\x1f]|\t)"?[;,\t]*(?:\r\n|\r|\n|$)', re.IGNORECASE)
LARGEST = 64 * 1024**2
MOST_ODDITIES = 50
# In one sentence about many rows: so many words, with so many rows each.
MOST_NAMED, MOST_ROWS, LONGEST_NAMED = 20, 10, 80
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
    # The same names as they are written: a file on a disk is found by no other.
    written: dict[str, str] = field(default_factory=dict)
    by_url: dict[str, str] = field(default_factory=dict)
    # The rows that give a photo the same identifier.
    identifiers: dict[str, list[int]] = field(default_factory=dict)
    oddities: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def fits(self, found: Iterable[Found]) -> dict[str, list[str]]:
        """The places of the files that each name fits: those it names wholly, else by its end.

        A name of several files is odd: whose words they are is not guessed at.
        """
        best: dict[str, tuple[int, list[str]]] = {}
        for each in found:
            if fit := self._fit(each):
                name, lacks = fit
                known, places = best.setdefault(name, (lacks, []))
                if lacks == known:
                    places.append(each.place)
                elif lacks < known:
                    best[name] = (lacks, [each.place])
        fitting = {name: places for name, (_lacks, places) in best.items()}
        for name, places in fitting.items():
            if len(places) > 1:
                self.odd("table-name-of-several", filename=name, count=len(places))
        return fitting

    def _fit(self, found: Found) -> tuple[str, int] | None:
        """The longest name by which the table speaks of a file, and how far it is from its path:
        the same bytes, the same letters, or only its end.
        """
        if found.place in self.by_url:
            return self.by_url[found.place], 0
        whole = same(found.place)
        if whole in self.rows:
            return whole, int(self.written[whole] != found.place)
        parts = PurePosixPath(whole).parts
        tails = ["/".join(parts[at:]) for at in range(len(parts))]
        shorter = (name for name in (*tails, same(found.filename)) if name in self.rows)
        name = next(shorter, None)
        return None if name is None else (name, 2)

    def odd(self, code: str, **facts: Any) -> None:
        """Note something; a table that is odd throughout need not say so ten thousand times."""
        self.counts[code] += 1
        if self.counts[code] <= MOST_ODDITIES:
            self.oddities.append((code, facts))

    def told(self) -> list[tuple[str, dict[str, Any]]]:
        """All that is odd, with how often more than is told one by one."""
        more = sum(max(0, count - MOST_ODDITIES) for count in self.counts.values())
        return [*self.oddities, *([("table-odd-besides", {"count": more})] if more else [])]


def same(name: str) -> str:
    """A name by which it is compared: a Mac writes é as two signs, everybody else as one."""
    return unicodedata.normalize("NFC", name)


def read_table(content: bytes) -> Table:
    """The table's rows; unknown columns and repeated names are told, not guessed at."""
    text, encoding = _text(content)
    text, delimiter = _parted(text)
    if not text.strip():
        raise BadTable("table-empty")
    table = Table()
    try:
        reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
        _check_columns(reader, table)
        for number, row in enumerate(reader, start=2):
            _add_row(table, number, row)
    except csv.Error:
        raise BadTable("table-broken") from None
    _check_quotes(text, delimiter)
    _check_identifiers(table)
    if encoding == GB18030:
        table.odd("table-in-gb18030")
    return table


def _parted(text: str) -> tuple[str, str]:
    """The table itself, and what parts its cells: what it names, or what its headings show."""
    if said := SEPARATOR.match(text):
        return text[said.end() :], said[1]
    first = text.partition("\n")[0]
    return text, max(",;\t", key=first.count)


def _check_quotes(text: str, delimiter: str) -> None:
    """Refuse a quotation mark that nothing closes: the rows behind it were taken for its words.

    Other strange marks, as in "Big" team, cost nothing, and stay allowed.
    """
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        try:
            next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if UNCLOSED in str(error):
                raise BadTable("table-broken") from None


def _check_columns(reader: csv.DictReader[str], table: Table) -> None:
    names = [name.strip().lower() for name in reader.fieldnames or ()]
    while names and not names[-1]:
        # Above empty columns, as Excel leaves them: what stands below is beyond the table.
        names.pop()
    reader.fieldnames = names
    if not {"filename", "url"} & set(names):
        raise BadTable("table-names-no-files")
    strangers = [name for name in names if name not in COLUMNS]
    if strangers:
        table.odd("table-columns", names=", ".join(strangers)[:500], known=", ".join(COLUMNS))
    if twice := [name for name in COLUMNS if names.count(name) > 1]:
        table.odd("table-columns-twice", names=", ".join(twice))


def _check_identifiers(table: Table) -> None:
    """Say which rows share one: front and back do, and mistakes of the pen; none is refused."""
    twice = {each: rows for each, rows in table.identifiers.items() if len(rows) > 1}
    if twice:
        table.odd("table-identifiers-twice", rows=named(twice))


def named(groups: Mapping[str, Sequence[object]]) -> str:
    """What many rows say, each with these rows, on one line: A-17 (2, 5); A-18 (3, 9)."""
    told = []
    for words, rows in list(groups.items())[:MOST_NAMED]:
        more = ", …" if len(rows) > MOST_ROWS else ""
        listed = ", ".join(str(row) for row in rows[:MOST_ROWS])
        told.append(f"{words[:LONGEST_NAMED]} ({listed}{more})")
    return "; ".join([*told, "…"] if len(groups) > MOST_NAMED else told)


def _text(content: bytes) -> tuple[str, str]:
    """The words and the encoding they were read by; GB18030 takes nearly any bytes for Chinese."""
    if len(content) > LARGEST:
        raise BadTable("too-large", limit=LARGEST)
    for encoding in (UTF8, GB18030):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if encoding == UTF8 or not NOT_CHINESE.search(text):
            return text, encoding
    raise BadTable("table-not-utf8")


def _add_row(table: Table, number: int, row: Mapping[Any, Any]) -> None:
    kept = {name: meant(str(row[name]).strip()) for name in COLUMNS if row.get(name)}
    if any(cell.strip() for cell in row.get(None, ())):
        kept = _unshifted(table, number, kept)
    written = kept.pop("filename", "").replace("\\", "/") or kept.get("url", "")
    name = same(written)
    if not name:
        if kept:
            table.odd("table-row-without-file", number=number)
    elif name in table.rows:
        table.odd("table-row-again", number=number, filename=name)
    else:
        table.rows[name] = kept
        table.written[name] = written
        if "url" in kept:
            table.by_url.setdefault(kept["url"], name)
        if kept.get("identifier"):
            table.identifiers.setdefault(kept["identifier"], []).append(number)


def _unshifted(table: Table, number: int, kept: dict[str, str]) -> dict[str, str]:
    """Of a row with more cells than headings, what can be no other column's; the scan is taken."""
    table.odd("table-row-too-long", number=number)
    promised = kept.get("sha256", "").lower()
    sure = ("filename", "url", "sha256") if SHA256.fullmatch(promised) else ("filename", "url")
    return {name: kept[name] for name in sure if name in kept}


def described(found: Iterable[Found], table: Table, unused: set[str]) -> Iterator[Found]:
    """The same things with what the table says of them; what it says nothing of comes last.

    Of two files with the same bytes the one that the table names is then the photo.
    """
    if not table.rows:
        yield from found
        return
    # Only who has seen all of them knows whether a name is that of several.
    known: dict[str, Found] = {}
    for each in found:
        known.setdefault(each.place, each)
    fitting = table.fits(known.values())
    unused.difference_update(fitting)
    names = {places[0]: name for name, places in fitting.items() if len(places) == 1}
    for each in known.values():
        if each.place in names:
            yield _with_words(each, table.rows[names[each.place]])
    yield from (each for each in known.values() if each.place not in names)


def _with_words(found: Found, row: Row) -> Found:
    told = {**found.described, **{key: row[key] for key in DESCRIPTION if key in row}}
    return replace(found, described=told, promised=row.get("sha256", "").lower())


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
            elif place := self._lies_at(name):
                yield Found(place, PurePosixPath(place).name)

    def _lies_at(self, name: str) -> str:
        """The path of a file within the folder as it is written there; nothing when it is not."""
        if self.folder is None:
            return ""
        ways = (self.table.written[name], name, unicodedata.normalize("NFD", name))
        return next((way for way in ways if (self.folder.root / way).is_file()), "")

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
