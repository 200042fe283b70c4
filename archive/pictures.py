"""Stored bytes as an answer over HTTP. The caller has asked the policy; this function has not."""

from __future__ import annotations

from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpResponseBase, HttpResponseRedirect
from django.utils.http import content_disposition_header

from archive import storage

# Keys name their content, so a private copy is good for ever. A public one is asked for again
# after an hour: what is retracted must go from the caches between us and the reader.
PRIVATE = "private, max-age=31536000, immutable"
PUBLIC = "public, max-age=3600"
# A presigned address lives ten minutes; a browser may keep the way there for half of that.
REDIRECT = "private, max-age=300"


def respond(
    key: str, *, content_type: str, public: bool, filename: str | None = None
) -> HttpResponseBase:
    """The bytes under `key`, or the way to them; as a download when `filename` is given.

    Http404 when there are none. The content type is ours, never the uploader's.
    """
    if getattr(default_storage, "querystring_auth", False):
        return _elsewhere(key, content_type, filename)
    try:
        stream = storage.open_key(key)
    except FileNotFoundError:
        raise Http404 from None
    response = FileResponse(
        stream, content_type=content_type, as_attachment=bool(filename), filename=filename or ""
    )
    response["Cache-Control"] = PUBLIC if public else PRIVATE
    response["ETag"] = f'"{key.replace("/", "-")}"'
    return _closed(response)


def _elsewhere(key: str, content_type: str, filename: str | None) -> HttpResponseBase:
    """Send the browser to the storage service with an address that soon expires."""
    said = {"ResponseContentType": content_type}
    disposition = content_disposition_header(bool(filename), filename or "")
    if disposition:
        said["ResponseContentDisposition"] = disposition
    response = HttpResponseRedirect(default_storage.url(key, parameters=said))  # type: ignore[call-arg]
    response["Cache-Control"] = REDIRECT
    return _closed(response)


def _closed(response: HttpResponseBase) -> HttpResponseBase:
    response["X-Content-Type-Options"] = "nosniff"
    return response
