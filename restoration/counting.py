"""Sums: added up from their changes, read with what is not added up yet, compared with the rows.

A repair is itself a change: what was wrong is computed in one snapshot, and the difference is
added, so that whatever others do meanwhile is counted too.
"""

from __future__ import annotations

import contextlib
import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.cache import cache
from django.db import connection, transaction
from django.db.models import Count, F, Q, QuerySet
from django.db.models import Sum as Added

from archive.lifecycle import PhotoState
from archive.models import Photo
from restoration.lifecycle import ClaimState, VersionKind, VersionState
from restoration.models import Claim, Version
from restoration.reactions import COLLECTION, OF_STATE, PERSON, STANDS
from restoration.standings import Change, Standing, Sum

logger = logging.getLogger(__name__)

AT_ONCE = 10_000
NIGHT = timedelta(days=1)
Key = tuple[str, int, str]


@dataclass(frozen=True)
class Difference:
    """What a recount found otherwise than the rows say; it has been put right."""

    what: str
    kept: int
    counted: int

    def __str__(self) -> str:
        return f"{self.what}: kept {self.kept}, counted {self.counted}"


# --- adding up -----------------------------------------------------------------------------------
def add_up(*, now: datetime) -> int:
    """Put the changes into their sums; two sweepers take different ones."""
    with transaction.atomic():
        rows = list(_free(Change.objects.order_by("pk"))[:AT_ONCE])
        sums: dict[Key, int] = defaultdict(int)
        for row in rows:
            sums[row.about, row.subject, row.measure] += row.change
        # Always in the same order: two sweepers must not wait for each other.
        for key in sorted(sums):
            _grow(key, sums[key])
        Change.objects.filter(pk__in=[row.pk for row in rows]).delete()
    return len(rows)


def _free(rows: QuerySet[Change]) -> QuerySet[Change]:
    """Those that no other sweeper holds; on SQLite there is one writer at a time."""
    if connection.features.has_select_for_update_skip_locked:
        return rows.select_for_update(skip_locked=True)
    return rows


def _grow(key: Key, by: int) -> None:
    where: dict[str, Any] = dict(zip(("about", "subject", "measure"), key, strict=True))
    if by and not Sum.objects.filter(**where).update(value=F("value") + by):
        Sum.objects.get_or_create(**where)
        Sum.objects.filter(**where).update(value=F("value") + by)


# --- reading -------------------------------------------------------------------------------------
def sums(about: str, subjects: Iterable[int] | None = None) -> dict[int, dict[str, int]]:
    """By subject and measure, to the last committed row; in one query."""
    kept = Sum.objects.filter(about=about).values_list("subject", "measure", "value")
    changes = Change.objects.filter(about=about)
    if subjects is not None:
        these = list(subjects)
        kept, changes = kept.filter(subject__in=these), changes.filter(subject__in=these)
    # Added up by the database: after a large ingest there are hundreds of thousands for a while.
    new = changes.values("subject", "measure").annotate(value=Added("change")).order_by()
    found: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for subject, measure, value in kept.union(
        new.values_list("subject", "measure", "value"), all=True
    ):
        found[subject][measure] += int(value)
    return found


def of_collections(collections: Iterable[int]) -> dict[int, dict[str, int]]:
    """How many photos of each collection are ready, wait, are held, in review, returned, done."""
    return sums(COLLECTION, collections)


def of_person(person: int) -> dict[str, int]:
    """How many versions of somebody stand in each state."""
    return dict(sums(PERSON, [person])[person])


# --- comparing -----------------------------------------------------------------------------------
def recount() -> list[Difference]:
    """Compare every standing and sum with the rows they follow from; put right what differs."""
    found = _recount_standings()
    return found + _recount_sums()


def recount_nightly(*, now: datetime) -> int:
    """Once a day; what differed is said in the log, for a count that goes astray is our mistake."""
    if not cache.add("recounted", now.isoformat(), NIGHT.total_seconds()):
        return 0
    differences = recount()
    for each in differences:
        logger.warning("a count differed and was put right: %s", each)
    return len(differences)


@contextlib.contextmanager
def _snapshot() -> Iterator[None]:
    """All reads within see one moment; within a transaction that has begun, that one's."""
    begun = connection.in_atomic_block
    with transaction.atomic():
        if connection.vendor == "postgresql" and not begun:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield


COUNTED = ("held", *OF_STATE.values())


def _recount_standings() -> list[Difference]:
    with _snapshot():
        true, kept = _true_standings(), _kept_standings()
        own = _own_columns()
    differences = []
    for photo in sorted(true.keys() | kept.keys()):
        was, is_ = kept.get(photo), true.get(photo, dict.fromkeys(COUNTED, 0))
        if was is None:
            _make_standing(photo)
            was = dict.fromkeys(COUNTED, 0)
            differences.append(Difference(f"photo {photo} standing", 0, 1))
        wrong = {name: is_[name] - was[name] for name in COUNTED if is_[name] != was[name]}
        if wrong:
            changed: dict[str, Any] = {name: F(name) + by for name, by in wrong.items()}
            Standing.objects.filter(pk=photo).update(**changed)
        differences += [Difference(f"photo {photo} {n}", was[n], is_[n]) for n in wrong]
    return differences + [_put_right(photo) for photo in own]


def _true_standings() -> dict[int, dict[str, int]]:
    """What the claims and versions of each photo say; photos without either are not named."""
    found: dict[int, dict[str, int]] = defaultdict(lambda: dict.fromkeys(COUNTED, 0))
    held = Claim.objects.filter(state=ClaimState.OPEN).order_by()
    for photo, count in held.values_list("photo").annotate(Count("pk")):
        found[photo]["held"] = count
    made = Version.objects.filter(state__in=OF_STATE).order_by()
    for photo, state, count in made.values_list("photo", "state").annotate(Count("pk")):
        found[photo][OF_STATE[state]] = count
    missing = Photo.objects.filter(standing=None).values_list("pk", flat=True)
    return found | {photo: found[photo] for photo in missing}


def _kept_standings() -> dict[int, dict[str, int]]:
    """Standings that say more than nothing, and those of photos that should."""
    some = Q()
    for name in COUNTED:
        some |= ~Q(**{name: 0})
    busy = Standing.objects.filter(
        some
        | Q(photo__in=Claim.objects.filter(state=ClaimState.OPEN).values("photo"))
        | Q(photo__in=Version.objects.filter(state__in=OF_STATE).values("photo"))
    )
    rows = busy.values_list("pk", *COUNTED)
    return {row[0]: dict(zip(COUNTED, row[1:], strict=True)) for row in rows}


def _own_columns() -> list[int]:
    """Photos whose standing does not repeat what the photo says of itself."""
    said = Q(ready=True) & ~Q(photo__state=PhotoState.READY)
    said |= Q(ready=False, photo__state=PhotoState.READY)
    for name in ("slots", "collection", "added_at"):
        said |= ~Q(**{name: F(f"photo__{name}")})
    return list(Standing.objects.filter(said).values_list("pk", flat=True))


def _make_standing(photo: int) -> None:
    found = Photo.objects.get(pk=photo)
    Standing.objects.get_or_create(
        photo=found, defaults={"collection_id": found.collection_id, "added_at": found.added_at}
    )
    _put_right(photo)


def _put_right(photo: int) -> Difference:
    """Write the photo's own words again, as the database does when they change."""
    with transaction.atomic():
        found = Photo.objects.select_for_update().get(pk=photo)
        Standing.objects.filter(pk=photo).update(
            ready=found.state == PhotoState.READY,
            slots=found.slots,
            collection=found.collection_id,
            added_at=found.added_at,
        )
    return Difference(f"photo {photo} own", 0, 1)


def _recount_sums() -> list[Difference]:
    with _snapshot():
        true = _true_sums()
        kept: dict[Key, int] = defaultdict(int)
        for about in (COLLECTION, PERSON):
            for subject, measures in sums(about).items():
                for measure, value in measures.items():
                    if measure in MEASURES[about]:
                        kept[about, subject, measure] += value
    differences = []
    for key in sorted(true.keys() | kept.keys()):
        was, is_ = kept.get(key, 0), true.get(key, 0)
        if was != is_:
            about, subject, measure = key
            Change.objects.create(about=about, subject=subject, measure=measure, change=is_ - was)
            differences.append(Difference(f"{about} {subject} {measure}", was, is_))
    return differences


CONDITIONS = {
    "ready": Q(ready=True),
    "waits": Q(waits=True),
    "held": Q(held__gt=0),
    "review": Q(in_review__gt=0),
    "returned": Q(returned__gt=0),
    "done": Q(accepted__gt=0),
}
MEASURES = {COLLECTION: {*STANDS, "queue"}, PERSON: set(VersionState.values)}


def _true_sums() -> dict[Key, int]:
    found: dict[Key, int] = {}
    counts: dict[str, Any] = {name: Count("pk", filter=q) for name, q in CONDITIONS.items()}
    counts["queue"] = Added("in_review")
    rows = Standing.objects.order_by().values("collection").annotate(**counts)
    for row in rows.values_list("collection", *counts):
        found |= {(COLLECTION, row[0], name): row[at] for at, name in enumerate(counts, 1)}
    made = Version.objects.exclude(kind=VersionKind.SCAN).exclude(made_by=None).order_by()
    for person, state, count in made.values_list("made_by", "state").annotate(Count("pk")):
        found[PERSON, person, state] = count
    return found
