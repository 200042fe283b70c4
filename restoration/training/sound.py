"""Where a finder of damage must learn to leave alone: sound scans of old photographs, and the clean
pictures on which the network in the package raises a false alarm.

Half the windows are cut at such alarms, for there it has most to learn. No old print is wholly
without dust, so on a scan what the finder believes to be a mark counts for nothing; a clean picture
has none.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from scipy import ndimage

from restoration.engine import damage, measure
from restoration.training.layers import Image, Plane, Random
from restoration.training.pictures import Picture, files_in

BELIEVED_AT = 0.7  # sensitivity of the finder whose marks do not count
NEAR = 3  # pixels around them that do not count either
ALARM = 128  # of 255: what the network takes for damage
AT_ALARMS = 0.5  # share of the windows
LONGEST = 800  # pixels of the long side of a clean picture that is looked at for alarms


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
            top, left = corner_at(self.alarms, rng, side, (high, wide))
        cut = slice(top, top + side), slice(left, left + side)
        seen = self.picture[cut].astype(np.float32) / np.float32(255)
        return seen, self.counts[cut].astype(np.float32)


def corner_at(
    alarms: NDArray[np.int32], rng: Random, side: int, shape: tuple[int, int]
) -> tuple[int, int]:
    """Top and left of a window in which one of the alarms lies anywhere."""
    row, column = alarms[rng.integers(len(alarms))] - rng.integers(side, size=2)
    return int(np.clip(row, 0, shape[0] - side)), int(np.clip(column, 0, shape[1] - side))


def alarmed(pictures: Sequence[Picture]) -> tuple[tuple[Picture, NDArray[np.int32]], ...]:
    """Those of the clean pictures on which the network in the package raises alarms, and where.
    The largest are left out: they are soft, and take longest to look at."""
    looked = [each for each in pictures if max(each.shape) <= LONGEST]
    found = [(each, _alarms(each)) for each in looked]
    return tuple((each, places) for each, places in found if len(places))


def _alarms(picture: Picture) -> NDArray[np.int32]:
    high, wide = (side // 16 * 16 for side in picture.shape[:2])
    image = picture[:high, :wide].astype(np.float32) / np.float32(255)
    return np.argwhere(damage.asked(image) > ALARM).astype(np.int32)


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
