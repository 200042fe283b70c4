"""The pixels that the public may have: two sides and a map of what is published, and no other."""

from __future__ import annotations

import hashlib

from django.http import Http404, HttpRequest, HttpResponseBase
from django.utils.cache import get_conditional_response

from archive import pictures, storage
from archive.sizes import FULL, NAMES, SIDES
from exhibit import queries, showing, xmp
from exhibit.models import Publication
from exhibit.views.published import of_a_publication

JPEG, PNG = "image/jpeg", "image/png"
# What is worth taking home: for a screen, and every pixel.
DOWNLOADS = (str(SIDES[-1]), FULL)


@of_a_publication
def picture(
    request: HttpRequest, publication: Publication, public: bool, side: str, size: str
) -> HttpResponseBase:
    """One size of the original or of the restored picture."""
    key = storage.derivative_key(_sha256(publication, side), _name(size))
    return pictures.respond(key, content_type=JPEG, public=public, request=request)


@of_a_publication
def changed(request: HttpRequest, publication: Publication, public: bool) -> HttpResponseBase:
    """A map over the restored picture: what was changed, unless another one is asked for."""
    sha256 = publication.version.maps.get(request.GET.get("map", "changed"))
    if not sha256:
        raise Http404
    key = storage.sheet_key(sha256)
    return pictures.respond(key, content_type=PNG, public=public, request=request)


@of_a_publication
def download(
    request: HttpRequest, publication: Publication, public: bool, size: str
) -> HttpResponseBase:
    """The restored picture as a file that says of itself what it is."""
    if size not in DOWNLOADS:
        raise Http404
    file = _file(publication, size, public=public)
    etag = f'"{hashlib.sha256(file).hexdigest()[:32]}"'
    unchanged = get_conditional_response(request, etag=etag)
    answer = unchanged or pictures.whole_or_part(request, file, etag, content_type=JPEG)
    name = f"{publication.photo.ref}-restored-{size}.jpg"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    # The words in it may be corrected, so it is asked for again each time.
    answer["Cache-Control"] = "no-cache"
    answer["ETag"] = etag
    return pictures.closed(answer)


def _file(publication: Publication, size: str, *, public: bool) -> bytes:
    key = storage.derivative_key(publication.version_sha256, _name(size))
    try:
        with storage.open_key(key) as stream:
            jpeg = stream.read()
    except FileNotFoundError:
        raise Http404 from None
    # What a closed exhibit says of the picture is not for strangers.
    found = queries.in_public if public else queries.hung_first
    placement = found(publication)
    return xmp.into_jpeg(jpeg, showing.file_words(publication, placement))


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
