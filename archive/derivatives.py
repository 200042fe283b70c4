"""Smaller copies of working files: 8-bit sRGB JPEGs without metadata, remakeable at any time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyvips

from archive import storage
from archive.sizes import FULL, FULL_SIDE, NAMES, SIDES

__all__ = ["NAMES", "ensure", "make"]

QUALITY, FULL_QUALITY = 85, 90


def make(path: Path, sha256: str) -> None:
    """Store every size of the working file at `path`, under the name of its content."""
    full = _shrunk(pyvips.Image.new_from_file(str(path), access="sequential"), FULL_SIDE)
    _keep(full, sha256, FULL, FULL_QUALITY)
    larger = full
    # Each from the next larger one: the file is decoded once, however many sizes there are.
    for side in sorted(SIDES, reverse=True):
        larger = _shrunk(larger, side)
        _keep(larger, sha256, str(side), QUALITY)


def ensure(sha256: str) -> None:
    """Make again whatever of a working file's sizes has gone."""
    if all(storage.exists(storage.derivative_key(sha256, name)) for name in NAMES):
        return
    with storage.local(storage.working_key(sha256)) as path:
        make(path, sha256)


def _shrunk(image: Any, side: int) -> Any:
    """The picture in memory, 8-bit sRGB, its long side at most `side`."""
    small = image.thumbnail_image(side, height=side, size="down", no_rotate=True)
    return small.colourspace("srgb").copy_memory()


def _keep(image: Any, sha256: str, name: str, quality: int) -> None:
    data = image.jpegsave_buffer(Q=quality, optimize_coding=True, keep="none")
    storage.put_bytes(storage.derivative_key(sha256, f"{name}.jpg"), data)
