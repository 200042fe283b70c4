"""A pipeline looks at its mask once a cell of its latents: all damage is drawn for all that."""

from types import SimpleNamespace

import numpy as np
import pytest

from restoration.engine.generative.canvas import Canvas, fitted
from restoration.engine.generative.rows import FAMILIES
from tests.benchmarks.registration import picture

pytestmark = pytest.mark.generative

KLEIN, SDXL, Z_IMAGE, QWEN, SD15 = FAMILIES
PLACES = range(16)
WIDTHS = (1, 2, 3, 6)
WHOLE = Canvas((128, 128), (128, 128), (128, 128))


def upright(x, wide, side=128):
    mask = np.zeros((side, side), np.uint8)
    mask[20:110, x : x + wide] = 255
    return mask


def slanting(x, wide, side=128):
    mask = np.zeros((side, side), np.uint8)
    for row in range(20, 110):
        begin = x + row // 3
        mask[row, begin : begin + wide] = 255
    return mask


def cells_of(family, asked):
    """How much of each pixel's cell the family's own pipeline draws, HxW in [0, 1]."""
    import torch
    from diffusers.pipelines.flux2.pipeline_flux2_klein_inpaint import Flux2KleinInpaintPipeline

    seen = torch.from_numpy((asked > 0).astype(np.float32))[None, None]
    if family is KLEIN:
        stand_in = SimpleNamespace(vae_scale_factor=8, _pack_latents=lambda mask: mask)
        sizes = (1, 1, *asked.shape, torch.float32, "cpu")
        drawn = Flux2KleinInpaintPipeline.prepare_mask_latents(stand_in, seen, *sizes)
    else:  # as all the others do
        drawn = torch.nn.functional.interpolate(seen, size=[side // 8 for side in asked.shape])
    cell = asked.shape[0] // drawn.shape[2]
    return drawn[0, 0].numpy().repeat(cell, axis=0).repeat(cell, axis=1)


@pytest.mark.parametrize("line", [upright, slanting])
@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_every_cell_with_a_damaged_pixel_is_drawn_wherever_a_thin_line_lies(family, line):
    from restoration.engine.generative.inpaint import asked_of

    for x in PLACES:
        for wide in WIDTHS:
            mask = line(40 + x, wide)
            drawn = cells_of(family, asked_of(WHOLE, mask, family))
            assert drawn[mask > 0].min() == 1, (x, wide)


@pytest.mark.parametrize("scale", [0.99, 1.0, 1.37, 2.1])
def test_a_pipeline_that_brings_a_picture_to_its_own_size_draws_it_too(scale):
    """Its cells are those of the size that it works at, and lie anywhere on what it is given."""
    from PIL import Image

    from restoration.engine.generative.inpaint import asked_of

    for x in PLACES:
        mask = upright(40 + x, 1)
        asked = asked_of(WHOLE, mask, QWEN)
        side = round(128 * scale / 32) * 32
        seen = np.asarray(Image.fromarray(asked).resize((side, side), Image.Resampling.LANCZOS))
        drawn = cells_of(QWEN, seen > 127)
        rows, columns = ((at * side / 128).astype(int) for at in np.nonzero(mask))
        assert drawn[rows, columns].min() == 1, x


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
@pytest.mark.parametrize("most", [5_000, 30_000, 300_000])
def test_no_speck_is_lost_where_the_picture_is_made_small_or_large(family, most):
    from restoration.engine.generative.inpaint import asked_of

    canvas = fitted((401, 307), family.multiple_of, most, 2.0, least_side=family.least_side)
    for place in ((0, 0), (400, 306), (213, 77)):
        mask = np.zeros((401, 307), np.uint8)
        mask[place] = 255
        asked = asked_of(canvas, mask, family)
        assert asked.shape == canvas.padded
        row, column = (int((at + 0.5) * canvas.scale) for at in place)
        assert asked[min(row, canvas.scaled[0] - 1), min(column, canvas.scaled[1] - 1)] == 255
        assert not (asked == 255).all()


@pytest.fixture(scope="module")
def eightfold(tmp_path_factory):
    """A random klein whose autoencoder makes eight by eight pixels one, as the real one does."""
    import torch
    from diffusers import AutoencoderKLFlux2, Flux2KleinPipeline

    from restoration.engine.generative.weights import lock
    from restoration.engine.generative.workshop import Workshop
    from tests.engine.generative import tiny

    parts = tiny.klein_parts(faithful=False)
    torch.manual_seed(0)
    parts["vae"] = AutoencoderKLFlux2(
        in_channels=3,
        out_channels=3,
        down_block_types=["DownEncoderBlock2D"] * 4,
        up_block_types=["UpDecoderBlock2D"] * 4,
        block_out_channels=[16] * 4,
        norm_num_groups=1,
        mid_block_add_attention=False,
        latent_channels=4,
        sample_size=64,
    )
    parts["vae"].bn.running_var.fill_(1.0)
    folder = tmp_path_factory.mktemp("eightfold")
    Flux2KleinPipeline(**parts).save_pretrained(folder / "klein")
    lock(folder / "klein")
    return Workshop(folder, device="cpu")


@pytest.mark.parametrize("x", [64, 66, 72, 75, 76, 77])
def test_another_seed_draws_another_scratch_wherever_it_lies(eightfold, x):
    from restoration.engine.generative.generation import generated, request
    from restoration.engine.generative.inpaint import asked_of
    from restoration.engine.generative.prompts import Wording

    image = np.ascontiguousarray(picture("chelsea")[:128, :128]).astype(np.float32)
    mask = upright(x, 1)
    with eightfold.lend("repair", "klein") as tool:
        assert tool.pipeline.vae_scale_factor == 8
        asked = asked_of(WHOLE, mask, tool.family)
        one, other = (
            generated(
                tool,
                image,
                asked,
                request(tool, Wording("", ""), 0.85, 0, seed),
                lambda *told: None,
            )
            for seed in (1, 99)
        )
    assert np.abs(one - other)[mask > 0].mean() > 1 / 255
