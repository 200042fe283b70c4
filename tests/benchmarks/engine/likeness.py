"""Which faces the likeness extra flags: honest restorations, and faces made into somebody else's.

Protocol: every fourth portrait of train/faces with its labelled box, reduced until the box is 110
pixels high. Honest: a noisy picture made clean, a soft one made sharp, and the perfect restoration
of a print aged at severity 0.2, 0.5 and 0.8 (seed: its number). Altered: another's face laid into
the box with soft edges and the tones of the first; eyes moved by 2 % and 5 % of the face; skin
blurred away; eyes a quarter larger. It is a hint for replaced faces; moved and enlarged features
are for the guard's own meters, as the rows show. Skipped, saying so, without the extra.
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from restoration.engine import image as pictures
from restoration.engine import likeness
from restoration.engine.faces import Box
from restoration.engine.image import resize
from restoration.engine.luma import Image, luma
from restoration.training import faces
from restoration.training.ageing import age
from tests.benchmarks.engine.table import Row, absent

NAME = "likeness"
HEIGHT = 110
EVERY, OTHER = 4, 7
MUST_CATCH, MUST_SPARE = 0.95, 0.1  # replaced faces; all honest pairs together
HONEST = ("denoised", "sharpened", "restored .2", "restored .5", "restored .8")
Pair = tuple[Image, Image]


def rows(photos: Path, *, quick: bool) -> Iterator[Row]:
    folder = photos / "train" / "faces"
    if not folder.is_dir() or not likeness.is_installed():
        yield absent(NAME, "faces", "train/faces or the likeness extra is not there")
        return
    told = measured(folder, EVERY * (4 if quick else 1))
    for what, distances in told.items():
        flagged = float(np.mean([each > likeness.LOOK for each in distances]))
        note = f"median distance {np.median(distances):.3f}, most {max(distances):.3f}"
        must = MUST_CATCH if what.startswith("replaced") else None
        yield Row(NAME, f"{what}: flagged", flagged, "", must, note=note)
    honest = np.concatenate([told[what] for what in HONEST])
    spared = float((honest > likeness.LOOK).mean())
    yield Row(NAME, "all honest ones: flagged", spared, "", MUST_SPARE, "low")


def measured(folder: Path, every: int) -> dict[str, list[float]]:
    """Kind of pair to the distances of its faces."""
    labels = json.loads(faces.LABELS.read_text(encoding="utf-8"))
    names = [name for name in sorted(labels) if name.startswith("faces/")][::every]
    portraits = [_portrait(folder.parent / name, labels[name][0]) for name in names]
    found: dict[str, list[float]] = defaultdict(list)
    for number, (picture, box) in enumerate(portraits):
        other = portraits[(number + OTHER) % len(portraits)]
        for what, (before, after) in pairs(number, picture, box, other).items():
            distance = likeness.compare(before, after, box).distance
            found[what].append(float("nan") if distance is None else distance)
    return found


def _portrait(file: Path, box: list[float]) -> tuple[NDArray[np.float32], Box]:
    picture = pictures.load(file)
    scale = HEIGHT / (box[3] * picture.shape[0])
    small = resize(picture, *(round(side * scale) for side in picture.shape[:2]))
    return np.clip(small, 0, 1), (box[0], box[1], box[2], box[3])


def pairs(
    number: int, picture: NDArray[np.float32], box: Box, other: tuple[NDArray[np.float32], Box]
) -> dict[str, Pair]:
    """What to call it: before and after."""
    clean, rng = luma(picture), np.random.default_rng(number)
    aged = {
        severity: luma(age(picture, seed=number, severity=severity)[0])
        for severity in (0.2, 0.5, 0.8)
    }
    noisy = np.clip(clean + rng.normal(0, 0.05, clean.shape), 0, 1).astype(np.float32)
    replaced, smooth = _replaced(clean, box, luma(other[0]), other[1]), _smoothed(clean, box)
    return {
        "denoised": (noisy, clean),
        "sharpened": (ndimage.gaussian_filter(clean, 1.0), clean),
        "restored .2": (aged[0.2], clean),
        "restored .5": (aged[0.5], clean),
        "restored .8": (aged[0.8], clean),
        "replaced": (clean, replaced),
        "replaced on an aged print": (aged[0.5], replaced),
        "eyes moved 2 %": (clean, _moved(clean, box, 0.02)),
        "eyes moved 5 %": (clean, _moved(clean, box, 0.05)),
        "smoothed": (clean, smooth),
        "eyes larger": (clean, _large_eyed(clean, box)),
        "smoothed, eyes larger": (clean, _large_eyed(smooth, box)),
    }


def _place(light: Image, box: Box, top: float = 0.0, low: float = 1.0) -> tuple[slice, slice]:
    high, wide = light.shape
    return (
        slice(int((box[1] + top * box[3]) * high), int((box[1] + low * box[3]) * high)),
        slice(int(box[0] * wide), int((box[0] + box[2]) * wide)),
    )


def _mixed(light: Image, other: Image, place: tuple[slice, slice]) -> Image:
    weight = np.zeros_like(light)
    weight[place] = 1
    weight = ndimage.gaussian_filter(weight, 3)
    return light * (1 - weight) + other * weight


def _moved(light: Image, box: Box, share: float) -> Image:
    by = max(1, round(share * box[3] * light.shape[0]))
    return _mixed(light, np.roll(light, by, 0), _place(light, box, 0.15, 0.5))


def _smoothed(light: Image, box: Box) -> Image:
    blur = box[3] * light.shape[0] / 30
    return _mixed(light, ndimage.gaussian_filter(light, blur), _place(light, box))


def _large_eyed(light: Image, box: Box) -> Image:
    high, wide = light.shape
    y, x = np.indices(light.shape, dtype=np.float32)
    for across in (0.3, 0.7):
        column, row = (box[0] + across * box[2]) * wide, (box[1] + 0.35 * box[3]) * high
        near = np.exp(-((x - column) ** 2 + (y - row) ** 2) / (0.2 * box[2] * wide) ** 2)
        places = [row + (y - row) * (1 - 0.25 * near), column + (x - column) * (1 - 0.25 * near)]
        light = ndimage.map_coordinates(light, places, order=1, mode="nearest")
    return light


def _replaced(light: Image, box: Box, other: Image, other_box: Box) -> Image:
    place = _place(light, box)
    there = light[place]
    face = resize(other[_place(other, other_box)], *there.shape)
    face = (face - face.mean()) / face.std() * there.std() + there.mean()
    across = np.hypot(*np.mgrid[-1 : 1 : there.shape[0] * 1j, -1 : 1 : there.shape[1] * 1j])
    weight = np.clip((1.05 - across) * 4, 0, 1)
    result = light.copy()
    result[place] = np.clip(there * (1 - weight) + face * weight, 0, 1)
    return result
