"""Twice the size, nothing moved, nothing ringing."""

import numpy as np
import pytest

from restoration.engine.errors import BadInput
from restoration.engine.image import resize
from restoration.engine.step import StepContext
from restoration.engine.steps import upscale
from tests.engine import pictures


def doubled(image: np.ndarray, sharpen: float = 0.4) -> np.ndarray:
    return upscale.run(StepContext(image=image, reference=image), {"sharpen": sharpen}).image


def test_brought_back_to_its_size_it_is_the_same_picture():
    picture = pictures.astronaut()
    wide = doubled(picture)
    assert wide.shape == (512, 512, 3)
    assert np.abs(resize(wide, 256, 256) - picture).mean() < 0.012


def test_an_edge_does_not_ring():
    step = np.full((64, 64, 3), 0.25, np.float32)
    step[:, 32:] = 0.75
    wide = doubled(step, sharpen=1.0)
    assert wide.min() > 0.22
    assert wide.max() < 0.78


def test_it_is_sharper_than_a_plain_enlargement():
    picture = pictures.grey(pictures.camera())
    slopes = [
        np.abs(np.diff(wide, axis=1)).max()
        for wide in (doubled(picture, 1.0), doubled(picture, 0.0))
    ]
    assert slopes[0] >= slopes[1]


def test_more_than_100_megapixels_are_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(upscale, "MOST_PIXELS", 4 * 64 * 64 - 1)
    with pytest.raises(BadInput) as caught:
        doubled(np.full((64, 64, 3), 0.5, np.float32))
    assert caught.value.code == "image-too-large"
