"""Proposes colours for a grey picture of which somebody knows a few."""

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image as Pillow
from torch import Tensor, nn

from restoration.engine.proposal import asked, carried
from restoration.training.lesson import Batch, Lesson, Random
from restoration.training.networks import Network, Shape, by_pixels
from restoration.training.pictures import Shelf

SIDE, EXAMPLES = 144, 4
POOL = 8000  # examples made once; turned, mirrored and recoloured they are seen again and again
WIDTHS, BLOCKS = (40, 80, 112), (1, 1, 3)
FURTHER = (1, 2, 4)  # dilation of the coarse blocks: a colour is known from afar
LONG_SIDES = (150, 300)  # a picture is seen almost whole
THUMB, THUMBS_KEPT = 200, 0.15  # pictures smaller than that are chosen more rarely
BARE = 0.1  # share of examples where nothing is known
MOST = 300  # places known
IMPRECISE = 0.15  # share of examples whose colours are a little off
RECOLOURED = 0.4  # share of examples, of those with ENOUGH places known, with all hues turned
ENOUGH = 10
LUMA = np.array([0.299, 0.587, 0.114], np.float32)
TOLD = (30, 120, 500)
NARROWEST = -6.2  # logarithm of the smallest error it may claim; else a slip costs without end
ERROR_SHARE = 0.01  # of the loss: the error that the network expects of itself


class Teller(nn.Module):
    """Bx8xHxW to Bx3xHxW: red and blue chroma, and the logarithm of the error it expects."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = Network(Shape(8, 0, 3, WIDTHS, BLOCKS, residual=False))
        nn.init.zeros_(self.inner.leave.weight)
        self.inner.leave.bias.data.zero_()  # type: ignore[union-attr]
        for block, wide in zip(self.inner.coarse, FURTHER, strict=True):
            block.first.dilation = block.first.padding = (wide, wide)  # type: ignore[union-attr]

    def forward(self, picture: Tensor) -> Tensor:
        answer = self.inner(picture.contiguous(memory_format=torch.channels_last))
        start = 2 * picture[:, 4:6] - 1
        return torch.cat([start + 0.1 * answer[:, :2], answer[:, 2:] - 3], 1)


class Example(NamedTuple):
    """What is asked, side x side x 8, and the true chroma, side x side x 2; half precision."""

    shown: NDArray[np.float16]
    true: NDArray[np.float16]


def lesson() -> Lesson:
    return Lesson(
        name="colour",
        title="Proposes colours where a few are known, and says how sure it is",
        build=lambda: by_pixels(Teller()),
        batch=_batch,
        loss=loss,
        figures=_figures,
        inputs={"picture": (8, 1)},
        bits=8,
    )


_made: dict[tuple[int, int], Example] = {}


def _batch(shelf: Shelf, rng: Random) -> Batch:
    chosen = [_varied(_example(shelf, int(rng.integers(POOL))), rng) for _ in range(EXAMPLES)]
    shown, true = (np.stack(each).astype(np.float32) for each in zip(*chosen, strict=True))
    return _tensor(shown), _tensor(true)


def _example(shelf: Shelf, number: int) -> Example:
    """Example `number` of the shelf: the same whenever it is asked for."""
    key = (id(shelf), number)
    if key not in _made:
        rng = np.random.default_rng([0xC010, number])
        _made[key] = made(_crop(shelf, rng), _count(rng), rng)
    return _made[key]


def _crop(shelf: Shelf, rng: Random) -> NDArray[np.float32]:
    while True:
        picture = shelf.pictures[rng.integers(len(shelf.pictures))]
        if max(picture.shape[:2]) > THUMB or rng.random() < THUMBS_KEPT:
            break
    small = _reduced(picture, max(rng.uniform(*LONG_SIDES), _least(picture)))
    top = rng.integers(small.shape[0] - SIDE + 1)
    left = rng.integers(small.shape[1] - SIDE + 1)
    return np.asarray(small[top : top + SIDE, left : left + SIDE] / 255, np.float32)


def _least(picture: NDArray[np.uint8]) -> float:
    """The long side at which the short one is a crop wide."""
    return float((SIDE + 1) * max(picture.shape[:2]) / min(picture.shape[:2]))


def _reduced(picture: NDArray[np.uint8], long: float) -> NDArray[np.uint8]:
    high, wide = picture.shape[:2]
    scale = long / max(high, wide)
    size = (round(wide * scale), round(high * scale))
    return np.asarray(Pillow.fromarray(picture).resize(size, Pillow.Resampling.LANCZOS))


def _count(rng: Random) -> int:
    if rng.random() < BARE:
        return 0
    return int(np.exp(rng.uniform(0, np.log(MOST))))


def made(picture: NDArray[np.float32], count: int, rng: Random) -> Example:
    """A colour picture HxWx3 in [0, 1] seen grey, with its colour told at `count` places."""
    light = (picture @ LUMA).astype(np.float32)
    true = np.stack([picture[..., 0] - light, picture[..., 2] - light])
    known = np.zeros(light.shape, bool)
    told = np.zeros_like(true)
    radius = float(rng.choice([0.75, 1.02, 1.5, 2.3], p=[0.25, 0.35, 0.25, 0.15]))
    off = 0.03 if rng.random() < IMPRECISE else 0.0
    for _ in range(count):
        y, x = (int(rng.integers(side)) for side in light.shape)
        spot = _disc(light.shape, y, x, radius)
        known[spot] = True
        told[:, spot[0], spot[1]] = (true[:, y, x] + off * rng.standard_normal(2))[:, None]
    shown = asked(light, known, told, carried(light, known, told))
    return Example(shown.astype(np.float16), true.transpose(1, 2, 0).astype(np.float16))


def _disc(
    shape: tuple[int, ...], y: int, x: int, radius: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    rows, columns = _around(radius)
    rows, columns = rows + y, columns + x
    inside = (rows >= 0) & (rows < shape[0]) & (columns >= 0) & (columns < shape[1])
    return rows[inside], columns[inside]


@lru_cache(maxsize=8)
def _around(radius: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    reach = np.arange(-3, 4)
    rows, columns = np.meshgrid(reach, reach, indexing="ij")
    inside = rows**2 + columns**2 <= radius**2
    return rows[inside], columns[inside]


def _varied(example: Example, rng: Random) -> Example:
    """Turned, mirrored, and with other hues: spreading is linear in the chroma it spreads."""
    turns, mirrored = int(rng.integers(4)), rng.random() < 0.5
    shown, true = (np.rot90(each, turns) for each in example)
    if mirrored:
        shown, true = shown[:, ::-1], true[:, ::-1]
    plenty = np.count_nonzero(shown[..., 1]) >= ENOUGH
    if not (plenty and rng.random() < RECOLOURED):
        return Example(shown, true)
    turn = _turn(rng.uniform(0, 2 * np.pi), rng.uniform(0.6, 1.4))
    recoloured = shown.astype(np.float32)
    for first in (2, 4):
        recoloured[..., first : first + 2] = 0.5 + (shown[..., first : first + 2] - 0.5) @ turn
    return Example(recoloured.astype(np.float16), (true @ turn).astype(np.float16))


def _turn(angle: float, more: float) -> NDArray[np.float32]:
    """A turn of the hue, on (R - Y, B - Y) as row vectors: a rotation on U and V."""
    scale = np.diag([0.877, 0.492])
    spun = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return np.asarray(more * scale @ spun @ np.linalg.inv(scale), np.float32)


def _tensor(planes: NDArray[np.float32]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(planes.transpose(0, 3, 1, 2)))


def loss(answer: Tensor, target: Tensor, progress: float) -> Tensor:
    """The root of the mean square of the three bands' errors, which leaves the unsure grey, some
    of their mean, and the likelihood of a Laplacian whose width the network says itself."""
    bands = _bands(answer[:, :2] - target)
    square = (bands.square().mean(dim=(1, 2, 3)) + 1e-6).sqrt().mean()
    away = bands.abs()
    width = answer[:, 2:].clamp(NARROWEST, 0)
    likely = (away.detach().mean(1, keepdim=True) * torch.exp(-width) + width).mean()
    return square + 0.3 * away.mean() + ERROR_SHARE * likely


def _bands(chroma: Tensor) -> Tensor:
    """Errors of red and blue chroma as errors of red, green and blue."""
    red, blue = chroma[:, :1], chroma[:, 1:]
    return torch.cat([red, -(0.299 * red + 0.114 * blue) / 0.587, blue], 1)


@torch.inference_mode()
def _figures(network: nn.Module, shelf: Shelf) -> Mapping[str, float]:
    """PSNR in dB on the pictures set aside at 256 px, of the start and of the network."""
    found = {}
    for count in (0, *TOLD):
        start, end = zip(*(_psnr(network, kept, count) for kept in shelf.kept), strict=True)
        found[f"spread_{count}"] = round(float(np.mean(start)), 3)
        found[f"psnr_{count}"] = round(float(np.mean(end)), 3)
    return found


def _psnr(network: nn.Module, picture: NDArray[np.uint8], count: int) -> tuple[float, float]:
    small = np.asarray(_reduced(picture, 256) / 255, np.float32)
    high, wide = small.shape[0] // 8 * 8, small.shape[1] // 8 * 8
    example = made(small[:high, :wide], count, np.random.default_rng(count))
    shown, true = (_tensor(each[None].astype(np.float32)) for each in example)
    errors = [_bands(each - true) for each in (2 * shown[:, 4:6] - 1, network(shown)[:, :2])]
    start, end = (-10 * float(torch.log10(error.square().mean())) for error in errors)
    return start, end
