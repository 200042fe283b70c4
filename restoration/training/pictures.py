"""The clean pictures that a network learns from: an institution's own, and procedural ones."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from restoration.training.leaves import leaf_picture

Picture = NDArray[np.uint8]  # HxWx3 RGB
Random = np.random.Generator

ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff")
SIZES = (1.0, 0.5, 0.33)  # web photographs are soft at full size, sharp when reduced
LARGEST = 1600  # pixels of the long side that are kept in memory
LEAVES = 40  # procedural pictures in a training run: many crowd the photographs out (decision 0027)
LEAF_SIDE = 192


class UnfitError(Exception):
    """The pictures that were given cannot be learnt from; says why."""


@dataclass(frozen=True)
class Shelf:
    """Clean pictures to cut from; `kept` is set aside for the card's figures, never learnt from."""

    pictures: tuple[Picture, ...]
    kept: tuple[Picture, ...]
    sources: tuple[tuple[str, str], ...]  # (file name, sha256), for the card

    def crop(self, rng: Random, side: int) -> NDArray[np.float32]:
        """A random square of that side, turned and mirrored, float32 side x side x 3 in [0, 1]."""
        picture = self.pictures[rng.integers(len(self.pictures))]
        top = rng.integers(picture.shape[0] - side + 1)
        left = rng.integers(picture.shape[1] - side + 1)
        return turned(picture[top : top + side, left : left + side], rng)

    def busier(self, rng: Random, side: int) -> NDArray[np.float32]:
        """The one of two such squares in which more goes on: skies and soft backgrounds, of which
        photographs are full, teach a cleaner little."""
        return max(self.crop(rng, side), self.crop(rng, side), key=busy)


def busy(cut: NDArray[np.float32]) -> float:
    """How much goes on in a square: the mean step between neighbours."""
    down, across = np.abs(np.diff(cut, axis=0)).mean(), np.abs(np.diff(cut, axis=1)).mean()
    return float(down + across)


def turned(cut: Picture, rng: Random) -> NDArray[np.float32]:
    """A square turned and mirrored at random, float32 in [0, 1]."""
    cut = np.rot90(cut, int(rng.integers(4)))
    cut = cut[:, ::-1] if rng.random() < 0.5 else cut
    found: NDArray[np.float32] = np.ascontiguousarray(cut, np.float32)
    return found / np.float32(255)


def shelf(folders: Iterable[Path], *, seed: int, leaves: int = LEAVES, least: int = 136) -> Shelf:
    """All pictures under the folders at three sizes, and `leaves` procedural ones.

    Every twentieth picture is set aside. Nothing below `least` pixels on its short side is used.
    Raises UnfitError when a file is no picture, and when there is none at all.
    """
    files = files_in(folders)
    pictures: list[Picture] = []
    kept: list[Picture] = []
    for number, file in enumerate(files):
        whole = read(file)
        if number % 20 == 7:
            kept.append(np.asarray(_reduced(whole, 0.5)))
        else:
            sized = [np.asarray(_reduced(whole, size)) for size in SIZES]
            pictures += [each for each in sized if min(each.shape[:2]) >= least]
    rng = np.random.default_rng([seed, 0x1EAF])
    pictures += [leaf_picture(rng, max(LEAF_SIDE, least)) for _ in range(leaves)]
    if not pictures:
        raise UnfitError(f"no picture there has {least} pixels on its short side")
    return Shelf(tuple(pictures), tuple(kept), sources(files))


def read(file: Path, largest: int = LARGEST) -> Pillow.Image:
    """A picture in RGB, at most so large on its long side; UnfitError when the file is none."""
    whole = converted(file, "RGB")
    whole.thumbnail((largest, largest), Pillow.Resampling.BOX)
    return whole


def converted(file: Path, mode: str) -> Pillow.Image:
    """A picture in a mode of Pillow's; UnfitError when the file is none."""
    try:
        with Pillow.open(file) as opened:
            return opened.convert(mode)
    except (OSError, SyntaxError, ValueError, Pillow.DecompressionBombError) as error:
        raise UnfitError(f"{file} cannot be read as a picture; move it away") from error


def files_in(folders: Iterable[Path]) -> list[Path]:
    """The pictures under the folders, in order."""
    return sorted(f for each in folders for f in each.rglob("*") if f.suffix.lower() in ENDINGS)


def _reduced(picture: Pillow.Image, size: float) -> Pillow.Image:
    if size == 1.0:
        return picture
    wide, high = max(1, round(picture.width * size)), max(1, round(picture.height * size))
    return picture.resize((wide, high), Pillow.Resampling.BOX)


def sources(files: Sequence[Path]) -> tuple[tuple[str, str], ...]:
    named = [(f"{file.parent.name}/{file.name}", file) for file in files]
    return tuple((name, sha256(file.read_bytes()).hexdigest()) for name, file in named)
