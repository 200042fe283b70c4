"""Teaches a network: seeded examples, a falling rate, a mean of the weights, checkpoints.

The next examples are made by a thread of their own while the network learns from the last.
"""

import math
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from restoration.training.lesson import Batch, Lesson
from restoration.training.pictures import Shelf

SAVED_EVERY = 120.0  # seconds between checkpoints
TOLD_EVERY = 10.0  # seconds between two lines of progress
WARM_UP = 100  # steps until the rate is whole
LAST_RATE = 0.005  # of the first
CLEARLY, TRIED = 0.8, 6  # how much quicker bfloat16 has to be, and how often that is tried
MEAN_OF = 0.999  # decay of the running mean of the weights, which is what is shipped


class OtherRunError(Exception):
    """The checkpoint belongs to another network or another seed."""


class DivergedError(Exception):
    """A network whose weights are no numbers any more; says so."""


@dataclass(frozen=True)
class Term:
    """How long to teach. The rate falls over `minutes` of teaching or `steps`, whichever the run
    has used more of; with steps alone the same seed gives the same network on the same machine."""

    seed: int = 0
    minutes: float = 0.0  # 0: by steps
    steps: int = 0  # 0: by minutes
    quick: bool = True  # bfloat16 where the processor has it
    rate: float = 0.0  # of learning, at its highest; 0: the lesson's own

    def used(self, taken: int, seconds: float) -> float:
        by_steps = taken / self.steps if self.steps else 0.0
        by_time = seconds / (60 * self.minutes) if self.minutes else 0.0
        return max(by_steps, by_time)


@dataclass
class Progress:
    """Where the run is; `loss` is the mean since the last line."""

    steps: int
    seconds: float
    used: float
    loss: float


@dataclass
class _Run:
    network: nn.Module
    mean: dict[str, Tensor]
    optimiser: torch.optim.Optimizer
    device: str = "cpu"
    steps: int = 0
    seconds: float = 0.0
    coming: Future[Batch] | None = None  # the examples of the next step


def teach(
    lesson: Lesson,
    shelf: Shelf,
    term: Term,
    checkpoint: Path,
    *,
    first: dict[str, Tensor] | None = None,
    device: str = "cpu",
    tell: Callable[[Progress], None] = lambda progress: None,
) -> tuple[nn.Module, Progress]:
    """The taught network, in evaluation mode with the mean weights, and how the run ended.

    Goes on from the checkpoint when there is one (OtherRunError when it is not this run's);
    `first` are weights to begin with. A killed run loses at most two minutes, Ctrl-C nothing.
    Raises DivergedError.
    """
    torch.manual_seed(term.seed)
    run = _begun(lesson, first, device)
    if checkpoint.exists():
        _resume(run, lesson, term, checkpoint)
    try:
        with ThreadPoolExecutor(1) as ahead:
            progress = _taught(lesson, shelf, term, checkpoint, run, tell, ahead)
    except KeyboardInterrupt:
        _save(run, lesson, term, checkpoint)
        raise
    run.network.load_state_dict(run.mean)
    return run.network.eval(), progress


def _begun(lesson: Lesson, first: dict[str, Tensor] | None, device: str) -> _Run:
    network = lesson.build()
    if first:
        network.load_state_dict(first)
    network.to(device)
    optimiser = torch.optim.Adam(network.parameters(), lr=lesson.rate, fused=True)
    mean = {name: value.clone() for name, value in network.state_dict().items()}
    return _Run(network, mean, optimiser, device)


def _taught(
    lesson: Lesson,
    shelf: Shelf,
    term: Term,
    checkpoint: Path,
    run: _Run,
    tell: Callable[[Progress], None],
    ahead: Executor,
) -> Progress:
    saved = told = since = time.monotonic()
    losses: list[float] = []
    while (used := term.used(run.steps, run.seconds)) < 1:
        losses.append(_step(lesson, run, term, used, _examples(lesson, shelf, term, run, ahead)))
        now = time.monotonic()
        run.seconds, since = run.seconds + now - since, now
        if now - told > TOLD_EVERY:
            tell(Progress(run.steps, run.seconds, used, float(np.mean(losses))))
            told, losses = now, []
        if now - saved > SAVED_EVERY:
            _save(run, lesson, term, checkpoint)
            saved = now
    _save(run, lesson, term, checkpoint)
    return Progress(run.steps, run.seconds, 1.0, float(np.mean(losses or [0.0])))


def _examples(lesson: Lesson, shelf: Shelf, term: Term, run: _Run, ahead: Executor) -> Batch:
    """Of this step, and the next ones are begun; each batch has its own seed, so that a resumed run
    sees what an unbroken one would."""

    def made(step: int) -> Batch:
        return lesson.batch(shelf, np.random.default_rng([term.seed, step]))

    batch = run.coming.result() if run.coming else made(run.steps)
    run.coming = ahead.submit(made, run.steps + 1)
    return batch


def _step(lesson: Lesson, run: _Run, term: Term, used: float, batch: Batch) -> float:
    for group in run.optimiser.param_groups:
        group["lr"] = rate(term.rate or lesson.rate, run.steps, used)
    loss = _loss(lesson, run, batch, used, quick=term.quick)
    run.optimiser.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(run.network.parameters(), 1.0)
    run.optimiser.step()
    run.steps += 1
    _average(run)
    return float(loss.detach())


def rate(first: float, steps: int, used: float) -> float:
    """Warm-up, then half a cosine."""
    falling = 0.5 * (1 + math.cos(math.pi * min(1.0, used))) + LAST_RATE
    return first * min(1.0, (steps + 1) / WARM_UP) * falling


def _loss(lesson: Lesson, run: _Run, batch: Batch, used: float, *, quick: bool) -> Tensor:
    *inputs, target = [each.to(run.device) for each in batch]
    with torch.autocast(
        run.device.split(":")[0], torch.bfloat16, enabled=quick and halves(run.device)
    ):
        answer = run.network(*inputs)
    return lesson.loss(answer.float(), target, used)


@lru_cache(maxsize=4)
def halves(device: str) -> bool:
    """Whether bfloat16 is quicker there. Some processors take half the time with it, some that must
    imitate it four times as long, and what they say of themselves does not tell: it is tried."""
    if device != "cpu":
        return True
    return _seconds(torch.bfloat16) < CLEARLY * _seconds(torch.float32)


def _seconds(kind: torch.dtype) -> float:
    """What a convolution and its gradient take in that arithmetic, the best of a few."""
    layer, seen = nn.Conv2d(48, 48, 3, padding=1), torch.ones(8, 48, 40, 40)
    took = []
    for _ in range(TRIED):
        began = time.perf_counter()
        with torch.autocast("cpu", torch.bfloat16, enabled=kind == torch.bfloat16):
            answer = layer(seen)
        answer.float().sum().backward()
        took.append(time.perf_counter() - began)
    return min(took)


@torch.no_grad()
def _average(run: _Run) -> None:
    decay = min(MEAN_OF, (1 + run.steps) / (10 + run.steps))
    for name, value in run.network.state_dict().items():
        if value.is_floating_point():
            run.mean[name].lerp_(value, 1 - decay)
        else:
            run.mean[name].copy_(value)


def require_numbers(weights: Mapping[str, Tensor]) -> None:
    """DivergedError when any weight is infinite or no number: nothing comes back from there."""
    wrong = [name for name, value in weights.items() if not torch.isfinite(value).all()]
    if wrong:
        raise DivergedError(
            f"the network diverged: {len(wrong)} of its {len(weights)} weights are no numbers any "
            "more; teach it anew at a lower --rate"
        )


def _save(run: _Run, lesson: Lesson, term: Term, checkpoint: Path) -> None:
    """Keep where the run is; what was kept before stays when the network has diverged since."""
    require_numbers(run.mean)
    kept: dict[str, Any] = {
        "network": run.network.state_dict(),
        "mean": run.mean,
        "optimiser": run.optimiser.state_dict(),
        "steps": run.steps,
        "seconds": run.seconds,
        "lesson": lesson.name,
        "seed": term.seed,
    }
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    beside = checkpoint.with_suffix(".part")
    torch.save(kept, beside)
    beside.replace(checkpoint)


def _resume(run: _Run, lesson: Lesson, term: Term, checkpoint: Path) -> None:
    kept = torch.load(checkpoint, weights_only=True, map_location=run.device)
    if (kept["lesson"], kept["seed"]) != (lesson.name, term.seed):
        raise OtherRunError(f"{checkpoint} is of {kept['lesson']} with seed {kept['seed']}")
    run.network.load_state_dict(kept["network"])
    run.mean = kept["mean"]
    run.optimiser.load_state_dict(kept["optimiser"])
    run.steps, run.seconds = kept["steps"], kept["seconds"]
