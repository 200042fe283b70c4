"""What our own handling costs a diffusion model: speed beside a bare loop, memory, batches.

Needs a card and models (REKINDLE_MODELS_DIR); with --quick and without a card, tiny random models
run on the processor, which shows that it runs and nothing about speed.
"""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from restoration.engine.generative.registry import can_run
from tests.benchmarks.engine.table import Row, absent

BENCH = "generative"
LEAST = 0.97  # of a bare loop's speed
RUNS, TINY_RUNS = 5, 2
TOGETHER = 4
TINY_SIDE = 64
TINY_PASSES = 4


def rows(photos: Path, *, quick: bool) -> Iterator[Row]:
    """Every model that is here and can redraw; one row that says why where nothing can be run."""
    if not can_run():
        yield absent(BENCH, "all families", "torch or diffusers is not installed")
        return
    import torch

    folder = Path(os.environ.get("REKINDLE_MODELS_DIR", "models"))
    if torch.cuda.is_available():
        yield from _measured(folder, tiny=False)
        return
    yield absent(BENCH, "all families on a card", "there is no card here")
    if quick:
        from tests.engine.generative import tiny

        with tempfile.TemporaryDirectory() as made:
            tiny.save_all(Path(made), faithful=True)
            yield from _measured(Path(made), tiny=True)


def _measured(folder: Path, *, tiny: bool) -> Iterator[Row]:
    from restoration.engine.generative.workshop import Workshop, ready

    found = [info.model for info in ready(folder) if info.usable]
    found = [model for model in found if "redraw" in model.pipelines]
    if not found:
        yield absent(BENCH, "all families", f"no model that can redraw is in {folder}")
    shop = Workshop(folder)
    for model in found:
        with shop.lend("redraw", model.name) as tool:
            yield from _of(tool, tiny=tiny)
        shop.release()


def _of(tool: Any, *, tiny: bool) -> Iterator[Row]:
    import torch

    from restoration.engine.generative.generation import generated, request, said_to, shown_to
    from restoration.engine.generative.prompts import worded

    side = TINY_SIDE if tiny else int(tool.family.max_pixels**0.5) // 64 * 64
    image = np.random.default_rng(0).random((side, side, 3), dtype=np.float32)
    passes = TINY_PASSES if tiny else 0  # 0: as many as the model was made for
    wanted = request(tool, worded(None, "redraw", tool.family), 0.5, passes, 1)
    note = "tiny random weights on a processor" if tiny else f"{side} px, {wanted.steps} steps"

    def ours() -> None:
        generated(tool, image, None, wanted, lambda share, preview: None)

    def bare() -> None:
        given = {**said_to(tool, wanted), **shown_to(tool, image, None, None)}
        if not tool.family.edits:
            given["strength"] = wanted.strength
        tool.pipeline(**given)

    for warm in (ours, bare):
        warm()
    if tool.device.startswith("cuda"):
        torch.cuda.reset_peak_memory_stats()
    took = _in_turn([ours, bare], TINY_RUNS if tiny else RUNS)
    name = tool.model.name
    least = None if tiny else LEAST
    yield Row(BENCH, f"{name}: speed beside a bare loop", took[1] / took[0], "x", least, note=note)
    yield Row(BENCH, f"{name}: a picture", took[0], "s", note=note)
    if tool.device.startswith("cuda"):
        peak, most = torch.cuda.max_memory_allocated() / 1e9, tool.model.min_memory_gb
        yield Row(BENCH, f"{name}: peak memory", peak, "GB", most, "low", note)
    if tool.family.batches:
        yield _batched(tool, image, wanted, note, TINY_RUNS if tiny else RUNS)


def _batched(tool: Any, image: Any, wanted: Any, note: str, runs: int) -> Row:
    """How much faster several pictures are drawn in one call than one after another."""
    from restoration.engine.generative.batches import generated_many, seeded

    seeds = seeded(wanted, TOGETHER)

    def quiet(pipeline: Any, index: int, timestep: Any, tensors: Any) -> Any:
        return tensors

    def together() -> None:
        generated_many(tool, [image] * TOGETHER, seeds, wanted, quiet)

    def apart() -> None:
        for seed in seeds:
            generated_many(tool, [image], [seed], wanted, quiet)

    together()
    took = _in_turn([together, apart], runs)
    what = f"{tool.model.name}: {TOGETHER} in one call"
    return Row(BENCH, what, took[1] / took[0], "x", note=f"{note}; times as fast as one by one")


def _in_turn(kinds: list[Callable[[], None]], runs: int) -> list[float]:
    """The median seconds of each, measured in turn so that a warm card favours none."""
    seconds: list[list[float]] = [[] for _ in kinds]
    for _ in range(runs):
        for kind, found in zip(kinds, seconds, strict=True):
            begun = time.perf_counter()
            kind()
            found.append(time.perf_counter() - begun)
    return [float(np.median(each)) for each in seconds]
