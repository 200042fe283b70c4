"""The dots of a printing press are found and taken out; a photograph is left as it is."""

import numpy as np
import pytest
from scipy import ndimage

from restoration.engine import screen
from restoration.engine.plan import Plan, StepPlan
from restoration.engine.restore import Inputs, restore
from restoration.engine.step import StepContext, StepResult
from restoration.engine.steps import descreen
from restoration.engine.steps.assess import assess
from tests.engine import pictures

BRICKS = (24, 60)


def printed(image: np.ndarray, period: float = 4.0, degrees: float = 45.0) -> np.ndarray:
    """As a press prints it and a scanner sees it: black dots as large as the place is dark."""
    rows, columns = np.mgrid[: image.shape[0], : image.shape[1]]
    turn = np.deg2rad(degrees)
    across = (columns * np.cos(turn) + rows * np.sin(turn)) * 2 * np.pi / period
    down = (rows * np.cos(turn) - columns * np.sin(turn)) * 2 * np.pi / period
    dots = 0.5 + 0.25 * (np.cos(across) + np.cos(down))
    ink = 1 / (1 + np.exp(-(image - dots[..., None]) * 12))
    seen = ndimage.gaussian_filter(ink, (0.6, 0.6, 0))
    return (0.1 + 0.8 * seen).astype(np.float32)


def photograph() -> np.ndarray:
    return pictures.grey(pictures.astronaut(512))


def run(image: np.ndarray, strength: float = 1.0) -> StepResult:
    return descreen.run(StepContext(image=image, reference=image), {"strength": strength})


def unlike(one: np.ndarray, other: np.ndarray) -> float:
    """How far two pictures differ once the tones of the first are fitted to those of the second."""
    slope, offset = np.polyfit(one.ravel(), other.ravel(), 1)
    return float(np.sqrt(np.square(slope * one + offset - other).mean()))


@pytest.mark.parametrize("period", [3.0, pytest.param(4.0, marks=pytest.mark.slow), 6.0])
@pytest.mark.parametrize("degrees", [45.0, pytest.param(30.0, marks=pytest.mark.slow)])
def test_the_dots_go_and_the_picture_stays(period, degrees):
    picture = photograph()
    dotted = printed(picture, period, degrees)
    result = run(dotted)
    assert result.meters["screen"] > screen.SURE
    assert unlike(result.image, picture) < 0.7 * unlike(dotted, picture)
    assert screen.found(result.image[..., 0]) is None


@pytest.mark.slow
def test_half_the_strength_leaves_dots():
    dotted = printed(photograph())
    half = np.abs(run(dotted, 0.5).image - dotted).mean()
    assert 0.3 < half / np.abs(run(dotted).image - dotted).mean() < 0.7


@pytest.mark.parametrize("make", [pictures.astronaut, pictures.camera, pictures.coffee])
def test_a_photograph_has_none_and_is_not_touched(make):
    picture = make()
    result = run(picture)
    assert result.image is picture
    assert [told["code"] for told in result.notes] == ["no-screen-found"]


def test_a_wall_of_bricks_is_no_screen():
    wall = pictures.noisy(np.full((512, 512, 3), 0.55, np.float32), 4)
    wall[:: BRICKS[0]] = 0.8
    wall[:, :: BRICKS[1]] = 0.8
    assert descreen.found(wall) == [None, None, None]


@pytest.mark.parametrize("degrees", [5, 12, 20])
def test_slanted_clapboards_are_no_screen(degrees: int):
    """Lines in one direction over the whole picture; a press prints dots."""
    picture = np.kron(pictures.grey(pictures.astronaut(384)), np.ones((2, 2, 1), np.float32))
    rows, columns = np.indices([4 * side for side in picture.shape[:2]], np.float32) / 4
    turn = np.deg2rad(degrees)
    wave = 0.3 * np.sin(columns / 70) + 0.3 * np.sin(rows / 90)  # no carpenter is that even
    place = (rows * np.cos(turn) - columns * np.sin(turn)) / 8 + wave
    lines = np.where(place % 1 < 0.35, -1.0, 1.0)
    lines = lines.reshape(picture.shape[0], 4, picture.shape[1], 4).mean(axis=(1, 3))
    walled = 0.15 + 0.7 * picture + 0.12 * ndimage.gaussian_filter(lines, 0.6)[..., None]
    assert not any(descreen.found(np.clip(walled, 0, 1).astype(np.float32)))


def test_a_dotted_dress_in_a_corner_is_no_screen():
    picture = photograph()
    dress = picture.copy()
    dress[300:, 300:] = printed(picture)[300:, 300:]
    assert descreen.found(dress) == [None, None, None]


@pytest.mark.slow
def test_a_large_print_is_done_by_strips_as_if_at_once(monkeypatch):
    dotted = printed(photograph())
    whole = run(dotted).image
    monkeypatch.setattr(descreen, "STRIP", screen.SIDE)
    assert np.array_equal(run(dotted).image, whole)


@pytest.mark.slow
def test_each_ink_has_a_screen_of_its_own():
    picture = pictures.astronaut(512)
    picture[..., 1] = printed(picture, 4.0)[..., 1]
    seen = descreen.found(picture)
    assert [each is not None for each in seen] == [False, True, False]
    changed = np.abs(run(picture).image - picture).mean(axis=(0, 1))
    assert changed[1] > 0.02
    assert changed[[0, 2]].max() == 0


def test_a_lattice_in_one_colour_that_does_not_show_in_luma_is_no_screen():
    """As JPEG leaves one, because it keeps colours at half the size."""
    picture = photograph()
    dots = printed(picture)[..., 0] - picture[..., 0]
    picture[..., 2] = np.clip(picture[..., 2] + 0.3 * dots, 0, 1)
    picture[..., 0] = np.clip(picture[..., 0] - 0.3 * dots * 0.114 / 0.299, 0, 1)
    assert screen.found(picture[..., 2]) is not None
    assert descreen.found(picture) == [None, None, None]


def test_a_small_picture_says_nothing_of_screens():
    assert screen.found(np.full((200, 600), 0.5, np.float32)) is None


@pytest.mark.slow
def test_a_print_is_suggested_to_lose_its_dots_and_measured_without_them():
    picture = photograph()
    plain, dotted = assess(picture), assess(printed(picture))
    assert (plain.screen, dotted.screen > screen.SURE) == (0.0, True)
    assert "descreen" not in [row["step"] for row in plain.suggestion]
    first = dotted.suggestion[0]
    assert (first["step"], first["reason"]) == ("descreen", "printed")
    assert dotted.damage == plain.damage


@pytest.mark.slow
def test_damage_is_looked_for_without_the_dots():
    dotted = printed(photograph())
    steps = (StepPlan("descreen"), StepPlan("repair"))
    made = restore(dotted, Plan(steps), Inputs(), None, lambda *_told, **_more: None)
    assert (made.maps["repaired"] > 0).mean() < 0.002
    assert made.meters["guard"]["verdict"] != "fail"
