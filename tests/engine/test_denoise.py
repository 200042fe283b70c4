"""Denoise takes noise and leaves the picture and some grain."""

import numpy as np
import pytest

from restoration.engine.luma import chroma
from restoration.engine.step import StepContext, StepResult
from restoration.engine.steps import denoise
from tests.engine import pictures


def calmed(image: np.ndarray, strength: float = 1.0, grain: float = 0.0) -> StepResult:
    context = StepContext(image=image, reference=image)
    return denoise.run(context, {"strength": strength, "grain": grain})


def psnr(one: np.ndarray, other: np.ndarray) -> float:
    return float(-10 * np.log10(np.mean(np.square(one - other))))


@pytest.mark.parametrize(("sigma", "gain"), [(15, 3.5), (25, 5.0)])
def test_the_picture_comes_nearer_to_what_it_was(sigma: float, gain: float):
    clean = pictures.grey(pictures.camera())
    noisy = pictures.noisy(clean, sigma)
    assert psnr(calmed(noisy).image, clean) > psnr(noisy, clean) + gain


def test_some_grain_stays_when_asked():
    noisy = pictures.noisy(pictures.grey(pictures.camera()), 15)
    taken = [np.abs(calmed(noisy, 1.0, grain).image - noisy).mean() for grain in (0.0, 0.5)]
    assert 0.4 < taken[1] / taken[0] < 0.6


def test_coloured_speckle_goes_and_grey_stays_grey():
    rng = np.random.default_rng(0)
    speckled = pictures.coffee() + rng.normal(0, 0.05, pictures.coffee().shape)
    speckled = np.clip(speckled, 0, 1).astype(np.float32)
    before = np.abs(chroma(speckled) - chroma(pictures.coffee())).mean()
    after = np.abs(chroma(calmed(speckled).image) - chroma(pictures.coffee())).mean()
    assert after < 0.6 * before
    grey = calmed(pictures.noisy(pictures.grey(pictures.camera()), 10)).image
    assert np.ptp(grey, axis=2).max() < 1e-5


def test_a_picture_without_noise_is_left_alone_and_says_so():
    smooth = np.repeat(np.linspace(0.1, 0.9, 96 * 96, dtype=np.float32).reshape(96, 96, 1), 3, 2)
    result = calmed(np.ascontiguousarray(smooth))
    assert [told["code"] for told in result.notes] == ["no-noise-found"]
    assert np.array_equal(result.image, smooth)


def test_strips_leave_no_seam(monkeypatch: pytest.MonkeyPatch):
    noisy = pictures.noisy(pictures.grey(pictures.camera()), 15)
    whole = calmed(noisy).image
    monkeypatch.setattr(denoise, "STRIP", 64)
    assert np.abs(calmed(noisy).image - whole).max() < 1e-4
