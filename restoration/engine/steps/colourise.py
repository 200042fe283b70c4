"""Colours a picture by what people put down, along its own shapes, and only as far as that goes.

The hints are spread on three small grids, on each our own network says what it makes of that
(engine/proposal.py), and the mean of all is taken: one grid errs at this edge, another at that. A
guided filter (K. He, 2010) brings it up along the full luma, strip by strip, and the lock keeps the
photograph's luma. Where no hint reaches, the network's colour is a guess, allowed only as far as
the setting says.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from restoration.engine import networks
from restoration.engine.errors import BadInput, StepFailed
from restoration.engine.hints import Ribbons, confidence, gathered, ribbons
from restoration.engine.image import check_image, let_go, resize, room
from restoration.engine.luma import WEIGHTS, Image, chroma, luma, on_luma
from restoration.engine.plan import Dab, Region
from restoration.engine.proposal import NETWORK, proposed
from restoration.engine.spread import Planes, spread_quickly
from restoration.engine.step import Mask, StepContext, StepResult

GRIDS = (384, 320, 256)  # long sides; how far hints reach is asked on the last
QUICK_SIDE = 160
FULL, NONE = 0.30, 0.07  # confidence at which colour is whole, and at which it ends
EVIDENT = 0.5  # confidence from which a colour counts as evidence, below it as a guess
GREYISH = 6 / 255  # chroma below which a guess leaves the picture grey
MOST_LUMA_MOVE = 0.5 / 255
STRIP = 1 << 20  # pixels worked on at once


@dataclass(frozen=True)
class Weights:
    """How far colours may go: the settings of the step, each in [0, 1]."""

    strength: float
    reach: float
    guess: float


def run(context: StepContext, settings: dict[str, Any]) -> StepResult:
    """Colours float32 HxWx3 by dabs and regions; maps `coloured_evidence` (as far as somebody's
    word reaches) and `coloured_guess` (beyond it), both 0-255 by weight; meters in shares."""
    image = check_image(context.image)
    asked = Weights(settings["strength"], settings["reach"], settings.get("guess", 0.0))
    if not (context.dabs or context.regions or asked.guess):
        raise BadInput("no-colour-hints", {"step": "colourise"})
    lights = _grids(image)
    hints = [gathered(light, context.dabs, context.regions) for light in lights]
    context.progress(0.05, None)
    found = [
        proposed(light, each.known, each.chroma) for light, each in zip(lights, hints, strict=True)
    ]
    context.progress(0.6, None)
    trust = confidence(lights[-1], hints[-1], found[-1].chroma, asked.reach)
    planes = _agreed(lights, [*(each.chroma for each in found), trust[None]])
    thin = ribbons(lights[0], image.shape, context.dabs, context.regions)
    result, maps, moved = _painted(context, Lift(planes, lights[0], image.shape), thin, asked)
    meters = {
        "evidence_area": round(float((maps["coloured_evidence"] > 25).mean()), 5),
        "guessed_area": round(float((maps["coloured_guess"] > 25).mean()), 5),
        "expected_error": round(float(found[0].error.mean()), 4),
        "most_luma_move": round(moved * 255, 4),
    }
    return StepResult(result, maps, meters, record=_record(context, lights[0]))


def preview(image: Image, dabs: tuple[Dab, ...], regions: tuple[Region, ...]) -> Image:
    """A first sight of the same, float32 HxWx3: spread on 160 px, no network, no map."""
    light = luma(image)
    height, width = _within(light.shape, QUICK_SIDE)
    coarse = np.clip(resize(light, height, width, kernel="linear"), 0, 1)
    hints = gathered(coarse, dabs, regions)
    red, blue = spread_quickly(coarse, hints.known, hints.chroma)
    wide = resize(np.dstack([red, blue]), image.shape[0], image.shape[1], kernel="linear")
    return on_luma(light, _bands(wide[..., 0], wide[..., 1]))


def _grids(image: Image) -> list[Image]:
    """The luma on each of the grids, finest first; of a picture smaller than they are, itself."""
    finest = small_luma(image, GRIDS[0])
    shapes = dict.fromkeys(_within(finest.shape, side) for side in GRIDS)
    return [np.clip(resize(finest, *shape), 0, 1) for shape in shapes]


def _agreed(lights: list[Image], planes: list[Planes]) -> Planes:
    """The mean of the chromas, one a grid, and last the trust of the last grid; on the first."""
    shape = lights[0].shape
    grids = [*lights, lights[-1]]
    *chromas, trust = [
        Lift(each, light, shape).rows(0, lights[0]).transpose(2, 0, 1)
        for each, light in zip(planes, grids, strict=True)
    ]
    return np.concatenate([np.mean(chromas, axis=0, dtype=np.float32), trust])


def small_luma(image: Image, side: int) -> Image:
    """The luma HxW of a picture that may lie on the disk, shrunk to a long side."""
    height, width = _within(image.shape, side)
    strips = [resize(luma(image[top:end]), end - top, width) for top, end in _strips(image.shape)]
    let_go(image)
    return np.clip(resize(np.concatenate(strips), height, width), 0, 1)


class Lift:
    """Brings coarse planes PxHxW up to a size, their edges moved onto those of the full luma."""

    def __init__(self, planes: Planes, light: Image, shape: tuple[int, ...]) -> None:
        self.shape = shape
        parts = []
        for plane in planes:
            parts += [*_guide(plane, light)]
            parts += [ndimage.minimum_filter(plane, 3), ndimage.maximum_filter(plane, 3)]
        self.parts = np.stack(parts, axis=-1)
        self.left, self.share = _between(self.parts.shape[1], shape[1])

    def rows(self, top: int, light: Image) -> Image:
        """The planes hxWxP of the rows from `top` whose full luma is `light` hxW."""
        above, share = _between(self.parts.shape[0], self.shape[0])
        above, share = above[top : top + len(light)], share[top : top + len(light), None, None]
        tall = np.asarray(
            self.parts[above] * (1 - share) + self.parts[above + 1] * share, np.float32
        )
        found = [self._plane(tall[..., at : at + 4], light) for at in range(0, tall.shape[2], 4)]
        return np.stack(found, axis=-1)

    def _plane(self, tall: Image, light: Image) -> Image:
        slope, offset, low, high = (self._wide(tall[..., part]) for part in range(4))
        return np.asarray(np.clip(slope * light + offset, low, high), np.float32)

    def _wide(self, tall: Image) -> Image:
        first: Image = tall[:, self.left]
        first += self.share * (tall[:, self.left + 1] - first)
        return first


def _between(given: int, wanted: int) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """For each wanted place the one before it among the given, and how far it is to the next."""
    places = np.clip((np.arange(wanted) + 0.5) * given / wanted - 0.5, 0, given - 1)
    first = np.minimum(places.astype(np.intp), max(0, given - 2))
    return first, (places - first).astype(np.float32)


def _guide(plane: Image, light: Image) -> tuple[Image, Image]:
    mean, level = ndimage.uniform_filter(light, 5), ndimage.uniform_filter(plane, 5)
    spread = ndimage.uniform_filter(light * light, 5) - mean * mean
    slope = (ndimage.uniform_filter(light * plane, 5) - mean * level) / (spread + 4e-4)
    offset = level - slope * mean
    return ndimage.uniform_filter(slope, 3), ndimage.uniform_filter(offset, 3)


def _painted(
    context: StepContext, lift: Lift, thin: Ribbons | None, asked: Weights
) -> tuple[Image, dict[str, Mask], float]:
    """The coloured picture, its two maps, and the most its luma moved."""
    image = context.image
    result = room(image.shape)
    evidence, guess = (np.zeros(image.shape[:2], np.uint8) for _ in range(2))
    moved = 0.0
    for top, end in _strips(image.shape):
        light = luma(image[top:end])
        fine = lift.rows(top, light)
        if thin is not None:
            _tell(fine, *thin.rows(top, light))
        near, far = _shares(fine[..., 2], asked)
        tint = _bands(fine[..., 0], fine[..., 1])
        strip = _mixed(image[top:end], light, tint, near + far)
        result[top:end] = strip
        moved = max(moved, _check_lock(strip, light))
        evident = fine[..., 2] >= EVIDENT
        seen = np.clip(np.abs(tint).max(axis=2) / GREYISH, 0, 1)
        evidence[top:end] = _as_map(near * evident)
        guess[top:end] = _as_map(np.where(evident, far * seen, near + far * seen))
        let_go(image)
        let_go(result)
        context.progress(0.6 + 0.4 * end / len(image), None)
    return result, {"coloured_evidence": evidence, "coloured_guess": guess}, moved


def _tell(fine: Image, where: NDArray[np.bool_], said: Planes) -> None:
    """What was said pixel by pixel, in the place of what was carried there; and it is evidence."""
    fine[where, :2] = said[:, where].T
    fine[where, 2] = 1


def _shares(trust: Image, asked: Weights) -> tuple[Image, Image]:
    """How much colour counts by what was said, and how much beyond it."""
    share = np.clip((trust - NONE) / (FULL - NONE), 0, 1)
    near = share * share * (3 - 2 * share)
    return asked.strength * near, asked.strength * asked.guess * (1 - near)


def _bands(red: Image, blue: Image) -> Image:
    """HxWx3 of zero luma from red and blue chroma."""
    green = -(WEIGHTS[0] * red + WEIGHTS[2] * blue) / WEIGHTS[1]
    return np.stack([red, green, blue], axis=-1)


def _mixed(image: Image, light: Image, tint: Image, weight: Image) -> Image:
    """The base's chroma where nothing was said, the tint where it was, on the base's luma."""
    base = chroma(image)
    return on_luma(light, base + weight[..., None] * (tint - base))


def _check_lock(result: Image, light: Image) -> float:
    moved = float(np.abs(luma(result) - light).max())
    if moved > MOST_LUMA_MOVE:
        raise StepFailed("luma-moved", {"by": round(moved * 255, 3), "most": 0.5})
    return moved


def _strips(shape: tuple[int, ...]) -> Iterator[tuple[int, int]]:
    step = max(16, STRIP // shape[1])
    for top in range(0, shape[0], step):
        yield top, min(shape[0], top + step)


def _within(shape: tuple[int, ...], side: int) -> tuple[int, int]:
    scale = min(1.0, side / max(shape[:2]))
    return max(2, round(shape[0] * scale)), max(2, round(shape[1] * scale))


def _record(context: StepContext, coarse: Image) -> dict[str, Any]:
    return {
        "dabs": len(context.dabs),
        "regions": len(context.regions),
        "grid": list(coarse.shape),
        "network": networks.sha256(NETWORK),
    }


def _as_map(weight: Image) -> Mask:
    return np.asarray(np.rint(np.clip(weight, 0, 1) * 255), dtype=np.uint8)
