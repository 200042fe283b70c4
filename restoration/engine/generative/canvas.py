"""The size a model works at: scaled down to what it can bear, padded to what it divides by."""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from restoration.engine.image import resize

Floats = NDArray[np.float32]
Size = tuple[int, int]
Scalar = TypeVar("Scalar", bound=np.generic)


@dataclass(frozen=True)
class Canvas:
    """Heights and widths: of the picture, of the picture scaled, and of the padded whole.

    Padding is mirrored and only at the right and below; nothing is ever cropped.
    """

    picture: Size
    scaled: Size
    padded: Size

    @property
    def scale(self) -> float:
        return self.scaled[1] / self.picture[1]

    def shrink(self, image: Floats) -> Floats:
        """Return a picture, float32 HxW or HxWx3, at the scaled size."""
        if self.scaled == self.picture:
            return image
        return np.clip(resize(image, *self.scaled), 0, 1)

    def held(self, area: NDArray[np.bool_]) -> Floats:
        """Return an area, HxW, at the scaled size, 1 wherever a pixel of it comes to lie: however
        small it becomes none is lost."""
        found = np.zeros(self.scaled, np.float32)
        rows, columns = (
            ((places + 0.5) * scaled / side).astype(np.intp)
            for places, scaled, side in zip(
                np.nonzero(area), self.scaled, self.picture, strict=True
            )
        )
        found[rows, columns] = 1
        return found

    def pad(self, image: Floats) -> Floats:
        """Return a scaled picture mirrored outwards to the padded size."""
        below, right = (self.padded[axis] - self.scaled[axis] for axis in (0, 1))
        missing = [(0, below), (0, right)] + [(0, 0)] * (image.ndim - 2)
        return np.pad(image, missing, mode="symmetric")

    def unpad(self, image: NDArray[Scalar]) -> NDArray[Scalar]:
        """Return the scaled picture out of a padded one."""
        return np.ascontiguousarray(image[: self.scaled[0], : self.scaled[1]])

    def enlarge(self, image: Floats) -> Floats:
        """Return something of the scaled size at the picture's own size, not clipped."""
        return image if self.scaled == self.picture else resize(image, *self.picture)


def fitted(
    shape: tuple[int, ...],
    multiple_of: int,
    max_pixels: int,
    largest: float,
    *,
    least_side: int = 0,
    most_ratio: int = 0,
) -> Canvas:
    """Return the canvas of a picture: at most `max_pixels` once padded, and at most `largest`
    times as large as the picture.

    Once padded no side is below `least_side`, nor more than `most_ratio` times the other
    (0: any).
    """
    height, width = shape[:2]
    scale = min(largest, (max_pixels / (height * width)) ** 0.5)
    while True:
        scaled = (max(multiple_of, round(height * scale)), max(multiple_of, round(width * scale)))
        least = max(least_side, -(-max(scaled) // most_ratio) if most_ratio else 0)
        padded = (
            rounded_up(max(scaled[0], least), multiple_of),
            rounded_up(max(scaled[1], least), multiple_of),
        )
        if padded[0] * padded[1] <= max_pixels or scaled == (multiple_of, multiple_of):
            return Canvas((height, width), scaled, padded)
        scale *= 0.98


def rounded_up(side: int, multiple_of: int) -> int:
    return -(-side // multiple_of) * multiple_of
