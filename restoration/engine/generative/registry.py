"""The models this engine can run, one row each; light enough for the web to read.

To add a model: one row in MODELS (and one in FAMILIES when it is the first of its kind), and a
tiny one in tests/engine/generative/tiny.py.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

NEEDED = ("torch", "diffusers", "transformers", "safetensors")
PICKLES = (".bin", ".ckpt", ".pt", ".pth", ".pkl")


@dataclass(frozen=True)
class Licence:
    """Under what terms the weights may be used; `spdx` is an SPDX id or a LicenseRef."""

    spdx: str
    label: str
    commercial: bool


@dataclass(frozen=True)
class Family:
    """What all models of one architecture share.

    multiple_of: both sides of what the model sees; max_pixels: the area it was made for.
    cfg: name of the pipeline's guidance argument; negative: whether it reads a negative prompt.
    languages: what its text encoder understands.
    """

    name: str
    multiple_of: int
    max_pixels: int
    dtype: str
    cfg: str
    guidance: float
    negative: bool
    steps: int
    languages: tuple[str, ...]


@dataclass(frozen=True)
class Model:
    """One set of weights: where it lies, what it is declared to be, which steps it can do.

    folder: name below the models directory; declared: the `_class_name`s its index may carry;
    pipelines: the diffusers class by step name.
    """

    name: str
    label: str
    family: str
    folder: str
    declared: tuple[str, ...]
    pipelines: Mapping[str, str]
    licence: Licence
    min_memory_gb: float


@dataclass(frozen=True)
class ModelInfo:
    """A model's folder as it was found; `reason` is a code when it cannot be used, else empty."""

    model: Model
    path: Path
    reason: str = ""

    @property
    def usable(self) -> bool:
        return not self.reason


OPENRAIL_M = Licence("LicenseRef-CreativeML-OpenRAIL-M", "CreativeML Open RAIL-M", True)
OPENRAIL_PP = Licence("LicenseRef-CreativeML-OpenRAIL-PlusPlus-M", "CreativeML Open RAIL++-M", True)

FAMILIES: tuple[Family, ...] = (
    Family(
        name="sd15",
        multiple_of=8,
        max_pixels=768 * 768,
        dtype="bfloat16",
        cfg="guidance_scale",
        guidance=6.0,
        negative=True,
        steps=30,
        languages=("en",),
    ),
    Family(
        name="sdxl",
        multiple_of=8,
        max_pixels=1024 * 1024,
        dtype="bfloat16",
        cfg="guidance_scale",
        guidance=5.0,
        negative=True,
        steps=30,
        languages=("en",),
    ),
)

# Where several can do a step, the first one that is there is taken.
MODELS: tuple[Model, ...] = (
    Model(
        name="sdxl-inpaint",
        label="Stable Diffusion XL Inpainting 0.1",
        family="sdxl",
        folder="sdxl-inpaint",
        declared=("StableDiffusionXLInpaintPipeline",),
        pipelines={"repair": "StableDiffusionXLInpaintPipeline"},
        licence=OPENRAIL_PP,
        min_memory_gb=10,
    ),
    Model(
        name="sdxl",
        label="Stable Diffusion XL 1.0",
        family="sdxl",
        folder="sdxl",
        declared=("StableDiffusionXLPipeline", "StableDiffusionXLImg2ImgPipeline"),
        pipelines={
            "redraw": "StableDiffusionXLImg2ImgPipeline",
            "repair": "StableDiffusionXLInpaintPipeline",
        },
        licence=OPENRAIL_PP,
        min_memory_gb=10,
    ),
    Model(
        name="sd15-inpaint",
        label="Stable Diffusion 1.5 Inpainting",
        family="sd15",
        folder="sd15-inpaint",
        declared=("StableDiffusionInpaintPipeline",),
        pipelines={"repair": "StableDiffusionInpaintPipeline"},
        licence=OPENRAIL_M,
        min_memory_gb=4,
    ),
    Model(
        name="sd15",
        label="Stable Diffusion 1.5",
        family="sd15",
        folder="sd15",
        declared=("StableDiffusionPipeline", "StableDiffusionImg2ImgPipeline"),
        pipelines={
            "redraw": "StableDiffusionImg2ImgPipeline",
            "repair": "StableDiffusionInpaintPipeline",
        },
        licence=OPENRAIL_M,
        min_memory_gb=4,
    ),
)


def family_of(model: Model) -> Family:
    return next(family for family in FAMILIES if family.name == model.family)


def can_run() -> bool:
    """Say whether the libraries are installed, without importing any."""
    return all(find_spec(name) is not None for name in NEEDED)


def available(models_dir: Path) -> list[ModelInfo]:
    """Return the models whose folder is there, usable or with the reason why not."""
    folders = ((model, models_dir / model.folder) for model in MODELS)
    return [
        ModelInfo(model, path, refusal(model, path)) for model, path in folders if path.is_dir()
    ]


def capabilities(models_dir: Path) -> tuple[str, ...]:
    """Return what a worker here may advertise, as `step:model`; empty without the libraries."""
    if not can_run():
        return ()
    return tuple(
        f"{step}:{info.model.name}"
        for info in available(models_dir)
        if info.usable
        for step in sorted(info.model.pipelines)
    )


def refusal(model: Model, path: Path) -> str:
    """Return why a folder cannot be used: a code, or nothing."""
    try:
        index = json.loads((path / "model_index.json").read_text(encoding="utf-8"))
        declared = index["_class_name"]
    except FileNotFoundError:
        return "no-index"
    except (OSError, ValueError, KeyError, TypeError):
        return "broken-index"
    if declared not in model.declared:
        return "other-class"
    reasons = (weights_refusal(path / name) for name, part in index.items() if is_part(part))
    return next((reason for reason in reasons if reason), "")


def is_part(part: object) -> bool:
    """Say whether an entry of the index is a component that the folder must hold."""
    return isinstance(part, list) and len(part) == 2 and part[1] is not None


def weights_refusal(part: Path) -> str:
    """Return why a component's folder cannot be used; a tokenizer has no weights to check."""
    if not part.is_dir():
        # A safety checker is never loaded, so it may be missing.
        return "" if part.name in ("safety_checker", "feature_extractor") else "part-missing"
    files = [file.suffix for file in part.iterdir() if file.is_file()]
    if ".safetensors" in files:
        return ""
    if any(suffix in PICKLES for suffix in files):
        return "" if part.name == "safety_checker" else "pickled-weights"
    return "no-weights" if (part / "config.json").is_file() and is_network(part) else ""


def is_network(part: Path) -> bool:
    return part.name.startswith(("unet", "vae", "text_encoder", "transformer", "controlnet"))
