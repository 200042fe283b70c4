"""What every view here starts from: who asks, and the row they may see."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, NoReturn

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from archive.models import Photo
from restoration import policy
from restoration.models import Version
from restoration.queries import bench as benches

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
    """The photo, when this person may see it; Refused with the reason when it was in their hands
    and is away by now."""
    photos = Photo.objects.visible_to(request.user).select_related("collection", "assessment")
    return photos.filter(ref=ref).first() or _away(request, ref)


def photo_in_hand(request: Asked, ref: str) -> Photo:
    """As photo_of, and also one that went on hold or was closed under the hands of whoever holds
    it: what lies on their page can still be kept."""
    return benches.in_hand(ref, request.user) or photo_of(request, ref)


def version_of(request: Asked, ref: str, number: int) -> Version:
    """The version, when this person may see it; else as photo_of."""
    versions = Version.objects.visible_to(request.user).select_related("photo__collection")
    return versions.filter(photo__ref=ref, number=number).first() or _away(request, ref)


def _away(request: Asked, ref: str) -> NoReturn:
    policy.check_away(request.user, Photo.objects.filter(ref=ref))
    raise Http404


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
