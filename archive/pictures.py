"""Stored bytes as an answer over HTTP. The caller has asked the policy; nothing here has."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from http import HTTPStatus

from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.utils.cache import get_conditional_response
from django.utils.http import content_disposition_header

from archive import storage
from archive.sizes import PIPELINE

# Keys name their content, so a reader's own copy is good for ever. The caches between us and the
# reader ask again after an hour: what is retracted must go from there.
PRIVATE = "private, max-age=31536000, immutable"
PUBLIC = "public, max-age=31536000, s-maxage=3600, immutable"
# What was uploaded, or stands beside it, is never a page of ours: were it opened as one, it could
# run nothing, read nothing and send nothing. An <img> and a download are not bound by this.
CELL = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
# A presigned address lives ten minutes; a browser may keep the way there for half of that.
REDIRECT = "private, max-age=300"
GIVEN = (HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT, HTTPStatus.NOT_MODIFIED)


# One part of a file; several at once are answered with the whole.
SPAN = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


def respond(
    key: str,
    *,
    content_type: str,
    public: bool,
    filename: str | None = None,
    for_script: bool = False,
    request: HttpRequest,
) -> HttpResponseBase:
    """The bytes under `key`, or the way to them; as a download when `filename` is given.

    Always the bytes `for_script`: of a picture that came from elsewhere a browser lets nobody read
    the pixels. That is for small ones.

    Or the part of them that is asked for, so that a download which broke off goes on, or that they
    have not changed. Without a name only for bytes that we made. Http404 when there are none. The
    content type is ours, never the uploader's.
    """
    # Public bytes go through the site: an address that expires is nothing a cache could keep.
    address = "" if public or for_script else _elsewhere(key, content_type, filename)
    if address:
        return closed(_redirect(address))
    etag = _etag(key)
    # Before a file is opened: whoever asks so has it already.
    response = unchanged(request, etag) or _bytes(request, key, etag, content_type, filename)
    response["ETag"] = etag
    return closed(kept_for(response, PUBLIC if public else PRIVATE))


def unchanged(request: HttpRequest, etag: str) -> HttpResponseBase | None:
    """That the asker has it already, or is mistaken about what it is; None to give it.

    By its tag alone: a time is heeded only of what has one.
    """
    request.META.pop("HTTP_IF_UNMODIFIED_SINCE", None)
    return get_conditional_response(request, etag=etag)


def kept_for(response: HttpResponseBase, how: str) -> HttpResponseBase:
    """What is there may be kept `how`; a refusal of one asker is nothing for the next."""
    response["Cache-Control"] = how if response.status_code in GIVEN else "private, no-store"
    return response


def _etag(key: str) -> str:
    """A key names its content; of what is made anew it is also how it was made."""
    made = f"-{PIPELINE}" if key.startswith("derivatives/") else ""
    return f'"{key.replace("/", "-")}{made}"'


def _bytes(
    request: HttpRequest, key: str, etag: str, content_type: str, filename: str | None
) -> HttpResponseBase:
    def read(span: range) -> Iterator[bytes]:
        for at in range(span.start, span.stop, storage.BLOCK):
            yield storage.read_range(key, at, min(storage.BLOCK, span.stop - at))

    try:
        part = None
        if "Range" in request.headers:
            part = part_of(request, storage.size(key), etag, read, content_type=content_type)
        response = part or _whole(key, content_type, filename)
    except FileNotFoundError:
        raise Http404 from None
    response["Accept-Ranges"] = "bytes"
    disposition = content_disposition_header(bool(filename), filename or "")
    if disposition:
        response["Content-Disposition"] = disposition
    return response


def _whole(key: str, content_type: str, filename: str | None) -> HttpResponseBase:
    return FileResponse(
        storage.open_key(key),
        content_type=content_type,
        as_attachment=bool(filename),
        filename=filename or "",
    )


def part_of(
    request: HttpRequest,
    size: int,
    etag: str,
    read: Callable[[range], bytes | Iterator[bytes]],
    *,
    content_type: str,
) -> HttpResponseBase | None:
    """The part that is asked for as `read` gives it, or that there is none; None for the whole."""
    span = _span(request, size, etag)
    if span is None:
        return None
    if not span:
        response: HttpResponseBase = HttpResponse(status=416, content_type=content_type)
        response["Content-Range"] = f"bytes */{size}"
    else:
        content = read(span)
        kind = HttpResponse if isinstance(content, bytes) else StreamingHttpResponse
        response = kind(content, status=206, content_type=content_type)
        response["Content-Range"] = f"bytes {span.start}-{span.stop - 1}/{size}"
        response["Content-Length"] = str(len(span))
    response["Accept-Ranges"] = "bytes"
    return response


def whole_or_part(
    request: HttpRequest, content: bytes, etag: str, *, content_type: str
) -> HttpResponseBase:
    """Bytes that are in memory, or the part of them that is asked for."""
    part = part_of(
        request,
        len(content),
        etag,
        lambda span: content[span.start : span.stop],
        content_type=content_type,
    )
    if part is not None:
        return part
    return HttpResponse(content, content_type=content_type, headers={"Accept-Ranges": "bytes"})


def _span(request: HttpRequest, size: int, etag: str) -> range | None:
    """Which bytes are asked for: None for all of them, an empty range for none there are.

    Several parts at once, and a part of a file that has changed, are answered with the whole.
    """
    asked = SPAN.fullmatch(request.headers.get("Range", ""))
    if asked is None or request.method != "GET" or not any(asked.groups()):
        return None
    if request.headers.get("If-Range", etag) != etag:
        return None
    first, last = asked.groups()
    if not first:
        return range(max(0, size - int(last)), size)
    if last and int(last) < int(first):
        return None
    return range(int(first), min(size, int(last) + 1 if last else size))


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
