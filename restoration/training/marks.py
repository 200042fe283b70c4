"""Dust, fibres and scratches, drawn; and stamps of real dirt, laid at any size and angle."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from scipy import ndimage

from restoration.training.emulsion import PAPER, SHADOW
from restoration.training.layers import (
    STANDARD_SIDE,
    Image,
    Layer,
    Plane,
    Random,
    Sheet,
    Truth,
    laid,
    untouched,
)
from restoration.training.pictures import converted
from restoration.training.texture import cloud

Points = NDArray[np.float64]

RUST = np.array([0.45, 0.30, 0.16], np.float32)
KINDS = {  # folder of stamps: kind of damage, how large the stamp is against the print
    "dirt": ("dust", 0.3, 0.9),
    "dots": ("loss", 0.05, 0.3),
    "hair": ("hair", 0.4, 1.3),
    "hair-short": ("hair", 0.4, 1.3),
    "lint": ("hair", 0.25, 0.8),
    "scratches": ("scratch", 0.5, 1.6),
    "smut": ("loss", 0.1, 0.5),
    "spots": ("dust", 0.5, 1.3),
    "sprinkles": ("dust", 0.3, 0.9),
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


def lone(image: Image, rng: Random) -> tuple[Image, Truth]:
    """The picture (float32 HxWx3) with one to three specks of one to six pixels and nothing else,
    and the truth (bool HxWx4)."""
    truth = untouched(image.shape)
    for _ in range(rng.integers(1, 4)):
        middle = rng.uniform(0, image.shape[:2])
        away = [abs(np.arange(n) - at) for n, at in zip(image.shape[:2], middle, strict=True)]
        reach = float(np.exp(rng.uniform(np.log(0.5), np.log(3))))
        high, wide = (np.clip(reach * rng.uniform(0.7, 1.4) + 0.5 - each, 0, 1) for each in away)
        opacity = np.outer(high, wide).astype(np.float32) * np.float32(rng.uniform(0.55, 1))
        image = laid(image, truth, Layer(opacity, _paint(rng), "dust"))
    return image, truth


def spotted(image: Image, truth: Truth, rng: Random) -> Image:
    """With one to five round or lumpy spots two to twenty pixels wide, dark or light, some with a
    rim: what was spilt or punched or eaten through, or where a bubble burst in the emulsion."""
    dark = rng.random() < 0.6
    for _ in range(rng.integers(1, 6)):
        away = _from_spot(rng, image.shape)
        soft = np.float32(rng.uniform(0.6, 2.0))
        whole = np.clip(0.5 - away / soft, 0, 1) * np.float32(rng.uniform(0.7, 1))
        tone, lit = (SHADOW, rng.uniform(0, 1)) if dark else (PAPER, rng.uniform(0.75, 1.05))
        image = laid(image, truth, Layer(whole, (tone * lit).astype(np.float32), "loss"))
        if rng.random() < 0.2:
            opacity = np.float32(rng.uniform(0.3, 0.9))
            rim = np.asarray(opacity * np.clip(1.5 - np.abs(away), 0, 1), np.float32)
            image = laid(image, truth, Layer(rim, PAPER if dark else SHADOW, "loss"))
    return image


def _from_spot(rng: Random, shape: tuple[int, ...]) -> Plane:
    """How far each pixel lies outside the rim of one spot, HxW; inside it is negative."""
    down, across = (np.arange(side) - rng.uniform(0, side) for side in shape[:2])
    reach = float(np.exp(rng.uniform(0, np.log(10))))
    stretch = float(np.exp(rng.normal(0, 0.15)))
    around = np.arctan2(down[:, None], across[None])
    lumpy = sum(
        rng.normal(0, 0.35 / turns**1.5) * np.cos(turns * around + rng.uniform(0, 2 * np.pi))
        for turns in range(2, 6)
    )
    rim = reach * (1 + (rng.random() < 0.6) * np.clip(lumpy, -0.6, 0.6))
    middle = np.hypot(stretch * down[:, None], across[None] / stretch)
    return np.asarray(middle - rim, np.float32)


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
    found: Points = path - path[rng.integers(len(path))] + rng.uniform(0, sheet.shape)
    return found


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
    bright, dark = PAPER * rng.uniform(0.8, 1.05), SHADOW * rng.uniform(0.1, 1)
    paint = np.where(light[..., None], bright, dark).astype(np.float32)
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
class Stamp:
    """Of a folder of KINDS: opacity at full, half and quarter size, and where it is opaque."""

    folder: str
    sizes: tuple[Pillow.Image, ...]
    opaque: Points  # Nx2, row and column at full size


@dataclass(frozen=True)
class Stamps:
    """Real dirt."""

    planes: tuple[Stamp, ...] = ()


def holds_stamps(folder: Path) -> bool:
    return any((folder / kind).is_dir() for kind in KINDS)


def stamps(*folders: Path, kept: bool = False) -> Stamps:
    """The stamps of the folders (RGBA files in one sub-folder a kind, see KINDS) that teach, or
    with `kept` those set aside to measure with."""
    chosen = [
        (file.parent.name, file)
        for place, file in _files(folders)
        if (place % OF == SET_ASIDE) == kept
    ]
    return Stamps(tuple(_stamp(kind, file) for kind, file in chosen))


def sources(*folders: Path) -> tuple[tuple[str, str], ...]:
    """(file name, sha256) of the stamps that teach, for the card."""
    files = [file for place, file in _files(folders) if place % OF != SET_ASIDE]
    return tuple(
        (f"{file.parent.name}/{file.name}", sha256(file.read_bytes()).hexdigest()) for file in files
    )


def _files(folders: Iterable[Path]) -> Iterator[tuple[int, Path]]:
    """Each stamp with its place among those of its kind."""
    for folder in folders:
        for kind in KINDS:
            yield from enumerate(sorted((folder / kind).glob("*.png")))


def _stamp(folder: str, file: Path) -> Stamp:
    alpha = converted(file, "RGBA").getchannel("A")
    opaque = np.argwhere(np.asarray(alpha) > 100).astype(np.float64)
    if not len(opaque):
        opaque = np.array([[alpha.height / 2, alpha.width / 2]])
    return Stamp(
        folder, (alpha, alpha.reduce(2), alpha.reduce(4)), opaque[:: len(opaque) // 200 + 1]
    )


def stamped(rng: Random, sheet: Sheet, held: Stamps) -> Layer:
    """One stamp somewhere on the sheet, light or dark, a stain in brown."""
    stamp = held.planes[rng.integers(len(held.planes))]
    kind, least, most = KINDS[stamp.folder]
    size = sheet.scale * float(np.exp(rng.uniform(np.log(least), np.log(most))))
    placed = _placed(rng, sheet, stamp, max(0.06, size))
    strength, paint = rng.uniform(0.45, 1.0), _paint(rng)
    if kind == "stain" or (kind == "loss" and rng.random() < 0.3):
        kind, strength, paint = _spilt(rng)
    return Layer(placed * np.float32(strength), paint, kind)


def _paint(rng: Random) -> Plane:
    if rng.random() < 0.65:
        return (PAPER * rng.uniform(0.8, 1.05)).astype(np.float32)
    return (SHADOW * rng.uniform(0.1, 1.0)).astype(np.float32)


def _spilt(rng: Random) -> tuple[str, float, Plane]:
    """A stain that tints, or bleach and glue that hide."""
    if rng.random() < 0.7:
        paint = RUST if rng.random() < 0.7 else PAPER
        return "stain", rng.uniform(0.08, 0.3), paint
    return "loss", rng.uniform(0.6, 1.0), _paint(rng)


def _placed(rng: Random, sheet: Sheet, stamp: Stamp, size: float) -> Plane:
    """The stamp turned and sized, some opaque pixel of it on a random place: HxW in [0, 1]."""
    level = int(np.clip(np.floor(np.log2(1 / size)), 0, len(stamp.sizes) - 1))
    held = stamp.opaque[rng.integers(len(stamp.opaque))] / 2**level
    step, turn = 1 / (size * 2**level), rng.uniform(0, 2 * np.pi)
    cos, sin, mirror = step * np.cos(turn), step * np.sin(turn), rng.choice([-1, 1])
    y, x = rng.uniform(0, sheet.shape)
    start_x = held[1] - mirror * cos * x + sin * y
    start_y = held[0] - mirror * sin * x - cos * y
    matrix = (mirror * cos, -sin, start_x, mirror * sin, cos, start_y)
    found = stamp.sizes[level].transform(
        sheet.shape[::-1], Pillow.Transform.AFFINE, matrix, Pillow.Resampling.BILINEAR
    )
    return np.asarray(found, np.float32) / np.float32(255)
