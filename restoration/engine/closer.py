"""A part of two pictures, cut out of both at one size: where it lies, and how the two lie on each
other there, once it is known how the whole ones do."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from restoration.engine.image import resize
from restoration.engine.luma import Image, luma

Box = tuple[float, float, float, float]  # x, y, width, height in fractions
Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Part:
    """Its edges as fractions of the picture, and the size in pixels at which it is looked at."""

    left: float
    top: float
    right: float
    bottom: float
    size: tuple[int, int]  # height, width

    def of(self, picture: NDArray[Any]) -> NDArray[Any]:
        """A view of the part of a picture HxW or HxWxC of any size; nothing is copied."""
        height, width = picture.shape[:2]
        top, left = round(self.top * height), round(self.left * width)
        bottom, right = round(self.bottom * height), round(self.right * width)
        return picture[top : max(bottom, top + 1), left : max(right, left + 1)]

    def light(self, picture: Image) -> Image:
        """Luma HxW in [0, 1] of the part of an RGB picture, at the part's size."""
        found = luma(self.of(picture))
        return found if found.shape == self.size else np.clip(resize(found, *self.size), 0, 1)

    def box(self, box: Box) -> Box:
        """A box of the picture as one of the part."""
        wide, tall = self.right - self.left, self.bottom - self.top
        x, y, across, down = box
        return (x - self.left) / wide, (y - self.top) / tall, across / wide, down / tall

    def within(self, matrix: Matrix, whole: tuple[int, ...]) -> Matrix:
        """A map (float64 2x3, as register's) between two pictures of shape `whole`, as the one
        between the same part of both."""
        by = (
            np.array([self.right - self.left, self.bottom - self.top])
            * (whole[1], whole[0])
            / (self.size[1], self.size[0])
        )
        out = np.eye(3)  # from pixel centres of the part to those of the whole
        out[[0, 1], [0, 1]] = by
        out[:2, 2] = (self.left * whole[1], self.top * whole[0]) + 0.5 * by - 0.5
        inner = np.linalg.inv(out) @ np.vstack([matrix, [0, 0, 1]]) @ out
        return np.asarray(inner[:2])


def around(box: Box, shape: tuple[int, ...], sides: float, scale: float) -> Part:
    """The box of a picture with so many of its sides around it, on whole pixels of that picture, to
    be looked at `scale` times as large."""
    height, width = shape[:2]
    x, y, wide, high = box
    left, right = (x - sides * wide) * width, (x + (1 + sides) * wide) * width
    top, bottom = (y - sides * high) * height, (y + (1 + sides) * high) * height
    left, top = max(0, int(np.floor(left))), max(0, int(np.floor(top)))
    right, bottom = min(width, int(np.ceil(right))), min(height, int(np.ceil(bottom)))
    size = max(1, round((bottom - top) * scale)), max(1, round((right - left) * scale))
    return Part(left / width, top / height, right / width, bottom / height, size)
