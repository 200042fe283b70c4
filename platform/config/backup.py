"""A backup of the whole site in a folder, and the way back.

    bytes/…                   every stored file that a row names, under the storage's own keys
    backups/STAMP/rows.jsonl  every row, as it was at one moment
    backups/STAMP/files.jsonl which of the bytes belong to it: key, sha256, size
    backups/STAMP/manifest.json

1. The rows come first, the bytes after them: what a row names was stored before the row was.
2. The manifest is written last, in one move. A folder without one is no backup, whatever is in it.
3. Bytes are named by their content, so all backups in a folder share them, and only new ones are
   copied. What was copied is hashed again each time.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, NamedTuple

from django.core.management import call_command
from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from archive import derivatives, storage
from config import rows
from restoration import counting
from restoration.holdings import named

FORMAT = 1
BYTES, BACKUPS = "bytes", "backups"
ROWS, FILES, MANIFEST = "rows.jsonl", "files.jsonl", "manifest.json"
PRIVATE = 0o700
SHOWN = 5

Say = Callable[[str], None]


class BackupRefused(Exception):  # noqa: N818 - says what happened
    """It cannot be done; the text says why and what to do."""


class Stored(NamedTuple):
    """A file of a backup."""

    key: str
    sha256: str
    size: int


@dataclass(frozen=True)
class Manifest:
    """What a backup holds, and what it fits."""

    format: int
    version: str
    made_at: str
    database: str
    migrations: list[str]
    tables: dict[str, int]
    rows_sha256: str
    files_sha256: str
    files: int
    bytes: int
    # Files that were missing or altered when it was made.
    lacking: list[str]


# --- out -----------------------------------------------------------------------------------------
def make(folder: Path, *, now: datetime) -> tuple[Path, Manifest]:
    """Back everything up; gives the folder of this backup and its manifest."""
    here = folder / BACKUPS / now.strftime("%Y%m%dT%H%M%SZ")
    folder.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
    (folder / BACKUPS).mkdir(exist_ok=True)
    here.mkdir()
    with rows.snapshot():
        with (here / ROWS).open("w", encoding="utf-8") as out:
            tables = rows.dump(out)
        wanted, migrations = named(), sorted(_applied())
    kept, lacking = _keep_bytes(folder, wanted)
    with (here / FILES).open("w", encoding="utf-8") as out:
        out.writelines(json.dumps(each) + "\n" for each in kept)
    manifest = Manifest(
        format=FORMAT,
        version=importlib.metadata.version("rekindle"),
        made_at=now.isoformat(),
        database=connection.vendor,
        migrations=migrations,
        tables=tables,
        rows_sha256=_settled(here / ROWS),
        files_sha256=_settled(here / FILES),
        files=len(kept),
        bytes=sum(each.size for each in kept),
        lacking=lacking,
    )
    text = json.dumps(asdict(manifest), indent=1, ensure_ascii=False)
    with _whole(here / MANIFEST) as out_bytes:
        out_bytes.write_bytes(text.encode())
    return here, manifest


def _applied() -> set[str]:
    return {".".join(key) for key in MigrationRecorder(connection).applied_migrations()}


def _settled(path: Path) -> str:
    """The digest of a file that is on the disk for good."""
    _sync(path)
    return storage.digest(path)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def _whole(target: Path) -> Iterator[Path]:
    """A path to write to; it becomes the target in one move, or nothing does."""
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".part-", dir=target.parent)
    os.close(handle)
    part = Path(name)
    try:
        yield part
        _sync(part)
        part.replace(target)
        _sync(target.parent)
    finally:
        part.unlink(missing_ok=True)


def _keep_bytes(folder: Path, wanted: dict[str, str]) -> tuple[list[Stored], list[str]]:
    kept, lacking = [], []
    for key, sha256 in sorted(wanted.items()):
        found = _keep(folder / BYTES / key, key, sha256)
        if found is None:
            lacking.append(key)
        else:
            kept.append(found)
    return kept, lacking


def _keep(target: Path, key: str, sha256: str) -> Stored | None:
    """The file in the backup, copied unless it is there already; None when it is not to be had."""
    if not (target.is_file() and storage.digest(target) == sha256):
        try:
            with _whole(target) as part:
                _fetch(key, sha256, part)
        except (FileNotFoundError, _Altered):
            return None
    return Stored(key, sha256, target.stat().st_size)


class _Altered(Exception):  # noqa: N818 - says what happened
    """The storage holds other bytes than the row names."""


def _fetch(key: str, sha256: str, part: Path) -> None:
    """Copy out of the storage, hashing what goes by."""
    seen = hashlib.sha256()
    with _open(key, sha256) as source, part.open("wb") as out:
        while block := source.read(storage.BLOCK):
            seen.update(block)
            out.write(block)
    if seen.hexdigest() != sha256:
        raise _Altered(key)


def _open(key: str, sha256: str) -> IO[bytes]:
    """The stored bytes. A file that was read since the snapshot is an original by now."""
    try:
        return storage.open_key(key)
    except FileNotFoundError:
        if not storage.holds_anything():
            raise BackupRefused("The storage is empty or not mounted.") from None
        if key != storage.incoming_key(sha256):
            raise
        return storage.open_key(storage.original_key(sha256))


# --- finding -------------------------------------------------------------------------------------
def find(folder: Path, *, stamp: str = "") -> tuple[Path, Manifest]:
    """The newest whole backup of a folder, or the one of that name."""
    places = sorted((folder / BACKUPS).glob(stamp or "*"), reverse=True)
    whole = [place for place in places if (place / MANIFEST).is_file()]
    if not whole:
        cut_off = f" ({len(places)} was cut off before its end)" if places else ""
        raise BackupRefused(f"There is no whole backup in {folder}{cut_off}.")
    told = json.loads((whole[0] / MANIFEST).read_text(encoding="utf-8"))
    if told.get("format") != FORMAT:
        raise BackupRefused(
            f"This backup has format {told.get('format')}, and this version reads {FORMAT}. "
            f"Install version {told.get('version')} and restore it there."
        )
    return whole[0], Manifest(**told)


def files_of(here: Path) -> Iterator[Stored]:
    """The files that belong to a backup."""
    with (here / FILES).open(encoding="utf-8") as lines:
        for line in lines:
            yield Stored(*json.loads(line))


def verify(folder: Path, here: Path, manifest: Manifest) -> None:
    """Read every byte of a backup, or BackupRefused with what is wrong."""
    bad = [
        str(here / name)
        for name, sha256 in ((ROWS, manifest.rows_sha256), (FILES, manifest.files_sha256))
        if not _is(here / name, sha256)
    ]
    if not bad:
        bad = [
            each.key for each in files_of(here) if not _is(folder / BYTES / each.key, each.sha256)
        ]
    if bad:
        raise BackupRefused(f"This backup is damaged: {_some(bad)}. Nothing was changed.")


def _is(path: Path, sha256: str) -> bool:
    return path.is_file() and storage.digest(path) == sha256


def _some(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


# --- in ------------------------------------------------------------------------------------------
def restore(folder: Path, *, stamp: str = "", over: bool = False, say: Say) -> Manifest:
    """Bring everything back. Refuses first, then bytes, then all rows in one transaction."""
    here, manifest = find(folder, stamp=stamp)
    _check_migrations(manifest)
    _check_database(manifest, over)
    say("Reading every byte of the backup")
    verify(folder, here, manifest)
    if not _applied():
        call_command("migrate", interactive=False, verbosity=0)
    say(f"Bringing back {manifest.files} files")
    for each in files_of(here):
        _put(folder, each)
    say("Making the smaller pictures again")
    for each in files_of(here):
        if each.key == storage.working_key(each.sha256):
            derivatives.ensure(each.sha256)
    # Last of all: cut off before, the site is empty as it was, and this is called again.
    say("Bringing back the rows")
    _load(here, manifest)
    return manifest


def _check_migrations(manifest: Manifest) -> None:
    known = {".".join(key) for key in MigrationLoader(None).disk_migrations}
    unknown, newer = set(manifest.migrations) - known, known - set(manifest.migrations)
    if unknown:
        raise BackupRefused(
            f"This backup has migrations that this version does not know: {_some(sorted(unknown))}."
            f" Install version {manifest.version} and restore it there."
        )
    if newer:
        raise BackupRefused(
            f"This backup is older than {_some(sorted(newer))}. Install version"
            f" {manifest.version}, restore it there, then update."
        )


def _check_database(manifest: Manifest, over: bool) -> None:
    """Either bare, or with the tables of the backup and nothing in them."""
    applied = _applied()
    if applied and applied != set(manifest.migrations):
        raise BackupRefused("The database is not up to date: call `manage.py migrate` first.")
    filled = rows.in_use() if applied else []
    if filled and not over:
        raise BackupRefused(
            f"This site is in use: there are rows in {_some(filled)}. Say --over to replace every"
            " row by those of the backup."
        )


def _put(folder: Path, each: Stored) -> None:
    storage.put_back(each.key, each.sha256, folder / BYTES / each.key)
    with storage.open_key(each.key) as stream:
        seen, _size = storage.measure(stream)
    if seen != each.sha256:
        raise BackupRefused(f"The storage gave back other bytes than were put: {each.key}.")


def _load(here: Path, manifest: Manifest) -> None:
    with transaction.atomic(), (here / ROWS).open(encoding="utf-8") as lines:
        counts = rows.load(lines)
        if counts != manifest.tables:
            raise BackupRefused("The rows do not add up to what the manifest says.")
    # The rows that were replaced took their counts with them only in part.
    counting.recount()
