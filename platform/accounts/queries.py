"""What a person has in hand, has made, and what became of it; each in a fixed number of queries."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from allauth.account.models import EmailAddress
from django.db.models import Count, Exists, OuterRef, Prefetch, Q, QuerySet
from django.utils.translation import gettext_lazy as _
from rest_framework.authtoken.models import Token

from accounts.models import User
from accounts.passwords import tidy
from archive.models import Curatorship, Event, Photo
from archive.trust import Trust
from restoration.failures import Sentence
from restoration.lifecycle import (
    CLAIM_IDLE,
    CLAIM_WARNINGS,
    LIVE_JOBS,
    ClaimState,
    PublicationState,
    ReviewState,
    VersionKind,
    VersionState,
)
from restoration.models import Claim, Draft, Job, Review, Version
from restoration.purses import Entry, EntryKind, Guest, Resource
from restoration.wording import RESTS, SHUT


@dataclass(frozen=True)
class Held:
    """An open claim and the moment it ends when nobody touches it."""

    claim: Claim
    ends_at: datetime
    soon: bool
    jobs: list[Job]  # its live runs, oldest first
    rest: Sentence  # why the photo cannot be worked on meanwhile, or nothing


@dataclass(frozen=True)
class Work:
    """What somebody has in hand; jobs are the runs on photos that are not in hand any more."""

    held: list[Held]
    drafts: list[Draft]
    jobs: list[Job]
    returned: list[Version]


def work_of(user: User, *, now: datetime) -> Work:
    """Open claims, drafts without a claim, live runs, and returns that wait for an answer."""
    jobs = list(_jobs(user))
    held = [
        _held(claim, [job for job in jobs if job.photo_id == claim.photo_id], now)
        for claim in _claims(user)
    ]
    claimed = [each.claim.photo_id for each in held]
    handed_in = Version.objects.filter(
        made_by=user,
        photo=OuterRef("photo"),
        state__in=(VersionState.SUBMITTED, VersionState.ACCEPTED),
        submitted_at__gte=OuterRef("saved_at"),  # what was begun again since is still kept
    )
    drafts = Draft.objects.filter(~Exists(handed_in), volunteer=user).exclude(photo__in=claimed)
    return Work(
        held=held,
        drafts=list(drafts.select_related("photo__collection").order_by("-saved_at")[:20]),
        jobs=[job for job in jobs if job.photo_id not in claimed],
        returned=list(unanswered(user)),
    )


def _claims(user: User) -> QuerySet[Claim]:
    rows = Claim.objects.filter(volunteer=user, state=ClaimState.OPEN)
    reach = Photo.objects.visible_to(user).filter(pk=OuterRef("photo"))
    rows = rows.annotate(is_in_reach=Exists(reach))
    return rows.select_related("photo__collection").order_by("opened_at")


def _held(claim: Any, jobs: list[Job], now: datetime) -> Held:
    ends = min(claim.ends_at, claim.seen_at + CLAIM_IDLE)
    soon = claim.ends_at - now < CLAIM_WARNINGS[0]
    rest = RESTS.get(claim.photo.state) or ("" if claim.is_in_reach else SHUT)
    return Held(claim=claim, ends_at=ends, soon=soon, jobs=jobs, rest=rest)


def _jobs(user: User) -> QuerySet[Job]:
    live = Job.objects.filter(requested_by=user, state__in=LIVE_JOBS)
    return live.select_related("photo__collection", "source").order_by("requested_at")


def versions_of(user: User) -> QuerySet[Version]:
    """All versions somebody made, newest first, with what reviewers said and what is public."""
    decided = Review.objects.exclude(state__in=(ReviewState.OPEN, ReviewState.LAPSED))
    live = Q(publications__state=PublicationState.LIVE)
    reviews = decided.select_related("reviewer").order_by("-decided_at")
    return (
        Version.objects.filter(made_by=user)
        .exclude(kind=VersionKind.SCAN)
        .select_related("photo__collection")
        .annotate(public=Count("publications", filter=live))
        .prefetch_related(Prefetch("reviews", queryset=reviews), "publications")
        .order_by("-made_at", "-pk")
    )


def token_since(user: User) -> datetime | None:
    """Since when programs can sign in as this person; None when none can."""
    return Token.objects.filter(user=user).values_list("created", flat=True).first()


def accepted_of(user: User) -> int:
    """How many versions of this person were accepted."""
    return Version.objects.filter(made_by=user, state=VersionState.ACCEPTED).count()


def paid_runs(user: User) -> QuerySet[Entry]:
    """The newest runs that cost this person machine time."""
    paid = Entry.objects.filter(purse__person=user, kind=EntryKind.SETTLE)
    return paid.select_related("job__photo", "purse").order_by("-at", "-pk")[:10]


def workshops_of(user: User, *, now: datetime) -> QuerySet[Guest]:
    """The workshops that pay for this person's runs now."""
    joined = Guest.objects.filter(person=user, until__gt=now)
    return joined.select_related("workshop__collection").order_by("until")


def unanswered(user: User) -> QuerySet[Version]:
    """Returned versions without a newer one of the same photo by the same hand; one that mends the
    run begins from where that began, so it is no child of what came back."""
    newer = Version.objects.filter(
        made_by=user, photo=OuterRef("photo"), number__gt=OuterRef("number")
    ).exclude(state=VersionState.WITHDRAWN)
    return versions_of(user).filter(~Exists(newer), state=VersionState.RETURNED)[:20]


# What the stewards' list can be narrowed to.
STATES = {
    "limited": _("Slowed down"),
    "suspended": _("Suspended"),
    "off": _("Switched off"),
    "closed": _("Closed"),
    "curators": _("Curators"),
    "stewards": _("Stewards"),
}
IN_STATE = {
    "limited": Q(trust=Trust.LIMITED),
    "suspended": Q(trust=Trust.SUSPENDED),
    "off": Q(is_active=False, closed_at=None),
    "closed": Q(closed_at__isnull=False),
    "curators": Exists(Curatorship.objects.filter(user=OuterRef("pk"))),
    "stewards": Q(is_steward=True),
}


def people(search: str = "", state: str = "") -> QuerySet[User]:
    """Everybody with an account, by name, with the collections they decide for."""
    rows = User.objects.order_by("username").filter(IN_STATE.get(state, Q()))
    if search := tidy(search):
        # By a pattern: SQLite's other way to overlook capitals knows those of English alone.
        said = re.escape(search)
        known = EmailAddress.objects.filter(user=OuterRef("pk"), verified=True)
        named = Q(username__iregex=said) | Q(display_name__iregex=said) | Q(email__iregex=said)
        rows = rows.filter(named | Exists(known.filter(email__iregex=said)))
    offices = Curatorship.objects.select_related("collection").order_by("collection__title_en")
    return rows.prefetch_related(Prefetch("curatorships", queryset=offices))


def last_trust(person: User) -> Event | None:
    """The last time that the trust in somebody was changed: by whom, when, why."""
    told = Event.objects.filter(facts__person=person.pk, verb__startswith="trust.")
    return told.select_related("actor").order_by("-at", "-pk").first()


def hid_own_name(person: User) -> bool:
    """Whether it was the owner who last took this name out of public, and no steward."""
    told = Event.objects.filter(facts__person=person.pk, verb="person.name-hidden")
    last = told.order_by("-at", "-pk").values_list("actor", flat=True).first()
    return last == person.pk


@dataclass(frozen=True)
class Grant:
    """Machine time that a steward gave somebody, or took back."""

    at: datetime
    by: User | None
    minutes: int
    kind: str
    reason: str


def grants(person: User) -> list[Grant]:
    """The last ones, newest first."""
    told = Event.objects.filter(facts__person=person.pk, verb="budget.granted")
    rows = told.select_related("actor").order_by("-at", "-pk")[:10]
    return [
        Grant(
            at=each.at,
            by=each.actor,
            minutes=each.facts["minutes"],
            kind=str(Resource(each.facts["resource"]).label),
            reason=each.facts.get("reason", ""),
        )
        for each in rows
    ]


def hiding_of(person: User) -> Any:
    """That everything by this account is hidden, as the exhibits' part remembers it; or nothing."""
    return person.hidings.filter(undone_at=None).select_related("by").first()


def curates_anything(user: User) -> bool:
    """Whether there is a collection this person decides for."""
    return user.is_steward or Curatorship.objects.filter(user=user).exists()
