"""A run while it waits and works: looked at, cancelled."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from archive import pictures
from archive.policy import Refused
from restoration import allowing, presence
from restoration.actions.jobs import cancel_job
from restoration.models import Job, Preview
from restoration.queries import waiting
from restoration.queries.bench import jobs_seen_by
from restoration.views import others
from restoration.views.asking import Asked
from restoration.views.progress import estimate, progress


@never_cache
@require_safe
def job(request: Asked, number: int) -> HttpResponse:
    """How far a run is: a part of the bench, which a page without a script opens whole."""
    found = get_object_or_404(jobs_seen_by(request.user), pk=number)
    if others.is_asked_for(request, found):
        return others.part(request, found)
    return _told(request, found) if request.htmx else _to_the_bench(found)


@never_cache
@require_POST
def cancel(request: Asked, number: int) -> HttpResponse:
    """Stop a run; the worker notices at its next report."""
    found = get_object_or_404(jobs_seen_by(request.user), pk=number)
    try:
        cancel_job(job=found, by=request.user, now=timezone.now())
    except Refused as refused:
        if refused.code != "job-over" or not request.htmx:
            raise
        found.refresh_from_db()  # it ended by itself: that is what is shown
    if others.is_asked_for(request, found):
        return others.part(request, found, is_pressed=True)
    return _told(request, found) if request.htmx else _back(request, found)


@never_cache
@require_safe
def preview(request: Asked, number: int) -> HttpResponseBase:
    """The newest half-finished picture of a run that is at work; never kept by anybody."""
    seen = get_object_or_404(jobs_seen_by(request.user), pk=number)
    found = Preview.objects.filter(job=seen).first()
    if found is None:  # it ended between a page that showed one and this
        return pictures.closed(HttpResponse(status=HTTPStatus.NO_CONTENT))
    return pictures.closed(HttpResponse(bytes(found.picture), content_type="image/jpeg"))


def _to_the_bench(found: Job) -> HttpResponse:
    return redirect(f"{reverse('restoration:bench', args=[found.photo.ref])}#job")


def _back(request: Asked, found: Job) -> HttpResponse:
    """To the page on which it was cancelled."""
    if request.POST.get("back") != "work":
        return _to_the_bench(found)
    messages.success(request, _("Cancelled; nothing of this run was kept."))
    return redirect("people:work")


def _left(request: Asked, found: Job, now: datetime) -> list[str]:
    """What is left after a run, for who asked for it; not while it is polled."""
    if found.live or found.requested_by_id != request.user.pk:
        return []
    gpu = found.queue != presence.CPU
    return allowing.left_now(request.user, found.photo.collection_id, now=now, gpu=gpu)


def _estimate(request: Asked, found: Job, now: datetime) -> str:
    """What to expect of the next run, once this one is no longer before it."""
    if found.live or found.source is None or found.requested_by_id != request.user.pk:
        return ""
    outlook = waiting.outlook_for(
        found.source, by=request.user, needs=found.needs, now=now, since=found.ended_at
    )
    return estimate(outlook)


def _told(request: Asked, found: Job) -> HttpResponse:
    query = urlencode({"base": found.source.number}) if found.source else ""
    now = timezone.now()
    context = {
        "job": progress(found, now=now),
        "left": _left(request, found, now),
        "estimate": _estimate(request, found, now),
        "strip_url": f"{reverse('restoration:strip', args=[found.photo.ref])}?{query}",
        "htmx": True,
    }
    return render(request, "restoration/_job.html", context)
