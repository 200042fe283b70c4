"""Two pictures, window by window: what moved, what was put in, what was taken away."""

import numpy as np
import pytest
from scipy import ndimage

from restoration.engine.errors import BadInput
from restoration.engine.fidelity import CELL, Fidelity, compare
from restoration.engine.luma import luma
from restoration.training.ageing import age
from tests.engine import pictures

SIDE = 256
PLACE = (128, 128)


def picture() -> np.ndarray:
    return luma(pictures.astronaut(SIDE))


def found(later: np.ndarray, earlier: np.ndarray | None = None, keep=None) -> Fidelity:
    earlier = picture() if earlier is None else earlier
    keep = np.ones(earlier.shape, bool) if keep is None else keep
    return compare(earlier, later, keep)


def grained() -> np.ndarray:
    return luma(pictures.noisy(pictures.grey(pictures.astronaut(SIDE)), 8))


def moved(by: float) -> np.ndarray:
    return luma(pictures.moved(pictures.astronaut(SIDE), PLACE, by=by))


def test_a_picture_says_nothing_against_itself():
    same = found(picture())
    for name in ("moved", "invented", "smoothed", "erased"):
        assert getattr(same, name).max() == 0


@pytest.mark.parametrize("by", [2, 5])
def test_a_moved_feature_is_measured_in_pixels_where_it_is(by):
    said = found(moved(by), grained()).moved
    row, column = np.unravel_index(said.argmax(), said.shape)
    assert 0.4 * by < said.max() < 1.4 * by
    assert abs(row * CELL - PLACE[0]) < 40
    assert abs(column * CELL - PLACE[1]) < 40


def test_tone_fading_and_grain_move_and_invent_nothing():
    slope = np.linspace(0.7, 1.1, SIDE, dtype=np.float32)[None]
    said = found(picture(), (0.1 + 0.7 * slope * grained()).astype(np.float32))
    assert said.moved.max() < 0.3
    assert said.invented.max() < 0.4


def test_the_perfect_restoration_of_an_aged_print_invents_nothing():
    clean = pictures.grey(pictures.astronaut(SIDE))
    aged, mask = age(clean, seed=4, severity=0.5)
    said = found(luma(clean), luma(aged), mask == 0)
    assert said.moved.max() < 0.6
    assert said.invented.max() < 0.5


def test_a_region_of_another_picture_is_invented():
    pasted = picture()
    pasted[96:168, 100:156] = luma(pictures.camera(SIDE))[60:132, 60:116]
    said = found(pasted, grained()).invented
    assert said.max() > 0.8


def test_what_lies_in_the_declared_repair_counts_for_nothing():
    pasted = picture()
    pasted[96:168, 100:156] = luma(pictures.camera(SIDE))[60:132, 60:116]
    keep = np.ones(pasted.shape, bool)
    keep[92:172, 96:160] = False
    assert found(pasted, grained(), keep).invented.max() < 0.4


def test_a_smoothed_skin_is_found_where_the_rest_was_left():
    smooth = picture()
    smooth[96:168, 100:156] = ndimage.gaussian_filter(picture(), 2)[96:168, 100:156]
    said = found(smooth, grained()).smoothed
    row, column = np.unravel_index(said.argmax(), said.shape)
    assert said.max() > 0.5
    assert 88 <= row * CELL <= 176
    assert 92 <= column * CELL <= 164


def test_sizes_that_differ_are_refused():
    with pytest.raises(BadInput, match="sizes-differ"):
        compare(picture(), picture()[:-1], np.ones((SIDE, SIDE), bool))


@pytest.mark.parametrize("more", range(CELL))
def test_a_picture_of_any_size_is_compared(more):
    light = picture()[: 64 + more, : 72 - more]
    assert found(light, light).moved.shape == (8, (72 - more) // CELL)


def test_a_picture_of_a_few_cells_gives_empty_maps():
    tiny = np.zeros((20, 20), np.float32)
    assert compare(tiny, tiny, np.ones((20, 20), bool)).moved.max() == 0
