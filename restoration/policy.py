"""Who may claim, run, submit and review; asked in one place, closed by default."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

from archive.lifecycle import PhotoState
from archive.models import Photo
from archive.policy import Refused, curates
from restoration.lifecycle import (
    LIVE_JOBS_PER_PERSON,
    OPEN_CLAIMS_PER_PERSON,
    UNREVIEWED_PER_PHOTO,
    ClaimState,
    JobState,
    ReviewState,
    VersionKind,
    VersionState,
)
from restoration.models import Claim, Job, Review, Version, ancestry

if TYPE_CHECKING:
    from datetime import datetime

    from accounts.models import User


def check_claim(user: User, photo: Photo) -> None:
    """A ready photo in reach, with a hand free on the volunteer's side."""
    if not Photo.objects.visible_to(user).filter(pk=photo.pk).exists():
        raise Refused("not-in-reach", _("This photo is not open to you."))
    if photo.state != PhotoState.READY:
        raise Refused(
            "photo-not-ready", _("Nobody can work on this photo at the moment."), conflict=True
        )
    check_hands(user, but=photo)


def check_hands(user: User, *, but: Photo | None = None) -> None:
    """A hand free for another photo."""
    held = Claim.objects.filter(volunteer=user, state=ClaimState.OPEN)
    if but is not None:
        held = held.exclude(photo=but)
    if held.count() >= OPEN_CLAIMS_PER_PERSON:
        raise Refused(
            "too-many-claims",
            _("You already hold three photos. Submit or release one first."),
            conflict=True,
        )


def hold(user: User, photo: Photo, *, fence: int | None = None) -> Claim:
    """The volunteer's own open claim on the photo; a fence from an older claim is refused."""
    claim = Claim.objects.filter(photo=photo, volunteer=user, state=ClaimState.OPEN).first()
    if claim is None or (fence is not None and claim.pk != fence):
        raise Refused(
            "no-claim",
            _("You do not hold this photo any more. Your draft and versions are kept."),
            conflict=True,
        )
    return claim


def check_run(user: User, photo: Photo, steps: Iterable[str], *, offered: bool) -> None:
    """Rules of the collection, a fair share of the queue, and a worker that can do it."""
    if photo.collection.do_not_colourise and "colourise" in set(steps):
        raise Refused("no-colour", _("This collection does not want colour added."))
    live = Job.objects.filter(
        requested_by=user, state__in=(JobState.QUEUED, JobState.RUNNING)
    ).count()
    if live >= LIVE_JOBS_PER_PERSON:
        raise Refused(
            "too-many-jobs",
            _("Three of your runs are waiting or running. Wait for one, or cancel one."),
            conflict=True,
        )
    if not offered:
        raise Refused(
            "no-worker",
            _("No machine that can run this step is on at the moment. Leave the step out."),
            conflict=True,
        )


def check_cancel(user: User, job: Job) -> None:
    """One's own job; a steward may cancel any."""
    if job.requested_by_id != user.pk and not user.is_steward:
        raise Refused("not-yours", _("Only the person who started a run can cancel it."))


def check_submit(user: User, version: Version) -> None:
    """One's own draft, and not more waiting on one photo than reviewers can look at."""
    if version.made_by_id != user.pk:
        raise Refused("not-yours", _("Only its maker can submit a version."))
    if version.kind == VersionKind.SCAN:
        raise Refused("scan", _("The scan itself cannot be submitted."))
    waiting = Version.objects.filter(photo=version.photo_id, state=VersionState.SUBMITTED)
    if waiting.count() >= UNREVIEWED_PER_PHOTO:
        raise Refused(
            "review-full",
            _("Three versions of this photo already wait for review. Yours is kept as a draft."),
            conflict=True,
        )


def check_withdraw(user: User, version: Version) -> None:
    """One's own version, while nobody has decided."""
    if version.made_by_id != user.pk or version.kind == VersionKind.SCAN:
        raise Refused("not-yours", _("Only its maker can withdraw a version."))


def own_work_in(user: User, version: Version, versions: Mapping[int, Any]) -> bool:
    """Whether the version or any of its ancestors was made by this person."""
    return any(each.made_by_id == user.pk for each in ancestry(dict(versions), version))


def check_review(user: User, version: Version) -> None:
    """A curator of the collection without own work in the version's ancestry."""
    if not curates(user, version.photo.collection_id):
        raise Refused("not-curator", _("Only a curator of this collection can do that."))
    line = Version.objects.filter(photo=version.photo_id).in_bulk()
    if own_work_in(user, version, line):
        raise Refused(
            "own-work",
            _("You took part in this version, so somebody else has to review it."),
        )


def check_decide(user: User, review: Review, *, now: datetime) -> None:
    """The holder of an open review, asked again at the moment of decision."""
    if review.reviewer_id != user.pk:
        raise Refused("not-yours", _("Another curator is looking at this version."), conflict=True)
    if review.state != ReviewState.OPEN:
        raise Refused(
            "review-closed", _("This review has been closed. Open it again."), conflict=True
        )
    check_review(user, review.version)
