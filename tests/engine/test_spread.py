"""Values given at a few places reach all others along like luma; nothing known gives nothing."""

import numpy as np
import pytest

from restoration.engine.spread import nearness, spread, spread_quickly

SHAPE = (120, 170)  # more than is solved outright, so that the finer rounds are seen too


def halves() -> np.ndarray:
    light = np.full(SHAPE, 0.3, np.float32)
    light[:, 85:] = 0.7
    return light + np.random.default_rng(1).normal(0, 0.004, SHAPE).astype(np.float32)


def given(*places: tuple[int, int, float]) -> tuple[np.ndarray, np.ndarray]:
    known, values = np.zeros(SHAPE, bool), np.zeros((1, *SHAPE), np.float32)
    for y, x, value in places:
        known[y - 1 : y + 2, x - 1 : x + 2] = True
        values[:, y - 1 : y + 2, x - 1 : x + 2] = value
    return known, values


@pytest.mark.parametrize(
    "how", [lambda *all: spread(*all).values, spread_quickly], ids=["well", "quickly"]
)
def test_each_half_takes_the_value_given_in_it(how):
    found = how(halves(), *given((60, 30, 1.0), (20, 140, -1.0)))[0]
    assert found[:, :80].mean() > 0.95
    assert found[:, 90:].mean() < -0.95
    assert found[:, :80].min() > 0 > found[:, 90:].max()


def test_what_is_known_stays_and_nothing_goes_beyond_it():
    known, values = given((60, 30, 1.0), (20, 140, 0.2), (100, 60, 0.5))
    found = spread(halves(), known, values).values
    assert np.array_equal(found[:, known], values[:, known])
    assert found.min() >= np.float32(0.2)
    assert found.max() <= 1


def test_spreading_is_linear_so_that_hues_may_be_turned_afterwards():
    light = halves()
    known, values = given((60, 30, 1.0), (20, 140, 0.2))
    once, twice = (spread(light, known, factor * values).values for factor in (1, 2))
    assert np.abs(2 * once - twice).max() < 1e-5


def test_nothing_known_is_zero_everywhere():
    known, values = given()
    found = spread(halves(), known, values)
    assert not found.values.any()
    assert not found.near.any()


def test_nearness_is_one_at_a_place_and_falls_with_each_doubling_of_the_way():
    known, _ = given((60, 30, 1.0))
    near = nearness(known)
    assert near[60, 30] == 1
    assert near[60, 34] - near[60, 38] == pytest.approx(near[60, 38] - near[60, 46], abs=0.02)


def test_a_strip_whose_ends_hardly_a_path_leads_to_is_spread_over_all_the_same():
    """Weights of neighbours that are no equals, hundreds in a row, are as good as none at all."""
    rng = np.random.default_rng(0)
    light = np.repeat(np.cumprod(rng.choice([0.2, 1, 5], 800)) % 1, 2).reshape(800, 2)
    known = np.zeros(light.shape, bool)
    known[400] = True
    found = spread(light.astype(np.float32), known, np.ones((1, 800, 2), np.float32)).values
    assert np.isfinite(found).all()
    assert -1e-3 <= found.min() <= found.max() <= 1 + 1e-3
