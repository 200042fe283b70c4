"""Makes an old photograph of a good one, on purpose and repeatably, and maps the damage.

What is done, in the order time does it: a period's emulsion (blue light counts more, red less), a
soft lens, grain that is strongest in the middle tones, uneven fading, the brown of the shadows and
the yellow of the paper, stains with their tide lines, then dust, lint, scratches, creases and a
torn corner. Only numpy and scipy; lengths scale with the picture's long side.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from restoration.engine.image import check_image

Image = NDArray[np.float32]
Plane = NDArray[np.float32]
Mask = NDArray[np.uint8]
Random = np.random.Generator

EMULSION = np.array([0.20, 0.45, 0.35], np.float32)
SHADOW = np.array([0.17, 0.115, 0.075], np.float32)  # the darkest brown a faded print still has
PAPER = np.array([0.95, 0.895, 0.775], np.float32)  # the paper, yellowed
ALBUM = np.array([0.22, 0.20, 0.18], np.float32)  # what shows where a corner is gone
ABSORBED = np.array([0.55, 0.85, 1.25], np.float32)  # what dirty water takes of each colour
VISIBLE = 0.12  # opacity from which a mark counts as damage
STANDARD_SIDE = 1000


@dataclass(frozen=True)
class Stroke:
    """A drawn mark: points Nx2 (row, column), radius in pixels, the tone it leaves, its opacity."""

    points: NDArray[np.float64]
    radius: float
    tone: float
    opacity: float


def age(
    image: Image, *, seed: int, severity: float = 0.5, colour: bool = False
) -> tuple[Image, Mask]:
    """The aged picture (float32 HxWx3 RGB in [0, 1]) and its damage mask (uint8 HxW, 255).

    severity 0 (well kept) to 1 (found in an attic). The mask holds dust, lint, scratches, creases
    and missing paper; fading, grain and soft stains are not in it. Same seed, same bytes.
    """
    check_image(image)
    severity = float(np.clip(severity, 0, 1))
    rng = np.random.default_rng([seed, 0xA6E])
    scale = max(image.shape[:2]) / STANDARD_SIDE
    aged: Image = _exposed(image, colour)
    aged = _softened(aged, rng, severity, scale)
    aged = _faded(aged, rng, severity)
    if not colour:
        aged = _toned(aged, rng, severity)
    aged = _stained(aged, rng, severity, scale)
    aged, marks = _marked(aged, rng, severity, scale)
    aged, creases = _creased(aged, rng, severity, scale)
    aged, torn = _torn(aged, rng, severity, scale)
    mask = ((marks > VISIBLE) | (creases > VISIBLE) | torn).astype(np.uint8) * 255
    found: Image = np.clip(aged, 0, 1).astype(np.float32)
    return found, mask


def _exposed(image: Image, colour: bool) -> Image:
    if colour:
        return image.copy()
    light = image @ EMULSION
    return np.repeat(light[..., None], 3, axis=2)


def _softened(image: Image, rng: Random, severity: float, scale: float) -> Image:
    """A soft lens and grain: noise with a little body, strongest in the middle tones."""
    blur = scale * (0.4 + 0.7 * severity)
    soft = ndimage.gaussian_filter(image, (blur, blur, 0))
    grain = rng.standard_normal(image.shape[:2]).astype(np.float32)
    grain = ndimage.gaussian_filter(grain, 0.55 * max(1.0, scale))
    grain *= np.float32((0.012 + 0.03 * severity) / grain.std())
    light = soft.mean(axis=2)
    body = 0.35 + 2.6 * light * (1 - light)
    found: Image = soft + (grain * body)[..., None]
    return found


def _faded(image: Image, rng: Random, severity: float) -> Image:
    """Shadows lift and lights sink, not everywhere alike: most at the edges and in a few clouds."""
    shape = image.shape[:2]
    cloud = _cloud(rng, shape, 0.25)
    edge = _edge(shape)
    loss = severity * (0.55 + 0.30 * cloud + 0.35 * edge)
    low: Image = (0.03 + 0.26 * loss)[..., None].astype(np.float32)
    high: Image = (0.97 - 0.16 * loss)[..., None].astype(np.float32)
    span = (high - low) * np.clip(image, 0, 1)
    return np.asarray(low + span, dtype=np.float32)


def _toned(image: Image, rng: Random, severity: float) -> Image:
    """Brown shadows, yellow paper; how much differs from print to print."""
    light = np.clip(image[..., :1], 0, 1)
    brown = SHADOW + (PAPER - SHADOW) * light
    strength = np.float32(np.clip(0.25 + 0.7 * severity + rng.uniform(-0.15, 0.15), 0, 1))
    level = (brown @ np.array([0.299, 0.587, 0.114], np.float32))[..., None]
    tinted: Image = light + strength * (brown - level)
    return tinted


def _stained(image: Image, rng: Random, severity: float, scale: float) -> Image:
    """Water went to an outline and left its dirt there."""
    height, width = image.shape[:2]
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    stained: Image = image.copy()
    for _ in range(rng.poisson(2.2 * severity)):
        y, x = rng.uniform(0, height), rng.uniform(0, width)
        size = scale * rng.uniform(50, 220)
        share = size / max(height, width)
        wobble = 1 + 0.7 * (_cloud(rng, (height, width), share) - 0.5)
        wobble += 0.2 * (_cloud(rng, (height, width), share / 4) - 0.5)
        away = np.hypot(rows - y, (columns - x) * rng.uniform(0.7, 1.4)) / (size * wobble)
        inside = 1 / (1 + np.exp(np.clip((away - 1) * 30, -60, 60)))
        rim = np.exp(-np.square((away - 0.97) / 0.035))
        depth = (0.05 + 0.07 * severity) * inside + 0.12 * severity * rim
        stained *= (1 - depth[..., None] * ABSORBED).astype(np.float32)
    return stained


def _marked(image: Image, rng: Random, severity: float, scale: float) -> tuple[Image, Plane]:
    strokes = [
        _speck(rng, image.shape, scale) for _ in range(rng.poisson(20 + 170 * severity**1.5))
    ]
    strokes += [_lint(rng, image.shape, scale) for _ in range(rng.poisson(6 * severity))]
    strokes += [_scratch(rng, image.shape, scale) for _ in range(rng.poisson(7 * severity**1.3))]
    opacity, tone = _drawn(strokes, rng, image.shape[:2])
    paper = np.where(tone[..., None] > 0.5, PAPER, SHADOW * 0.7).astype(np.float32)
    marked = image + opacity[..., None] * (paper - image)
    return marked, opacity


def _speck(rng: Random, shape: tuple[int, ...], scale: float) -> Stroke:
    start = rng.uniform(0, [shape[0], shape[1]])
    steps = rng.normal(0, 0.8 * scale, (rng.integers(2, 5), 2))
    radius = scale * float(np.clip(rng.lognormal(-0.15, 0.5), 0.5, 4.0))
    tone = 1.0 if rng.random() < 0.72 else 0.0
    return Stroke(start + np.cumsum(steps, axis=0), radius, tone, rng.uniform(0.55, 1.0))


def _lint(rng: Random, shape: tuple[int, ...], scale: float) -> Stroke:
    """A curled fibre."""
    turn = np.cumsum(rng.normal(rng.normal(0, 0.12), 0.10, 40)) + rng.uniform(0, 2 * np.pi)
    step = scale * rng.uniform(0.6, 1.6)
    path = np.cumsum(np.stack([np.sin(turn), np.cos(turn)], axis=1) * step, axis=0)
    start = rng.uniform(0, [shape[0], shape[1]])
    tone = 1.0 if rng.random() < 0.6 else 0.0
    return Stroke(start + path, scale * rng.uniform(0.5, 0.9), tone, rng.uniform(0.5, 0.9))


def _scratch(rng: Random, shape: tuple[int, ...], scale: float) -> Stroke:
    """Long, thin, mostly along the way a print is pulled, here and there lifting off."""
    height, width = shape[:2]
    angle = np.pi / 2 + rng.normal(0, 0.2) if rng.random() < 0.7 else rng.uniform(0, np.pi)
    count = int(rng.uniform(0.12, 0.7) * height / 8) + 3
    turn = angle + np.cumsum(rng.normal(0, 0.012, count))
    path = np.cumsum(np.stack([np.sin(turn), np.cos(turn)], axis=1) * 8, axis=0)
    start = np.array([rng.uniform(-0.1, 0.7) * height, rng.uniform(0, width)])
    tone = 1.0 if rng.random() < 0.85 else 0.0
    return Stroke(start + path, scale * rng.uniform(0.35, 0.9), tone, rng.uniform(0.35, 0.85))


def _drawn(strokes: list[Stroke], rng: Random, shape: tuple[int, int]) -> tuple[Plane, Plane]:
    """Opacity and tone planes of all strokes: each pixel belongs to the nearest of them."""
    owner = np.full(shape, -1)
    for number, stroke in enumerate(strokes):
        owner[_pixels(stroke.points, shape)] = number
    if (owner < 0).all():
        return np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    away, (rows, columns) = ndimage.distance_transform_edt(owner < 0, return_indices=True)
    mine = owner[rows, columns]
    radius = np.array([stroke.radius for stroke in strokes])[mine]
    opacity = np.array([stroke.opacity for stroke in strokes])[mine]
    ragged = ndimage.gaussian_filter(rng.standard_normal(shape), 2.0)
    ragged = ragged / ragged.std()
    edge = np.clip(radius * (1 + 0.25 * ragged) + 0.5 - away, 0, 1)
    worn = np.clip(0.85 + 0.25 * ragged, 0.25, 1)
    tone = np.array([stroke.tone for stroke in strokes])[mine]
    return (edge * opacity * worn).astype(np.float32), tone.astype(np.float32)


def _pixels(points: NDArray[np.float64], shape: tuple[int, int]) -> tuple[NDArray[np.int64], ...]:
    """The pixels a line through the points visits, those outside the picture left out."""
    length = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    places = np.arange(0, length[-1] + 0.4, 0.4)
    rows = np.rint(np.interp(places, length, points[:, 0])).astype(np.int64)
    columns = np.rint(np.interp(places, length, points[:, 1])).astype(np.int64)
    inside = (rows >= 0) & (rows < shape[0]) & (columns >= 0) & (columns < shape[1])
    return rows[inside], columns[inside]


def _creased(image: Image, rng: Random, severity: float, scale: float) -> tuple[Image, Plane]:
    """A fold breaks the emulsion to the paper along a ragged line and lifts it on both sides."""
    height, width = image.shape[:2]
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    cracked = np.zeros((height, width), np.float32)
    folded = image.copy()
    for _ in range(rng.binomial(3, 0.55 * severity)):
        angle = rng.choice([0.0, np.pi / 2]) + rng.normal(0, 0.22)
        y, x = rng.uniform(0.15, 0.85) * height, rng.uniform(0.15, 0.85) * width
        drift = 3 * scale * (_cloud(rng, (height, width), 0.06) - 0.5)
        away = (rows - y) * np.cos(angle) - (columns - x) * np.sin(angle) + drift
        ragged = _cloud(rng, (height, width), 0.008 * max(1.0, 1 / scale))
        core = np.clip(scale * (0.3 + 2.2 * ragged * severity) + 0.5 - np.abs(away), 0, 1)
        shade = 0.10 * severity * np.exp(-np.abs(away) / (7 * scale)) * np.sign(away)
        folded = folded * (1 + shade[..., None])
        folded = folded + (0.9 * core)[..., None] * (PAPER - folded)
        cracked = np.maximum(cracked, 0.9 * core)
    return folded.astype(np.float32), cracked


def _torn(
    image: Image, rng: Random, severity: float, scale: float
) -> tuple[Image, NDArray[np.bool_]]:
    """From a severity of a half on, a corner is gone: album grey behind a rim of bare paper."""
    height, width = image.shape[:2]
    if rng.random() > 1.6 * severity - 0.5:
        return image, np.zeros((height, width), bool)
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    down, right = rng.random() < 0.5, rng.random() < 0.5
    y = height - 1 - rows if down else rows
    x = width - 1 - columns if right else columns
    size = scale * rng.uniform(45, 60 + 110 * severity)
    ragged = _cloud(rng, (height, width), 0.05) + 0.4 * _cloud(rng, (height, width), 0.012)
    left_over = y * rng.uniform(0.7, 1.3) + x - size * (0.7 + 0.5 * ragged)
    bare = scale * (2 + 5 * _cloud(rng, (height, width), 0.02))
    torn = np.where((left_over < bare)[..., None], PAPER * 0.97, image)
    torn = np.where((left_over < 0)[..., None], ALBUM, torn).astype(np.float32)
    return ndimage.gaussian_filter(torn, (0.4, 0.4, 0)) * 1.0, left_over < bare + 1


def _cloud(rng: Random, shape: tuple[int, ...], size: float) -> Plane:
    """Smooth noise in [0, 1] whose lumps are that share of the long side."""
    step = max(2.0, size * max(shape))
    small = rng.standard_normal((int(shape[0] / step) + 4, int(shape[1] / step) + 4))
    rows = np.linspace(1, small.shape[0] - 2, shape[0])
    columns = np.linspace(1, small.shape[1] - 2, shape[1])
    places = np.meshgrid(rows, columns, indexing="ij")
    noise = ndimage.map_coordinates(small, places, order=3, mode="nearest")
    found: Plane = np.clip(0.5 + 0.27 * noise, 0, 1).astype(np.float32)
    return found


def _edge(shape: tuple[int, ...]) -> Plane:
    """1 at the rim of the print, 0 a sixth of the way in."""
    rows = np.minimum(np.arange(shape[0]), np.arange(shape[0])[::-1])[:, None]
    columns = np.minimum(np.arange(shape[1]), np.arange(shape[1])[::-1])[None, :]
    away = np.minimum(rows, columns) / (max(shape[:2]) / 6)
    found: Plane = np.square(np.clip(1 - away, 0, 1)).astype(np.float32)
    return found
