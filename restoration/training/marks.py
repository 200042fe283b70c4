"""Dust, fibres and scratches, drawn; and stamps of real dirt, laid at any size and angle."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from scipy import ndimage

from restoration.training.emulsion import PAPER, SHADOW
from restoration.training.layers import STANDARD_SIDE, Layer, Plane, Random, Sheet
from restoration.training.texture import cloud

Points = NDArray[np.float64]

RUST = np.array([0.45, 0.30, 0.16], np.float32)
KINDS = {  # folder of stamps: kind of damage, how large the stamp is against the print
    "dirt": ("dust", 0.5, 1.3),
    "dots": ("loss", 0.05, 0.4),
    "hair": ("hair", 0.4, 1.3),
    "hair-short": ("hair", 0.4, 1.3),
    "lint": ("hair", 0.25, 0.8),
    "scratches": ("scratch", 0.5, 1.6),
    "smut": ("loss", 0.1, 0.6),
    "spots": ("dust", 0.5, 1.3),
    "sprinkles": ("dust", 0.5, 1.3),
    "stain": ("stain", 0.3, 1.3),
}
SET_ASIDE, OF = 2, 5  # every fifth stamp of a kind measures and never teaches


@dataclass(frozen=True)
class Stroke:
    """A drawn mark: points Nx2 (row, column), radius in pixels, the tone it leaves, its opacity."""

    points: Points
    radius: float
    tone: float
    opacity: float
    kind: str


def drawn(rng: Random, sheet: Sheet) -> list[Layer]:
    """Dust, lint and scratches as a print of that severity has them."""
    ill = sheet.severity
    strokes = [_speck(rng, sheet) for _ in range(sheet.count(rng, 20 + 170 * ill**1.5))]
    strokes += _strokes(rng, sheet, _lint, 6 * ill, 60)
    strokes += _strokes(rng, sheet, _scratch, 7 * ill**1.3, 300)
    if not strokes:
        return []
    return list(_layers(strokes, rng, sheet.shape))


def _strokes(
    rng: Random, sheet: Sheet, draw: Callable[[Random, Sheet], Stroke], mean: float, reach: float
) -> list[Stroke]:
    count = int(rng.poisson(sheet.chance(mean, reach * sheet.scale)))
    return [draw(rng, sheet) for _ in range(count)]


def _speck(rng: Random, sheet: Sheet) -> Stroke:
    start = rng.uniform(0, sheet.shape)
    steps = rng.normal(0, 0.8 * sheet.scale, (rng.integers(2, 5), 2))
    radius = sheet.scale * float(np.clip(rng.lognormal(-0.15, 0.5), 0.5, 4.0))
    tone = 1.0 if rng.random() < 0.72 else 0.0
    path = start + np.cumsum(steps, axis=0)
    return Stroke(path, max(0.35, radius), tone, rng.uniform(0.55, 1.0), "dust")


def _lint(rng: Random, sheet: Sheet) -> Stroke:
    """A curled fibre."""
    turn = np.cumsum(rng.normal(rng.normal(0, 0.12), 0.10, 40)) + rng.uniform(0, 2 * np.pi)
    path = _path(turn, sheet.scale * rng.uniform(0.6, 1.6))
    tone = 1.0 if rng.random() < 0.6 else 0.0
    radius = max(0.35, sheet.scale * rng.uniform(0.5, 0.9))
    return Stroke(_through(path, rng, sheet), radius, tone, rng.uniform(0.5, 0.9), "hair")


def _scratch(rng: Random, sheet: Sheet) -> Stroke:
    """Long, thin, mostly along the way a print is pulled, here and there lifting off."""
    angle = np.pi / 2 + rng.normal(0, 0.2) if rng.random() < 0.7 else rng.uniform(0, np.pi)
    length = sheet.scale * STANDARD_SIDE * rng.uniform(0.06, 0.6)
    turn = angle + np.cumsum(rng.normal(0, 0.012, max(4, round(length / 8))))
    tone = 1.0 if rng.random() < 0.8 else 0.0
    radius = max(0.35, sheet.scale * float(np.clip(rng.lognormal(-0.5, 0.45), 0.35, 2.5)))
    path = _through(_path(turn, 8), rng, sheet)
    return Stroke(path, radius, tone, rng.uniform(0.35, 0.9), "scratch")


def _path(turn: Points, step: float) -> Points:
    found: Points = np.cumsum(np.stack([np.sin(turn), np.cos(turn)], axis=1) * step, axis=0)
    return found


def _through(path: Points, rng: Random, sheet: Sheet) -> Points:
    """Moved so that it passes a random place of the sheet."""
    return path - path[rng.integers(len(path))] + rng.uniform(0, sheet.shape)


def _layers(strokes: list[Stroke], rng: Random, shape: tuple[int, int]) -> Iterator[Layer]:
    """A layer for each kind: each pixel belongs to the nearest stroke."""
    owner = np.full(shape, -1)
    for number, stroke in enumerate(strokes):
        owner[pixels(stroke.points, shape)] = number
    if (owner < 0).all():
        return
    away, (rows, columns) = ndimage.distance_transform_edt(owner < 0, return_indices=True)
    mine = owner[rows, columns]
    ragged = 4 * (cloud(rng, shape, 4.0) - 0.5)
    radius = np.array([stroke.radius for stroke in strokes], np.float32)[mine]
    strength = np.array([stroke.opacity for stroke in strokes], np.float32)[mine]
    edge = np.clip(radius * (1 + 0.25 * ragged) + 0.5 - away, 0, 1)
    opacity = (edge * strength * np.clip(0.85 + 0.25 * ragged, 0.25, 1)).astype(np.float32)
    light = np.array([stroke.tone > 0.5 for stroke in strokes])[mine]
    paint = np.where(light[..., None], PAPER, SHADOW * 0.7)
    for kind in sorted({stroke.kind for stroke in strokes}):
        of_kind = np.array([stroke.kind == kind for stroke in strokes])[mine]
        yield Layer(opacity * of_kind, paint, kind)


def pixels(points: Points, shape: tuple[int, int]) -> tuple[NDArray[np.int64], ...]:
    """The pixels a line through the points visits, those outside the picture left out."""
    length = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    places = np.arange(0, length[-1] + 0.4, 0.4)
    rows = np.rint(np.interp(places, length, points[:, 0])).astype(np.int64)
    columns = np.rint(np.interp(places, length, points[:, 1])).astype(np.int64)
    inside = (rows >= 0) & (rows < shape[0]) & (columns >= 0) & (columns < shape[1])
    return rows[inside], columns[inside]


@dataclass(frozen=True)
class Stamps:
    """Real dirt: (folder, opacity as a Pillow picture at full, half and quarter size)."""

    planes: tuple[tuple[str, tuple[Pillow.Image, ...]], ...]


def stamps(folder: Path, *, kept: bool = False) -> Stamps:
    """The stamps of a folder (RGBA files in one sub-folder a kind, see KINDS) that teach, or with
    `kept` those set aside to measure with."""
    found = []
    for kind in KINDS:
        files = sorted((folder / kind).glob("*.png"))
        chosen = [file for place, file in enumerate(files) if (place % OF == SET_ASIDE) == kept]
        found += [(kind, _sizes(file)) for file in chosen]
    return Stamps(tuple(found))


def _sizes(file: Path) -> tuple[Pillow.Image, ...]:
    with Pillow.open(file) as opened:
        alpha = opened.convert("RGBA").getchannel("A")
    return alpha, alpha.reduce(2), alpha.reduce(4)


def stamped(rng: Random, sheet: Sheet, held: Stamps) -> Layer:
    """One stamp somewhere on the sheet, light or dark, a stain in brown."""
    folder, sizes = held.planes[rng.integers(len(held.planes))]
    kind, least, most = KINDS[folder]
    size = sheet.scale * float(np.exp(rng.uniform(np.log(least), np.log(most))))
    placed = _placed(rng, sheet, sizes, max(0.06, size))
    strength, paint = rng.uniform(0.45, 1.0), _paint(rng)
    if kind == "stain":
        kind, strength, paint = _spilt(rng)
    elif kind == "loss" and rng.random() < 0.3:
        kind, strength, paint = _spilt(rng)
    return Layer(placed * np.float32(strength), paint, kind)


def _paint(rng: Random) -> Plane:
    if rng.random() < 0.65:
        return (PAPER * rng.uniform(0.85, 1.05)).astype(np.float32)
    return (SHADOW * rng.uniform(0.1, 1.0)).astype(np.float32)


def _spilt(rng: Random) -> tuple[str, float, Plane]:
    """A stain that tints, or bleach and glue that hide."""
    if rng.random() < 0.7:
        paint = RUST if rng.random() < 0.7 else PAPER
        return "stain", rng.uniform(0.08, 0.3), paint
    return "loss", rng.uniform(0.6, 1.0), _paint(rng)


def _placed(
    rng: Random, sheet: Sheet, sizes: tuple[Pillow.Image, ...], size: float
) -> Plane:
    """The stamp turned and sized, some opaque pixel of it on a random place: HxW in [0, 1]."""
    level = int(np.clip(np.floor(np.log2(1 / size)), 0, len(sizes) - 1)) if size < 1 else 0
    stamp, step = sizes[level], 1 / (size * 2**level)
    full = np.argwhere(np.asarray(stamp) > 100)
    held = full[rng.integers(len(full))] if len(full) else np.array(stamp.size) / 2
    y, x = rng.uniform(0, sheet.shape)
    turn, mirror = rng.uniform(0, 2 * np.pi), rng.choice([-1, 1])
    cos, sin = step * np.cos(turn), step * np.sin(turn)
    matrix = (mirror * cos, -sin, 0, mirror * sin, cos, 0)
    start_x = held[1] - matrix[0] * x - matrix[1] * y
    start_y = held[0] - matrix[3] * x - matrix[4] * y
    data = (matrix[0], matrix[1], start_x, matrix[3], matrix[4], start_y)
    high, wide = sheet.shape
    found = stamp.transform((wide, high), Pillow.Transform.AFFINE, data, Pillow.Resampling.BILINEAR)
    return np.asarray(found, np.float32) / 255
