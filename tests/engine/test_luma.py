"""Colour never moves the luma, whatever colour it is."""

import numpy as np
import pytest

from restoration.engine.luma import lock_luma, luma
from tests.engine import pictures

EXTREME = [(1, 0, 0), (0, 0, 1), (0, 1, 0), (1, 1, 0), (1, 0, 1), (0, 1, 1), (0, 0, 0), (1, 1, 1)]


def in_eight_bits(image: np.ndarray) -> np.ndarray:
    return np.rint(image * 255).astype(np.uint8)


@pytest.mark.parametrize("colour", EXTREME)
def test_the_luma_moves_by_half_a_level_at_most_even_for_the_strongest_colours(colour):
    base = np.round(pictures.grey(pictures.astronaut()) * 255).astype(np.float32) / 255
    coloured = np.broadcast_to(np.array(colour, np.float32), base.shape)
    locked = lock_luma(base, coloured)
    assert locked.min() >= 0
    assert locked.max() <= 1
    stored = in_eight_bits(locked).astype(np.float64) @ [0.299, 0.587, 0.114]
    assert np.abs(stored - luma(base).astype(np.float64) * 255).max() <= 0.5001
    assert np.abs(luma(locked) - luma(base)).max() * 255 < 0.001


def test_every_grey_level_takes_every_strong_colour_without_moving():
    levels = np.repeat(np.arange(256, dtype=np.float32)[:, None] / 255, 64, axis=1)
    base = np.repeat(levels[..., None], 3, axis=2)
    colours = np.random.default_rng(0).random((256, 64, 3)).astype(np.float32).round()
    assert np.abs(luma(lock_luma(base, colours)) - luma(base)).max() * 255 < 0.001


def test_a_colour_that_fits_is_kept_as_it_is():
    picture = pictures.coffee()
    assert np.abs(lock_luma(picture, picture) - picture).max() < 1e-5
