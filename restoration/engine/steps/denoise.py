"""Calms noise with non-local means (A. Buades 2005; fast form of J. Darbon 2008, scikit-image).

Luma and chroma are treated apart: coloured speckle has no value, grain has, and part of it stays.
"""

from typing import Any

import numpy as np
from scipy import ndimage
from skimage.restoration import denoise_nl_means

from restoration.engine import measure
from restoration.engine.image import check_image
from restoration.engine.luma import Image, chroma, on_luma
from restoration.engine.step import StepContext, StepResult, note

STRIP = 768  # rows at a time: bounds the memory of a large scan
HALO = 16  # rows each strip sees beyond its own; more than patch and search reach
LEAST = 0.6  # noise below this, on the 0-255 scale, is left alone


def run(context: StepContext, settings: dict[str, Any]) -> StepResult:
    """Blends strength of the denoised luma in, keeps the share `grain` of what was taken out."""
    image = check_image(context.image)
    light, inside = measure.luma_and_inside(image)
    sigma = measure.noise_sigma(light, inside)
    sigma = max(sigma, 0.45 * measure.grain_sigma(light, inside))
    record = {"sigma": round(sigma, 3), "method": "nl-means", "patch": 5, "reach": 6}
    if sigma < LEAST:
        return StepResult(image, notes=[note("no-noise-found", sigma=round(sigma, 2))])
    clean = denoised(light, sigma / 255, context.progress)
    amount = float(settings["strength"]) * (1 - float(settings["grain"]))
    blended = light + np.float32(amount) * (clean - light)
    colour = _calm_colour(chroma(image), clean, float(settings["strength"]))
    meters = {"noise_sigma": round(sigma, 2), "removed": round(float(np.std(light - blended)), 5)}
    return StepResult(on_luma(np.clip(blended, 0, 1), colour), meters=meters, record=record)


def denoised(light: Image, sigma: float, progress: Any) -> Image:
    """Luma HxW float32 without noise of that deviation (on [0, 1]), strip by strip."""
    height = light.shape[0]
    result = np.empty_like(light)
    for top in range(0, height, STRIP):
        bottom = min(height, top + STRIP)
        start, stop = max(0, top - HALO), min(height, bottom + HALO)
        calmed = denoise_nl_means(
            light[start:stop], patch_size=5, patch_distance=6, h=0.8 * sigma, sigma=sigma,
            fast_mode=True,
        )  # fmt: skip
        result[top:bottom] = calmed[top - start : bottom - start]
        progress(bottom / height, None)
    return result


def _calm_colour(colour: Image, guide: Image, strength: float) -> Image:
    """Chroma smoothed along the clean luma (guided filter, K. He 2010); grey stays grey."""
    if float(np.abs(colour).max()) < 1e-4 or strength == 0:
        return colour
    mean = ndimage.uniform_filter(guide, 9)
    spread = ndimage.uniform_filter(guide * guide, 9) - mean * mean + 1e-3
    smooth = np.stack([_guided(colour[..., band], guide, mean, spread) for band in range(3)], -1)
    return colour + np.float32(strength) * (smooth - colour)


def _guided(band: Image, guide: Image, mean: Image, spread: Image) -> Image:
    around = ndimage.uniform_filter(band, 9)
    slope = (ndimage.uniform_filter(guide * band, 9) - mean * around) / spread
    offset = around - slope * mean
    smooth: Image = ndimage.uniform_filter(slope, 9) * guide + ndimage.uniform_filter(offset, 9)
    return smooth
