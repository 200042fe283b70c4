"""The luma lock: colour may come from anywhere, brightness only from the photograph."""

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]

WEIGHTS = np.array([0.299, 0.587, 0.114], np.float32)


def luma(image: Image) -> Image:
    """BT.601 luma, HxW float32, of an HxWx3 RGB float32 picture in [0, 1]."""
    return (image @ WEIGHTS).astype(np.float32, copy=False)


def chroma(image: Image) -> Image:
    """The picture minus its luma: HxWx3 vectors whose own luma is zero."""
    return image - luma(image)[..., None]


def lock_luma(base: Image, coloured: Image) -> Image:
    """The chroma of `coloured` on the luma of `base`; both HxWx3 RGB float32 in [0, 1].

    Where a colour at that brightness would leave the gamut, its chroma is scaled down until it
    fits; the luma is never touched: after rounding to 8 bits it is within 0.5/255 of the base.
    """
    return on_luma(luma(base), chroma(coloured))


def on_luma(light: Image, colour: Image) -> Image:
    """Luma HxW in [0, 1] plus zero-luma vectors HxWx3, scaled into the gamut in closed form."""
    room = np.where(colour > 0, 1.0 - light[..., None], light[..., None])
    needed = np.maximum(np.abs(colour), 1e-6)
    red, green, blue = np.moveaxis(room / needed, -1, 0)  # .min(axis=-1) is ten times slower
    scale = np.minimum(np.minimum(1.0, red), np.minimum(green, blue))
    locked: Image = (light[..., None] + colour * scale[..., None]).astype(np.float32)
    return np.clip(locked, 0.0, 1.0, out=locked)
