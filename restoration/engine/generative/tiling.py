"""Pictures larger than a model was made for: even tiles, one field of noise, one tone.

All tiles are of one size, so that they can be drawn together; half a sine lets one fade into the
next; their noise is cut from one field, so that neighbours begin alike where they overlap; and the
low band stays that of the picture, because every tile finds a tone of its own.
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage

from restoration.engine.generative.batches import generated_many, most_of, seeded
from restoration.engine.generative.canvas import Canvas, Floats, fitted, rounded_up
from restoration.engine.generative.generation import (
    Request,
    if_possible,
    latent_colours,
    paced,
    preview_of,
)
from restoration.engine.generative.memory import Rung, climb
from restoration.engine.generative.workshop import Tool, Workshop
from restoration.engine.image import resize, thumbnail
from restoration.engine.step import Progress

MOST_AREAS = 4  # times what a model was made for; more a volunteer should not have to wait for
MOST_A_SIDE = 12
OVERLAP = 8  # an eighth of a tile's side: 128 pixels of 1024
PREVIEW = 256

Corner = tuple[int, int]


@dataclass(frozen=True)
class Tiles:
    """How a picture of `shape` is cut: all tiles `height` by `width`, at these upper left corners.

    overlap: over how many pixels one fades into the next.
    """

    shape: tuple[int, int]
    height: int
    width: int
    overlap: int
    corners: tuple[Corner, ...]

    def of(self, picture: Floats, corner: Corner) -> Floats:
        top, left = corner
        return picture[top : top + self.height, left : left + self.width]


def cut(shape: tuple[int, ...], most_pixels: int, multiple_of: int) -> Tiles:
    """Return the fewest even tiles of at most `most_pixels`; sides and corners are multiples.

    shape: of a picture whose own sides are multiples. Among as few tiles the squarest are taken.
    """
    overlap = rounded_up(max(1, math.isqrt(most_pixels) // OVERLAP), multiple_of)
    found = []
    for down, across in product(range(1, MOST_A_SIDE + 1), repeat=2):
        height, width = (
            min(side, rounded_up(math.ceil((side + (count - 1) * overlap) / count), multiple_of))
            for side, count in zip(shape[:2], (down, across), strict=True)
        )
        if height * width <= most_pixels:
            found.append((down * across, abs(math.log(height / width)), down, across))
    if not found:
        raise ValueError(f"{shape} cannot be cut into tiles of {most_pixels} pixels")
    _, _, down, across = min(found)
    (height, tops), (width, lefts) = (
        spread(side, count, overlap, multiple_of)
        for side, count in zip(shape[:2], (down, across), strict=True)
    )
    return Tiles((shape[0], shape[1]), height, width, overlap, tuple(product(tops, lefts)))


def spread(side: int, count: int, overlap: int, multiple_of: int) -> tuple[int, list[int]]:
    """Return the length of `count` even pieces of a side, and where they begin."""
    length = min(side, rounded_up(math.ceil((side + (count - 1) * overlap) / count), multiple_of))
    if count == 1:
        return length, [0]
    step = (side - length) / (count - 1) / multiple_of
    return length, [round(step * index) * multiple_of for index in range(count)]


def blended(tiles: Tiles, drawn: Sequence[Floats]) -> Floats:
    """Lay tiles together, float32 HxWx3; where they overlap, one fades into the other."""
    total = np.zeros((*tiles.shape, drawn[0].shape[2]), np.float32)
    weights = np.zeros((*tiles.shape, 1), np.float32)
    for (top, left), tile in zip(tiles.corners, drawn, strict=True):
        here = np.s_[top : top + tiles.height, left : left + tiles.width]
        down = fade(tiles.height, tiles.overlap, top > 0, top + tiles.height < tiles.shape[0])
        across = fade(tiles.width, tiles.overlap, left > 0, left + tiles.width < tiles.shape[1])
        weight = (down[:, None] * across)[..., None]
        total[here] += tile * weight
        weights[here] += weight
    total /= weights
    return total


def fade(length: int, overlap: int, begin: bool, end: bool) -> NDArray[np.float32]:
    """Return weights along a tile: half a sine where it has a neighbour, one elsewhere."""
    weights: NDArray[np.float32] = np.ones(length, np.float32)
    ramp = np.sin(0.5 * np.pi * (np.arange(overlap) + 0.5) / overlap).astype(np.float32) ** 2
    if begin:
        weights[:overlap] *= ramp
    if end:
        weights[-overlap:] *= ramp[::-1]
    return weights


def in_tone(picture: Floats, base: Floats, side: int) -> Floats:
    """Return the picture with the low band of `base`: nothing wider than an eighth of `side` stays
    of its own tone."""
    coarse = max(1, side // 16)
    height, width = (max(1, round(length / coarse)) for length in picture.shape[:2])
    drift = ndimage.gaussian_filter(resize(base - picture, height, width), (2, 2, 0))
    toned: Floats = np.clip(picture + resize(drift, *picture.shape[:2]), 0, 1)
    return toned


@contextmanager
def one_noise(tool: Tool, tiles: Tiles, corners: Sequence[Corner], seed: int) -> Iterator[None]:
    """Let the pipeline begin from noise cut out of one field, as large as the whole picture.

    A pipeline adds its noise through its scheduler, and the scheduler is this job's own.
    """
    scheduler = tool.pipeline.scheduler
    name = "scale_noise" if hasattr(scheduler, "scale_noise") else "add_noise"
    honest = getattr(scheduler, name)

    def with_scale(sample: Any, timestep: Any, noise: Any = None) -> Any:
        return honest(sample, timestep, noise_at(tiles, corners, seed, noise))

    def with_steps(sample: Any, noise: Any, timesteps: Any) -> Any:
        return honest(sample, noise_at(tiles, corners, seed, noise), timesteps)

    setattr(scheduler, name, with_scale if name == "scale_noise" else with_steps)
    try:
        yield
    finally:
        delattr(scheduler, name)


def noise_at(tiles: Tiles, corners: Sequence[Corner], seed: int, like: Any) -> Any:
    """Return the noise of these tiles, of the shape and kind that the pipeline drew itself."""
    down, across = tiles.height // like.shape[2], tiles.width // like.shape[3]
    whole = (like.shape[1], tiles.shape[0] // down, tiles.shape[1] // across)
    field = torch.randn(whole, generator=torch.Generator("cpu").manual_seed(seed))
    pieces = [
        field[:, top // down :, left // across :][:, : like.shape[2], : like.shape[3]]
        for top, left in corners
    ]
    return torch.stack(pieces).to(like)


def wide_canvas(workshop: Workshop, tool: Tool, shape: tuple[int, ...]) -> Canvas | None:
    """Return what to work at in tiles, or None where one call does, or where tiles do not help.

    A model that edits moves what it draws, each tile another way.
    """
    once = tool.family.max_pixels
    most = min(once * MOST_AREAS, workshop.most_pixels or once * MOST_AREAS)
    if tool.family.edits or most <= once or shape[0] * shape[1] <= once:
        return None
    return fitted(shape, tool.family.multiple_of, most, 1.0)


def drawn_wide(
    workshop: Workshop,
    tool: Tool,
    picture: Floats,
    wanted: Request,
    progress: Progress,
    facts: dict[str, Any],
) -> tuple[Floats, Rung, dict[str, Any]]:
    """Draw a padded picture in tiles, smaller ones where memory wants it.

    Returns the picture, what was given up, and figures for the record. Raises what `climb` raises.
    """
    once = tool.family.max_pixels

    def attempt(rung: Rung) -> tuple[Floats, dict[str, Any]]:
        tiles = cut(picture.shape, int(once * rung.share), tool.family.multiple_of)
        together = at_once(workshop, tool, tiles, rung)
        drawn = drawn_tiles(tool, picture, tiles, wanted, progress, together)
        figures = {"size": [tiles.width, tiles.height], "count": len(drawn), "at_once": together}
        return in_tone(blended(tiles, drawn), picture, min(tiles.height, tiles.width)), figures

    (made, figures), rung = climb(workshop, tool, once, facts, attempt)
    return made, rung, {"tiles": figures}


def at_once(workshop: Workshop, tool: Tool, tiles: Tiles, rung: Rung) -> int:
    """Return how many tiles one call draws: as many as fit, and one once memory has run out."""
    if rung != Rung():
        return 1
    pixels = tiles.height * tiles.width
    fitting = (
        count for count in range(most_of(tool), 1, -1) if workshop.fits(tool, count * pixels, rung)
    )
    return min(next(fitting, 1), len(tiles.corners))


def drawn_tiles(
    tool: Tool,
    picture: Floats,
    tiles: Tiles,
    wanted: Request,
    progress: Progress,
    together: int,
) -> list[Floats]:
    """Draw every tile, `together` at once, telling how far all are after each step."""
    drawn: list[Floats] = []
    shown = picture.copy()
    seeds = seeded(wanted, len(tiles.corners))
    first = np.ascontiguousarray(tiles.of(picture, tiles.corners[0]))
    # One tile's colours do for all: what a latent looks like is a matter of the model.
    colours = if_possible(lambda: latent_colours(tool, first))
    for begin in range(0, len(tiles.corners), together):
        corners = tiles.corners[begin : begin + together]
        images = [np.ascontiguousarray(tiles.of(picture, corner)) for corner in corners]
        start, share = (each / len(tiles.corners) for each in (begin, len(corners)))
        so_far = Draft(tiles, corners, thumbnail(shown, PREVIEW), colours)
        progress(start, so_far.whole)
        told = teller(progress, start, share, so_far)
        with one_noise(tool, tiles, corners, wanted.seed):
            made = generated_many(tool, images, seeds[begin : begin + together], wanted, told)
        for corner, tile in zip(corners, made, strict=True):
            tiles.of(shown, corner)[:] = tile
        drawn += made
    return drawn


@dataclass(frozen=True)
class Draft:
    """What one who waits is shown while the tiles at `corners` are drawn: the whole picture so far,
    small, uint8 RGB, and in it those tiles as their latents have them."""

    tiles: Tiles
    corners: Sequence[Corner]
    whole: NDArray[np.uint8]
    colours: Any  # of latents, as `latent_colours` finds them; None: they cannot be shown

    def with_latents(self, latents: Any) -> NDArray[np.uint8]:
        """Return the whole with these tiles in it; latents BxCxHxW or packed BxNxC, one a tile."""
        shape = (self.tiles.height, self.tiles.width, 3)
        found = self.whole.copy()
        for number, corner in enumerate(self.corners):
            tile = preview_of(latents[number : number + 1], self.colours, shape)
            place = found[self._place(corner)]
            rows, columns = (
                np.arange(side) * held // max(1, side)
                for side, held in zip(place.shape[:2], tile.shape[:2], strict=True)
            )
            place[:] = tile[rows][:, columns]
        return found

    def _place(self, corner: Corner) -> tuple[slice, slice]:
        scale = self.whole.shape[0] / self.tiles.shape[0]
        down, across = (
            slice(round(scale * start), round(scale * (start + side)))
            for start, side in zip(corner, (self.tiles.height, self.tiles.width), strict=True)
        )
        return down, across


def teller(progress: Progress, start: float, share: float, draft: Draft) -> Any:
    """Return the callback of one call among several."""
    due = paced()

    def step_done(pipeline: Any, index: int, timestep: Any, tensors: Any) -> Any:
        preview = None
        if draft.colours is not None and due(False):
            preview = if_possible(lambda: draft.with_latents(tensors["latents"]))
        progress(start + share * min(0.99, (index + 1) / pipeline.num_timesteps), preview)
        return tensors

    return step_done
