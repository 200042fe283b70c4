"""Several pictures of one size in one call, which keeps a card busier than one after another."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch

from restoration.engine.errors import BadInput
from restoration.engine.generative.canvas import Floats
from restoration.engine.generative.generation import (
    Request,
    bounded_by,
    called,
    require_picture,
    said_to,
    shown_to,
    tensor,
)
from restoration.engine.generative.workshop import Tool

MOST = 4
WORDS = ("prompt", "negative_prompt")
PICTURES = ("image", "control_image")

StepDone = Callable[..., dict[str, Any]]


def most_of(tool: Tool) -> int:
    """Return how many pictures one call may draw: some pipelines take several for one prompt's."""
    return MOST if tool.family.batches else 1


def generated_many(
    tool: Tool, images: Sequence[Floats], seeds: Sequence[int], wanted: Request, step_done: StepDone
) -> list[Floats]:
    """Run the pipeline once on padded float32 HxWx3 RGB [0, 1] pictures of one size.

    Each has the noise of its own seed, so it comes out as it would alone but for the last bits.
    step_done: what the pipeline calls after each step; whatever it raises ends the run.
    Raises BadInput 'batch' for what this family cannot draw together, StepFailed 'blank-result'
    or 'model-failed'.
    """
    require_alike(tool, images, seeds)
    given = {**said_to(tool, wanted), **shown_to(tool, images[0], None, wanted.control)}
    given |= {**bounded_by(wanted), "callback_on_step_end": step_done}
    if len(images) > 1:
        given |= listed(given, images)
    noises = [torch.Generator("cpu").manual_seed(seed) for seed in seeds]
    given["generator"] = noises if len(noises) > 1 else noises[0]
    drawn = called(tool, given)
    for picture, base in zip(drawn, images, strict=True):
        require_picture(picture, base)
    return drawn


def require_alike(tool: Tool, images: Sequence[Floats], seeds: Sequence[int]) -> None:
    sizes = {image.shape for image in images}
    right = len(sizes) == 1 and len(images) == len(seeds) <= most_of(tool)
    if not right or tool.family.edits:
        facts = {"model": tool.model.name, "pictures": len(images), "most": most_of(tool)}
        raise BadInput("batch", facts)


def listed(given: dict[str, Any], images: Sequence[Floats]) -> dict[str, Any]:
    """Return the words as often as there are pictures, and all pictures one upon the other."""
    stacked = torch.cat([tensor(image) for image in images])
    words = {name: [given[name]] * len(images) for name in WORDS if name in given}
    return words | {name: stacked for name in PICTURES if name in given}


def seeded(wanted: Request, count: int) -> list[int]:
    """Return a seed for each of so many pictures of one job."""
    return [replace(wanted, seed=(wanted.seed + index) % 2**32).seed for index in range(count)]
