"""A fingerprint of how a picture looks: two scans of one photograph have nearly the same.

64 bits by the cosine transform of a grey picture of 32 × 32, as the perceptual hash "pHash" makes
them (Zauner, 2010): each says whether one of the 64 slowest waves is stronger than the middle one.
Size, sharpness, compression and tone change few of them; another picture changes about half.
"""

from __future__ import annotations

import numpy as np
import pyvips
from numpy.typing import NDArray
from scipy.fft import dctn

from archive import storage
from archive.sizes import SIDES

SIDE, WAVES = 32, 8
# Below this spread of grey values (of 255) a picture is blank: what is left is noise.
BLANK = 3.0


def fingerprint(working_sha256: str) -> int | None:
    """The fingerprint of a working file, by its smallest copy; None when it is blank.

    FileNotFoundError when that copy is not there.
    """
    key = storage.derivative_key(working_sha256, f"{min(SIDES)}.jpg")
    with storage.open_key(key) as stream:
        return of_jpeg(stream.read())


def of_jpeg(data: bytes) -> int | None:
    """The fingerprint of a JPEG of ours."""
    small = pyvips.Image.thumbnail_buffer(data, SIDE, height=SIDE, size="force")
    grey = np.asarray(small.colourspace("b-w").numpy(), np.float64).reshape(SIDE, SIDE)
    return of_grey(grey)


def of_grey(grey: NDArray[np.float64]) -> int | None:
    """The fingerprint of a grey picture, float 32x32 in [0, 255]."""
    if grey.std() < BLANK:
        return None
    # Without the first row and column: they tell how light it is from edge to edge, which the
    # lamp of a scanner changes.
    waves = dctn(grey, norm="ortho")[1 : WAVES + 1, 1 : WAVES + 1].ravel()
    bits = waves > np.median(waves)
    return int("".join("1" if bit else "0" for bit in bits), 2)
