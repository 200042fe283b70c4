"""A repository as the hub has them, and the command that fetches it."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from restoration.engine.generative.rows import MODELS
from tests.services.hub_server import Hub

NAME = "sd15-inpaint"
ROW = next(model for model in MODELS if model.name == NAME)
UNET = "unet/diffusion_pytorch_model.safetensors"
BYTES = bytes(range(256)) * 4


def lay(folder: Path, **files: bytes) -> Path:
    """Write a repository as Stable Diffusion's are: parts, and much that is never loaded."""
    index = {
        "_class_name": "StableDiffusionInpaintPipeline",
        "unet": ["diffusers", "UNet2DConditionModel"],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "safety_checker": ["stable_diffusion", "StableDiffusionSafetyChecker"],
        "feature_extractor": [None, None],
    }
    content = {
        "model_index.json": json.dumps(index).encode(),
        "LICENSE.md": b"the terms",
        "README.md": b"read me",
        "v1-5.safetensors": BYTES,
        "unet/config.json": b"{}",
        UNET: BYTES,
        "unet/diffusion_pytorch_model.non_ema.safetensors": BYTES,
        "unet/diffusion_pytorch_model.bin": b"pickle",
        "tokenizer/merges.txt": b"a b",
        "safety_checker/model.safetensors": BYTES,
        **files,
    }
    for path, given in content.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(given)
    return folder


KEPT = {"model_index.json", "LICENSE.md", "unet/config.json", UNET, "tokenizer/merges.txt"}


def repository(hub: Hub) -> Path:
    return hub.folder / ROW.source.repository


def fetch(*names: str, **options: Any) -> str:
    out = StringIO()
    words = {"accept_licence": True, "stdout": out, "stderr": StringIO()} | options
    call_command("fetch_models", *(names or (NAME,)), **words)
    return out.getvalue()


def refused(*names: str, **options: Any) -> str:
    with pytest.raises(CommandError) as refusal:
        fetch(*names, **options)
    return str(refusal.value)
