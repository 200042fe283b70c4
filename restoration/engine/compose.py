"""Put what a model made into the picture it was made from, and never more than asked.

All pictures are float32 HxWx3 RGB in [0, 1]; masks are HxW, and anything above zero is inside.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from restoration.engine.errors import BadInput, StepFailed
from restoration.engine.luma import luma

Floats = NDArray[np.float32]
Mask = NDArray[np.uint8]

FEATHER_PX = 2.0
LEAST_DETAIL = 2 / 255  # a perfectly smooth place may still gain this much


def inside_mask(
    base: Floats, generated: Floats, mask: Mask, *, feather: float = FEATHER_PX
) -> Floats:
    """Take `generated` inside the mask, and `base` bit for bit outside it.

    The seam is feathered over `feather` pixels of the inside only. Raises BadInput for shapes
    that differ and StepFailed 'leaked' should a single pixel outside the mask have changed.
    """
    require_same_shape(base, generated)
    inside = mask > 0
    if inside.shape != base.shape[:2]:
        raise BadInput("mask-size", {"mask": list(inside.shape), "picture": list(base.shape)})
    depth = ndimage.distance_transform_edt(inside)
    share = np.clip(depth / max(feather, 1.0), 0, 1).astype(np.float32)[..., None]
    mixed = np.clip(base + share * (generated - base), 0, 1)
    composed = np.where(inside[..., None], mixed, base)
    if not np.array_equal(composed[~inside], base[~inside]):
        raise StepFailed("leaked")
    return np.asarray(composed, dtype=np.float32)


def high_band(
    base: Floats,
    generated: Floats,
    *,
    sigma: float = 4.0,
    k: float = 3.0,
    protect: Mask | None = None,
    protect_weight: float = 0.3,
) -> Floats:
    """Give the base the fine detail of `generated`: same shapes, same tones, same colours."""
    gained = detail_gain(
        base, generated, sigma=sigma, k=k, protect=protect, protect_weight=protect_weight
    )
    return np.asarray(np.clip(base + gained[..., None], 0, 1), dtype=np.float32)


def detail_gain(
    base: Floats,
    generated: Floats,
    *,
    sigma: float = 4.0,
    k: float = 3.0,
    protect: Mask | None = None,
    protect_weight: float = 0.3,
) -> Floats:
    """Return what the base's luma gains, float32 HxW: to be added to all three colours.

    Only luma finer than `sigma` pixels is taken, bounded by `k` times the base's own detail
    nearby, and mixed in at `protect_weight` where `protect` (uint8, 255 is full) covers a face.
    """
    require_same_shape(base, generated)
    own, offered = (fine(luma(picture), sigma) for picture in (base, generated))
    usual = np.sqrt(ndimage.gaussian_filter(own**2, 2 * sigma)) + LEAST_DETAIL
    room = np.maximum(k * usual, np.abs(own))  # a lone bright hair of the base's own may stay
    # What the bound cut off must not darken or brighten the neighbourhood.
    gained = fine(np.clip(offered, -room, room) - own, 2 * sigma)
    if protect is not None:
        gained *= 1 - (1 - protect_weight) * (protect.astype(np.float32) / 255)
    return gained


def settled(base: Floats, generated: Floats, mask: Mask, *, sigma: float = 12.0) -> Floats:
    """Lift `generated` to the tones of `base`, as learned from the places both of them know.

    A model gives even the untouched surroundings back a little lighter or warmer; the difference
    there, carried smoothly into the mask, is taken off everywhere.
    """
    require_same_shape(base, generated)
    known = (mask == 0).astype(np.float32)
    weight = ndimage.gaussian_filter(known, sigma) + 1e-3
    apart = (base - generated) * known[..., None]
    carried = ndimage.gaussian_filter(apart, (sigma, sigma, 0)) / weight[..., None]
    return np.asarray(np.clip(generated + carried, 0, 1), dtype=np.float32)


def fine(plane: Floats, sigma: float) -> Floats:
    return np.asarray(plane - ndimage.gaussian_filter(plane, sigma), dtype=np.float32)


def require_same_shape(base: Floats, generated: Floats) -> None:
    if base.shape != generated.shape or base.ndim != 3 or base.shape[2] != 3:
        facts = {"base": list(base.shape), "generated": list(generated.shape)}
        raise BadInput("sizes-differ", facts)
