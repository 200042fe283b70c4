"""What waits for review, who looks at it, and what became of it; in a fixed number of queries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import Prefetch, QuerySet

from archive.lifecycle import PhotoState
from archive.models import Collection, Photo
from restoration.lifecycle import ReviewState, VersionState
from restoration.models import Review, Version, ancestry
from restoration.policy import own_work_in

if TYPE_CHECKING:
    from accounts.models import User

DECIDED = (ReviewState.ACCEPTED, ReviewState.RETURNED, ReviewState.DECLINED)


@dataclass(frozen=True)
class Waiting:
    """One version on the desk: how long it waits, who holds it, and whether one may look at all."""

    version: Version
    waited: timedelta
    held: Review | None
    mine: bool
    own: bool

    @property
    def open_to_me(self) -> bool:
        """Whether this person can take it now."""
        return not self.own and (self.held is None or self.mine)


def waiting(user: User) -> QuerySet[Version]:
    """Submitted versions of the collections this person curates, oldest first."""
    return (
        Version.objects.filter(
            state=VersionState.SUBMITTED,
            photo__state=PhotoState.READY,
            photo__collection__in=Collection.objects.curated_by(user),
        )
        .select_related("photo__collection", "made_by")
        .order_by("submitted_at", "pk")
    )


def rows(versions: QuerySet[Version], user: User, *, now: datetime) -> list[Waiting]:
    """The desk's rows for these versions: three queries, however many they are."""
    opened = Review.objects.filter(state=ReviewState.OPEN, lease_until__gte=now)
    found = list(
        versions.prefetch_related(
            Prefetch("reviews", queryset=opened.select_related("reviewer"), to_attr="held")
        )
    )
    lines = _lines([version.photo_id for version in found])
    return [_row(version, user, lines, now) for version in found]


def _lines(photos: list[int]) -> dict[int, Version]:
    found = Version.objects.filter(photo__in=photos).only("parent", "made_by")
    return {version.pk: version for version in found}


def _row(version: Any, user: User, lines: dict[int, Version], now: datetime) -> Waiting:
    held = version.held[0] if version.held else None
    return Waiting(
        version=version,
        waited=now - (version.submitted_at or now),
        held=held,
        mine=held is not None and held.reviewer_id == user.pk,
        own=own_work_in(user, version, lines),
    )


def next_for(user: User, *, now: datetime, after: Version | None = None) -> Version | None:
    """The oldest version this person can take, or the one that follows `after` on the desk."""
    found = rows(waiting(user)[:200], user, now=now)
    numbers = [row.version.pk for row in found]
    if after is not None and after.pk in numbers:
        at = numbers.index(after.pk)
        found = found[at + 1 :] + found[:at]
    free = (row.version for row in found if row.open_to_me)
    return next((version for version in free if after is None or version.pk != after.pk), None)


def before(user: User, version: Version, *, now: datetime) -> Version | None:
    """The version that stands before this one on the desk and can be taken."""
    found = rows(waiting(user)[:200], user, now=now)
    numbers = [row.version.pk for row in found]
    if version.pk not in numbers:
        return None
    at = numbers.index(version.pk)
    earlier = reversed(found[:at])
    return next((row.version for row in earlier if row.open_to_me), None)


def reviews_for(user: User) -> QuerySet[Review]:
    """Reviews this person may read: of the collections they curate."""
    return Review.objects.filter(
        photo__collection__in=Collection.objects.curated_by(user)
    ).select_related("version__photo__collection", "version__made_by", "reviewer")


def lineage(version: Version) -> list[Version]:
    """The version and its ancestors, the scan first, each with its job and its maker."""
    every = Version.objects.filter(photo=version.photo_id).select_related("made_by", "job")
    by_id = every.in_bulk()
    return list(reversed(ancestry(by_id, by_id[version.pk])))


def decisions(photo: Photo, *, but: Review | None = None) -> QuerySet[Review]:
    """What was decided about this photo's versions before, the latest first."""
    found = Review.objects.filter(photo=photo, state__in=DECIDED)
    if but is not None:
        found = found.exclude(pk=but.pk)
    return found.select_related("reviewer", "version__made_by").order_by("-decided_at")


def outcomes_for(user: User) -> QuerySet[Review]:
    """What curators decided about the versions this person made, the latest first."""
    mine = Review.objects.filter(version__made_by=user, state__in=DECIDED)
    return mine.select_related("reviewer", "version", "photo__collection").order_by("-decided_at")


def last_return(photo: Photo, user: User) -> Review | None:
    """The advice this person has not answered yet: their last return, until they submit again."""
    mine = Review.objects.filter(photo=photo, version__made_by=user)
    found = mine.filter(state=ReviewState.RETURNED).order_by("-decided_at")
    last = found.select_related("reviewer", "version").first()
    if last is None:
        return None
    answered = Version.objects.filter(
        photo=photo, made_by=user, submitted_at__gt=last.decided_at
    ).exclude(state=VersionState.WITHDRAWN)
    return None if answered.exists() else last
