"""Claim, beat, extend, release: a volunteer's hold on a photo."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from archive.models import Photo
from archive.policy import Refused
from restoration import policy
from restoration.actions.claims import beat_claim, claim_photo, extend_claim, release_claim
from restoration.failures import Sentence
from restoration.lifecycle import CLAIM_WARNINGS, ClaimState
from restoration.models import Claim
from restoration.queries import wall
from restoration.views.asking import Asked, fence_of, photo_of


@require_POST
def claim(request: Asked, ref: str) -> HttpResponse:
    """Take a photo; who comes second is led to a similar one."""
    photo = photo_of(request, ref)
    try:
        claim_photo(photo=photo, by=request.user, now=timezone.now())
    except Refused as refused:
        if refused.code != "already-claimed":
            raise
        return _to_another(request, photo, refused)
    return redirect("restoration:bench", ref=ref)


def _to_another(request: Asked, photo: Photo, refused: Refused) -> HttpResponse:
    another = wall.similar(request.user, photo)
    if another is None:
        messages.info(request, str(refused.message))
        return redirect("restoration:wall")
    here = _("Here is another one.")
    messages.info(request, f"{refused.message} {here}")
    return redirect("restoration:bench", ref=another.ref)


@never_cache
@require_POST
def beat(request: Asked, ref: str) -> JsonResponse:
    """The open page says that somebody is there, and learns how long."""
    claim = _mine(request, ref)
    now = timezone.now()
    try:
        beat_claim(claim=claim, by=request.user, now=now)
    except Refused as refused:
        said = {"code": refused.code, "message": str(refused.message), "state": claim.state}
        if refused.code == "suspended":
            said["warning"] = str(refused.message)  # nothing else on the page would say so
        return JsonResponse(said, status=409)
    return JsonResponse(clock(claim, now, policy.rest_of(request.user, claim.photo)))


@never_cache
@require_POST
def extend(request: Asked, ref: str) -> HttpResponse:
    """Once, move the end of a claim."""
    claim, now = _mine(request, ref), timezone.now()
    extend_claim(claim=claim, by=request.user, now=now)
    if request.accepts("text/html"):
        messages.success(request, _("Extended by a day."))
        return redirect("restoration:bench", ref=ref)
    claim.refresh_from_db()
    return JsonResponse(clock(claim, now, policy.rest_of(request.user, claim.photo)))


@require_POST
def release(request: Asked, ref: str) -> HttpResponse:
    """Give the photo back."""
    claim = _mine(request, ref)
    release_claim(claim=claim, by=request.user, now=timezone.now())
    messages.success(request, _given_back(policy.rest_of(request.user, claim.photo)))
    return redirect("restoration:wall")


def _given_back(rest: Sentence) -> str:
    """Where the photo is now: on the wall, unless there is a reason why nobody works on it."""
    if rest:
        told = _("You gave the photo back.")
        return f"{told} {rest}"
    return _("The photo is back on the wall. What you did on it is kept.")


def _mine(request: Asked, ref: str) -> Claim:
    """One's own latest claim on the photo, or the one the page was opened under; open or not."""
    mine = Claim.objects.filter(photo__ref=ref, volunteer=request.user).select_related("photo")
    fence = fence_of(request)
    if fence:
        return get_object_or_404(mine, pk=fence)
    latest = mine.order_by("-pk").first()
    if latest is None:
        raise Refused("no-claim", _("You do not hold this photo."), conflict=True)
    return latest


def clock(claim: Claim, now: datetime, rest: Sentence) -> dict[str, str | int]:
    """What an open page shows of its claim; it counts seconds, for its own clock may be wrong.

    rest: why the photo cannot be worked on meanwhile, or nothing; else the time may run out.
    """
    left = claim.ends_at - now
    return {
        "state": claim.state,
        "expires_at": claim.ends_at.isoformat(),
        "seconds_left": max(0, int(left.total_seconds())),
        "warning": str(rest or _warning(left)) if claim.state == ClaimState.OPEN else "",
    }


def _warning(left: timedelta) -> str:
    """A sentence that changes only when a threshold is passed, so that a page says it once."""
    passed = [mark for mark in sorted(CLAIM_WARNINGS) if left <= mark]
    if not passed:
        return ""
    minutes = int(passed[0].total_seconds() // 60)
    if minutes >= 60:
        hours = minutes // 60
        return ngettext(
            "This photo is yours for less than %(n)s hour. Submit or extend in time.",
            "This photo is yours for less than %(n)s hours. Submit or extend in time.",
            hours,
        ) % {"n": hours}
    return ngettext(
        "This photo is yours for less than %(n)s minute. Submit or extend in time.",
        "This photo is yours for less than %(n)s minutes. Submit or extend in time.",
        minutes,
    ) % {"n": minutes}
