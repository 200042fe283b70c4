"""Which of the models are here, whether they can be used, and why not; imports nothing heavy."""

import importlib
import json
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from restoration.engine.generative.rows import FAMILIES, MODELS, Family, Licence, Model, Part

__all__ = ["FAMILIES", "MODELS", "Family", "Licence", "Model", "ModelInfo", "Part"]

NEEDED = ("torch", "diffusers", "transformers", "safetensors")
PICKLES = (".bin", ".ckpt", ".pt", ".pth", ".pkl")
# What a tokenizer can be read from: without any of these every word becomes the same unknown token.
VOCABULARIES = (
    {"tokenizer.json"},
    {"vocab.json", "merges.txt"},
    {"vocab.txt"},
    {"spiece.model"},
    {"tokenizer.model"},
    {"sentencepiece.bpe.model"},
)
TILED = 1.25  # how much more memory a tile needs than a picture of its size


@dataclass(frozen=True)
class ModelInfo:
    """A model's folder as it was found; `reason` is a code when it cannot be used, else empty."""

    model: Model
    path: Path
    reason: str = ""

    @property
    def usable(self) -> bool:
        return not self.reason

    @property
    def paths(self) -> tuple[Path, ...]:
        """The folders of its base and its parts, in the order of `Model.folders`."""
        return tuple(self.path.parent / folder for folder in self.model.folders)


def family_of(model: Model) -> Family:
    return next(family for family in FAMILIES if family.name == model.family)


def named(name: str) -> Model | None:
    """The row of that name, or None."""
    return next((model for model in MODELS if model.name == name), None)


def guidance_of(model: Model) -> float:
    return family_of(model).guidance if model.guidance is None else model.guidance


def steps_of(model: Model) -> int:
    """Return how many steps the model was made for."""
    return model.steps or family_of(model).steps


def most_steps(model: Model) -> int:
    """Return with how many steps it still draws well; a LoRA for few steps distils too."""
    distilled = family_of(model).distilled or model.steps is not None
    return 2 * steps_of(model) if distilled else 100


def work_bytes(family: Family, pixels: int, element: int, *, tiled: bool = False) -> int:
    """Return the memory to decode so many pixels with `element` bytes a number, weights apart."""
    return int(pixels * element * family.decode_bytes * (TILED if tiled else 1))


def can_run() -> bool:
    """Say whether the libraries are installed, without importing any."""
    return all(find_spec(name) is not None for name in NEEDED)


def lacking(model: Model) -> str:
    """Return a library that this model needs besides and that does not work here, or nothing."""
    wanted = [*family_of(model).needs]
    wanted += ["peft" for part in model.parts if part.kind == "lora"]
    return next((name for name in wanted if not works(name)), "")


@cache
def works(library: str) -> bool:
    """Say whether a library can be imported: one built for another torch is there, and dies."""
    try:
        importlib.import_module(library)
    except (ImportError, RuntimeError, OSError):
        return False
    return True


def available(models_dir: Path) -> list[ModelInfo]:
    """Return the models whose folders are there, usable or with the reason why not."""
    folders = ((model, models_dir / model.folder) for model in MODELS)
    found = [ModelInfo(model, path) for model, path in folders]
    return [
        ModelInfo(info.model, info.path, refusal(info.model, info.path))
        for info in found
        if all(path.is_dir() for path in info.paths)
    ]


def refusal(model: Model, path: Path) -> str:
    """Return why a model here, its parts beside it, cannot be used: a code, or nothing."""
    reasons = [base_refusal(model, path)]
    reasons += [part_refusal(part, path.parent / part.folder) for part in model.parts]
    reasons += [f"{library}-missing" if (library := lacking(model)) else ""]
    return next((reason for reason in reasons if reason), "")


def base_refusal(model: Model, path: Path) -> str:
    try:
        index = json.loads((path / "model_index.json").read_text(encoding="utf-8"))
        declared = index["_class_name"]
    except FileNotFoundError:
        return "no-index"
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return "broken-index"
    if declared not in model.declared:
        return "other-class"
    reasons = (weights_refusal(path / name) for name, part in index.items() if is_part(part))
    return next((reason for reason in reasons if reason), "")


def part_refusal(part: Part, path: Path) -> str:
    """Return why an added part cannot be used; a LoRA is one file without a configuration."""
    if not any(path.glob("*.safetensors")):
        return "pickled-weights" if any(holds_pickles(path)) else "no-weights"
    if part.kind == "controlnet" and not (path / "config.json").is_file():
        return "no-index"
    return ""


def holds_pickles(path: Path) -> list[str]:
    return [file.name for file in path.iterdir() if file.suffix in PICKLES]


def is_part(part: object) -> bool:
    """Say whether an entry of the index is a component that the folder must hold."""
    return isinstance(part, list) and len(part) == 2 and part[1] is not None


def weights_refusal(part: Path) -> str:
    """Return why a component's folder cannot be used; a tokenizer has words and no weights."""
    if not part.is_dir():
        # A safety checker is never loaded, so it may be missing.
        return "" if part.name in ("safety_checker", "feature_extractor") else "part-missing"
    if part.name.startswith("tokenizer") and not has_vocabulary(part):
        return "no-vocabulary"
    files = [file.suffix for file in part.iterdir() if file.is_file()]
    if ".safetensors" in files:
        return ""
    if any(suffix in PICKLES for suffix in files):
        return "" if part.name == "safety_checker" else "pickled-weights"
    return "no-weights" if (part / "config.json").is_file() and is_network(part) else ""


def has_vocabulary(part: Path) -> bool:
    """Say whether a tokenizer's folder holds its words in a form that is read."""
    here = {file.name for file in part.iterdir() if file.is_file()}
    return any(files <= here for files in VOCABULARIES)


def is_network(part: Path) -> bool:
    return part.name.startswith(("unet", "vae", "text_encoder", "transformer", "controlnet"))
