"""Calms noise, grain and the blocks of JPEG with our own network, which is told what to expect.

A grey or toned picture goes through it by its luma, a colour picture by its three bands. What is
told is measured: noise in each band of brightness, the body of the grain, the blocks. Luma and
chroma are treated apart: coloured speckle has no value, grain has, and part of it stays.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from restoration.engine import measure, networks
from restoration.engine.image import check_image, let_go, room
from restoration.engine.luma import Image, chroma, luma, on_luma
from restoration.engine.step import StepContext, StepResult, note

GREY, COLOUR = "clean-grey", "clean-colour"
LEAST = 0.6  # noise below this, on the 0-255 scale, is left alone
STRIP = 256  # rows at a time: bounds the memory of a large scan
HALO = 16  # rows each strip sees beyond its own: what the guided filter reaches
NOISE_MOST, BODY_MOST, BLUR_MOST = 55.0, 1.2, 2.0  # what the networks were taught
GREY_CHROMA = 1e-4  # chroma below this is none
DOUBT = 3  # deviations: as far chroma may stray and be noise; from twice that on it is a colour
SMOOTH = 1.25  # pixels of half size: over which brightness is read, for its noise follows it
MIDDLE = 512  # pixels: where speckle is measured
LEAST_SPECKLE = 4.0  # of 255: JPEG leaves blots where there is no noise


@dataclass(frozen=True)
class Faults:
    """What the network is told: noise on the 0-255 scale, the body of the grain and the blur in
    pixels, the JPEG quality (100: none). And what it is not told, for its luma alone is cleaned:
    speckle, the deviation of a toned picture's chroma, on the same scale."""

    noise: measure.Noise
    blur: float = 0.0
    quality: int = 100
    speckle: float = 0.0

    def planes(self, tile: Image) -> Image:
        """The conditions of a tile HxWxC: (H/2)x(W/2)x4, each about [0, 1]."""
        light = luma(tile) if tile.shape[2] == 3 else tile[..., 0]
        down = (light[::2] + light[1::2]) / 2
        smooth = ndimage.gaussian_filter((down[:, ::2] + down[:, 1::2]) / 2, SMOOTH)
        told = np.empty((*smooth.shape, 4), np.float32)
        told[..., 0] = np.minimum(self.noise.at(smooth), NOISE_MOST)
        told[..., 1:] = self.noise.body, self.blur, self.quality
        return conditions(told)


def conditions(told: NDArray[np.floating]) -> Image:
    """noise, body, blur and JPEG quality (last axis) on the scales the networks were taught.

    restoration.training.degrade has the same for torch; a test keeps the two alike.
    """
    noise, body, blur, quality = np.moveaxis(told, -1, 0)
    blocks = (100 - quality) / 100
    planes = [noise / 255, body / BODY_MOST / 4, blur / BLUR_MOST / 4, blocks / 4]
    return np.stack(planes, axis=-1).astype(np.float32)


def run(context: StepContext, settings: dict[str, Any]) -> StepResult:
    """Blends strength of the clean picture in, keeps the share `grain` of what was taken out of
    luma. deblock: the share of the measured blocks that is told; deblur: what the lens lost, 1 is
    two pixels, never measured."""
    image = check_image(context.image)
    faults, network = found(image, float(settings["deblur"]), float(settings["deblock"]))
    sigma = round(faults.noise.sigma, 2)
    meters = {"noise_sigma": sigma, "jpeg_quality": faults.quality}
    if faults.noise.sigma < LEAST and faults.quality == 100 and not faults.blur:
        return StepResult(image, meters=meters, notes=[note("no-noise-found", sigma=sigma)])
    taken = room(image.shape)
    if network == COLOUR:
        clean = networks.answer(network, image, faults.planes, progress=context.progress)
    else:
        clean = networks.answer(network, _light(image), faults.planes, progress=context.progress)
    removed = _blended(image, clean, taken, settings, _doubt(faults))
    record = {
        "network": network,
        "sha256": networks.sha256(network),
        "noise": sigma,
        "bands": list(faults.noise.bands),
        "body": faults.noise.body,
        "blur": faults.blur,
        "quality": faults.quality,
    }
    return StepResult(taken, meters={**meters, "removed": round(removed, 5)}, record=record)


def found(image: Image, deblur: float, deblock: float) -> tuple[Faults, str]:
    """The faults of the picture, and the network for it."""
    parts = measure.sample(image)
    network = COLOUR if _colourful(parts) and networks.has(COLOUR) else GREY
    quality = 100 - round(deblock * (100 - measure.quality(parts)))
    speckle = 0.0
    if network == GREY:
        speckle = max(_speckle(*part) for part in parts)
        parts = [(luma(planes)[..., None], inside) for planes, inside in parts]
    return Faults(measure.noise(parts), deblur * BLUR_MOST, quality, speckle), network


def _speckle(planes: Image, inside: measure.Area) -> float:
    """The deviation of chroma, on the 0-255 scale; of the middle, which tells enough of it."""
    middle = tuple(
        slice(max(0, (side - MIDDLE) // 2), (side + MIDDLE) // 2) for side in inside.shape
    )
    colour = chroma(planes[middle])
    if np.abs(colour).max() < GREY_CHROMA:
        return 0.0
    colour += np.float32(0.5)
    return max(measure.noise_sigma(colour[..., band], inside[middle]) for band in range(3))


def _doubt(faults: Faults) -> float:
    """How far chroma may stray by noise alone, in [0, 1]."""
    return DOUBT * max(faults.speckle, LEAST_SPECKLE) / 255


def _colourful(parts: list[measure.Part]) -> bool:
    """A picture of many tints; a toned one has a tint for each brightness."""
    pixels = np.concatenate([planes[inside] for planes, inside in parts])
    if _is_grey(pixels):
        return False
    cast = measure.cast(pixels[None], np.ones((1, len(pixels)), bool))
    return not (cast.grey or cast.sepia)


def _is_grey(pixels: Image) -> bool:
    """Whether the bands of Nx3 pixels are alike: two at a time, which is quicker than all three."""
    red, green, blue = pixels.T
    apart = (np.abs(one - other).max() for one, other in ((red, green), (green, blue), (blue, red)))
    return all(each < GREY_CHROMA for each in apart)


def _light(image: Image) -> Image:
    """Luma, HxW; row by row, for the picture may be in a file."""
    light = room(image.shape[:2])
    for top in range(0, len(image), STRIP):
        light[top : top + STRIP] = luma(image[top : top + STRIP])
        let_go(image)
        let_go(light)
    return light


def _blended(
    image: Image, clean: Image, taken: Image, settings: dict[str, Any], doubt: float
) -> float:
    """Writes the result to `taken`, strip by strip; the deviation of what luma lost."""
    strength = float(settings["strength"])
    amount = strength * (1 - float(settings["grain"]))
    lost = 0.0
    for top in range(0, len(image), STRIP):
        start, bottom = max(0, top - HALO), top + STRIP
        rows = slice(top - start, min(bottom, len(image)) - start)
        mixed, gone = _mixed(image[start : bottom + HALO], clean[start : bottom + HALO],
                             strength, amount, doubt)  # fmt: skip
        taken[top:bottom] = mixed[rows]
        lost += float(np.square(gone[rows], dtype=np.float64).sum())
        for array in (image, clean, taken):
            let_go(array)
    return float(np.sqrt(lost / image[..., 0].size))


def _mixed(
    image: Image, clean: Image, strength: float, amount: float, doubt: float
) -> tuple[Image, Image]:
    """One strip, and what its luma lost."""
    light = luma(image)
    colour: Image = image - light[..., None]
    if clean.shape[2] == 1 and np.abs(colour).max() < GREY_CHROMA:
        gone = np.float32(amount) * (light - clean[..., 0])
        return np.repeat(np.clip(light - gone, 0, 1)[..., None], 3, axis=2), gone
    if clean.shape[2] == 3:
        calm = luma(clean)
        colour += np.float32(strength) * (clean - calm[..., None] - colour)
    else:
        calm = clean[..., 0]
        colour = _calm_colour(colour, np.clip(calm, 0, 1), strength, doubt)
    gone = np.float32(amount) * (light - calm)
    return on_luma(np.clip(light - gone, 0, 1), colour), gone


def _calm_colour(colour: Image, guide: Image, strength: float, doubt: float) -> Image:
    """Chroma smoothed along the clean luma (guided filter, K. He 2010), but not where a colour
    stands out of its surroundings as noise does not: red lips, a ribbon, a stamp on a toned print.
    """
    if strength == 0:
        return colour
    mean = ndimage.uniform_filter(guide, 9)
    spread = ndimage.uniform_filter(guide * guide, 9) - mean * mean + 1e-3
    smooth = np.stack([_guided(colour[..., band], guide, mean, spread) for band in range(3)], -1)
    apart = ndimage.median_filter(np.abs(colour - smooth).max(axis=2), 3)  # no single speck
    amount = strength * (1 - np.clip(apart / doubt - 1, 0, 1))
    calm: Image = colour + amount.astype(np.float32)[..., None] * (smooth - colour)
    return calm


def _guided(band: Image, guide: Image, mean: Image, spread: Image) -> Image:
    around = ndimage.uniform_filter(band, 9)
    slope = (ndimage.uniform_filter(guide * band, 9) - mean * around) / spread
    offset = around - slope * mean
    smooth: Image = ndimage.uniform_filter(slope, 9) * guide + ndimage.uniform_filter(offset, 9)
    return smooth
