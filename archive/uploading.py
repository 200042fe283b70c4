"""The verbs of an upload that may be cut off and go on: begin, add, finish, settle, end.

A row says what was promised; the bytes say how much has come. When all are there a worker hashes
them, and only then do they become a scan, by the same verb as any other. Every step may be cut off
and done again.
"""

from __future__ import annotations

import contextlib
import logging
import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from archive import actions, arriving, outages, storage, tasks, wording
from archive.lifecycle import UploadState
from archive.models import Collection, Photo, Upload
from archive.places import StorageAway
from archive.policy import Refused, check_curate
from archive.stateful import IllegalMove

if TYPE_CHECKING:
    from accounts.models import User

logger = logging.getLogger(__name__)

SETTLING_LEASE = timedelta(minutes=10)
UNHEARD = timedelta(seconds=30)
# After so many lost workers it is tried less often; what has arrived is never given up for that.
ATTEMPTS, SELDOM = 3, timedelta(hours=1)
SHA256 = re.compile(r"[0-9a-f]{64}")
# What waits without a row that knows it: looked for so often, and given up when it is so old.
STRAYS_EVERY, STRAYS_AFTER = timedelta(hours=1), timedelta(hours=24)
AT_ONCE = 200


# --- sending --------------------------------------------------------------------------------------
def begin_upload(
    *,
    collection: Collection,
    filename: str,
    size: int,
    by: User,
    now: datetime,
    sha256: str = "",
    pages: str = "",
) -> Upload:
    """Promise a file of so many bytes; where the storage is a bucket, it comes in parts.

    `sha256` is what the sender says the file has; it is held to. `pages` says what several pages
    of it are. StorageAway as any storing.
    """
    check_curate(by, collection)
    said, promised = actions.checked_pages(pages), _checked_sha256(sha256)
    if not arriving.in_parts() and not arriving.in_a_file():
        raise Refused(
            "no-uploads", _("Large files cannot be taken just now. Try again later."), conflict=True
        )
    if size < 1:
        raise Refused("empty", wording.sentence("empty", {}), invalid=True)
    if size > settings.MAX_UPLOAD_BYTES:
        limit = {"limit": settings.MAX_UPLOAD_BYTES}
        raise Refused("too-large", wording.sentence("too-large", limit), invalid=True)
    row = Upload(
        collection=collection,
        by=by,
        filename=actions.base_name(filename),
        size=size,
        promised_sha256=promised,
        pages_are=said,
        began_at=now,
        expires_at=_expiry(now),
    )
    _start(row)
    try:
        _add(row, by)
    except BaseException:
        arriving.drop(row.ref, row.multipart_id, now)
        raise
    return row


def _checked_sha256(told: str) -> str:
    promised = told.lower()
    if promised and not SHA256.fullmatch(promised):
        raise Refused(
            "no-sha256",
            _("A sha256 has 64 digits, each of them 0 to 9 or a to f. Correct it or leave it out."),
            invalid=True,
        )
    return promised


def _start(row: Upload) -> None:
    """The place first, the row second: a row never names what is not there."""
    if arriving.in_parts():
        row.multipart_id = arriving.begin_parts(row.ref)
        row.part_size = arriving.part_bytes(row.size)
    else:
        arriving.begin_file(row.ref)


def _add(row: Upload, by: User) -> None:
    with transaction.atomic():
        # One person's uploads are counted one after the other.
        get_user_model().objects.select_for_update().get(pk=by.pk)
        if Upload.objects.open_of(by).count() >= settings.UPLOADS_OPEN:
            raise Refused(
                "too-many-uploads",
                _(
                    "You have {count} unfinished uploads. Finish one or give one up before you"
                    " begin another."
                ).format(count=settings.UPLOADS_OPEN),
                conflict=True,
            )
        row.save(force_insert=True)


def _expiry(now: datetime) -> datetime:
    return now + timedelta(hours=settings.UPLOAD_HOURS)


def add_bytes(
    *,
    upload: Upload,
    chunks: Iterable[bytes],
    offset: int,
    now: datetime,
    checksum: tuple[str, bytes] | None = None,
) -> int:
    """Write what comes behind `offset`, and finish with the last byte; gives how much is there.

    Whoever asks last goes on, and an earlier request that still hangs stops: Overtaken. Refused
    when the offset is not where the file ends. ChecksumDiffers when what came is not what was sent.
    """
    fence = _take_over(upload, now)
    there = arriving.settled_length(upload.ref)
    if offset != there:
        raise _elsewhere()

    def mine() -> bool:
        rows = Upload.objects.filter(pk=upload.pk, fence=fence, state=UploadState.ARRIVING)
        return rows.exists()

    end = arriving.append(
        upload.ref, chunks, at=there, most=upload.size, mine=mine, checksum=checksum
    )
    if end == upload.size:
        finish_upload(upload=upload, now=now)
    return end


def _take_over(upload: Upload, now: datetime) -> int:
    rows = Upload.objects.filter(pk=upload.pk, state=UploadState.ARRIVING)
    if not rows.update(fence=F("fence") + 1, expires_at=_expiry(now)):
        raise _elsewhere()
    return int(Upload.objects.values_list("fence", flat=True).get(pk=upload.pk))


def _elsewhere() -> Refused:
    return Refused(
        "upload-elsewhere",
        _("The upload stands at another place by now. Go on from where it is."),
        conflict=True,
    )


def sign_part(*, upload: Upload, number: int, now: datetime) -> str:
    """The address to which the browser may send one part; the upload stays alive by it."""
    if not 1 <= number <= upload.parts:
        raise Refused("no-such-part", _("The file has no such part."), invalid=True)
    rows = Upload.objects.filter(pk=upload.pk, state=UploadState.ARRIVING)
    if not rows.exclude(multipart_id="").update(expires_at=_expiry(now)):
        raise _elsewhere()
    return arriving.address(upload.ref, upload.multipart_id, number)


def join_parts(*, upload: Upload, now: datetime) -> None:
    """Make one file of the parts, when all are there and as long as was promised."""
    try:
        found = arriving.parts(upload.ref, upload.multipart_id)
    except FileNotFoundError:
        # Joined already by a request whose answer was lost, or gone.
        if not storage.exists(arriving.key(upload.ref)):
            raise _elsewhere() from None
    else:
        numbers = [each.number for each in found]
        whole = sum(each.size for each in found) == upload.size
        if numbers != list(range(1, upload.parts + 1)) or not whole:
            raise Refused(
                "parts-missing", _("Not all of the file has arrived. Go on sending."), conflict=True
            )
        arriving.join(upload.ref, upload.multipart_id, found)
    finish_upload(upload=upload, now=now)


def finish_upload(*, upload: Upload, now: datetime) -> None:
    """All bytes are here: call a worker to hash them."""
    with transaction.atomic():
        try:
            upload.move(UploadState.WHOLE, by=upload.by, at=now, facts={"size": upload.size})
        except IllegalMove:
            return  # another request saw the last byte too
        tasks.ring_upload(upload_id=upload.pk, now=now)


def finish_arrived(*, upload: Upload, now: datetime) -> bool:
    """Finish an upload of which all is here, though whoever brought the last of it could not.

    Whether it did; StorageAway when nobody can say how much is here.
    """
    if upload.state != UploadState.ARRIVING or not arriving.is_in_reach(upload.multipart_id):
        return False
    try:
        if upload.multipart_id:
            join_parts(upload=upload, now=now)
        elif arriving.settled_length(upload.ref) == upload.size:
            finish_upload(upload=upload, now=now)
    except (Refused, FileNotFoundError):
        return False
    return upload.state == UploadState.WHOLE


def end_upload(*, upload: Upload, by: User, now: datetime) -> None:
    """Give one's own upload up; what has come of it goes. Only before all of it is here."""
    if upload.by_id != by.pk:
        raise Refused("not-yours", _("Only the person who began an upload can give it up."))
    try:
        upload.move(UploadState.ENDED, by=by, at=now, facts={"why": "given up"})
    except IllegalMove:
        raise _elsewhere() from None
    arriving.drop(upload.ref, upload.multipart_id, now)


# --- settling, by a worker ------------------------------------------------------------------------
def settle_upload(*, upload_id: int, now: datetime) -> None:
    """Hash what came and make it a scan, or say why not; nothing when another worker has it."""
    upload = _lease(upload_id, now)
    if upload is None:
        return
    try:
        _settle(upload, now)
    except Exception as error:
        if not (away := outages.named(error)):
            raise
        logger.warning("upload %s is put off: %s", upload.pk, away, exc_info=True)
        _put_off(upload, now)


def _settle(upload: Upload, now: datetime) -> None:
    try:
        photo = _take_in(upload, now)
    except Refused as refused:
        _refuse(upload, refused.code, now)
    except FileNotFoundError:
        storage.check_mounted()
        _refuse(upload, actions.LOST_BYTES, now)
    else:
        with contextlib.suppress(IllegalMove):
            upload.move(UploadState.TAKEN, by=None, at=now, set_={"photo": photo})
        arriving.drop(upload.ref, "", now)


def _put_off(upload: Upload, now: datetime) -> None:
    """Leave it for the sweep: a part of the site is away, and that does not count as a try.

    Should the database itself be away, the lease ends by its time.
    """
    held = Upload.objects.filter(
        pk=upload.pk, settling_since=upload.settling_since, state=UploadState.WHOLE
    )
    with contextlib.suppress(OperationalError, InterfaceError):
        connection.close_if_unusable_or_obsolete()
        held.update(settling_since=None, attempts=F("attempts") - 1, rung_at=now)


def _lease(upload_id: int, now: datetime) -> Upload | None:
    free = Q(settling_since=None) | Q(settling_since__lt=now - SETTLING_LEASE)
    rows = Upload.objects.filter(free, pk=upload_id, state=UploadState.WHOLE)
    if not rows.update(settling_since=now, attempts=F("attempts") + 1):
        return None
    found = Upload.objects.select_related("collection", "by")
    return found.filter(pk=upload_id, settling_since=now).first()


def _take_in(upload: Upload, now: datetime) -> Photo:
    """Size and sha256 are verified before any row says that there is a scan."""
    if not upload.sha256:
        # The name is kept before the bytes are carried there: whoever comes next finds them.
        upload.sha256 = _verified(upload)
        Upload.objects.filter(pk=upload.pk).update(sha256=upload.sha256)
    known = Photo.objects.filter(collection=upload.collection, sha256=upload.sha256, page=1).first()
    if known is not None and not actions.is_lost(known):
        return known
    if not storage.exists(storage.incoming_key(upload.sha256)):
        with storage.local(arriving.key(upload.ref)) as path:
            arriving.adopt(upload.ref, upload.sha256, path)
    return actions.adopt_scan(
        collection=upload.collection,
        sha256=upload.sha256,
        size=upload.size,
        filename=upload.filename,
        by=upload.by,
        now=now,
        pages=upload.pages_are,
    )


def _verified(upload: Upload) -> str:
    """The sha256 of what came, if it is what was promised."""
    with storage.local(arriving.key(upload.ref)) as path:
        sha256, size = storage.digest(path), path.stat().st_size
    if size != upload.size:
        raise _wrong("size-differs")
    if upload.promised_sha256 not in ("", sha256):
        raise _wrong("sha256-differs")
    return sha256


def _wrong(code: str) -> Refused:
    return Refused(code, wording.sentence(code, {}), invalid=True)


def _refuse(upload: Upload, code: str, now: datetime) -> None:
    with contextlib.suppress(IllegalMove):
        upload.move(UploadState.REFUSED, by=None, at=now, set_={"why": code}, facts={"code": code})
    arriving.drop(upload.ref, upload.multipart_id, now)


# --- the sweep ------------------------------------------------------------------------------------
def sweep_uploads(*, now: datetime) -> int:
    """End what nobody goes on with, call again for what no worker hashed, clear strays."""
    late = Upload.objects.filter(state=UploadState.ARRIVING, expires_at__lt=now)
    done = sum(_expire(upload, now) for upload in late[:AT_ONCE])
    whole = Upload.objects.filter(state=UploadState.WHOLE)
    often = Q(attempts__lt=ATTEMPTS, rung_at__lt=now - UNHEARD)
    unheard = Q(rung_at=None) | often | Q(rung_at__lt=now - SELDOM)
    silent = Q(settling_since=None) | Q(settling_since__lt=now - SETTLING_LEASE)
    for upload in whole.filter(unheard & silent)[:AT_ONCE]:
        tasks.ring_upload(upload_id=upload.pk, now=now)
        done += 1
    return done + _give_up_strays(now)


def _expire(upload: Upload, now: datetime) -> bool:
    try:
        if finish_arrived(upload=upload, now=now):
            return True
    except StorageAway:
        return False  # what nobody can look at is not thrown away
    where = {"expires_at__lt": now}
    try:
        upload.move(UploadState.ENDED, by=None, at=now, where=where, facts={"why": "expired"})
    except IllegalMove:
        return False  # somebody goes on with it after all
    arriving.drop(upload.ref, upload.multipart_id, now)
    return True


def _give_up_strays(now: datetime) -> int:
    if not cache.add("uploads-strays", 1, int(STRAYS_EVERY.total_seconds())):
        return 0

    def known(ref: str) -> bool:
        live = (UploadState.ARRIVING, UploadState.WHOLE)
        return Upload.objects.filter(ref=ref, state__in=live).exists()

    return arriving.strays(known, now - STRAYS_AFTER)
