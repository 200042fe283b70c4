"""Marks are judged whole, and by what else was found: in the picture, and around them."""

from dataclasses import replace

import numpy as np

from restoration.engine import judging

DOUBTFUL, SURE = -1.5, 4.0


def dots(rows: int, columns: int, corner: tuple[int, int] = (0, 0), step: int = 12) -> np.ndarray:
    """Numbered marks of nine pixels on a sheet of 480x480, in rows from a corner."""
    labels = np.zeros((480, 480), np.int32)
    for number in range(rows * columns):
        top = corner[0] + 4 + step * (number // columns)
        left = corner[1] + 4 + step * (number % columns)
        labels[top : top + 3, left : left + 3] = number + 1
    return labels


def together(*sheets: np.ndarray) -> np.ndarray:
    """One sheet, the marks numbered on."""
    whole = np.zeros_like(sheets[0])
    for sheet in sheets:
        whole = np.where(sheet > 0, sheet + whole.max(), whole)
    return whole


def leaning(said: np.ndarray, labels: np.ndarray) -> np.ndarray:
    return judging.leaning(said, judging.Places(labels), judging.OF_SCANS)


def test_a_picture_without_marks_has_nothing_to_judge():
    nothing = np.zeros((32, 32), np.int32)
    light = np.full((32, 32), 0.5, np.float32)
    assert not judging.believed(np.zeros((32, 32, 4), np.uint8), nothing, light, 0.0).any()


def test_where_all_marks_are_doubtful_each_is_doubted_more():
    labels = dots(20, 20)
    assert leaning(np.full(400, DOUBTFUL), labels).max() < -1


def test_a_doubtful_mark_among_sure_ones_is_believed_more():
    labels = dots(20, 20)
    said = np.full(400, SURE)
    said[::10] = DOUBTFUL
    assert leaning(said, labels).min() > 0


def test_one_mark_alone_is_hardly_judged_by_itself():
    assert abs(float(leaning(np.array([DOUBTFUL]), dots(1, 1))[0])) < 0.3


def test_sure_marks_on_a_wall_do_not_speak_for_the_dots_of_a_dress():
    wall, dress = dots(14, 38), dots(14, 38, (300, 0))
    labels = together(wall, dress)
    said = np.concatenate([np.full(14 * 38, SURE), np.full(14 * 38, DOUBTFUL)])
    found = leaning(said, labels)
    assert found[: 14 * 38].min() > 0
    assert np.median(found[14 * 38 :]) < -1


def test_sure_marks_make_others_so_much_more_likely_and_never_more():
    labels = dots(30, 30)
    assert leaning(np.full(900, 9.0), labels).max() <= judging.MOST_LEANING


def test_a_mark_of_a_tone_that_is_found_nowhere_else_is_the_more_unusual():
    light = np.tile(np.linspace(0.2, 0.6, 480, dtype=np.float32), (480, 1))
    labels = dots(1, 2, (200, 200), step=40)
    light[labels == 1] = 0.95
    light[labels == 2] = 0.45
    planes = (labels > 0)[..., None].astype(np.uint8) * np.array([250, 0, 0, 0], np.uint8)
    rare, common = judging.measured(planes, labels, light)
    assert rare[4] < common[4] - 2  # commonness, a logarithm
    assert rare[3] > common[3]  # contrast


def test_a_broad_mark_as_bright_as_its_surroundings_is_not_filled():
    labels = np.zeros((480, 480), np.int32)
    labels[60:180, 60:180], labels[300:420, 300:420] = 1, 2
    light = np.full((480, 480), 0.4, np.float32)
    light += np.random.default_rng(3).normal(0, 0.004, light.shape).astype(np.float32)
    light[labels == 1] += 0.01
    light[labels == 2] += 0.45
    planes = (labels > 0)[..., None].astype(np.uint8) * np.array([250, 0, 0, 0], np.uint8)
    assert judging.believed(planes, labels, light, -20.0).tolist() == [False, False, True]


def test_one_judge_alone_is_not_believed(monkeypatch):
    labels = dots(1, 1, (200, 200))
    light = np.full((480, 480), 0.3, np.float32)
    light[labels > 0] = 0.95
    planes = (labels > 0)[..., None].astype(np.uint8) * np.array([250, 0, 250, 0], np.uint8)
    assert judging.believed(planes, labels, light, 0.0).tolist() == [False, True]
    doubting = replace(judging.OF_UNDAMAGED, bias=-40.0)
    for judges in [(judging.OF_SCANS, doubting), (doubting, judging.OF_SCANS)]:
        monkeypatch.setattr(judging, "JUDGES", judges)
        assert judging.believed(planes, labels, light, 0.0).tolist() == [False, False]


def test_what_kind_a_mark_is_counts_for_the_second_judge():
    labels = dots(1, 2, (200, 200), step=40)
    light = np.full((480, 480), 0.3, np.float32)
    light[labels > 0] = 0.95
    planes = np.zeros((480, 480, 4), np.uint8)
    planes[labels > 0, 0] = 250
    planes[labels == 2, 2] = 250  # emulsion that came off
    facts = judging.measured(planes, labels, light)
    assert facts.shape == (2, judging.FACTS)
    unknown, flaked = judging.OF_UNDAMAGED.of(facts)
    assert flaked > unknown + 0.5
