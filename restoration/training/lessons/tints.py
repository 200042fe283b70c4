"""The finder of damage goes on: what it says of a print it shall say of the same print in any tint.

It teaches itself: the network in the package is asked about the print as it was, so nothing is
learnt but that tints do not count, and what it knows of damage stays (distillation, G. Hinton 2015,
under a change that does not matter: consistency, Q. Xie, "Unsupervised data augmentation", 2020).
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from restoration.engine import damage as finder
from restoration.engine import networks
from restoration.engine.luma import WEIGHTS, chroma, luma, on_luma
from restoration.training import export
from restoration.training.layers import Image
from restoration.training.lesson import Batch, Lesson, Random
from restoration.training.lessons import damage
from restoration.training.lessons.damage import OF_ENTROPY, OF_PLANES
from restoration.training.pictures import Shelf

EXAMPLES = 3
FRESH, POOL = 0.4, 1600  # share of new examples, and how many old ones wait to be seen again
GREYED = 0.3  # share of the prints with colours that are made grey before they are asked about
AS_IT_IS = 0.3  # share of the examples that are shown in the tint they were asked about in
PALER = 0.5  # share of the grey ones whose black and white are none
BROWN = 0.4  # share of the hues that are a brown or a yellow
CHROMA = (0.2, 0.3, 0.2)  # of the dark, the middle and the light shade, at most
HUES = 0.06  # of a turn: how far apart those three are
STRONGER = (0.5, 1.8)  # how strong a tint is that was turned to another hue

Levels = NDArray[np.uint8]


def printed(light: Image, rng: Random) -> Image:
    """A luma HxW in shades of one hue or of a few near it, as bright as it was; HxWx3 in [0, 1]."""
    hue = rng.normal(0.09, 0.03) if rng.random() < BROWN else rng.random()
    strength = rng.random() ** 0.7
    knots = np.array([0, rng.uniform(0.3, 0.7), 1])
    shades = [_chroma(hue + rng.normal(0, HUES), strength * most * rng.random()) for most in CHROMA]
    bands = [np.interp(light, knots, [shade[band] for shade in shades]) for band in range(3)]
    return on_luma(light, np.stack(bands, axis=2).astype(np.float32))


def _chroma(hue: float, most: float) -> NDArray[np.float64]:
    """That hue (in turns) without luma, its largest channel that far from grey."""
    wheel = np.cos(2 * np.pi * (hue - np.arange(3) / 3))
    away = wheel - wheel @ WEIGHTS
    found: NDArray[np.float64] = away / np.abs(away).max() * most
    return found


def turned(image: Image, rng: Random) -> Image:
    """All hues turned by one angle, and stronger or weaker, as bright as before: what had another
    tint than its print has another still."""
    angle = rng.uniform(0, 2 * np.pi)
    across = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / np.sqrt(3)
    about_grey = np.cos(angle) * np.eye(3) + np.sin(angle) * across + (1 - np.cos(angle)) / 3
    strength = rng.uniform(*STRONGER)
    colours = (chroma(image) @ (strength * about_grey).T.astype(np.float32)).astype(np.float32)
    return on_luma(luma(image), colours - (colours @ WEIGHTS)[..., None])


class _Pool:
    """Prints, and what the network in the package says of each: to make one and to ask takes longer
    than to learn from it, so they are seen again, in other tints."""

    def __init__(self) -> None:
        self.held: list[tuple[Levels, Levels]] = []

    @cached_property
    def shipped(self) -> nn.Module:
        """The network in the package, to be asked as the one that learns is, window by window: by
        the engine it would see beyond a window's rim, and say what nobody can learn."""
        found = damage.Finder()
        found.load_state_dict(export.weights(networks.SHIPPED / f"{finder.NETWORK}.onnx"))
        return found.eval()

    def batch(self, shelf: Shelf, rng: Random) -> Batch:
        drawn = [self._one(shelf, rng) for _ in range(EXAMPLES)]
        shown = [_shown(picture, said, rng) for picture, said in drawn]
        seen = np.stack([picture for picture, _ in shown])
        said = np.stack([said for _, said in shown]).astype(np.float32) / np.float32(255)
        return damage.tensor(seen), damage.tensor(said)

    def _one(self, shelf: Shelf, rng: Random) -> tuple[Levels, Levels]:
        if len(self.held) >= POOL // 4 and rng.random() >= FRESH:
            return self.held[rng.integers(len(self.held))]
        fresh = _asked(self.shipped, shelf, rng)
        if len(self.held) < POOL:
            self.held.append(fresh)
        else:
            self.held[rng.integers(POOL)] = fresh
        return fresh


def _asked(network: nn.Module, shelf: Shelf, rng: Random) -> tuple[Levels, Levels]:
    """A window as `damage` learns from, HxWx3, and what the network says of it, HxWx4."""
    image = np.clip(damage.drawn(shelf, rng)[0], 0, 1)
    if rng.random() < GREYED:
        image = np.repeat(luma(image)[..., None], 3, axis=2)
    if _is_grey(image) and rng.random() < PALER:
        low, high = rng.uniform(0, 0.2), rng.uniform(0.8, 1)
        image = np.float32(low) + np.float32(high - low) * image
    levels = (image * 255 + 0.5).astype(np.uint8)
    return levels, said_of(network, levels)


@torch.inference_mode()
def said_of(network: nn.Module, levels: Levels) -> Levels:
    """Its probabilities, HxWx4, of 255, of a window HxWx3."""
    seen = damage.tensor(levels[None].astype(np.float32) / np.float32(255))
    said: NDArray[np.float32] = network(seen)[0].permute(1, 2, 0).numpy()
    return np.rint(said * 255).astype(np.uint8)


def _is_grey(image: Image) -> bool:
    return float(np.abs(chroma(image)).max()) < 4 / 255


def _shown(picture: Levels, said: Levels, rng: Random) -> tuple[Image, Levels]:
    image = picture.astype(np.float32) / np.float32(255)
    if rng.random() < AS_IT_IS:
        return image, said
    return printed(luma(image), rng) if _is_grey(image) else turned(image, rng), said


def loss(answer: Tensor, said: Tensor, progress: float) -> Tensor:
    """Cross entropy against what the network said before."""
    del progress
    entropy = functional.binary_cross_entropy_with_logits(answer, said, reduction="none")
    return OF_ENTROPY * (entropy * OF_PLANES).mean()


def lesson() -> Lesson:
    return replace(
        damage.lesson(),
        name="damage-tints",
        title="Finds dust, hairs, scratches, creases, tears and stains on prints of any tint",
        batch=_Pool().batch,
        loss=loss,
        figures=_figures,
        rate=2e-4,
        ships="damage",
    )


@torch.inference_mode()
def _figures(network: nn.Module, shelf: Shelf) -> Mapping[str, float]:
    """As of `damage`; and the share that is taken for damage of pictures set aside, sharp as they
    are, in grey and in tints."""
    rng, grey, tinted = np.random.default_rng(7), 0.0, 0.0
    for kept in shelf.kept:
        light = luma(damage.whole_tiles(kept).astype(np.float32) / np.float32(255))
        grey += _taken(network, np.repeat(light[..., None], 3, axis=2))
        tinted += _taken(network, printed(light, rng))
    shares = {"false_grey": grey, "false_tinted": tinted}
    told = {name: round(share / len(shelf.kept), 5) for name, share in shares.items()}
    return {**damage.figures(network, shelf), **told}


def _taken(network: nn.Module, image: Image) -> float:
    return float((network(damage.tensor(image[None]))[0, 0] > 0.5).float().mean())
