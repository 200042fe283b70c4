"""Where a finder of damage must learn to leave alone: sound scans of old photographs, and the clean
pictures on which the network in the package raises a false alarm.

Some windows are cut at such alarms, for there it has most to learn. No old print is wholly without
dust, so on a scan whatever the network sees counts for nothing, but where a person has looked and
found cloth, lace or beads (LOOKED_AT) that the finder does not believe in either; a clean picture
has none.
"""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from restoration.engine import damage, measure
from restoration.training.layers import Image, Plane, Random
from restoration.training.pictures import Picture, files_in, read

BELIEVED_AT = 0.7  # sensitivity of the finder whose marks never count
DOUBTED = 32  # of 255: from here on a scan what the network sees does not count
NEAR = 3  # pixels around it that do not count either
ALARM = 128  # of 255: what the network takes for damage
AT_ALARMS = 0.5  # share of the windows
LOOKED_AT = (
    "looked_at.csv"  # beside the scans: file, left, top, right, bottom in shares of its side
)
LONGEST = 800  # pixels of the long side of a clean picture that is looked at for alarms

Share = tuple[float, ...]  # left, top, right, bottom; the whole side is 1


@dataclass(frozen=True)
class Scan:
    """One picture at its own size, HxWx3; counts HxW is False where dust may be; alarms Nx2
    (row, column). doubled: the finder looks at it twice as large."""

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
    image = picture.astype(np.float32) / np.float32(255)
    return np.argwhere(damage.asked(image)[..., 0] > ALARM).astype(np.int32)


def scans(folders: Iterable[Path], least: int) -> tuple[Scan, ...]:
    """Those of the folders whose short side has that many pixels."""
    folders = list(folders)
    looked = looked_at(folders)
    made = (_scan(file, looked.get(file, [])) for file in files_in(folders))
    return tuple(scan for scan in made if min(scan.counts.shape) >= least)


def looked_at(folders: Iterable[Path]) -> dict[Path, list[Share]]:
    """Of each file the boxes in which a person found no damage; ValueError, naming the line, for
    one that is no box or of no file."""
    found: dict[Path, list[Share]] = {}
    for told in sorted(file for each in folders for file in each.rglob(LOOKED_AT)):
        with told.open(newline="", encoding="utf-8-sig") as lines:  # Excel writes a mark in front
            for number, row in enumerate(csv.DictReader(lines), 2):
                file = told.parent / (row.get("file") or "")
                if not (file.is_file() and _is_box(box := _share(row))):
                    raise ValueError(f"{told}, line {number}: no box within a picture beside it.")
                found.setdefault(file, []).append(box)
    return found


def _share(row: dict[str, str]) -> Share:
    try:
        return tuple(float(row[side]) for side in ("left", "top", "right", "bottom"))
    except (KeyError, TypeError, ValueError):
        return ()


def _is_box(box: Share) -> bool:
    return len(box) == 4 and 0 <= box[0] < box[2] <= 1 and 0 <= box[1] < box[3] <= 1


def _within(shape: tuple[int, int], boxes: Sequence[Share]) -> NDArray[np.bool_]:
    inside = np.zeros(shape, bool)
    for left, top, right, bottom in boxes:
        rows = slice(round(top * shape[0]), round(bottom * shape[0]))
        inside[rows, round(left * shape[1]) : round(right * shape[1])] = True
    return inside


def _scan(file: Path, sure: Sequence[Share]) -> Scan:
    picture = np.asarray(read(file, damage.LARGE))
    image = picture.astype(np.float32) / np.float32(255)
    planes = damage.answered(image)
    levels = planes[..., 0]
    believed = damage.kept(planes, *measure.luma_and_inside(image), [], BELIEVED_AT)
    near, doubted = (
        ndimage.binary_dilation(seen, iterations=NEAR) for seen in (believed, levels > DOUBTED)
    )
    inside = _within(levels.shape, sure) & ~near
    counts = ~doubted | inside
    alarms = np.argwhere((levels > ALARM) & inside).astype(np.int32)
    return Scan(picture, counts, alarms, max(picture.shape) < damage.SMALL)
