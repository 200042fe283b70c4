"""Frontal faces by the LBP cascade that scikit-image ships: a suggestion, it misses many."""

from functools import lru_cache

import numpy as np
from skimage.data import lbp_frontal_face_cascade_filename
from skimage.feature import Cascade

from restoration.engine.image import shrink
from restoration.engine.luma import Image

Box = tuple[float, float, float, float]

LONG_SIDE = 720


def find(light: Image) -> list[Box]:
    """Boxes (x, y, width, height) as fractions of the picture, large first; luma HxW in [0, 1]."""
    small = np.clip(shrink(light, LONG_SIDE), 0, 1)
    height, width = small.shape
    if min(height, width) < 48:
        return []
    found = _cascade().detect_multi_scale(
        np.ascontiguousarray(np.rint(small * 255).astype(np.uint8)),
        scale_factor=1.2,
        step_ratio=1,
        min_size=(24, 24),
        max_size=(min(height, width), min(height, width)),
    )
    boxes = [
        (box["c"] / width, box["r"] / height, box["width"] / width, box["height"] / height)
        for box in found
    ]
    return merged(boxes)


def merged(boxes: list[Box]) -> list[Box]:
    """Without the boxes that largely lie in a larger one."""
    kept: list[Box] = []
    for box in sorted(boxes, key=lambda box: (-box[2] * box[3], box)):
        if all(_overlap(box, other) < 0.4 for other in kept):
            kept.append(tuple(round(float(value), 5) for value in box))  # type: ignore[arg-type]
    return kept


def _overlap(box: Box, other: Box) -> float:
    """Shared area over the smaller box's area."""
    wide = min(box[0] + box[2], other[0] + other[2]) - max(box[0], other[0])
    high = min(box[1] + box[3], other[1] + other[3]) - max(box[1], other[1])
    smaller = min(box[2] * box[3], other[2] * other[3])
    return max(0.0, wide) * max(0.0, high) / smaller


@lru_cache(maxsize=1)
def _cascade() -> Cascade:
    return Cascade(lbp_frontal_face_cascade_filename())
