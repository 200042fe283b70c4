"""Twice the size, nothing moved, nothing ringing, nothing that was not there."""

import numpy as np
import pytest

from restoration.engine.errors import BadInput
from restoration.engine.image import resize
from restoration.engine.step import StepContext, StepResult
from restoration.engine.steps import upscale
from tests.engine import pictures


def run(image: np.ndarray, sharpen: float = 0.0) -> StepResult:
    return upscale.run(StepContext(image=image, reference=image), {"sharpen": sharpen})


def doubled(image: np.ndarray, sharpen: float = 0.0) -> np.ndarray:
    return run(image, sharpen).image


@pytest.mark.parametrize("sharpen", [0.0, 1.0])
def test_made_small_again_it_is_the_same_picture(sharpen):
    picture = pictures.astronaut()
    wide = doubled(picture, sharpen)
    assert wide.shape == (512, 512, 3)
    assert np.abs(resize(wide, 256, 256) - picture).mean() < 1 / 255


def line_art() -> np.ndarray:
    """Hatching of black on white, without any grey between."""
    rows, columns = np.mgrid[:96, :128]
    ink = ((rows + columns) % 5 < 2) & (rows > 20)
    return np.repeat(np.where(ink, 0.04, 0.98).astype(np.float32)[..., None], 3, axis=2)


def test_line_art_is_enlarged_too():
    done = run(line_art())
    assert done.record["reduced_by"] == "mean"
    small = done.image.reshape(96, 2, 128, 2, 3).mean(axis=(1, 3))
    assert np.abs(small - line_art()).mean() < 1 / 255


def test_strong_grain_is_kept_too():
    grainy = pictures.noisy(pictures.grey(pictures.camera()), 25)
    done = run(grainy)
    assert np.abs(resize(done.image, 256, 256) - grainy).mean() < 1 / 255
    assert done.record["returned"] < 1


def test_a_halved_picture_comes_back_better_than_by_lanczos():
    for make in (pictures.astronaut, pictures.camera, pictures.coffee):
        picture = pictures.grey(make())
        small = np.clip(resize(picture, picture.shape[0] // 2, picture.shape[1] // 2), 0, 1)
        plain = np.clip(resize(small, *picture.shape[:2]), 0, 1)
        own = doubled(small)
        assert np.square(own - picture).mean() < 0.95 * np.square(plain - picture).mean()


@pytest.mark.parametrize("sharpen", [0.0, 1.0])
def test_an_edge_does_not_ring(sharpen):
    step = np.full((64, 64, 3), 0.25, np.float32)
    step[:, 32:] = 0.75
    wide = doubled(step, sharpen)
    assert wide.min() > 0.22
    assert wide.max() < 0.78


def test_it_can_be_sharper():
    picture = pictures.grey(pictures.camera())
    rough = [np.abs(np.diff(doubled(picture, amount), axis=1)).mean() for amount in (1.0, 0.0)]
    assert rough[0] > rough[1]


def test_strips_leave_no_trace(monkeypatch: pytest.MonkeyPatch):
    whole = doubled(pictures.astronaut())
    monkeypatch.setattr(upscale, "STRIP", 90)
    assert np.abs(doubled(pictures.astronaut()) - whole).max() < 1e-5


def test_more_than_100_megapixels_are_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(upscale, "MOST_PIXELS", 4 * 64 * 64 - 1)
    with pytest.raises(BadInput) as caught:
        doubled(np.full((64, 64, 3), 0.5, np.float32))
    assert caught.value.code == "image-too-large"
