"""Fills damage with what surrounds it, and not one pixel more.

What goes into the holes is `restoration.engine.fill`: honest for thin damage; the middle of a large
hole is smooth guesswork, and a note says so.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from restoration.engine import damage, faces, measure, narrowing, networks
from restoration.engine.errors import StepFailed
from restoration.engine.faces import Box
from restoration.engine.fill import NETWORK, fill
from restoration.engine.image import check_image, let_go
from restoration.engine.step import Image, Mask, StepContext, StepResult, faces_on, note
from restoration.engine.torn import torn_off

Area = NDArray[np.bool_]

LARGEST_SHARE = 0.6
STRIP = 512  # rows compared at once
LOOKING = 0.4  # the share of the time that finding damage takes


def detect(
    image: Image,
    sensitivity: float = 0.4,
    known: list[Box] | None = None,
    progress: damage.Progress = damage.silent,
) -> Mask:
    """uint8 HxW, 255 where dust, hairs, scratches, creases or tears are found.

    known: where faces are, in fractions; None: they are looked for. progress(fraction, None) may
    raise.
    """
    check_image(image)
    light, inside = measure.luma_and_inside(image)
    boxes = faces.find(light) if known is None else known
    return damage.find(image, light, inside, boxes, sensitivity, progress)


def run(context: StepContext, settings: dict[str, Any]) -> StepResult:
    """Repairs the given mask, all of it or the marks in it, or else what `detect` finds; map
    `repaired` holds where."""
    painted = None if context.mask is None else context.mask > 0
    given = painted is not None
    if painted is None:
        area = detected(context, float(settings["sensitivity"])) > 0
    else:
        area = meant(context, painted, marks_only=bool(settings["marks_only"]))
    context.progress(LOOKING, None)
    _check_area(area)
    notes = _notes(area, given) + ([] if painted is None else left_out(painted, area))
    image = context.image
    record = {"mask": "given" if given else "detected"}
    if area.any():
        image = _filled(context, area, float(settings["grain"]))
        record |= {"network": NETWORK, "sha256": networks.sha256(NETWORK)}
    meters = {"filled_area": round(float(area.mean()), 6), "given": given}
    return StepResult(image, {"repaired": area.astype(np.uint8) * 255}, meters, notes, record)


def detected(context: StepContext, sensitivity: float) -> Mask:
    """uint8 HxW, 255 where `detect` finds damage on the picture as the run began; the progress it
    tells ends at LOOKING."""
    return detect(_unchanged(context), sensitivity, faces_on(context), _looking(context))


def meant(context: StepContext, painted: Area, *, marks_only: bool) -> Area:
    """What of a hand's mask, bool HxW, is filled: all of it, or the marks in it; the progress it
    tells ends at LOOKING."""
    if not marks_only or not painted.any():
        return painted
    image = _unchanged(context)
    light, inside = measure.luma_and_inside(image)
    levels = damage.answered(image, _looking(context))[..., 0]
    levels[torn_off(image, inside)] = 255  # what is gone altogether shows the network nothing
    return narrowing.narrowed(painted, levels, light)


def _looking(context: StepContext) -> damage.Progress:
    def told(part: float, preview: NDArray[Any] | None) -> None:
        context.progress(LOOKING * part, preview)

    return told


def _unchanged(context: StepContext) -> Image:
    """The picture before its tones were changed: dust stands out of a faded print, and the network
    learnt on such; what is found is then also what the assessment has shown."""
    if context.begun is not None and context.begun.shape == context.image.shape:
        return context.begun
    return context.image


def _filled(context: StepContext, area: Area, grain: float) -> Image:
    rng = np.random.default_rng([context.seed, 0x4E9A])
    image = fill(
        context.image, area, rng, grain,
        lambda part, preview: context.progress(LOOKING + (1 - LOOKING) * part, preview),
    )  # fmt: skip
    _check_outside(context.image, image, area)
    return image


def _check_area(area: Area) -> None:
    share = float(area.mean())
    if share > LARGEST_SHARE:
        raise StepFailed("mask-too-large", {"share": round(share, 3), "most": LARGEST_SHARE})


def _check_outside(before: Image, after: Image, area: Area) -> None:
    """The first promise, kept at run time and not only by tests."""
    for top in range(0, len(area), STRIP):
        rows = slice(top, top + STRIP)
        if not (area[rows][..., None] | (before[rows] == after[rows])).all():
            raise StepFailed("changed-outside-mask", {})
        let_go(before)
        let_go(after)


def _notes(area: Area, given: bool) -> list[dict[str, Any]]:
    if not area.any():
        return [note("mask-empty" if given else "no-damage-found")]
    depth = measure.depth(area)
    if depth > measure.wide(area.shape):
        return [note("wide-hole", radius=round(depth, 1))]
    return []


def left_out(painted: Area, area: Area) -> list[dict[str, Any]]:
    """A note of how much of what was painted is filled, where that is not all of it."""
    share = 100 * float(area.sum()) / max(1, int(painted.sum()))
    return [note("marks-only", share=round(share))] if (painted & ~area).any() else []
