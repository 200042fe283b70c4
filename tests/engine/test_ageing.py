"""A picture aged on purpose is aged the same way every time, and its damage is known."""

import numpy as np
import pytest

from restoration.engine.errors import BadInput
from restoration.training.ageing import age
from tests.engine import pictures


def test_the_same_seed_gives_the_same_old_photograph():
    for one, other in zip(
        age(pictures.astronaut(), seed=4), age(pictures.astronaut(), seed=4), strict=True
    ):
        assert np.array_equal(one, other)
    assert not np.array_equal(
        age(pictures.astronaut(), seed=5)[0], age(pictures.astronaut(), seed=4)[0]
    )


def test_worse_keeping_leaves_more_damage_and_less_contrast():
    kept, kept_mask = age(pictures.camera(), seed=2, severity=0.1)
    found, found_mask = age(pictures.camera(), seed=2, severity=1.0)
    assert (found_mask > 0).mean() > 3 * (kept_mask > 0).mean()
    assert np.ptp(np.quantile(found, [0.02, 0.98])) < 0.85 * np.ptp(np.quantile(kept, [0.02, 0.98]))


def test_it_is_a_picture_with_a_mask_of_its_size():
    aged, mask = age(pictures.coffee(), seed=1, severity=0.8)
    assert aged.dtype == np.float32
    assert aged.shape == pictures.coffee().shape
    assert mask.dtype == np.uint8
    assert set(np.unique(mask)) == {0, 255}
    assert 0 <= aged.min() <= aged.max() <= 1


def test_the_print_is_warm_and_of_one_tint():
    aged, _ = age(pictures.astronaut(), seed=1, severity=0.7)
    red, _, blue = aged.reshape(-1, 3).mean(axis=0)
    assert red > blue + 0.03


def test_what_is_no_picture_is_refused():
    with pytest.raises(BadInput):
        age(np.zeros((40, 40)), seed=1)
