"""Give me one: the site chooses a photo and claims it in the same breath; and keeps turns ready."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from archive.models import Collection, Photo
from archive.policy import Refused
from restoration import policy
from restoration.actions.claims import take_slot
from restoration.lifecycle import ClaimState
from restoration.models import Claim
from restoration.queries import wall
from restoration.standings import Standing, Turn

if TYPE_CHECKING:
    from accounts.models import User

# How many turns a collection has: enough for everybody who asks between two rounds of the sweep,
# few enough that picking one costs the same however many photos wait.
TURNS = 60
# Who gave a photo back is not given it again for a while.
COOL_DOWN = timedelta(minutes=10)
# Among so many of the oldest is drawn where no turn fits the wishes.
OLDEST = 20
TRIES = 8
CHANCE = random.SystemRandom()
LAST_PLACE = 2**31 - 1


def give_photo(*, by: User, wishes: Mapping[str, Any], now: datetime) -> Claim:
    """Claim a photo that waits, fits the wishes and is open to `by`; Refused when there is none.

    First one that this person never held, then any but those given back within COOL_DOWN.
    """
    policy.check_hands(by, now=now)
    reach = [each.pk for each in Collection.objects.visible_to(by)]
    for never in (True, False):
        for rows in (_turns(reach, wishes), _oldest(reach, wishes)):
            for _each in range(TRIES):
                claim = _pick(rows.exclude(_met(by, now, never=never)), by, now)
                if isinstance(claim, Claim):
                    return claim
                if claim is None:
                    break
    raise Refused("nothing-waits", _nothing(by, reach, wishes, now), conflict=True)


def _turns(reach: Iterable[int], wishes: Mapping[str, Any]) -> QuerySet[Any]:
    """Collections have as many turns each, so a small one is not drowned by a large one."""
    turns = Turn.objects.filter(collection__in=reach, photo__standing__waits=True)
    return turns.filter(wall.wished(wishes, "photo__")).order_by("place")


def _oldest(reach: Iterable[int], wishes: Mapping[str, Any]) -> QuerySet[Any]:
    waiting = Standing.objects.filter(waits=True, collection__in=reach)
    return waiting.filter(wall.wished(wishes, "photo__")).order_by("added_at", "photo")


def _met(by: User, now: datetime, *, never: bool) -> Q:
    """Photos that this person has in hand, gave back lately or, with `never`, ever held."""
    mine = Claim.objects.filter(photo=OuterRef("photo"), volunteer=by)
    if not never:
        mine = mine.filter(Q(state=ClaimState.OPEN) | Q(closed_at__gt=now - COOL_DOWN))
    return Q(Exists(mine))


def _pick(rows: QuerySet[Any], by: User, now: datetime) -> Claim | bool | None:
    """A claim on the first row that nobody else is at; None when there is none, False when another
    hand was quicker and the next row may do.

    A turn is locked, and taken away, until the claim stands. A standing is never locked here: what
    closes a claim writes it last, and would be waited for. The constraint on claims decides.
    """
    with transaction.atomic():
        row = _free(rows) if rows.model is Turn else _drawn(rows)
        if row is None:
            return None
        if rows.model is Turn and not Turn.objects.filter(pk=row.pk).delete()[0]:
            return False  # on SQLite two may see the same turn: one of them takes it away
        photo = Photo.objects.select_related("collection").get(pk=row.pk)
        return take_slot(photo=photo, by=by, now=now) or False


def _free(turns: QuerySet[Any]) -> Any:
    """The first turn that nobody is at."""
    if connection.features.has_select_for_update_skip_locked:
        turns = turns.select_for_update(skip_locked=True, of=("self",))
    return next(iter(turns[:1]), None)


def _drawn(rows: QuerySet[Any]) -> Any:
    """One of the oldest, by chance, so that people who ask together get different ones."""
    few = list(rows[:OLDEST])
    return CHANCE.choice(few) if few else None


def _nothing(by: User, reach: Iterable[int], wishes: Mapping[str, Any], now: datetime) -> Any:
    """The words for it; another collection is named only where one would be given from it."""
    here = wishes.get("collection")
    elsewhere = _oldest(reach, {**wishes, "collection": None}).exclude(collection=here)
    if here and elsewhere.exclude(_met(by, now, never=False)).exists():
        return _(
            "Nothing waits with these wishes in this collection; in another one something does."
        )
    return _("Nothing waits with these wishes at the moment. Try fewer of them.")


# --- the sweep's side ----------------------------------------------------------------------------
def refill_turns(*, now: datetime) -> int:
    """Take away the turns of photos that wait no more, and give every collection its few again."""
    Turn.objects.exclude(photo__standing__waits=True).delete()
    has = dict(Turn.objects.order_by().values_list("collection").annotate(Count("pk")))
    added = 0
    for collection in Collection.objects.order_by("pk"):
        lack = TURNS - has.get(collection.pk, 0)
        if lack >= TURNS // 4:
            added += _refill(collection, lack)
    return added


def _refill(collection: Collection, lack: int) -> int:
    """The oldest that have no turn yet, each at a place that is drawn."""
    waiting = Standing.objects.filter(waits=True, collection=collection, photo__turn=None)
    found = waiting.order_by("added_at", "photo").values_list("pk", flat=True)[:lack]
    turns = [
        Turn(photo_id=photo, collection=collection, place=CHANCE.randint(0, LAST_PLACE))
        for photo in found
    ]
    # Two sweepers may find the same photos.
    Turn.objects.bulk_create(turns, ignore_conflicts=True)
    return len(turns)
