"""IIIF over HTTP: tiles, what they say of themselves, manifests, collections; open to viewers
anywhere, for what the public may see."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from archive import zoom
from exhibit import iiif, queries
from exhibit.models import Exhibit, Publication
from exhibit.views.published import of_a_publication
from exhibit.views.visiting import same_for_all

# Titles are corrected, and tiles come a little later than the picture.
A_WHILE = "public, max-age=300"


@of_a_publication
def service(
    request: HttpRequest, publication: Publication, public: bool, side: str, pipeline: str
) -> HttpResponseBase:
    """The bare address of an image leads to what it says of itself."""
    found = iiif.service(publication, side, public=public)
    response = HttpResponseRedirect(f"{found.address(int(pipeline))}/info.json")
    response.status_code = 303
    return response


@of_a_publication
def info(
    request: HttpRequest, publication: Publication, public: bool, side: str, pipeline: str
) -> HttpResponseBase:
    """What the tiles of one side are."""
    found = iiif.service(publication, side, public=public)
    return zoom.info(request, found, int(pipeline), settings.SITE_URL)


@of_a_publication
def tile(
    request: HttpRequest,
    publication: Publication,
    public: bool,
    side: str,
    pipeline: str,
    wanted: str,
) -> HttpResponseBase:
    """A tile of one side, or the whole of it."""
    found = iiif.service(publication, side, public=public)
    return zoom.picture(request, found, int(pipeline), wanted)


@of_a_publication
def manifest(request: HttpRequest, publication: Publication, public: bool) -> HttpResponse:
    """A publication for viewers anywhere."""
    return _linked(request, iiif.manifest(publication), iiif.CONTEXT, public=public)


@login_not_required
@require_safe
def collection(request: HttpRequest, slug: str) -> HttpResponse:
    """An exhibit for viewers anywhere."""
    rows = Exhibit.objects.select_related("collection")
    exhibit = rows.filter(slug=slug, is_open=True).first()
    public = exhibit is not None
    if public:
        same_for_all(request)
    if exhibit is None:
        exhibit = get_object_or_404(
            Exhibit.objects.visible_to(request.user).select_related("collection"), slug=slug
        )
    told = iiif.collection(exhibit, queries.walk(exhibit))
    return _linked(request, told, iiif.CONTEXT, public=public)


def _linked(
    request: HttpRequest, told: dict[str, Any], context: str, *, public: bool
) -> HttpResponse:
    response = zoom.linked(request, told, context)
    response["Cache-Control"] = A_WHILE if public else zoom.PRIVATE
    return response
