"""Which photos wait, whose hands the others are in, and which of them fit a volunteer's wishes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from django.db.models import Count, Exists, F, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from archive.lifecycle import PhotoState
from archive.models import Photo
from restoration.lifecycle import ClaimState, VersionState
from restoration.models import Claim, Version

if TYPE_CHECKING:
    from accounts.models import User

WAITING, CLAIMED, IN_REVIEW, RETURNED, DONE, ANY = (
    "waiting",
    "claimed",
    "review",
    "returned",
    "done",
    "any",
)
STATES = (
    (WAITING, pgettext_lazy("photos on the wall", "waiting")),
    (CLAIMED, pgettext_lazy("photos on the wall", "in somebody's hands")),
    (IN_REVIEW, pgettext_lazy("photos on the wall", "in review")),
    (RETURNED, pgettext_lazy("photos on the wall", "returned with advice")),
    (DONE, pgettext_lazy("photos on the wall", "done")),
    (ANY, pgettext_lazy("photos on the wall", "all")),
)
DAMAGE = (
    ("none", _("little damage seen")),
    ("some", _("some damage")),
    ("heavy", _("heavy damage")),
)

# Where words are looked for.
WORDED = ("title", "place", "people", "description")

_BUSY = Q(in_review=True) | Q(is_done=True)
_IN_STATE: dict[str, Q] = {
    WAITING: ~_BUSY & Q(held__lt=F("slots")),
    CLAIMED: Q(held__gt=0),
    IN_REVIEW: Q(in_review=True),
    RETURNED: Q(was_returned=True) & ~_BUSY,
    DONE: Q(is_done=True),
}


def _has(*states: str) -> Exists:
    return Exists(Version.objects.filter(photo=OuterRef("pk"), state__in=states))


def _hands() -> Coalesce:
    """How many open claims a photo has, without a join that would count rows twice."""
    opened = Claim.objects.filter(photo=OuterRef("pk"), state=ClaimState.OPEN).order_by()
    counted = opened.values("photo").annotate(many=Count("pk")).values("many")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)


def at_work(user: User) -> QuerySet[Photo]:
    """Every ready photo in reach, oldest first, with what is going on around it."""
    return (
        Photo.objects.visible_to(user)
        .filter(state=PhotoState.READY)
        .annotate(
            held=_hands(),
            in_review=_has(VersionState.SUBMITTED),
            is_done=_has(VersionState.ACCEPTED),
            was_returned=_has(VersionState.RETURNED),
        )
        .order_by("added_at", "pk")
    )


def fitting(photos: QuerySet[Photo], wishes: Mapping[str, Any]) -> QuerySet[Photo]:
    """Those that fit the cleaned wishes of a WallForm; an absent wish wishes nothing."""
    state = wishes.get("state") or WAITING
    found = photos.filter(_IN_STATE[state]) if state in _IN_STATE else photos
    if wishes.get("collection"):
        found = found.filter(collection=wishes["collection"])
    if wishes.get("damage"):
        found = found.filter(assessment__damage=wishes["damage"])
    if wishes.get("faces"):
        found = found.filter(assessment__faces__gt=0)
    if wishes.get("colour"):
        found = found.filter(assessment__is_grey=True, collection__do_not_colourise=False)
    for word in str(wishes.get("words") or "").split()[:8]:
        found = found.filter(_says(word))
    return found


def _says(word: str) -> Q:
    said = Q(identifier__icontains=word) | Q(ref=word.lower())
    for name in WORDED:
        for language in ("en", "zh"):
            said |= Q(**{f"{name}_{language}__icontains": word})
    return said


def hands(photos: Iterable[Photo], user: User) -> list[Claim]:
    """The open claims on these photos, and this person's own wherever they are; in one query."""
    about = Q(photo__in=[photo.pk for photo in photos]) | Q(volunteer=user)
    opened = Claim.objects.filter(about, state=ClaimState.OPEN)
    return list(opened.select_related("volunteer", "photo").order_by("opened_at", "pk"))


def candidates(user: User, wishes: Mapping[str, Any], *, most: int) -> list[Photo]:
    """The oldest that wait and fit, those first that this person never held."""
    mine = Claim.objects.filter(photo=OuterRef("pk"), volunteer=user)
    waiting = fitting(at_work(user), {**wishes, "state": WAITING})
    fresh = waiting.annotate(held_before=Exists(mine)).exclude(
        Exists(mine.filter(state=ClaimState.OPEN))
    )
    return list(fresh.order_by("held_before", "added_at", "pk")[:most])


def similar(user: User, photo: Photo) -> Photo | None:
    """Another one that waits, from the same collection when there is one."""
    found = candidates(user, {"collection": photo.collection_id}, most=2)
    found += candidates(user, {}, most=2)
    return next((each for each in found if each.pk != photo.pk), None)
