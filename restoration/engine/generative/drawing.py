"""What every step does around a model's call: ask for the bench, draw, and lay back what came."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from restoration.engine.errors import StepFailed
from restoration.engine.generative.canvas import Canvas, Floats
from restoration.engine.generative.generation import (
    Request,
    canvas_for,
    generated,
    noise_gone_through,
    with_less_on_failure,
)
from restoration.engine.generative.memory import Rung
from restoration.engine.generative.workshop import Tool, Workshop
from restoration.engine.register import Registration, register, require_same_frame, warp
from restoration.engine.step import StepContext

MOVED = 0.5  # pixels at a corner from which a redrawn picture is laid back


@dataclass(frozen=True)
class Offered:
    """What a model drew, on which canvas, what the record says of it, and the share of the area
    that memory allowed."""

    pixels: Floats
    canvas: Canvas
    figures: dict[str, Any]
    share: float = 1.0


def require_workshop(context: StepContext, step: str) -> Workshop:
    if context.workshop is None:
        raise StepFailed("backend-unavailable", {"step": step, "backend": "generative"})
    workshop: Workshop = context.workshop
    return workshop


def facts_of(step: str, image: Floats) -> dict[str, Any]:
    """Return what somebody is told of a step for which the memory does not suffice."""
    return {"step": step, "width": image.shape[1], "height": image.shape[0]}


def figures_of(tool: Tool, canvas: Canvas, rung: Rung) -> dict[str, Any]:
    """Return for the record at what size and noise was just worked, and what was given up for
    memory."""
    told = {"worked_at": list(canvas.padded[::-1]), "gave_up": rung.told()}
    return told | noise_gone_through(tool)


def drawn_whole(
    context: StepContext, workshop: Workshop, tool: Tool, wanted: Request, step: str
) -> Offered:
    """Have the whole picture drawn in one call, smaller where memory wants it."""
    image = context.image

    def attempt(share: float) -> Floats:
        canvas = canvas_for(workshop, tool, image.shape, share, 1.0)
        padded = canvas.pad(canvas.shrink(image))
        return canvas.unpad(generated(tool, padded, None, wanted, context.progress))

    made, rung = with_less_on_failure(workshop, tool, attempt, facts_of(step, image))
    canvas = canvas_for(workshop, tool, image.shape, rung.share, 1.0)
    return Offered(made, canvas, figures_of(tool, canvas, rung), rung.share)


def laid_on(
    base: Floats, offered: Floats, ignore: NDArray[np.bool_] | None = None
) -> tuple[Floats, Registration]:
    """Return what was drawn, laid back on what it was drawn from, and how it had lain.

    `ignore` (bool HxW) marks where the two differ by intent. Raises StepFailed 'reframed'.
    """
    registration = register(base, offered, ignore=ignore)
    require_same_frame(registration, base.shape)
    if registration.corner_shift_px > MOVED:
        offered = np.clip(warp(offered, registration.matrix, base.shape), 0, 1)
    return offered, registration
