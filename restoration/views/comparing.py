"""Two versions held against each other, with the maps that lie over the later one: the bench's and
the desk's, as templates/partials/_compare.html reads them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from archive.languages import said
from restoration import guarding, wording
from restoration.models import Version
from restoration.views import pictures
from restoration.views.strip import label

# A pattern is drawn in pixels of the screen; without a script it is scaled to a picture so wide.
WIDE = 1000


def comparison(
    left: Version, right: Version, *, asked: Collection[str] = (), is_open: bool = False
) -> dict[str, Any]:
    """The figure of two versions of one photo.

    `asked` names the maps that lie there at once; `is_open`: the list of maps is unfolded.
    """
    name = said(right.photo, "title").text or str(right.photo)
    before, after = pictures.tile_sources(left, right)
    return {
        "left": pictures.stage(left, label(left), f"{name}, {label(left)}") | {"tiles": before},
        "right": pictures.stage(right, label(right), f"{name}, {label(right)}") | {"tiles": after},
        "label": name,
        "caption": guarding.caption(right.meters or {}),
        "maps": _maps(right, asked, is_open or bool(asked)),
        "zoomable": True,
    }


def _maps(version: Version, asked: Collection[str], is_open: bool) -> dict[str, Any] | None:
    """All maps of a version in words, numbers and patterns; None where there are none."""
    found = guarding.layers(version.maps, version.meters)
    if not found:
        return None
    return {
        "layers": [_layer(version, each, each.name in asked) for each in found],
        "of": label(version),
        "open": is_open,
        "unit": f"{max(version.width, version.height) / WIDE:.3f}",
    }


def _layer(version: Version, layer: guarding.Layer, shown: bool) -> dict[str, Any]:
    address = reverse("restoration:map", args=[version.photo.ref, version.number, layer.name])
    return {
        "name": layer.name,
        "label": layer.label,
        "words": layer.words,
        "help": wording.MAP_HELP[layer.name],
        "shown": shown,
        "src": f"{address}?{urlencode({'for': pictures.SCREEN})}",
    }
