"""Registration finds where a picture lies, and refuses one that was reframed."""

import numpy as np
import pytest
from scipy import ndimage
from skimage import data

from restoration.engine.errors import BadInput, StepFailed
from restoration.engine.register import register, require_same_frame, warp
from tests.benchmarks.registration import corner_error, errors, picture

IDENTITY = np.eye(2, 3)


@pytest.fixture(scope="module")
def cat():
    return picture("chelsea")


def test_a_zoomed_shifted_blurred_and_noisy_copy_is_found_to_a_tenth_of_a_pixel():
    found = [error for _, error, _, _ in errors(("chelsea", "camera", "coins", "rocket"), 7)]
    assert max(found) <= 0.1


def test_a_copy_with_another_tone_curve_is_still_found(cat):
    moved = warp(cat, np.array([[1, 0, 4.4], [0, 1, -3.2]]), cat.shape)
    registration = register(cat, np.clip(moved, 0, 1) ** 0.6)
    expected = np.array([[1, 0, -4.4], [0, 1, 3.2]])
    assert corner_error(registration.matrix, expected, cat.shape) <= 0.1


def test_a_changed_part_does_not_pull_the_rest(cat):
    moving = cat.copy()
    moving[60:160, 100:200] = ndimage.gaussian_filter(moving[80:180, 130:230], (3, 3, 0))
    registration = register(cat, moving)
    assert corner_error(registration.matrix, IDENTITY, cat.shape) <= 0.1


def test_ignored_pixels_have_no_vote(cat):
    moving, ignored = cat.copy(), np.zeros(cat.shape[:2], dtype=bool)
    ignored[:, :200] = True
    moving[:, :200] = np.random.default_rng(0).random((cat.shape[0], 200, 3))
    registration = register(cat, moving, ignore=ignored)
    assert corner_error(registration.matrix, IDENTITY, cat.shape) <= 0.1
    assert registration.correlation > 0.99


def test_laying_back_undoes_the_move(cat):
    zoom = np.array([[1.02, 0, -5.5], [0, 1.02, 2.5]])
    moved = warp(cat, zoom, cat.shape)
    laid = warp(moved, register(cat, moved).matrix, cat.shape)
    assert np.abs(laid - cat)[30:-30, 30:-30].mean() < 0.01


@pytest.mark.slow
def test_a_large_picture_is_registered_at_its_own_size():
    large = np.kron(picture("chelsea"), np.ones((3, 3, 1), dtype=np.float32))
    moved = warp(large, np.array([[1, 0, 21.0], [0, 1, -9.0]]), large.shape)
    matrix = register(large, moved).matrix
    assert corner_error(matrix, np.array([[1, 0, -21.0], [0, 1, 9.0]]), large.shape) <= 0.2


def test_a_small_move_passes_and_its_shift_is_told(cat):
    registration = register(cat, warp(cat, np.array([[1, 0, 2.0], [0, 1, 0]]), cat.shape))
    require_same_frame(registration, cat.shape)
    assert registration.corner_shift_px == pytest.approx(2.0, abs=0.1)


def underlined() -> np.ndarray:
    """One short line on clean paper: all that there is to hold on to."""
    paper = np.full((480, 640), 0.9, np.float32)
    paper[300:303, 200:330] = 0.2
    return ndimage.gaussian_filter(paper, 0.7)


def starry() -> np.ndarray:
    sky = np.full((480, 640), 0.04, np.float32)
    for row, column in np.random.default_rng(0).integers(20, 460, (9, 2)):
        sky[row : row + 2, column : column + 2] = 0.9
    return ndimage.gaussian_filter(sky, 0.8)


@pytest.mark.parametrize("thing", [underlined, starry])
@pytest.mark.parametrize("grain", [0, 4])
def test_a_small_thing_on_plain_ground_holds_its_frame(thing, grain: int):
    noise = np.random.default_rng(1).normal(0, grain / 255, thing().shape)
    found = register(np.clip(thing() + noise, 0, 1).astype(np.float32), thing())
    assert found.corner_shift_px == 0.0


@pytest.mark.parametrize("by", [1.0, 1.6, 3.0, 6.0])
@pytest.mark.parametrize("thing", [underlined, starry])
def test_a_small_thing_that_was_really_shifted_is_measured(thing, by: float):
    moving = ndimage.shift(thing(), (0, by), order=3, mode="nearest").astype(np.float32)
    found = register(thing(), np.clip(moving, 0, 1))
    assert found.corner_shift_px == pytest.approx(by, abs=0.05)


@pytest.mark.parametrize("by", [0.1, 0.2, 0.3])
def test_a_part_of_a_pixel_is_found_under_grain(cat, by: float):
    grain = np.random.default_rng(2).normal(0, 8 / 255, cat.shape)
    moving = warp(cat, np.array([[1, 0, 0], [0, 1, by]]), cat.shape)
    found = register(np.clip(0.1 + 0.7 * cat + grain, 0, 1).astype(np.float32), moving)
    expected = np.array([[1, 0, 0], [0, 1, -by]])
    assert corner_error(found.matrix, expected, cat.shape) <= 0.03


@pytest.mark.parametrize(
    "matrix",
    [[[1, 0, 15.0], [0, 1, 0]], [[0.93, 0, 0], [0, 0.93, 0]], [[1, -0.06, 0], [0.06, 1, 0]]],
)
def test_a_reframed_picture_is_refused(cat, matrix):
    registration = register(cat, warp(cat, np.array(matrix), cat.shape))
    with pytest.raises(StepFailed) as refusal:
        require_same_frame(registration, cat.shape)
    assert refusal.value.code == "reframed"
    assert refusal.value.facts["corner_shift_px"] > refusal.value.facts["allowed_shift_px"]


def test_another_picture_is_refused_by_its_correlation(cat):
    other = picture("coffee")[: cat.shape[0], : cat.shape[1]]
    with pytest.raises(StepFailed, match="reframed"):
        require_same_frame(register(cat, other), cat.shape)


def test_a_flat_picture_gives_the_identity_and_no_correlation(cat):
    registration = register(cat, np.full_like(cat, 0.5))
    assert np.array_equal(registration.matrix, IDENTITY)
    assert registration.correlation == 0.0


@pytest.mark.parametrize("seed", [27, 34, 53, 54])
def test_pictures_that_leave_each_other_are_no_fit_and_no_fault(seed: int):
    rng = np.random.default_rng(seed)
    spot = np.zeros((40, 41, 3), np.float32)
    spot[rng.integers(40), rng.integers(41)] = 1
    wave = np.sin(np.arange(41) / rng.uniform(0.5, 9))[None, :, None] / 2 + 0.5
    found = register(spot, np.broadcast_to(wave, spot.shape).astype(np.float32))
    assert np.isfinite(found.matrix).all()
    with pytest.raises(StepFailed, match="reframed"):
        require_same_frame(found, spot.shape)


def test_what_cannot_be_registered_is_refused_at_the_door(cat):
    with pytest.raises(BadInput, match="sizes-differ"):
        register(cat, cat[:-1])
    with pytest.raises(BadInput, match="too-small"):
        register(cat[:8], cat[:8])
    with pytest.raises(BadInput, match="not-finite"):
        register(cat, np.full_like(cat, np.nan))


def test_the_same_pictures_give_the_same_numbers(cat):
    moved = ndimage.shift(cat, (1.3, -2.7, 0), mode="nearest")
    assert np.array_equal(register(cat, moved).matrix, register(cat, moved).matrix)


def test_grey_pictures_register_as_coloured_ones_do():
    coins = data.coins().astype(np.float32) / 255
    moved = warp(coins, np.array([[1, 0, 3.0], [0, 1, 1.0]]), coins.shape)
    assert register(coins, moved).corner_shift_px == pytest.approx(10**0.5, abs=0.1)
