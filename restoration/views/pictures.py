"""The pixels of scans, versions, maps and masks, for whoever may see them."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import Http404, HttpResponseBase
from django.urls import reverse
from django.views.decorators.http import require_safe

from archive import pictures, renditions, storage, zoom
from archive.models import Photo
from archive.sizes import FULL, FULL_SIDE, MAP, NAMES, SIDES, fit
from restoration import masks
from restoration.models import Version
from restoration.views.asking import Asked, photo_of, version_of

JPEG, PNG = "image/jpeg", "image/png"
THUMB, STAGE = 400, 1600
WIDE_SCREENS = 800
SCREEN = "screen"  # what a map is asked for where it lies over a picture on a page
SCRIPT = "script"  # what the smallest size is asked for where a script reads its pixels


@require_safe
def scan(request: Asked, ref: str, name: str) -> HttpResponseBase:
    """A size of a photo's scan."""
    photo = photo_of(request, ref)
    return _derivative(request, photo.working_sha256, name)


@require_safe
def version(request: Asked, ref: str, number: int, name: str) -> HttpResponseBase:
    """A size of a version."""
    shown = version_of(request, ref, number)
    is_read = name == f"{THUMB}.jpg" and request.GET.get("for") == SCRIPT
    return _derivative(request, shown.sha256, name, for_script=is_read)


@require_safe
def overlay(request: Asked, ref: str, number: int, name: str) -> HttpResponseBase:
    """A map of a version: where it was repaired, changed, coloured; smaller for the screen."""
    sha256 = version_of(request, ref, number).maps.get(name)
    if not sha256:
        raise Http404
    key = storage.derivative_key(sha256, MAP)
    # Versions that were made before maps had a smaller copy show the whole one.
    if request.GET.get("for") != SCREEN or not storage.exists(key):
        key = storage.sheet_key(sha256)
    return pictures.respond(key, content_type=PNG, public=False, request=request)


@require_safe
def sheet(request: Asked, ref: str, sha256: str) -> HttpResponseBase:
    """A mask that belongs to this photo: found by the machine, or painted by whoever asks."""
    photo = photo_of(request, ref)
    if not masks.is_at_hand(photo, request.user, sha256):
        raise Http404
    # A painted one is kept as it was sent. The bench reads it, and so takes a download too.
    return pictures.respond(
        storage.sheet_key(sha256),
        content_type=PNG,
        public=False,
        filename=f"{sha256[:12]}.png",
        for_script=True,
        request=request,
    )


def _derivative(
    request: Asked, sha256: str, name: str, *, for_script: bool = False
) -> HttpResponseBase:
    if name not in NAMES:
        raise Http404
    key = storage.derivative_key(sha256, name)
    return pictures.respond(
        key, content_type=JPEG, public=False, for_script=for_script, request=request
    )


# --- tiles ---------------------------------------------------------------------------------------


@require_safe
def info(request: Asked, ref: str, number: int, pipeline: int) -> HttpResponseBase:
    """What the tiles of a version are."""
    service = _service(version_of(request, ref, number))
    return zoom.info(request, service, pipeline, settings.SITE_URL)


@require_safe
def tile(request: Asked, ref: str, number: int, pipeline: int, wanted: str) -> HttpResponseBase:
    """A tile of a version, or the whole of it."""
    return zoom.picture(request, _service(version_of(request, ref, number)), pipeline, wanted)


def _service(shown: Version) -> zoom.Service:
    def address(pipeline: int) -> str:
        told = reverse("restoration:info", args=[shown.photo.ref, shown.number, pipeline])
        return told.removesuffix("/info.json")

    return zoom.Service(shown.sha256, shown.width, shown.height, public=False, address=address)


def tile_sources(*shown: Version) -> list[str]:
    """What the viewer is given for each version; empty where there are no tiles yet."""
    pipelines = renditions.tiled(each.sha256 for each in shown)
    return [
        zoom.source(_service(each), pipelines[each.sha256]) if each.sha256 in pipelines else ""
        for each in shown
    ]


# --- addresses and sizes, for pages ---------------------------------------------------------------


def address(shown: Version, name: object) -> str:
    """Where a size of a version is found."""
    return reverse("restoration:picture", args=[shown.photo.ref, shown.number, f"{name}.jpg"])


def sources(shown: Version) -> list[dict[str, Any]]:
    """Every size that is larger than the one before, growing; the last shows every pixel it can."""
    long = max(shown.width, shown.height)
    sides = [side for side in SIDES if side >= WIDE_SCREENS and side < long]
    rows = [
        {"src": address(shown, side), "width": fit(shown.width, shown.height, side)[0]}
        for side in sides
    ]
    width = fit(shown.width, shown.height, FULL_SIDE)[0]
    return [*rows, {"src": address(shown, FULL), "width": width}]


def srcset(shown: Version) -> str:
    """The same for a browser to choose from; full size is left to the viewer."""
    rows = [row for row in sources(shown) if row["width"] <= max(SIDES)]
    return ", ".join(f"{row['src']} {row['width']}w" for row in rows)


def stage(shown: Version, label: str, alt: str) -> dict[str, Any]:
    """A version as the large picture of a page; width and height are those of all its pixels, and
    `read` is where a script finds a small copy whose pixels it may read."""
    return {
        "src": address(shown, STAGE),
        "srcset": srcset(shown),
        "read": f"{address(shown, THUMB)}?{urlencode({'for': SCRIPT})}",
        "label": label,
        "alt": alt,
        "width": shown.width,
        "height": shown.height,
    }


def thumbnail(photo: Photo) -> dict[str, Any]:
    """A photo's scan as a card shows it."""
    width, height = fit(photo.width, photo.height, THUMB)
    small, larger = (
        reverse("restoration:scan", args=[photo.ref, f"{side}.jpg"]) for side in SIDES[:2]
    )
    wide = fit(photo.width, photo.height, SIDES[1])[0]
    return {
        "thumb": small,
        "srcset": f"{small} {width}w, {larger} {wide}w" if wide > width else "",
        "thumb_width": width,
        "thumb_height": height,
    }
