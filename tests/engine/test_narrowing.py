"""A brush is wide, a scratch is thin: of what a hand painted the marks are filled, not the lip."""

import numpy as np
import pytest
from scipy import ndimage

from restoration.engine import narrowing
from restoration.engine.step import StepContext
from restoration.engine.steps import repair
from tests.engine import pictures

SHAPE = (240, 320)
SETTINGS = {"sensitivity": 0.4, "grain": 0.0, "marks_only": True}


@pytest.fixture
def scratch() -> np.ndarray:
    """A line three pixels wide."""
    area = np.zeros(SHAPE, bool)
    area[40:200, 150:153] = True
    return area


def stroke(area: np.ndarray, radius: int = 12) -> np.ndarray:
    return np.asarray(ndimage.distance_transform_edt(~area) <= radius)


def levels(area: np.ndarray, likely: int = 200) -> np.ndarray:
    return area.astype(np.uint8) * np.uint8(likely)


def ground(area: np.ndarray, bright: float = 0.9) -> np.ndarray:
    light = pictures.noisy(np.full((*SHAPE, 3), 0.4, np.float32), 2)[..., 0].copy()
    light[area] = bright
    return light


def test_only_the_scratch_and_a_rim_of_a_stroke_is_left(scratch):
    found = narrowing.narrowed(stroke(scratch), levels(scratch), ground(scratch))
    assert found[scratch].all()
    assert not found[~stroke(scratch, 4)].any()


def test_what_the_network_overlooked_of_a_mark_belongs_to_it(scratch):
    seen = scratch.copy()
    seen[60:180] = False
    found = narrowing.narrowed(stroke(scratch), levels(seen), ground(scratch))
    assert found[scratch].all()
    assert not found[~stroke(scratch, 4)].any()


def test_a_dark_mark_takes_nothing_bright_with_it(scratch):
    light = ground(scratch, bright=0.05)
    light[100:104, 140:163] = 0.9
    bright = light > 0.8
    found = narrowing.narrowed(stroke(scratch), levels(scratch), light)
    assert found[scratch].all()
    assert not found[bright & ~stroke(scratch, 4)].any()


def test_a_stroke_in_which_nothing_is_seen_is_filled_as_it_was_painted(scratch):
    painted = stroke(scratch)
    found = narrowing.narrowed(painted, levels(scratch, 0), ground(scratch))
    assert np.array_equal(found, painted)


def test_a_part_of_a_stroke_far_from_any_mark_is_filled_as_it_was_painted(scratch):
    short = scratch.copy()
    short[80:] = False
    painted = stroke(scratch)
    found = narrowing.narrowed(painted, levels(short), ground(short))
    assert np.array_equal(found[140:], painted[140:])
    assert not found[40:70, 160:].any()


def test_a_wide_area_is_meant_as_a_whole():
    painted, seen = np.zeros(SHAPE, bool), np.zeros(SHAPE, bool)
    painted[60:160, 60:160] = True
    seen[100:110, 100:110] = True
    assert np.array_equal(narrowing.narrowed(painted, levels(seen), ground(seen)), painted)


@pytest.mark.slow
@pytest.mark.parametrize("larger", [1, 16])
def test_never_a_pixel_outside_what_was_painted(scratch, larger):
    def grown(area: np.ndarray) -> np.ndarray:
        return np.repeat(np.repeat(area, larger, axis=0), larger, axis=1)

    painted, light = stroke(scratch, 4), ground(scratch)
    found = narrowing.narrowed(grown(painted), grown(levels(scratch)), grown(light))
    assert found.shape == grown(painted).shape
    assert not found[~grown(painted)].any()
    assert found[grown(scratch)].all()


def test_a_scratch_across_an_edge_is_filled_and_the_edge_stays():
    picture = pictures.noisy(np.full((*SHAPE, 3), 0.25, np.float32), 2)
    picture[:, 160:] += 0.5
    area = np.zeros(SHAPE, bool)
    for column in range(60, 260):
        area[column // 2 : column // 2 + 2, column] = True
    damaged = picture.copy()
    damaged[area] = 1
    # A brush so wide that the filler, which was taught on (0027), cannot hide what it covered.
    mask = stroke(area, 14).astype(np.uint8) * 255
    told = {}
    for marks_only in (True, False):
        context = StepContext(image=damaged, reference=damaged, mask=mask)
        told[marks_only] = repair.run(context, SETTINGS | {"marks_only": marks_only})
    error = {way: np.abs(each.image - picture)[mask > 0].mean() for way, each in told.items()}
    assert error[True] < 0.5 * error[False]
    assert (told[True].maps["repaired"] > 0)[area].mean() > 0.9
    assert np.array_equal(told[False].maps["repaired"], mask)
    (note,) = told[True].notes
    assert note["code"] == "marks-only"
    assert note["facts"]["share"] == round(
        100 * (told[True].maps["repaired"] > 0).sum() / (mask > 0).sum()
    )
    assert "marks-only" not in [each["code"] for each in told[False].notes]
