"""Let a model draw what damage took away: a crop around each hole, and only inside the mask."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from restoration.engine.compose import inside_mask, settled
from restoration.engine.errors import StepFailed
from restoration.engine.fill import fill
from restoration.engine.generative.canvas import Floats
from restoration.engine.generative.drawing import (
    facts_of,
    figures_of,
    laid_on,
    require_workshop,
)
from restoration.engine.generative.generation import (
    Request,
    canvas_for,
    generated,
    notes_of,
    record_of,
    request,
    with_less_on_failure,
    wording_for,
)
from restoration.engine.generative.workshop import Tool, Workshop
from restoration.engine.luma import luma
from restoration.engine.step import Mask, Progress, StepContext, StepResult, note
from restoration.engine.steps import repair

Box = tuple[slice, slice]

MARGIN = 128  # pixels of surroundings that a model is shown
MOST_CROPS = 24
LARGEST = 2.0  # a small crop is enlarged so far, because models draw badly in few pixels
SPREAD = 4  # pixels that the model may redraw around the mask; the photograph keeps its own there
LOOKING = 0.1  # the share of the time that finding damage takes, where nobody painted it
STRUCTURE = 0.02  # standard deviation below which surroundings say nothing about framing


@dataclass(frozen=True)
class Patch:
    """A box of the picture after drawing, what registration found, and the share of area."""

    pixels: Floats
    figures: dict[str, Any]
    share: float


def run(context: StepContext, settings: dict[str, Any]) -> StepResult:
    """Draw inside the mask (given, or detected) at `strength`; every other pixel stays exact.

    Raises StepFailed model-missing, reframed, blank-result or mask-too-large, OutOfMemory, and
    Cancelled. An empty mask is told in a note and changes nothing.
    """
    repaired = wanted_mask(context, settings)
    require_bearable(repaired)
    if not repaired.any():
        told = note("no-damage-found" if context.mask is None else "mask-empty")
        return StepResult(context.image, {"repaired": repaired}, {"filled_area": 0.0}, [told])
    workshop = require_workshop(context, "repair")
    if context.mask is None:
        context = replace(context, progress=after_looking(context.progress))
    with workshop.lend("repair", settings["model"], context.loading) as tool:
        wording = wording_for(tool, context, "repair")
        passes = settings.get("passes", 0)
        wanted = request(tool, wording, settings["strength"], passes, context.seed)
        return filled(context, workshop, tool, wanted, repaired)


def wanted_mask(context: StepContext, settings: dict[str, Any]) -> Mask:
    """Return uint8 HxW, 255 where the volunteer says damage is, or else where it is found."""
    mask = context.mask
    if mask is None:
        looking = replace(context, progress=while_looking(context.progress))
        mask = repair.detected(looking, float(settings["sensitivity"]))
    return np.where(mask > 0, 255, 0).astype(np.uint8)


def while_looking(progress: Progress) -> Progress:
    """Return what hears of the embedded step's looking, which is less of the time here."""

    def told(fraction: float, preview: NDArray[Any] | None = None) -> None:
        progress(min(LOOKING, LOOKING * fraction / repair.LOOKING), preview)

    return told


def after_looking(progress: Progress) -> Progress:
    def told(fraction: float, preview: NDArray[Any] | None = None) -> None:
        progress(LOOKING + (1 - LOOKING) * fraction, preview)

    return told


def filled(
    context: StepContext, workshop: Workshop, tool: Tool, wanted: Request, mask: Mask
) -> StepResult:
    image = context.image.copy()
    boxes = crops(mask)
    patches = []
    for index, box in enumerate(boxes):
        progress = part_of(context.progress, index, len(boxes))
        seeded = replace(wanted, seed=(wanted.seed + index) % 2**32)
        patch = drawn(workshop, tool, image[box], mask[box], seeded, progress)
        image[box] = patch.pixels
        patches.append(patch)
    outside = mask == 0
    if not np.array_equal(image[outside], context.image[outside]):
        raise StepFailed("changed-outside-mask")
    notes = notes_of(tool, wanted.wording, min(patch.share for patch in patches))
    record = {
        **record_of(tool, wanted),
        "mask": "detected" if context.mask is None else "given",
        "crops": [patch.figures for patch in patches],
    }
    meters = {"filled_area": round(float((mask > 0).mean()), 6), "given": context.mask is not None}
    return StepResult(image, {"repaired": mask}, meters, notes, record)


def drawn(
    workshop: Workshop, tool: Tool, image: Floats, mask: Mask, wanted: Request, progress: Progress
) -> Patch:
    """Draw inside the mask of one crop, and bring it back exact outside."""
    begun = fill(image, mask > 0, np.random.default_rng(wanted.seed), 0.0)

    def attempt(share: float) -> Floats:
        canvas = canvas_for(workshop, tool, image.shape, share, LARGEST)
        wide = canvas.pad(canvas.shrink((mask > 0).astype(np.float32)))
        asked = (ndimage.maximum_filter(wide, 2 * SPREAD + 1) > 0.02).astype(np.uint8) * 255
        offered = generated(tool, canvas.pad(canvas.shrink(begun)), asked, wanted, progress)
        return np.clip(canvas.enlarge(canvas.unpad(offered)), 0, 1)

    facts = facts_of("repair", image)
    offered, rung = with_less_on_failure(workshop, tool, attempt, facts, LARGEST)
    offered, figures = laid_back(image, offered, mask)
    figures |= figures_of(canvas_for(workshop, tool, image.shape, rung.share, LARGEST), rung)
    # The seam fades into the smooth fill, never into the damage; outside the two are one.
    return Patch(inside_mask(begun, settled(image, offered, mask), mask), figures, rung.share)


def laid_back(image: Floats, offered: Floats, mask: Mask) -> tuple[Floats, dict[str, Any]]:
    """Register a crop by what lies around the mask; where nothing does, take it as it lies."""
    near = ndimage.binary_dilation(mask > 0, iterations=SPREAD)
    known = ndimage.gaussian_filter(luma(image), 2.0)[~near]
    if min(image.shape[:2]) < 32 or known.size < 256 or known.std() < STRUCTURE:
        return offered, {"registration": None}
    laid, registration = laid_on(image, offered, ignore=near)
    return laid, {"registration": registration.figures()}


def crops(mask: Mask) -> list[Box]:
    """Return boxes with a margin that cover the mask and do not overlap; one if there are many."""
    shape = (mask.shape[0], mask.shape[1])
    near = ndimage.binary_dilation(mask > 0, np.ones((3, 3)), iterations=MARGIN // 6)
    labels, _ = ndimage.label(near)
    boxes = [widened(box, shape) for box in ndimage.find_objects(labels)]
    joined = apart(boxes)
    return joined if len(joined) <= MOST_CROPS else [(slice(0, shape[0]), slice(0, shape[1]))]


def widened(box: Box, shape: tuple[int, int]) -> Box:
    rows, columns = (
        slice(max(0, side.start - MARGIN), min(length, side.stop + MARGIN))
        for side, length in zip(box, shape, strict=True)
    )
    return rows, columns


def apart(boxes: list[Box]) -> list[Box]:
    """Join boxes until no two overlap."""
    done: list[Box] = []
    for box in boxes:
        while touching := [other for other in done if overlap(box, other)]:
            done = [other for other in done if other not in touching]
            for other in touching:
                box = around(box, other)
        done.append(box)
    return done


def overlap(one: Box, other: Box) -> bool:
    return all(a.start < b.stop and b.start < a.stop for a, b in zip(one, other, strict=True))


def around(one: Box, other: Box) -> Box:
    rows, columns = (
        slice(min(a.start, b.start), max(a.stop, b.stop)) for a, b in zip(one, other, strict=True)
    )
    return rows, columns


def part_of(progress: Progress, index: int, count: int) -> Progress:
    def told(fraction: float, preview: NDArray[Any] | None = None) -> None:
        progress((index + fraction) / count, preview)

    return told


def require_bearable(mask: Mask) -> None:
    share = float((mask > 0).mean())
    if share > repair.LARGEST_SHARE:
        facts = {"share": round(share, 3), "most": repair.LARGEST_SHARE}
        raise StepFailed("mask-too-large", facts)
