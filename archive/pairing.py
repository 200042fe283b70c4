"""The verbs of photos that look alike: note a fingerprint, decide about a pair, take that back.

Nothing is deleted and nothing is blocked: what is decided to be a second copy, a back or a poorer
scan goes on hold with its file, versions and history, and comes back when it is taken back.
"""

from __future__ import annotations

import contextlib
import itertools
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.core.cache import cache
from django.db import transaction
from django.db.models import BigIntegerField, Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast
from django.utils.translation import gettext_lazy as _

from archive.actions import describe_photo
from archive.lifecycle import PagesAre, PairState, PhotoState
from archive.models import DESCRIPTION, Event, Photo
from archive.policy import Refused, check_curate
from archive.stateful import IllegalMove
from archive.twins import BAND_BITS, Fingerprint, Pair, bands_of, joined

if TYPE_CHECKING:
    from accounts.models import User

BANDS = ("a", "b", "c", "d")
# Up to so many of the 64 bits nine of ten scans of one photograph differ, with another crop, tone
# or angle; of 2,628 pairs of other old photographs none differed in fewer than 18.
ALIKE = 12
# A series of nearly the same moment would else ask a curator about each with each.
MOST_PAIRS = 5
SIDES_EVERY, SIDES_AT_ONCE = 60, 200  # seconds, pairs
KEEPS_ONE = (PairState.SAME, PairState.OTHER_SIDE, PairState.BETTER_SCAN)


# --- finding -------------------------------------------------------------------------------------
def note_fingerprint(*, photo: Photo, fingerprint: int, now: datetime) -> list[Pair]:
    """Keep how a photo looks, and a waiting pair with each of those that look most alike.

    Called again for the same photo it adds only what is missing.
    """
    bands = dict(zip(BANDS, bands_of(fingerprint), strict=True))
    Fingerprint.objects.update_or_create(
        photo=photo, defaults={"collection_id": photo.collection_id, **bands}
    )
    found = sorted(_alike(photo, fingerprint))[:MOST_PAIRS]
    pairs = [_pair(photo, other, distance, now) for distance, other in found]
    Pair.objects.bulk_create(pairs, ignore_conflicts=True)
    return pairs


def _pair(photo: Photo, other: int, distance: int, now: datetime) -> Pair:
    first, second = sorted((photo.pk, other))
    return Pair(
        collection_id=photo.collection_id,
        first_id=first,
        second_id=second,
        distance=distance,
        found_at=now,
    )


def _alike(photo: Photo, fingerprint: int) -> list[tuple[int, int]]:
    """Distance and key of the photos in the collection that differ in at most ALIKE bits.

    Not of those withdrawn: nobody has to decide between a photo and one that is gone for good.
    """
    bands = zip(BANDS, bands_of(fingerprint), strict=True)
    near = [_near(photo.collection_id, band, value) for band, value in bands]
    # One search for each band: each has its own index, and a joint one would read the table.
    rows = near[0].union(*near[1:])
    # One in a hundred and twenty of all is read: what is done with each must be next to nothing.
    apart = (((joined(*values) ^ fingerprint).bit_count(), key) for key, *values in rows)
    found = [(distance, key) for distance, key in apart if distance <= ALIKE and key != photo.pk]
    # Asked only when there is something to leave out, and not of each row that is read above.
    gone = _withdrawn(photo.collection_id) if found else set()
    return [(distance, key) for distance, key in found if key not in gone]


def _withdrawn(collection_id: int) -> set[int]:
    rows = Photo.objects.filter(collection=collection_id, state=PhotoState.WITHDRAWN)
    return set(rows.values_list("pk", flat=True))


def _near(collection_id: int, band: str, value: int) -> QuerySet[Fingerprint, Any]:
    """Those whose band differs from the value in at most two bits."""
    bits = [1 << bit for bit in range(BAND_BITS)]
    values = [value, *(value ^ bit for bit in bits)]
    values += [value ^ one ^ other for one, other in itertools.combinations(bits, 2)]
    rows = Fingerprint.objects.filter(collection=collection_id, **{f"{band}__in": values})
    columns: QuerySet[Fingerprint, Any] = rows.values_list("pk", *BANDS)
    return columns


# --- deciding ------------------------------------------------------------------------------------
def decide_pair(
    *, pair: Pair, to: str, by: User, now: datetime, stays: Photo | None = None
) -> None:
    """Say what two photos are. Of one photograph `stays` is worked on, and the other goes on hold.

    Of a better scan, which stays, the poorer one keeps its original and versions; what is said
    about it is copied to the better one where that has nothing.
    """
    check_curate(by, pair.collection)
    keeps_one = to in KEEPS_ONE
    if to not in PairState.values or to == PairState.WAITING:
        raise Refused("no-such-decision", _("Choose what the two are."), invalid=True)
    if keeps_one and (stays is None or stays.pk not in (pair.first_id, pair.second_id)):
        raise _which_stays()
    told = {"decided_by": by, "decided_at": now, "stays": stays if keeps_one else None}
    with transaction.atomic():
        _move(pair, to, by, now, told, {"stays": stays.ref if keeps_one and stays else ""})
        if stays is not None and keeps_one:
            _check_there(pair, stays)
            other = Photo.objects.get(pk=pair.other_of(stays.pk))
            _put_aside(pair, other, stays, by, now)
            if to == PairState.BETTER_SCAN:
                _hand_on(other, stays, by, now)


def _check_there(pair: Pair, stays: Photo) -> None:
    """What is withdrawn cannot stay: the other one would go on hold, and nothing were left."""
    # Locked, and always in one order: it might be withdrawn between the question and the hold.
    both = Photo.objects.select_for_update().filter(pk__in=(pair.first_id, pair.second_id))
    states = dict(both.order_by("pk").values_list("pk", "state"))
    if states[stays.pk] == PhotoState.WITHDRAWN:
        raise _which_stays()


def _which_stays() -> Refused:
    return Refused("which-stays", _("Choose which of the two stays on the wall."), invalid=True)


def join_sides(*, photo: Photo, now: datetime) -> None:
    """Pair a page that has been read with its other side, when that has been read too.

    Called again it does nothing. Whoever said that they are sides has decided; what somebody has
    decided about the two since, or taken back, stays theirs.
    """
    if photo.pages_are != PagesAre.SIDES:
        return
    front, back = photo.page - (photo.page % 2 == 0), photo.page + photo.page % 2
    pages = Photo.objects.filter(collection=photo.collection_id, sha256=photo.sha256)
    both = pages.filter(page__in=(front, back), state=PhotoState.READY).order_by("page")
    if len(both) != 2:
        return
    stays, other = both
    first, second = sorted((stays.pk, other.pk))
    pair, _new = Pair.objects.get_or_create(
        first_id=first,
        second_id=second,
        defaults={"collection_id": photo.collection_id, "found_at": now},
    )
    with contextlib.suppress(IllegalMove), transaction.atomic():
        # Locked: it might be decided and taken back between the question and the move.
        Pair.objects.select_for_update().get(pk=pair.pk)
        if _decisions(other.pk, stays.pk).exists():
            return
        _join(pair, other, stays, now)


def _join(pair: Pair, back: Photo, front: Photo, now: datetime) -> None:
    told = {"decided_by": back.added_by, "decided_at": now, "stays": front}
    where, facts = {"state": PairState.WAITING}, {"stays": front.ref}
    pair.move(PairState.OTHER_SIDE, by=back.added_by, at=now, where=where, set_=told, facts=facts)
    _put_aside(pair, back, front, back.added_by, now)


def _decisions(photo: Any, other: Any) -> QuerySet[Event, Event]:
    """What the history of a photo tells of decisions about it and another one."""
    named = Cast(KeyTextTransform("other", "facts"), BigIntegerField())
    told = Event.objects.filter(photo=photo, verb__startswith="pair.")
    return told.annotate(named=named).filter(named=other)


def sweep_sides(*, now: datetime) -> int:
    """Join the sides that a worker had read when it was killed, before it paired them."""
    # It looks at all photos; a back that waits on the wall for a minute does no harm.
    if not cache.add("sides-sought", now.isoformat(), SIDES_EVERY):
        return 0
    read = Photo.objects.filter(pages_are=PagesAre.SIDES, state=PhotoState.READY)
    backs = read.annotate(odd=F("page") % 2).filter(odd=0)
    same_file = {"collection": OuterRef("collection"), "sha256": OuterRef("sha256")}
    front = read.filter(page=OuterRef("page") - 1, **same_file).values("pk")[:1]
    apart = backs.annotate(front=Subquery(front)).filter(front__isnull=False)
    apart = apart.exclude(Exists(_decisions(OuterRef("pk"), OuterRef("front"))))
    found = list(apart.order_by("pk")[:SIDES_AT_ONCE])
    for back in found:
        join_sides(photo=back, now=now)
    return len(found)


def _put_aside(pair: Pair, other: Photo, stays: Photo, by: User | None, now: datetime) -> None:
    """Off the wall, where it is on it; a photo that is withdrawn or held anyway stays so."""
    try:
        with transaction.atomic():
            other.move(
                PhotoState.ON_HOLD,
                by=by,
                at=now,
                where={"state": PhotoState.READY},
                facts={"pair": pair.pk, "decision": pair.state, "stays": stays.ref},
            )
    except IllegalMove:
        return
    Pair.objects.filter(pk=pair.pk).update(put_aside=True)
    pair.put_aside = True


def _hand_on(old: Photo, better: Photo, by: User, now: datetime) -> None:
    """What was found out about a photograph is not lost with its poorer scan."""
    known = {
        name: getattr(old, name)
        for name in DESCRIPTION
        if getattr(old, name) and not getattr(better, name)
    }
    if known:
        describe_photo(photo=better, by=by, fields=known, now=now)


def take_back_pair(*, pair: Pair, by: User, now: datetime) -> None:
    """Ask again: what the decision put on hold comes back, if it is on hold still."""
    check_curate(by, pair.collection)
    put_aside, stays = pair.put_aside, pair.stays_id
    told = {"decided_by": None, "decided_at": None, "stays": None, "put_aside": False}
    with transaction.atomic():
        _move(pair, PairState.WAITING, by, now, told, {})
        if put_aside and stays is not None and not _held_by_another(pair, stays):
            other = Photo.objects.get(pk=pair.other_of(stays))
            if other.state == PhotoState.ON_HOLD:
                other.move(PhotoState.READY, by=by, at=now, where={"state": PhotoState.ON_HOLD})


def _held_by_another(pair: Pair, stays: int) -> bool:
    """Whether another decision says of the same photo that it is not the one to work on."""
    other = pair.other_of(stays)
    named = Q(first=other) | Q(second=other)
    return (
        Pair.objects.filter(named, state__in=KEEPS_ONE)
        .exclude(Q(pk=pair.pk) | Q(stays=other))
        .exists()
    )


def _move(
    pair: Pair, to: str, by: User, now: datetime, set_: dict[str, Any], facts: dict[str, Any]
) -> None:
    try:
        pair.move(to, by=by, at=now, where={"state": pair.state}, set_=set_, facts=facts)
    except IllegalMove:
        raise Refused(
            "pair-moved-on",
            _("Somebody has decided about this pair in the meantime. Look at it again."),
            conflict=True,
        ) from None
