"""What time does to the whole of a print: grain, fading, tones, silver, and the scan that follows.

All take and give float32 HxWx3 RGB about [0, 1]; lengths scale with the sheet.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from restoration.training.degrade import compressed
from restoration.training.layers import Sheet
from restoration.training.texture import cloud

Image = NDArray[np.float32]
Random = np.random.Generator

EMULSION = np.array([0.20, 0.45, 0.35], np.float32)  # blue light counts more, red less
SHADOW = np.array([0.17, 0.115, 0.075], np.float32)  # the darkest brown a faded print still has
PAPER = np.array([0.95, 0.895, 0.775], np.float32)  # the paper, yellowed
SILVER = np.array([0.50, 0.55, 0.62], np.float32)  # the mirror on old silver prints
SCREENED = 0.04  # share of pictures that were printed in a newspaper


def exposed(image: Image, colour: bool) -> Image:
    """On a period's emulsion, grey, unless the picture keeps its colour."""
    if colour:
        return image.copy()
    light = image @ EMULSION
    return np.repeat(light[..., None], 3, axis=2)


def softened(image: Image, rng: Random, sheet: Sheet) -> Image:
    """A soft lens."""
    blur = sheet.scale * (0.4 + 0.7 * sheet.severity) * rng.uniform(0.6, 1.2)
    found: Image = ndimage.gaussian_filter(image, (blur, blur, 0), truncate=3)
    return found


def grained(image: Image, rng: Random, sheet: Sheet) -> Image:
    """Grain whose neighbours resemble each other, strongest in the middle tones."""
    grain = rng.standard_normal(image.shape[:2], dtype=np.float32)
    body = rng.uniform(0.4, 0.7) * max(1.0, sheet.scale)
    grain = ndimage.gaussian_filter(grain, body, truncate=3)
    grain *= np.float32((0.012 + 0.03 * sheet.severity) / grain.std())
    light = np.clip(image.mean(axis=2), 0, 1)
    grain *= 0.35 + 2.6 * light * (1 - light)
    found: Image = image + grain[..., None]
    return found


def faded(image: Image, rng: Random, sheet: Sheet) -> Image:
    """Shadows lift and lights sink, most at the edges and in a few clouds, along a bent curve."""
    lumps = cloud(rng, sheet.shape, 0.25 * max(sheet.whole))
    loss = sheet.severity * (0.55 + 0.30 * lumps + 0.35 * sheet.edge())
    low = (0.03 + 0.26 * loss)[..., None]
    high = (0.97 - 0.16 * loss)[..., None]
    bend = np.float32(np.exp(sheet.severity * rng.normal(0, 0.22)))
    found = low + (high - low) * np.clip(image, 1e-4, 1) ** bend
    return np.asarray(found, np.float32)


def toned(image: Image, rng: Random, sheet: Sheet) -> Image:
    """Brown shadows, yellow paper; how much differs from print to print."""
    light = np.clip(image[..., :1], 0, 1)
    brown = SHADOW + (PAPER - SHADOW) * light
    strength = 0.25 + 0.7 * sheet.severity + rng.uniform(-0.15, 0.15)
    level = (brown @ np.array([0.299, 0.587, 0.114], np.float32))[..., None]
    found: Image = image + np.float32(np.clip(strength, 0, 1)) * (brown - level)
    return found


def yellowed(image: Image, rng: Random, sheet: Sheet) -> Image:
    """A cast over everything, as varnish or an album page leaves it."""
    cast = 1 + sheet.severity * rng.uniform(0, 0.8) * (PAPER / PAPER.max() - 1)
    found: Image = image * cast.astype(np.float32)
    return found


def silvered(image: Image, rng: Random, sheet: Sheet) -> Image:
    """Silver that came to the surface: shadows near the edges shine bluish."""
    dark = np.square(np.clip(1 - 1.6 * image.mean(axis=2), 0, 1))
    lumps = cloud(rng, sheet.shape, 0.06 * max(sheet.whole))
    sheen = rng.uniform(0.3, 0.9) * sheet.severity * dark * sheet.edge() * (0.3 + lumps)
    found: Image = image + sheen[..., None] * (SILVER - image)
    return found


def screened(image: Image, rng: Random, sheet: Sheet) -> Image:
    """Through a halftone screen: dots that grow with the dark (a press clipping)."""
    rows, columns = sheet.places()
    period, turn = max(3.0, sheet.scale * rng.uniform(3.5, 6)), rng.uniform(0.4, 1.1)
    across = (columns * np.cos(turn) + rows * np.sin(turn)) * (2 * np.pi / period)
    down = (rows * np.cos(turn) - columns * np.sin(turn)) * (2 * np.pi / period)
    screen = (0.25 * (np.cos(across) + np.cos(down)) + 0.5)[..., None].astype(np.float32)
    dots = np.clip((np.clip(image, 0, 1) - screen) * 3.5 + 0.5, 0, 1)
    share = np.float32(rng.uniform(0.25, 0.7))
    found: Image = image * (1 - share) + dots * share
    return found


def worn(image: Image, rng: Random, sheet: Sheet, colour: bool) -> Image:
    """All of it: the lens and the grain, then what time does, in any order."""
    found = grained(softened(exposed(image, colour), rng, sheet), rng, sheet)
    if rng.random() < SCREENED:
        found = screened(found, rng, sheet)
    steps = [faded, yellowed if colour else toned]
    if rng.random() < 0.5 * sheet.severity:
        steps.append(silvered)
    for number in rng.permutation(len(steps)):
        found = steps[number](found, rng, sheet)
    return found


def scanned(image: Image, rng: Random, sheet: Sheet) -> Image:
    """A scanner's own softness, then mostly JPEG; clipped to [0, 1]."""
    blur = rng.uniform(0, 0.6) * min(1.5, max(0.7, sheet.scale))
    if blur > 0.25:
        image = ndimage.gaussian_filter(image, (blur, blur, 0), truncate=3)
    found: Image = np.clip(image, 0, 1).astype(np.float32, copy=False)
    if rng.random() < 0.7:
        found = compressed(found, int(rng.integers(70, 96)))
    return found
