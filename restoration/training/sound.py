"""Scans of sound old photographs: what a finder of damage must leave alone.

Half the windows are cut where the network in the package raises a false alarm, for there it has
most to learn. No old print is wholly without dust, so what the finder believes to be a mark counts
for nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from scipy import ndimage

from restoration.engine import damage, measure
from restoration.training.layers import Image, Plane, Random
from restoration.training.pictures import files_in

BELIEVED_AT = 0.7  # sensitivity of the finder whose marks do not count
NEAR = 3  # pixels around them that do not count either
ALARM = 128  # of 255: what the network takes for damage
AT_ALARMS = 0.5  # share of the windows


@dataclass(frozen=True)
class Scan:
    """One picture at its own size, HxWx3; counts HxW is False where dust may be; alarms Nx2 (row,
    column). doubled: the finder looks at it twice as large."""

    picture: NDArray[np.uint8]
    counts: NDArray[np.bool_]
    alarms: NDArray[np.int32]
    doubled: bool

    def window(self, rng: Random, side: int) -> tuple[Image, Plane]:
        """A square of it in [0, 1], and what counts there."""
        high, wide = self.counts.shape
        top, left = int(rng.integers(high - side + 1)), int(rng.integers(wide - side + 1))
        if len(self.alarms) and rng.random() < AT_ALARMS:
            row, column = self.alarms[rng.integers(len(self.alarms))] - rng.integers(side, size=2)
            top, left = int(np.clip(row, 0, high - side)), int(np.clip(column, 0, wide - side))
        cut = slice(top, top + side), slice(left, left + side)
        seen = self.picture[cut].astype(np.float32) / np.float32(255)
        return seen, self.counts[cut].astype(np.float32)


def scans(folders: Iterable[Path], least: int) -> tuple[Scan, ...]:
    """Those of the folders whose short side has that many pixels."""
    return tuple(
        scan for file in files_in(folders) if min((scan := _scan(file)).counts.shape) >= least
    )


def _scan(file: Path) -> Scan:
    with Pillow.open(file) as opened:
        whole = opened.convert("RGB")
    whole.thumbnail((damage.LARGE, damage.LARGE), Pillow.Resampling.BOX)
    picture = np.asarray(whole)
    image = picture.astype(np.float32) / np.float32(255)
    levels = damage.likelihood(image)
    light, inside = measure.luma_and_inside(image)
    believed = damage.kept(levels, light, inside, [], BELIEVED_AT)
    counts = ~ndimage.binary_dilation(believed, iterations=NEAR)
    alarms = np.argwhere((levels > ALARM) & counts).astype(np.int32)
    return Scan(picture, counts, alarms, max(picture.shape) < damage.SMALL)
