"""One's other runs on a photo that wait or work: a line each, with its state and a way to stop it,
beside the one that is told of at length."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django_htmx.http import trigger_client_event

from archive.models import Photo
from restoration.models import Job
from restoration.queries.bench import live_runs
from restoration.views.asking import Asked
from restoration.views.progress import STATES, message, result
from restoration.views.strip import label


def lines(runs: Iterable[Job]) -> list[dict[str, Any]]:
    """As templates/restoration/_others.html reads them."""
    return [line(run) for run in runs]


def line(run: Job) -> dict[str, Any]:
    """The context of one."""
    tone, icon = STATES[run.state]
    poll = reverse("restoration:job", args=[run.pk])
    return {
        "name": name(run),
        "live": run.live,
        "state_label": run.get_state_display(),
        "tone": tone,
        "icon": icon,
        "base": label(run.source) if run.source else "",
        "asked_at": run.requested_at,
        "message": message(run, None),
        "version_url": result(run),
        "poll_url": f"{poll}?{urlencode({'seen': run.state})}",
        "cancel_url": reverse("restoration:cancel", args=[run.pk]),
    }


def name(run: Job) -> str:
    """The id of its line on the page."""
    return f"run-{run.pk}"


def is_asked_for(request: Asked, run: Job) -> bool:
    """Whether the page asks for the line, and not for the run at length."""
    return bool(request.htmx) and request.htmx.target == name(run)


def part(request: Asked, run: Job, *, is_pressed: bool = False) -> HttpResponse:
    """The line alone. While nothing is new the page keeps what it has, and nobody is read it out
    again; once the run has ended the strip fetches itself anew."""
    if request.GET.get("seen") == run.state:
        return HttpResponse(status=204)
    context = {"run": line(run), "is_pressed": is_pressed}
    answer = render(request, "restoration/_other_run.html", context)
    return answer if run.live else trigger_client_event(answer, "versions-changed")


def beside(
    request: Asked, photo: Photo, context: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    """The run that was just asked for, or why not, for htmx; and the lines of the others, which
    another page or a program may have begun since this one was drawn."""
    shown = context.get("job") or {}
    runs = [run for run in live_runs(photo, request.user) if run.pk != shown.get("id")]
    context |= {"other_runs": lines(runs), "with_others": True}
    return render(request, "restoration/_job.html", context, status=status)
