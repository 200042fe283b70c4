"""A part of two pictures lies as the whole ones do."""

import numpy as np
import pytest

from restoration.engine import closer
from restoration.engine.luma import luma
from restoration.engine.register import warp
from tests.engine import pictures

BOX = (0.4, 0.5, 0.1, 0.1)


def test_a_box_with_its_surroundings_is_cut_on_whole_pixels_and_kept_inside():
    part = closer.around(BOX, (200, 400, 3), 1.5, 0.5)
    assert (part.left, part.right) == pytest.approx((0.25, 0.65))
    assert part.size == (40, 80)
    corner = closer.around((0.9, 0.9, 0.1, 0.1), (200, 400, 3), 1.5, 1.0)
    assert (corner.right, corner.bottom) == (1.0, 1.0)


def test_a_part_at_its_own_size_is_the_pictures_own_pixels():
    image = pictures.astronaut(200)
    part = closer.around(BOX, image.shape, 1.0, 1.0)
    assert np.shares_memory(part.of(image), image)
    assert np.array_equal(part.light(image), luma(part.of(image)))


def test_a_box_in_the_part_shows_the_same_place():
    image = pictures.astronaut(200)
    part = closer.around(BOX, image.shape, 1.0, 1.0)
    x, y, wide, high = part.box(BOX)
    tall, across = part.size
    assert (part.left + x * across / 200, part.top + y * tall / 200) == pytest.approx(BOX[:2])
    assert (wide * across, high * tall) == pytest.approx((20, 20))


@pytest.mark.parametrize("scale", [0.5, 1.0, 1.7])
def test_a_map_between_whole_pictures_lays_their_parts_on_each_other(scale: float):
    """The map was found on a half as large a picture."""
    image = luma(pictures.astronaut(400))
    matrix = np.array([[1.01, 0.004, 3.0], [-0.004, 1.01, -2.0]])
    whole = matrix.copy()
    whole[:, 2] = 2 * (matrix[:, 2] + 0.5 - matrix[:, :2] @ [0.5, 0.5]) - 0.5
    whole[:, 2] += matrix[:, :2] @ [0.5, 0.5]
    laid = warp(image, whole, image.shape)
    part = closer.around(BOX, image.shape, 1.0, scale)
    colours = np.repeat(image[..., None], 3, 2)
    own = warp(part.light(colours), part.within(matrix, (200, 200)), part.size)
    expected = part.light(np.clip(np.repeat(laid[..., None], 3, 2), 0, 1))
    inner = slice(round(12 * scale), -round(12 * scale))
    assert np.abs(own - expected)[inner, inner].mean() < 0.01
