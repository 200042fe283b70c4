"""Where a model is called to repair: at full size where that can be, and not too often."""

import numpy as np
import pytest

from restoration.engine.generative.crops import MOST_CROPS, area, as_seen_from, crops, widened
from restoration.engine.generative.rows import FAMILIES

MEGAPIXEL = 1024 * 1024


def specks(shape, down, across, size=12):
    mask = np.zeros(shape, np.uint8)
    for y in np.linspace(150, shape[0] - 150, down).astype(int):
        for x in np.linspace(150, shape[1] - 150, across).astype(int):
            mask[y : y + size, x : x + size] = 255
    return mask


def hair(shape, wide=6):
    """From corner to corner."""
    mask = np.zeros(shape, np.uint8)
    for row in range(shape[0]):
        begin = row * shape[1] // shape[0]
        mask[row, begin : begin + wide] = 255
    return mask


def covered(mask, cores):
    held = np.zeros(mask.shape, bool)
    for core in cores:
        held[core] = True
    return bool(held[mask > 0].all())


@pytest.mark.parametrize(("down", "across"), [(5, 5), (6, 10), (5, 20)])
def test_of_many_specks_the_nearest_share_a_window_and_all_are_drawn_at_full_size(down, across):
    mask = specks((2400, 3600), down, across)
    cores = crops(mask, MEGAPIXEL)
    assert 1 < len(cores) <= MOST_CROPS
    assert covered(mask, cores)
    assert max(area(widened(core, mask.shape)) for core in cores) <= 1.2 * MEGAPIXEL


def test_a_hair_from_corner_to_corner_is_drawn_in_windows_along_it():
    mask = hair((3000, 4000))
    cores = crops(mask, MEGAPIXEL)
    assert 4 <= len(cores) <= 10
    assert covered(mask, cores)
    assert all(area(widened(core, mask.shape)) <= MEGAPIXEL for core in cores)


def test_damage_all_over_a_large_scan_has_windows_as_small_as_so_many_allow():
    mask = np.maximum(hair((3000, 4000)), specks((3000, 4000), 12, 16))
    cores = crops(mask, MEGAPIXEL)
    assert 12 < len(cores) <= MOST_CROPS
    assert covered(mask, cores)
    assert max(area(widened(core, mask.shape)) for core in cores) < 2 * MEGAPIXEL


def test_a_hole_too_wide_to_be_drawn_in_parts_stays_whole():
    mask = np.zeros((2000, 3000), np.uint8)
    mask[300:1600, 400:2500] = 255
    (core,) = crops(mask, MEGAPIXEL)
    assert covered(mask, [core])


def test_a_few_holes_far_apart_have_a_window_each_and_near_ones_share_it():
    mask = np.zeros((900, 2000), np.uint8)
    mask[100:110, 100:110] = mask[120:130, 150:160] = mask[700:710, 1800:1810] = 255
    assert len(crops(mask, MEGAPIXEL)) == 2


def test_a_core_is_found_again_in_its_window():
    outer, inner = (slice(10, 50), slice(20, 90)), (slice(15, 30), slice(40, 41))
    assert as_seen_from(outer, inner) == (slice(5, 20), slice(20, 21))


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_what_a_model_sees_divides_into_whole_cells(family):
    assert family.multiple_of % family.cell == 0
