"""What OpenSeadragon 6.1.1 asks a IIIF 3 service of level 0 for, by src/iiiftilesource.js."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any


def asked_for(info: dict[str, Any]) -> Iterator[str]:
    """The address below the service of every tile of every level."""
    width, height, tile = info["width"], info["height"], info["tiles"][0]["width"]
    levels = max(info["tiles"][0]["scaleFactors"]).bit_length() - 1
    sizes = _level_sizes(info, levels)
    for level in range(levels + 1):
        scale = 0.5 ** (levels - level)
        if sizes:
            across, down = sizes[level]
        else:
            across, down = math.ceil(width * scale), math.ceil(height * scale)
        for x in range(math.ceil(across / tile)):
            for y in range(math.ceil(down / tile)):
                yield _address(width, height, tile, scale, across, down, x, y)


def _level_sizes(info: dict[str, Any], levels: int) -> list[tuple[int, int]]:
    """The sizes, where they are taken for the levels of the pyramid."""
    width, height = info["width"], info["height"]
    sizes = sorted((each["width"], each["height"]) for each in info["sizes"])
    if sizes[-1][0] < width and sizes[-1][1] < height:
        sizes.append((width, height))
    factors = info["tiles"][0]["scaleFactors"]
    if len(sizes) != levels + 1:
        return []
    for size, factor in zip(sizes, reversed(factors), strict=True):
        if (_rounded(width / size[0]), _rounded(height / size[1])) != (factor, factor):
            return []
    return sizes


def _rounded(number: float) -> int:
    return math.floor(number + 0.5)


def _address(
    width: int, height: int, tile: int, scale: float, across: int, down: int, x: int, y: int
) -> str:
    if across < tile and down < tile:
        size = "max" if (across, down) == (width, height) else f"{across},{down}"
        return f"full/{size}/0/default.jpg"
    side = _rounded(tile / scale)
    left, top = x * side, y * side
    wide, high = min(side, width - left), min(side, height - top)
    is_all = (left, top, wide, high) == (0, 0, width, height)
    region = "full" if is_all else f"{left},{top},{wide},{high}"
    shown = min(tile, across - x * tile), min(tile, down - y * tile)
    size = "max" if shown == (width, height) else f"{shown[0]},{shown[1]}"
    return f"{region}/{size}/0/default.jpg"
