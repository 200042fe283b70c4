"""What lies on a photograph, laid on it one layer after the other, and the truth about each pixel.

The truth has four planes. `damage` is everything that hides the picture: it is to be filled.
`line` (scratch, hair, crease) and `missing` (tear, flaked emulsion) say which kind; what is neither
is dust. `stain` only tints what one still sees: it is not to be filled.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from restoration.engine.damage import PLANES
from restoration.engine.luma import WEIGHTS

Image = NDArray[np.float32]
Plane = NDArray[np.float32]
Truth = NDArray[np.bool_]  # HxWx4, in the order of PLANES
Random = np.random.Generator

VISIBLE = 0.12  # opacity from which a mark counts as damage
LEAST_CHANGE = (
    4 / 255
)  # a mark that changes the picture less than this is no damage: nobody sees it
STANDARD_SIDE = 1000  # lengths are told for a picture of that long side
TOLD = {
    "dust": ("damage",),
    "scratch": ("damage", "line"),
    "hair": ("damage", "line"),
    "crease": ("damage", "line"),
    "tear": ("damage", "missing"),
    "loss": ("damage", "missing"),
    "stain": ("stain",),
}


@dataclass(frozen=True)
class Sheet:
    """A picture, or a window of one: the window's shape, where it lies, how large the whole is."""

    shape: tuple[int, int]
    whole: tuple[int, int]
    corner: tuple[int, int] = (0, 0)  # of the window in the whole: row, column
    severity: float = 0.5  # 0 well kept, 1 found in an attic
    density: float = 1.0  # how many times more marks than that asks for

    @property
    def scale(self) -> float:
        return max(self.whole) / STANDARD_SIDE

    def count(self, rng: Random, mean: float) -> int:
        """How many of what a whole picture has `mean` of lie in this window."""
        share = self.shape[0] * self.shape[1] / (self.whole[0] * self.whole[1])
        return int(rng.poisson(mean * share * self.density))

    def chance(self, mean: float, reach: float) -> float:
        """How many of what spans the picture cross the window widened by `reach` pixels."""
        share = (max(self.shape) + reach) / (max(self.whole) + reach)
        return mean * min(1.0, share * self.density)

    def places(self) -> tuple[Plane, Plane]:
        """Row and column of each pixel in the whole picture: Hx1 and 1xW."""
        rows = np.arange(self.shape[0], dtype=np.float32) + self.corner[0]
        columns = np.arange(self.shape[1], dtype=np.float32) + self.corner[1]
        return rows[:, None], columns[None, :]

    def edge(self) -> Plane:
        """1 at the rim of the whole picture, 0 a sixth of the way in."""
        rows, columns = self.places()
        rows = np.minimum(rows, self.whole[0] - 1 - rows)
        columns = np.minimum(columns, self.whole[1] - 1 - columns)
        away = np.minimum(rows, columns) / (max(self.whole) / 6)
        found: Plane = np.square(np.clip(1 - away, 0, 1))
        return found


def whole(image: Image, severity: float) -> Sheet:
    """The sheet that is all of a picture."""
    high, wide = image.shape[:2]
    return Sheet((high, wide), (high, wide), severity=severity)


@dataclass(frozen=True)
class Layer:
    """opacity HxW in [0, 1]; paint: what covers the picture, broadcast to HxWx3; a kind of TOLD."""

    opacity: Plane
    paint: Image
    kind: str


def untouched(shape: tuple[int, ...]) -> Truth:
    return np.zeros((*shape[:2], len(PLANES)), bool)


def laid(image: Image, truth: Truth, layer: Layer) -> Image:
    """The picture under the layer; what of it can be seen is entered in the truth."""
    box = _box(layer.opacity)
    opacity, below = layer.opacity[box], image[box]
    change = opacity[..., None] * (np.broadcast_to(layer.paint, image.shape)[box] - below)
    seen = (opacity > VISIBLE) & (np.abs(change @ WEIGHTS) > LEAST_CHANGE)
    _enter(truth[box], seen, layer.kind)
    found: Image = image.copy()
    found[box] += change
    return found


def _box(opacity: Plane) -> tuple[slice, slice]:
    """Around all that is not quite transparent; empty where nothing is."""
    rows, columns = (np.flatnonzero((opacity > 0).any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return slice(0), slice(0)
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def dimmed(image: Image, truth: Truth, depth: Plane, absorbed: Image) -> Image:
    """The picture through a stain that takes that share of each colour; entered where seen."""
    change = -image * (depth[..., None] * absorbed)
    _enter(truth, np.abs(change @ WEIGHTS) > LEAST_CHANGE, "stain")
    found: Image = image + change
    return found


def _enter(truth: Truth, seen: NDArray[np.bool_], kind: str) -> None:
    for name in TOLD[kind]:
        truth[..., PLANES.index(name)] |= seen


def toned(image: Image, beneath: Image) -> Image:
    """As bright as it is, in the colours of what lies beneath (both HxWx3): most marks came to the
    scan with the print, and on a grey one a finder would else learn to look for colour."""
    lighter = ((image - beneath) @ WEIGHTS).astype(np.float32)
    return np.asarray(beneath + lighter[..., None])
