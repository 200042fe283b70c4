"""A mark that is one of many alike, most of which nobody marked, is part of the picture."""

import numpy as np
import pytest

from restoration.engine import repeats

GROUND, DOT = 0.2, 0.8


def dotted(rows: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """A sheet of 320x320 with discs of 9 pixels across, 24 apart; luma, and the discs numbered."""
    light = np.full((320, 320), GROUND, np.float32)
    labels = np.zeros((320, 320), np.int32)
    down, across = np.mgrid[:320, :320]
    for number in range(rows * columns):
        row, column = 40 + 24 * (number // columns), 40 + 24 * (number % columns)
        disc = np.hypot(down - row, across - column) <= 4.6
        light[disc], labels[disc] = DOT, number + 1
    return light, labels


def marked(labels: np.ndarray, *names: int) -> np.ndarray:
    """Only those, numbered from 1."""
    return sum(np.where(labels == name, place, 0) for place, name in enumerate(names, 1)).astype(
        np.int32
    )


def patterned(labels: np.ndarray, light: np.ndarray) -> list[bool]:
    asked = np.ones(int(labels.max()) + 1, bool)
    asked[0] = False
    return repeats.patterned(labels, light, asked)[1:].tolist()


def test_a_dot_among_dots_that_nobody_marked_is_one_of_a_pattern():
    light, labels = dotted(8, 8)
    assert patterned(marked(labels, 28), light) == [True]


def test_a_dark_dot_on_a_light_ground_is_as_well():
    light, labels = dotted(8, 8)
    assert patterned(marked(labels, 28), 1 - light) == [True]


def test_a_speck_alone_is_not():
    light, labels = dotted(1, 1)
    assert patterned(labels, light) == [False]


def test_specks_that_are_all_marked_are_not():
    light, labels = dotted(8, 8)
    assert patterned(labels, light) == [False] * 64


def test_a_few_alike_make_no_pattern():
    light, labels = dotted(3, 4)
    assert patterned(marked(labels, 6), light) == [False]


@pytest.mark.parametrize("wide", [30, 60])
def test_a_scratch_across_the_dots_is_not_one_of_them(wide):
    light, labels = dotted(8, 8)
    scratch = np.zeros_like(labels)
    scratch[148:151, 120 : 120 + wide] = 1
    light[scratch > 0] = DOT
    assert patterned(scratch, light) == [False]


def test_a_mark_of_a_few_pixels_looks_like_anything_and_is_not_asked():
    light, labels = dotted(8, 8)
    small = marked(labels, 28)
    small[:, : np.nonzero(small)[1].min() + 4] = 0
    assert 0 < small.sum() <= repeats.SMALLEST
    assert patterned(small, light) == [False]


def test_a_mark_longer_than_its_likes_are_sought_is_not_asked(monkeypatch):
    monkeypatch.setattr(repeats, "likes", lambda *mark: repeats.Likes(99, 99))
    light = np.full((320, 320), GROUND, np.float32)
    two = np.zeros((320, 320), np.int32)
    two[20:23, 20 : 20 + repeats.FARTHEST] = 1
    two[40:43, 20 : 21 + repeats.FARTHEST] = 2
    assert patterned(two, light) == [True, False]


def test_only_the_marks_that_are_asked_about_are_looked_at():
    light, labels = dotted(8, 8)
    two = marked(labels, 28, 37)
    assert repeats.patterned(two, light, np.array([False, False, True])).tolist() == [
        False,
        False,
        True,
    ]


def test_a_mark_at_the_edge_of_the_picture_is_counted_with_what_is_there():
    light, labels = dotted(8, 8)
    corner = marked(labels, 1)
    assert patterned(corner[36:, 36:], light[36:, 36:]) == [True]


def test_a_mark_without_a_rim_has_no_likes():
    light = np.full((40, 40), GROUND, np.float32)
    assert patterned(np.ones((40, 40), np.int32), light) == [False]


def test_a_picture_without_marks_has_none():
    light = np.full((40, 40), GROUND, np.float32)
    nothing = np.zeros((40, 40), np.int32)
    assert repeats.patterned(nothing, light, np.zeros(1, bool)).tolist() == [False]
