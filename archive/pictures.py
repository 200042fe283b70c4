"""Stored bytes as an answer over HTTP. The caller has asked the policy; this function has not."""

from __future__ import annotations

from django.http import FileResponse, Http404, HttpResponseBase, HttpResponseRedirect
from django.utils.http import content_disposition_header

from archive import storage

# Keys name their content, so a reader's own copy is good for ever. The caches between us and the
# reader ask again after an hour: what is retracted must go from there.
PRIVATE = "private, max-age=31536000, immutable"
PUBLIC = "public, max-age=31536000, s-maxage=3600, immutable"
# What was uploaded, or stands beside it, is never a page of ours: were it opened as one, it could
# run nothing, read nothing and send nothing. An <img> and a download are not bound by this.
CELL = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
# A presigned address lives ten minutes; a browser may keep the way there for half of that.
REDIRECT = "private, max-age=300"


def respond(
    key: str, *, content_type: str, public: bool, filename: str | None = None
) -> HttpResponseBase:
    """The bytes under `key`, or the way to them; as a download when `filename` is given.

    Without a name only for bytes that we made. Http404 when there are none. The content type is
    ours, never the uploader's.
    """
    # Public bytes go through the site: an address that expires is nothing a cache could keep.
    address = "" if public else _elsewhere(key, content_type, filename)
    if address:
        return closed(_redirect(address))
    try:
        stream = storage.open_key(key)
    except FileNotFoundError:
        raise Http404 from None
    response = FileResponse(
        stream, content_type=content_type, as_attachment=bool(filename), filename=filename or ""
    )
    response["Cache-Control"] = PUBLIC if public else PRIVATE
    response["ETag"] = f'"{key.replace("/", "-")}"'
    return closed(response)


def _elsewhere(key: str, content_type: str, filename: str | None) -> str:
    """The address at the storage service where these bytes are had for a short while."""
    said = {"ResponseContentType": content_type, "ResponseCacheControl": PRIVATE}
    disposition = content_disposition_header(bool(filename), filename or "")
    if disposition:
        said["ResponseContentDisposition"] = disposition
    return storage.presigned(key, said)


def _redirect(address: str) -> HttpResponseRedirect:
    response = HttpResponseRedirect(address)
    response["Cache-Control"] = REDIRECT
    return response


def closed(response: HttpResponseBase) -> HttpResponseBase:
    """The same answer, which no browser takes for a page or for another kind of file."""
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = CELL
    return response
