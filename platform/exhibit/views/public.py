"""The first page, exhibits, pictures, and how each was made."""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from archive import edtf
from archive import zoom as archive_zoom
from archive.lifecycle import PhotoState
from archive.sizes import FULL, FULL_SIDE, SIDES
from exhibit import iiif, queries, showing, wording
from exhibit.models import Exhibit, Placement, Publication
from exhibit.views.published import gone, was_taken_away
from exhibit.views.visiting import for_everybody
from restoration.lifecycle import PublicationState


@for_everybody
def home(request: HttpRequest) -> HttpResponse:
    """What this is, the newest picture, the exhibits, and honest numbers."""
    newest = queries.newest()
    exhibits = list(queries.for_the_public(request.user)[:6])
    context = {
        "newest": newest,
        "newest_url": showing.page_url(newest) if newest else "",
        "compare": showing.figure(newest) if newest else None,
        "exhibits": _doors(exhibits),
        "figures": queries.figures(),
    }
    return render(request, "exhibit/home.html", context)


@for_everybody
def exhibits(request: HttpRequest) -> HttpResponse:
    """Every exhibit that is open, and to its curators those that are not."""
    found = list(queries.for_the_public(request.user))
    return render(request, "exhibit/list.html", {"exhibits": _doors(found)})


def _doors(found: list[Exhibit]) -> list[dict[str, Any]]:
    covers = queries.covers(found)
    return [
        {"exhibit": each, "cover": showing.card(covers[pk]) if pk in covers else None}
        for each in found
        for pk in [each.cover]  # type: ignore[attr-defined]
    ]


@for_everybody
def exhibit(request: HttpRequest, slug: str) -> HttpResponse:
    """One exhibit, room by room."""
    found = _exhibit(request, slug)
    hung: dict[int, list[dict[str, Any]]] = {}
    for placement in queries.walk(found):
        hung.setdefault(placement.room_id, []).append(showing.card(placement))
    rooms = [{"room": room, "cards": hung.get(room.pk, [])} for room in queries.rooms(found)]
    context = {
        "exhibit": found,
        "rooms": [each for each in rooms if each["cards"]],
        "had_pictures": not hung and queries.had_pictures(found),
    }
    return render(request, "exhibit/exhibit.html", context)


@for_everybody
def photo(request: HttpRequest, slug: str, ref: str) -> HttpResponse:
    """One picture: the comparison, the story, how it was made."""
    placement = _placement(request, slug, ref)
    if _is_gone(placement):
        return gone(request, placement.publication, placement.room.exhibit)
    name, permalink = showing.title(placement), showing.permalink(placement.publication)
    context = {
        "placement": placement,
        "photo": placement.photo,
        "exhibit": placement.room.exhibit,
        "title": name,
        "date": edtf.wording(placement.photo.date_edtf),
        "compare": showing.figure(placement, layer=request.GET.get("layer", ""))
        | {"zoom_url": reverse("exhibit:zoom", args=[slug, ref])},
        "account": wording.account(showing.account(placement.publication)),
        "layers": showing.layers(placement.publication),
        # The site's own name, by whichever one it was asked: the page is kept for all of them.
        "site_url": settings.SITE_URL,
        "share_picture": showing.address(placement.publication, showing.RESTORED, 1600),
        "permalink": permalink,
        "letter": wording.letter(placement.photo.collection, title=name, address=permalink),
        "made_url": showing.made_url(placement),
        "downloads": _downloads(placement),
        **_neighbours(placement),
    }
    return render(request, "exhibit/photo.html", context)


@for_everybody
def zoom(request: HttpRequest, slug: str, ref: str) -> HttpResponse:
    """The same comparison, as close as one likes."""
    placement = _shown(request, slug, ref)
    context = {
        "placement": placement,
        "photo": placement.photo,
        "title": showing.title(placement),
        "compare": showing.figure(placement),
        **_deep(placement.publication),
        "back_url": showing.page_url(placement),
    }
    return render(request, "exhibit/zoom.html", context)


def _deep(publication: Publication) -> dict[str, str]:
    """Both sides for the viewer: their tiles, or their sizes where there are no tiles yet."""
    pipelines = iiif.tiled([publication])
    found = {}
    for name, side in (("left", showing.ORIGINAL), ("right", showing.RESTORED)):
        service = iiif.service(publication, side, public=True)
        pipeline = pipelines.get(service.sha256)
        sizes = showing.pyramid(publication, side)
        found[name] = archive_zoom.source(service, pipeline) if pipeline else json.dumps(sizes)
    return found


@for_everybody
def made(request: HttpRequest, slug: str, ref: str) -> HttpResponse:
    """The frozen account of a picture, for programs."""
    placement = _placement(request, slug, ref)
    publication = placement.publication
    if _is_gone(placement):
        return gone(request, publication)
    facts = {
        "photo": placement.photo.ref,
        "permalink": showing.permalink(publication),
        "rights": placement.photo.collection.rights_uri,
        "original_sha256": publication.original_sha256,
        "version_sha256": publication.version_sha256,
        **showing.account(publication),
    }
    return JsonResponse(facts, json_dumps_params={"ensure_ascii": False, "indent": 1})


@for_everybody
def permalink(request: HttpRequest, pk: int) -> HttpResponse:
    """A publication's own address: to its page, or a word on what became of it."""
    speaks = queries.speaks_for(pk)
    if speaks is None or not queries.hangs_open(speaks):
        raise Http404
    if was_taken_away(speaks):
        return gone(request, speaks)
    # Of one that is hidden nothing is said, nor of those whose place it took.
    current = queries.in_public(speaks)
    if current is None:
        raise Http404
    url = showing.page_url(current)
    if speaks.pk == pk:
        return redirect(url)
    replaced = get_object_or_404(Publication.objects.select_related("photo"), pk=pk)
    context = {"publication": replaced, "current_url": url}
    return render(request, "exhibit/superseded.html", context)


def _exhibit(request: HttpRequest, slug: str) -> Exhibit:
    found = Exhibit.objects.visible_to(request.user).select_related("collection")
    return get_object_or_404(found, slug=slug)


def _placement(request: HttpRequest, slug: str, ref: str) -> Placement:
    placement = queries.hung_at(_exhibit(request, slug), ref)
    if placement is None or not (_is_shown(placement) or _is_gone(placement)):
        raise Http404
    return placement


def _shown(request: HttpRequest, slug: str, ref: str) -> Placement:
    placement = _placement(request, slug, ref)
    if not _is_shown(placement):
        raise Http404
    return placement


def _is_shown(placement: Placement) -> bool:
    is_live = placement.publication.state == PublicationState.LIVE
    return is_live and placement.photo.state == PhotoState.READY


def _is_gone(placement: Placement) -> bool:
    was_retracted = placement.publication.state == PublicationState.RETRACTED
    return was_retracted or placement.photo.state == PhotoState.WITHDRAWN


def _downloads(placement: Placement) -> list[dict[str, str]]:
    """The restored picture with all its pixels, and for a screen when that is less."""
    publication = placement.publication
    width, height = showing.extent(publication, showing.RESTORED)
    scale = min(1.0, FULL_SIDE / max(width, height))
    full = {"width": round(width * scale), "height": round(height * scale)}
    labels = {FULL: _("Download in full (%(width)s × %(height)s)") % full}
    if max(width, height) > SIDES[-1]:
        screen = _("Download for a screen (%(side)s pixels)") % {"side": SIDES[-1]}
        labels = {str(SIDES[-1]): screen, **labels}
    return [
        {"url": reverse("exhibit:download", args=[publication.pk, size]), "label": label}
        for size, label in labels.items()
    ]


def _neighbours(placement: Placement) -> dict[str, Any]:
    """Where previous and next lead, and which room of how many with pictures this is."""
    exhibit = placement.room.exhibit
    places, refs, rooms = zip(*queries.steps(exhibit), strict=True)
    at, with_pictures = places.index(placement.pk), list(dict.fromkeys(rooms))
    return {
        "previous_url": _step(exhibit, refs[at - 1]) if at else "",
        "next_url": _step(exhibit, refs[at + 1]) if at + 1 < len(refs) else "",
        "room_number": with_pictures.index(placement.room_id) + 1,
        "room_count": len(with_pictures),
    }


def _step(exhibit: Exhibit, ref: str) -> str:
    return reverse("exhibit:photo", args=[exhibit.slug, ref])
