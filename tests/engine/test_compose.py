"""Composing takes what was asked from a generated picture, and nothing more."""

import numpy as np
import pytest
from scipy import ndimage

from restoration.engine.compose import high_band, inside_mask, settled
from restoration.engine.errors import BadInput, StepFailed
from restoration.engine.luma import luma
from tests.benchmarks.registration import picture


@pytest.fixture(scope="module")
def cat():
    return picture("chelsea")


@pytest.fixture
def mask(cat):
    drawn = np.zeros(cat.shape[:2], dtype=np.uint8)
    drawn[50:90, 100:160] = 255
    drawn[200, 5:400] = 1
    return drawn


def noise(shape):
    return np.random.default_rng(0).random(shape, dtype=np.float32)


def test_outside_the_mask_every_bit_is_the_base(cat, mask):
    composed = inside_mask(cat, noise(cat.shape), mask)
    assert np.array_equal(composed[mask == 0], cat[mask == 0])


def test_what_cannot_be_compared_outside_the_mask_is_no_result(cat, mask):
    torn = cat.copy()
    torn[0, 0] = np.nan
    with pytest.raises(StepFailed, match="leaked"):
        inside_mask(torn, noise(cat.shape), mask)


def test_deep_inside_the_mask_every_bit_is_the_generated_picture(cat, mask):
    generated = noise(cat.shape)
    composed = inside_mask(cat, generated, mask)
    assert np.allclose(composed[60:80, 110:150], generated[60:80, 110:150], atol=1e-6)


def test_the_seam_is_feathered_on_the_inside(cat, mask):
    composed = inside_mask(cat, np.ones_like(cat), mask, feather=8)
    across = (composed - cat)[70, 100:110].sum(axis=1) / (1 - cat)[70, 100:110].sum(axis=1)
    assert np.all(np.diff(across) >= -1e-6)
    assert 0 < across[0] < 0.2


def test_an_empty_mask_changes_nothing(cat):
    untouched = inside_mask(cat, noise(cat.shape), np.zeros(cat.shape[:2], dtype=np.uint8))
    assert np.array_equal(untouched, cat)


def test_a_mask_of_another_size_is_refused(cat, mask):
    with pytest.raises(BadInput, match="mask-size"):
        inside_mask(cat, cat, mask[1:])


def test_pictures_of_two_sizes_are_refused(cat):
    with pytest.raises(BadInput, match="sizes-differ"):
        high_band(cat, cat[1:])


def test_the_base_on_itself_stays_itself(cat):
    assert np.abs(high_band(cat, cat) - cat).max() < 1e-6


def test_the_tones_stay_those_of_the_base(cat):
    brighter = np.clip(cat * 0.5 + 0.4, 0, 1)
    composed = high_band(cat, brighter)
    soft = [ndimage.gaussian_filter(luma(each), 8) for each in (composed, cat)]
    assert np.abs(soft[0] - soft[1]).max() < 2 / 255


def test_the_colours_stay_those_of_the_base(cat):
    muted = 0.2 + 0.6 * cat
    composed = high_band(muted, np.clip(muted[..., ::-1] * 1.1, 0, 1))
    moved = (composed - luma(composed)[..., None]) - (muted - luma(muted)[..., None])
    assert np.abs(moved).max() < 1e-5


def test_a_grey_picture_stays_grey():
    camera = picture("camera")
    composed = high_band(camera, noise(camera.shape))
    assert np.ptp(composed, axis=2).max() < 1e-6


def test_sharper_detail_is_taken(cat):
    base = ndimage.gaussian_filter(cat, (1.5, 1.5, 0))
    composed = high_band(base, cat)
    assert np.abs(composed - cat).mean() < 0.5 * np.abs(base - cat).mean()


def test_detail_is_bounded_by_what_the_base_shows(cat):
    wild = noise(cat.shape)
    gentle = high_band(cat, wild, k=0.5)
    free = high_band(cat, wild, k=10)
    assert np.abs(gentle - cat).mean() < 0.5 * np.abs(free - cat).mean()


def test_a_protected_face_takes_only_its_share(cat):
    everywhere = np.full(cat.shape[:2], 255, dtype=np.uint8)
    muted, wild = 0.3 + 0.4 * cat, noise(cat.shape)
    whole = np.abs(high_band(muted, wild) - muted)
    kept = np.abs(high_band(muted, wild, protect=everywhere, protect_weight=0.3) - muted)
    assert kept.mean() == pytest.approx(0.3 * whole.mean(), rel=0.02)


def test_a_generated_patch_settles_to_the_tones_around_it(cat, mask):
    warmer = np.clip(cat * 0.9 + np.array([0.08, 0.03, 0], dtype=np.float32), 0, 1)
    after = settled(cat, warmer, mask)
    inside = mask > 0
    assert np.abs(after - cat)[inside].mean() < 0.4 * np.abs(warmer - cat)[inside].mean()
