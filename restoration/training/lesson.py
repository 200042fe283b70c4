"""What the school asks of a lesson."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from torch import Tensor, nn

from restoration.training import pictures
from restoration.training.pictures import Shelf

Random = np.random.Generator
Batch = tuple[Tensor, ...]  # the network's inputs, and last what it should say


def as_it_is(network: nn.Module) -> nn.Module:
    """The taught network is the one that is kept."""
    return network


@dataclass(frozen=True)
class Lesson:
    """One network to teach.

    build: the network, fresh. batch(shelf, rng): inputs and target, float32 BxCxHxW.
    loss(answer, target, progress in [0, 1]). figures(network, shelf): name to number, on the
    pictures set aside. inputs: name to channels and the share of the picture's side, for export.
    adopt: makes weights of a sister network fit. finish: the network that is kept of the taught
    one. bits: of a weight in the file, 16 or 8.
    """

    name: str
    title: str
    build: Callable[[], nn.Module]
    batch: Callable[[Shelf, Random], Batch]
    loss: Callable[[Tensor, Tensor, float], Tensor]
    figures: Callable[[nn.Module, Shelf], Mapping[str, float]]
    inputs: Mapping[str, tuple[int, int]]  # name: (channels, picture side divided by this)
    rate: float = 1e-3
    adopt: Callable[[dict[str, Tensor]], dict[str, Tensor]] = dict  # of weights to begin with
    finish: Callable[[nn.Module], nn.Module] = as_it_is
    shelf: Callable[..., Shelf] = pictures.shelf  # (folders, seed=, leaves=)
    sound: Callable[[Shelf, Sequence[Path]], Shelf] | None = None  # adds old scans without damage
    bits: int = 16
    notes: tuple[str, ...] = field(default=())
