"""What every view here starts from: who asks, and the row they may see."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from archive.models import Photo
from restoration.models import Version

if TYPE_CHECKING:
    from django_htmx.middleware import HtmxDetails

    from accounts.models import User

    class Asked(HttpRequest):
        """A request of somebody signed in: the site is closed to others by its middleware."""

        user: User
        htmx: HtmxDetails
else:
    Asked = HttpRequest


def photo_of(request: Asked, ref: str) -> Photo:
    """The photo, when this person may see it."""
    photos = Photo.objects.visible_to(request.user).select_related("collection", "assessment")
    return get_object_or_404(photos, ref=ref)


def version_of(request: Asked, ref: str, number: int) -> Version:
    """The version, when this person may see it."""
    versions = Version.objects.visible_to(request.user).select_related("photo__collection")
    return get_object_or_404(versions, photo__ref=ref, number=number)


def fence_of(request: Asked) -> int:
    """The claim under which a page was opened; pages carry its number in their addresses."""
    number = request.GET.get("claim", "")
    return int(number) if number.isdecimal() and len(number) < 19 else 0


def sent_from_bench(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """The address of a form on the bench, under which a refusal is shown as well. Opened anew, by
    hand or after signing in again, it leads to the bench."""

    @require_http_methods(["GET", "HEAD", "POST"])
    @wraps(view)
    def answered(request: Asked, ref: str, **rest: Any) -> HttpResponse:
        if request.method == "POST":
            return view(request, ref, **rest)
        base = f"?base={rest['number']}" if "number" in rest else ""
        return redirect(f"{reverse('restoration:bench', args=[ref])}{base}")

    return answered
