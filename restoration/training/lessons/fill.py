"""Fills holes: what to add to the membrane of `restoration.engine.fill`, in the holes alone."""

from collections.abc import Callable, Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from restoration.engine.fill import LEARNT, membrane
from restoration.engine.luma import luma
from restoration.training import degrade, holes
from restoration.training.lesson import Batch, Lesson, Random
from restoration.training.networks import Network, Shape, by_pixels
from restoration.training.pictures import Shelf

SIDE, EXAMPLES = 128, 4
SHAPE = Shape(
    channels=4, conditions=0, given=3, widths=(32, 64, 112), blocks=(2, 1, 2), residual=False
)
GREY, TINTED = 0.45, 0.65  # of the examples: without colour up to the first, toned up to the second
NOISY = 0.35  # share of examples whose surroundings have grain that the fill should not copy
LATE = 0.7  # from here on the loss is the root of the mean square, which PSNR measures
NOTES = (
    "## Where it ends",
    f"No hole it learnt from was deeper than {holes.WIDEST:.0f} pixels; the engine lets it fade "
    f"out between {LEARNT:.0f} and {2 * LEARNT:.0f}. It continues edges and shades, it draws no "
    "features: the middle of a large hole stays smooth. Grain is added afterwards, by measure.",
)

Crop = NDArray[np.float32]
Cut = Callable[[Random, int, int], NDArray[np.bool_]]


def fill() -> Lesson:
    return Lesson(
        name="fill",
        title="Fills holes: three planes of the membrane and one of the mask in; what to add, out",
        build=build,
        batch=batch,
        loss=loss,
        figures=figures,
        inputs={"picture": (4, 1)},
        bits=8,
        notes=NOTES,
    )


def build() -> nn.Module:
    """Begins by adding nothing to the membrane."""
    network = Network(SHAPE)
    for values in network.leave.parameters():
        nn.init.zeros_(values)
    return by_pixels(network)


def batch(shelf: Shelf, rng: Random) -> Batch:
    """The membrane and the mask; what is missing from the membrane, and the mask once more."""
    given = np.empty((EXAMPLES, SIDE, SIDE, 4), np.float32)
    wanted = np.empty_like(given)
    for number in range(EXAMPLES):
        clean = _seen(rng, shelf.crop(rng, SIDE))
        area = holes.drawn(rng, SIDE)
        given[number, ..., :3] = membrane(_grainy(rng, clean), area)
        given[number, ..., 3] = wanted[number, ..., 3] = area
        wanted[number, ..., :3] = clean - given[number, ..., :3]
    return _tensor(given), _tensor(wanted)


def _seen(rng: Random, crop: Crop) -> Crop:
    """As colour, as grey, or toned as old prints are."""
    kind = rng.random()
    if kind > TINTED:
        return crop
    light = np.repeat(luma(crop)[..., None], 3, axis=2)
    if kind < GREY:
        return light
    found: Crop = np.power(light, rng.uniform(0.8, 1.25, 3)).astype(np.float32)
    return found


def _grainy(rng: Random, crop: Crop) -> Crop:
    if rng.random() > NOISY:
        return crop
    grain = degrade.grain(rng, (*crop.shape[:2], 1), float(rng.choice([0.0, 0.5, 0.9])))
    found: Crop = crop + np.float32(rng.uniform(1, 16) / 255) * grain
    return found


def _tensor(pictures: Crop) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(pictures.transpose(0, 3, 1, 2)))


def loss(answer: Tensor, target: Tensor, progress: float) -> Tensor:
    """The mean error in the holes of each example; outside them nothing is asked."""
    missing, area = target[:, :3], target[:, 3:]
    error = (answer - missing) * area
    count = 3 * area.sum(dim=(1, 2, 3))
    if progress < LATE:
        return (error.abs().sum(dim=(1, 2, 3)) / count).mean()
    return (error.square().sum(dim=(1, 2, 3)) / count + 1e-7).sqrt().mean()


@torch.inference_mode()
def figures(network: nn.Module, shelf: Shelf) -> Mapping[str, float]:
    """PSNR in dB in the holes, of the membrane alone and with the network."""
    found: dict[str, float] = {}
    for name, cut in (("thin", holes.scratched), ("blobs", holes.blotted)):
        rng = np.random.default_rng(3)
        told = np.array([_examined(network, kept, cut, rng) for kept in shelf.kept])
        found[f"psnr_{name}_membrane"], found[f"psnr_{name}"] = (
            round(float(each), 3) for each in told.mean(axis=0)
        )
    return found


def _examined(network: nn.Module, kept: NDArray[np.uint8], cut: Cut, rng: Random) -> list[float]:
    high, wide = kept.shape[0] // 8 * 8, kept.shape[1] // 8 * 8
    clean = kept[:high, :wide].astype(np.float32) / np.float32(255)
    area = cut(rng, high, wide)
    base = membrane(clean, area)
    given = _tensor(np.concatenate([base, area[..., None].astype(np.float32)], axis=2)[None])
    more = network(given)[0].permute(1, 2, 0).numpy()
    return [_psnr(base, clean, area), _psnr(base + more, clean, area)]


def _psnr(picture: Crop, clean: Crop, area: NDArray[np.bool_]) -> float:
    return float(-10 * np.log10(np.square(np.clip(picture, 0, 1) - clean)[area].mean()))
