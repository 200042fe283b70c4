"""Plain measurements of a scan: noise, sharpness, tone, cast, borders; luma is HxW in [0, 1]."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.color import rgb2lab

from restoration.engine.luma import Image, luma

Area = NDArray[np.bool_]

HAAR = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
GAUSSIAN_MEDIAN = 0.6745  # median of |x| for x normal of deviation 1


def noise_sigma(light: Image, inside: Area | None = None) -> float:
    """Deviation of the noise on the 0-255 scale (J. Immerkaer, "Fast noise variance estimation",
    1996, with the median in the place of the mean, over the flattest third of the picture)."""
    second = np.abs(ndimage.convolve(light, HAAR, mode="nearest")) / 6
    smooth = ndimage.gaussian_filter(light, 2.0)
    slope = ndimage.gaussian_gradient_magnitude(smooth, 1.0)
    lit = (light > 0.03) & (light < 0.97)
    lit = lit if inside is None else lit & inside
    if lit.sum() < 64:
        return 0.0
    flat = lit & (slope <= np.quantile(slope[lit], 0.35))
    return float(np.median(second[flat]) / GAUSSIAN_MEDIAN * 255)


def grain_sigma(light: Image, inside: Area | None = None) -> float:
    """Deviation of coarse grain: the noise that is still there at half size, told at full size."""
    half = ndimage.uniform_filter(light, 2)[::2, ::2]
    return 2 * noise_sigma(half, None if inside is None else inside[::2, ::2])


def sharpness(light: Image, noise: float, inside: Area) -> float:
    """Energy of fine detail above the noise, over the picture's own contrast: about 0 to 1."""
    fine = light - ndimage.gaussian_filter(light, 1.0)
    energy = float(np.var(fine[inside]))
    energy = max(0.0, energy - 0.8 * (noise / 255) ** 2)
    contrast = float(np.var(light[inside])) + 1e-6
    return min(1.0, 10 * float(np.sqrt(energy / contrast)) / 2)


@dataclass(frozen=True)
class Tones:
    """Luma percentiles in [0, 1], of what lies inside the borders."""

    p005: float
    p01: float
    p50: float
    p99: float
    p995: float

    @property
    def span(self) -> float:
        return self.p99 - self.p01


def tones(light: Image, inside: Area) -> Tones:
    values = np.quantile(light[inside][::3], [0.005, 0.01, 0.5, 0.99, 0.995])
    return Tones(*(float(value) for value in values))


@dataclass(frozen=True)
class Cast:
    """Median Lab a and b, how far chroma strays from one tint per brightness, and the verdicts."""

    a: float
    b: float
    stray: float
    grey: bool
    sepia: bool


def cast(image: Image, inside: Area) -> Cast:
    """A toned monochrome has one tint for each brightness; a colour picture has many."""
    pixels = image[inside]
    pixels = pixels[:: max(1, len(pixels) // 40_000)]
    lab = rgb2lab(pixels[None])[0]
    a, b = float(np.median(lab[:, 1])), float(np.median(lab[:, 2]))
    order = np.argsort(lab[:, 0], kind="stable")
    bins = [part for part in np.array_split(lab[order], 24) if len(part)]
    spread = [np.abs(part[:, 1:] - np.median(part[:, 1:], axis=0)).sum(axis=1) for part in bins]
    stray = float(np.quantile(np.concatenate(spread), 0.9))
    tint = float(np.hypot(a, b))
    return Cast(a, b, stray, grey=tint < 2.0 and stray < 3.0, sepia=tint >= 4.0 and stray < 12.0)


def inside_borders(light: Image) -> Area:
    """True inside the frame: the black or white edge of a negative or a mount is not picture."""
    height, width = light.shape
    area = np.zeros(light.shape, bool)
    top, bottom = _frame(light), _frame(light[::-1])
    left, right = _frame(light.T), _frame(light.T[::-1])
    area[top : height - bottom, left : width - right] = True
    return area & ~_rim(light)


def _frame(light: Image) -> int:
    """How many rows from the top are mostly black, mostly white or quite flat and bordered."""
    most: int = max(1, round(0.2 * light.shape[0]))
    strip = light[:most]
    extreme = np.maximum((strip < 0.12).mean(axis=1), (strip > 0.92).mean(axis=1))
    framed = np.nonzero(extreme > 0.6)[0]
    margin: int = max(2, round(0.006 * light.shape[0]))
    if len(framed) == 0 or framed[0] > 0.04 * light.shape[0]:
        return margin
    last: int = _last_of_run(framed, gap=max(3, round(0.02 * light.shape[0])))
    return margin if last + 1 >= most else min(most, last + 1 + margin)


def _last_of_run(rows: NDArray[np.int64], gap: int) -> int:
    breaks = np.nonzero(np.diff(rows) > gap)[0]
    return int(rows[breaks[0]] if len(breaks) else rows[-1])


def _rim(light: Image) -> Area:
    """Black or white regions that touch the edge along a good part of it, with a small margin."""
    rim = np.zeros(light.shape, bool)
    for extreme in (light < 0.07, light > 0.95):
        labels, count = ndimage.label(extreme)
        if count:
            rim |= np.isin(labels, _edge_labels(labels))
    reach = max(2, round(0.005 * max(light.shape)))
    grown: Area = ndimage.binary_dilation(rim, iterations=reach)
    return grown


def _edge_labels(labels: NDArray[np.int32]) -> NDArray[np.int64]:
    edge = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    names, counts = np.unique(edge[edge > 0], return_counts=True)
    found: NDArray[np.int64] = names[counts > 0.1 * min(labels.shape)]
    return found


def luma_and_inside(image: Image) -> tuple[Image, Area]:
    """Luma and the area inside the borders; the whole picture when borders would eat most of it."""
    light = luma(image)
    inside = inside_borders(light)
    if inside.mean() < 0.3:
        inside = np.ones(light.shape, bool)
    return light, inside
