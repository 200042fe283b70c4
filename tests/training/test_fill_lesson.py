"""What filling is learnt from: a membrane in a hole, and what is missing from it."""

import numpy as np
import pytest
import torch

from restoration.training import holes
from restoration.training.lessons import fill
from restoration.training.pictures import Shelf
from tests.engine import pictures


def shelf() -> Shelf:
    picture = (pictures.astronaut() * 255).astype(np.uint8)
    return Shelf((picture,), (picture,), ())


def test_no_hole_is_empty_and_none_is_everything():
    rng = np.random.default_rng(0)
    shares = [holes.drawn(rng, fill.SIDE).mean() for _ in range(40)]
    assert min(shares) > 0
    assert max(shares) < 0.6
    assert 0.02 < np.mean(shares) < 0.3


@pytest.mark.parametrize(
    ("cut", "low", "high"), [(holes.scratched, 0.01, 0.08), (holes.blotted, 0.01, 0.05)]
)
def test_the_measures_are_the_same_each_time(cut, low, high):
    one, other = (cut(np.random.default_rng(3), 320, 480) for _ in range(2))
    assert np.array_equal(one, other)
    assert low < one.mean() < high


def test_what_is_wanted_is_what_the_membrane_lacks():
    given, wanted = fill.batch(shelf(), np.random.default_rng(1))
    assert given.shape == wanted.shape == (fill.EXAMPLES, 4, fill.SIDE, fill.SIDE)
    assert torch.equal(given[:, 3], wanted[:, 3])
    whole = given[:, :3] + wanted[:, :3]
    assert whole.min() > -1e-6
    assert whole.max() < 1 + 1e-6


@pytest.mark.parametrize("progress", [0.0, 1.0])
def test_outside_the_hole_nothing_is_asked(progress):
    _, wanted = fill.batch(shelf(), np.random.default_rng(1))
    right = torch.where(wanted[:, 3:] > 0, wanted[:, :3], torch.tensor(5.0))
    assert fill.loss(right, wanted, progress) < 1e-3
    assert fill.loss(torch.zeros_like(right), wanted, progress) > 1e-2


def test_a_fresh_network_is_the_membrane():
    found = fill.figures(fill.build().eval(), shelf())
    assert found["psnr_thin"] == found["psnr_thin_membrane"]
    assert found["psnr_blobs"] == found["psnr_blobs_membrane"]
