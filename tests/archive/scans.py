"""Files as a scanner would make them."""

from __future__ import annotations

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
