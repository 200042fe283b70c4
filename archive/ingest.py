"""The worker's part: a received file becomes an original with a working copy, or a quarantine.

Every step may be cut off by kill -9 and done again: bytes are named by their content, rows are
changed last and in one transaction, and the lease (`reading_since`) lets only one reader finish.
"""

from __future__ import annotations

import contextlib
import logging
import tempfile
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import F, Q

from archive import clock, decode, derivatives, likeness, outages, renditions, storage
from archive.actions import (
    LOST_BYTES,
    READING_ATTEMPTS,
    READING_LEASE,
    SEVERAL_PAGES,
    quarantine_photo,
    unfold,
)
from archive.lifecycle import PagesAre, PhotoState
from archive.models import Collection, Original, Photo
from archive.pairing import join_sides, note_fingerprint
from archive.stateful import IllegalMove

logger = logging.getLogger(__name__)


def read_photo(*, photo_id: int) -> None:
    """Read one received file and settle its photo; nothing when another reader has it."""
    photo = _take(photo_id, clock.now())
    if photo is None:
        return
    try:
        _read_what_is_there(photo)
    except decode.Unreadable as error:
        _give_up(photo, error.code, error.facts, permanent=error.permanent)
    except FileNotFoundError:
        _give_up(photo, LOST_BYTES, {}, permanent=True)
    except IllegalMove:
        logger.info("photo %s was settled by another reader", photo.pk)
    except Exception as error:
        if away := outages.named(error):
            logger.warning("photo %s is put off: %s", photo.pk, away, exc_info=True)
            _put_off(photo)
            return
        logger.exception("photo %s could not be read and it is our fault", photo.pk)
        _give_up(photo, "our-fault", {}, permanent=False)


def _take(photo_id: int, now: datetime) -> Photo | None:
    """Start the lease by compare-and-set."""
    free = Q(reading_since=None) | Q(reading_since__lt=now - READING_LEASE)
    rows = Photo.objects.filter(
        free, pk=photo_id, state=PhotoState.READING, attempts__lt=READING_ATTEMPTS
    )
    if not rows.update(reading_since=now, attempts=F("attempts") + 1):
        return None
    return Photo.objects.filter(pk=photo_id, reading_since=now).first()


def _read_what_is_there(photo: Photo) -> None:
    """Read it; StorageAway when not this file is gone but the whole disk, which mounts late."""
    try:
        _read(photo)
    except FileNotFoundError:
        storage.check_mounted()
        raise


def _read(photo: Photo) -> None:
    with tempfile.TemporaryDirectory(prefix="rekindle-") as folder:
        working = Path(folder) / "working.tif"
        found, size = storage.read_received(photo.sha256, partial(_keep_original, photo, working))
        sha256 = storage.digest(working)
        storage.put_file(storage.working_key(sha256), working)
        derivatives.make(working, sha256)
    _settle(photo, found, size, sha256, likeness.fingerprint(sha256))
    join_sides(photo=photo, now=clock.now())
    _let_go(photo.sha256)


def _keep_original(photo: Photo, working: Path, source: Path) -> tuple[decode.Decoded, int]:
    """Decode the exact bytes and keep them; gives what was found and how many bytes there are."""
    found = decode.read(source, into=working, page=photo.page)
    _ask_about_pages(photo, found)
    storage.put_file(storage.original_key(photo.sha256), source)
    return found, source.stat().st_size


def _let_go(sha256: str) -> None:
    """Forget a file as it came in, unless another photo of it is still being read."""
    # By collection, because that is how the index finds a file.
    boxes = Collection.objects.values("pk")
    others = Photo.objects.filter(collection__in=boxes, sha256=sha256, state=PhotoState.READING)
    if not others.exists():
        storage.delete(storage.incoming_key(sha256))


def _ask_about_pages(photo: Photo, found: decode.Decoded) -> None:
    """A file of several pages waits until somebody has said what they are."""
    odd = photo.pages_are == PagesAre.SIDES and found.pages % 2
    if found.pages > 1 and (not photo.pages_are or odd):
        raise decode.Unreadable(SEVERAL_PAGES, {"pages": found.pages}, permanent=True)


def _settle(
    photo: Photo, found: decode.Decoded, size: int, working_sha256: str, fingerprint: int | None
) -> None:
    """The original's row, the photo's move and what it looks like, together or not at all."""
    now = clock.now()
    told = {name: value for name, value in vars(found).items() if name != "pages"}
    with transaction.atomic():
        original, _new = Original.objects.get_or_create(
            sha256=photo.sha256, defaults={"size": size, "stored_at": now, **told}
        )
        photo.move(
            PhotoState.READY,
            by=None,
            at=now,
            where={"reading_since": photo.reading_since},
            set_={
                "original": original,
                "working_sha256": working_sha256,
                "width": found.width,
                "height": found.height,
                "reading_since": None,
                "quarantine_code": "",
                "quarantine_facts": {},
            },
            facts={"sha256": photo.sha256, "size": size, "pages": found.pages},
        )
        unfold(photo=photo, count=found.pages, by=photo.added_by, now=now)
        renditions.note(working_sha256, now=now)
        if fingerprint is not None:
            note_fingerprint(photo=photo, fingerprint=fingerprint, now=now)


def _put_off(photo: Photo) -> None:
    """Leave it for the sweep: a part of the site is away, and that does not count as a try.

    Should the database itself be away, the lease ends by its time.
    """
    held = Photo.objects.filter(pk=photo.pk, reading_since=photo.reading_since)
    with contextlib.suppress(OperationalError, InterfaceError):
        connection.close_if_unusable_or_obsolete()
        held.update(reading_since=None, attempts=F("attempts") - 1, rung_at=clock.now())


def _give_up(photo: Photo, code: str, facts: Mapping[str, Any], *, permanent: bool) -> None:
    """Quarantine, or leave it for the sweep when another try may go better."""
    if not permanent and photo.attempts < READING_ATTEMPTS:
        held = Photo.objects.filter(pk=photo.pk, reading_since=photo.reading_since)
        held.update(reading_since=None)
        return
    with contextlib.suppress(IllegalMove):
        quarantine_photo(photo=photo, code=code, facts=facts, now=clock.now())
