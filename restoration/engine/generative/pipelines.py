"""What the library's pipelines are made with, and what they are kept from."""

import inspect
from typing import Any

from restoration.engine.generative.registry import Model


def pipeline_class(name: str) -> Any:
    import diffusers

    return getattr(diffusers, name)


def hush() -> None:
    """Keep bars and advice off a worker's log; what matters of it comes back as notes."""
    import diffusers
    import transformers

    for library in (diffusers, transformers):
        library.utils.logging.disable_progress_bar()
        library.utils.logging.set_verbosity_error()


def arguments(kind: Any) -> list[str]:
    return list(inspect.signature(kind.__init__).parameters)


def quiet_extras(kind: Any) -> dict[str, Any]:
    """Return what keeps a pipeline from adding parts of its own: a checker, a watermark."""
    wanted = {"requires_safety_checker": False, "add_watermarker": False}
    return {name: value for name, value in wanted.items() if name in arguments(kind)}


def laid_on(model: Model) -> bool:
    """Say whether a LoRA is fused into the model's networks."""
    return any(part.kind == "lora" for part in model.parts)


def own_scheduler(model: Model, found: Any) -> Any:
    """Return a scheduler for one job, made as the model's folder has it and as its row wants it."""
    import diffusers

    kind, wanted = type(found), dict(model.scheduler)
    if kind is diffusers.PNDMScheduler:
        # It reckons from the steps before, which there are none of where a picture is begun from
        # half-way: noise is left in it then. DDIM would besides cut latents off unless told not to.
        kind, wanted = diffusers.DDIMScheduler, {"clip_sample": False, **wanted}
    return kind.from_config(found.config, **wanted)
