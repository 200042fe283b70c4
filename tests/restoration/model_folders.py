"""A model's folder that looks right from outside: enough where nothing is loaded from it."""

import json
from pathlib import Path

from restoration.engine.generative import weights


def lay(models: Path, name: str, pipeline: str, *, size: int) -> Path:
    """A locked folder of that pipeline's name whose one file of weights has so many bytes."""
    unet = models / name / "unet"
    unet.mkdir(parents=True)
    index = {"_class_name": pipeline, "unet": ["diffusers", "UNet"]}
    (models / name / "model_index.json").write_text(json.dumps(index))
    (unet / "config.json").write_text("{}")
    (unet / "diffusion_pytorch_model.safetensors").write_bytes(bytes(size))
    weights.lock(models / name)
    return models / name
