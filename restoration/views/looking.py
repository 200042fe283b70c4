"""The bench's section "Look": what the machine saw, or that it is looking at this moment."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from archive.models import Photo
from restoration.lifecycle import LIVE_JOBS, JobKind
from restoration.models import Job
from restoration.views import faces, panel
from restoration.views.asking import Asked

PART = "look"  # the id of the part that the page asks for alone, until there is something to show


def is_asked_for(request: Asked) -> bool:
    """Whether the page only wants to know how far the look is."""
    return bool(request.htmx) and request.htmx.target == PART


def seen(recipe: panel.Panel) -> dict[str, Any]:
    """What was seen, and while nothing is whether somebody looks."""
    found = panel.looked(recipe)
    return {"assessment": found, "is_looking": found is None and _is_looking(recipe.photo)}


def _is_looking(photo: Photo) -> bool:
    return Job.objects.filter(photo=photo, kind=JobKind.ASSESS, state__in=LIVE_JOBS).exists()


def part(request: Asked, photo: Photo, models: list[dict[str, Any]]) -> HttpResponse:
    """The part alone; the steps beside it belong to whoever is at work on them.

    While there is nothing new the page keeps what it has, and nobody is read it out again.
    """
    context = seen(panel.Panel(photo, None, models))
    if context["is_looking"]:
        return HttpResponse(status=204)
    context |= {
        "page_url": request.get_full_path(),
        "is_new": True,
        "faces_found": json.dumps(faces.found(photo)),
    }
    return render(request, "restoration/_look.html", context)
