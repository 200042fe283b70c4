"""The scan as a version; submit; withdraw."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from archive.models import Photo
from archive.policy import Refused
from archive.stateful import IllegalMove
from restoration import policy
from restoration.lifecycle import ClaimState, VersionKind, VersionState
from restoration.models import Claim, Version

if TYPE_CHECKING:
    from accounts.models import User

IDENTITY = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]


def scan_version(*, photo: Photo, now: datetime) -> Version:
    """The scan as the root of the photo's tree of versions, made when it is first asked for."""
    found = Version.objects.filter(photo=photo, kind=VersionKind.SCAN).first()
    if found is not None:
        return found
    if not photo.working_sha256:
        # A version never changes: made now, it would be empty for ever.
        raise policy.not_ready()
    try:
        with transaction.atomic():
            return Version.objects.create(
                photo=photo,
                number=0,
                kind=VersionKind.SCAN,
                sha256=photo.working_sha256,
                width=photo.width,
                height=photo.height,
                frame=IDENTITY,
                made_at=now,
            )
    except IntegrityError:
        return Version.objects.get(photo=photo, kind=VersionKind.SCAN)


def submit_version(*, version: Version, by: User, note: str, now: datetime) -> None:
    """Send a draft to review and fulfil the claim; a late submit is kept as an alternative."""
    policy.check_submit(by, version)
    try:
        with transaction.atomic():
            late = not _fulfilled(version, by, now) and _held_by_another(version, by)
            version.move(
                VersionState.SUBMITTED,
                by=by,
                at=now,
                where={"state": VersionState.DRAFT},
                set_={"note": note, "submitted_at": now, "is_alternative": late},
                facts={"sha256": version.sha256, "late": late},
            )
    except IllegalMove:
        raise Refused(
            "not-a-draft", _("This version has already been submitted or withdrawn."), conflict=True
        ) from None


def _fulfilled(version: Version, by: User, now: datetime) -> bool:
    """Fulfil the submitter's claim; False when it had ended, be it in this very moment."""
    mine = Claim.objects.filter(photo=version.photo_id, volunteer=by, state=ClaimState.OPEN).first()
    if mine is None:
        return False
    try:
        mine.move(ClaimState.FULFILLED, by=by, at=now, set_={"closed_at": now})
    except IllegalMove:
        # It lapsed, was taken back, or another tab was quicker: no reason to lose the version.
        return False
    return True


def _held_by_another(version: Version, by: User) -> bool:
    held = Claim.objects.filter(photo=version.photo_id, state=ClaimState.OPEN)
    return held.exclude(volunteer=by).exists()


def withdraw_version(*, version: Version, by: User, now: datetime) -> None:
    """Take a draft or a submitted version back; its pixels stay in the tree."""
    policy.check_withdraw(by, version)
    try:
        version.move(VersionState.WITHDRAWN, by=by, at=now, facts={"sha256": version.sha256})
    except IllegalMove:
        raise Refused(
            "already-decided", _("A decision has been made; it cannot be withdrawn."), conflict=True
        ) from None
