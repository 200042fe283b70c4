"""Tone is one monotone curve, written down, and a gentle hand with the colour of the print."""

import numpy as np

from restoration.engine.luma import chroma, luma
from restoration.engine.step import StepContext, StepResult
from restoration.engine.steps import tone
from tests.engine import pictures


def toned(image: np.ndarray, strength: float = 1.0, cast: float = 0.0) -> StepResult:
    context = StepContext(image=image, reference=image)
    return tone.run(context, {"strength": strength, "cast": cast})


def faded() -> np.ndarray:
    return (0.3 + 0.4 * pictures.grey(pictures.camera())).astype(np.float32)


def sepia() -> np.ndarray:
    tint = np.array([1.0, 0.85, 0.62], np.float32)
    return (0.1 + 0.8 * pictures.grey(pictures.camera()) * tint).astype(np.float32)


def test_a_faded_print_gets_its_range_back():
    result = toned(faded())
    low, high = np.quantile(luma(result.image), [0.01, 0.99])
    assert high - low > 0.75


def test_the_order_of_brightness_never_changes_and_the_curve_is_written_down():
    result = toned(faded())
    order = np.argsort(luma(faded()).ravel(), kind="stable")
    assert (np.diff(luma(result.image).ravel()[order]) > -1e-5).all()
    curve = np.array(result.record["curve"])
    assert (np.diff(curve[:, 0]) > 0).all()
    assert (np.diff(curve[:, 1]) >= 0).all()
    again = np.interp(luma(faded()), curve[:, 0], curve[:, 1])
    assert np.abs(again - luma(result.image)).max() < 1e-4


def test_half_the_strength_goes_half_the_way():
    moves = [np.abs(toned(faded(), strength).image - faded()).mean() for strength in (0.5, 1.0)]
    assert 0.35 < moves[0] / moves[1] < 0.65


def test_a_full_picture_is_left_alone_and_says_so():
    picture = pictures.grey(pictures.camera())
    result = toned(picture, strength=0.0, cast=1.0)
    assert [told["code"] for told in result.notes] == ["tone-already-full"]
    assert np.abs(result.image - picture).max() < 1e-6


def test_sepia_stays_unless_somebody_asks():
    kept, neutral = toned(sepia(), cast=0.0).image, toned(sepia(), cast=1.0).image
    assert np.abs(chroma(kept)).mean() > 0.5 * np.abs(chroma(sepia())).mean()
    assert np.abs(chroma(neutral)).mean() < 0.12 * np.abs(chroma(sepia())).mean()


def test_nothing_is_pushed_against_the_ends():
    result = toned(faded()).image
    assert (result <= 0).mean() < 0.01
    assert (result >= 1).mean() < 0.01
