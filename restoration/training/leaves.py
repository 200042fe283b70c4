"""Procedural pictures: dead leaves with textures, stripes and shading, partly out of focus.

Discs and polygons that cover one another have the edges and the scale law of photographs (dead
leaves, G. Matheron 1968; A. Lee 2001); networks that learn from them denoise photographs well
(VibrantLeaves, R. Achddou 2025). Nobody's rights are in them.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage import draw

Picture = NDArray[np.uint8]
Plane = NDArray[np.float32]
Random = np.random.Generator

LAW = 1.6  # exponent of the power law of the radii
SUPER = 2  # drawn that many times larger, so that edges are smooth


def leaf_picture(rng: Random, side: int) -> Picture:
    """uint8 side x side x 3 RGB."""
    canvas = _covered(rng, side * SUPER)
    if rng.random() < 0.5:
        blur = rng.uniform(0.6, 2.5)
        canvas = ndimage.gaussian_filter(canvas, (blur, blur, 0))
    small = canvas.reshape(side, SUPER, side, SUPER, 3).mean(axis=(1, 3))
    if rng.random() < 0.3:
        small = _partly_blurred(rng, small)
    found: Picture = (np.clip(small, 0, 1) * 255 + 0.5).astype(np.uint8)
    return found


def _covered(rng: Random, side: int) -> NDArray[np.float32]:
    canvas = np.full((side, side, 3), rng.random(), np.float32)
    count = int(rng.integers(100, 360))
    radii = _radii(rng, count, 3.0 * SUPER, float(rng.choice([40, 90, 160])) * SUPER)
    order = np.argsort(-radii) if rng.random() < 0.5 else rng.permutation(count)
    tinted = rng.random() < 0.7
    textures = [power_law(rng, side, rng.uniform(0.3, 1.6)) for _ in range(3)]
    for number in order:
        rows, columns = _leaf(rng, side, float(radii[number]))
        if len(rows):
            shade = _shade(rng, rows, columns, textures)
            canvas[rows, columns] = shade[:, None] + (_tint(rng) if tinted else 0)
    return canvas


def _radii(rng: Random, count: int, least: float, most: float) -> NDArray[np.float64]:
    low, high = least**-LAW, most**-LAW
    found: NDArray[np.float64] = (low + rng.random(count) * (high - low)) ** (-1 / LAW)
    return found


def _leaf(rng: Random, side: int, radius: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    centre = rng.uniform(0, side, 2)
    kind = rng.random()
    if kind < 0.45:
        short = max(1.0, radius * rng.uniform(0.3, 1))
        turn = rng.uniform(-np.pi, np.pi)
        rows, columns = draw.ellipse(*centre, radius, short, (side, side), turn)
    elif kind < 0.85:
        corners = int(rng.integers(3, 9))
        angle = np.sort(rng.uniform(0, 2 * np.pi, corners))
        away = radius * rng.uniform(0.4, 1, corners)
        y, x = centre[0] + away * np.sin(angle), centre[1] + away * np.cos(angle)
        rows, columns = draw.polygon(y, x, (side, side))
    else:
        rows, columns = _bar(rng, side, centre, radius)
    return rows.astype(np.int64), columns.astype(np.int64)


def _bar(
    rng: Random, side: int, centre: NDArray[np.float64], radius: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    angle = rng.uniform(0, np.pi)
    along = side * np.array([np.sin(angle), np.cos(angle)]) * rng.uniform(0.2, 1)
    across = max(1.0, 0.1 * radius) * np.array([np.cos(angle), -np.sin(angle)])
    points = [centre - along - across, centre + along - across, centre + along + across]
    points.append(centre - along + across)
    outline = np.array(points)
    rows, columns = draw.polygon(outline[:, 0], outline[:, 1], (side, side))
    return rows, columns


def _shade(
    rng: Random, rows: NDArray[np.int64], columns: NDArray[np.int64], textures: list[Plane]
) -> Plane:
    shade = np.full(len(rows), rng.random(), np.float32)
    kind = rng.random()
    if kind < 0.45:
        texture = textures[rng.integers(len(textures))]
        shade += np.float32(rng.uniform(0.01, 0.15)) * texture[rows, columns]
    elif kind < 0.6:
        angle, period = rng.uniform(0, np.pi), SUPER * rng.uniform(2.5, 14)
        wave = np.sin((columns * np.cos(angle) + rows * np.sin(angle)) * (2 * np.pi / period))
        wave = np.sign(wave) if rng.random() < 0.4 else wave
        shade += np.float32(rng.uniform(0.03, 0.3)) * wave.astype(np.float32)
    elif kind < 0.85:
        slope = rng.uniform(-0.5, 0.5, 2)
        wide, high = max(1, np.ptp(columns)), max(1, np.ptp(rows))
        ramp = (columns - columns.mean()) / wide * slope[0] + (rows - rows.mean()) / high * slope[1]
        shade += ramp.astype(np.float32)
    return shade


def _tint(rng: Random) -> NDArray[np.float32]:
    """A colour's distance from grey: mostly quiet."""
    tint = rng.normal(0, 0.12, 3)
    found: NDArray[np.float32] = (tint - tint.mean()).astype(np.float32)
    return found


def power_law(rng: Random, side: int, exponent: float) -> Plane:
    """Noise whose amplitude falls with frequency to that power, mean 0, deviation 1."""
    spectrum = np.fft.rfft2(rng.standard_normal((side, side)))
    rows, columns = np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None]
    frequency = np.hypot(rows, columns)
    frequency[0, 0] = 1.0
    noise = np.fft.irfft2(spectrum / frequency**exponent, s=(side, side))
    found: Plane = ((noise - noise.mean()) / (noise.std() + 1e-8)).astype(np.float32)
    return found


def _partly_blurred(rng: Random, picture: NDArray[np.float32]) -> NDArray[np.float32]:
    blur = rng.uniform(1, 4)
    soft = ndimage.gaussian_filter(picture, (blur, blur, 0))
    where = (power_law(rng, picture.shape[0], 1.8) > 0).astype(np.float32)
    share = ndimage.gaussian_filter(where, 4)[..., None]
    mixed: NDArray[np.float32] = picture * share + soft * (1 - share)
    return mixed
