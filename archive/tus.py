"""Uploads that go on after a break, over HTTP: the tus protocol, and parts straight to a bucket.

tus 1.0.0 (https://tus.io/protocols/resumable-upload) with creation, expiration, checksum and
termination; the packages for Django keep the file on one machine's disk and hold a whole block in
memory, so the small core is here. Where the storage is a bucket the same addresses hand out signed
ones, and no byte of the file passes through the site.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import functools
import json
from collections.abc import Callable, Iterator
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.http.request import UnreadablePostError
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import http_date
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from archive import arriving, uploading, wording
from archive.asking import Asked, collection_of
from archive.lifecycle import PagesAre, UploadState
from archive.models import Collection, Upload
from archive.places import StorageAway
from archive.policy import Refused
from archive.views import file_item

VERSION = "1.0.0"
EXTENSIONS = "creation,expiration,checksum,termination"
BYTES = "application/offset+octet-stream"
# What a code of ours is called in HTTP; any other refusal by circumstance is a conflict.
STATES = {
    "too-large": 413,
    "too-many-uploads": 429,
    "empty": 422,
    "no-such-part": 422,
    "no-sha256": 400,
}
CONFLICT, FORBIDDEN = 409, 403
CHECKSUM_DIFFERS = 460

View = Callable[..., HttpResponseBase]


class _Bad(Exception):  # noqa: N818 - says what it is
    """The request does not speak the protocol; a state and a word why, for whoever wrote it."""

    def __init__(self, state: int, why: str) -> None:
        super().__init__(why)
        self.state, self.why = state, why


def speaks_tus(view: View) -> View:
    """Answer as the protocol wants: its version everywhere, refusals as states with a sentence."""

    @functools.wraps(view)
    def spoken(request: HttpRequest, *args: Any, **words: Any) -> HttpResponseBase:
        request.method = request.headers.get("X-HTTP-Method-Override", request.method or "").upper()
        said = request.headers.get("Tus-Resumable", VERSION)
        if said != VERSION and request.method != "OPTIONS":
            answer: HttpResponseBase = HttpResponse(status=412, headers={"Tus-Version": VERSION})
        else:
            answer = _answered(view, request, *args, **words)
        answer["Tus-Resumable"] = VERSION
        answer["Cache-Control"] = "no-store"
        return answer

    return spoken


def _answered(view: View, request: HttpRequest, *args: Any, **words: Any) -> HttpResponseBase:
    try:
        return view(request, *args, **words)
    except Refused as refused:
        plain = CONFLICT if refused.conflict else 422 if refused.invalid else FORBIDDEN
        state = STATES.get(refused.code, plain)
        told = {"code": refused.code, "message": str(refused.message)}
        return JsonResponse(told, status=state)
    except _Bad as bad:
        return HttpResponse(bad.why, status=bad.state, content_type="text/plain")


def _capabilities() -> HttpResponse:
    headers = {
        "Tus-Version": VERSION,
        "Tus-Extension": EXTENSIONS,
        "Tus-Max-Size": str(settings.MAX_UPLOAD_BYTES),
        "Tus-Checksum-Algorithm": ",".join(arriving.CHECKSUMS),
    }
    return HttpResponse(status=204, headers=headers)


# --- beginning ------------------------------------------------------------------------------------
@speaks_tus
@require_http_methods(["OPTIONS", "POST"])
def uploads(request: Asked, slug: str) -> HttpResponseBase:
    """What this server can, or a new upload."""
    if request.method == "OPTIONS":
        return _capabilities()
    box = collection_of(request, slug)
    told = _metadata(request.headers.get("Upload-Metadata", ""))
    made = uploading.begin_upload(
        collection=box,
        filename=told.get("filename", ""),
        size=_number(request, "Upload-Length"),
        sha256=told.get("sha256", ""),
        pages=told.get("pages", ""),
        by=request.user,
        now=timezone.now(),
    )
    answer = JsonResponse(_told(made), status=201)
    answer["Location"] = request.build_absolute_uri(_address(made))
    answer["Upload-Expires"] = http_date(made.expires_at.timestamp())
    return answer


def _metadata(header: str) -> dict[str, str]:
    """Pairs of a word and its value in base64, with commas between them."""
    told = {}
    for pair in header.split(",") if header.strip() else ():
        name, _space, value = pair.strip().partition(" ")
        try:
            told[name] = base64.b64decode(value, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise _Bad(400, "Upload-Metadata is not base64 of UTF-8") from None
    return told


def _number(request: HttpRequest, name: str) -> int:
    said = request.headers.get(name, "")
    if not said.isdecimal() or len(said) > 18:
        raise _Bad(400, f"{name} is missing or no number")
    return int(said)


def _address(upload: Upload) -> str:
    return reverse("archive:upload-one", args=[upload.ref])


# --- going on -------------------------------------------------------------------------------------
@speaks_tus
@require_http_methods(["OPTIONS", "HEAD", "GET", "PATCH", "DELETE"])
def one(request: Asked, upload: str) -> HttpResponseBase:
    """How far an upload is, more of it, or its end; by GET what has become of it."""
    if request.method == "OPTIONS":
        return _capabilities()
    row = _upload(request, upload)
    if request.method in ("HEAD", "GET"):
        _finish_arrived(row)
    if request.method == "GET":
        return JsonResponse(_told(row))
    if row.state in (UploadState.ENDED, UploadState.REFUSED):
        return HttpResponse(status=410)
    if request.method == "HEAD":
        return _standing(row, HttpResponse(status=200))
    if request.method == "DELETE":
        uploading.end_upload(upload=row, by=request.user, now=timezone.now())
        return HttpResponse(status=204)
    return _patch(request, row)


def _upload(request: Asked, ref: str) -> Upload:
    rows = Upload.objects.visible_to(request.user)
    return get_object_or_404(rows.select_related("collection", "photo__collection"), ref=ref)


def _finish_arrived(upload: Upload) -> None:
    """Who hears that all of it is here sends nothing more that could finish it."""
    with contextlib.suppress(StorageAway):
        uploading.finish_arrived(upload=upload, now=timezone.now())


def _standing(upload: Upload, answer: HttpResponse, offset: int | None = None) -> HttpResponse:
    answer["Upload-Length"] = str(upload.size)
    answer["Upload-Offset"] = str(_arrived(upload) if offset is None else offset)
    answer["Upload-Expires"] = http_date(upload.expires_at.timestamp())
    told = {"filename": upload.filename, "pages": upload.pages_are}
    words = {name: base64.b64encode(said.encode()).decode() for name, said in told.items() if said}
    answer["Upload-Metadata"] = ",".join(f"{name} {said}" for name, said in words.items())
    return answer


def _arrived(upload: Upload) -> int:
    """How many bytes are here."""
    if upload.state != UploadState.ARRIVING:
        return upload.size
    try:
        if upload.multipart_id:
            return sum(part.size for part in arriving.parts(upload.ref, upload.multipart_id))
        return arriving.settled_length(upload.ref)
    except FileNotFoundError:
        raise _Bad(410, "nothing of it is left") from None


def _patch(request: Asked, upload: Upload) -> HttpResponseBase:
    if request.content_type != BYTES:
        raise _Bad(415, f"the body must be {BYTES}")
    offset, checksum = _number(request, "Upload-Offset"), _checksum(request)
    coming = request.headers.get("Content-Length", "0")
    if coming.isdecimal() and offset + int(coming) > upload.size:
        raise _Bad(413, "more than was promised")
    if upload.multipart_id:
        raise _Bad(409, "this file is sent to the storage in parts")
    now = timezone.now()
    try:
        end = uploading.add_bytes(
            upload=upload, chunks=_chunks(request), offset=offset, checksum=checksum, now=now
        )
    except arriving.ChecksumDiffers:
        return HttpResponse(status=CHECKSUM_DIFFERS)
    except arriving.Overtaken:
        raise _Bad(423, "another request goes on with it") from None
    except FileNotFoundError:
        return HttpResponse(status=410)
    upload.refresh_from_db(fields=["expires_at"])
    return _standing(upload, HttpResponse(status=204), end)


def _checksum(request: HttpRequest) -> tuple[str, bytes] | None:
    said = request.headers.get("Upload-Checksum", "")
    if not said:
        return None
    name, _space, value = said.partition(" ")
    if name not in arriving.CHECKSUMS:
        raise _Bad(400, f"the checksum must be one of {', '.join(arriving.CHECKSUMS)}")
    try:
        return name, base64.b64decode(value, validate=True)
    except binascii.Error:
        raise _Bad(400, "the checksum is not base64") from None


def _chunks(request: HttpRequest) -> Iterator[bytes]:
    """The body as it comes; a line that breaks ends it, and what has come stays."""
    with contextlib.suppress(UnreadablePostError, OSError):
        while chunk := request.read(arriving.BLOCK):
            yield chunk


# --- parts, straight to the bucket ----------------------------------------------------------------
@speaks_tus
@require_http_methods(["GET", "POST"])
def parts(request: Asked, upload: str) -> HttpResponseBase:
    """Which parts the service has; or, for {"number": n}, the address to send that one to."""
    row = _upload(request, upload)
    if request.method == "POST":
        number = _body(request).get("number")
        if not isinstance(number, int):
            raise _Bad(400, "number is missing")
        url = uploading.sign_part(upload=row, number=number, now=timezone.now())
        return JsonResponse({"url": url})
    if row.state != UploadState.ARRIVING or not row.multipart_id:
        raise _Bad(410, "no parts of it wait")
    try:
        found = arriving.parts(row.ref, row.multipart_id)
    except FileNotFoundError:
        return HttpResponse(status=410)
    return JsonResponse({"parts": [{"number": each.number, "size": each.size} for each in found]})


def _body(request: HttpRequest) -> dict[str, Any]:
    try:
        body = json.loads(request.body)
    except ValueError:
        raise _Bad(400, "the body is no JSON") from None
    return body if isinstance(body, dict) else {}


@speaks_tus
@require_POST
def join(request: Asked, upload: str) -> HttpResponseBase:
    """All parts are sent: make them one file, and tell what becomes of it."""
    row = _upload(request, upload)
    if row.state == UploadState.ARRIVING and row.multipart_id:
        uploading.join_parts(upload=row, now=timezone.now())
        row.refresh_from_db()
    return JsonResponse(_told(row), status=202)


# --- for people -----------------------------------------------------------------------------------
# What is smaller travels in one request: asking how far it came would cost more than sending it.
RESUME_FROM = 8 * 1024**2
# What may be said of several pages before a file is seen; the first alone is a choice about one.
PAGES_BEFOREHAND = [(each.value, each.label) for each in (PagesAre.PHOTOS, PagesAre.SIDES)]


@never_cache
@require_GET
def page(request: Asked, slug: str) -> HttpResponse:
    """The page that takes scans, and what of this person's has not all arrived."""
    box = collection_of(request, slug)
    context = {
        "collection": box,
        "upload_url": reverse("archive:receive", args=[slug]),
        "uploads_url": reverse("archive:uploads", args=[slug]),
        "way": "parts" if arriving.in_parts() else "file" if arriving.in_a_file() else "",
        "resume_from": RESUME_FROM,
        "pages": PAGES_BEFOREHAND,
        "most": settings.MAX_UPLOAD_BYTES // 1024**2,
        "unfinished": _unfinished_of(request, box),
    }
    return render(request, "archive/upload.html", context)


@never_cache
@require_POST
def give_up(request: Asked, upload: str) -> HttpResponse:
    """Give an unfinished upload up, from the page without a script too."""
    row = _upload(request, upload)
    uploading.end_upload(upload=row, by=request.user, now=timezone.now())
    return redirect("archive:upload", row.collection.slug)


def _unfinished_of(request: Asked, box: Collection) -> list[dict[str, Any]]:
    """This person's uploads into the collection that have not all arrived, for the page."""
    rows = Upload.objects.open_of(request.user).filter(collection=box).order_by("began_at")
    return [_unfinished(row) for row in rows]


def _unfinished(row: Upload) -> dict[str, Any]:
    try:
        share = 100 * _arrived(row) // row.size
    except (_Bad, OSError):
        share = 0
    return {"upload": row, "share": share, "address": _address(row)}


def _told(upload: Upload) -> dict[str, Any]:
    """What js/upload.js goes by, until it is a photo and told of as one."""
    if upload.photo is not None:
        return file_item(upload.photo, new=_is_first(upload))
    told = {
        "name": upload.filename,
        "state": "reading" if upload.state == UploadState.WHOLE else upload.state,
        "label": upload.get_state_display(),
        "message": wording.sentence(upload.why, {}) if upload.why else "",
        "done": upload.state in (UploadState.ENDED, UploadState.REFUSED),
        "state_url": _address(upload),
    }
    if upload.multipart_id and upload.state == UploadState.ARRIVING:
        told |= {
            "part_size": upload.part_size,
            "parts_url": reverse("archive:upload-parts", args=[upload.ref]),
            "join_url": reverse("archive:upload-join", args=[upload.ref]),
        }
    if upload.state == UploadState.REFUSED:
        told["state"] = "failed"
    return told


def _is_first(upload: Upload) -> bool:
    """Whether the photo came by this upload, and was not here before it."""
    return upload.photo is not None and upload.photo.added_at >= upload.began_at
