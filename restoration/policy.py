"""Who may claim, run, submit and review; asked in one place, closed by default."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from archive import trust
from archive.lifecycle import PhotoState
from archive.models import Photo
from archive.policy import Refused, check_steward, curates
from restoration.failures import Sentence
from restoration.lifecycle import (
    LIVE_JOBS,
    UNREVIEWED_PER_PHOTO,
    ClaimState,
    JobKind,
    JobState,
    ReviewState,
    VersionKind,
    VersionState,
)
from restoration.models import Claim, Job, Review, Sheet, Version, ancestry
from restoration.wording import RESTS, SHUT

if TYPE_CHECKING:
    from accounts.models import User

# A run of one's own ends by itself; so long until it is worth asking again.
A_RUN = 30
# The codes of check_open: what was in hand is out of everybody's or of one's reach by now.
CLOSED = ("photo-not-ready", "collection-closed")


def check_active(user: User) -> None:
    """Who is suspended looks at their work and writes to the house; nothing else."""
    if trust.is_suspended(user):
        words = gettext(
            "Your account is suspended. What you made is kept, and you can look at it and download"
            " it. Write to %(address)s if you think this is a mistake."
        )
        raise Refused("suspended", words % {"address": settings.CONTACT_MAIL})


def check_claim(user: User, photo: Photo, *, now: datetime) -> None:
    """A ready photo in reach, with a hand free on the volunteer's side."""
    if not is_in_reach(user, photo):
        raise Refused("not-in-reach", _("This photo is not open to you."))
    if photo.state != PhotoState.READY:
        raise not_ready()
    check_hands(user, now=now, but=photo)


def not_ready(state: str = "") -> Refused:
    """That nobody works on a photo, with the reason for whoever has it in hand."""
    words = RESTS.get(state) or _("Nobody can work on this photo at the moment.")
    return Refused("photo-not-ready", words, conflict=True)


def check_open(user: User, photo: Photo) -> None:
    """Work begins on a ready photo in reach alone; asked of the row, not of what was read before.

    A photo may go on hold, or away for good, under the hands of whoever holds it.
    """
    state = Photo.objects.values_list("state", flat=True).get(pk=photo.pk)
    if state != PhotoState.READY:
        raise not_ready(state)
    if not is_in_reach(user, photo):
        raise closed()


def closed() -> Refused:
    """That the photo's collection was closed to volunteers, for whoever had the photo in hand."""
    return Refused("collection-closed", SHUT, conflict=True)


def is_in_reach(user: User, photo: Photo) -> bool:
    """Whether this person may see the photo at work."""
    return Photo.objects.visible_to(user).filter(pk=photo.pk).exists()


def check_away(user: User, photos: QuerySet[Photo]) -> None:
    """Who ever had one of these in hand is told that it went on hold, away for good or with its
    whole collection; to others it is not there."""
    mine = Claim.objects.filter(photo=OuterRef("pk"), volunteer=user)
    had = photos.filter(Exists(mine), state__in=(*RESTS, PhotoState.READY)).first()
    if had is None:
        return
    if had.state in RESTS:
        raise not_ready(had.state)
    if not is_in_reach(user, had):
        raise closed()


def rest_of(user: User, photo: Photo) -> Sentence:
    """Why this person cannot work on a photo that they had in hand; empty when they can."""
    if photo.state in RESTS:
        return RESTS[photo.state]
    return "" if is_in_reach(user, photo) else SHUT


def one_at_a_time(user: User) -> None:
    """What is counted of a person from here to the end of the transaction is exact.

    Another request of theirs waits; rows that only name the person do not.
    """
    get_user_model().objects.select_for_update(no_key=True).only("pk").get(pk=user.pk)


def check_hands(user: User, *, now: datetime, but: Photo | None = None) -> None:
    """A hand free for another photo; one that nobody can work on is in nobody's way."""
    check_active(user)
    held = held_by(user)
    if but is not None:
        held = held.exclude(photo=but)
    most = trust.limits(user, now=now).claims
    if held.count() >= most:
        words = ngettext(
            "You already hold %(n)s photo. Submit it or give it back first.",
            "You already hold %(n)s photos. Submit one or give one back first.",
            most,
        )
        raise Refused("too-many-claims", words % {"n": most}, conflict=True)


def held_by(user: User) -> QuerySet[Claim]:
    """What counts as being in this person's hands: what they can work on."""
    reach = Photo.objects.visible_to(user).filter(pk=OuterRef("photo"), state=PhotoState.READY)
    return Claim.objects.filter(Exists(reach), volunteer=user, state=ClaimState.OPEN)


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
    """Rules of the collection, and a worker that can do it."""
    check_active(user)
    if photo.collection.do_not_colourise and "colourise" in set(steps):
        raise Refused("no-colour", _("This collection does not want colour added."))
    if not offered:
        raise Refused(
            "no-worker",
            _("No machine that can run this step is on at the moment. Leave the step out."),
            conflict=True,
        )


def check_pace(user: User, *, now: datetime) -> None:
    """A fair share of the queue. Asked under the lock of a request, so it is exact."""
    found = trust.limits(user, now=now)
    mine = Job.objects.filter(requested_by=user)
    if mine.filter(state__in=LIVE_JOBS).count() >= found.live_jobs:
        words = ngettext(
            "%(n)s run of yours is waiting or running. Wait for it, or cancel it.",
            "%(n)s runs of yours are waiting or running. Wait for one, or cancel one.",
            found.live_jobs,
        )
        kept = gettext("Your draft is kept.")
        raise Refused("too-many-jobs", f"{words % {'n': found.live_jobs}} {kept}", wait=A_RUN)
    wait = _until_free(mine, "requested_at", found.jobs, now)
    if wait:
        raise _too_fast("too-many-jobs-an-hour", _runs(found.jobs), wait)


def check_upload(user: User, *, now: datetime) -> None:
    """Files that were retouched elsewhere come at the pace of a hand."""
    check_active(user)
    most = trust.limits(user, now=now).uploads
    sent = Job.objects.filter(requested_by=user, kind=JobKind.RETOUCH)
    wait = _until_free(sent, "requested_at", most, now)
    if wait:
        words = ngettext(
            "You have sent %(n)s file in the last hour, as many as your account may.",
            "You have sent %(n)s files in the last hour, as many as your account may.",
            most,
        )
        raise _too_fast("too-many-uploads", words % {"n": most}, wait)


def check_mask(user: User, *, now: datetime) -> None:
    """Painted masks are kept for ever, so their number has an end."""
    check_active(user)
    most = trust.limits(user, now=now).masks
    wait = _until_free(Sheet.objects.filter(kept_by=user), "kept_at", most, now)
    if wait:
        words = gettext("You have painted more masks in the last hour than your account may keep.")
        raise _too_fast("too-many-masks", words, wait)


def _runs(most: int) -> str:
    words = ngettext(
        "You have asked for %(n)s run in the last hour, as many as your account may.",
        "You have asked for %(n)s runs in the last hour, as many as your account may.",
        most,
    )
    return words % {"n": most}


def _until_free(rows: QuerySet[Any], column: str, most: int, now: datetime) -> int:
    """Seconds until fewer than `most` rows lie within the hour; 0 when it is so now.

    Only the row that stands in the way is read, however many there are.
    """
    if not most:
        return int(trust.WINDOW.total_seconds())
    stamps = rows.order_by(f"-{column}").values_list(column, flat=True)
    standing: list[datetime] = list(stamps[most - 1 : most])
    left = standing[0] + trust.WINDOW - now if standing else timedelta(0)
    return max(0, -int(-left.total_seconds() // 1))


def _too_fast(code: str, words: str, wait: int) -> Refused:
    minutes = -(-wait // 60)
    when = ngettext(
        "Your draft is kept. Go on in %(n)s minute.",
        "Your draft is kept. Go on in %(n)s minutes.",
        minutes,
    )
    return Refused(code, f"{words} {when % {'n': minutes}}", wait=wait)


def check_cancel(user: User, job: Job) -> None:
    """One's own job; a steward may cancel any."""
    if job.requested_by_id != user.pk and not user.is_steward:
        raise Refused("not-yours", _("Only the person who started a run can cancel it."))


def check_look_again(user: User, job: Job) -> None:
    """For a steward: a look that failed or was stopped, where nothing was seen since."""
    check_steward(user)
    if not may_look_again(job):
        raise Refused("not-again", _("This run cannot be asked for again here."), conflict=True)
    if job.photo.state != PhotoState.READY:
        raise not_ready(job.photo.state)


def may_look_again(job: Job) -> bool:
    """Other runs are their owner's to ask for: they need a claim."""
    unseen = getattr(job.photo, "assessment", None) is None
    ended = job.state in (JobState.FAILED, JobState.CANCELLED)
    return job.kind == JobKind.ASSESS and ended and unseen


def check_submit(user: User, version: Version) -> None:
    """One's own draft, and not more waiting on one photo than reviewers can look at.

    On a photo on hold it waits, and comes to the desk when the hold is lifted.
    """
    check_active(user)
    if version.made_by_id != user.pk:
        raise Refused("not-yours", _("Only its maker can submit a version."))
    if Photo.objects.filter(pk=version.photo_id, state=PhotoState.WITHDRAWN).exists():
        raise not_ready(PhotoState.WITHDRAWN)
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
    """The holder of a review that is open, or that ran out undecided; asked at the decision."""
    if review.reviewer_id != user.pk:
        raise Refused("not-yours", _("Another curator is looking at this version."), conflict=True)
    if review.state not in (ReviewState.OPEN, ReviewState.LAPSED):
        raise Refused("review-closed", _("This review has been closed."), conflict=True)
    check_review(user, review.version)
