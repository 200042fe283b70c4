"""Labelled faces to learn from: pictures with boxes, and turned, scaled, crowded cuts of them.

The labels (faces.json) were made thrice: proposals of dlib's detectors (D. King, Max-Margin Object
Detection 2015), looked through and corrected by hand, then of MTCNN (K. Zhang 2016) and of YuNet
(W. Wu, H. Peng, S. Yu 2023), looked through (docs/decisions/0019, 0021). An institution puts a
faces.json of its own beside its pictures: {"folder/name.jpg": [[x, y, width, height], ...]} in
fractions, an empty list where nobody is to be seen; a fifth number, 0, marks what may be a face and
is neither learnt nor punished. What is not labelled is not learnt from.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from restoration.training.leaves import leaf_picture
from restoration.training.pictures import ENDINGS, LEAF_SIDE, Shelf, UnfitError, read

LABELS = Path(__file__).with_name("faces.json")
KEPT_EVERY, KEPT_FIRST = 20, 7  # as on the common shelf
LEVELS = 5  # each half as large as the one before
ENLARGED = 2.5  # the most, when one face is looked at
SMALLEST, LARGEST_FACE = 10.0, 190.0  # pixels of the cut; others are neither learnt nor punished

Boxes = NDArray[np.float64]  # Nx4: x, y, width, height
Plane = NDArray[np.float32]
Random = np.random.Generator


class UnlabelledError(UnfitError):
    """There is no label for any of the pictures that were given."""


@dataclass(frozen=True)
class Sheet:
    """A picture at halving sizes, its faces and what may be one, in pixels of the largest."""

    levels: tuple[Pillow.Image, ...]
    boxes: Boxes
    unsure: Boxes


@dataclass(frozen=True)
class FaceShelf(Shelf):
    """Sheets with faces, and without; `kept_boxes` belong to `kept`, in pixels."""

    peopled: tuple[Sheet, ...] = ()
    empty: tuple[Sheet, ...] = ()
    kept_boxes: tuple[Boxes, ...] = ()

    @cached_property
    def _up_to(self) -> NDArray[np.float64]:
        """The share of draws that fall on each sheet or one before it: by the root of how many
        faces it has, so that a crowd is neither one face nor all of them."""
        counts = np.sqrt([len(each.boxes) for each in self.peopled])
        return np.asarray(np.cumsum(counts) / counts.sum())

    def face(self, rng: Random) -> tuple[Sheet, NDArray[np.float64]]:
        """One of the faces and the sheet it is on."""
        last = len(self.peopled) - 1
        sheet = self.peopled[min(last, int(np.searchsorted(self._up_to, rng.random())))]
        return sheet, sheet.boxes[rng.integers(len(sheet.boxes))]


@dataclass(frozen=True)
class Cut:
    """float32 SxSx3 in [0, 1]; faces to find; faces that are too small, too large or cut off."""

    pixels: Plane
    boxes: Boxes
    unsure: Boxes


def shelf(folders: Iterable[Path], *, seed: int, leaves: int) -> FaceShelf:
    """The labelled pictures under the folders and procedural ones without faces.

    Raises UnlabelledError when no picture there has a label.
    """
    folders = tuple(folders)
    labels = _labels(folders)
    files = sorted(
        each
        for folder in folders
        for each in folder.rglob("*")
        if each.suffix.lower() in ENDINGS and _name(each) in labels
    )
    if not files:
        raise UnlabelledError("no picture there is named in a faces.json")
    sheets: list[Sheet] = []
    kept: list[Sheet] = []
    for number, file in enumerate(files):
        place = kept if number % KEPT_EVERY == KEPT_FIRST else sheets
        place.append(_sheet(file, labels[_name(file)]))
    rng = np.random.default_rng([seed, 0xFACE])
    blank = [leaf_picture(rng, LEAF_SIDE) for _ in range(leaves)]
    sheets += [_leveled(Pillow.fromarray(each), []) for each in blank]
    return FaceShelf(
        pictures=(),
        kept=tuple(np.asarray(each.levels[1]) for each in kept),
        sources=tuple((_name(each), sha256(each.read_bytes()).hexdigest()) for each in files),
        peopled=tuple(each for each in sheets if len(each.boxes)),
        empty=tuple(each for each in sheets if not len(each.boxes)),
        kept_boxes=tuple(each.boxes / 2 for each in kept),
    )


def _labels(folders: Iterable[Path]) -> dict[str, list[list[float]]]:
    found: dict[str, list[list[float]]] = json.loads(LABELS.read_text(encoding="utf-8"))
    for folder in folders:
        for own in sorted(folder.rglob("faces.json")):
            found |= json.loads(own.read_text(encoding="utf-8"))
    return found


def _name(file: Path) -> str:
    return f"{file.parent.name}/{file.name}"


def _sheet(file: Path, boxes: list[list[float]]) -> Sheet:
    return _leveled(read(file), boxes)


def _leveled(whole: Pillow.Image, boxes: list[list[float]]) -> Sheet:
    levels = [whole]
    while len(levels) < LEVELS and min(levels[-1].size) > 16:
        levels.append(levels[-1].reduce(2))
    size = np.tile(whole.size, 2)
    sure = [each for each in boxes if not each[4:]]
    unsure = [each[:4] for each in boxes if each[4:]]
    return Sheet(tuple(levels), *(np.reshape(each, (-1, 4)) * size for each in (sure, unsure)))


def with_faces(rng: Random, shelf: FaceShelf, side: int) -> Cut:
    """A cut around one face. A small one stays rather small: enlarged to the whole of the cut it
    would be a blot."""
    sheet, box = shelf.face(rng)
    size = float(max(box[2], box[3]))
    wanted = float(np.exp(rng.uniform(np.log(12), np.log(max(16, min(150, size * ENLARGED))))))
    scale = wanted / size
    middle = box[:2] + box[2:] / 2 + rng.uniform(-0.42, 0.42, 2) * side / scale
    ground = without(rng, shelf, side).pixels if shelf.empty else None
    return _cut(rng, sheet, middle, scale, side, ground)


def without(rng: Random, shelf: FaceShelf, side: int) -> Cut:
    """A cut of a sheet where nobody is."""
    sheet = shelf.empty[rng.integers(len(shelf.empty))]
    size = np.array(sheet.levels[0].size, float)
    scale = float(np.exp(rng.uniform(np.log(max(0.1, side / size.max())), np.log(1.5))))
    return _cut(rng, sheet, rng.uniform(0.15, 0.85, 2) * size, scale, side)


def crowd(rng: Random, shelf: FaceShelf, side: int) -> Cut:
    """Several heads in rows, as on a team's photograph, before whatever is behind them."""
    ground = without(rng, shelf, side)
    pixels, boxes = ground.pixels.copy(), []
    face = float(rng.uniform(14, 44))
    step = face * rng.uniform(1.5, 2.6)
    for row in np.arange(step / 2, side - face, step * rng.uniform(1.0, 1.6)):
        for column in np.arange(rng.uniform(0.5, 1) * step, side - face, step):
            if rng.random() < 0.75:
                boxes.append(_put(rng, shelf, pixels, np.array([column, row]), face))
    return Cut(pixels, np.array(boxes).reshape(-1, 4), np.zeros((0, 4)))


def _put(
    rng: Random, shelf: FaceShelf, pixels: Plane, place: NDArray[np.float64], face: float
) -> Boxes:
    """Lays one head with soft edges on the ground, in place; its box."""
    sheet, box = shelf.face(rng)
    size = face * rng.uniform(0.85, 1.15)
    scale = size / max(box[2], box[3])
    side = int(size * 1.9)
    head, drawn = warped(rng, sheet, box[:2] + box[2:] / 2, scale, side), box[2:] * scale
    top, left = (np.rint(place[::-1] - side / 2)).astype(int)
    y0, x0 = max(0, top), max(0, left)
    y1, x1 = min(pixels.shape[0], top + side), min(pixels.shape[1], left + side)
    across = np.hypot(*np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j])
    weight = np.clip((1 - across) * 5, 0, 1)[y0 - top : y1 - top, x0 - left : x1 - left, None]
    under = pixels[y0:y1, x0:x1]
    under += weight * (head[0][y0 - top : y1 - top, x0 - left : x1 - left] - under)
    return np.concatenate([np.array([left, top]) + side / 2 - drawn / 2, drawn])


def _cut(
    rng: Random,
    sheet: Sheet,
    middle: NDArray[np.float64],
    scale: float,
    side: int,
    ground: Plane | None = None,
) -> Cut:
    """What the square shows of the sheet; beside the sheet lies the ground, or one tone."""
    pixels, turn = warped(rng, sheet, middle, scale, side)
    if ground is not None:
        corners = np.indices((side, side)).reshape(2, -1)[::-1].T - side / 2
        places = corners @ np.linalg.inv(turn).T / scale + middle
        beside = ((places < 0) | (places > sheet.levels[0].size)).any(axis=1).reshape(side, side)
        pixels = np.where(beside[..., None], ground, pixels)
    boxes, right, touches = _seen(sheet.boxes, middle, scale, turn, side)
    doubts, _, near = _seen(sheet.unsure, middle, scale, turn, side)
    return Cut(pixels, boxes[right], np.concatenate([boxes[touches & ~right], doubts[near]]))


def _seen(
    boxes: Boxes, middle: NDArray[np.float64], scale: float, turn: NDArray[np.float64], side: int
) -> tuple[Boxes, NDArray[np.bool_], NDArray[np.bool_]]:
    """The sheet's boxes in pixels of the square; which of them can be learnt, which touch it."""
    size = boxes[:, 2:] * scale
    centres = (boxes[:, :2] + boxes[:, 2:] / 2 - middle) * scale @ turn.T + side / 2
    found = np.concatenate([centres - size / 2, size], axis=1)
    touches = ((found[:, :2] < side) & (found[:, :2] + size > 0)).all(axis=1)
    inside = ((centres > 2) & (centres < side - 2)).all(axis=1)
    long = size.max(axis=1, initial=0)
    right: NDArray[np.bool_] = inside & (long >= SMALLEST) & (long <= LARGEST_FACE)
    return found, right, np.asarray(touches)


def warped(
    rng: Random, sheet: Sheet, middle: NDArray[np.float64], scale: float, side: int
) -> tuple[Plane, NDArray[np.float64]]:
    """The square around `middle` (of the sheet) at that scale, float32 side x side x 3 in [0, 1],
    turned a little, mirrored or not; and the turn, 2x2."""
    angle = np.deg2rad(rng.uniform(-20, 20) if rng.random() < 0.9 else rng.uniform(-45, 45))
    mirror = -1.0 if rng.random() < 0.5 else 1.0
    turn = np.array(
        [[np.cos(angle) * mirror, -np.sin(angle)], [np.sin(angle) * mirror, np.cos(angle)]]
    )
    level = int(np.clip(np.floor(-np.log2(scale)), 0, len(sheet.levels) - 1))
    back = np.linalg.inv(turn) / (scale * 2**level)
    start = middle / 2**level - back @ np.array([side / 2, side / 2])
    found = sheet.levels[level].transform(
        (side, side), Pillow.Transform.AFFINE,
        (back[0, 0], back[0, 1], start[0], back[1, 0], back[1, 1], start[1]),
        resample=Pillow.Resampling.BILINEAR,
        fillcolor=tuple(int(each) for each in rng.integers(0, 256, 3)),
    )  # fmt: skip
    return np.asarray(found, np.float32) / np.float32(255), turn
