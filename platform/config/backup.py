"""A backup of the whole site in a folder or a bucket, and the way back.

    bytes/…                   every stored file that a row names, under the storage's own keys
    backups/STAMP/rows.jsonl  every row, as it was at one moment
    backups/STAMP/files.jsonl which of the bytes belong to it: key, sha256, size
    backups/STAMP/manifest.json

1. The rows come first, the bytes after them: what a row names was stored before the row was.
2. The manifest is written last, in one move. A stamp without one is no backup, whatever is in it.
3. Bytes are named by their content, so all backups in a place share them, and only new ones are
   copied. What was copied is hashed again each time; in a bucket only when asked, for that is to
   fetch it all, and what a bucket shows came in whole.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from io import TextIOWrapper
from pathlib import Path
from typing import IO, NamedTuple

from django.core.files.base import File
from django.core.files.storage import FileSystemStorage, Storage
from django.core.management import call_command
from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from archive import derivatives, places, storage
from archive.forwarding import way
from config import revision, rows
from restoration import counting
from restoration.holdings import named, whereabouts

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
    # With the revision behind a plus, see config.revision.
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


# --- where ---------------------------------------------------------------------------------------
def at(where: str) -> Storage:
    """The folder of that path, or with s3://NAME a bucket of our own service.

    It must be there: in the place of a disk that is not mounted a folder would fill this one.
    """
    if where.startswith(places.S3):
        return _bucket(where)
    with _answering(where):
        folder = Path(where).resolve()
        place = _folder(folder)
        if not folder.exists():
            raise BackupRefused(
                f"There is no folder {where}. Make it, or mount its disk, and call this again."
            )
        if not folder.is_dir():
            raise BackupRefused(f"{where} is a file. Name a folder.")
    return place


@contextlib.contextmanager
def _answering(where: str) -> Iterator[None]:
    """Whatever the disk of the place says against it, as a sentence; storages say it themselves."""
    try:
        yield
    except places.StorageAway:
        raise
    except OSError as error:
        told = f"{error.filename or where}: {error.strerror or error}"
        raise BackupRefused(f"The backup cannot go on. {told}.") from error


def _folder(folder: Path) -> Storage:
    main, other, _both = way()
    for place in filter(None, (main, other)):
        kept = places.path(place, "")
        # Ours would lie among theirs, or be theirs: `bytes` is what both are called.
        if kept and (folder.is_relative_to(kept.resolve()) or kept.resolve() == folder / BYTES):
            raise BackupRefused(f"The site keeps its own files in {kept}. Name another place.")
    return FileSystemStorage(location=folder)


def _bucket(where: str) -> Storage:
    main, other, _both = way()
    if where in {places.address(place) for place in (main, other) if place}:
        raise BackupRefused(f"The site keeps its own files in {where}. Name another place.")
    if "/" in where.removeprefix(places.S3):
        raise BackupRefused(f"{where}: name a bucket of its own, not a folder in one.")
    try:
        place = places.at(where)
        next(places.listing(place, f"{BACKUPS}/"), None)
    except places.StorageAway as error:
        raise BackupRefused(f"{where} cannot be read: {error}") from None
    return place


def address(place: Storage, name: str) -> str:
    """How a person finds a file of a backup."""
    return f"{places.address(place)}/{name}"


# --- out -----------------------------------------------------------------------------------------
def make(place: Storage, *, now: datetime, again: bool = False) -> tuple[str, Manifest]:
    """Back everything up; gives the backup's stamp and its manifest. `again`: read all kept bytes.

    StorageAway when the site's storage or the place does not answer; then it is no backup.
    """
    with _answering(places.address(place)):
        _make_private(place)
        return _make(place, now, again)


def _make_private(place: Storage) -> None:
    """Nobody else on this machine reads what lies in a folder, however open that is itself."""
    for name in (BYTES, BACKUPS):
        if (folder := places.path(place, name)) is not None:
            folder.mkdir(mode=PRIVATE, exist_ok=True)


def _make(place: Storage, now: datetime, again: bool) -> tuple[str, Manifest]:
    _check_filled()
    stamp = now.strftime("%Y%m%dT%H%M%SZ")
    here = f"{BACKUPS}/{stamp}"
    if stamp in _stamps(place):
        raise BackupRefused(f"There is a backup {stamp} already. Wait a second.")
    # The moment is held by a transaction, which is over before anything is sent to a bucket.
    rows_file = _writing(place, f"{here}/{ROWS}")
    with rows_file as part, rows.snapshot(), part.open("w", encoding="utf-8") as out:
        tables, wanted, migrations = rows.dump(out), named(), sorted(_applied())
    kept, lacking = _keep_bytes(place, wanted, again=again)
    with _writing(place, f"{here}/{FILES}") as part, part.open("w", encoding="utf-8") as out:
        out.writelines(json.dumps(each) + "\n" for each in kept)
    manifest = Manifest(
        format=FORMAT,
        version=revision.version(),
        made_at=now.isoformat(),
        database=connection.vendor,
        migrations=migrations,
        tables=tables,
        rows_sha256=_seen(place, f"{here}/{ROWS}"),
        files_sha256=_seen(place, f"{here}/{FILES}"),
        files=len(kept),
        bytes=sum(each.size for each in kept),
        lacking=lacking,
    )
    text = json.dumps(asdict(manifest), indent=1, ensure_ascii=False)
    with _writing(place, f"{here}/{MANIFEST}") as part:
        part.write_bytes(text.encode())
    return stamp, manifest


def _check_filled() -> None:
    """A bare database is hardly the site's own: a shell without the settings makes one in var/."""
    applied, known = _applied(), _known()
    if applied and known - applied:
        raise BackupRefused(
            f"The database lacks {_some(sorted(known - applied))}. Make the backup with the"
            " program from before the update, or call `manage.py migrate` first."
        )
    if not applied or not rows.in_use():
        raise BackupRefused(
            f"There is nothing in this database ({rows.place()}), so no backup was made. Is"
            " REKINDLE_DATABASE_URL set in this shell? `set -a; . /etc/rekindle.env; set +a`"
            " reads the settings."
        )


def _known() -> set[str]:
    return {".".join(key) for key in MigrationLoader(None).disk_migrations}


def _applied() -> set[str]:
    return {".".join(key) for key in MigrationRecorder(connection).applied_migrations()}


def _seen(place: Storage, name: str) -> str:
    """The digest of what lies there now; nothing when there is none."""
    try:
        with places.get(place, name) as stream:
            return storage.measure(stream)[0]
    except FileNotFoundError:
        return ""


@contextlib.contextmanager
def _writing(place: Storage, name: str) -> Iterator[Path]:
    """A path to write to; it becomes the file of that name in one move, or nothing does."""
    target = places.path(place, name)
    if target is not None:
        with _whole(target) as part:
            yield part
        return
    with tempfile.TemporaryDirectory(prefix="rekindle-") as folder:
        part = Path(folder) / "part"
        yield part
        with part.open("rb") as stream:
            places.put(place, name, File(stream))


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def _whole(target: Path) -> Iterator[Path]:
    places.make_folder(target.parent)
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


def _keep_bytes(
    place: Storage, wanted: dict[str, str], *, again: bool
) -> tuple[list[Stored], list[str]]:
    trusted = {} if again else _trusted(place)
    kept, lacking = [], []
    for key, sha256 in sorted(wanted.items()):
        found = _keep(place, key, sha256, trusted)
        if found is None:
            lacking.append(key)
        else:
            kept.append(found)
    return kept, lacking


def _trusted(place: Storage) -> dict[str, int]:
    """What need not be read again, and how long it is: a bucket shows nothing that is not whole."""
    if not places.is_bucket(place):
        return {}
    return {item.key: item.size for item in places.listing(place, f"{BYTES}/")}


def _keep(place: Storage, key: str, sha256: str, trusted: Mapping[str, int]) -> Stored | None:
    """The file in the backup, copied unless it is there already; None when it is not to be had."""
    name = f"{BYTES}/{key}"
    if not (sha256 := sha256 or _hashed(key)):
        return None
    if name in trusted:
        return Stored(key, sha256, trusted[name])
    if _seen(place, name) != sha256:
        try:
            with _writing(place, name) as part:
                _fetch(key, sha256, part)
        except (FileNotFoundError, _Altered):
            return None
    kept = places.look(place, name)
    return Stored(key, sha256, kept.size) if kept else None


def _hashed(key: str) -> str:
    """The digest of an upload that no worker has hashed yet; nothing when it is not to be had."""
    try:
        with _open(key, "") as stream:
            return storage.measure(stream)[0]
    except FileNotFoundError:
        return ""


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
    for each in whereabouts(key, sha256):
        with contextlib.suppress(FileNotFoundError):
            return storage.open_key(each)
    if not storage.holds_anything():
        raise BackupRefused("The storage is empty or not mounted.")
    raise FileNotFoundError(key)


# --- finding -------------------------------------------------------------------------------------
def _stamps(place: Storage) -> dict[str, set[str]]:
    """What lies under each stamp, whole backups and those that were cut off."""
    found = defaultdict(set)
    for item in places.listing(place, f"{BACKUPS}/"):
        _backups, stamp, *rest = item.key.split("/")
        found[stamp].add("/".join(rest))
    return dict(found)


def find(place: Storage, *, stamp: str = "") -> tuple[str, Manifest]:
    """The newest whole backup of a place, or the one of that name."""
    there = {name: each for name, each in _stamps(place).items() if stamp in ("", name)}
    whole = sorted(name for name, each in there.items() if MANIFEST in each)
    if not whole:
        cut_off = f" ({len(there)} was cut off before its end)" if there else ""
        raise BackupRefused(f"There is no whole backup in {places.address(place)}{cut_off}.")
    with places.get(place, f"{BACKUPS}/{whole[-1]}/{MANIFEST}") as stream:
        told = json.loads(stream.read())
    if told.get("format") != FORMAT:
        raise BackupRefused(
            f"This backup has format {told.get('format')}, and this version reads {FORMAT}."
            f" {revision.of_format(str(told.get('version', '')))}"
        )
    # What a later version wrote besides, and this one does not know, takes nothing away.
    known = {each.name for each in fields(Manifest)}
    return whole[-1], Manifest(**{name: value for name, value in told.items() if name in known})


def files_of(place: Storage, stamp: str) -> Iterator[Stored]:
    """The files that belong to a backup."""
    with _lines(place, f"{BACKUPS}/{stamp}/{FILES}") as lines:
        for line in lines:
            yield Stored(*json.loads(line))


@contextlib.contextmanager
def _lines(place: Storage, name: str) -> Iterator[IO[str]]:
    with places.get(place, name) as stream, TextIOWrapper(stream, encoding="utf-8") as lines:
        yield lines


def verify(place: Storage, stamp: str, manifest: Manifest) -> None:
    """Read every byte of a backup, or BackupRefused with what is wrong."""
    here = f"{BACKUPS}/{stamp}"
    told = {f"{here}/{ROWS}": manifest.rows_sha256, f"{here}/{FILES}": manifest.files_sha256}
    bad = [address(place, name) for name, sha256 in told.items() if _seen(place, name) != sha256]
    if not bad:
        bad = [
            each.key
            for each in files_of(place, stamp)
            if _seen(place, f"{BYTES}/{each.key}") != each.sha256
        ]
    if bad:
        raise BackupRefused(f"This backup is damaged: {_some(bad)}. Nothing was changed.")


def _some(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


# --- in ------------------------------------------------------------------------------------------
def restore(place: Storage, *, stamp: str = "", over: bool = False, say: Say) -> Manifest:
    """Bring everything back. Refuses first, then bytes, then all rows in one transaction."""
    stamp, manifest = find(place, stamp=stamp)
    _check_migrations(manifest)
    _check_database(manifest, over)
    say("Reading every byte of the backup")
    verify(place, stamp, manifest)
    if not _applied():
        call_command("migrate", interactive=False, verbosity=0)
    say(f"Bringing back {manifest.files} files")
    for each in files_of(place, stamp):
        _put(place, each)
    say("Making the smaller pictures again")
    for each in files_of(place, stamp):
        if each.key == storage.working_key(each.sha256):
            derivatives.ensure(each.sha256)
    # Last of all: cut off before, the site is empty as it was, and this is called again.
    say(f"Bringing back the rows into {rows.place()}")
    _load(place, stamp, manifest)
    return manifest


def _check_migrations(manifest: Manifest) -> None:
    known = _known()
    unknown, newer = set(manifest.migrations) - known, known - set(manifest.migrations)
    if unknown:
        raise BackupRefused(
            f"This backup has migrations that this version does not know: {_some(sorted(unknown))}."
            f" {revision.of_newer(manifest.version)}"
        )
    if newer:
        raise BackupRefused(
            f"This backup is older than {', '.join(sorted(newer))}."
            f" {revision.of_older(manifest.version)}"
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


def _put(place: Storage, each: Stored) -> None:
    with _local(place, f"{BYTES}/{each.key}") as path:
        storage.put_back(each.key, each.sha256, path)
    with storage.open_key(each.key) as stream:
        seen, _size = storage.measure(stream)
    if seen != each.sha256:
        raise BackupRefused(f"The storage gave back other bytes than were put: {each.key}.")


@contextlib.contextmanager
def _local(place: Storage, name: str) -> Iterator[Path]:
    """A path to a file of the backup on this machine's disk."""
    here = places.path(place, name)
    if here is not None:
        yield here
        return
    with tempfile.TemporaryDirectory(prefix="rekindle-") as folder:
        path = Path(folder) / "bytes"
        with places.get(place, name) as source, path.open("wb") as target:
            shutil.copyfileobj(source, target, storage.BLOCK)
        yield path


def _load(place: Storage, stamp: str, manifest: Manifest) -> None:
    with transaction.atomic(), _lines(place, f"{BACKUPS}/{stamp}/{ROWS}") as lines:
        counts = rows.load(lines)
        if counts != manifest.tables:
            raise BackupRefused("The rows do not add up to what the manifest says.")
    # The rows that were replaced took their counts with them only in part.
    counting.recount()
