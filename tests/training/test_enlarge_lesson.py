"""What enlarging is learnt from: pictures made small in many ways, and told how they were."""

import numpy as np
import torch

from restoration.training.lessons import enlarge
from restoration.training.pictures import Shelf
from tests.engine import pictures


def shelf() -> Shelf:
    picture = (pictures.astronaut() * 255).astype(np.uint8)
    return Shelf((picture,), (picture,), ())


def test_each_example_is_a_half_of_its_answer():
    small, told, large = enlarge.batch(shelf(), np.random.default_rng(1))
    side = enlarge.SIDE // 2
    assert small.shape == (enlarge.EXAMPLES, 1, side, side)
    assert told.shape == (enlarge.EXAMPLES, 2, side // 2, side // 2)
    sound = told.amax(dim=(1, 2, 3)) == 0
    assert 0 < sound.sum() < enlarge.EXAMPLES
    means = torch.nn.functional.avg_pool2d(large, 2)
    assert (means - small).abs().mean(dim=(1, 2, 3))[sound].max() < 0.03


def test_it_is_told_how_strong_the_noise_is():
    flat = Shelf((np.full((128, 128, 3), 128, np.uint8),), (), ())
    small, told, _ = enlarge.batch(flat, np.random.default_rng(2))
    noise, blocks = told[:, 0, 0, 0], told[:, 1, 0, 0]
    plain = (noise > 0) & (blocks == 0)
    spread = small.std(dim=(1, 2, 3))
    assert torch.allclose(spread[plain], noise[plain], rtol=0.15)
    assert float(spread[(noise == 0) & (blocks == 0)].max()) < 1e-4


def test_a_fresh_network_is_plain_resampling():
    found = enlarge.figures(enlarge.enlarge().build().eval(), shelf())
    assert found["psnr"] == found["psnr_bicubic"]
