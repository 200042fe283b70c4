"""Once more with less risk: what a doubtful check, or a run that a gate stopped, offers to try."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from archive.policy import Refused
from restoration import guarding, policy
from restoration.actions.jobs import request_job
from restoration.engine.errors import BadInput
from restoration.engine.ladder import Rung
from restoration.models import Job, Version
from restoration.queries.bench import jobs_seen_by
from restoration.views import advising, others
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
    rung = _asked(request, guarding.rungs_after(stopped))
    return _run(request, stopped.source, rung, stopped=stopped)


def _asked(request: Asked, offered: Iterable[Rung]) -> Rung:
    wanted = request.POST.get("rung", "")
    for rung in offered:
        if rung.key == wanted:
            return rung
    raise Http404


def _run(
    request: Asked, source: Version | None, rung: Rung, *, stopped: Job | None = None
) -> HttpResponse:
    if source is None:
        raise Http404
    now, fence = timezone.now(), fence_of(request)
    try:
        queued = request_job(source=source, by=request.user, fence=fence, plan=rung.plan, now=now)
    except (BadInput, Refused) as error:
        if request.htmx:
            return _told(request, source, stopped, error, now)
        if isinstance(error, Refused):
            raise
        messages.error(request, advising.problem(error.code, error.facts))
        return _to_the_bench(source)
    if request.htmx:
        return others.beside(request, source.photo, {"job": progress(queued, now=now)})
    return _to_the_bench(source)


def _told(
    request: Asked,
    source: Version,
    stopped: Job | None,
    error: BadInput | Refused,
    now: datetime,
) -> HttpResponse:
    """Why not, above the run that offered it: its other rungs may still be taken, or later."""
    if isinstance(error, BadInput):  # the mask of somebody else
        wait, words = 0, advising.problem(error.code, error.facts)
    else:
        wait, words = error.wait, str(error.message)
    context = {"job": progress(stopped, now=now) if stopped else None, "job_errors": [words]}
    answer = others.beside(request, source.photo, context, status=429 if wait else 422)
    if wait:
        answer["Retry-After"] = str(wait)
    return answer


def _to_the_bench(source: Version) -> HttpResponse:
    bench = reverse("restoration:bench", args=[source.photo.ref])
    return redirect(f"{bench}?{urlencode({'base': source.number})}#job")
