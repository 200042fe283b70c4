"""One call of a diffusion pipeline: floats in, floats out, progress and cancel on every step."""

import inspect
import logging
import math
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from restoration.engine.errors import StepFailed
from restoration.engine.generative.canvas import Canvas, Floats, fitted
from restoration.engine.generative.memory import Rung, climb, refuse_lost
from restoration.engine.generative.prompts import Count, Wording, worded
from restoration.engine.generative.registry import guidance_of, most_steps, steps_of
from restoration.engine.generative.workshop import Tool, Workshop
from restoration.engine.image import resize
from restoration.engine.step import Mask, Progress, StepContext, note

logger = logging.getLogger(__name__)

FLAT = 1 / 255
ONE_COLOUR = 0.1 / 255  # no model draws so evenly what is not even
PREVIEW_EVERY = 1.0  # second: making one holds up the card
PREVIEW_SIDE = 256


@dataclass(frozen=True)
class Request:
    """What to generate; strength in (0, 1] of the way to a new picture, steps as they will run.

    control: how closely a control network holds the model to the picture, None for its own scale;
    noise: the sizes of noise that the scheduler is told, empty where the pipeline chooses them; it
    shifts them as the model was taught, and `noise_gone_through` says to which.
    """

    wording: Wording
    strength: float
    steps: int
    seed: int
    control: float | None = None
    noise: tuple[float, ...] = ()


def request(
    tool: Tool,
    wording: Wording,
    strength: float,
    passes: int,
    seed: int,
    control: float | None = None,
    *,
    bounded: bool = True,
) -> Request:
    """Return a request with the steps that will run: `passes`, or the model's own when it is 0.

    A distilled model draws badly in many more steps than it was made for, so it is given twice as
    many at most; where strength bounds the change by leaving steps out, at least one must be left
    to run. It does not where an editing model draws the whole picture (see `instructed`).
    """
    model = tool.model
    steps = min(passes or steps_of(model), most_steps(model))
    if bounded and tool.family.flows:
        noise = noise_sizes(strength, steps)
        return Request(wording, strength, max(steps, len(noise)), seed, control, noise)
    least = math.ceil(1 / strength) + 1 if bounded else 1
    return Request(wording, strength, max(steps, least), seed, control)


def noise_sizes(strength: float, steps: int) -> tuple[float, ...]:
    """Return the sizes of noise that a scheduler of flows is told, the first as the strength says.

    As many as that share of the steps, and never fewer than two: one alone blurs.
    """
    count = max(2, round(steps * strength))
    return tuple(float(size) for size in np.linspace(strength, strength / count, count))


def bounded_by(wanted: Request) -> dict[str, Any]:
    """Return the arguments by which a call changes no more than the strength allows.

    A pipeline leaves out as many of its steps as the strength says; of few steps that makes stairs,
    on each of which every strength draws the same picture. What was taught flows begins wherever
    it is told to, so it is told, and nothing is left out.
    """
    if not wanted.noise:
        return {"strength": wanted.strength}
    sizes = list(wanted.noise)
    return {"sigmas": sizes, "num_inference_steps": len(sizes), "strength": 1.0}


def held(tool: Tool) -> bool:
    """Say whether a control network holds the model to the picture."""
    return any(part.kind == "controlnet" for part in tool.model.parts)


def instructed(tool: Tool, mask: Mask | None) -> bool:
    """Say whether this call draws the whole picture anew, by words and without a strength."""
    return tool.family.edits and mask is None


def generated(
    tool: Tool, image: Floats, mask: Mask | None, wanted: Request, progress: Progress
) -> Floats:
    """Run the pipeline on a padded float32 HxWx3 RGB [0, 1] picture; the result is of its size.

    `mask` uint8 HxW, 255 where an inpainting pipeline shall draw. Raises StepFailed
    'blank-result' for NaN or a flat picture, 'model-failed', and whatever `progress` raises.
    """
    progress(0.0, None)
    given = {
        **said_to(tool, wanted),
        **shown_to(tool, image, mask, wanted.control),
        "callback_on_step_end": reporter(tool, image, progress),
    }
    if not instructed(tool, mask):
        given |= bounded_by(wanted)
    picture = sized(tool, called(tool, given)[0], image)
    require_picture(picture, image)
    return picture


def called(tool: Tool, given: dict[str, Any]) -> list[Floats]:
    """Return what a pipeline draws; StepFailed 'model-failed' where it cannot with what is given.

    Pipelines have limits of their own, and say so with whatever error comes first.
    """
    try:
        images = tool.pipeline(**given).images
    except (ValueError, IndexError, TypeError) as error:
        logger.warning("%s could not draw", tool.model.name, exc_info=True)
        facts = {"model": tool.model.name, "detail": str(error)[:200]}
        raise StepFailed("model-failed", facts) from error
    return [np.asarray(each, dtype=np.float32) for each in images]


def said_to(tool: Tool, wanted: Request) -> dict[str, Any]:
    """Return a call's words and numbers, under the names that the family's pipelines know."""
    guidance = guidance_of(tool.model)
    given: dict[str, Any] = {
        "prompt": wanted.wording.prompt,
        "num_inference_steps": wanted.steps,
        "generator": torch.Generator("cpu").manual_seed(wanted.seed),
        "output_type": "np",
        tool.family.cfg: guidance,
    }
    if tool.family.negative == "words" or (tool.family.negative == "blank" and guidance > 1):
        given["negative_prompt"] = wanted.wording.negative
    if tool.family.worded == "sentences":
        given["max_sequence_length"] = tool.family.most_tokens
    return given


def shown_to(tool: Tool, image: Floats, mask: Mask | None, control: float | None) -> dict[str, Any]:
    """Return a call's pictures; an editing pipeline takes none but of 8 bits, and lists of them."""
    known = inspect.signature(tool.pipeline.__call__).parameters
    form = as_pil if tool.family.edits else tensor
    shown: dict[str, Any] = {"image": form(image)}
    if mask is not None:
        shown["mask_image"] = form((mask > 0).astype(np.float32)[..., None])
    elif tool.family.edits:
        shown["image"] = [shown["image"]]
    for part in tool.model.parts:
        if part.kind == "controlnet":
            scale = part.scale if control is None else control
            shown |= {"control_image": form(image), "controlnet_conditioning_scale": scale}
    sizes = {"height": image.shape[0], "width": image.shape[1]}
    return shown | {name: side for name, side in sizes.items() if name in known}


def as_pil(image: Floats) -> Any:
    """Return HxWx3, or HxWx1 as grey, as a picture of 8 bits."""
    levels = np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)
    return Image.fromarray(levels if levels.shape[2] == 3 else levels[..., 0])


def tensor(image: Floats) -> Any:
    """Return HxWxC as the 1xCxHxW that a pipeline takes without rounding it to 8 bits."""
    return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1))[None])


def sized(tool: Tool, picture: Floats, base: Floats) -> Floats:
    """Return what an editing model drew at another size than asked at the base's size.

    Registration finds out whether it is still the same frame. Any other model keeps to the size.
    """
    if picture.shape == base.shape or not (tool.family.edits and picture.ndim == 3):
        return picture
    return np.clip(resize(picture, *base.shape[:2]), 0, 1)


def require_picture(picture: Floats, base: Floats) -> None:
    if picture.shape != base.shape:
        facts = {"expected": list(base.shape), "got": list(picture.shape)}
        raise StepFailed("wrong-size", facts)
    if not np.isfinite(picture).all():
        raise StepFailed("blank-result", {"why": "not-a-number"})
    spread, known = most_spread(picture), most_spread(base)
    if spread < FLAT < known / 4 or spread < ONE_COLOUR <= known:
        raise StepFailed("blank-result", {"why": "flat"})


def most_spread(picture: Floats) -> float:
    """Return the standard deviation of the colour that varies most, of HxWx3: one brown has none,
    though its three colours differ."""
    return float(picture.std(axis=(0, 1), dtype=np.float64).max())


def reporter(tool: Tool, image: Floats, progress: Progress) -> Callable[..., dict[str, Any]]:
    """Return the callback that tells each step; what `progress` raises ends the run at once.

    The library's own `_interrupt` still decodes and returns a half-made picture: never used.
    """
    colours, due = if_possible(lambda: latent_colours(tool, image)), paced()

    def step_done(
        pipeline: Any, index: int, timestep: Any, tensors: dict[str, Any]
    ) -> dict[str, Any]:
        last = index + 1 == pipeline.num_timesteps
        preview = None
        if colours is not None and due(last):
            preview = if_possible(lambda: preview_of(tensors["latents"], colours, image.shape))
        progress(min(0.99, (index + 1) / pipeline.num_timesteps), preview)
        return tensors

    return step_done


def if_possible(make: Callable[[], Any]) -> Any:
    """Return what is made for a preview, or None: nobody's run fails for that. DeviceLost does."""
    try:
        return make()
    except Exception as error:
        refuse_lost(error)
        logger.warning("no preview could be made", exc_info=True)
        return None


def paced(every: float = PREVIEW_EVERY) -> Callable[[bool], bool]:
    """Return a question: is a preview due? The first is, the last, and others when time is up."""
    shown = -math.inf

    def due(last: bool) -> bool:
        nonlocal shown
        if not last and time.monotonic() - shown < every:
            return False
        shown = time.monotonic()
        return True

    return due


def latent_colours(tool: Tool, image: Floats) -> Any:
    """Return the linear map from latents to colours that best explains the picture we begin with.

    Solved from this very picture, so no table per family is needed.
    """
    with torch.inference_mode():
        latents = latents_of(tool, image)
        known, (height, width) = with_offset(latents, image.shape)
        seen = torch.nn.functional.adaptive_avg_pool2d(tensor(image), (height, width))
        wanted = seen[0].flatten(1).T.double()
        normal = known.double().T @ known.double()
        # A grey picture's latents say the same thing thrice; the ridge grows with what they say.
        normal += torch.eye(len(normal)) * (1e-6 * normal.trace())
        return torch.linalg.solve(normal, known.double().T @ wanted).float()


def latents_of(tool: Tool, image: Floats) -> Any:
    """Return a picture as the latents that its pipeline hands to a callback: 1xCxHxW, or packed."""
    pipeline, vae = tool.pipeline, tool.pipeline.vae
    pixels = tensor(image * 2 - 1).to(tool.device, vae.dtype)
    if tool.family.latents == "grid":
        shift = getattr(vae.config, "shift_factor", None) or 0.0
        return (vae.encode(pixels).latent_dist.mode() - shift) * vae.config.scaling_factor
    if tool.family.latents == "film":  # a picture is a film of one frame
        latents = pipeline._encode_vae_image(pixels.unsqueeze(2), generator=None)
        return pipeline._pack_latents(latents, 1, latents.shape[1], *latents.shape[3:])
    return pipeline._pack_latents(pipeline._encode_vae_image(pixels, generator=None))


def with_offset(latents: Any, shape: tuple[int, ...]) -> tuple[Any, tuple[int, int]]:
    """Return latents as NxC+1 floats on the CPU, the last column ones, and the grid they form.

    Latents are 1xCxHxW, or packed as 1xNxC of a picture of `shape`; NaN becomes 0.
    """
    rows = latents[0].float().cpu()
    if latents.ndim == 3:
        grid = grid_of(len(rows), shape)
    else:
        grid, rows = tuple(rows.shape[1:]), rows.flatten(1).T
    return torch.cat([torch.nan_to_num(rows), torch.ones(len(rows), 1)], dim=1), grid


def grid_of(count: int, shape: tuple[int, ...]) -> tuple[int, int]:
    """Return the height and width of so many tokens, as near to a picture's shape as can be."""
    heights = [side for side in range(1, count + 1) if count % side == 0]
    tall = (count * shape[0] / shape[1]) ** 0.5
    height = min(heights, key=lambda side: abs(math.log(side / tall)))
    return (height, count // height)


def preview_of(latents: Any, colours: Any, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Return a rough uint8 RGB picture of latents, a few pixels of the result for each of them."""
    known, (height, width) = with_offset(latents, shape)
    shown = ((known @ colours).clamp(0, 1) * 255).round().to(torch.uint8)
    stride = max(1, math.ceil(max(height, width) / PREVIEW_SIDE))
    return np.ascontiguousarray(shown.reshape(height, width, 3)[::stride, ::stride].numpy())


def most_pixels(workshop: Workshop, tool: Tool) -> int:
    """Return the area of what one call draws: what the model was made for, or less by order."""
    made_for = tool.family.max_pixels
    return min(made_for, workshop.most_pixels or made_for)


def canvas_for(
    workshop: Workshop, tool: Tool, shape: tuple[int, ...], share: float, largest: float
) -> Canvas:
    """Return what to work at: `share` of the area that would be worked on at first."""
    family = tool.family
    limits = {"least_side": family.least_side, "most_ratio": family.most_ratio}
    most = most_pixels(workshop, tool)
    canvas = fitted(shape, family.multiple_of, most, largest, **limits)
    if share == 1:
        return canvas
    less = int(canvas.padded[0] * canvas.padded[1] * share)
    return fitted(shape, family.multiple_of, less, largest, **limits)


def with_less_on_failure(
    workshop: Workshop,
    tool: Tool,
    attempt: Callable[[float], Floats],
    facts: dict[str, Any],
    largest: float = 1.0,
) -> tuple[Floats, Rung]:
    """Run `attempt` with the share of the area that the memory allows, and with less on failure.

    `facts` name the width and height of the picture. Returns the picture and what was given up.
    Raises OutOfMemory and DeviceLost.
    """
    canvas = canvas_for(workshop, tool, (facts["height"], facts["width"]), 1.0, largest)
    pixels = canvas.padded[0] * canvas.padded[1]
    return climb(workshop, tool, pixels, facts, lambda rung: attempt(rung.share))


def wording_for(tool: Tool, context: StepContext, step: str) -> Wording:
    """Return what was told, in the words of the model that was lent and of a length it reads."""
    return worded(context.prompt, step, tool.family, counter(tool))


def counter(tool: Tool) -> Count:
    """Return how long a text is to the model, in its tokens."""
    tokenizer = tool.pipeline.tokenizer
    return lambda text: len(tokenizer(text, truncation=False, verbose=False)["input_ids"])


def notes_of(tool: Tool, wording: Wording, share: float) -> list[dict[str, Any]]:
    """Return what the volunteer should know: how the model reads the prompt, and with how large a
    share of the area the memory made do."""
    notes = []
    if wording.left_out:
        notes.append(
            note("prompt-cut", fields=list(wording.left_out), most=tool.family.most_tokens)
        )
    if wording.foreign:
        notes.append(in_its_languages(tool.family.languages))
    if share < 1:
        notes.append(note("worked-smaller-for-memory", share=share))
    return notes


def in_its_languages(languages: tuple[str, ...]) -> dict[str, Any]:
    """Return the note to somebody whose words the model cannot read."""
    if languages == ("en",):
        return note("prompt-language", languages=list(languages))
    return note("prompt-languages", languages=list(languages))


def noise_gone_through(tool: Tool) -> dict[str, list[float]]:
    """Return for the record at which sizes of noise a model of flows was asked in the last call."""
    if not tool.family.flows:
        return {}
    sizes = tool.pipeline.scheduler.sigmas[:-1]
    return {"noise_sizes": [round(float(size), 4) for size in sizes]}


def record_of(tool: Tool, wanted: Request) -> dict[str, Any]:
    """Return what a reader needs to know who drew here, with what, and how to do it again."""
    return {
        "model": model_record(tool),
        "prompt": wanted.wording.prompt,
        "negative_prompt": wanted.wording.negative,
        "prompt_fields": dict(wanted.wording.fields),
        "prompt_left_out": list(wanted.wording.left_out),
        "strength": wanted.strength,
        **({"control": wanted.control} if held(tool) and wanted.control is not None else {}),
        "steps": wanted.steps,
        "guidance": guidance_of(tool.model),
        "scheduler": type(tool.pipeline.scheduler).__name__,
        **({"scheduler_settings": dict(tool.model.scheduler)} if tool.model.scheduler else {}),
        "seed": wanted.seed,
        "device": device_name(tool.device),
        "dtype": tool.dtype,
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in ("torch", "diffusers", "transformers")},
        },
    }


def model_record(tool: Tool) -> dict[str, Any]:
    model = tool.model
    return {
        "name": model.name,
        "label": model.label,
        "family": model.family,
        "folder": model.folder,
        "parts": [{"kind": part.kind, "scale": part.scale} for part in model.parts],
        "repositories": [model.source.repository, *(p.source.repository for p in model.parts)],
        "pipeline": type(tool.pipeline).__name__,
        "licence": " AND ".join(licence.spdx for licence in model.licences),
        "licence_label": model.licence_label,
        "commercial_use": model.commercial,
        "revision": tool.weights.revision,
        "weights_sha256": tool.weights.digest,
        "files_sha256": dict(tool.weights.files),
    }


def device_name(device: str) -> str:
    return f"{device}: {torch.cuda.get_device_name(device)}" if "cuda" in device else device
