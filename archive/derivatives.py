"""Smaller copies of working files and maps: 8-bit, without metadata, remakeable at any time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyvips
from numpy.typing import NDArray

from archive import storage
from archive.sizes import FULL, FULL_SIDE, MAP, MAP_SIDE, NAMES, SIDES

__all__ = ["NAMES", "ensure", "glimpse", "make", "make_map"]

QUALITY, FULL_QUALITY, GLIMPSE_QUALITY = 85, 90, 75


def make(path: Path, sha256: str, *, again: bool = False) -> None:
    """Store every size of the working file at `path`, under the name of its content.

    `again`: in the place of those that are there, because they are made another way now.
    """
    put = storage.replace_bytes if again else storage.put_bytes
    full = _shrunk(pyvips.Image.new_from_file(str(path), access="sequential"), FULL_SIDE)
    put(_key(sha256, FULL), _jpeg(full, FULL_QUALITY))
    larger = full
    # Each from the next larger one: the file is decoded once, however many sizes there are.
    for side in sorted(SIDES, reverse=True):
        larger = _shrunk(larger, side)
        put(_key(sha256, str(side)), _jpeg(larger, QUALITY))


def ensure(sha256: str) -> None:
    """Make again whatever of a working file's sizes has gone."""
    if all(storage.exists(storage.derivative_key(sha256, name)) for name in NAMES):
        return
    with storage.local(storage.working_key(sha256)) as path:
        make(path, sha256)


def make_map(sheet: NDArray[np.uint8], sha256: str) -> None:
    """Store a smaller copy of a map, uint8 HxW; one that is small enough already needs none.

    Each pixel is the strongest of those it stands for: a hair that is mapped stays in sight.
    """
    step = -(-max(sheet.shape) // MAP_SIDE)
    if step == 1:
        return
    height, width = (-(-side // step) for side in sheet.shape)
    whole = np.zeros((height * step, width * step), np.uint8)
    whole[: sheet.shape[0], : sheet.shape[1]] = sheet
    # Rows first, then columns by strides: ten times as fast as both axes at once.
    flat = whole.reshape(height, step, width * step).max(axis=1)
    small = np.maximum.reduce([flat[:, at::step] for at in range(step)])
    image = pyvips.Image.new_from_array(small).copy(interpretation="b-w")
    data = image.pngsave_buffer(keep="none")
    storage.put_bytes(storage.derivative_key(sha256, MAP), data)


def glimpse(pixels: NDArray[np.uint8], *, side: int, most: int) -> tuple[bytes, int, int]:
    """A uint8 HxWx3 RGB picture as a JPEG of at most so many bytes, with its width and height."""
    image = pyvips.Image.new_from_array(np.ascontiguousarray(pixels)).copy(interpretation="srgb")
    while True:
        small = _shrunk(image, side)
        data: bytes = small.jpegsave_buffer(Q=GLIMPSE_QUALITY, keep="none")
        if len(data) <= most or side <= 1:
            return data, small.width, small.height
        side //= 2


def _shrunk(image: Any, side: int) -> Any:
    """The picture in memory, 8-bit sRGB, its long side at most `side`."""
    small = image.thumbnail_image(side, height=side, size="down", no_rotate=True)
    return small.colourspace("srgb").copy_memory()


def _key(sha256: str, name: str) -> str:
    return storage.derivative_key(sha256, f"{name}.jpg")


def _jpeg(image: Any, quality: int) -> bytes:
    data: bytes = image.jpegsave_buffer(Q=quality, optimize_coding=True, keep="none")
    return data
