"""Fixity: read kept bytes again, hash them, say when they are not what was kept, bring them back.

1. A round takes the files whose last check is oldest; each check is a row that nobody changes.
2. Missing or altered bytes raise an alarm for every photo that needs them: it cannot be published.
3. The next check that finds the bytes right closes the alarm; nothing else does.
4. A storage that does not answer says nothing about bytes: it is noted, and tried again later.
"""

from __future__ import annotations

import logging
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path

from django.core.files.storage import Storage
from django.db import IntegrityError, transaction

from archive import places, storage
from archive.lifecycle import BAD, AlarmState, Outcome
from archive.models import Alarm, FixityCheck
from archive.stateful import IllegalMove
from restoration import tallies
from restoration.holdings import Holding, due, longest_unread, photos_of

logger = logging.getLogger(__name__)

AT_ONCE = 500
RETRY = timedelta(hours=1)
# So many that cannot be read, one after the other, are the storage and not the files.
IN_A_ROW = 3
# What lies in the place of backups: the bytes of all of them, and a folder for each.
BACKUP = ("bytes/", "backups/")


# --- checking ------------------------------------------------------------------------------------
def check_round(
    *, now: datetime, before: datetime, most: int | None = None, most_bytes: int | None = None
) -> Iterator[FixityCheck]:
    """Check the files whose last check is from before, oldest first, until one limit is reached."""
    began, done, read, unread = time.monotonic(), 0, 0, 0
    for holding in _in_turn(now, before):
        if done == most or (most_bytes is not None and read >= most_bytes):
            return
        at = now + timedelta(seconds=time.monotonic() - began)
        check = check_holding(holding=holding, now=at)
        yield check
        done, read = done + 1, read + check.size
        unread = unread + 1 if check.outcome == Outcome.UNREACHABLE else 0
        if unread >= IN_A_ROW:
            return


def note_age() -> None:
    """Write down how long ago the file was read that was not read for longest."""
    tallies.note_unread_since(longest_unread())


def _in_turn(now: datetime, before: datetime) -> Iterator[Holding]:
    """What was checked or tried drops out of the next handful."""
    while found := due(before=min(before, now), retry=now - RETRY, most=AT_ONCE):
        yield from found


def check_holding(*, holding: Holding, now: datetime) -> FixityCheck:
    """Hash one file and keep the outcome; raise or close the alarms of its photos."""
    began = time.monotonic()
    outcome, seen, size = _look(holding)
    seconds = time.monotonic() - began
    with transaction.atomic():
        check = FixityCheck.objects.create(
            **holding._asdict(),
            at=now,
            outcome=outcome,
            seen_sha256=seen,
            size=size,
            seconds=round(seconds, 3),
        )
        if outcome in BAD:
            _raise_alarms(holding, check)
        elif outcome == Outcome.OK:
            _close_alarms(holding, check)
    return check


def _look(holding: Holding) -> tuple[Outcome, str, int]:
    """What lies there now: the outcome, the digest seen, the bytes read."""
    key = key_of(holding)
    try:
        with storage.open_key(key) as stream:
            seen, size = storage.measure(stream)
    except FileNotFoundError:
        return _gone(), "", 0
    except Exception:
        logger.warning("%s could not be read", key, exc_info=True)
        return Outcome.UNREACHABLE, "", 0
    return Outcome.OK if seen == holding.sha256 else Outcome.MISMATCH, seen, size


def _gone() -> Outcome:
    """Missing, unless the whole storage is."""
    try:
        return Outcome.MISSING if storage.holds_anything() else Outcome.UNREACHABLE
    except Exception:
        logger.warning("the storage does not answer", exc_info=True)
        return Outcome.UNREACHABLE


def key_of(holding: Holding) -> str:
    """Where a kept file lies."""
    return storage.KEYS[holding.kind](holding.sha256)


def _raise_alarms(holding: Holding, check: FixityCheck) -> None:
    logger.error("fixity: %s is %s", key_of(holding), check.outcome)
    for photo in photos_of(holding):
        alarm = Alarm(photo=photo, raised_by=check, **holding._asdict())
        # The constraint says whether the alarm is raised already.
        with suppress(IntegrityError), transaction.atomic():
            alarm.save(force_insert=True)
            alarm.record(AlarmState.OPEN, by=None, at=check.at, facts=_facts(check))


def _close_alarms(holding: Holding, check: FixityCheck) -> None:
    for alarm in Alarm.objects.standing().filter(**holding._asdict()):
        with suppress(IllegalMove):
            alarm.move(
                AlarmState.CLOSED,
                by=None,
                at=check.at,
                set_={"closed_by": check},
                facts=_facts(check),
            )


def _facts(check: FixityCheck) -> dict[str, str]:
    return {
        "kind": check.kind,
        "sha256": check.sha256,
        "outcome": check.outcome,
        "seen_sha256": check.seen_sha256,
    }


def counted(checks: list[FixityCheck]) -> Counter[Outcome]:
    """How many checks had which outcome."""
    return Counter(Outcome(check.outcome) for check in checks)


# --- bringing back -------------------------------------------------------------------------------
def alarmed() -> list[Holding]:
    """The files that are known to be bad, each once."""
    rows = Alarm.objects.standing().values_list("kind", "sha256").distinct()
    return [Holding(*row) for row in rows.order_by("kind", "sha256")]


def folder_in(replica: Storage) -> str:
    """Where a replica has the storage's folders: in `bytes/` of the place of backups, or on top."""
    is_backup = all(next(places.listing(replica, each), None) for each in BACKUP)
    return BACKUP[0] if is_backup else ""


def restore_holding(
    *, holding: Holding, replica: Storage, now: datetime, under: str = ""
) -> FixityCheck:
    """Bring one file back from a replica, verified before and after; right bytes stay untouched.

    `under` is the replica's folder in which the storage's own begin, as `folder_in` tells it.
    Gives the last check. FileNotFoundError or ValueError when the replica has not got it right.
    """
    check = check_holding(holding=holding, now=now)
    if check.outcome not in BAD:
        return check
    key = key_of(holding)
    with _fetched(replica, f"{under}{key}") as path:
        storage.put_back(key, holding.sha256, path)
    return check_holding(holding=holding, now=now + timedelta(seconds=check.seconds))


@contextmanager
def _fetched(replica: Storage, key: str) -> Iterator[Path]:
    """A copy on this machine's disk: what is verified is what is put back."""
    with tempfile.TemporaryDirectory(prefix="rekindle-") as folder:
        path = Path(folder) / "bytes"
        with places.get(replica, key) as source, path.open("wb") as target:
            shutil.copyfileobj(source, target, storage.BLOCK)
        yield path
