"""Gives a faded print its contrast back by one rising curve, and calms a strong cast.

A rising curve moves no detail and invents nothing; it is recorded point by point, so that anyone
can undo it. A sepia tone is usually the photograph's own: by default most of it stays.
"""

from typing import Any

import numpy as np

from restoration.engine import fading, measure
from restoration.engine.image import check_image
from restoration.engine.luma import Image, chroma, luma, on_luma
from restoration.engine.step import StepContext, StepResult, note

LEAST = 0.012  # below this nothing changes that an eye could see


def run(context: StepContext, settings: dict[str, Any]) -> StepResult:
    """Steepens luma by the settings' share of what a full range takes, and takes their share of the
    cast away."""
    strength, share = float(settings["strength"]), float(settings["cast"])
    image = check_image(context.image)
    light, inside = measure.luma_and_inside(image)
    context.progress(0.3, None)
    cast = measure.cast(image, inside)
    knots = fading.measured(image, inside, cast).curve(strength)
    tinted = share > 0 and not cast.grey
    notes = [] if tinted or _moves(knots) else [note("tone-already-full")]
    result = apply(image, knots, measure.tint(image, light, inside) * share if tinted else None)
    record = {
        "curve": [[round(float(x), 5), round(float(y), 5)] for x, y in knots],
        "cast": {"a": round(cast.a, 2), "b": round(cast.b, 2), "share": share if tinted else 0.0},
    }
    return StepResult(result, meters={"gain": round(_gain(knots), 3)}, notes=notes, record=record)


def apply(image: Image, knots: fading.Knots, tint_to_remove: Image | None) -> Image:
    """The curve on luma; chroma follows its slope a little, minus the tint; always in gamut."""
    light = luma(image)
    curved = np.interp(light, knots[:, 0], knots[:, 1]).astype(np.float32)
    colour = chroma(image)
    if tint_to_remove is not None:
        colour = colour - tint_to_remove
    return on_luma(curved, colour * np.float32(np.sqrt(max(1.0, _gain(knots)))))


def _gain(knots: fading.Knots) -> float:
    """The mean slope of the curve's middle half."""
    low, high = len(knots) // 4, 3 * len(knots) // 4
    return float((knots[high, 1] - knots[low, 1]) / (knots[high, 0] - knots[low, 0]))


def _moves(knots: fading.Knots) -> bool:
    return bool(np.abs(knots[:, 1] - knots[:, 0]).max() > LEAST)
