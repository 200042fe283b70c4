"""Denoise, deblur and deblock in one network, told how much of each fault to expect."""

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from restoration.training import degrade
from restoration.training.lesson import Batch, Lesson, Random
from restoration.training.networks import Network, Shape, by_pixels
from restoration.training.pictures import Shelf

SIDE, EXAMPLES = 96, 8
WIDTHS, BLOCKS = (48, 96, 144), (2, 1, 3)
LUMA = np.array([0.299, 0.587, 0.114], np.float32)
LATE = 0.7  # from here on the loss is the root of the mean square, which PSNR measures
EXAMINED = (15, 25, 50)


def grey() -> Lesson:
    return _lesson("clean-grey", "Cleans a grey picture of noise, blur and blocks", 1, bits=8)


def colour() -> Lesson:
    return _lesson("clean-colour", "Cleans a colour picture of noise, blur and blocks", 3)


def _lesson(name: str, title: str, channels: int, bits: int = 16) -> Lesson:
    return Lesson(
        name=name,
        title=title,
        build=lambda: by_pixels(Network(Shape(channels, 4, channels, WIDTHS, BLOCKS))),
        batch=lambda shelf, rng: _batch(shelf, rng, channels),
        loss=loss,
        figures=lambda network, shelf: _figures(network, shelf, channels),
        inputs={"picture": (channels, 1), "conditions": (4, 2)},
        adopt=lambda weights: widened(weights, channels),
        bits=bits,
    )


def widened(weights: dict[str, Tensor], channels: int) -> dict[str, Tensor]:
    """A grey network's weights as a colour network's: it looks at the luma and answers alike for
    each band."""
    found = dict(weights)
    planes = found["leave.weight"].shape[0] // 4
    if planes == channels:
        return found
    if (planes, channels) != (1, 3):
        raise ValueError(f"a network of {planes} band(s) cannot begin one of {channels}")
    seen = found["enter.weight"]
    share = torch.from_numpy(LUMA).repeat_interleave(4)[None, :, None, None]
    found["enter.weight"] = torch.cat([seen[:, :4].repeat(1, 3, 1, 1) * share, seen[:, 4:]], 1)
    found["leave.weight"] = found["leave.weight"].repeat(3, 1, 1, 1)
    found["leave.bias"] = found["leave.bias"].repeat(3)
    return found


def _batch(shelf: Shelf, rng: Random, channels: int) -> Batch:
    spoilt = np.empty((EXAMPLES, SIDE, SIDE, channels), np.float32)
    clean = np.empty_like(spoilt)
    told = np.empty((EXAMPLES, 4), np.float32)
    for number in range(EXAMPLES):
        faults = degrade.drawn(rng)
        clean[number] = _seen(shelf.busier(rng, SIDE), channels)
        spoilt[number] = degrade.spoilt(clean[number], faults, rng)
        told[number] = faults.planes()
    planes = torch.from_numpy(told)[:, :, None, None].expand(-1, -1, SIDE // 2, SIDE // 2)
    return _tensor(spoilt), planes.contiguous(), _tensor(clean)


def _seen(crop: NDArray[np.float32], channels: int) -> NDArray[np.float32]:
    return crop if channels == 3 else (crop @ LUMA)[..., None]


def _tensor(pictures: NDArray[np.float32]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(pictures.transpose(0, 3, 1, 2)))


def loss(answer: Tensor, target: Tensor, progress: float) -> Tensor:
    if progress < LATE:
        return (answer - target).abs().mean()
    return ((answer - target).square().mean(dim=(1, 2, 3)) + 1e-7).sqrt().mean()


@torch.inference_mode()
def _figures(network: nn.Module, shelf: Shelf, channels: int) -> Mapping[str, float]:
    """PSNR in dB on the pictures set aside, at the field's three noise levels."""
    return {f"psnr_{sigma}": _psnr(network, shelf, channels, sigma) for sigma in EXAMINED}


def _psnr(network: nn.Module, shelf: Shelf, channels: int, sigma: int) -> float:
    rng = np.random.default_rng(sigma)
    found = []
    for kept in shelf.kept:
        high, wide = kept.shape[0] // 8 * 8, kept.shape[1] // 8 * 8
        clean = _seen(kept[:high, :wide].astype(np.float32) / np.float32(255), channels)
        noisy = degrade.spoilt(clean, degrade.Faults(noise=sigma), rng)
        planes = torch.zeros(1, 4, high // 2, wide // 2)
        planes[:, degrade.NOISE] = sigma / 255
        answer = network(_tensor(noisy[None]), planes).clamp(0, 1)
        error = float((answer - _tensor(clean[None])).square().mean())
        found.append(-10 * np.log10(error))
    return round(float(np.mean(found)), 3)
