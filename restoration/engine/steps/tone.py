"""Gives a faded print its range back by one monotone curve, and calms a strong cast.

A monotone curve moves no detail and invents nothing; it is recorded point by point, so that anyone
can undo it. A sepia tone is usually the photograph's own: by default most of it stays.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

from restoration.engine import measure
from restoration.engine.image import check_image
from restoration.engine.luma import Image, chroma, luma, on_luma
from restoration.engine.step import StepContext, StepResult, note

STEEPEST = 2.2  # the most any part of the curve may stretch
LEAST = 0.012  # below this nothing changes that an eye could see


def run(context: StepContext, settings: dict[str, Any]) -> StepResult:
    """Stretches luma between its percentiles and takes the settings' share of the cast away."""
    strength, share = float(settings["strength"]), float(settings["cast"])
    image = check_image(context.image)
    light, inside = measure.luma_and_inside(image)
    context.progress(0.3, None)
    knots = curve(measure.tones(light, inside), strength)
    cast = measure.cast(image, inside)
    tinted = share > 0 and not cast.grey
    notes = [] if tinted or _moves(knots) else [note("tone-already-full")]
    result = apply(image, knots, tint(image, light, inside) * share if tinted else None)
    record = {
        "curve": [[round(float(x), 5), round(float(y), 5)] for x, y in knots],
        "cast": {"a": round(cast.a, 2), "b": round(cast.b, 2), "share": share if tinted else 0.0},
    }
    return StepResult(result, meters={"gain": round(_gain(knots), 3)}, notes=notes, record=record)


def curve(tones: measure.Tones, strength: float) -> NDArray[np.float64]:
    """Knots Nx2 (luma in, luma out) of a monotone curve; the identity when strength is 0."""
    low, high = min(tones.p005, 0.35), max(tones.p995, 0.6)
    target_low, target_high = min(low, 0.025), max(high, 0.965)
    if (target_high - target_low) / (high - low) > STEEPEST:
        spare = (target_high - target_low) / STEEPEST - (high - low)
        low, high = max(0.0, low - spare / 2), min(1.0, high + spare / 2)
    x = np.array([0.0, low, (low + high) / 2, high, 1.0])
    y = np.array([0.0, target_low, (target_low + target_high) / 2, target_high, 1.0])
    keep = np.concatenate([[True], np.diff(x) > 1e-3])
    keep[-2] &= x[-1] - x[-2] > 1e-3
    x, y = x[keep], y[keep]
    y = _keep_brightness(x, y, tones.p50)
    y = x + strength * (y - x)
    dense = np.linspace(0, 1, 33)
    return np.stack([dense, np.maximum.accumulate(PchipInterpolator(x, y)(dense))], axis=1)


def _keep_brightness(
    x: NDArray[np.float64], y: NDArray[np.float64], middle: float
) -> NDArray[np.float64]:
    """Bends the curve so that the middle tone does not leave where it was by more than 0.08."""
    moved = float(np.interp(middle, x, y))
    wanted = float(np.clip(moved, middle - 0.08, middle + 0.08))
    if abs(moved - wanted) < 1e-4 or not 0.02 < moved < 0.98:
        return y
    power = np.clip(np.log(max(wanted, 1e-3)) / np.log(moved), 0.6, 1.6)
    bent: NDArray[np.float64] = y**power
    return bent


def apply(image: Image, knots: NDArray[np.float64], tint_to_remove: Image | None) -> Image:
    """The curve on luma; chroma follows its slope a little, minus the tint; always in gamut."""
    light = luma(image)
    curved = np.interp(light, knots[:, 0], knots[:, 1]).astype(np.float32)
    colour = chroma(image)
    if tint_to_remove is not None:
        colour = colour - tint_to_remove
    return on_luma(curved, colour * np.float32(np.sqrt(max(1.0, _gain(knots)))))


def tint(image: Image, light: Image, inside: measure.Area) -> Image:
    """The median chroma of each brightness, HxWx3: the print's own tone and its yellowing."""
    colour = chroma(image)[inside]
    shade = light[inside]
    step = max(1, len(shade) // 60_000)
    colour, shade = colour[::step], shade[::step]
    order = np.array_split(np.argsort(shade, kind="stable"), 16)
    levels = np.array([np.median(shade[part]) for part in order])
    medians = np.array([np.median(colour[part], axis=0) for part in order])
    bands = [np.interp(light, levels, medians[:, band]) for band in range(3)]
    found: Image = np.stack(bands, axis=-1).astype(np.float32)
    return found


def _gain(knots: NDArray[np.float64]) -> float:
    """The mean slope of the curve's middle half."""
    return float((knots[24, 1] - knots[8, 1]) / (knots[24, 0] - knots[8, 0]))


def _moves(knots: NDArray[np.float64]) -> bool:
    return bool(np.abs(knots[:, 1] - knots[:, 0]).max() > LEAST)
