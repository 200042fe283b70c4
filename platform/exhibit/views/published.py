"""What every address of a publication starts from: it, or what became of it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any, cast

from django.contrib.auth.decorators import login_not_required
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    JsonResponse,
)
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from archive.lifecycle import PhotoState
from exhibit import queries
from exhibit.models import Exhibit, Publication
from exhibit.views.visiting import same_for_all
from restoration.lifecycle import PublicationState

# A curator gets another answer here, and tomorrow there may be a newer one.
NOBODY_KEEPS = "private, no-store"

View = Callable[..., HttpResponseBase]


def of_a_publication(view: View) -> View:
    """A view of (request, publication, whether strangers see it), for everybody by its number.

    Who kept the address of one that a newer one replaced is led on to the newer one's; where it was
    taken down, that is said. Curators also see what is not public.
    """

    @wraps(view)
    def shown(request: HttpRequest, pk: int, **told: Any) -> HttpResponseBase:
        publication, public = _look(request, pk)
        if publication is None:
            return _became(request, int(pk), told)
        return view(request, publication, public, **told)

    return cast(View, login_not_required(require_safe(shown)))


def _look(request: HttpRequest, pk: int) -> tuple[Publication | None, bool]:
    rows = Publication.objects.select_related("photo__collection", "version")
    found = rows.public().filter(pk=pk).first()
    if found is not None:
        same_for_all(request)
        return found, True
    return rows.visible_to(request.user).filter(pk=pk).first(), False


def _became(request: HttpRequest, pk: int, told: dict[str, Any]) -> HttpResponseBase:
    """On to the newest one, or the word that it was taken down; else there is nothing."""
    speaks = queries.speaks_for(pk)
    if speaks is not None and was_taken_away(speaks):
        if queries.hangs_open(speaks):
            return gone(request, speaks)
    elif speaks is not None and speaks.pk != pk and queries.in_public(speaks) is not None:
        return _onward(request, speaks, told)
    raise Http404


def was_taken_away(publication: Publication) -> bool:
    """Whether it was public until it was retracted, or its photo withdrawn."""
    withdrawn = publication.photo.state == PhotoState.WITHDRAWN
    live = publication.state == PublicationState.LIVE
    return publication.state == PublicationState.RETRACTED or (withdrawn and live)


def _onward(request: HttpRequest, newer: Publication, told: dict[str, Any]) -> HttpResponse:
    name = request.resolver_match.view_name if request.resolver_match else ""
    query = request.META.get("QUERY_STRING", "")
    address = reverse(name, kwargs={**told, "pk": newer.pk})
    response = HttpResponseRedirect(f"{address}?{query}" if query else address)
    response["Cache-Control"] = NOBODY_KEEPS
    return response


def gone(
    request: HttpRequest, publication: Publication, exhibit: Exhibit | None = None
) -> HttpResponse:
    """410: that there was a picture, when it went, and why; not the picture, nor its words.

    A page for whoever reads pages; a problem detail for programs, and where JSON was.
    """
    reads_pages = "text/html" in request.headers.get("Accept", "")
    is_page = request.path.endswith("/")
    if is_page or (reads_pages and not request.path.endswith(".json")):
        context = {"publication": publication, "exhibit": exhibit}
        response = render(request, "exhibit/tombstone.html", context, status=HTTPStatus.GONE)
    else:
        response = _told(publication)
    response["Cache-Control"] = NOBODY_KEEPS
    return response


def _told(publication: Publication) -> HttpResponse:
    taken_down = publication.state == PublicationState.RETRACTED
    words = (
        _("This picture was taken down")
        if taken_down
        else _("The photograph was withdrawn by the institution that holds it.")
    )
    facts = {
        "type": "about:blank",
        "title": HTTPStatus.GONE.phrase,
        "status": HTTPStatus.GONE,
        "code": "retracted" if taken_down else "withdrawn",
        "detail": words,
        "ended_at": publication.ended_at,
        # Why a picture is only hidden is for those who look into it.
        "reason": publication.reason if taken_down else "",
    }
    return JsonResponse(facts, status=HTTPStatus.GONE, content_type="application/problem+json")
