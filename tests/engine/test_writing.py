"""What stands in a line like writing is left to the photograph."""

import numpy as np

from restoration.engine import writing


def marks(*boxes: tuple[int, int, int, int]) -> np.ndarray:
    """Numbered in order: top, left, height, width."""
    labels = np.zeros((400, 600), np.int32)
    for number, (top, left, high, wide) in enumerate(boxes, 1):
        labels[top : top + high, left : left + wide] = number
    return labels


def line(count: int, step: int = 16, high: int = 18) -> list[tuple[int, int, int, int]]:
    return [(200, 100 + step * each, high, 9) for each in range(count)]


def test_four_letters_of_a_line_are_writing_and_three_are_not():
    assert writing.lettered(marks(*line(4)))[1:].all()
    assert not writing.lettered(marks(*line(3))).any()


def test_writing_along_a_side_is_writing_too():
    assert writing.lettered(marks(*line(6)).T)[1:].all()


def test_capitals_and_what_hangs_below_belong_to_their_line():
    boxes = [(200, 100, 18, 12), (204, 116, 14, 9), (204, 130, 20, 9), (204, 144, 14, 9)]
    assert writing.lettered(marks(*boxes))[1:].all()


def test_marks_too_far_apart_too_uneven_or_on_no_line_are_none():
    assert not writing.lettered(marks(*line(5, step=60))).any()
    stairs = [(100 + 12 * each, left, high, wide) for each, (_, left, high, wide) in
              enumerate(line(6))]  # fmt: skip
    assert not writing.lettered(marks(*stairs)).any()
    uneven = [(200, 100 + 16 * each, 8 if each % 2 else 20, 9) for each in range(6)]
    assert not writing.lettered(marks(*uneven)).any()


def test_specks_and_long_scratches_are_none():
    assert not writing.lettered(marks(*line(8, high=4))).any()
    assert not writing.lettered(
        marks(*[(200, 20 + 130 * each, 12, 120) for each in range(4)])
    ).any()


def test_no_marks_are_no_writing():
    assert not writing.lettered(np.zeros((50, 60), np.int32)).any()
