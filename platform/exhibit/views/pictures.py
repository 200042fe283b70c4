"""The pixels that the public may have: two sides and a map of what is published, and no other."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.views.decorators.http import require_safe

from archive import pictures, storage
from archive.sizes import FULL, NAMES, SIDES
from exhibit import queries, showing, xmp
from exhibit.models import Publication
from exhibit.views.visiting import same_for_all

JPEG, PNG = "image/jpeg", "image/png"
# What is worth taking home: for a screen, and every pixel.
DOWNLOADS = (str(SIDES[-1]), FULL)


@login_not_required
@require_safe
def picture(request: HttpRequest, pk: int, side: str, size: str) -> HttpResponseBase:
    """One size of the original or of the restored picture."""
    publication, public = visible_publication(request, pk)
    key = storage.derivative_key(_sha256(publication, side), _name(size))
    return pictures.respond(key, content_type=JPEG, public=public)


@login_not_required
@require_safe
def changed(request: HttpRequest, pk: int) -> HttpResponseBase:
    """A map over the restored picture: what was changed, unless another one is asked for."""
    publication, public = visible_publication(request, pk)
    sha256 = publication.version.maps.get(request.GET.get("map", "changed"))
    if not sha256:
        raise Http404
    return pictures.respond(storage.sheet_key(sha256), content_type=PNG, public=public)


@login_not_required
@require_safe
def download(request: HttpRequest, pk: int, size: str) -> HttpResponseBase:
    """The restored picture as a file that says of itself what it is."""
    publication, _public = visible_publication(request, pk)
    if size not in DOWNLOADS:
        raise Http404
    key = storage.derivative_key(publication.version_sha256, _name(size))
    try:
        with storage.open_key(key) as stream:
            jpeg = stream.read()
    except FileNotFoundError:
        raise Http404 from None
    placement = queries.placements().filter(publication=publication).in_order().first()
    file = xmp.into_jpeg(jpeg, showing.file_words(publication, placement))
    name = f"{publication.photo.ref}-restored-{size}.jpg"
    answer = HttpResponse(
        file,
        content_type=JPEG,
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            # The words in it may be corrected, so it is asked for again each time.
            "Cache-Control": "no-cache",
        },
    )
    return pictures.closed(answer)


def visible_publication(request: HttpRequest, pk: int) -> tuple[Publication, bool]:
    """The publication and whether strangers see it; curators also see what is not public yet."""
    rows = Publication.objects.select_related("photo__collection", "version")
    found = rows.public().filter(pk=pk).first()
    if found is not None:
        same_for_all(request)
        return found, True
    found = rows.visible_to(request.user).filter(pk=pk).first()
    if found is None:
        raise Http404
    return found, False


def _sha256(publication: Publication, side: str) -> str:
    sides = {
        showing.ORIGINAL: publication.working_sha256,
        showing.RESTORED: publication.version_sha256,
    }
    if side not in sides:
        raise Http404
    return sides[side]


def _name(size: str) -> str:
    name = f"{size}.jpg"
    if name not in NAMES:
        raise Http404
    return name
