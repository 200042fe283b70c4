"""Noise, the body of grain and the blocks of JPEG are measured from the picture alone."""

import numpy as np
import pytest
from scipy import ndimage

from restoration.engine import measure
from tests.engine import pictures


def whole(plane: np.ndarray) -> list[measure.Part]:
    return [(plane[..., None].astype(np.float32), np.ones(plane.shape, bool))]


def grain(shape: tuple[int, ...], body: float) -> np.ndarray:
    noise = np.random.default_rng(2).standard_normal(shape)
    if body:
        noise = ndimage.gaussian_filter(noise, body, mode="wrap")
    return noise / noise.std()


def camera() -> np.ndarray:
    return pictures.camera(448)[..., 0]


@pytest.mark.parametrize("sigma", [15, 25, 50])
def test_white_noise_is_read_within_a_twentieth(sigma: int):
    found = measure.noise(whole(camera() + grain((448, 412), 0) * sigma / 255))
    assert found.sigma == pytest.approx(sigma, rel=0.05)
    assert found.body == 0


@pytest.mark.parametrize("body", [0.5, 0.8, 1.0])
def test_grain_is_read_with_its_body(body: float):
    found = measure.noise(whole(camera() + grain((448, 412), body) * 12 / 255))
    assert found.sigma == pytest.approx(12, rel=0.1)
    assert found.body == pytest.approx(body, abs=0.1)


def test_noise_of_the_middle_tones_is_told_from_that_of_the_dark():
    ramp = np.repeat(np.linspace(0.05, 0.95, 384)[None], 384, axis=0)
    strength = 4 + 12 * (np.abs(ramp - 0.5) < 0.17)
    found = measure.noise(whole(ramp + grain(ramp.shape, 0) * strength / 255))
    dark, middle = found.at(np.array([0.15, 0.5], np.float32))
    assert middle > 1.5 * dark
    assert found.at(np.full((2, 3), 0.5, np.float32)).shape == (2, 3)


def test_a_picture_of_one_tone_has_no_noise():
    assert measure.noise(whole(np.full((64, 64), 0.5))).sigma < 0.1
    assert measure.noise(whole(np.zeros((64, 64)))).sigma == 0


@pytest.mark.parametrize(("quality", "low", "high"), [(100, 100, 100), (60, 45, 75), (20, 10, 30)])
def test_blocks_tell_the_quality_of_a_jpeg(quality: int, low: int, high: int):
    from restoration.training import degrade

    seen = camera()[..., None]
    seen = degrade.compressed(seen, quality)[3:, 5:] if quality < 100 else seen
    assert low <= measure.quality(whole(seen[..., 0])) <= high


def test_a_large_scan_is_measured_by_windows_inside_its_borders():
    scan = np.zeros((1500, 1800, 3), np.float32)
    noisy = 0.5 + grain((1300, 1600), 0) * 10 / 255
    scan[100:1400, 100:1700] = noisy[..., None]
    parts = measure.sample(scan)
    assert len(parts) == measure.WINDOWS
    assert all(planes.shape == (measure.WINDOW, measure.WINDOW, 3) for planes, _ in parts)
    assert measure.noise(parts).sigma == pytest.approx(10, rel=0.1)


def test_grain_that_is_weak_in_the_lights_is_read_as_strong_as_it_is():
    """The flattest parts of a picture are often its sky, where grain is weakest: what differs from
    block to block there is no texture, and what is read there is not all of it."""
    sky, wall = np.linspace(0.93, 0.8, 160), np.linspace(0.62, 0.38, 224)
    ground = np.concatenate([sky, wall])[:, None] + 0.01 * np.sin(np.arange(384) / 6)
    strength = 9 * (0.35 + 2.6 * ground * (1 - ground))
    overall = float(np.sqrt(np.square(strength).mean()))
    found = measure.noise(whole(ground + grain(ground.shape, 0.6) * strength / 255))
    assert found.sigma == pytest.approx(overall, rel=0.2)
