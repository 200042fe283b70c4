"""Let a model draw what damage took away: a crop around each hole, and only inside the mask."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from restoration.engine.compose import inside_mask, settled
from restoration.engine.errors import StepFailed
from restoration.engine.fill import fill
from restoration.engine.generative.canvas import Canvas, Floats
from restoration.engine.generative.crops import as_seen_from, crops, widened
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
    most_pixels,
    notes_of,
    record_of,
    request,
    with_less_on_failure,
    wording_for,
)
from restoration.engine.generative.rows import Family
from restoration.engine.generative.workshop import Tool, Workshop
from restoration.engine.image import resize_mask
from restoration.engine.luma import luma
from restoration.engine.step import Mask, Progress, StepContext, StepResult, note
from restoration.engine.steps import repair

LARGEST = 2.0  # a small crop is enlarged so far, because models draw badly in few pixels
SPREAD = 4  # pixels that the model may redraw around the mask; the photograph keeps its own there
LOOKING = 0.1  # the share of the time that finding damage takes, where nobody painted it
SMALL = 0.7  # of its size: what was drawn so much smaller comes back soft
STRUCTURE = 0.02  # standard deviation below which surroundings say nothing about framing


@dataclass(frozen=True)
class Patch:
    """A box of the picture after drawing, what is recorded of it, the share of area that memory
    allowed, and the scale that it would have been drawn at with all of the memory."""

    pixels: Floats
    figures: dict[str, Any]
    share: float
    scale: float


def run(context: StepContext, settings: dict[str, Any]) -> StepResult:
    """Draw inside the mask (what is meant of a given one, or what is detected) at `strength`; every
    other pixel stays exact.

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
    """Return uint8 HxW, 255 where the volunteer says damage is, or else where it is found; as the
    embedded step has it."""
    if context.mask is None:
        looking = replace(context, progress=while_looking(context.progress))
        return repair.detected(looking, float(settings["sensitivity"]))
    waiting = replace(context, progress=at_the_start(context.progress))
    area = repair.meant(waiting, context.mask > 0, marks_only=marks_only(settings))
    return np.where(area, 255, 0).astype(np.uint8)


def marks_only(settings: dict[str, Any]) -> bool:
    """Say whether of a stroke only the marks are meant; plans of before do not know of it, and
    meant all of it."""
    return bool(settings.get("marks_only", False))


def while_looking(progress: Progress) -> Progress:
    """Return what hears of the embedded step's looking, which is less of the time here."""

    def told(fraction: float, preview: NDArray[Any] | None = None) -> None:
        progress(min(LOOKING, LOOKING * fraction / repair.LOOKING), preview)

    return told


def at_the_start(progress: Progress) -> Progress:
    """Return what hears that work goes on, and not how far: looking at strokes takes a moment, and
    the reading of the model that follows is told as the step's beginning."""

    def told(fraction: float, preview: NDArray[Any] | None = None) -> None:
        progress(0.0, preview)

    return told


def after_looking(progress: Progress) -> Progress:
    def told(fraction: float, preview: NDArray[Any] | None = None) -> None:
        progress(LOOKING + (1 - LOOKING) * fraction, preview)

    return told


def filled(
    context: StepContext, workshop: Workshop, tool: Tool, wanted: Request, mask: Mask
) -> StepResult:
    image, patches = patched(context, workshop, tool, wanted, mask)
    require_exact(context.image, image, mask)
    record = {
        **record_of(tool, wanted),
        "mask": "detected" if context.mask is None else "given",
        "crops": [patch.figures for patch in patches],
    }
    meters = {"filled_area": round(float((mask > 0).mean()), 6), "given": context.mask is not None}
    notes = told_of(context, tool, wanted, mask, patches)
    return StepResult(image, {"repaired": mask}, meters, notes, record)


def told_of(
    context: StepContext, tool: Tool, wanted: Request, mask: Mask, patches: list[Patch]
) -> list[dict[str, Any]]:
    """Return what the volunteer should know: also what of a stroke was left, and what is soft."""
    notes = notes_of(tool, wanted.wording, min(patch.share for patch in patches))
    if context.mask is not None:
        notes += repair.left_out(context.mask > 0, mask > 0)
    scale = min(patch.scale for patch in patches)
    if scale < SMALL:
        notes.append(note("drawn-smaller", scale=round(100 * scale)))
    return notes


def patched(
    context: StepContext, workshop: Workshop, tool: Tool, wanted: Request, mask: Mask
) -> tuple[Floats, list[Patch]]:
    """Draw window after window; each keeps what lies in its core and was not mended before."""
    image, left = context.image.copy(), mask.copy()
    cores, patches = crops(mask, most_pixels(workshop, tool)), []
    for index, core in enumerate(cores):
        own = left[core] > 0
        if not own.any():
            continue
        box = widened(core, mask.shape)
        progress = part_of(context.progress, index, len(cores))
        seeded = replace(wanted, seed=(wanted.seed + index) % 2**32)
        patch = drawn(workshop, tool, image[box], left[box], seeded, progress)
        require_exact(image[box], patch.pixels, left[box])
        image[core][own] = patch.pixels[as_seen_from(box, core)][own]
        left[core] = 0
        patches.append(patch)
    return image, patches


def drawn(
    workshop: Workshop, tool: Tool, image: Floats, mask: Mask, wanted: Request, progress: Progress
) -> Patch:
    """Draw inside the mask of one crop, and bring it back exact outside."""
    begun = fill(image, mask > 0, np.random.default_rng(wanted.seed), 0.0)

    def canvas_at(share: float) -> Canvas:
        return canvas_for(workshop, tool, image.shape, share, LARGEST)

    def attempt(share: float) -> Floats:
        canvas = canvas_at(share)
        asked = asked_of(canvas, mask, tool.family)
        offered = generated(tool, canvas.pad(canvas.shrink(begun)), asked, wanted, progress)
        return np.clip(canvas.enlarge(canvas.unpad(offered)), 0, 1)

    facts = facts_of("repair", image)
    offered, rung = with_less_on_failure(workshop, tool, attempt, facts, LARGEST)
    canvas = canvas_at(rung.share)
    near = resize_mask(canvas.unpad(asked_of(canvas, mask, tool.family)), *image.shape[:2]) > 0
    offered, figures = laid_back(image, offered, near)
    figures |= figures_of(tool, canvas, rung) | {"scale": round(canvas.scale, 4)}
    # The seam fades into the smooth fill, never into the damage; outside the two are one. What the
    # model drew of the sound rim tells in which tones it drew, so only the damage is unknown here.
    pixels = inside_mask(begun, settled(image, offered, mask), mask)
    return Patch(pixels, figures, rung.share, canvas_at(1.0).scale)


def asked_of(canvas: Canvas, mask: Mask, family: Family) -> Mask:
    """Return uint8 of the padded size, 255 where the model shall draw: a rim around the mask, and
    whole cells of its latents.

    A pipeline looks at its mask once a cell; one that is asked for in part may stay undrawn, and
    the damage in it as well.
    """
    reach = SPREAD + (family.cell if family.resizes else 0)
    wide = ndimage.maximum_filter(canvas.pad(canvas.held(mask > 0)), 2 * reach + 1)
    rows, columns = (side // family.cell for side in wide.shape)
    cells = wide.reshape(rows, family.cell, columns, family.cell).max(axis=(1, 3))
    whole = cells.repeat(family.cell, axis=0).repeat(family.cell, axis=1)
    return np.where(whole > 0, 255, 0).astype(np.uint8)


def laid_back(
    image: Floats, offered: Floats, near: NDArray[np.bool_]
) -> tuple[Floats, dict[str, Any]]:
    """Register a crop by what lies around `near`, HxW, where the model drew; where nothing lies
    there, take it as it lies."""
    known = ndimage.gaussian_filter(luma(image), 2.0)[~near]
    if min(image.shape[:2]) < 32 or known.size < 256 or known.std() < STRUCTURE:
        return offered, {"registration": None}
    laid, registration = laid_on(image, offered, ignore=near)
    return laid, {"registration": registration.figures()}


def part_of(progress: Progress, index: int, count: int) -> Progress:
    def told(fraction: float, preview: NDArray[Any] | None = None) -> None:
        progress((index + fraction) / count, preview)

    return told


def require_exact(before: Floats, after: Floats, mask: Mask) -> None:
    """Raise StepFailed 'changed-outside-mask' for a single bit that changed there."""
    outside = mask == 0
    if not np.array_equal(after[outside], before[outside]):
        raise StepFailed("changed-outside-mask")


def require_bearable(mask: Mask) -> None:
    share = float((mask > 0).mean())
    if share > repair.LARGEST_SHARE:
        facts = {"share": round(share, 3), "most": repair.LARGEST_SHARE}
        raise StepFailed("mask-too-large", facts)
