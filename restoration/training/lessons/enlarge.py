"""Twice the size in luma: detail that the small picture still implies, and no sharpened grain."""

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image as Pillow
from scipy import ndimage
from torch import Tensor, nn
from torch.nn import functional

from restoration.engine.luma import luma
from restoration.training import degrade
from restoration.training.lesson import Batch, Lesson, Random
from restoration.training.networks import Network, Shape, by_pixels
from restoration.training.pictures import Shelf

SCALE = 2
SIDE, EXAMPLES = 96, 16  # of the large picture
SHAPE = Shape(channels=1, conditions=2, given=1, widths=(32, 48, 64), blocks=(2, 1, 1), scale=SCALE)
NOISY, PRESSED = 0.4, 0.25  # shares of examples with grain, and through JPEG
NOISE_MOST = 20.0  # deviation on the 0-255 scale
NOTES = (
    "## Where it ends",
    "The conditions are the deviation of the noise over 255 and (100 - JPEG quality) / 400. The "
    "engine holds the answer to the photograph: made small again it is the picture it came from, "
    "grain and all, within one grey level in the mean.",
)

Plane = NDArray[np.float32]


def enlarge() -> Lesson:
    return Lesson(
        name="enlarge",
        title="Doubles the size of the luma, told how much noise and JPEG is in it",
        build=build,
        batch=batch,
        loss=loss,
        figures=figures,
        inputs={"picture": (1, 1), "conditions": (2, 2)},
        bits=8,
        notes=NOTES,
    )


def build() -> nn.Module:
    """Begins as plain resampling."""
    return by_pixels(Network(SHAPE))


def batch(shelf: Shelf, rng: Random) -> Batch:
    large = np.empty((EXAMPLES, SIDE, SIDE), np.float32)
    small = np.empty((EXAMPLES, SIDE // SCALE, SIDE // SCALE), np.float32)
    told = np.empty((EXAMPLES, 2), np.float32)
    for number in range(EXAMPLES):
        large[number] = luma(shelf.busier(rng, SIDE))
        small[number], told[number] = _spoilt(rng, _reduced(rng, large[number]))
    side = SIDE // SCALE // 2
    planes = torch.from_numpy(told)[:, :, None, None].expand(-1, -1, side, side)
    return torch.from_numpy(small[:, None]), planes.contiguous(), torch.from_numpy(large[:, None])


def _reduced(rng: Random, light: Plane) -> Plane:
    """Half the size, by one of the ways in which pictures become small."""
    kind = rng.random()
    if kind < 0.5:
        return halved(light, Pillow.Resampling.BICUBIC)
    if kind < 0.65:
        return halved(light, Pillow.Resampling.LANCZOS)
    if kind < 0.8:
        return halved(light, Pillow.Resampling.BOX)
    soft: Plane = ndimage.gaussian_filter(light, rng.uniform(0.3, 1.1))
    return halved(soft, Pillow.Resampling.BOX)


def halved(light: Plane, kernel: Pillow.Resampling) -> Plane:
    """HxW to H/2xW/2, antialiased."""
    size = (light.shape[1] // SCALE, light.shape[0] // SCALE)
    return np.asarray(Pillow.fromarray(light).resize(size, kernel), np.float32)


def _spoilt(rng: Random, small: Plane) -> tuple[Plane, tuple[float, float]]:
    """With grain and JPEG now and then, and what the network is told of them."""
    noise, quality = 0.0, 100
    planes = small[..., None]
    if rng.random() < NOISY:
        noise = float(rng.uniform(0, NOISE_MOST))
        body = float(rng.choice([0.0, 0.5, 0.9]))
        planes = planes + np.float32(noise / 255) * degrade.grain(rng, planes.shape, body)
    if rng.random() < PRESSED:
        quality = int(rng.integers(40, 96))
        planes = degrade.compressed(planes, quality)
    return planes[..., 0], (noise / 255, (100 - quality) / 400)


def loss(answer: Tensor, target: Tensor, progress: float) -> Tensor:
    return (answer - target).abs().mean()


@torch.inference_mode()
def figures(network: nn.Module, shelf: Shelf) -> Mapping[str, float]:
    """PSNR in dB of the luma, from bicubic halves: plain bicubic and the network."""
    told = np.array([_examined(network, kept) for kept in shelf.kept])
    bicubic, own = told.mean(axis=0)
    return {"psnr_bicubic": round(float(bicubic), 3), "psnr": round(float(own), 3)}


def _examined(network: nn.Module, kept: NDArray[np.uint8]) -> list[float]:
    high, wide = (side // 16 * 16 for side in kept.shape[:2])
    light = luma(kept[:high, :wide].astype(np.float32) / np.float32(255))
    small = torch.from_numpy(halved(light, Pillow.Resampling.BICUBIC).copy())[None, None]
    plain = functional.interpolate(small, scale_factor=2.0, mode="bicubic", align_corners=False)
    given = network(small, torch.zeros(1, 2, high // 4, wide // 4))
    return [_psnr(each[0, 0].numpy(), light) for each in (plain, given)]


def _psnr(light: Plane, true: Plane) -> float:
    return float(-10 * np.log10(np.square(np.clip(light, 0, 1) - true).mean()))
