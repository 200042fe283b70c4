"""Make an exhibit, name and order its rooms, order and caption what hangs in them."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction
from django.db.models import Max, QuerySet
from django.utils.translation import gettext_lazy as _

from archive.models import Collection, Event
from archive.policy import Refused, check_curate
from archive.saying import changed
from exhibit import policy
from exhibit.models import Exhibit, Placement, Room

if TYPE_CHECKING:
    from accounts.models import User


# The address of the page that makes a new one.
RESERVED = ("new",)
# What is said over an exhibit or a room; of a picture that hangs, where, and what beside it.
HEADLINE = ("title_en", "title_zh", "intro_en", "intro_zh")
WORDS = ("caption_en", "caption_zh", "story_en", "story_zh")
PLACE = ("room_id", *WORDS)
TAKEN_BY_THE_SITE = _("This address is taken by the site itself.")


@dataclass(frozen=True)
class Headline:
    """What is written over an exhibit or a room, in both languages; what is left out stays."""

    title_en: str | None = None
    title_zh: str | None = None
    intro_en: str | None = None
    intro_zh: str | None = None

    def said(self) -> dict[str, str]:
        """What is to be written; an empty text takes away what stood there."""
        return _said(self)


@dataclass(frozen=True)
class Words:
    """What is written beside a picture, in both languages; what is left out stays as it is."""

    caption_en: str | None = None
    caption_zh: str | None = None
    story_en: str | None = None
    story_zh: str | None = None

    def said(self) -> dict[str, str]:
        """What is to be written; an empty text takes away what stood there."""
        return _said(self)


def _said(words: Headline | Words) -> dict[str, str]:
    return {name: text for name, text in vars(words).items() if text is not None}


def create_exhibit(
    *, collection: Collection, slug: str, headline: Headline, by: User, now: datetime
) -> Exhibit:
    """A new exhibit, closed until its curator opens it, with one room to hang pictures in."""
    check_curate(by, collection)
    if slug in RESERVED:
        raise Refused("slug-reserved", TAKEN_BY_THE_SITE, invalid=True, facts={"field": "slug"})
    try:
        with transaction.atomic():
            exhibit = Exhibit.objects.create(collection=collection, slug=slug, **headline.said())
            Room.objects.create(
                exhibit=exhibit, title_en=exhibit.title_en, title_zh=exhibit.title_zh
            )
            _record(exhibit, "created", by, now)
    except IntegrityError:
        raise Refused(
            "slug-taken", _("Another exhibit has this address already."), conflict=True
        ) from None
    return exhibit


def edit_exhibit(
    *, exhibit: Exhibit, headline: Headline, by: User, only_of: Container[str] | None = None
) -> None:
    """Write anew what is said of the exhibit's title and introduction; its address never changes.

    Nothing else: the row may be older than what another hand has written since. WordsMoved when it
    stands at none of the revisions of `only_of`, where they are given.
    """
    policy.check_arrange(by, exhibit)
    _write(Exhibit.objects.filter(pk=exhibit.pk), headline, only_of)


def _write(row: QuerySet[Any], headline: Headline, only_of: Container[str] | None) -> None:
    with transaction.atomic():
        before = row.select_for_update().first()
        if before is None:
            raise _other_rooms()
        row.update(**changed(before, headline.said(), HEADLINE, only_of))


def open_exhibit(*, exhibit: Exhibit, by: User, now: datetime) -> None:
    """Let the public in."""
    _set_open(exhibit, True, by, now)


def close_exhibit(*, exhibit: Exhibit, by: User, now: datetime) -> None:
    """Close the doors; everything stays where it hangs."""
    _set_open(exhibit, False, by, now)


def _set_open(exhibit: Exhibit, is_open: bool, by: User, now: datetime) -> None:
    policy.check_arrange(by, exhibit)
    with transaction.atomic():
        if Exhibit.objects.filter(pk=exhibit.pk, is_open=not is_open).update(is_open=is_open):
            _record(exhibit, "opened" if is_open else "closed", by, now)


def _record(exhibit: Exhibit, verb: str, by: User, now: datetime) -> None:
    facts = {"id": exhibit.pk, "slug": exhibit.slug}
    Event.objects.create(
        collection_id=exhibit.collection_id, actor=by, verb=f"exhibit.{verb}", at=now, facts=facts
    )


def add_room(*, exhibit: Exhibit, headline: Headline, by: User) -> Room:
    """A new room at the end of the walk."""
    policy.check_arrange(by, exhibit)
    last = exhibit.rooms.aggregate(last=Max("position"))["last"] or 0
    return Room.objects.create(exhibit=exhibit, position=last + 1, **headline.said())


def edit_room(
    *, room: Room, headline: Headline, by: User, only_of: Container[str] | None = None
) -> None:
    """As edit_exhibit, of a room; other-order when it was taken away meanwhile."""
    policy.check_arrange(by, room.exhibit)
    _write(Room.objects.filter(pk=room.pk), headline, only_of)


def remove_room(*, room: Room, by: User) -> None:
    """Take away an empty room; pictures are never taken down by accident."""
    policy.check_arrange(by, room.exhibit)
    with transaction.atomic():
        # The lock makes a picture that is being hung in this moment wait, or us see it.
        held = Room.objects.select_for_update().filter(pk=room.pk)
        if not held.exists() or room.placements.exists():
            raise Refused(
                "room-not-empty", _("Pictures hang in this room. Move them first."), conflict=True
            )
        held.delete()


def move_room(*, room: Room, by: User, up: bool) -> None:
    """Swap a room with the one before or after it; other-order when it was taken away meanwhile."""
    policy.check_arrange(by, room.exhibit)
    with transaction.atomic():
        # By their keys, so that two who move rooms at once do not wait for each other for ever.
        held = Room.objects.select_for_update().filter(exhibit=room.exhibit_id).order_by("pk")
        order = [pk for _place, pk in sorted(held.values_list("position", "pk"))]
        if room.pk not in order:
            raise _other_rooms()
        for position, pk in enumerate(_swapped(order, room.pk, up), start=1):
            Room.objects.filter(pk=pk).update(position=position)


def move_placement(*, placement: Placement, by: User, up: bool) -> None:
    """Swap a picture with the one before or after it; other-order when it hangs elsewhere."""
    room = placement.room
    policy.check_arrange(by, room.exhibit)
    with transaction.atomic():
        order = _hanging(room)
        if placement.pk not in order:
            raise _other_pictures()
        _put(room, _swapped(order, placement.pk, up))


def arrange(*, room: Room, order: list[int], by: User) -> None:
    """Put a room's placements in the given order, which names all of them: one that is left out, or
    hangs elsewhere, tells that somebody has hung or moved a picture in between."""
    policy.check_arrange(by, room.exhibit)
    with transaction.atomic():
        if sorted(order) != sorted(_hanging(room)):
            raise _other_pictures()
        _put(room, order)


def _hanging(room: Room) -> list[int]:
    """What hangs in the room, in order; until the end of the transaction nothing is hung there."""
    held = Room.objects.select_for_update().filter(pk=room.pk)
    if not held.exists():
        raise _other_rooms()
    order = room.placements.order_by("position", "pk")
    return list(order.values_list("pk", flat=True))


def _other_pictures() -> Refused:
    told = _("Other pictures hang in this room by now. Look at it again.")
    return Refused("other-order", told, conflict=True)


def _other_rooms() -> Refused:
    told = _("This room is not there any more. Look at the exhibit again.")
    return Refused("other-order", told, conflict=True)


def _put(room: Room, order: list[int]) -> None:
    for position, pk in enumerate(order, start=1):
        Placement.objects.filter(pk=pk, room=room).update(position=position)


def _swapped(order: list[int], pk: int, up: bool) -> list[int]:
    at = order.index(pk)
    other = at - 1 if up else at + 1
    if 0 <= other < len(order):
        order[at], order[other] = order[other], order[at]
    return order


def edit_words(
    *,
    placement: Placement,
    room: Room | None,
    words: Words,
    by: User,
    only_of: Container[str] | None = None,
) -> None:
    """Write anew what is said of caption and story, and hang the picture in `room` of the same
    exhibit; without one it stays where it hangs, also where another hand has hung it since.

    WordsMoved when it stands at none of the revisions of `only_of`, where they are given.
    """
    policy.check_arrange(by, placement.room.exhibit)
    if room is not None and room.exhibit_id != placement.room.exhibit_id:
        raise Refused("other-exhibit", _("That room belongs to another exhibit."))
    try:
        with transaction.atomic():
            place = {} if room is None else _into(room, placement)
            told: dict[str, Any] = words.said() | ({} if room is None else {"room_id": room.pk})
            held = Placement.objects.select_for_update().filter(pk=placement.pk)
            if (before := held.first()) is None:
                raise _other_pictures()
            held.update(**changed(before, told, PLACE, only_of) | place)
    except IntegrityError:
        raise _hangs_there() from None


def _into(room: Room, placement: Placement) -> dict[str, Any]:
    """Behind what hangs in the room; nothing where it hangs there, for it keeps its place."""
    if placement.pk in _hanging(room):
        return {}
    return {"position": last_position(room) + 1}


def last_position(room: Room) -> int:
    """The place of the last picture in the room, 0 when it is empty."""
    return int(room.placements.aggregate(last=Max("position"))["last"] or 0)


def _hangs_there() -> Refused:
    return Refused("hangs-there", _("This photo hangs in that room already."), conflict=True)
