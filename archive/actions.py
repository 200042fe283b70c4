"""The verbs of the archive: receive, read again, describe, hold, withdraw; open a collection."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Container, Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from archive import clock, edtf, saying, storage, tasks, wording
from archive.lifecycle import PagesAre, PhotoState
from archive.models import DESCRIPTION, Collection, Event, Photo
from archive.policy import Refused, check_curate, check_steward
from archive.stateful import IllegalMove

if TYPE_CHECKING:
    from accounts.models import User

READING_LEASE = timedelta(seconds=settings.READING_LEASE_SECONDS)
READING_ATTEMPTS = 3
# Why a file waits that has several pages and of which nobody has said what they are.
SEVERAL_PAGES = "several-pages"
# Why one waits of which nothing is stored any more; it is read when it is sent again.
LOST_BYTES = "lost-bytes"
# What a file has that is to be read from the beginning.
FRESH: dict[str, Any] = {
    "attempts": 0,
    "reading_since": None,
    "quarantine_code": "",
    "quarantine_facts": {},
}
# How long a bell may go unheard; longer while some worker is reading, who will come to it.
UNHEARD = timedelta(seconds=30)
UNHEARD_WHEN_BUSY = timedelta(minutes=5)
SWEEP_AT_ONCE = 200

COLLECTION = (
    "slug",
    "institution_en",
    "institution_zh",
    "title_en",
    "title_zh",
    "description_en",
    "description_zh",
    "instructions_en",
    "instructions_zh",
    "notice_en",
    "notice_zh",
    "rights_uri",
    "contact",
    "do_not_colourise",
    "two_person",
    "is_open",
)
# All that cannot be kept in a row of text: everything below a space but tab and the line's end.
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


# --- receiving and reading -----------------------------------------------------------------------
def receive_scan(
    *,
    collection: Collection,
    chunks: Iterable[bytes],
    filename: str,
    by: User,
    now: datetime,
    describe: Mapping[str, str] | None = None,
    ring: bool = True,
    promised: str = "",
    pages: str = "",
    within: Callable[[Photo], None] | None = None,
) -> tuple[Photo, bool]:
    """Keep a file as it comes and call a worker to read it; the same file again is the same photo.

    One whose bytes were lost is read once they are sent again. Gives the photo and whether it is
    new. `pages` says what several pages of it are, if there are several; when nobody has said, the
    photo waits until somebody does. Without `ring` the caller reads it himself. A file whose sha256
    is not the `promised` one is refused. `within` runs in the transaction that adds it.
    """
    check_curate(by, collection)
    told, said = checked_description(describe or {}), checked_pages(pages)
    try:
        with storage.receive(chunks, limit=settings.MAX_UPLOAD_BYTES) as came:
            if not came.size:
                raise _refused_file("empty")
            if promised and promised != came.sha256:
                raise _refused_file("not-the-promised", promised=promised, sha256=came.sha256)
            known = Photo.objects.filter(collection=collection, sha256=came.sha256, page=1).first()
            if known is not None and not is_lost(known):
                return known, False
            storage.put_file(storage.incoming_key(came.sha256), came.path)
    except storage.TooLarge:
        raise _refused_file("too-large", limit=settings.MAX_UPLOAD_BYTES) from None
    row = Photo(
        collection=collection,
        sha256=came.sha256,
        filename=base_name(filename),
        pages_are=said,
        added_by=by,
        added_at=now,
        **told,
    )
    return _add(row, by, now, came.size, ring, within)


def adopt_scan(
    *,
    collection: Collection,
    sha256: str,
    size: int,
    filename: str,
    by: User,
    now: datetime,
    pages: str = "",
) -> Photo:
    """As receive_scan, for bytes that lie in the storage already as a file that came in."""
    check_curate(by, collection)
    row = Photo(
        collection=collection,
        sha256=sha256,
        filename=base_name(filename),
        pages_are=checked_pages(pages),
        added_by=by,
        added_at=now,
    )
    return _add(row, by, now, size, ring=True, within=None)[0]


def _add(
    row: Photo,
    by: User,
    now: datetime,
    size: int,
    ring: bool,
    within: Callable[[Photo], None] | None,
) -> tuple[Photo, bool]:
    try:
        with transaction.atomic():
            row.save(force_insert=True)
            row.record("received", by=by, at=now, facts={"sha256": row.sha256, "size": size})
            if ring:
                tasks.ring(photo_id=row.pk, now=now)
            if within:
                within(row)
    except IntegrityError:
        # Two hands sent the same file at once; the constraint chose one.
        # Or it is sent again because its bytes were lost, and they are here by now.
        known = Photo.objects.get(collection=row.collection_id, sha256=row.sha256, page=1)
        if is_lost(known):
            _read_found(known, by, now, ring)
        return known, False
    return row, True


def is_lost(photo: Photo) -> bool:
    """Whether it waits for its file to be sent again."""
    return photo.state == PhotoState.QUARANTINED and photo.quarantine_code == LOST_BYTES


def _read_found(photo: Photo, by: User, now: datetime, ring: bool) -> None:
    """Read a file that was lost and is here again, with those of its pages that were lost too."""
    where = {"state": PhotoState.QUARANTINED, "quarantine_code": LOST_BYTES}
    pages = Photo.objects.filter(collection=photo.collection_id, sha256=photo.sha256, **where)
    with transaction.atomic():
        for page in pages.order_by("page"):
            with contextlib.suppress(IllegalMove):
                page.move(PhotoState.READING, by=by, at=now, set_=FRESH, where=where)
                if ring:
                    tasks.ring(photo_id=page.pk, now=now)
    photo.refresh_from_db()


def _refused_file(code: str, **facts: Any) -> Refused:
    return Refused(code, wording.sentence(code, facts), facts=facts)


def base_name(filename: str) -> str:
    """The name without its folders, as it may be kept; it is data and never a path."""
    name = PurePosixPath(filename.replace("\\", "/")).name
    return CONTROL.sub("", name)[-255:]


def read_again(*, photo: Photo, by: User, now: datetime) -> None:
    """Try a quarantined file once more, for instance after a new version of the product."""
    check_curate(by, photo.collection)
    with transaction.atomic():
        _move(photo, PhotoState.READING, by, now, set_=FRESH)
        tasks.ring(photo_id=photo.pk, now=now)


def answer_pages(*, photo: Photo, pages: str, by: User, now: datetime) -> None:
    """Say what the pages of a waiting file are; a worker reads them then.

    Nothing of the file was taken apart before, and all of it is kept in any case.
    """
    check_curate(by, photo.collection)
    if not checked_pages(pages):
        raise _no_such_pages()
    if photo.state != PhotoState.QUARANTINED or photo.quarantine_code != SEVERAL_PAGES:
        raise _not_now()
    if not may_be(photo, pages):
        raise Refused(
            "odd-pages", _("An odd number of pages cannot be fronts and backs."), invalid=True
        )
    _answer(photo, pages, by, now)


def answer_all_pages(
    *, collection: Collection, photos: Iterable[Photo], pages: str, by: User, now: datetime
) -> int:
    """The same answer for many waiting files of one collection; gives how many it was taken for.

    It leaves alone what somebody else has just answered.
    """
    check_curate(by, collection)
    if not checked_pages(pages):
        raise _no_such_pages()
    taken = 0
    for photo in photos:
        with contextlib.suppress(Refused):
            _answer(photo, pages, by, now)
            taken += 1
    return taken


def checked_pages(pages: str) -> str:
    """What the pages of a file are, or nothing when nobody has said; Refused for anything else."""
    if pages not in ("", *PagesAre.values):
        raise _no_such_pages()
    return pages


def _no_such_pages() -> Refused:
    return Refused("no-such-pages", _("Choose what the pages are."), invalid=True)


def may_be(photo: Photo, pages: str) -> bool:
    """Whether the pages of a waiting file can be what is said; fronts and backs come in twos."""
    return pages != PagesAre.SIDES or _count(photo) % 2 == 0


def _count(photo: Photo) -> int:
    return int(photo.quarantine_facts.get("pages", 0))


def _answer(photo: Photo, pages: str, by: User, now: datetime) -> None:
    count, fresh = _count(photo), FRESH | {"pages_are": pages}
    with transaction.atomic():
        where = {"state": PhotoState.QUARANTINED, "quarantine_code": SEVERAL_PAGES}
        _move(photo, PhotoState.READING, by, now, set_=fresh, where=where, facts={"pages": pages})
        unfold(photo=photo, count=count, by=by, now=now)
        tasks.ring(photo_id=photo.pk, now=now)


def unfold(*, photo: Photo, count: int, by: User | None, now: datetime) -> None:
    """A photo for each further page of a file whose pages are photos or sides.

    Called again it adds only what is missing.
    """
    if photo.page != 1 or photo.pages_are not in (PagesAre.PHOTOS, PagesAre.SIDES):
        return
    there = Photo.objects.filter(collection=photo.collection_id, sha256=photo.sha256)
    missing = set(range(2, count + 1)) - set(there.values_list("page", flat=True))
    told = {name: getattr(photo, name) for name in DESCRIPTION}
    for page in sorted(missing):
        made = Photo(
            collection=photo.collection,
            sha256=photo.sha256,
            filename=photo.filename,
            page=page,
            pages_are=photo.pages_are,
            added_by=by,
            added_at=now,
            **told,
        )
        made.save(force_insert=True)
        made.record("received", by=by, at=now, facts={"sha256": photo.sha256, "page": page})
        tasks.ring(photo_id=made.pk, now=now)


def quarantine_photo(*, photo: Photo, code: str, facts: Mapping[str, Any], now: datetime) -> None:
    """Set a file aside with the reason; its bytes stay where they came in. IllegalMove if late."""
    photo.move(
        PhotoState.QUARANTINED,
        by=None,
        at=now,
        where={"reading_since": photo.reading_since, "attempts": photo.attempts},
        set_={"quarantine_code": code, "quarantine_facts": dict(facts), "reading_since": None},
        facts={"code": code, "sha256": photo.sha256},
    )


def sweep_readings(*, now: datetime) -> int:
    """Call again for files that no worker reads, and give up those that took three workers."""
    reading = Photo.objects.filter(state=PhotoState.READING)
    silent = Q(reading_since__lt=now - READING_LEASE) | Q(reading_since__gt=now + clock.AHEAD)
    # Nobody holds it and nobody may take it: it would be rung for in vain for ever.
    stuck = Q(reading_since=None, attempts__gte=READING_ATTEMPTS)
    gone = reading.filter(silent | stuck)
    done = sum(_let_go(photo, now) for photo in gone[:SWEEP_AT_ONCE])
    busy = reading.filter(reading_since__gte=now - READING_LEASE).exists()
    before = now - (UNHEARD_WHEN_BUSY if busy else UNHEARD)
    # In the future: by the clock of a site process that is wrong.
    rung = Q(rung_at=None) | Q(rung_at__lt=before) | Q(rung_at__gt=now + UNHEARD)
    unheard = reading.filter(rung, reading_since=None)
    for photo in unheard.order_by("rung_at")[:SWEEP_AT_ONCE]:
        tasks.ring(photo_id=photo.pk, now=now)
        done += 1
    return done


def _let_go(photo: Photo, now: datetime) -> bool:
    """End a lease whose worker went silent; the next round rings, or this one gives up."""
    if photo.attempts < READING_ATTEMPTS:
        held = Photo.objects.filter(pk=photo.pk, reading_since=photo.reading_since)
        return bool(held.update(reading_since=None, rung_at=None))
    try:
        quarantine_photo(photo=photo, code="worker-lost", facts={}, now=now)
    except IllegalMove:
        return False
    return True


# --- looking after a photo -----------------------------------------------------------------------
def hold_photo(*, photo: Photo, by: User, reason: str, now: datetime) -> None:
    """Take a photo off the wall for a while: a wish of the family, a doubt about its rights."""
    check_curate(by, photo.collection)
    _move(photo, PhotoState.ON_HOLD, by, now, facts={"reason": _plain(reason)})


def release_photo_hold(*, photo: Photo, by: User, now: datetime) -> None:
    """Put a photo back on the wall."""
    check_curate(by, photo.collection)
    if photo.state != PhotoState.ON_HOLD:
        raise _not_now()
    _move(photo, PhotoState.READY, by, now, where={"state": PhotoState.ON_HOLD})


def withdraw_photo(*, photo: Photo, by: User, reason: str, now: datetime) -> None:
    """Take a photo out of the work for good; its history stays."""
    check_curate(by, photo.collection)
    _move(photo, PhotoState.WITHDRAWN, by, now, facts={"reason": _plain(reason)})


def _move(photo: Photo, to: str, by: User, now: datetime, **more: Any) -> None:
    try:
        photo.move(to, by=by, at=now, **more)
    except IllegalMove:
        raise _not_now() from None


def _not_now() -> Refused:
    return Refused(
        "photo-moved-on",
        _("This photo is in another state by now. Look at it again."),
        conflict=True,
    )


class DescriptionMoved(saying.WordsMoved):
    """Somebody else described the photo in between."""

    code = "description-moved"
    told = _("Somebody else has changed the description in between. Look at it again.")


def describe_photo(
    *,
    photo: Photo,
    by: User,
    fields: Mapping[str, str],
    now: datetime,
    only_of: Container[str] | None = None,
) -> None:
    """Change what is said about a photo; the event keeps what was said before.

    DescriptionMoved when it stands at none of the revisions of `only_of`, where they are given.
    Not when it says all of this already: an answer that is lost is asked for again.
    """
    check_curate(by, photo.collection)
    told = checked_description(fields)
    with transaction.atomic():
        before = Photo.objects.select_for_update().get(pk=photo.pk)
        changed = saying.changed(before, told, DESCRIPTION, only_of, DescriptionMoved)
        if not changed:
            return
        Photo.objects.filter(pk=photo.pk).update(**changed)
        was = {name: getattr(before, name) for name in changed}
        photo.record("described", by=by, at=now, facts={"was": was, "now": changed})
    for name, text in changed.items():
        setattr(photo, name, text)


def checked_description(fields: Mapping[str, str]) -> dict[str, str]:
    """The fields of a description as they may be stored, or Refused with the one that may not."""
    strangers = set(fields) - set(DESCRIPTION)
    if strangers:
        raise ValueError(f"not part of a description: {', '.join(sorted(strangers))}")
    told = {name: _plain(text) for name, text in fields.items()}
    for name, text in told.items():
        _check_length(name, text)
    date = edtf.from_words(told.get("date_edtf", ""))
    if date and not edtf.is_edtf(date):
        raise Refused(
            "date-not-edtf", wording.date_sentence(date), invalid=True, facts={"text": date}
        )
    return told | ({"date_edtf": date} if date else {})


def _plain(text: str) -> str:
    return CONTROL.sub("", text).replace("\r\n", "\n").strip()


def _check_length(name: str, text: str) -> None:
    field: models.Field[Any, Any] = Photo._meta.get_field(name)  # type: ignore[assignment]
    try:
        field.clean(text, None)
    except ValidationError as error:
        label = str(field.verbose_name)
        problem = " ".join(error.messages)
        message = _("{field}: {problem}").format(field=label, problem=problem)
        facts = {"field": name, "problem": problem}
        raise Refused("field-not-valid", message, invalid=True, facts=facts) from None


# --- looking after a collection ------------------------------------------------------------------
def create_collection(*, by: User, fields: Mapping[str, Any], now: datetime) -> Collection:
    """Open a collection."""
    check_steward(by)
    collection = Collection(**_of_collection(fields))
    try:
        with transaction.atomic():
            collection.save(force_insert=True)
            _record(collection, "created", by, now, dict(fields))
    except IntegrityError:
        raise Refused(
            "slug-taken", _("Another collection has this address already."), conflict=True
        ) from None
    return collection


def change_collection(
    *,
    collection: Collection,
    by: User,
    fields: Mapping[str, Any],
    now: datetime,
    only_of: Container[str] | None = None,
) -> None:
    """Change what a collection says and the rules it gives; its address stays.

    WordsMoved when it stands at none of the revisions of `only_of`, where they are given.
    """
    check_curate(by, collection)
    told = _of_collection(fields)
    if told.get("slug", collection.slug) != collection.slug:
        raise Refused("slug-stays", _("The address of a collection cannot be changed."))
    with transaction.atomic():
        before = Collection.objects.select_for_update().get(pk=collection.pk)
        changed = saying.changed(before, told, COLLECTION, only_of)
        if not changed:
            return
        Collection.objects.filter(pk=collection.pk).update(**changed)
        was = {name: getattr(before, name) for name in changed}
        _record(collection, "changed", by, now, {"was": was, "now": changed})
    for name, value in changed.items():
        setattr(collection, name, value)


def _of_collection(fields: Mapping[str, Any]) -> dict[str, Any]:
    strangers = set(fields) - set(COLLECTION)
    if strangers:
        raise ValueError(f"not part of a collection: {', '.join(sorted(strangers))}")
    return dict(fields)


def _record(
    collection: Collection, verb: str, by: User, now: datetime, facts: dict[str, Any]
) -> None:
    Event.objects.create(
        collection=collection, actor=by, verb=f"collection.{verb}", at=now, facts=facts
    )
