"""Everything that lies on one bench, in a fixed number of queries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Prefetch, QuerySet

from archive.models import Photo
from restoration.lifecycle import (
    ClaimState,
    JobKind,
    JobState,
    ReviewState,
    VersionKind,
    VersionState,
)
from restoration.models import Claim, Draft, Job, Review, Version

if TYPE_CHECKING:
    from accounts.models import User

DECIDED = (ReviewState.ACCEPTED, ReviewState.RETURNED, ReviewState.DECLINED)


@dataclass(frozen=True)
class Bench:
    """A photo with who holds it, and what one person sees and keeps of it."""

    photo: Photo
    claims: list[Claim]
    draft: Draft | None
    versions: list[Version]
    job: Job | None
    user: User

    @property
    def claim(self) -> Claim | None:
        """The person's own open claim."""
        own = (claim for claim in self.claims if claim.volunteer_id == self.user.pk)
        return next(own, None)

    @property
    def is_free(self) -> bool:
        """Whether a hand could be laid on it."""
        return self.claim is None and len(self.claims) < self.photo.slots

    @property
    def own(self) -> list[Version]:
        """What this person made of it, oldest first."""
        return [each for each in self.versions if each.made_by_id == self.user.pk]

    @property
    def own_waits(self) -> bool:
        """Whether a version of this person's waits for a curator."""
        return any(each.state == VersionState.SUBMITTED for each in self.own)

    def base(self, asked: Any = None) -> Version:
        """Where a run starts: what is asked for, else one's newest version, else the scan."""
        by_number = {str(version.number): version for version in self.versions}
        wanted = by_number.get(str(asked)) if asked not in (None, "") else None
        return wanted or (self.own or self.versions[:1])[-1]


def in_hand(ref: str, user: User) -> Photo | None:
    """The photo, when this person holds it: also one that went on hold under their hands."""
    held = Claim.objects.filter(photo__ref=ref, volunteer=user, state=ClaimState.OPEN)
    claim = held.select_related("photo__collection", "photo__assessment").first()
    return claim.photo if claim else None


def bench_of(photo: Photo, user: User) -> Bench:
    """The bench of a photo for this person; the scan's version has to exist."""
    opened = Claim.objects.filter(photo=photo, state=ClaimState.OPEN).select_related("volunteer")
    versions = list(versions_of(photo, user))
    return Bench(
        photo=photo,
        claims=list(opened.order_by("slot")),
        draft=Draft.objects.filter(photo=photo, volunteer=user).first(),
        versions=versions,
        job=telling_job(photo, user, versions),
        user=user,
    )


def versions_of(photo: Photo, user: User) -> QuerySet[Version]:
    """The versions of a photo this person may see, parents before children, with decisions."""
    decided = Review.objects.filter(state__in=DECIDED).order_by("-decided_at")
    return (
        Version.objects.visible_to(user)
        .filter(photo=photo)
        .select_related("photo__collection", "made_by", "parent", "job__source")
        .prefetch_related(Prefetch("reviews", queryset=decided, to_attr="decided"))
        .order_by("number")
    )


def telling_job(photo: Photo, user: User, versions: list[Version]) -> Job | None:
    """The person's last run on the photo while it lives, or when its end has to be told.

    That a run failed is told until something succeeds: a version is made, or one is handed in.
    """
    mine = Job.objects.filter(photo=photo, requested_by=user).exclude(kind=JobKind.ASSESS)
    last = (
        mine.select_related("source", "photo", "version").order_by("-requested_at", "-pk").first()
    )
    if last is None or last.live:
        return last
    since = last.ended_at or last.requested_at
    own = [each for each in versions if each.made_by_id == user.pk]
    done = [at for each in own for at in (each.made_at, each.submitted_at) if at]
    return None if last.state == JobState.SUCCEEDED or any(at > since for at in done) else last


def jobs_seen_by(user: User) -> QuerySet[Job]:
    """One's own runs; a steward sees all."""
    jobs = Job.objects.select_related("photo__collection", "source", "version")
    return jobs if user.is_steward else jobs.filter(requested_by=user)


def depths(versions: list[Version]) -> dict[int, int]:
    """How far each version is from the scan, by key; an unseen parent counts as one step."""
    found: dict[int, int] = {}
    for version in versions:
        is_scan = version.kind == VersionKind.SCAN
        found[version.pk] = 0 if is_scan else found.get(version.parent_id or 0, 0) + 1
    return found
