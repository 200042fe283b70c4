"""Colour that a hand brought to a picture which had none: where it lies, so that it can be shown.

A monochrome has one tint for each brightness, whatever the paper and the toning; what strays from
that was put there. Of a colour photograph nothing is said: to mend its colours is no colouring.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from restoration.engine import measure
from restoration.engine.fading import ONE_TINT
from restoration.engine.image import resize
from restoration.engine.luma import Image, chroma, luma

Mask = NDArray[np.uint8]

CALM = 2.0  # pixels: the colour noise of a scan or a JPEG is no colour
LEAST, FULL = 0.03, 0.09  # chroma that may be chance, and that is colour beyond doubt
SHADES = 48  # brightnesses at which the tint of a monochrome is read
SEEN = 25  # of 255: as sure as that, colour can be seen
AREA = 0.002  # share of the picture below which nobody has coloured anything


def colour(before: Image, after: Image) -> Mask | None:
    """How sure it is that colour was added, uint8 HxW of `after`; None when it was not.

    Both float32 HxWx3 RGB in [0, 1] of one view; sizes may differ by a scale.
    """
    if measure.cast(before, _everywhere(before)).stray >= ONE_TINT:
        return None
    if before.shape != after.shape:
        before = np.clip(resize(before, *after.shape[:2]), 0, 1)
    had, has = _strayed(before), _strayed(after)
    grown = _strength(has) > _strength(had)  # a stain whose tint was taken away is no colour
    if measure.cast(after, _everywhere(after)).stray >= ONE_TINT:
        # So much is coloured that its middle tint is no tint of paper any more.
        has = _calm(chroma(after) - chroma(before))
    sure = (_strength(has - had) - LEAST) / (FULL - LEAST)
    found = np.rint(255 * np.clip(sure * grown, 0, 1)).astype(np.uint8)
    return found if (found > SEEN).mean() > AREA else None


def _strayed(image: Image) -> Image:
    """Chroma without the middle tint of its brightness, HxWx3."""
    return _calm(chroma(image) - measure.tint(image, luma(image), _everywhere(image), SHADES))


def _strength(colours: Image) -> NDArray[np.float32]:
    found: NDArray[np.float32] = np.abs(colours).max(axis=2)
    return found


def _calm(colours: Image) -> Image:
    found: Image = ndimage.gaussian_filter(colours, (CALM, CALM, 0))
    return found


def _everywhere(image: Image) -> NDArray[np.bool_]:
    return np.ones(image.shape[:2], bool)
