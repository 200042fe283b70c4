"""Shrink, let the model redraw, and take nothing from it but fine detail.

The picture is scaled down to what the model can bear, redrawn at a low strength, registered, and
refused when it was reframed. Of the rest only luma detail, bounded by the picture's own, is added
to the full-size picture; its tones and colours stay.
"""

from typing import Any

import numpy as np
from scipy import ndimage

from restoration.engine.compose import detail_gain
from restoration.engine.faces import Box
from restoration.engine.generative.canvas import Canvas, Floats
from restoration.engine.generative.drawing import (
    Offered,
    drawn_whole,
    facts_of,
    figures_of,
    laid_on,
    require_workshop,
)
from restoration.engine.generative.generation import (
    Request,
    instructed,
    notes_of,
    record_of,
    request,
    wording_for,
)
from restoration.engine.generative.tiling import drawn_wide, wide_canvas
from restoration.engine.generative.workshop import Tool, Workshop
from restoration.engine.register import Registration
from restoration.engine.step import Mask, StepContext, StepResult, faces_on

FACE_REACH = 0.25  # of a face's box, because foreheads and chins lie outside it
WHOLE = 0.5  # strength from which all the detail that an editing model drew is taken


def run(context: StepContext, settings: dict[str, Any]) -> StepResult:
    """Redraw the picture at `strength` with `passes` steps; faces take `faces` of the change.

    Raises StepFailed model-missing, reframed or blank-result, OutOfMemory, and Cancelled.
    """
    workshop = require_workshop(context, "redraw")
    with workshop.lend("redraw", settings["model"], context.loading) as tool:
        wording = wording_for(tool, context, "redraw")
        numbers = settings["strength"], settings["passes"], context.seed
        bounded = not instructed(tool, None)
        wanted = request(tool, wording, *numbers, settings.get("control"), bounded=bounded)
        return redrawn(context, workshop, tool, wanted, settings["faces"])


def redrawn(
    context: StepContext, workshop: Workshop, tool: Tool, wanted: Request, face_share: float
) -> StepResult:
    offered = offered_for(context, workshop, tool, wanted)
    taken = share_taken(tool, wanted.strength)
    canvas = offered.canvas
    composed, registration = composed_from(canvas, context, offered.pixels, face_share, taken)
    record = {
        **record_of(tool, wanted),
        **offered.figures,
        "detail_taken": taken,
        "registration": registration.figures(),
    }
    notes = notes_of(tool, wanted.wording, offered.share)
    meters = {
        "registration": registration.figures(),
        "scale": round(canvas.scale, 4),
        "moved": round(float(np.abs(composed - context.image).mean()), 5),
    }
    return StepResult(composed, meters=meters, notes=notes, record=record)


def offered_for(context: StepContext, workshop: Workshop, tool: Tool, wanted: Request) -> Offered:
    """Have the picture drawn, in tiles where it is larger than the model was made for."""
    image = context.image
    wide = wide_canvas(workshop, tool, image.shape)
    if wide is None:
        return drawn_whole(context, workshop, tool, wanted, "redraw")
    padded, facts = wide.pad(wide.shrink(image)), facts_of("redraw", image)
    made, rung, figures = drawn_wide(workshop, tool, padded, wanted, context.progress, facts)
    return Offered(wide.unpad(made), wide, {**figures_of(tool, wide, rung), **figures})


def share_taken(tool: Tool, strength: float) -> float:
    """Return how much of the drawn detail is taken, in [0, 1].

    A model that edits knows no strength: asked to change little, we take little of what it drew.
    """
    return round(min(1.0, strength / WHOLE), 4) if tool.family.edits else 1.0


def composed_from(
    canvas: Canvas, context: StepContext, offered: Floats, face_share: float, taken: float
) -> tuple[Floats, Registration]:
    """Compose at the size that was redrawn, and carry only what is gained up to full size.

    So the picture keeps the detail of its own that is finer than the model ever saw. A face that
    somebody asked to keep gains nothing.
    """
    image = context.image
    small = canvas.shrink(image)
    offered, registration = laid_on(small, offered)
    protect = face_mask(small.shape, faces_on(context)) if face_share < 1 else None
    gained = detail_gain(small, offered, protect=protect, protect_weight=face_share)
    gained *= 1 - kept_mask(small.shape, context).astype(np.float32) / 255
    change = canvas.enlarge(taken * gained)
    for box in kept_boxes(image.shape, context):
        change[box] = 0  # what is enlarged swings over the edge of what was cut out small
    return np.clip(image + change[..., None], 0, 1), registration


def face_mask(shape: tuple[int, ...], boxes: list[Box]) -> Mask:
    """Return uint8 HxW, 255 on the faces (boxes in fractions), soft around them."""
    height, width = shape[:2]
    y, x = np.indices((height, width), dtype=np.float32)
    covered = np.zeros((height, width), dtype=np.float32)
    for left, top, wide, high in boxes:
        across = (x / width - left - wide / 2) / (wide * (0.5 + FACE_REACH))
        down = (y / height - top - high / 2) / (high * (0.5 + FACE_REACH))
        covered[across**2 + down**2 <= 1] = 255
    return np.asarray(ndimage.gaussian_filter(covered, max(height, width) / 200), dtype=np.uint8)


def kept_mask(shape: tuple[int, ...], context: StepContext) -> Mask:
    """Return uint8 HxW, 255 on all of the boxes that somebody wants kept exactly, soft beyond."""
    boxes = [(each.x, each.y, each.width, each.height) for each in context.faces or () if each.keep]
    covered = face_mask(shape, boxes)
    for box in kept_boxes(shape, context):
        covered[box] = 255
    return covered


def kept_boxes(shape: tuple[int, ...], context: StepContext) -> list[tuple[slice, slice]]:
    """Return rows and columns of each box that somebody wants kept exactly, every pixel of it."""
    return [
        (
            slice(int(each.y * shape[0]), int(np.ceil((each.y + each.height) * shape[0]))),
            slice(int(each.x * shape[1]), int(np.ceil((each.x + each.width) * shape[1]))),
        )
        for each in context.faces or ()
        if each.keep
    ]
