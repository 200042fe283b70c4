"""Everything that lies on one bench, in a fixed number of queries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Prefetch, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from archive.models import Photo
from restoration.lifecycle import (
    LIVE_JOBS,
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
    # The run that is told of at length, and the others of one's own that wait or work.
    job: Job | None
    others: list[Job]
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
    """The photo, when this person holds it: also one that went on hold, or out of their reach,
    under their hands."""
    held = Claim.objects.filter(photo__ref=ref, volunteer=user, state=ClaimState.OPEN)
    claim = held.select_related("photo__collection", "photo__assessment").first()
    return claim.photo if claim else None


def bench_of(photo: Photo, user: User) -> Bench:
    """The bench of a photo for this person; the scan's version has to exist."""
    opened = Claim.objects.filter(photo=photo, state=ClaimState.OPEN).select_related("volunteer")
    versions = list(versions_of(photo, user))
    runs = telling_runs(photo, user, versions)
    return Bench(
        photo=photo,
        claims=list(opened.order_by("slot")),
        draft=Draft.objects.filter(photo=photo, volunteer=user).first(),
        versions=versions,
        job=runs[0] if runs else None,
        others=runs[1:],
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


def _runs(photo: Photo, user: User) -> QuerySet[Job]:
    return Job.objects.filter(photo=photo, requested_by=user).exclude(kind=JobKind.ASSESS)


def live_runs(photo: Photo, user: User) -> list[Job]:
    """The person's runs on the photo that wait or work, newest first."""
    live = _runs(photo, user).filter(state__in=LIVE_JOBS)
    return list(live.select_related("source", "photo").order_by("-requested_at", "-pk"))


def telling_runs(photo: Photo, user: User, versions: list[Version]) -> list[Job]:
    """The person's runs on the photo that live, newest first; where none does, the one that ended
    last when its end has to be told. In one query."""
    ended = _runs(photo, user).exclude(state__in=LIVE_JOBS)
    last = ended.order_by(Coalesce("ended_at", "requested_at").desc(), "-pk").values("pk")[:1]
    found = _runs(photo, user).filter(Q(state__in=LIVE_JOBS) | Q(pk=Subquery(last)))
    rows = list(found.select_related("source", "photo", "version").order_by("-requested_at", "-pk"))
    live = [run for run in rows if run.live]
    return live or [run for run in rows if _has_to_be_told(run, user, versions)]


def _has_to_be_told(ended: Job, user: User, versions: list[Version]) -> bool:
    """That a run failed is told until something succeeds: a version is made, or one handed in."""
    since = ended.ended_at or ended.requested_at
    own = [each for each in versions if each.made_by_id == user.pk]
    done = [at for each in own for at in (each.made_at, each.submitted_at) if at]
    return ended.state != JobState.SUCCEEDED and not any(at > since for at in done)


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
