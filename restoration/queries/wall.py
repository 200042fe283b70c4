"""Which photos wait, whose hands the others are in, and which of them fit a volunteer's wishes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from django.db.models import BooleanField, Exists, ExpressionWrapper, F, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from archive.models import Collection, Photo
from restoration import counting
from restoration.lifecycle import ClaimState
from restoration.models import Claim

if TYPE_CHECKING:
    from accounts.models import User

# Of collections.
Keys = Iterable[int]

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

# Each is the condition of an index of Standing: a page costs the same however many there are.
_IN_STATE: dict[str, Q] = {
    WAITING: Q(standing__waits=True),
    CLAIMED: Q(standing__held__gt=0),
    IN_REVIEW: Q(standing__in_review__gt=0),
    RETURNED: Q(standing__returned__gt=0, standing__in_review__lte=0, standing__accepted__lte=0),
    DONE: Q(standing__accepted__gt=0),
}
# What of a collection's sums is in that state; what was returned and is at rest is not summed up.
_SUMMED = {WAITING: "waits", CLAIMED: "held", IN_REVIEW: "review", DONE: "done", ANY: "ready"}
# Of a list that is narrowed by wishes no more than so many are counted.
MOST_COUNTED = 1200


def reach_of(user: User) -> list[int]:
    """The collections whose photos this person may see at work."""
    return list(Collection.objects.visible_to(user).values_list("pk", flat=True))


def at_work(reach: Keys) -> QuerySet[Photo]:
    """Every ready photo of these collections, oldest first, with what is going on around it."""
    return (
        Photo.objects.filter(standing__ready=True, standing__collection__in=list(reach))
        .annotate(
            held=F("standing__held"),
            in_review=_is(Q(standing__in_review__gt=0)),
            is_done=_is(Q(standing__accepted__gt=0)),
            was_returned=_is(Q(standing__returned__gt=0)),
        )
        .order_by("standing__added_at", "standing__photo")
    )


def _is(condition: Q) -> Any:
    return ExpressionWrapper(condition, output_field=BooleanField())


def fitting(photos: QuerySet[Photo], wishes: Mapping[str, Any]) -> QuerySet[Photo]:
    """Those that fit the cleaned wishes of a WallForm; an absent wish wishes nothing."""
    state = wishes.get("state") or WAITING
    found = photos.filter(_IN_STATE[state]) if state in _IN_STATE else photos
    return found.filter(wished(wishes))


def wished(wishes: Mapping[str, Any], photo: str = "") -> Q:
    """The wishes but the state, of a row that leads to the photo by the prefix `photo`."""
    asked = Q()
    if wishes.get("collection"):
        asked &= Q(**{f"{photo}standing__collection": wishes["collection"]})
    if wishes.get("damage"):
        asked &= Q(**{f"{photo}assessment__damage": wishes["damage"]})
    if wishes.get("faces"):
        asked &= Q(**{f"{photo}assessment__faces__gt": 0})
    if wishes.get("colour"):
        asked &= Q(**{f"{photo}assessment__is_grey": True})
        asked &= Q(**{f"{photo}collection__do_not_colourise": False})
    for word in str(wishes.get("words") or "").split()[:8]:
        asked &= _says(word, photo)
    return asked


def _says(word: str, photo: str) -> Q:
    said = Q(**{f"{photo}identifier__icontains": word}) | Q(**{f"{photo}ref": word.lower()})
    for name in WORDED:
        for language in ("en", "zh"):
            said |= Q(**{f"{photo}{name}_{language}__icontains": word})
    return said


def counts(reach: Keys) -> dict[int, dict[str, int]]:
    """How many photos of each collection are in which state of the wall."""
    found = counting.of_collections(reach)
    return {
        collection: {state: measures[name] for state, name in _SUMMED.items()}
        for collection, measures in found.items()
    }


def how_many(
    found: QuerySet[Photo], wishes: Mapping[str, Any], counted: Mapping[int, Mapping[str, int]]
) -> int:
    """How long the list is: from the sums where the wishes are a state and a collection alone."""
    state = wishes.get("state") or WAITING
    if not set(wishes) - {"state", "collection"} and state in _SUMMED:
        one = wishes.get("collection")
        return sum(each[state] for key, each in counted.items() if one in (None, key))
    return found.order_by()[:MOST_COUNTED].count()


def hands(photos: Iterable[Photo], user: User) -> list[Claim]:
    """The open claims on these photos, and this person's own wherever they are; in one query."""
    about = Q(photo__in=[photo.pk for photo in photos]) | Q(volunteer=user)
    opened = Claim.objects.filter(about, state=ClaimState.OPEN)
    return list(opened.select_related("volunteer", "photo").order_by("opened_at", "pk"))


def similar(user: User, photo: Photo) -> Photo | None:
    """Another one that waits and is not in this person's hands, from the same collection first."""
    reach = reach_of(user)
    mine = Claim.objects.filter(photo=OuterRef("pk"), volunteer=user, state=ClaimState.OPEN)
    for wishes in ({"collection": photo.collection_id}, {}):
        waiting = fitting(at_work(reach), {**wishes, "state": WAITING})
        found = waiting.exclude(pk=photo.pk).exclude(Exists(mine)).first()
        if found is not None:
            return found
    return None
