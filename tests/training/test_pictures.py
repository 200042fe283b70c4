"""What is cut from the clean pictures to learn from."""

import numpy as np

from restoration.training.pictures import Shelf, busy

SIDE = 96


def shelf() -> Shelf:
    """One photograph that is mostly sky: a tenth of it, at the right, is a wall of stones."""
    picture = np.full((400, 1000, 3), 180, np.uint8)
    picture[:, 900:] = np.random.default_rng(1).integers(0, 255, (400, 100, 3), np.uint8)
    return Shelf((picture,), (), ())


def seen(cut: str, times: int = 400) -> float:
    """The share of the squares in which there is something to see."""
    rng, where = np.random.default_rng(2), shelf()
    return float(np.mean([busy(getattr(where, cut)(rng, SIDE)) > 0 for _ in range(times)]))


def test_stones_are_cut_nearly_twice_as_often_as_they_lie_there():
    anywhere, where_more_goes_on = seen("crop"), seen("busier")
    assert 0.05 < anywhere < 0.2
    assert 1.5 * anywhere < where_more_goes_on < 2.2 * anywhere


def test_the_sky_is_learnt_from_as_well():
    assert seen("busier") < 0.5


def test_the_same_seed_cuts_the_same_square():
    one, other = (shelf().busier(np.random.default_rng(3), SIDE) for _ in range(2))
    assert one.shape == (SIDE, SIDE, 3)
    assert one.dtype == np.float32
    assert np.array_equal(one, other)
