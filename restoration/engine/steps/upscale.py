"""Doubles the size by our own network, and holds the result to the photograph: made small again, it
is the picture it came from (back-projection, M. Irani and S. Peleg 1991).

The network is told how strong the noise is, so that it leaves grain as soft as it was; what is
below the noise is not sharpened either. Colour is resampled, no more.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import ndimage

from restoration.engine import measure, networks
from restoration.engine.errors import BadInput, StepFailed
from restoration.engine.image import MOST_PIXELS, check_image, let_go, resize, room
from restoration.engine.luma import Image, chroma, luma, on_luma
from restoration.engine.step import StepContext, StepResult

NETWORK = "enlarge"
SCALE = 2
STRIP = 512  # rows of the small picture that are finished at once
HALO = 64  # rows each strip sees beyond its own: further than what is done to it reaches
NOISE_MOST, QUALITY_LEAST = 20.0, 40  # what the network was taught
SLACK = 0.02  # how far luma may leave what its neighbourhood held
RETURNED = 1 / 255  # how far the result, made small again, may be from the picture, in the mean
# Of four pixels. Letters, hatching and dots of black on white hold more than a finer reduction can
# bring back without ringing; a plain mean always can.
MEAN = "mean"
# Rounds of back-projection, and by what it is made small; more only where the picture asks for it.
TRIED = ((3, "lanczos3"), (6, "lanczos3"), (12, "lanczos3"), (24, MEAN))
ASKING = 0.7  # the share of the time that the network takes


def run(context: StepContext, settings: dict[str, Any]) -> StepResult:
    """float32 HxWx3 to 2Hx2Wx3; `returned` in the record is how far it is, made small again."""
    image = check_image(context.image)
    height, width = image.shape[:2]
    if SCALE * SCALE * height * width > MOST_PIXELS:
        raise BadInput("image-too-large", {"width": SCALE * width, "height": SCALE * height})
    light = luma(image)
    noise, quality = _faults(image)
    wide = networks.answer(
        NETWORK, light, conditions(noise, quality), out=room((SCALE * height, SCALE * width, 1)),
        progress=lambda part, preview: context.progress(ASKING * part, preview),
    )[..., 0]  # fmt: skip
    sharpen = float(settings["sharpen"])
    told: dict[str, Any] = {"network": NETWORK, "sha256": networks.sha256(NETWORK)}
    told |= {"noise": round(noise, 2), "jpeg_quality": quality}
    for rounds, kernel in TRIED:
        result, away = _finished(image, light, wide, _Finish(sharpen, noise / 255, rounds, kernel))
        told |= {"rounds": rounds, "reduced_by": kernel, "returned": round(255 * away, 3)}
        if away <= RETURNED:
            return StepResult(result, record=told)
    raise StepFailed("not-the-same-small", {"away": round(255 * away, 2), "most": 1})


def _faults(image: Image) -> tuple[float, int]:
    """The deviation of the luma's noise on the 0-255 scale, and the JPEG quality."""
    parts = [(luma(planes)[..., None], inside) for planes, inside in measure.sample(image)]
    return measure.noise(parts).sigma, measure.quality(parts)


def conditions(noise: float, quality: int) -> tuple[float, float]:
    """What the network is told, on the scales it was taught: restoration.training.lessons.enlarge
    has the same."""
    return min(noise, NOISE_MOST) / 255, (100 - max(quality, QUALITY_LEAST)) / 400


@dataclass(frozen=True)
class _Finish:
    """What is done to the network's answer: sharpening, with the noise left alone, and rounds of
    back-projection; by what it is made small, to be held to the picture."""

    sharpen: float
    noise: float
    rounds: int
    kernel: str


def _finished(image: Image, light: Image, wide: Image, finish: _Finish) -> tuple[Image, float]:
    """The doubled picture, and how far it is from the picture when made small, in the mean."""
    height, width = light.shape
    result, away = room((SCALE * height, SCALE * width, 3)), 0.0
    for top in range(0, height, STRIP):
        bottom = min(height, top + STRIP)
        seen = slice(max(0, top - HALO), min(height, bottom + HALO))
        own = slice(top - seen.start, bottom - seen.start)
        held = _held(wide[_doubled(seen)], light[seen], finish)
        small = _reduced(held, finish.kernel)
        away += float(np.abs(small - light[seen])[own].sum(dtype=np.float64))
        colour = _enlarged(chroma(image[seen]), "linear")
        result[_doubled(slice(top, bottom))] = on_luma(held[_doubled(own)], colour[_doubled(own)])
        let_go(result)
        let_go(wide)
    return result, away / light.size


def _held(wide: Image, light: Image, finish: _Finish) -> Image:
    """The luma sharpened, and moved to and fro between what, made small, is the picture and what
    its neighbourhood held (projections onto convex sets, D. Youla 1982): so nothing rings."""
    held = np.clip(bounded(sharpened(wide, finish.sharpen, finish.noise), light, SLACK), 0, 1)
    for _ in range(finish.rounds):
        held = held + _returned(light - _reduced(held, finish.kernel), finish.kernel)
        held = np.clip(bounded(held, light, SLACK), 0, 1)
    return held


def _reduced(wide: Image, kernel: str) -> Image:
    """Half as large."""
    height, width = wide.shape[0] // SCALE, wide.shape[1] // SCALE
    if kernel == MEAN:
        found: Image = wide.reshape(height, SCALE, width, SCALE).mean(axis=(1, 3))
        return found
    return resize(wide, height, width, kernel)


def _returned(lacking: Image, kernel: str) -> Image:
    """What it lacks, given back to the pixels that it was taken from."""
    if kernel == MEAN:
        return np.repeat(np.repeat(lacking, SCALE, 0), SCALE, 1)
    return _enlarged(lacking, kernel)


def _enlarged(plane: Image, kernel: str) -> Image:
    return resize(plane, SCALE * plane.shape[0], SCALE * plane.shape[1], kernel)


def _doubled(rows: slice) -> slice:
    return slice(SCALE * rows.start, SCALE * rows.stop)


def bounded(wide: Image, light: Image, slack: float = 0.0) -> Image:
    """Held between the darkest and the brightest of the nearby source pixels."""
    low = np.repeat(np.repeat(ndimage.minimum_filter(light, 3), SCALE, 0), SCALE, 1)
    high = np.repeat(np.repeat(ndimage.maximum_filter(light, 3), SCALE, 0), SCALE, 1)
    held: Image = np.clip(wide, low - np.float32(slack), high + np.float32(slack))
    return held


def sharpened(light: Image, amount: float, noise: float) -> Image:
    """Unsharp mask that leaves alone what is no stronger than the noise."""
    if amount == 0:
        return light
    fine = light - ndimage.gaussian_filter(light, 1.4)
    floor = 1.5 * noise + 0.004
    trust = np.square(fine) / (np.square(fine) + np.float32(floor * floor))
    found: Image = light + np.float32(amount) * fine * trust
    return found
