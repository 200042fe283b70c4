"""Colour that somebody added to a picture without any is seen; toning and cleaning are not."""

import numpy as np
import pytest

from restoration.engine import gained
from restoration.engine.image import resize
from restoration.engine.luma import chroma, lock_luma
from tests.engine import pictures

SEPIA = np.array([1.0, 0.85, 0.66], np.float32)


def grey() -> np.ndarray:
    return pictures.noisy(pictures.grey(pictures.astronaut(240)), 4)


def coloured(share: float) -> np.ndarray:
    """The picture's true colours on its left part."""
    image = grey()
    wide = round(share * image.shape[1])
    image[:, :wide] = lock_luma(image[:, :wide], pictures.astronaut(240)[:, :wide])
    return image


@pytest.mark.parametrize("share", [0.25, 1.0])
def test_colour_is_found_where_it_was_put(share):
    found = gained.colour(grey(), coloured(share))
    assert found is not None
    edge = round(share * 240)
    strong = np.abs(chroma(pictures.astronaut(240))).max(axis=2) > 0.12
    assert (found > gained.SEEN)[:, : edge - 6][strong[:, : edge - 6]].mean() > 0.85
    assert not (found[:, edge + 8 :] > gained.SEEN).any()


def test_toning_a_lighter_print_and_less_noise_are_no_colouring():
    toned = np.clip(grey() * SEPIA, 0, 1)
    assert gained.colour(grey(), toned) is None
    assert gained.colour(toned, grey()) is None
    assert gained.colour(toned, np.clip(toned**0.8, 0, 1)) is None
    assert gained.colour(grey(), pictures.grey(pictures.astronaut(240))) is None


def test_to_put_right_the_colours_of_a_colour_photograph_is_no_colouring():
    photo = pictures.astronaut(240)
    assert gained.colour(photo, np.clip(photo * [1.1, 1, 0.8], 0, 1).astype(np.float32)) is None


def test_colour_on_a_larger_picture_lies_where_it_is_there():
    large = np.clip(resize(coloured(0.25), 480, 480), 0, 1)
    found = gained.colour(grey(), large)
    assert found is not None
    assert found.shape == (480, 480)
    assert not (found[:, 140:] > gained.SEEN).any()
