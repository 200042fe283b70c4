"""Open a review, keep it, let it go; accept, return, decline."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from archive.lifecycle import PhotoState
from archive.policy import Refused
from archive.stateful import IllegalMove
from restoration import policy
from restoration.lifecycle import (
    REVIEW_CAP,
    REVIEW_LEASE,
    ReviewReason,
    ReviewState,
    VersionState,
)
from restoration.models import Review, Version

if TYPE_CHECKING:
    from accounts.models import User

MEANWHILE = _("The version was decided or withdrawn in the meantime.")


def open_review(*, version: Version, by: User, now: datetime) -> Review:
    """Lease a submitted version to one reviewer, or give them their own lease again."""
    policy.check_review(by, version)
    if version.photo.state != PhotoState.READY:
        raise policy.not_ready()
    if version.state != VersionState.SUBMITTED:
        raise Refused("not-waiting", _("This version does not wait for review."), conflict=True)
    lapse_due(now=now, version=version)
    try:
        with transaction.atomic():
            review = Review.objects.create(
                photo_id=version.photo_id,
                version=version,
                reviewer=by,
                opened_at=now,
                lease_until=now + REVIEW_LEASE,
            )
            review.record("open", by=by, at=now, facts={"version": version.number})
            return review
    except IntegrityError:
        mine = Review.objects.filter(version=version, reviewer=by, state=ReviewState.OPEN)
        if mine.update(lease_until=now + REVIEW_LEASE):
            return mine.get()
        raise _in_review() from None


def _in_review() -> Refused:
    return Refused("in-review", _("Another curator is looking at this version."), conflict=True)


def beat_review(*, review: Review, by: User, now: datetime) -> None:
    """The open page says that somebody is there; the lease goes on, up to a cap."""
    until = min(now + REVIEW_LEASE, review.opened_at + REVIEW_CAP)
    held = Review.objects.filter(pk=review.pk, reviewer=by, state=ReviewState.OPEN)
    if not held.update(lease_until=max(until, review.lease_until)):
        raise Refused("review-closed", _how_it_stands(review, by, now), conflict=True)
    review.lease_until = max(until, review.lease_until)


def _how_it_stands(review: Review, by: User, now: datetime) -> str:
    """What somebody reads on a page that does not hold its version any more."""
    if not Version.objects.filter(pk=review.version_id, state=VersionState.SUBMITTED).exists():
        return str(MEANWHILE)
    held = Review.objects.filter(version=review.version_id, state=ReviewState.OPEN)
    others = held.filter(lease_until__gte=now).exclude(reviewer=by)
    if review.reviewer_id != by.pk or others.exists():
        return str(_in_review().message)
    return gettext("Your time with it ran out. It is still yours unless somebody else takes it.")


def accept_version(*, review: Review, by: User, now: datetime, advice: str = "") -> None:
    """This version is good enough to be published. Accepting is not publishing."""
    _decide(review, by, now, ReviewState.ACCEPTED, VersionState.ACCEPTED, "", advice)


def return_version(*, review: Review, by: User, reason: str, advice: str, now: datetime) -> None:
    """Send it back with what would make it accepted."""
    if not advice.strip():
        raise Refused("no-advice", _("Say what would make it accepted."), invalid=True)
    _decide(review, by, now, ReviewState.RETURNED, VersionState.RETURNED, reason, advice)


def decline_version(*, review: Review, by: User, reason: str, advice: str, now: datetime) -> None:
    """It will not be used, and the maker is told why."""
    _decide(review, by, now, ReviewState.DECLINED, VersionState.DECLINED, reason, advice)


def _decide(
    review: Review, by: User, now: datetime, to: str, version_to: str, reason: str, advice: str
) -> None:
    policy.check_decide(by, review, now=now)
    if to != ReviewState.ACCEPTED and reason not in ReviewReason.values:
        raise Refused("no-reason", _("Choose a reason; the maker will read it."), invalid=True)
    sha256 = review.version.sha256
    facts: dict[str, Any] = {"sha256": sha256, "version": review.version.number}
    decided = {"decided_at": now, "file_sha256": sha256, "reason": reason, "advice": advice}
    mine = {"reviewer": by}
    conclude = partial(review.move, to, by=by, at=now, where=mine, set_=decided, facts=facts)
    try:
        with transaction.atomic():
            try:
                conclude()
            except IllegalMove:
                _open_again(review, by, now)
                conclude()
            review.version.move(version_to, by=by, at=now, where={"sha256": sha256}, facts=facts)
    except IllegalMove:
        raise Refused("already-decided", MEANWHILE, conflict=True) from None


def _open_again(review: Review, by: User, now: datetime) -> None:
    """A lapsed review, perhaps of this very moment, is its reviewer's again if nobody else looks.

    Part of a decision: the transaction around it keeps both or neither.
    """
    if review.version.photo.state != PhotoState.READY:
        raise policy.not_ready()
    lapse_due(now=now, version=review.version)
    # What the same person took again, in another tab, stands in nobody's way.
    theirs = Review.objects.filter(version=review.version, reviewer=by, state=ReviewState.OPEN)
    for other in theirs.exclude(pk=review.pk):
        other.move(ReviewState.LAPSED, by=by, at=now, set_={"decided_at": now})
    again: dict[str, Any] = {"lease_until": now + REVIEW_LEASE, "decided_at": None}
    facts = {"version": review.version.number}
    try:
        review.move(
            ReviewState.OPEN, by=by, at=now, where={"reviewer": by}, set_=again, facts=facts
        )
    except IntegrityError:
        # The unique constraint decides, not a query: another curator has it by now.
        raise _in_review() from None


def release_review(*, review: Review, by: User, now: datetime) -> None:
    """Put the version back on the desk without a decision."""
    if review.reviewer_id != by.pk:
        raise Refused("not-yours", _("Another curator is looking at this version."))
    try:
        review.move(ReviewState.LAPSED, by=by, at=now, set_={"decided_at": now})
    except IllegalMove:
        raise Refused("review-closed", _("This review has been closed."), conflict=True) from None


def lapse_due(*, now: datetime, version: Version | None = None) -> int:
    """End the leases that ran out, so that the next curator can look."""
    due = Review.objects.filter(state=ReviewState.OPEN, lease_until__lt=now)
    if version is not None:
        due = due.filter(version=version)
    ended = 0
    for review in due:
        try:
            review.move(
                ReviewState.LAPSED,
                by=None,
                at=now,
                where={"lease_until": review.lease_until},
                set_={"decided_at": now},
            )
            ended += 1
        except IllegalMove:
            continue
    return ended
