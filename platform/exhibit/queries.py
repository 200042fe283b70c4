"""What hangs where and what waits to be hung; each in a fixed number of queries."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db.models import Count, Exists, F, OuterRef, Prefetch, Q, QuerySet, Subquery, Value
from django.db.models import Sum as Added

from archive.lifecycle import PhotoState
from archive.models import Collection, Photo
from exhibit import nameless
from exhibit.models import (
    Edition,
    Evidence,
    Exhibit,
    Hiding,
    Placement,
    PlacementQuerySet,
    Publication,
    Room,
)
from restoration.lifecycle import PublicationState, ReviewState, VersionState
from restoration.models import Change, Review, Sum, Version, ancestry
from restoration.queries import changes
from restoration.reactions import COLLECTION

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from accounts.models import User

# Lists do not need what only the photo's own page tells.
HEAVY = ("records", "meters", "notes", "frame")


def placements() -> PlacementQuerySet:
    """Placements with all that a card or a figure shows."""
    heavy = [f"publication__version__{name}" for name in HEAVY]
    related = ("room__exhibit", "photo__collection", "publication__photo", "publication__version")
    return Placement.objects.select_related(*related).defer(*heavy)


def walk(exhibit: Exhibit) -> list[Placement]:
    """What a visitor of the exhibit sees, in order."""
    return list(placements().filter(room__exhibit=exhibit).shown().in_order())


def steps(exhibit: Exhibit) -> list[tuple[int, str, int]]:
    """The same as (placement, photo's reference, room) alone, for previous and next.

    Of a photo that hangs twice the first place counts: it has one page, which is of that place.
    """
    hung = Placement.objects.filter(room__exhibit=exhibit).shown().in_order()
    firsts: dict[str, tuple[int, str, int]] = {}
    for step in hung.values_list("pk", "photo__ref", "room"):
        firsts.setdefault(step[1], step)
    return list(firsts.values())


def hung_at(exhibit: Exhibit, ref: str) -> Placement | None:
    """The place of a photo in the exhibit, whatever became of its publication."""
    return placements().filter(room__exhibit=exhibit, photo__ref=ref).in_order().first()


def rooms(exhibit: Exhibit) -> list[Room]:
    """The exhibit's rooms in order."""
    return list(exhibit.rooms.order_by("position", "pk"))


def had_pictures(exhibit: Exhibit) -> bool:
    """Whether anything hangs in the exhibit, also what the public does not see any more."""
    return Placement.objects.filter(room__exhibit=exhibit).exists()


def newest() -> Placement | None:
    """The picture that was published last, where it hangs in public."""
    hung = placements().filter(room__exhibit__is_open=True).shown()
    return hung.order_by("-publication__published_at", "-pk").first()


def in_public(publication: Publication) -> Placement | None:
    """The first place where visitors see the photo of this publication, if there is one."""
    hung = placements().filter(photo=publication.photo, room__exhibit__is_open=True)
    return hung.shown().in_order().first()


def hung_first(publication: Publication) -> Placement | None:
    """The first place of a publication in any exhibit, closed ones too: for its curators."""
    return placements().filter(publication=publication).in_order().first()


def hangs_open(publication: Publication) -> bool:
    """Whether the photo hangs in an exhibit that strangers may enter, whatever became of it."""
    hung = Placement.objects.filter(photo=publication.photo_id, room__exhibit__is_open=True)
    return hung.exists()


def speaks_for(pk: int) -> Publication | None:
    """Who says what became of a publication: itself, or the last one where newer ones took over."""
    rows = Publication.objects.select_related("photo__collection")
    found = rows.filter(pk=pk).first()
    if found is None or found.state != PublicationState.SUPERSEDED:
        return found
    return rows.filter(photo=found.photo_id).order_by("-pk").first()


def for_the_public(user: User | AnonymousUser) -> QuerySet[Exhibit]:
    """Exhibits this visitor may see, with how many pictures hang in each and the first of them."""
    first = Placement.objects.filter(room__exhibit=OuterRef("pk")).shown().in_order()
    hung = Q(
        rooms__placements__publication__state=PublicationState.LIVE,
        rooms__placements__photo__state=PhotoState.READY,
    )
    return (
        Exhibit.objects.visible_to(user)
        .select_related("collection")
        .annotate(
            pictures=Count("rooms__placements__photo", filter=hung, distinct=True),
            cover=Subquery(first.values("pk")[:1]),
        )
        .order_by("-created_at", "-pk")
    )


def covers(exhibits: list[Exhibit]) -> dict[int, Placement]:
    """The first picture of each exhibit, by its key."""
    return placements().in_bulk([cover for each in exhibits if (cover := each.cover)])  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Figures:
    """Honest numbers for the first page."""

    held: int
    public: int
    in_review: int
    people: int


def figures() -> Figures:
    """Sums of all collections, and what is counted now of the rows that decide; one query."""
    shown = Version.objects.exclude(state=VersionState.DRAFT)
    rows = [
        _counted("public", Publication.objects.public()),
        _counted("people", shown),
        # A hundred thousand photos are not counted for each first page.
        *_summed("held", "ready"),
        *_summed("in_review", "queue"),
    ]
    found = dict.fromkeys(Figures.__dataclass_fields__, 0)
    for name, many in rows[0].union(*rows[1:], all=True):
        found[name] += many or 0
    return Figures(**found)


def _summed(name: str, measure: str) -> Iterator[QuerySet[Any]]:
    """The name with a measure of all collections, and with what is not added up yet."""
    for rows, column in ((Sum.objects, "value"), (Change.objects, "change")):
        ours = rows.filter(about=COLLECTION, measure=measure).order_by()
        named = ours.annotate(what=Value(name)).values("what").annotate(many=Added(column))
        yield named.values_list("what", "many")


def _counted(name: str, found: QuerySet[Any]) -> QuerySet[Any]:
    """The name and how many rows there are, as one row."""
    named = found.order_by().annotate(what=Value(name)).values("what")
    what = "made_by" if name == "people" else "pk"
    rows: QuerySet[Any] = named.annotate(many=Count(what, distinct=True))
    return rows.values_list("what", "many")


def edition() -> int:
    """Another number than before whenever a public page may have changed."""
    return Edition.objects.values_list("number", flat=True).first() or 0


# --- the curator's side --------------------------------------------------------------------------


def to_publish(user: User) -> QuerySet[Version]:
    """Accepted versions of the collections this person curates that were never published: the
    newest first, and behind all others those of a photo that `hangs` already.
    """
    lasting = (PublicationState.LIVE, PublicationState.SUSPENDED)
    hanging = Publication.objects.filter(photo=OuterRef("photo"), state__in=lasting)
    decided = Review.objects.filter(state=ReviewState.ACCEPTED).select_related("reviewer")
    return (
        Version.objects.filter(
            state=VersionState.ACCEPTED,
            photo__state=PhotoState.READY,
            photo__collection__in=Collection.objects.curated_by(user),
        )
        .exclude(Exists(Publication.objects.filter(version=OuterRef("pk"))))
        .select_related("photo__collection", "made_by")
        .defer(*HEAVY)
        .prefetch_related(Prefetch("reviews", queryset=decided, to_attr="acceptances"))
        .annotate(hangs=Exists(hanging))
        .order_by("hangs", F("submitted_at").desc(nulls_last=True), "-pk")
    )


def arranged(user: User) -> QuerySet[Exhibit]:
    """The exhibits this person arranges, with how many pictures hang in each."""
    return (
        Exhibit.objects.arranged_by(user)
        .select_related("collection")
        .annotate(pictures=Count("rooms__placements"))
        .order_by("-created_at", "-pk")
    )


def hall(exhibit: Exhibit) -> list[Room]:
    """The exhibit's rooms with everything that hangs in them, also what the public does not see."""
    hung = placements().order_by("position", "pk")
    found = exhibit.rooms.order_by("position", "pk")
    return list(found.prefetch_related(Prefetch("placements", queryset=hung, to_attr="hung")))


def place(pk: int, among: QuerySet[Any]) -> tuple[int, int]:
    """Which of how many: of the rooms of an exhibit, or of the pictures in a room."""
    order = list(among.order_by("position", "pk").values_list("pk", flat=True))
    return order.index(pk) + 1, len(order)


def standing_hidings(version: Version) -> QuerySet[Hiding]:
    """The hidings, not undone, of accounts that made this version or one that it is built on."""
    rows = Version.objects.filter(photo=version.photo_id).only("pk", "parent", "made_by")
    every = rows.in_bulk()
    makers = {each.made_by_id for each in ancestry(every, every[version.pk])} - {None}
    return Hiding.objects.filter(person__in=makers, undone_at=None)


def acceptance(version: Version) -> Review | None:
    """Who accepted the version, and what they said."""
    decided = Review.objects.filter(version=version, state=ReviewState.ACCEPTED)
    return decided.select_related("reviewer").first()


def packs(publication: Publication) -> QuerySet[Evidence]:
    """Its evidence packs, newest first; none with words or a name that were hidden since."""
    rows = Evidence.objects.filter(publication=publication).order_by("-pk")
    for hidden in (publication.words_hidden_at, nameless.of(publication).since):
        if hidden is not None:
            rows = rows.exclude(made_at__isnull=False, started_at__lt=hidden)
    return rows


def latest(photo: Photo) -> Publication | None:
    """The last publication of the photo: a new one is made only when there is none or this ended,
    so it is also the only one that can be live or hidden.
    """
    rows = Publication.objects.filter(photo=photo).select_related("version")
    return rows.order_by("-pk").first()


def with_changes(rows: QuerySet[Publication]) -> QuerySet[Any]:
    """Each with `changed_at`: when it was published, hidden, shown, replaced or taken down."""
    return changes.of_a_photo(rows, "published_at")


def changed_since(rows: QuerySet[Any], then: datetime) -> QuerySet[Any]:
    """Those that changed then or later."""
    return changes.of_a_photo_since(rows, then, "published_at")
