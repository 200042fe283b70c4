"""Doubles the size by Lanczos resampling and sharpens what is above the noise; no new detail."""

from typing import Any

import numpy as np
from scipy import ndimage

from restoration.engine import measure
from restoration.engine.errors import BadInput
from restoration.engine.image import MOST_PIXELS, check_image, resize
from restoration.engine.luma import Image, chroma, luma, on_luma
from restoration.engine.step import StepContext, StepResult

SCALE = 2


def run(context: StepContext, settings: dict[str, Any]) -> StepResult:
    """float32 HxWx3 to 2Hx2Wx3; luma stays within what its neighbourhood held: no ringing."""
    image = check_image(context.image)
    height, width = image.shape[:2]
    if SCALE * SCALE * height * width > MOST_PIXELS:
        raise BadInput("image-too-large", {"width": SCALE * width, "height": SCALE * height})
    light = luma(image)
    noise = measure.noise_sigma(light) / 255
    wide = bounded(resize(light, SCALE * height, SCALE * width), light)
    context.progress(0.5, None)
    sharp = sharpened(wide, float(settings["sharpen"]), noise)
    sharp = bounded(sharp, light, slack=0.02)
    colour = resize(chroma(image), SCALE * height, SCALE * width, kernel="linear")
    record = {"kernel": "lanczos3", "noise": round(noise * 255, 2)}
    return StepResult(on_luma(np.clip(sharp, 0, 1), colour), record=record)


def bounded(wide: Image, light: Image, slack: float = 0.0) -> Image:
    """Held between the darkest and the brightest of the nearby source pixels."""
    low = np.repeat(np.repeat(ndimage.minimum_filter(light, 3), SCALE, 0), SCALE, 1)
    high = np.repeat(np.repeat(ndimage.maximum_filter(light, 3), SCALE, 0), SCALE, 1)
    held: Image = np.clip(wide, low - np.float32(slack), high + np.float32(slack))
    return held


def sharpened(light: Image, amount: float, noise: float) -> Image:
    """Unsharp mask that leaves alone what is no stronger than the noise."""
    fine = light - ndimage.gaussian_filter(light, 1.4)
    floor = 1.5 * noise + 0.004
    trust = np.square(fine) / (np.square(fine) + np.float32(floor * floor))
    found: Image = light + np.float32(amount) * fine * trust
    return found
