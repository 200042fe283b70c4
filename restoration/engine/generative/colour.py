"""Let a model that edits colour the picture, and take nothing from it but chroma.

What people placed is shown to the model and laid over what it made: somebody's word goes before a
habit of the model. All the rest is a guess, and the map says so.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from restoration.engine.errors import StepFailed
from restoration.engine.generative.canvas import Floats
from restoration.engine.generative.drawing import drawn_whole, laid_on, require_workshop
from restoration.engine.generative.generation import (
    Request,
    notes_of,
    record_of,
    request,
    wording_for,
)
from restoration.engine.generative.workshop import Tool, Workshop
from restoration.engine.luma import chroma, luma, on_luma
from restoration.engine.step import Mask, StepContext, StepResult
from restoration.engine.steps import colourise

MOST_LUMA_MOVE = 0.5 / 255
SEEN = 8 / 255  # chroma that differs so much is another colour to the eye


@dataclass(frozen=True)
class Drawn:
    """The model's chroma, HxWx3 of zero luma, at the picture's size, and what is to be told."""

    colours: Floats
    figures: dict[str, Any]
    share: float


def run(context: StepContext, settings: dict[str, Any]) -> StepResult:
    """Colour float32 HxWx3 by words, and by dabs and regions where there are any.

    Maps `coloured_evidence` and `coloured_guess`, 0-255 by weight. Raises StepFailed model-missing,
    reframed, blank-result or luma-moved, OutOfMemory, and Cancelled.
    """
    workshop = require_workshop(context, "colourise")
    hinted = hints(context, settings)
    begun = context.image if hinted is None else hinted.image
    with workshop.lend("colourise", settings["model"], context.loading) as tool:
        wording = wording_for(tool, context, "colourise")
        wanted = request(tool, wording, 1.0, 0, context.seed, bounded=False)
        drawn = coloured(replace(context, image=begun), workshop, tool, wanted)
        record = {**record_of(tool, wanted), **drawn.figures}
        notes = notes_of(tool, wanted.wording, drawn.share)
    image, guess = mixed(context.image, drawn.colours, float(settings["strength"]))
    said = np.zeros_like(guess)
    over = hints(replace(context, image=image), settings)
    if over is not None:
        image, said = over.image, over.maps["coloured_evidence"]
        guess = np.maximum(np.where(said > 0, 0, guess), over.maps["coloured_guess"])
    moved = require_luma(image, context.image)
    maps = {"coloured_evidence": said, "coloured_guess": guess}
    return StepResult(image, maps, meters_of(maps, moved), notes, record)


def hints(context: StepContext, settings: dict[str, Any]) -> StepResult | None:
    """Return the picture coloured by what people placed, or None where they placed nothing."""
    if not (context.dabs or context.regions):
        return None
    quiet = replace(context, progress=silent)
    return colourise.run(quiet, {name: settings[name] for name in ("strength", "reach")})


def silent(fraction: float, preview: NDArray[Any] | None = None) -> None:
    """Spreading hints takes a moment; the model's steps are what is told."""


def coloured(context: StepContext, workshop: Workshop, tool: Tool, wanted: Request) -> Drawn:
    """Draw the whole picture anew, lay it back on its base, and keep its chroma alone."""
    offered = drawn_whole(context, workshop, tool, wanted, "colourise")
    canvas = offered.canvas
    laid, registration = laid_on(canvas.shrink(context.image), offered.pixels)
    figures = {**offered.figures, "registration": registration.figures()}
    return Drawn(canvas.enlarge(chroma(laid)), figures, offered.share)


def mixed(image: Floats, colours: Floats, strength: float) -> tuple[Floats, Mask]:
    """Return the picture in the model's colours at its own luma, and where that is a guess."""
    own = chroma(image)
    gained = strength * (colours - own)
    guess = np.clip(np.abs(gained).max(axis=2) / SEEN, 0, 1) * strength
    result = on_luma(luma(image), own + gained)
    return result, np.asarray(np.rint(guess * 255), dtype=np.uint8)


def require_luma(image: Floats, base: Floats) -> float:
    """Return how far luma moved at most; StepFailed 'luma-moved' above half a grey level."""
    moved = float(np.abs(luma(image) - luma(base)).max())
    if moved > MOST_LUMA_MOVE:
        raise StepFailed("luma-moved", {"by": round(moved * 255, 3), "most": 0.5})
    return moved


def meters_of(maps: dict[str, Mask], moved: float) -> dict[str, Any]:
    shares = {name: round(float((weight > 25).mean()), 5) for name, weight in maps.items()}
    return {
        "evidence_area": shares["coloured_evidence"],
        "guessed_area": shares["coloured_guess"],
        "most_luma_move": round(moved * 255, 4),
    }
