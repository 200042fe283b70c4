"""The worker's part of a batch: list what the source holds, look at it, take it in, file by file.

Several processes may work on one batch, and each may be killed at any time:

1. A file's row is held by compare-and-set before anything is done with it, and let go of when its
   holder is dead or silent; who comes next does it again. By its sha256 it is the same photo.
2. The row is settled in the transaction that adds the photo, so "new" is said exactly once.
3. A bad file costs itself only. A source or a storage that is gone stops the batch, which goes on
   from there when it is called again.
"""

from __future__ import annotations

import hashlib
import itertools
import logging
import os
import socket
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from archive import ingest, queries, wording
from archive.actions import READING_ATTEMPTS, checked_description, quarantine_photo, receive_scan
from archive.batches import compared, complete_description, let_go
from archive.decoder import Refused as FileRefused
from archive.decoder import sniff
from archive.intake import Batch, BatchFile
from archive.lifecycle import AT_WORK, BatchState, FileOutcome, FileStep, PhotoState
from archive.models import Photo
from archive.places import StorageAway
from archive.policy import Refused
from archive.sources.opening import opened
from archive.sources.source import Found, Source, Unreachable, readable, trouble
from archive.sources.table import Table, described, named
from archive.stateful import IllegalMove

if TYPE_CHECKING:
    from accounts.models import User

logger = logging.getLogger(__name__)

# A file that takes longer than this lost its holder. Doing it twice would do no harm.
HELD = timedelta(minutes=5)
TRIES = 3
SLICE_SECONDS = 20
LIST_AT_ONCE = 500
HEAD = 1024
TAKEN = "table-identifiers-taken"
Tell = Callable[[BatchFile], None]


@dataclass(frozen=True)
class Hand:
    """Whoever works on a batch: how it is known, when it must stop, whether it reads scans too."""

    name: str
    until: float | None = None
    reads: bool = True
    tell: Tell | None = None

    def is_late(self) -> bool:
        return self.until is not None and time.monotonic() > self.until


def hand(*, seconds: float | None = None, reads: bool = True, tell: Tell | None = None) -> Hand:
    """This process, for so many seconds or to the end."""
    until = None if seconds is None else time.monotonic() + seconds
    return Hand(f"{socket.gethostname()}:{os.getpid()}", until, reads, tell)


# --- the whole -----------------------------------------------------------------------------------
def work_for_a_while(*, batch_id: int) -> bool:
    """A slice of a batch, on a worker. Whether there is more to do that another slice can do."""
    batch = Batch.objects.filter(pk=batch_id, by_command=False, state__in=AT_WORK).first()
    return batch is not None and work(batch, hand(seconds=SLICE_SECONDS))


def work(batch: Batch, by: Hand) -> bool:
    """Work on a batch until its end, a stop, or the hand's time. Whether some free work is left."""
    try:
        with ExitStack() as ends:
            with _told_of(batch):
                source, table = ends.enter_context(opened(batch))
                if not batch.listed_at:
                    _list(batch, source, table)
            _free_the_dead(batch)
            while not by.is_late():
                file = _hold(batch, by)
                if file is None:
                    break
                _do(batch, source, file, by)
    except Unreachable as error:
        _fail(batch, error.code, error.facts)
        return False
    return _end(batch, by, table)


@contextmanager
def _told_of(batch: Batch) -> Iterator[None]:
    """Whatever stands in the way of a list ends the batch with a sentence: the sweep would call for
    it every minute, for ever. Only a database that went away tells nobody anything.
    """
    try:
        yield
    except (Unreachable, OperationalError, InterfaceError):
        raise
    except (StorageAway, BotoCoreError, ClientError) as error:
        logger.error("batch %s: %s", batch.pk, error)
        raise Unreachable("cannot-store", whole=True, problem=not_stored(error)) from error
    except OSError as error:
        logger.warning("batch %s cannot be listed: %s", batch.pk, error)
        problem = error.strerror or str(error)
        raise Unreachable("cannot-open", whole=True, problem=problem) from error
    except Exception as error:
        logger.exception("batch %s cannot be listed and it is our fault", batch.pk)
        raise Unreachable("our-fault", whole=True) from error


def _fail(batch: Batch, code: str, facts: dict[str, Any]) -> None:
    now = timezone.now()
    told = {"code": code, "facts": facts, "ended_at": now}
    with suppress(IllegalMove):
        batch.move(BatchState.FAILED, by=None, at=now, set_=told, facts={"code": code})


def _end(batch: Batch, by: Hand, table: Table) -> bool:
    """Close the step when no file is left; else tell whether one is free."""
    left = batch.files.filter(step=FileStep.LISTED)
    if left.exists():
        now_at_work = Batch.objects.filter(pk=batch.pk, state__in=AT_WORK)
        return now_at_work.exists() and left.filter(_free()).exists()
    if batch.state == BatchState.TAKING and by.reads:
        _read_the_rest(batch)
    if table.rows:
        _tell_taken(batch)
    now, to = timezone.now(), {BatchState.LOOKING: BatchState.LOOKED}
    with suppress(IllegalMove):
        where = {"state": batch.state}
        done = to.get(BatchState(batch.state), BatchState.DONE)
        batch.move(done, by=None, at=now, where=where, set_={"ended_at": now})
        if done == BatchState.DONE and not _refused(batch).exists():
            let_go(batch)
    return False


def _tell_taken(batch: Batch) -> None:
    """Say which identifiers of its table other photos have; told by the look and by the taking, as
    what lies far away is known only then.
    """
    before = Batch.objects.values_list("oddities", flat=True).get(pk=batch.pk)
    told = [each for each in before if each[0] != TAKEN]
    if taken := queries.identifiers_taken(batch):
        told.append([TAKEN, {"files": named(taken)}])
    if told != before:
        Batch.objects.filter(pk=batch.pk).update(oddities=told)


def _refused(batch: Batch) -> QuerySet[BatchFile]:
    return batch.files.filter(step=FileStep.SETTLED, outcome=FileOutcome.REFUSED)


def _read_the_rest(batch: Batch) -> None:
    """Scans that were taken in by a hand that died before it had read them."""
    unread = batch.files.filter(photo__state=PhotoState.READING).select_related("photo")
    for file in unread.iterator():
        photo = file.photo
        if photo is None:
            continue
        is_left = photo.reading_since is None or _is_dead(file.held_by)
        if is_left and photo.attempts >= READING_ATTEMPTS:
            # Without a lease nobody may take it, and it would be read for ever.
            with suppress(IllegalMove):
                quarantine_photo(photo=photo, code="worker-lost", facts={}, now=timezone.now())
            continue
        if photo.reading_since and is_left:
            held = Photo.objects.filter(pk=photo.pk, reading_since=photo.reading_since)
            held.update(reading_since=None)
            # The reader is this process now: as long as it lives nobody ends its lease.
            batch.files.filter(pk=file.pk).update(held_by=hand().name)
        # It reads only what nobody holds.
        ingest.read_photo(photo_id=photo.pk)
    if batch.pages_are:
        _read_pages(batch, *batch.files.exclude(sha256="").values_list("sha256", flat=True))


# --- listing -------------------------------------------------------------------------------------
def _list(batch: Batch, source: Source, table: Table) -> None:
    """A row for each thing in the source, and one for each that the table names in vain."""
    unused = set(table.rows)
    _add(batch, described(_noticed(batch, source.find()), table, unused))
    vain = [_unusable(batch, name, wording.IN_VAIN) for name in sorted(unused)]
    BatchFile.objects.bulk_create(vain, LIST_AT_ONCE, ignore_conflicts=True)
    now = timezone.now()
    Batch.objects.filter(pk=batch.pk).update(listed_at=now, oddities=table.told())
    batch.listed_at = now


def _noticed(batch: Batch, found: Iterable[Found]) -> Iterator[Found]:
    """The same things, while the batch gives signs of life: a bucket may hold very many."""
    for number, each in enumerate(found, start=1):
        if number % LIST_AT_ONCE == 0:
            _beat(batch)
        yield each


def _add(batch: Batch, found: Iterable[Found]) -> None:
    """Write the rows, a handful at a time; those that are there already stay as they are."""
    rows = (_row(batch, each) for each in found)
    while some := list(itertools.islice(rows, LIST_AT_ONCE)):
        BatchFile.objects.bulk_create(some, ignore_conflicts=True)
        _beat(batch)


def _row(batch: Batch, found: Found) -> BatchFile:
    if code := trouble(found.place) or trouble(found.filename):
        return _unusable(batch, found.place, code)
    return BatchFile(
        batch=batch,
        place=found.place,
        filename=found.filename[-255:],
        described=dict(found.described),
        promised=found.promised[:64],
        size=found.size,
        is_list=found.is_list,
    )


def _unusable(batch: Batch, name: str, code: str) -> BatchFile:
    """A row that is refused as it is written; its place leads nowhere and only tells it apart."""
    said = readable(name)
    place = f"?{said}"
    if trouble(place):
        place = f"?{said[:300]}… {hashlib.sha256(said.encode()).hexdigest()}"
    return BatchFile(
        batch=batch,
        place=place,
        filename=said[-255:],
        step=FileStep.SETTLED,
        outcome=FileOutcome.REFUSED,
        code=code,
        settled_at=timezone.now(),
    )


# --- holding -------------------------------------------------------------------------------------
def _free() -> Q:
    return Q(held_since=None) | Q(held_since__lt=timezone.now() - HELD)


def _hold(batch: Batch, by: Hand) -> BatchFile | None:
    """The next free file, held; None when there is none or the batch was stopped."""
    free = batch.files.filter(_free(), step=FileStep.LISTED, batch__state=batch.state)
    while (key := free.order_by("pk").values_list("pk", flat=True).first()) is not None:
        held = BatchFile.objects.filter(_free(), pk=key, step=FileStep.LISTED)
        now = timezone.now()
        if held.update(held_by=by.name, held_since=now, tries=F("tries") + 1):
            _beat(batch)
            return BatchFile.objects.get(pk=key)
    return None


def _free_the_dead(batch: Batch) -> None:
    """Let go of what a dead process of this machine held; of others only the clock can tell."""
    held = batch.files.filter(step=FileStep.LISTED).exclude(held_since=None)
    for name in set(held.values_list("held_by", flat=True)):
        if _is_dead(name):
            held.filter(held_by=name).update(held_since=None)


def _is_dead(name: str) -> bool:
    machine, _colon, process = name.rpartition(":")
    if machine != socket.gethostname():
        return False
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def _beat(batch: Batch) -> None:
    Batch.objects.filter(pk=batch.pk).update(beat_at=timezone.now())


# --- one file ------------------------------------------------------------------------------------
def _do(batch: Batch, source: Source, file: BatchFile, by: Hand) -> None:
    """Look at a file or take it in; what goes wrong with it is written into its row."""
    try:
        if file.tries > TRIES:
            raise Unreachable("worker-lost")
        if file.is_list:
            _open_list(batch, source, file)
        elif batch.state == BatchState.LOOKING:
            _look(batch, source, file)
        else:
            _take(batch, source, file, by)
    except Refused as refused:
        _refuse(batch, file, refused.code, refused.facts)
    except FileRefused as refused:
        _refuse(batch, file, refused.code, refused.facts)
    except Unreachable as error:
        if error.whole:
            _let_go_of(file)
            raise
        _refuse(batch, file, error.code, error.facts)
    except (OSError, BotoCoreError, ClientError) as error:
        # Sources say Unreachable, so this is our own disk or storage; no file is to blame.
        problem = not_stored(error)
        # Whoever called a command reads the sentence; where the code stood is for a worker's log.
        trace = not batch.by_command
        logger.error("batch %s cannot be stored: %s", batch.pk, problem, exc_info=trace)
        _let_go_of(file)
        raise Unreachable("cannot-store", whole=True, problem=problem) from error
    except Exception:
        logger.exception("file %s of batch %s failed and it is our fault", file.pk, batch.pk)
        _refuse(batch, file, "our-fault", {})
    if by.tell:
        by.tell(file)


def not_stored(error: Exception) -> str:
    """What could not be written, and why, as far as the error or the one behind it tells."""
    for each in (error, error.__cause__):
        if isinstance(each, OSError) and each.filename:
            return f"{each.filename}: {each.strerror}"
    return getattr(error, "strerror", None) or str(error)


def _refuse(batch: Batch, file: BatchFile, code: str, facts: dict[str, Any]) -> None:
    if code in ("not-curator", "nobody"):
        _let_go_of(file)
        raise Unreachable(code, whole=True)
    step = FileStep.LOOKED if batch.state == BatchState.LOOKING else FileStep.SETTLED
    _write(file, step, FileOutcome.REFUSED, code=code, facts=facts)


def _let_go_of(file: BatchFile) -> None:
    BatchFile.objects.filter(pk=file.pk, held_by=file.held_by).update(
        held_since=None, tries=F("tries") - 1
    )


def _write(file: BatchFile, step: FileStep, outcome: FileOutcome, **more: Any) -> None:
    """What became of the file. A row that another hand has settled stays as it is."""
    now = timezone.now() if step == FileStep.SETTLED else None
    told = {"step": step, "outcome": outcome, "held_since": None, "settled_at": now, **more}
    if "code" not in more:
        told |= {"code": "", "facts": {}}
    BatchFile.objects.filter(pk=file.pk).exclude(step=FileStep.SETTLED).update(**told)
    for name, value in told.items():
        setattr(file, name, value)


def _open_list(batch: Batch, source: Source, file: BatchFile) -> None:
    """Add the rows of a list within the source; a list that names itself adds nothing."""
    _add(batch, source.find(file.place))
    _write(file, FileStep.SETTLED, FileOutcome.OPENED)


def _look(batch: Batch, source: Source, file: BatchFile) -> None:
    """What can be told without keeping anything: its row, its first bytes, whether it is here."""
    checked_description(file.described)
    if not source.near:
        head = source.head(file.place)
        if head is not None:
            sniff(head)
        _write(file, FileStep.LOOKED, FileOutcome.UNSEEN)
        return
    with closing(_sniffed(source.chunks(file.place))) as chunks:
        sha256, size = _digest(chunks)
    if file.promised and file.promised != sha256:
        raise Unreachable("not-the-promised", promised=file.promised, sha256=sha256)
    known = Photo.objects.filter(collection=batch.collection_id, sha256=sha256, page=1).first()
    # The same file twice in one source is one photo.
    twice = batch.files.filter(sha256=sha256).exclude(pk=file.pk).exists()
    outcome = FileOutcome.KNOWN if known or twice else FileOutcome.NEW
    facts = compared(known, file.described) if known else {}
    seen: dict[str, Any] = {"sha256": sha256, "size": size, "photo": known}
    _write(file, FileStep.LOOKED, outcome, code="", facts=facts, **seen)


def _digest(chunks: Iterable[bytes]) -> tuple[str, int]:
    sha, size = hashlib.sha256(), 0
    for chunk in chunks:
        sha.update(chunk)
        size += len(chunk)
    return sha.hexdigest(), size


def _sniffed(chunks: Iterator[bytes]) -> Generator[bytes, None, None]:
    """The same bytes, once their beginning is known to be that of a picture."""
    head = b""
    for chunk in chunks:
        head += chunk
        if len(head) >= HEAD:
            break
    if not head:
        raise Unreachable("empty")
    sniff(head[:HEAD])
    yield head
    yield from chunks


def _take(batch: Batch, source: Source, file: BatchFile, by: Hand) -> None:
    """Receive a file and, where this hand reads too, read it."""

    def settle(photo: Photo) -> None:
        _write(file, FileStep.SETTLED, FileOutcome.NEW, photo=photo, sha256=photo.sha256)

    with closing(_sniffed(source.chunks(file.place))) as chunks:
        photo, new = receive_scan(
            collection=batch.collection,
            chunks=chunks,
            filename=file.filename,
            by=_begun_by(batch),
            now=timezone.now(),
            describe=file.described,
            ring=not by.reads,
            promised=file.promised,
            pages=batch.pages_are,
            within=settle,
        )
    if not new:
        _settle_known(batch, file, photo)
    if by.reads and photo.state == PhotoState.READING:
        _beat(batch)
        ingest.read_photo(photo_id=photo.pk)
        _read_pages(batch, photo.sha256)
        photo.refresh_from_db()


def _settle_known(batch: Batch, file: BatchFile, photo: Photo) -> None:
    """The photo is here already: it gets the words it lacks, and the row tells the others."""
    by, now = _begun_by(batch), timezone.now()
    with transaction.atomic():
        facts = complete_description(photo=photo, told=file.described, by=by, now=now)
        seen: dict[str, Any] = {"photo": photo, "sha256": photo.sha256}
        _write(file, FileStep.SETTLED, FileOutcome.KNOWN, code="", facts=facts, **seen)


def _read_pages(batch: Batch, *sha256: str) -> None:
    """The further pages of files, which became photos when the first one was read."""
    pages = Photo.objects.filter(collection=batch.collection_id, sha256__in=sha256, page__gt=1)
    for key in pages.filter(state=PhotoState.READING).order_by("page").values_list("pk", flat=True):
        ingest.read_photo(photo_id=key)


def _begun_by(batch: Batch) -> User:
    if batch.begun_by is None:
        raise Refused("nobody", "")
    return batch.begun_by


def work_apart(batch_id: int, reads: bool, tell: Tell) -> None:
    """Work on a batch in a thread of its own, which has its own connection to the database."""
    try:
        work(Batch.objects.get(pk=batch_id), hand(reads=reads, tell=tell))
    finally:
        connection.close()
