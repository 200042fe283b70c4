"""Tiles: even, of one noise and one tone, without a seam, and the same every time."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from restoration.engine.errors import BadInput
from restoration.engine.generative.memory import Rung

pytestmark = pytest.mark.generative

SIZES = [(64, 64), (64, 200), (256, 256), (120, 328), (512, 72), (1000, 1600)]


@pytest.fixture
def small(workshop):
    """The tool of a model that was made for very small pictures."""
    with workshop.lend("redraw", "sd15") as tool:
        yield replace(tool, family=replace(tool.family, max_pixels=64 * 64))


@pytest.fixture
def wanted(small, context):
    from restoration.engine.generative.generation import request, wording_for

    return request(small, wording_for(small, context(), "redraw"), 0.4, 5, 7)


def drawn(workshop, tool, picture, wanted, progress=lambda share, preview=None: None):
    from restoration.engine.generative.tiling import drawn_wide

    return drawn_wide(workshop, tool, picture, wanted, progress, {"width": 1, "height": 1})


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("most", [64 * 64, 200 * 200])
@pytest.mark.parametrize("multiple", [8, 16])
def test_tiles_are_even_and_cover_the_picture(size, most, multiple):
    from restoration.engine.generative.tiling import cut

    shape = tuple(-(-side // multiple) * multiple for side in size)
    if shape[0] * shape[1] > 100 * most:
        pytest.skip("so many tiles are never asked for")
    tiles = cut(shape, most, multiple)
    assert tiles.height * tiles.width <= most
    seen = np.zeros(shape, int)
    for top, left in tiles.corners:
        assert (top % multiple, left % multiple) == (0, 0)
        assert top + tiles.height <= shape[0]
        assert left + tiles.width <= shape[1]
        seen[top : top + tiles.height, left : left + tiles.width] += 1
    assert seen.min() >= 1


def test_a_picture_cut_and_laid_together_is_itself(cat):
    from restoration.engine.generative.tiling import blended, cut

    picture = np.ascontiguousarray(cat[:200, :296])
    tiles = cut(picture.shape, 64 * 64, 8)
    again = blended(tiles, [tiles.of(picture, corner) for corner in tiles.corners])
    assert len(tiles.corners) > 12
    assert np.abs(again - picture).max() < 1e-6


def test_tiles_of_different_tones_take_the_tone_of_the_base(cat):
    from restoration.engine.generative.tiling import blended, cut, in_tone

    picture = 0.2 + 0.6 * np.ascontiguousarray(cat[:200, :296])
    tiles = cut(picture.shape, 64 * 64, 8)
    drift = np.random.default_rng(0).uniform(-0.1, 0.1, len(tiles.corners)).astype(np.float32)
    off = [
        tiles.of(picture, corner) + tone for corner, tone in zip(tiles.corners, drift, strict=True)
    ]
    before, after = (
        np.abs(ndimage.gaussian_filter(each - picture, (16, 16, 0))).mean()
        for each in (blended(tiles, off), in_tone(blended(tiles, off), picture, 64))
    )
    assert after < before / 4


def test_neighbours_begin_from_the_same_noise_where_they_overlap(small):
    import torch

    from restoration.engine.generative.tiling import cut, one_noise

    tiles = cut((64, 96, 3), 64 * 64, 8)
    assert tiles.corners[:2] == ((0, 0), (0, 96 - tiles.width))
    like = torch.zeros(2, 4, tiles.height // 2, tiles.width // 2)
    scheduler = small.pipeline.scheduler
    honest = scheduler.add_noise
    with one_noise(small, tiles, tiles.corners[:2], 5):
        scheduler.set_timesteps(10)
        left, right = scheduler.add_noise(like, like.clone(), scheduler.timesteps[:1].repeat(2))
    shared = (2 * tiles.width - 96) // 2
    assert shared > 0
    assert torch.equal(left[..., -shared:], right[..., :shared])
    assert left.std() > 0.1
    assert scheduler.add_noise == honest


def test_a_large_picture_is_drawn_without_a_seam_and_the_same_twice(workshop, small, wanted, cat):
    picture = np.ascontiguousarray(cat[:120, :136])
    first, rung, figures = drawn(workshop, small, picture, wanted)
    again, _, _ = drawn(workshop, small, picture, wanted)
    assert np.array_equal(first, again)
    assert rung == Rung()
    tiles = figures["tiles"]
    assert tiles["count"] >= 6
    assert tiles["at_once"] == 4
    moved = np.abs(np.diff(first - picture, axis=1)).mean(axis=(0, 2))
    width = tiles["size"][0]
    seam = moved[width - 12 : width + 4].mean()
    assert not np.array_equal(first, picture)
    assert seam < 1.3 * moved.mean()


def test_a_batch_draws_what_one_after_another_draw(small, wanted, cat):
    from restoration.engine.generative.batches import generated_many

    images = [np.ascontiguousarray(cat[top : top + 64, 40:104]) for top in (0, 50, 100)]
    quiet = lambda pipeline, index, timestep, tensors: tensors  # noqa: E731
    together = generated_many(small, images, [1, 2, 3], wanted, quiet)
    for image, seed, one in zip(images, (1, 2, 3), together, strict=True):
        (alone,) = generated_many(small, [image], [seed], wanted, quiet)
        assert np.abs(one - alone).max() <= 2 / 255
    assert np.abs(together[0] - together[1]).max() > 0.1


def test_what_cannot_be_drawn_together_is_refused(small, wanted, cat):
    from restoration.engine.generative.batches import generated_many

    images = [np.ascontiguousarray(cat[:64, :64]), np.ascontiguousarray(cat[:64, :72])]
    with pytest.raises(BadInput, match="batch"):
        generated_many(small, images, [1, 2], wanted, None)
    editor = replace(small, family=replace(small.family, edits=True, batches=False))
    with pytest.raises(BadInput, match="batch"):
        generated_many(editor, images[:1] * 2, [1, 2], wanted, None)


def test_progress_over_all_tiles_only_rises_and_shows_what_is_done(workshop, small, wanted, cat):
    told = []
    picture = np.ascontiguousarray(cat[:120, :136])
    drawn(
        workshop, small, picture, wanted, lambda share, preview=None: told.append((share, preview))
    )
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert shares[-1] > 0.9
    shown = [preview for _, preview in told if preview is not None]
    assert len(shown) >= 2
    assert not np.array_equal(shown[0], shown[-1])


def test_tiles_in_the_making_are_shown_where_they_lie(workshop, small, wanted, cat, monkeypatch):
    from restoration.engine.generative import tiling

    monkeypatch.setattr(tiling, "paced", lambda: lambda last: True)
    told = []
    picture = np.ascontiguousarray(cat[:120, :136])
    drawn(workshop, small, picture, wanted, lambda share, preview=None: told.append(preview))
    shown = [preview.astype(int) for preview in told if preview is not None]
    assert len(shown) >= 6
    assert {preview.shape for preview in shown} == {(120, 136, 3)}
    begun, first_step = shown[0], shown[1]
    assert np.abs(first_step[:56, :56] - begun[:56, :56]).mean() > 2
    assert np.array_equal(first_step[-16:, -16:], begun[-16:, -16:])


def test_without_colours_for_its_latents_a_large_picture_is_drawn_all_the_same(
    workshop, small, wanted, cat, monkeypatch
):
    from restoration.engine.generative import tiling

    def broken(tool, image):
        raise ValueError("no such encoder")

    monkeypatch.setattr(tiling, "latent_colours", broken)
    picture = np.ascontiguousarray(cat[:120, :136])
    made, _, _ = drawn(workshop, small, picture, wanted)
    assert made.shape == picture.shape


def test_a_redraw_of_a_large_picture_uses_tiles(context, models, small, wanted):
    from restoration.engine.generative.redraw import redrawn
    from restoration.engine.generative.workshop import Workshop

    own = Workshop(models, device="cpu")
    result = redrawn(context(workshop=own), own, small, wanted, 1.0)
    assert result.image.shape == context().image.shape
    assert result.record["tiles"]["count"] >= 4
    assert result.record["worked_at"][0] * result.record["worked_at"][1] > 64 * 64
    assert not np.array_equal(result.image, context().image)


def test_an_editing_model_never_works_in_tiles(workshop, small):
    from restoration.engine.generative.tiling import wide_canvas

    editor = replace(small, family=replace(small.family, edits=True))
    assert wide_canvas(workshop, editor, (500, 500, 3)) is None
    assert wide_canvas(workshop, small, (40, 40, 3)) is None
    assert wide_canvas(workshop, small, (500, 500, 3)) is not None
