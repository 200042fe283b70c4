"""Claim, beat, extend, release, expire, revoke."""

from __future__ import annotations

import contextlib
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from archive.lifecycle import PhotoState
from archive.models import Photo
from archive.policy import Refused, check_curate
from archive.stateful import IllegalMove
from restoration import policy
from restoration.lifecycle import (
    CLAIM_CAP,
    CLAIM_EXTENSION,
    CLAIM_IDLE,
    LIVE_JOBS,
    ClaimState,
    JobState,
)
from restoration.models import Claim, Job

if TYPE_CHECKING:
    from accounts.models import User


def claim_photo(*, photo: Photo, by: User, now: datetime) -> Claim:
    """Give `by` the exclusive hold on a free slot of the photo, or their own hold again."""
    policy.check_claim(by, photo, now=now)
    expire_due(now=now, photo=photo)
    mine = Claim.objects.filter(photo=photo, volunteer=by, state=ClaimState.OPEN).first()
    if mine is not None:
        return mine
    claim = take_slot(photo=photo, by=by, now=now)
    if claim is not None:
        return claim
    raise Refused(
        "already-claimed",
        _("Someone else took this photo a moment ago."),
        conflict=True,
    )


def take_slot(*, photo: Photo, by: User, now: datetime) -> Claim | None:
    """A claim on the first free slot, or the one that `by` has; None when all are taken.

    Refused when no hand is free: counted here, where no other request of theirs can come between.
    """
    with transaction.atomic():
        policy.one_at_a_time(by)
        policy.check_hands(by, now=now, but=photo)
        for slot in range(1, photo.slots + 1):
            claim = _take(photo, slot, by, now)
            if claim is not None:
                return claim
    return None


def _take(photo: Photo, slot: int, by: User, now: datetime) -> Claim | None:
    try:
        with transaction.atomic():
            claim = Claim.objects.create(
                photo=photo,
                slot=slot,
                volunteer=by,
                opened_at=now,
                seen_at=now,
                ends_at=now + CLAIM_CAP,
            )
            claim.record("open", by=by, at=now)
    except IntegrityError:
        # The unique constraint decides, not a query: two clicks can pass any query.
        return Claim.objects.filter(photo=photo, volunteer=by, state=ClaimState.OPEN).first()
    return claim


def beat_claim(*, claim: Claim, by: User, now: datetime) -> None:
    """The open page says that somebody is there, and may be."""
    policy.check_active(by)
    touched = Claim.objects.filter(pk=claim.pk, volunteer=by, state=ClaimState.OPEN).update(
        seen_at=now
    )
    if not touched:
        raise Refused(
            "no-claim",
            _("You do not hold this photo any more. Your draft and versions are kept."),
            conflict=True,
        )


def extend_claim(*, claim: Claim, by: User, now: datetime) -> None:
    """Move the hard cap once."""
    policy.check_active(by)
    rows = Claim.objects.filter(pk=claim.pk, volunteer=by, state=ClaimState.OPEN, extended=False)
    with transaction.atomic():
        if not rows.update(extended=True, seen_at=now, ends_at=claim.ends_at + CLAIM_EXTENSION):
            raise Refused(
                "not-extendable",
                _("A claim can be extended once, while it is open."),
                conflict=True,
            )
        claim.record("extended", by=by, at=now)


def release_claim(*, claim: Claim, by: User, now: datetime) -> None:
    """Give the photo back; draft and versions stay."""
    if claim.volunteer_id != by.pk:
        raise Refused("not-yours", _("Only its holder can release a claim."))
    _close(claim, ClaimState.RELEASED, by, now)


def revoke_claim(*, claim: Claim, by: User, now: datetime) -> None:
    """A curator takes the photo back."""
    check_curate(by, claim.photo.collection)
    _close(claim, ClaimState.REVOKED, by, now)


def _close(claim: Claim, to: str, by: User | None, now: datetime) -> None:
    try:
        claim.move(to, by=by, at=now, set_={"closed_at": now})
    except IllegalMove:
        raise Refused("claim-closed", _("This claim had already ended."), conflict=True) from None


def end_withdrawn(*, now: datetime) -> int:
    """End the claims on photos that were withdrawn; called by the sweep.

    On a photo on hold they stay, within their clocks: when it is lifted the work goes on.
    """
    ended = 0
    for claim in Claim.objects.filter(state=ClaimState.OPEN, photo__state=PhotoState.WITHDRAWN):
        with contextlib.suppress(Refused):  # its holder was quicker
            _close(claim, ClaimState.REVOKED, None, now)
            ended += 1
    return ended


def due_claims(now: datetime) -> QuerySet[Claim]:
    """Open claims past a clock that no run of their holder stops.

    Whoever waits for a run need not be there; but one that no machine can do waits for ever, so the
    hard cap waits for a run at work alone. The run of a claim that ended keeps its place in the
    queue, and what it makes belongs to whoever asked for it.
    """
    own = Job.objects.filter(photo=OuterRef("photo"), requested_by=OuterRef("volunteer"))
    is_idle = Q(seen_at__lt=now - CLAIM_IDLE) & ~Exists(own.filter(state__in=LIVE_JOBS))
    is_over = Q(ends_at__lt=now) & ~Exists(own.filter(state=JobState.RUNNING))
    return Claim.objects.filter(is_idle | is_over, state=ClaimState.OPEN)


def expire_due(*, now: datetime, photo: Photo | None = None) -> int:
    """End the claims whose time is up; called by the sweep, and before a new claim on the photo."""
    due = due_claims(now)
    if photo is not None:
        due = due.filter(photo=photo)
    ended = 0
    for claim in due:
        try:
            # The clock is asked again in the UPDATE: the page may have beaten meanwhile.
            claim.move(
                ClaimState.EXPIRED,
                by=None,
                at=now,
                where={"seen_at": claim.seen_at, "ends_at": claim.ends_at},
                set_={"closed_at": now},
            )
            ended += 1
        except IllegalMove:
            continue
    return ended
