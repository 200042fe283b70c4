"""Once more with less risk: what a doubtful check, or a run that a gate stopped, offers to try."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from restoration import guarding, policy
from restoration.actions.jobs import request_job
from restoration.engine.errors import BadInput
from restoration.engine.ladder import Rung
from restoration.models import Job, Version
from restoration.queries.bench import jobs_seen_by
from restoration.views import advising
from restoration.views.asking import Asked, fence_of, version_of
from restoration.views.progress import progress


@never_cache
@require_POST
def version(request: Asked, ref: str, number: int) -> HttpResponse:
    """Run what made a version once more with less risk: another version beside it."""
    doubted = version_of(request, ref, number)
    policy.hold(request.user, doubted.photo, fence=fence_of(request))
    rung = _asked(request, guarding.rungs(doubted))
    return _run(request, doubted.job.source if doubted.job else None, rung)


@never_cache
@require_POST
def job(request: Asked, number: int) -> HttpResponse:
    """Run once more, with less risk, what a gate stopped before there was a version."""
    stopped = get_object_or_404(jobs_seen_by(request.user), pk=number)
    policy.hold(request.user, stopped.photo, fence=fence_of(request))
    return _run(request, stopped.source, _asked(request, guarding.rungs_after(stopped)))


def _asked(request: Asked, offered: Iterable[Rung]) -> Rung:
    wanted = request.POST.get("rung", "")
    for rung in offered:
        if rung.key == wanted:
            return rung
    raise Http404


def _run(request: Asked, source: Version | None, rung: Rung) -> HttpResponse:
    if source is None:
        raise Http404
    now = timezone.now()
    queued: Job | None = None
    try:
        queued = request_job(
            source=source, by=request.user, fence=fence_of(request), plan=rung.plan, now=now
        )
    except BadInput as bad:  # the mask of somebody else
        messages.error(request, advising.problem(bad.code, bad.facts))
    if request.htmx and queued is not None:
        return render(request, "restoration/_job.html", {"job": progress(queued, now=now)})
    bench = reverse("restoration:bench", args=[source.photo.ref])
    return redirect(f"{bench}?{urlencode({'base': source.number})}#job")
