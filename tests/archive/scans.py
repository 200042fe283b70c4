"""Files as a scanner would make them."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import numpy as np
import pyvips


def scan(seed: int = 1, *, suffix: str = ".jpg", height: int = 60, width: int = 90) -> bytes:
    """A small noisy picture, whole and readable."""
    noise = np.random.default_rng(seed).integers(40, 200, (height, width, 3), np.uint8)
    data: bytes = pyvips.Image.new_from_array(noise).write_to_buffer(suffix)
    return data


def broken(seed: int = 1) -> bytes:
    """One that breaks off in the middle."""
    return scan(seed, height=300, width=300)[:5000]


def tiff(pages: int, **options: Any) -> bytes:
    """Pages of one size that look nothing like each other."""
    rng = np.random.default_rng(pages)
    noise = rng.integers(20, 230, (48 * pages, 64, 3), np.uint8)
    image = pyvips.Image.new_from_array(noise).copy()
    image.set_type(pyvips.GValue.gint_type, "page-height", 48)
    data: bytes = image.tiffsave_buffer(**options)
    return data


def zipped(files: dict[str, bytes]) -> bytes:
    """A ZIP of them, by their names in it."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()
