"""What a model puts onto its base, each from a folder of its own: a ControlNet, a LoRA."""

from typing import Any

from restoration.engine.errors import StepFailed, Unfit
from restoration.engine.generative.registry import ModelInfo
from restoration.engine.generative.weights import Told, Weights, verified


def weighed(info: ModelInfo, step: str, told: Told) -> tuple[Weights, Weights]:
    """Hold every folder of a model against its lock; return the base's weights, and all of them.

    A part's files carry its folder's name; `told` hears how many bytes were read, time and again.
    That the files are not what they should be is this machine's matter: Unfit. Raises besides what
    `told` raises.
    """
    facts = {"step": step, "model": info.model.name}
    try:
        base, *parts = (verified(path, told) for path in info.paths)
    except StepFailed as refusal:
        if not refusal.code.startswith("weights-"):
            raise  # by who was told: it took too long
        raise Unfit(refusal.code, {**facts, **refusal.facts}) from refusal
    except OSError as error:
        raise Unfit("model-broken", {**facts, "detail": str(error)[:200]}) from error
    files = dict(base.files)
    for folder, part in zip(info.model.folders[1:], parts, strict=True):
        files |= {f"{folder}/{name}": sha256 for name, sha256 in part.files.items()}
    every = [base, *parts]
    size, numbers = (sum(getattr(each, name) for each in every) for name in ("size", "numbers"))
    return base, Weights(files, base.revision, size, numbers)


def networks(info: ModelInfo, dtype: Any) -> dict[str, Any]:
    """Return the ControlNet that the model's pipelines ask for, by the name they know it by."""
    import diffusers

    return {
        part.kind: diffusers.ControlNetModel.from_pretrained(
            path,
            dtype=dtype,
            variant=verified(path).variant,
            local_files_only=True,
            use_safetensors=True,
        )
        for part, path in zip(info.model.parts, info.paths[1:], strict=True)
        if part.kind == "controlnet"
    }


def require_words(pipeline: Any) -> None:
    """Raise ValueError where a tokenizer tells no two words apart, as one without its files does:
    it is made of nothing without a complaint, and nobody's words would ever be read."""
    found = [part for name, part in pipeline.components.items() if name.startswith("tokenizer")]
    found.append(getattr(pipeline.components.get("processor"), "tokenizer", None))
    for tokenizer in found:
        if tokenizer is not None and tokens(tokenizer, "red") == tokens(tokenizer, "old"):
            raise ValueError(f"{type(tokenizer).__name__} knows no words")


def tokens(tokenizer: Any, text: str) -> list[int]:
    return list(tokenizer(text)["input_ids"])


def lay_on(pipeline: Any, info: ModelInfo) -> None:
    """Fuse the model's LoRA into the networks it was made for; nothing of it can be left behind."""
    for part, path in zip(info.model.parts, info.paths[1:], strict=True):
        if part.kind == "lora":
            pipeline.load_lora_weights(
                path, weight_name=part.source.file, local_files_only=True, use_safetensors=True
            )
            pipeline.fuse_lora(lora_scale=part.scale)
            pipeline.unload_lora_weights()
