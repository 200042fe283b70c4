"""The verbs of a batch: begin, take, stop, try again, close. What each does is done by batch.py."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from archive import storage, tasks, wording
from archive.actions import (
    CONTROL,
    SEVERAL_PAGES,
    answer_all_pages,
    checked_description,
    describe_photo,
    may_be,
)
from archive.intake import LONGEST_PLACE, Batch
from archive.lifecycle import (
    AT_WORK,
    BatchState,
    FileOutcome,
    FileStep,
    PhotoState,
    SourceKind,
)
from archive.models import Collection, Photo
from archive.policy import Refused, check_curate
from archive.stateful import IllegalMove

if TYPE_CHECKING:
    from accounts.models import User

# A batch that nobody has touched for so long is in nobody's hands.
SILENT = timedelta(seconds=60)
SWEEP_AT_ONCE = 50
# What one request can answer without its page being waited for too long.
ANSWERED_AT_ONCE = 1000
OPEN = (
    BatchState.LOOKING,
    BatchState.LOOKED,
    BatchState.TAKING,
    BatchState.STOPPED,
    BatchState.FAILED,
)


@dataclass(frozen=True)
class Origin:
    """Where a batch comes from, and what people call it."""

    kind: SourceKind
    place: str
    label: str
    # The key of a stored table.
    table: str = ""


def keep_source(*, chunks: Iterable[bytes], suffix: str, limit: int | None = None) -> str:
    """Store a ZIP or a table that was sent, and give its key. Refused when empty or too large."""
    most = limit or settings.MAX_BATCH_BYTES
    try:
        with storage.receive(chunks, limit=most) as came:
            if not came.size:
                raise Refused("empty", wording.sentence("empty"), invalid=True)
            key = storage.source_key(came.sha256, suffix)
            storage.put_file(key, came.path)
    except storage.TooLarge:
        said = wording.sentence("too-large", {"limit": most})
        raise Refused("too-large", said, invalid=True) from None
    return key


def begin_batch(
    *,
    collection: Collection,
    origin: Origin,
    by: User,
    now: datetime,
    look: bool = True,
    by_command: bool = False,
    pages: str = "",
) -> Batch:
    """Begin a batch, or go on with the one of the same source that is open.

    With `look` its files are only looked at first; nothing is taken in before `take_batch`. `pages`
    says what several pages of one file are; else each such file waits for an answer.
    """
    check_curate(by, collection)
    if len(origin.place) > LONGEST_PLACE:
        raise Refused("place-too-long", _("This address is too long."), invalid=True)
    known = _open_one(collection, origin)
    if known is not None and pages and known.pages_are != pages:
        Batch.objects.filter(pk=known.pk).update(pages_are=pages)
        known.pages_are = pages
    batch = Batch(
        collection=collection,
        state=BatchState.LOOKING if look else BatchState.TAKING,
        kind=origin.kind,
        place=origin.place,
        label=CONTROL.sub("", origin.label)[-255:],
        table=origin.table,
        by_command=by_command,
        pages_are=pages,
        begun_by=by,
        begun_at=now,
        taking_since=None if look else now,
    )
    try:
        # What is set aside lets go of its ZIP only once the batch that has it now is there.
        with transaction.atomic():
            if known is not None and _goes_on(known, origin, by, now, look):
                return known
            batch.save(force_insert=True)
            batch.record("begun", by=by, at=now, facts={"kind": batch.kind, "label": batch.label})
            _call(batch, now)
    except IntegrityError:
        # Two hands began the same at once; the constraint chose one.
        return Batch.objects.get(
            collection=collection, kind=origin.kind, place=origin.place, state__in=OPEN
        )
    return batch


def _open_one(collection: Collection, origin: Origin) -> Batch | None:
    return Batch.objects.filter(
        collection=collection, kind=origin.kind, place=origin.place, state__in=OPEN
    ).first()


def _goes_on(known: Batch, origin: Origin, by: User, now: datetime, look: bool) -> bool:
    """Go on with what is open; a look that was finished, or another table, begins anew."""
    nothing_taken = known.taking_since is None or known.listed_at is None
    if known.table != origin.table or (look and nothing_taken):
        if known.state == BatchState.LOOKING and known.table == origin.table:
            return True
        _set_aside(known, by, now)
        return False
    if look:
        raise Refused(
            "batch-begun",
            _("This was begun already. Go on with it, or close it first."),
            conflict=True,
        )
    if known.state == BatchState.LOOKING:
        _move(known, BatchState.LOOKED, by, now)
    if known.state != BatchState.TAKING:
        take_batch(batch=known, by=by, now=now)
    return True


def _set_aside(known: Batch, by: User, now: datetime) -> None:
    if known.state == BatchState.TAKING:
        stop_batch(batch=known, by=by, now=now)
    close_batch(batch=known, by=by, now=now)


def take_batch(*, batch: Batch, by: User, now: datetime) -> None:
    """Take in what was looked at, or go on after a stop; what is settled stays settled."""
    check_curate(by, batch.collection)
    fresh: dict[str, Any] = {"taking_since": now, "ended_at": None, "code": "", "facts": {}}
    with transaction.atomic():
        _move(batch, BatchState.TAKING, by, now, set_=fresh)
        batch.files.filter(step=FileStep.LOOKED).update(step=FileStep.LISTED, tries=0)
        _call(batch, now)


def waiting_for_pages(batch: Batch) -> QuerySet[Photo, Photo]:
    """The photos of a batch whose files wait until somebody says what their pages are."""
    files = batch.files.filter(
        photo__state=PhotoState.QUARANTINED, photo__quarantine_code=SEVERAL_PAGES
    )
    return Photo.objects.filter(pk__in=files.values("photo"))


def answer_batch_pages(*, batch: Batch, pages: str, by: User, now: datetime) -> int:
    """Say once what the pages of all files are that wait, and of those that are still to come.

    Gives how many files are read now; a very long list is answered in several goes.
    """
    waiting = waiting_for_pages(batch).select_related("collection").order_by("pk")
    fitting = (photo for photo in waiting.iterator() if may_be(photo, pages))
    photos = list(islice(fitting, ANSWERED_AT_ONCE))
    taken = answer_all_pages(
        collection=batch.collection, photos=photos, pages=pages, by=by, now=now
    )
    with transaction.atomic():
        Batch.objects.filter(pk=batch.pk).update(pages_are=pages)
        batch.record("pages", by=by, at=now, facts={"pages": pages, "files": taken})
    return taken


def complete_description(
    *, photo: Photo, told: Mapping[str, str], by: User, now: datetime
) -> dict[str, Any]:
    """Write what a source says of a photo that is here already, where nothing is written yet.

    Gives what `compared` has found; what somebody wrote stays, whatever the source says.
    """
    check_curate(by, photo.collection)
    with transaction.atomic():
        its = Photo.objects.filter(collection=photo.collection_id, sha256=photo.sha256)
        pages = list(its.select_for_update().order_by("page"))
        facts = compared(pages[0], told)
        lacking = {name: told[name] for name in facts["filled"]}
        # The further pages of a file have the words of the first, unless they got their own.
        for page in pages:
            empty = {name: text for name, text in lacking.items() if not getattr(page, name)}
            describe_photo(photo=page, by=by, fields=empty, now=now)
    return facts


def compared(photo: Photo, told: Mapping[str, str]) -> dict[str, Any]:
    """What a photo lacks of what is said of it, and what is written there otherwise, as facts."""
    said = {name: text for name, text in checked_description(told).items() if text}
    here = {name: getattr(photo, name) for name in said}
    return {
        "filled": [name for name in said if not here[name]],
        "differs": {
            name: [here[name], text]
            for name, text in said.items()
            if here[name] and here[name] != text
        },
    }


def stop_batch(*, batch: Batch, by: User, now: datetime) -> None:
    """Take in nothing more for now; the file that is under way is finished."""
    check_curate(by, batch.collection)
    _move(batch, BatchState.STOPPED, by, now, set_={"ended_at": now})


def retry_batch(*, batch: Batch, by: User, now: datetime) -> None:
    """Try once more what was not taken; of a source that could not be reached, all that is left."""
    check_curate(by, batch.collection)
    again = batch.files.filter(step=FileStep.SETTLED, outcome=FileOutcome.REFUSED)
    again = again.exclude(code__in=wording.NEVER_AGAIN)
    if batch.state == BatchState.DONE and not again.exists():
        raise Refused("nothing-left", _("There is nothing left to try again."), conflict=True)
    to = BatchState.TAKING if batch.taking_since else BatchState.LOOKING
    fresh: dict[str, Any] = {"ended_at": None, "code": "", "facts": {}}
    if to == BatchState.TAKING:
        fresh["taking_since"] = now
    with transaction.atomic():
        _move(batch, to, by, now, set_=fresh)
        again.update(step=FileStep.LISTED, outcome="", code="", facts={}, settled_at=None, tries=0)
        _call(batch, now)


def close_batch(*, batch: Batch, by: User, now: datetime) -> None:
    """Be done with a batch; what was sent for it is let go of, what was taken in stays."""
    check_curate(by, batch.collection)
    with transaction.atomic():
        _move(batch, BatchState.CLOSED, by, now)
        transaction.on_commit(lambda: let_go(batch))


def let_go(batch: Batch) -> None:
    """Delete the ZIP and the table of a batch that needs them no more, unless another one does."""
    keys = {batch.table} if batch.by_command else {batch.table, batch.place}
    for key in keys:
        if key.startswith("sources/") and not _is_needed(key, Batch.objects.exclude(pk=batch.pk)):
            storage.delete(key)


def _is_needed(key: str, among: QuerySet[Batch]) -> bool:
    """Whether a batch reads from it, or would if somebody let it try again what was refused."""
    named = among.filter(Q(table=key) | Q(place=key))
    again = Q(
        state=BatchState.DONE,
        files__step=FileStep.SETTLED,
        files__outcome=FileOutcome.REFUSED,
    )
    return named.filter(Q(state__in=OPEN) | again).exists()


def sweep_batches(*, now: datetime) -> int:
    """Call a worker again for the batches that none works on."""
    silent = Q(beat_at=None) | Q(beat_at__lt=now - SILENT)
    unheard = Q(rung_at=None) | Q(rung_at__lt=now - SILENT)
    found = Batch.objects.filter(silent, unheard, state__in=AT_WORK, by_command=False)
    waiting = list(found.order_by("pk")[:SWEEP_AT_ONCE])
    for batch in waiting:
        tasks.ring_for_batch(batch_id=batch.pk, now=now)
    return len(waiting)


def _call(batch: Batch, now: datetime) -> None:
    if not batch.by_command:
        tasks.ring_for_batch(batch_id=batch.pk, now=now)


def _move(batch: Batch, to: str, by: User, now: datetime, **more: Any) -> None:
    try:
        batch.move(to, by=by, at=now, **more)
    except IllegalMove:
        raise Refused(
            "batch-moved-on",
            _("This batch is in another state by now. Look at it again."),
            conflict=True,
        ) from None
