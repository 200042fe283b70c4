"""One call of a diffusion pipeline: floats in, floats out, progress and cancel on every step."""

import math
import platform
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from restoration.engine.errors import OutOfMemory, StepFailed
from restoration.engine.generative.canvas import Canvas, Floats, fitted
from restoration.engine.generative.prompts import Wording, foreign
from restoration.engine.generative.workshop import Tool, Workshop, is_out_of_memory
from restoration.engine.step import Mask, Progress, note

LESS = 0.75  # of the area, once memory ran out
FLAT = 1 / 255


@dataclass(frozen=True)
class Request:
    """What to generate; strength in (0, 1] of the way to a new picture, steps as they will run."""

    wording: Wording
    strength: float
    steps: int
    seed: int


def request(wording: Wording, strength: float, steps: int, seed: int) -> Request:
    """Return a request with enough steps that at least one is really run at this strength."""
    return Request(wording, strength, max(steps, math.ceil(1 / strength) + 1), seed)


def generated(
    tool: Tool, image: Floats, mask: Mask | None, wanted: Request, progress: Progress
) -> Floats:
    """Run the pipeline on a padded float32 HxWx3 RGB [0, 1] picture; the result is of its size.

    `mask` uint8 HxW, 255 where an inpainting pipeline shall draw. Raises StepFailed
    'blank-result' for NaN or a flat picture, and whatever `progress` raises.
    """
    progress(0.0, None)
    given: dict[str, Any] = {
        "prompt": wanted.wording.prompt,
        "image": tensor(image),
        "strength": wanted.strength,
        "num_inference_steps": wanted.steps,
        "generator": torch.Generator("cpu").manual_seed(wanted.seed),
        "output_type": "np",
        "callback_on_step_end": reporter(tool, image, progress),
        tool.family.cfg: tool.family.guidance,
    }
    if tool.family.negative == "words":
        given["negative_prompt"] = wanted.wording.negative
    if mask is not None:
        sizes = {"height": image.shape[0], "width": image.shape[1]}
        given |= {"mask_image": tensor((mask > 0).astype(np.float32)[..., None]), **sizes}
    picture = np.asarray(tool.pipeline(**given).images[0], dtype=np.float32)
    require_picture(picture, image)
    return picture


def tensor(image: Floats) -> Any:
    """Return HxWxC as the 1xCxHxW that every pipeline takes without rounding it to 8 bits."""
    return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1))[None])


def require_picture(picture: Floats, base: Floats) -> None:
    if picture.shape != base.shape:
        facts = {"expected": list(base.shape), "got": list(picture.shape)}
        raise StepFailed("wrong-size", facts)
    if not np.isfinite(picture).all():
        raise StepFailed("blank-result", {"why": "not-a-number"})
    if picture.std() < FLAT < base.std() / 4:
        raise StepFailed("blank-result", {"why": "flat"})


def reporter(tool: Tool, image: Floats, progress: Progress) -> Callable[..., dict[str, Any]]:
    """Return the callback that tells each step; what `progress` raises ends the run at once.

    The library's own `_interrupt` still decodes and returns a half-made picture: never used.
    """
    colours = latent_colours(tool, image)

    def step_done(
        pipeline: Any, index: int, timestep: Any, tensors: dict[str, Any]
    ) -> dict[str, Any]:
        preview = preview_of(tensors["latents"], colours)
        progress(min(0.99, (index + 1) / pipeline.num_timesteps), preview)
        return tensors

    return step_done


def latent_colours(tool: Tool, image: Floats) -> Any:
    """Return the linear map from latents to colours that best explains the picture we begin with.

    Solved from this very picture, so no table per family is needed.
    """
    vae = tool.pipeline.vae
    with torch.inference_mode():
        pixels = tensor(image * 2 - 1).to(tool.device, vae.dtype)
        latents = vae.encode(pixels).latent_dist.mode() * vae.config.scaling_factor
        known = with_offset(latents)
        seen = torch.nn.functional.adaptive_avg_pool2d(tensor(image), latents.shape[2:])
        wanted = seen[0].flatten(1).T.double()
        normal = known.double().T @ known.double()
        # A grey picture's latents say the same thing thrice; the ridge grows with what they say.
        normal += torch.eye(len(normal)) * (1e-6 * normal.trace())
        return torch.linalg.solve(normal, known.double().T @ wanted).float()


def with_offset(latents: Any) -> Any:
    """Return 1xCxHxW as HWx(C+1) floats on the CPU, the last column ones; NaN becomes 0."""
    flat = torch.nan_to_num(latents[0].float().cpu()).flatten(1).T
    return torch.cat([flat, torch.ones(len(flat), 1)], dim=1)


def preview_of(latents: Any, colours: Any) -> NDArray[np.uint8]:
    """Return a rough uint8 RGB picture of latents, a few pixels of the result for each of them."""
    height, width = latents.shape[2:]
    rough = with_offset(latents) @ colours
    shown = (rough.clamp(0, 1) * 255).round().to(torch.uint8).reshape(height, width, 3)
    return np.asarray(shown.numpy())


def canvas_for(
    workshop: Workshop, tool: Tool, shape: tuple[int, ...], share: float, largest: float
) -> Canvas:
    """Return what to work at: `share` of the area that would be worked on at first."""
    family = tool.family
    most = min(family.max_pixels, workshop.most_pixels or family.max_pixels)
    canvas = fitted(shape, family.multiple_of, most, largest)
    if share == 1:
        return canvas
    less = int(canvas.padded[0] * canvas.padded[1] * share)
    return fitted(shape, family.multiple_of, less, largest)


def with_less_on_failure(
    workshop: Workshop, attempt: Callable[[float], Floats], facts: dict[str, Any]
) -> tuple[Floats, float]:
    """Run `attempt(1.0)`, and `attempt(0.75)` of the area when memory runs out; then give up.

    Returns the picture and the share that worked. Raises OutOfMemory.
    """
    for share in (1.0, LESS):
        try:
            return attempt(share), share
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
        # Out here the traceback, and every tensor that it holds, is gone.
        workshop.tidy()
    workshop.release()
    raise OutOfMemory("out-of-memory", {**facts, "tried_share": LESS})


def wording_notes(tool: Tool, wording: Wording) -> list[dict[str, Any]]:
    """Return what the volunteer should know of how the model reads the prompt."""
    notes = []
    tokenizer = tool.pipeline.tokenizer
    used = len(tokenizer(wording.prompt, truncation=False, verbose=False)["input_ids"])
    if used > tokenizer.model_max_length:
        notes.append(note("prompt-cut", tokens=used, most=tokenizer.model_max_length))
    if foreign(wording.prompt, tool.family):
        notes.append(note("prompt-language", languages=list(tool.family.languages)))
    return notes


def record_of(tool: Tool, wanted: Request) -> dict[str, Any]:
    """Return what a reader needs to know who drew here, with what, and how to do it again."""
    model = tool.model
    return {
        "model": {
            "name": model.name,
            "label": model.label,
            "family": model.family,
            "folder": model.folder,
            "pipeline": type(tool.pipeline).__name__,
            "licence": model.licence.spdx,
            "licence_label": model.licence.label,
            "commercial_use": model.licence.commercial,
            "revision": tool.weights.revision,
            "weights_sha256": tool.weights.digest,
            "files_sha256": dict(tool.weights.files),
        },
        "prompt": wanted.wording.prompt,
        "negative_prompt": wanted.wording.negative,
        "strength": wanted.strength,
        "steps": wanted.steps,
        "guidance": tool.family.guidance,
        "scheduler": type(tool.pipeline.scheduler).__name__,
        "seed": wanted.seed,
        "device": device_name(tool.device),
        "dtype": tool.dtype,
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in ("torch", "diffusers", "transformers")},
        },
    }


def device_name(device: str) -> str:
    return f"{device}: {torch.cuda.get_device_name(device)}" if "cuda" in device else device
