"""What a print has lost is measured only where it is sure, and given back without clipping."""

import numpy as np
import pytest

from restoration.engine import fading, measure
from restoration.engine.fading import Fading
from restoration.engine.luma import luma
from restoration.training.ageing import age
from tests.engine import pictures

BROWN, PAPER = np.array([0.24, 0.18, 0.14]), np.array([0.92, 0.87, 0.76])
SCENES = {"camera": pictures.camera, "astronaut": pictures.astronaut, "coffee": pictures.coffee}


def measured(image: np.ndarray) -> Fading:
    _, inside = measure.luma_and_inside(image)
    return fading.measured(image, inside, measure.cast(image, inside))


def browned(share: float) -> np.ndarray:
    """The camera man, that share of the way to a print whose black is brown."""
    sound = pictures.grey(pictures.camera())
    faded = BROWN + (PAPER - BROWN) * sound
    return (sound + share * (faded - sound)).astype(np.float32)


@pytest.mark.parametrize("scene", SCENES)
def test_a_sound_print_has_lost_nothing(scene: str):
    assert measured(pictures.grey(SCENES[scene]())).gain == 0


def test_a_sepia_print_with_a_deep_black_has_hardly_lost_anything():
    tint = np.array([1.0, 0.85, 0.62])
    assert measured((pictures.grey(pictures.camera()) * tint).astype(np.float32)).loss < 0.03


def test_mist_under_a_white_sky_is_not_taken_for_fading():
    misty = (0.3 + 0.65 * pictures.grey(pictures.camera())).astype(np.float32)
    assert measured(misty).gain == 0


def test_lights_alone_say_nothing():
    dusk = (0.6 * pictures.grey(pictures.camera())).astype(np.float32)
    assert measured(dusk).gain == 0


def test_a_grey_print_with_neither_black_nor_white_has_faded():
    assert measured((0.3 + 0.4 * pictures.grey(pictures.camera())).astype(np.float32)).loss > 0.1


def test_the_browner_the_blacks_the_more_was_lost():
    lost = [measured(browned(share)).gain for share in (0.25, 0.5, 1.0)]
    assert 0.03 < lost[0] < lost[1] < lost[2]


def test_dust_and_a_black_frame_do_not_hide_that_a_print_has_faded():
    print_ = browned(1.0)
    dusty = print_.copy()
    dusty[pictures.specks(dusty.shape, 60)] = 0
    framed = np.pad(dusty, ((16, 16), (16, 16), (0, 0)))
    assert measured(framed).gain == pytest.approx(measured(print_).gain, rel=0.25)


@pytest.mark.parametrize("strength", [0.1, 0.5, 1.0])
@pytest.mark.parametrize("tones", [(0.25, 0.5, 0.75), (0.1, 0.3, 0.9), (0.02, 0.8, 0.99)])
def test_the_curve_always_rises_and_keeps_both_ends(strength: float, tones: tuple[float, ...]):
    knots = Fading(*tones, tint=0.0).curve(strength)
    assert (np.diff(knots, axis=0) > 0).all()
    assert knots[0].tolist() == [0, 0]
    assert knots[-1].tolist() == [1, 1]
    assert (np.diff(knots[:, 1]) / np.diff(knots[:, 0])).max() < fading.STEEPEST + 0.01


def test_nothing_happens_at_no_strength_nor_to_a_full_print():
    for found, strength in ((Fading(0.2, 0.5, 0.8, 0), 0.0), (Fading(0.01, 0.5, 0.99, 0), 1.0)):
        knots = found.curve(strength)
        assert np.abs(knots[:, 1] - knots[:, 0]).max() < 1e-12


def test_the_whole_strength_gives_a_black_and_a_white_and_no_more():
    knots = Fading(0.25, 0.5, 0.8, 0.0).curve(1.0)
    black, white = np.interp([0.25, 0.8], knots[:, 0], knots[:, 1])
    assert fading.BLACK - 0.01 <= black < 0.08
    assert 0.92 < white <= fading.WHITE + 0.01


def test_the_measured_strength_gives_back_what_was_lost():
    found = measured(browned(1.0))
    knots = found.curve(found.strength)
    near = np.abs(knots[:, 0] - found.pivot) < 0.15
    slope = np.polyfit(*knots[near].T, 1)[0]
    assert slope == pytest.approx(1 + found.gain, abs=0.01)


@pytest.mark.slow
@pytest.mark.parametrize("severity", [0.15, 0.5, 0.8])
@pytest.mark.parametrize("scene", SCENES)
def test_an_aged_print_comes_nearer_to_what_it_was(scene: str, severity: float):
    picture = pictures.grey(SCENES[scene]())
    aged, damage = age(picture, seed=5, severity=severity)
    found, sound = measured(aged), damage == 0
    before, truth = luma(aged)[sound], luma(picture)[sound]
    knots = found.curve(found.strength)
    after = np.interp(before, knots[:, 0], knots[:, 1])
    assert np.square(after - truth).mean() < np.square(before - truth).mean()
