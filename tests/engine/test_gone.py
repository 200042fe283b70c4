"""What is gone from a picture is found where it was, unless it was declared."""

import numpy as np
from scipy import ndimage

from restoration.engine import gone
from restoration.engine.fill import membrane
from restoration.engine.luma import luma
from tests.engine import pictures

SIDE = 320
EMBLEM = (240, 160)  # on the astronaut's suit


def picture() -> np.ndarray:
    return luma(pictures.astronaut(SIDE))


def nothing() -> np.ndarray:
    return np.zeros((SIDE, SIDE), bool)


def rubbed(reach: int) -> tuple[np.ndarray, np.ndarray]:
    rows, columns = np.indices((SIDE, SIDE))
    hole = np.hypot(rows - EMBLEM[0], columns - EMBLEM[1]) < reach
    filled = membrane(np.repeat(picture()[..., None], 3, 2), hole)
    return luma(np.clip(filled, 0, 1).astype(np.float32)), hole


def test_nothing_is_gone_from_the_same_picture():
    assert gone.find(picture(), picture(), nothing()).width == 0


def test_what_was_rubbed_out_is_as_wide_as_it_was_and_lies_there():
    after, hole = rubbed(18)
    found = gone.find(picture(), after, nothing())
    assert 10 < found.width < 40
    assert np.hypot(SIDE * found.place[1] - 240, SIDE * found.place[0] - 160) < 18
    assert found.area[hole].mean() > 0.3
    assert not found.area[:150].any()


def test_what_was_declared_is_not_gone():
    after, hole = rubbed(18)
    assert gone.find(picture(), after, hole).width == 0


def test_grain_and_a_softer_picture_are_not_gone():
    grained = luma(pictures.noisy(pictures.grey(pictures.astronaut(SIDE)), 10))
    assert gone.find(grained, picture(), nothing()).width < 4
    assert gone.find(picture(), ndimage.gaussian_filter(picture(), 1.5), nothing()).width < 4


def test_a_flat_picture_has_nothing_to_lose():
    flat = np.full((40, 50), 0.5, np.float32)
    assert gone.find(flat, flat, np.zeros(flat.shape, bool)).width == 0
