"""Plain measurements of a scan: noise, sharpness, tone, cast, borders; luma is HxW in [0, 1]."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.color import rgb2lab

from restoration.engine.image import let_go, room, shrink
from restoration.engine.luma import Image, chroma, luma

Area = NDArray[np.bool_]
Part = tuple[Image, Area]  # HxWxC and HxW: a piece of a picture and what of it is picture

HAAR = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
GAUSSIAN_MEDIAN = 0.6745  # median of |x| for x normal of deviation 1

BLOCK = 16  # pixels of a block in which noise is looked for
STEPS = (1, 2, 3)  # of the second differences: fine noise shows in all, grain in the wider ones
FLATTEST = 0.1  # share of the blocks that is looked at
LOW = 0.3  # quantile of their deviations that is taken, so that texture counts little ...
LOW_READS = 0.96  # ... and what it reads of the deviation of pure noise
UNEVEN = 1.5  # noise is alike in all flat blocks, texture is not: above this it is doubted
GRAINY = (0.0, 0.35, 0.7, 1.0)  # how far noise may follow brightness as grain does
PLAINER = 0.97  # noise that follows brightness must be so much more alike to be believed
BODIES = np.array([0, *np.arange(0.4, 1.225, 0.05)])  # below 0.4 grain is as good as white
FLOORS = np.array([0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4])  # white noise below the grain, its share
BANDS = 6  # of brightness
QUALITIES = ((0.5, 100), (0.8, 80), (1.3, 70), (1.75, 60), (2.1, 50), (2.55, 40), (3.1, 30),
             (4.1, 20), (6.0, 10))  # fmt: skip  # medians over Set12 and BSD68, by blockiness
COARSE = 1200  # longest side at which borders are looked for in large scans
WHOLE = 1_200_000  # pixels up to which a picture is measured whole
WINDOW = 256  # side of the pieces of larger ones
WINDOWS = 16
DEPTH_MEASURED = 2000  # pixels: the depth of holes in a longer picture is measured at this size
WIDE = 12.0  # pixels from the rim to the middle of a wide hole, on a picture of 1000
TINT_SIDE, TINT_SHADES = 1000, 24  # a print's tint is read at this size, at so many brightnesses
STRIP = 512  # rows at a time
GREY_STRAY = 3.0  # chroma (Lab) of a picture without colours strays less from its tint


@dataclass(frozen=True)
class Noise:
    """Deviation on the 0-255 scale, the blur in pixels that gives grain its body, and how much
    stronger or weaker it is in each of BANDS bands of brightness, dark to light."""

    sigma: float
    body: float
    bands: tuple[float, ...] = (1.0,) * BANDS

    def at(self, light: Image) -> Image:
        """The deviation where luma is so, same shape, on the 0-255 scale."""
        centres = (np.arange(BANDS) + 0.5) / BANDS
        found = np.interp(light, centres, self.sigma * np.array(self.bands))
        return np.asarray(found, np.float32)


def noise(parts: Sequence[Part]) -> Noise:
    """Noise and grain of a picture, from the flattest blocks of its parts.

    Second differences over one, two and three pixels read white noise alike and grain unlike;
    the deviation and body are those that explain the three readings best.
    """
    rough, level, spread = (
        np.concatenate(each, axis=-1) for each in zip(*map(_blocks, parts), strict=True)
    )
    lit = (level > 0.06) & (level < 0.94) & np.isfinite(rough)
    if lit.sum() < BLOCK:
        return Noise(0.0, 0.0)
    flat = lit & (rough <= np.quantile(rough[lit], FLATTEST))
    reading, uneven = _reading(spread[:, flat], level[flat], level[lit])
    sigma, body = _explained(255 * reading / LOW_READS)
    doubt = max(1.0, uneven / UNEVEN) ** 4
    return Noise(sigma / doubt, body, _bands(rough, level, spread[1], lit))


def _reading(spread: Image, level: Image, levels: Image) -> tuple[NDArray[np.float64], float]:
    """The three deviations over the whole picture, and how uneven they are from block to block.

    Grain is weaker in the lights and in the darks than between, so the flat blocks of one print
    differ though nothing but grain is in them: they are compared once that is taken out of them.
    levels: of all blocks, not of the flat ones alone."""
    found = spread.mean(axis=1), np.inf
    for low, high, share in _followed(levels):
        here, overall = (
            _grain_at(np.clip((each - low) / (high - low), 0, 1), share) for each in (level, levels)
        )
        least, usual, most = np.quantile(spread / here, (0.1, LOW, 0.7), axis=1)
        uneven = float((most / np.maximum(least, 1e-9))[1:].min())
        if uneven < PLAINER * found[1]:
            found = usual * np.sqrt(np.square(overall).mean()), uneven
    return found


def _followed(levels: Image) -> Iterator[tuple[float, float, float]]:
    """Black, white and how far noise follows the tones between: those of the scan, and those that
    the print had before it faded."""
    low, high = np.quantile(levels, (0.02, 0.98))
    for share in GRAINY:
        yield 0.0, 1.0, share
        if share:
            yield float(low), float(max(high, low + 0.05)), share


def _grain_at(tone: Image, share: float) -> Image:
    """How strong noise is at that tone, from black 0 to white 1, when it follows it so far."""
    found: Image = (1 - share) + share * (0.35 + 2.6 * tone * (1 - tone))
    return found


def _blocks(part: Part) -> tuple[Image, Image, Image]:
    """For each block and channel: slope of the smoothed picture (NaN outside), mean brightness,
    and the deviation of the three second differences."""
    planes, inside = part
    rough, level, spread = [], [], []
    within = np.where(_cut(inside).all(axis=1), np.float32(0), np.float32(np.nan))
    for channel in range(planes.shape[2]):
        plane = np.ascontiguousarray(planes[..., channel])
        smooth = ndimage.gaussian_filter(plane, 2.5)
        slope = np.square(ndimage.sobel(smooth, 0)) + np.square(ndimage.sobel(smooth, 1))
        rough.append(_cut(slope).mean(axis=1) + within)
        level.append(_cut(smooth).mean(axis=1))
        spread.append([np.sqrt(np.square(_cut(_second(plane, s))).mean(axis=1)) for s in STEPS])
    return np.concatenate(rough), np.concatenate(level), np.concatenate(spread, axis=1)


def _cut(plane: NDArray[np.generic]) -> NDArray[np.generic]:
    """Blocks x pixels."""
    high, wide = (side // BLOCK for side in plane.shape)
    whole = plane[: high * BLOCK, : wide * BLOCK].reshape(high, BLOCK, wide, BLOCK)
    return whole.swapaxes(1, 2).reshape(high * wide, BLOCK * BLOCK)


def _second(plane: Image, step: int) -> Image:
    """Second difference down and across over so many pixels; white noise keeps its deviation."""
    taps = np.zeros(2 * step + 1, np.float32)
    taps[[0, step, -1]] = np.array([1, -2, 1]) / np.sqrt(6)
    down = ndimage.convolve1d(plane, taps, axis=0, mode="mirror")
    found: Image = ndimage.convolve1d(down, taps, axis=1, mode="mirror")
    return found


def _explained(reading: NDArray[np.float64]) -> tuple[float, float]:
    """Deviation and body of the grain (with a little white noise under it) that reads so."""
    share = FLOORS[None, :, None]
    wanted = np.sqrt((_read_of_grain()[:, None] ** 2 + share**2) / (1 + share**2))
    apart = np.log(np.maximum(reading, 0.05)) - np.log(wanted)
    sigma = apart.mean(axis=-1)
    error = np.square(apart - sigma[..., None]).sum(axis=-1) + 0.02 * FLOORS
    body, floor = np.unravel_index(np.argmin(error), error.shape)
    return float(np.exp(sigma[body, floor])), round(float(BODIES[body]), 2)


@cache
def _read_of_grain() -> NDArray[np.float64]:
    """What the three second differences read of grain of deviation 1, for each of BODIES."""
    dot = np.zeros(41)
    dot[20] = 1
    found = []
    for body in BODIES:
        kernel = ndimage.gaussian_filter1d(dot, body) if body else dot
        alike = np.correlate(kernel, kernel, "full")[40:] / np.square(kernel).sum()
        found.append([(6 - 8 * alike[step] + 2 * alike[2 * step]) / 6 for step in STEPS])
    return np.array(found)


def _bands(rough: Image, level: Image, spread: Image, lit: Area) -> tuple[float, ...]:
    """Deviation in each band over that of all; a band with few flat blocks says little."""
    band = np.minimum((level * BANDS).astype(int), BANDS - 1)
    read, count = np.zeros(BANDS), np.zeros(BANDS)
    for number in range(BANDS):
        here = lit & (band == number)
        if here.sum() >= BLOCK:
            flat = here & (rough <= np.quantile(rough[here], FLATTEST))
            read[number], count[number] = np.quantile(spread[flat], LOW), flat.sum()
    if not count.any() or not read.any():
        return (1.0,) * BANDS
    usual = float(np.average(read, weights=count))
    trust = count / (count + 20)
    ratio = 1 + trust * (np.where(count > 0, read / usual, 1) - 1)
    return tuple(round(float(each), 3) for each in np.clip(ratio, 0.5, 1.5))


def quality(parts: Sequence[Part]) -> int:
    """The JPEG quality whose blocks stand out so much (10 to 100, 100: no blocks to be seen)."""
    blocks, qualities = zip(*QUALITIES, strict=True)
    return round(float(np.interp(blockiness(parts), blocks, qualities)))


def blockiness(parts: Sequence[Part]) -> float:
    """How much steeper luma is across the borders of 8x8 blocks than beside them, 0-255 scale."""
    planes = [planes.mean(axis=2) for planes, _ in parts]
    across = np.mean([_steeper(plane) for plane in planes], axis=0)
    down = np.mean([_steeper(np.ascontiguousarray(plane.T)) for plane in planes], axis=0)
    return 255 * float(_stands_out(across) + _stands_out(down)) / 2


def _steeper(plane: Image) -> NDArray[np.float64]:
    """For each of the eight places a block may begin at: the step there less those beside it."""
    step = np.abs(np.diff(plane, axis=1))
    more = np.clip(step[:, 1:-1] - (step[:, :-2] + step[:, 2:]) / 2, -0.08, 0.08)
    return np.array([more[:, place::8].mean() for place in range(8)])


def _stands_out(steeper: NDArray[np.float64]) -> float:
    return float(steeper.max() - np.median(np.sort(steeper)[:-1]))


def sample(image: Image) -> list[Part]:
    """Pieces to measure a float32 HxWx3 picture by, at full size: it all, or evenly spread
    windows; their places are multiples of 8, so that the blocks of JPEG fall alike."""
    if image[..., 0].size <= WHOLE:
        return [(image, luma_and_inside(image)[1])]
    every = -(-max(image.shape[:2]) // COARSE)
    _, inside = luma_and_inside(np.ascontiguousarray(image[::every, ::every]))
    corners = [(top, left) for top in _evenly(image.shape[0]) for left in _evenly(image.shape[1])]
    parts = []
    for top, left in corners:
        planes = np.array(image[top : top + WINDOW, left : left + WINDOW])
        rows = (top + np.arange(planes.shape[0])) // every
        columns = (left + np.arange(planes.shape[1])) // every
        parts.append((planes, inside[rows[:, None], columns]))
    let_go(image)
    return sorted(parts, key=lambda part: -float(part[1].mean()))[:WINDOWS]


def _evenly(length: int) -> list[int]:
    """Five places for windows along a side, all different."""
    places = np.linspace(0, max(0, length - WINDOW), 5) // 8 * 8
    return sorted({int(place) for place in places})


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

    @property
    def monochrome(self) -> bool:
        """Taken without colours: grey, toned, or with so little tint that it is neither."""
        return self.grey or self.sepia or self.stray < GREY_STRAY


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
    grey = tint < 2.0 and stray < GREY_STRAY
    return Cast(a, b, stray, grey=grey, sepia=tint >= 4.0 and stray < 12.0)


def tint(image: Image, light: Image, inside: Area, shades: int = 16) -> Image:
    """The median chroma of each brightness, HxWx3: the print's own tone and its yellowing.

    image: float32 HxWx3 in [0, 1], light: its luma; shades: brightnesses at which it is read.
    """
    return toned(light, *_tints(image, light, inside, shades))


def _tints(
    image: Image, light: Image, inside: Area, shades: int
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Brightnesses, and the median chroma at each."""
    colour, shade = chroma(image)[inside], light[inside]
    step = max(1, len(shade) // 60_000)
    colour, shade = colour[::step], shade[::step]
    order = np.array_split(np.argsort(shade, kind="stable"), shades)
    levels = np.array([np.median(shade[part]) for part in order])
    return levels, np.array([np.median(colour[part], axis=0) for part in order])


def toned(light: Image, levels: NDArray[Any], medians: NDArray[Any]) -> Image:
    """The tint at each brightness of a luma HxW, between those that were read; HxWx3."""
    bands = [np.interp(light, levels, medians[:, band]) for band in range(3)]
    found: Image = np.stack(bands, axis=-1).astype(np.float32)
    return found


def untoned(image: Image) -> Image:
    """A toned or yellowed monochrome as it is in grey: each pixel without the tint of its
    brightness, so that a stain keeps what sets it apart. Any other picture is given back as it is.

    float32 HxWx3 in [0, 1]; strip by strip, for it may be in a file.
    """
    small = np.clip(shrink(image, TINT_SIDE), 0, 1)
    light = luma(small)
    inside = inside_borders(light)
    found = cast(small, inside) if inside.any() else None
    if found is None or found.grey or not found.monochrome:
        return image
    tints = _tints(small, light, inside, TINT_SHADES)
    grey = room(image.shape)
    for top in range(0, len(image), STRIP):
        part = image[top : top + STRIP]
        grey[top : top + STRIP] = np.clip(part - toned(luma(part), *tints), 0, 1)
        let_go(image)
        let_go(grey)
    return grey


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


def depth(area: Area) -> float:
    """How far the middle of the widest hole, bool HxW, is from its rim, in pixels."""
    step = -(-max(area.shape) // DEPTH_MEASURED)
    return float(step * ndimage.distance_transform_edt(area[::step, ::step]).max())


def wide(shape: tuple[int, ...]) -> float:
    """From which depth on a hole asks for more than a fill: what stands there is guesswork."""
    return WIDE * max(1.0, max(shape[:2]) / 1000)
