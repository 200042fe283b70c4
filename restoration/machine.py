"""What the models on this machine's disk let its worker offer, looked at again and again.

What was found unfit here is not offered until its files change: a file may be of the right name and
size and still not be the one that is wanted.
"""

from __future__ import annotations

import hashlib
import logging
import multiprocessing
import subprocess
import sys
from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings

from restoration.engine.generative import memory, registry, workshop
from restoration.engine.generative.registry import MODELS, ModelInfo
from restoration.engine.generative.weights import LOCK, Weights, read_lock, weights_of

logger = logging.getLogger(__name__)

NO_CARD, TOO_LARGE = "no-card", "too-large"
# A card that is sold with 16 GB tells of 14.6: some of it is kept for errors and for itself.
AS_SOLD = 0.9
ON_CARD, ON_CPU = 2, 4  # bytes a number: half precision there, and none on a processor
ASK_SECONDS = 300
# What models do on a card, in small: that one is there does not say that this torch can use it. One
# that others fill just now is there all the same.
ASK = """
try:
    import torch

    torch.cuda.init()
    found = torch.cuda.get_device_properties(0).total_memory
    try:
        known = {"device": "cuda", "dtype": torch.bfloat16}
        picture, filters = torch.ones(1, 8, 64, 64, **known), torch.ones(8, 8, 3, 3, **known)
        torch.nn.functional.conv2d(picture @ picture, filters).sum().item()
    except RuntimeError as error:
        if "out of memory" not in str(error).lower():
            raise
    print(found)
except Exception as error:
    print(0, " ".join(str(error).split())[:300])
"""
# In the registry's order, how the files of a model looked when it was found unfit, else 0. Shared
# with a pool's children: they find it out, and only their parent announces.
_unfit = multiprocessing.Array("Q", len(MODELS), lock=False)


def listed() -> list[dict[str, Any]]:
    """The models that a worker here offers now, each with its licence and steps."""
    return [_row(info) for info in _usable() if not unfit(info) and not _is_withdrawn(info)]


def withdraw(name: str) -> None:
    """Offer a model no more until its files are others than now."""
    for number, model in enumerate(MODELS):
        if model.name == name:
            _unfit[number] = _look(ModelInfo(model, settings.MODELS_DIR / model.folder))
            logger.warning(
                "%s is not offered here any more until its files change or this worker is started "
                "again: `manage.py models --verify %s` says what is wrong with them",
                name,
                name,
            )


def unfit(info: ModelInfo) -> str:
    """Why a worker on this machine does not offer a model that is whole: a code, or nothing."""
    if settings.MODELS_DEVICE == "cpu":
        needed = _bytes_of(info, ON_CPU) + memory.RESERVE
        return TOO_LARGE if needed > _at_most(memory.ram()) else ""
    if not card():
        return NO_CARD
    least = info.model.min_memory_gb * memory.GIB * AS_SOLD
    return TOO_LARGE if least > _at_most(card()) or not _rests(info) else ""


def _rests(info: ModelInfo) -> bool:
    """Say whether the RAM holds the model where its parts cannot all stay on the card at work."""
    family, weights = registry.family_of(info.model), _bytes_of(info, ON_CARD)
    drawn = registry.work_bytes(family, family.max_pixels, ON_CARD)
    stays = weights + drawn + memory.RESERVE <= _at_most(card())
    return stays or weights <= memory.ram()


@cache
def card() -> int:
    """Bytes of the card here, 0 without one that models can work on; asked once.

    In a process of its own, because one that has spoken to a card cannot fork any more.
    """
    try:
        command = [sys.executable, "-c", ASK]
        told = subprocess.run(
            command, capture_output=True, text=True, timeout=ASK_SECONDS, check=True
        )
        number, _, why = told.stdout.strip().partition(" ")
        found = int(number)
    except (OSError, ValueError, subprocess.SubprocessError):
        logger.warning("whether there is a card here could not be found out", exc_info=True)
        return 0
    if not found:
        logger.warning(
            "no card can be used here, so no model is offered; see REKINDLE_MODELS_DEVICE: %s", why
        )
    return found


def _at_most(there: float) -> float:
    bound = settings.MODELS_MEMORY_GB * memory.GIB
    return min(there, bound) if bound else there


def _bytes_of(info: ModelInfo, element: int) -> int:
    """Bytes of its weights in a memory where each number takes `element` of them."""
    looks = ((path, (path / LOCK).stat()) for path in info.paths)
    return sum(_weights(path, stat.st_ino, stat.st_mtime_ns).at(element) for path, stat in looks)


@lru_cache(maxsize=64)
def _weights(path: Path, _number: int, _written: int) -> Weights:
    """The weights of a folder, counted once for each lock: it means to open every file."""
    return weights_of(path, read_lock(path))


def _usable() -> Iterator[ModelInfo]:
    if registry.can_run():
        yield from (info for info in workshop.ready(settings.MODELS_DIR) if info.usable)


def _row(info: ModelInfo) -> dict[str, Any]:
    model = info.model
    return {
        "name": model.name,
        "label": model.label,
        "licence": model.licence_label,
        "commercial": model.commercial,
        "offers": [f"{step}:{model.name}" for step in sorted(model.pipelines)],
    }


def _is_withdrawn(info: ModelInfo) -> bool:
    number = MODELS.index(info.model)
    if _unfit[number] and _unfit[number] != _look(info):
        _unfit[number] = 0
    return bool(_unfit[number])


def _look(info: ModelInfo) -> int:
    """How its files look, as a number that is never 0."""
    looks = hashlib.sha256()
    for file in (file for path in info.paths for file in sorted(_files(path))):
        stat = file.stat()
        look = (str(file), stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
        looks.update(repr(look).encode())
    return int.from_bytes(looks.digest()[:8], "big") | 1


def _files(path: Path) -> Iterator[Path]:
    return (file for file in path.rglob("*") if file.is_file())
