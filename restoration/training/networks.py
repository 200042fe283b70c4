"""The shapes of our own networks: plain 3x3 residual blocks on a half-size grid, quick on a CPU.

Pixel-unshuffle in front (W. Shi 2016; FFDNet, K. Zhang 2018), three to five levels with skips
between (U-Net, O. Ronneberger 2015), additive planes that say how much of each fault to expect.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True)
class Shape:
    """What a network takes and gives, and how large it is.

    channels: planes of the picture; conditions: planes at half size beside it; given: planes at
    full size that come out; widths, blocks: of the three levels, finest first.
    scale: how much larger than the picture the answer is.
    residual: the answer is added to the picture.
    deep: blocks of a fourth level, as wide as the third, which sees twice as far. 0: there is none.
    deepest: planes and blocks of a fifth level below the fourth. None: there is none.
    """

    channels: int
    conditions: int
    given: int
    widths: tuple[int, int, int]
    blocks: tuple[int, int, int]
    scale: int = 1
    residual: bool = True
    deep: int = 0
    deepest: tuple[int, int] | None = None


def plain(into: int, out: int) -> nn.Module:
    """A 3x3 convolution."""
    return nn.Conv2d(into, out, 3, padding=1)


class Normed(nn.Module):
    """A 3x3 convolution whose answers are brought to one scale as it learns (S. Ioffe 2015):
    without that a finder that begins from nothing hardly learns (K. He, "Rethinking ImageNet
    pre-training", 2019)."""

    def __init__(self, into: int, out: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(into, out, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(out)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.norm(self.conv(x))
        return found


def folded(taught: nn.Module, network: nn.Module) -> nn.Module:
    """`network`, which is the taught one with `plain` where that has `Normed`, with its weights: it
    answers as the taught one does in evaluation mode."""
    weights = taught.state_dict()
    found = {name: value for name, value in weights.items() if ".norm." not in name}
    for name in [name for name in found if name.endswith(".conv.weight")]:
        place = name.removesuffix(".conv.weight")
        norm = {part: weights[f"{place}.norm.{part}"] for part in STATISTICS}
        slope = norm["weight"] / torch.sqrt(norm["running_var"] + nn.BatchNorm2d(1).eps)
        found[f"{place}.weight"] = found.pop(name) * slope[:, None, None, None]
        found[f"{place}.bias"] = norm["bias"] - norm["running_mean"] * slope
    network.load_state_dict(found)
    return network


def unfolded(weights: dict[str, Tensor], network: nn.Module) -> dict[str, Tensor]:
    """The other way about: plain weights as those of `network`, which has `Normed` in it and, as
    long as it is not taught on, answers as they do."""
    found = dict(weights)
    for name, part in network.named_modules():
        if isinstance(part, Normed):
            found[f"{name}.conv.weight"] = found.pop(f"{name}.weight")
            fresh = nn.BatchNorm2d(part.norm.num_features)
            norm = {each: getattr(fresh, each).detach() for each in STATISTICS}
            norm |= {
                "bias": found.pop(f"{name}.bias"),
                "running_var": norm["running_var"] - fresh.eps,
            }
            norm["num_batches_tracked"] = torch.tensor(0)
            found |= {f"{name}.norm.{each}": value for each, value in norm.items()}
    return found


STATISTICS = ("weight", "bias", "running_mean", "running_var")


class Block(nn.Module):
    """Two 3x3 convolutions beside the straight way."""

    def __init__(self, width: int, convolution: Callable[[int, int], nn.Module] = plain) -> None:
        super().__init__()
        self.first = convolution(width, width)
        self.second = convolution(width, width)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = x + self.second(functional.relu(self.first(x)))
        return found


def by_pixels(network: nn.Module) -> nn.Module:
    """The same network with the planes of a pixel beside each other in memory: the cleaner learns
    half as fast again on a CPU, and nothing else of it changes."""
    found: nn.Module = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return found


def _blocks(width: int, count: int) -> nn.Sequential:
    return nn.Sequential(*[Block(width) for _ in range(count)])


class Deep(nn.Module):
    """A level beside the one above it, of `wide` planes; fresh, it changes nothing."""

    def __init__(self, width: int, wide: int, count: int, below: nn.Module | None = None) -> None:
        super().__init__()
        self.down = nn.Conv2d(width, wide, 2, stride=2)
        self.blocks = _blocks(wide, count)
        self.below = below or nn.Identity()
        self.up = nn.ConvTranspose2d(wide, width, 2, stride=2)
        self.after = Block(width)
        with torch.no_grad():
            for value in (*self.up.parameters(), *self.after.second.parameters()):
                value.zero_()

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.after(x + self.up(self.below(self.blocks(self.down(x)))))
        return found


def _deep(shape: Shape) -> nn.Module:
    coarse = shape.widths[-1]
    if not shape.deep:
        return nn.Identity()
    below = Deep(coarse, *shape.deepest) if shape.deepest else None
    return Deep(coarse, coarse, shape.deep, below)


class Network(nn.Module):
    """picture Bx(channels)xHxW, conditions Bx(conditions)x(H/2)x(W/2); sides multiples of 8, of 16
    with a fourth level, of 32 with a fifth."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        fine, middle, coarse = shape.widths
        self.enter = nn.Conv2d(4 * shape.channels + shape.conditions, fine, 3, padding=1)
        self.fine_in = _blocks(fine, shape.blocks[0])
        self.down_fine = nn.Conv2d(fine, middle, 2, stride=2)
        self.middle_in = _blocks(middle, shape.blocks[1])
        self.down_middle = nn.Conv2d(middle, coarse, 2, stride=2)
        self.coarse = _blocks(coarse, shape.blocks[2])
        self.deep = _deep(shape)
        self.up_middle = nn.ConvTranspose2d(coarse, middle, 2, stride=2)
        self.middle_out = _blocks(middle, shape.blocks[1])
        self.up_fine = nn.ConvTranspose2d(middle, fine, 2, stride=2)
        self.fine_out = _blocks(fine, shape.blocks[0])
        self.leave = nn.Conv2d(fine, shape.given * (2 * shape.scale) ** 2, 3, padding=1)
        if shape.residual:
            with torch.no_grad():
                for value in self.leave.parameters():
                    value.zero_()

    def forward(self, picture: Tensor, conditions: Tensor | None = None) -> Tensor:
        x = functional.pixel_unshuffle(picture, 2)
        if conditions is not None:
            x = torch.cat([x, conditions], 1)
        fine = self.fine_in(self.enter(x))
        middle = self.middle_in(self.down_fine(fine))
        coarse = self.deep(self.coarse(self.down_middle(middle)))
        middle = self.middle_out(self.up_middle(coarse) + middle)
        fine = self.fine_out(self.up_fine(middle) + fine)
        answer = functional.pixel_shuffle(self.leave(fine), 2 * self.shape.scale)
        return answer + self._straight(picture) if self.shape.residual else answer

    def _straight(self, picture: Tensor) -> Tensor:
        if self.shape.scale == 1:
            return picture
        return functional.interpolate(
            picture, scale_factor=float(self.shape.scale), mode="bicubic", align_corners=False
        )
