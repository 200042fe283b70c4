"""Looks once more at a place that the finder takes for a face: is it one?

The finder sees all places at whatever size they have. This network sees one, at one size, and was
shown above all what the finder took for faces and was none (P. Viola and M. Jones 2001; K. Zhang,
"Joint face detection and alignment", 2016).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image as Pillow
from torch import Tensor, nn
from torch.nn import functional

from restoration.engine.faces import CONTEXT, LOOK, guessed, levelled, overlap, window, within
from restoration.engine.luma import luma
from restoration.training import faces
from restoration.training.lesson import Batch, Lesson, Random
from restoration.training.lessons.faces import spoilt
from restoration.training.networks import Normed, folded, plain, unfolded
from restoration.training.pictures import Shelf

EXAMPLES = 64
WIDTHS = (24, 36, 52)
FACE = LOOK / CONTEXT  # pixels of a face in what is seen
FACES, ALARMS, BESIDE = 0.5, 0.35, 0.08  # shares of examples; the rest is anywhere
SMALL = 0.25  # share that was a small face, of so many pixels with what is around it
SIZES = (14, 36)
CLEAR = 0.2  # shared share of the smaller box: what shares less with every face is an alarm
DOUBT = 0.05  # of each label: some are wrong
FORGOTTEN = 0.3  # share of what the last layer sees that it must do without

Alarm = tuple[faces.Sheet, NDArray[np.float64]]  # and the box of what is no face


@dataclass(frozen=True)
class AlarmedShelf(faces.FaceShelf):
    """Besides the faces, what the finder takes for one."""

    alarms: tuple[Alarm, ...] = ()


def lesson() -> Lesson:
    return Lesson(
        name="face-check",
        title="Says of a place at one size whether it is a face: a logit",
        build=lambda: Checker(Normed),
        batch=batch,
        loss=loss,
        figures=figures,
        inputs={"picture": (1, 1)},
        bits=8,
        rate=2e-3,
        adopt=lambda weights: unfolded(weights, Checker(Normed)),
        finish=lambda taught: folded(taught, Checker()),
        shelf=shelf,
        notes=NOTES,
    )


NOTES = (
    "## What it is shown\n\nThe labelled faces of the lesson `faces`, and what the finder that is "
    "in the package takes for faces on the same pictures and is none. So it belongs to that "
    "finder: who teaches the one anew teaches the other after it.",
)


class Checker(nn.Module):
    """picture Bx1xSxS, levelled; Bx1xS/8-5xS/8-5, one logit where S is LOOK."""

    def __init__(self, convolution: Callable[[int, int], nn.Module] = plain) -> None:
        super().__init__()
        fine, middle, coarse = WIDTHS
        self.enter = convolution(4, fine)
        self.fine = convolution(fine, fine)
        self.down_middle = nn.Conv2d(fine, middle, 2, stride=2)
        self.middle = convolution(middle, middle)
        self.down_coarse = nn.Conv2d(middle, coarse, 2, stride=2)
        self.coarse = convolution(coarse, coarse)
        self.forget = nn.Dropout(FORGOTTEN)
        self.leave = nn.Conv2d(coarse, 1, LOOK // 8)

    def forward(self, picture: Tensor) -> Tensor:
        x = functional.relu(self.enter(functional.pixel_unshuffle(picture - 0.5, 2)))
        x = functional.relu(self.fine(x))
        x = functional.relu(self.middle(self.down_middle(x)))
        x = functional.relu(self.coarse(self.down_coarse(x)))
        found: Tensor = self.leave(self.forget(x))
        return found


def shelf(folders: Iterable[Path], *, seed: int, leaves: int) -> AlarmedShelf:
    """As faces.shelf; the finder is asked about every picture, which takes about a second each."""
    found = faces.shelf(folders, seed=seed, leaves=leaves)
    sheets = (*found.peopled, *found.empty)
    alarms = tuple((sheet, box) for sheet in sheets for box in _alarms(sheet))
    kept = {each.name: getattr(found, each.name) for each in fields(found)}
    return AlarmedShelf(**kept, alarms=alarms)


def _alarms(sheet: faces.Sheet) -> list[NDArray[np.float64]]:
    """Boxes in pixels that share next to nothing with a face, or with what may be one."""
    light = luma(np.asarray(sheet.levels[0], np.float32) / np.float32(255))
    size = np.tile(sheet.levels[0].size, 2)
    boxes = [np.array(face.box) * size for face in guessed(light)]
    known = np.concatenate([sheet.boxes, sheet.unsure])
    return [box for box in boxes if all(within(tuple(box), tuple(each)) < CLEAR for each in known)]


def batch(shelf: Shelf, rng: Random) -> Batch:
    """Levelled windows, Bx1xLOOKxLOOK, and Bx1x1x1: 1 for a face."""
    shelf = _alarmed(shelf)
    given = np.empty((EXAMPLES, 1, LOOK, LOOK), np.float32)
    wanted = np.empty((EXAMPLES, 1, 1, 1), np.float32)
    for number in range(EXAMPLES):
        pixels, wanted[number] = _drawn(rng, shelf)
        given[number, 0] = levelled(_softened(rng, spoilt(rng, pixels)))
    return torch.from_numpy(given), torch.from_numpy(wanted)


def _alarmed(shelf: Shelf) -> AlarmedShelf:
    if not isinstance(shelf, AlarmedShelf):
        raise TypeError("this is learnt from labelled pictures and what is taken for faces there")
    return shelf


def _drawn(rng: Random, shelf: AlarmedShelf) -> tuple[faces.Plane, float]:
    kind = rng.random()
    if kind < FACES or not shelf.alarms:
        sheet, box = shelf.face(rng)
        return _cut(rng, sheet, box), 1.0
    if kind < FACES + ALARMS:
        sheet, box = shelf.alarms[rng.integers(len(shelf.alarms))]
        return _cut(rng, sheet, box), 0.0
    if kind < FACES + ALARMS + BESIDE or not shelf.empty:
        sheet, box = shelf.face(rng)
        return _cut(rng, sheet, _beside(rng, box)), 0.0
    return faces.without(rng, shelf, LOOK).pixels, 0.0


def _beside(rng: Random, box: NDArray[np.float64]) -> NDArray[np.float64]:
    """A box that has part of the face, or far too much around it."""
    middle, size = box[:2] + box[2:] / 2, box[2:]
    if rng.random() < 0.5:
        size = size * np.exp(rng.choice([-1, 1]) * rng.uniform(0.6, 1.2))
    else:
        turn = rng.uniform(0, 2 * np.pi)
        away = size.max() * rng.uniform(0.5, 1.0)
        middle = middle + away * np.array([np.cos(turn), np.sin(turn)])
    return np.concatenate([middle - size / 2, size])


def _cut(rng: Random, sheet: faces.Sheet, box: NDArray[np.float64]) -> faces.Plane:
    """LOOKxLOOKx3 around the box, turned, and not quite in its middle: no finder hits it."""
    size = float(box[2:].max())
    middle = box[:2] + box[2:] / 2 + rng.uniform(-0.1, 0.1, 2) * size
    scale = FACE / size * float(np.exp(rng.uniform(-0.18, 0.18)))
    return faces.warped(rng, sheet, middle, scale, LOOK)[0]


def _softened(rng: Random, light: NDArray[np.float32]) -> NDArray[np.float32]:
    """Now and then as if it had been a few pixels large."""
    if rng.random() >= SMALL:
        return light
    side = int(rng.integers(*SIZES))
    small = Pillow.fromarray(light).resize((side, side), Pillow.Resampling.BOX)
    return np.asarray(small.resize(light.shape, Pillow.Resampling.BICUBIC), np.float32)


def loss(answer: Tensor, wanted: Tensor, progress: float) -> Tensor:
    softened = wanted * (1 - DOUBT) + DOUBT / 2
    return functional.binary_cross_entropy_with_logits(answer, softened)


@torch.inference_mode()
def figures(network: nn.Module, shelf: Shelf) -> Mapping[str, float]:
    """On the pictures set aside, of what the finder guesses there: the share of faces that are
    taken for one, and of others that are."""
    shelf = _alarmed(shelf)
    told: list[tuple[bool, bool]] = []
    for picture, boxes in zip(shelf.kept, shelf.kept_boxes, strict=True):
        light = luma(picture.astype(np.float32) / np.float32(255))
        size = np.tile(light.shape[::-1], 2)
        known = [tuple(each / size) for each in boxes]
        for face in guessed(light):
            seen = torch.from_numpy(levelled(window(light, face.box)))[None, None]
            right = any(overlap(face.box, each) >= 0.4 for each in known)
            told.append((right, bool(network(seen) > 0)))
    taken = {right: [float(t) for each, t in told if each == right] for right in (True, False)}
    return {
        "guesses": len(told),
        "faces taken for one": round(float(np.mean(taken[True] or [0.0])), 3),
        "others taken for one": round(float(np.mean(taken[False] or [0.0])), 3),
    }
