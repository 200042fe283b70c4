"""What the curators' pages list, each in a constant number of queries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Count, Prefetch, Q, QuerySet
from django.db.models.fields.json import KeyTextTransform

from archive.intake import Batch, BatchFile
from archive.lifecycle import FileOutcome, FileStep, PairState, PhotoState
from archive.models import Alarm, Collection, Event, Pair, Photo

if TYPE_CHECKING:
    from accounts.models import User

# A sentence names fewer than these; one more tells that there are others.
MOST_TAKEN = 50


@dataclass(frozen=True)
class StateCount:
    """How many photos of a collection stand in a state."""

    state: str
    label: str
    count: int


@dataclass(frozen=True)
class Card:
    """A photo in a justified grid; `ratio` is width by height in tenths, as css/wall.css counts."""

    photo: Photo
    ratio: int


def card(photo: Photo) -> Card:
    """A photo as the collection's page shows it; a file without a picture takes a usual shape."""
    if not photo.width:
        return Card(photo, 13)
    return Card(photo, min(max(round(photo.width * 10 / photo.height), 3), 30))


def collections_of(user: User) -> QuerySet[Collection]:
    """The collections this person looks after, with how many photos each has."""
    counts = {
        state.value: Count("photos", filter=Q(photos__state=state), distinct=True)
        for state in (PhotoState.READY, PhotoState.QUARANTINED, PhotoState.READING)
    }
    collections = Collection.objects.curated_by(user)
    counts["all"] = Count("photos", filter=~Q(photos__state=PhotoState.WITHDRAWN), distinct=True)
    return collections.annotate(**counts).order_by("title_en")


def states_of(collection: Collection) -> list[StateCount]:
    """Every state that some photo of the collection stands in."""
    rows = Photo.objects.filter(collection=collection).values_list("state").annotate(Count("pk"))
    found: dict[str, int] = dict(rows)
    return [
        StateCount(each.value, str(each.label), found[each]) for each in PhotoState if each in found
    ]


def photos_of(collection: Collection, state: str = "") -> QuerySet[Photo]:
    """The photos of a collection, the newest first; only those in `state` when it is one. What was
    withdrawn, a wrong file perhaps, is not among the others."""
    photos = Photo.objects.filter(collection=collection).order_by("-added_at", "-pk")
    if state in PhotoState.values:
        return photos.filter(state=state)
    return photos.exclude(state=PhotoState.WITHDRAWN)


def batches_of(collection: Collection) -> QuerySet[Batch]:
    """The batches of a collection, the newest first, with how many files each has."""
    files = Count("files", filter=~Q(files__outcome=FileOutcome.OPENED))
    return (
        Batch.objects.filter(collection=collection)
        .select_related("begun_by")
        .annotate(count=files)
        .order_by("-begun_at", "-pk")
    )


def files_of(batch: Batch, kind: str = "") -> QuerySet[BatchFile]:
    """The files of a batch in the order of the source; only those of one outcome when it is one."""
    files = batch.files.exclude(outcome=FileOutcome.OPENED).select_related("photo").order_by("pk")
    if kind == "quarantined":
        return files.filter(photo__state=PhotoState.QUARANTINED)
    if kind == "waiting":
        return files.filter(step=FileStep.LISTED)
    if kind in FileOutcome.values:
        # A file whose photo is in quarantine is told as such.
        told = files.filter(outcome=kind).exclude(step=FileStep.LISTED)
        return told.exclude(photo__state=PhotoState.QUARANTINED)
    return files


def refusals_of(batch: Batch) -> set[str]:
    """The codes for which files of the batch were not taken, or would not be."""
    refused = batch.files.filter(outcome=FileOutcome.REFUSED)
    return set(refused.order_by().values_list("code", flat=True).distinct())


def photos_to_fill(batch: Batch) -> int:
    """How many photos that are here already would get words they lack, as the look foretold."""
    # That the list has a first element: both databases can tell it.
    filled = {"outcome": FileOutcome.KNOWN, "facts__filled__0__isnull": False}
    files = batch.files.filter(step=FileStep.LOOKED, **filled)
    return files.values("photo").distinct().count()


def identifiers_taken(batch: Batch) -> dict[str, list[str]]:
    """The identifiers that came with a batch and that other photos of the collection have, with
    the files they came with; of files that nobody has fetched yet nothing can be told.
    """
    seen = batch.files.exclude(sha256="")
    said = seen.annotate(number=KeyTextTransform("identifier", "described"))
    others = Photo.objects.filter(
        collection=batch.collection_id, identifier__in=said.values("number")
    )
    others = others.exclude(identifier="").exclude(state=PhotoState.WITHDRAWN)
    others = others.exclude(sha256__in=seen.values("sha256")).order_by("identifier")
    taken = list(others.values_list("identifier", flat=True).distinct()[:MOST_TAKEN])
    found: dict[str, list[str]] = {}
    files = said.filter(described__identifier__in=taken).order_by("pk")
    for number, filename in files.values_list("number", "filename"):
        found.setdefault(number, []).append(filename)
    return found


def pairs_of(collection: Collection, *, decided: bool = False) -> QuerySet[Pair]:
    """The pairs that wait, those that look most alike first; or those decided, the last first."""
    with_both = ("first__original", "second__original", "decided_by")
    if not decided:
        return _waiting(collection).select_related(*with_both).order_by("distance", "pk")
    pairs = Pair.objects.filter(collection=collection).exclude(state=PairState.WAITING)
    return pairs.select_related(*with_both).order_by("-decided_at", "-pk")


def _waiting(collection: Collection) -> QuerySet[Pair]:
    """Of a photo that is gone for good and one that is there nobody needs to choose."""
    gone = Q(first__state=PhotoState.WITHDRAWN) | Q(second__state=PhotoState.WITHDRAWN)
    return Pair.objects.filter(collection=collection, state=PairState.WAITING).exclude(gone)


@dataclass(frozen=True)
class Twin:
    """What was decided of a photo and another one, told from the side of the first."""

    other: Photo
    state: str
    # Whether this one is the one that is worked on.
    stays: bool
    pair: Pair


def twins_of(photo: Photo) -> list[Twin]:
    """The photos that belong to this one, as a curator decided, in one query."""
    named = Q(first=photo) | Q(second=photo)
    decided = (PairState.SAME, PairState.OTHER_SIDE, PairState.BETTER_SCAN)
    pairs = Pair.objects.filter(named, state__in=decided).select_related("first", "second")
    return [
        Twin(
            pair.second if pair.first_id == photo.pk else pair.first,
            pair.state,
            pair.stays_id == photo.pk,
            pair,
        )
        for pair in pairs.order_by("pk")
    ]


def waiting_pairs(collection: Collection) -> int:
    """How many pairs wait for a decision."""
    return _waiting(collection).count()


def looked_after_by(user: User) -> QuerySet[Photo]:
    """Every photo about which this person decides."""
    collections = Collection.objects.curated_by(user).values("pk")
    photos = Photo.objects.filter(collection__in=collections)
    return photos.select_related("collection", "original", "added_by")


def alarms_for(user: User) -> QuerySet[Alarm]:
    """The alarms about which this person can do something, the newest first."""
    standing = Alarm.objects.standing().visible_to(user)
    return standing.select_related("photo__collection", "raised_by").order_by("-pk")


RESTS = (PhotoState.ON_HOLD, PhotoState.WITHDRAWN)


def with_rests(photos: QuerySet[Photo], user: User) -> QuerySet[Photo]:
    """Each with what `why_it_rests` tells, the latest first, for whoever looks after it; as `rests`
    and in one query more, however many they are.
    """
    told = Event.objects.filter(
        verb__in=[f"photo.{state}" for state in RESTS],
        photo__state__in=RESTS,
        photo__collection__in=Collection.objects.curated_by(user).values("pk"),
    )
    latest = told.select_related("actor").order_by("-at", "-pk")
    return photos.prefetch_related(Prefetch("events", queryset=latest, to_attr="rests"))


def why_it_rests(photo: Photo) -> Event | None:
    """Who put a photo on hold or withdrew it, when, and why; nothing while it is neither."""
    if photo.state not in RESTS:
        return None
    events = Event.objects.filter(photo=photo, verb=f"photo.{photo.state}")
    return events.select_related("actor").order_by("-at", "-pk").first()


def reading_facts(photo: Photo) -> dict[str, Any]:
    """What the reader noted when it took the scan, such as the number of pages."""
    read = Event.objects.filter(
        photo=photo, verb=f"photo.{PhotoState.READY}", facts__has_key="pages"
    )
    event = read.order_by("-at").first()
    return event.facts if event else {}
