"""What tints a print without hiding it: tide lines of water, foxing, a yellow patch."""

import numpy as np
from numpy.typing import NDArray

from restoration.training.layers import Image, Plane, Random, Sheet, Truth, dimmed
from restoration.training.texture import cloud

ABSORBED = np.array([0.55, 0.85, 1.25], np.float32)  # what dirty water takes of each colour


def stained(image: Image, truth: Truth, rng: Random, sheet: Sheet) -> Image:
    """As many stains as a print of that severity has."""
    ill = sheet.severity
    for _ in range(rng.poisson(sheet.chance(2.2 * ill, 200 * sheet.scale))):
        image = dimmed(image, truth, _water(rng, sheet), ABSORBED)
    if rng.random() < 0.3 * ill:
        image = dimmed(image, truth, _foxing(rng, sheet), ABSORBED)
    return image


def _water(rng: Random, sheet: Sheet) -> Plane:
    """Water went to an outline and left its dirt there."""
    rows, columns = _grid(sheet)
    y, x = rng.uniform(0, sheet.shape)
    size = sheet.scale * rng.uniform(50, 220)
    wobble = 1 + 0.7 * (cloud(rng, sheet.shape, size) - 0.5)
    wobble += 0.2 * (cloud(rng, sheet.shape, size / 4) - 0.5)
    away = np.hypot(rows - y, (columns - x) * rng.uniform(0.7, 1.4)) / (size * wobble)
    inside = 1 / (1 + np.exp(np.clip((away - 1) * 30, -60, 60)))
    rim = np.exp(-np.square((away - 0.97) / 0.035))
    depth = (0.05 + 0.07 * sheet.severity) * inside + 0.12 * sheet.severity * rim
    found: Plane = (depth * rng.uniform(0.6, 1.7)).astype(np.float32)
    return found


def _foxing(rng: Random, sheet: Sheet) -> Plane:
    """Rusty spots with soft edges."""
    rows, columns = _grid(sheet)
    depth = np.zeros(sheet.shape, np.float32)
    for _ in range(min(60, sheet.count(rng, 40) + 2)):
        y, x = rng.uniform(0, sheet.shape)
        size = sheet.scale * float(np.clip(rng.lognormal(0.9, 0.5), 1, 9))
        spot = np.exp(-(np.square(rows - y) + np.square(columns - x)) / (2 * size * size))
        depth = np.maximum(depth, rng.uniform(0.1, 0.4) * spot)
    return depth.astype(np.float32)


def _grid(sheet: Sheet) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    high, wide = sheet.shape
    return np.arange(high, dtype=np.float32)[:, None], np.arange(wide, dtype=np.float32)[None]
