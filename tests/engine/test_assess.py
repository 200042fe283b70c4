"""The assessment measures what is there and suggests only what a scan asks for."""

import json

import numpy as np
import pytest

from restoration.engine.catalog import spec
from restoration.engine.errors import BadInput
from restoration.engine.luma import luma
from restoration.engine.plan import Plan, StepPlan
from restoration.engine.restore import Inputs, restore
from restoration.engine.steps.assess import assess
from restoration.training.ageing import age
from tests.engine import pictures


def suggested(image: np.ndarray) -> set[str]:
    return {row["step"] for row in assess(image).suggestion}


@pytest.mark.slow
@pytest.mark.parametrize("sigma", [8, 15, 25])
def test_the_noise_is_measured(sigma: float):
    found = assess(pictures.noisy(pictures.grey(pictures.camera()), sigma)).noise_sigma
    assert abs(found - sigma) < 0.1 * sigma


@pytest.mark.slow
def test_grey_sepia_and_colour_are_told_apart():
    colour = pictures.coffee()
    grey = pictures.grey(colour)
    sepia = (0.1 + 0.8 * grey * np.array([1.0, 0.85, 0.62], np.float32)).astype(np.float32)
    found = [assess(picture) for picture in (colour, grey, sepia)]
    assert [told.grey for told in found] == [False, True, False]
    assert [told.sepia for told in found] == [False, False, True]
    assert [told.monochrome for told in found] == [False, True, True]


def test_a_grey_picture_with_a_faint_tint_was_not_taken_in_colour():
    grey = pictures.grey(pictures.camera())
    faint = (grey * np.array([0.97, 1.0, 0.965], np.float32)).astype(np.float32)
    found = assess(faint)
    assert (found.grey, found.sepia, found.monochrome) == (False, False, True)


def test_a_face_is_found_where_it_is():
    boxes = assess(pictures.astronaut(400)).faces
    assert any(x < 0.3 < x + w and y < 0.3 < y + h for x, y, w, h in boxes)


def test_a_sound_picture_is_left_alone():
    assert suggested(pictures.grey(pictures.camera())) <= {"upscale"}


def test_a_faded_print_gets_its_tones_and_a_noisy_one_its_calm():
    faded = (0.3 + 0.4 * pictures.grey(pictures.camera())).astype(np.float32)
    assert "tone" in suggested(faded)
    assert "denoise" in suggested(pictures.noisy(pictures.grey(pictures.camera()), 15))


def test_dust_is_seen_and_repair_is_suggested():
    dusty = pictures.grey(pictures.camera())
    dusty[pictures.specks(dusty.shape, 60)] = 1
    found = assess(dusty)
    assert found.damage != "none"
    assert "repair" in suggested(dusty)
    assert found.mask.shape == dusty.shape[:2]


@pytest.mark.slow
def test_the_black_frame_of_a_negative_is_not_picture_and_not_damage():
    framed = np.zeros((300, 320, 3), np.float32)
    framed[22:278, 32:288] = pictures.grey(pictures.camera())
    framed[8:14, 60:160:7] = 1
    found = assess(framed)
    assert found.picture_area < 0.75
    assert found.mask[:20].max() == 0


def test_suggestions_fit_the_catalog_and_everything_is_json():
    found = assess(age(pictures.astronaut(), seed=3, severity=0.8)[0])
    for row in found.suggestion:
        spec(row["step"]).settled(row["settings"], "embedded")
        assert row["reason"]
        assert row["facts"]
    assert json.loads(json.dumps(found.to_json())) == found.to_json()


@pytest.mark.slow
def test_the_same_scan_is_assessed_the_same_way():
    scan = age(pictures.astronaut(), seed=3)[0]
    assert assess(scan) == assess(scan)


@pytest.mark.slow
def test_a_strip_of_film_however_long_is_assessed():
    strip = np.tile(pictures.camera()[:16], (1, 24, 1))
    assert assess(pictures.noisy(strip, 3)).width == strip.shape[1]


def test_nothing_is_guessed_about_what_is_no_picture():
    with pytest.raises(BadInput):
        assess(np.zeros((300, 300), np.float32))


def restored(image: np.ndarray) -> np.ndarray:
    """By the recipe as suggested; a small picture is not enlarged."""
    steps = tuple(
        StepPlan(row["step"], settings=row["settings"])
        for row in assess(image).suggestion
        if row["step"] != "upscale"
    )
    if not steps:
        return image
    return restore(image, Plan(steps), Inputs(), None, lambda *told: None).image


@pytest.mark.parametrize("severity", [0.15, 0.5])
def test_what_is_suggested_makes_no_sound_pixel_worse(severity: float):
    picture = pictures.grey(pictures.camera())
    aged, damage = age(picture, seed=4, severity=severity)
    sound = damage == 0
    errors = [
        np.square(luma(each)[sound] - luma(picture)[sound]).mean()
        for each in (aged, restored(aged))
    ]
    assert errors[1] < errors[0]


@pytest.mark.slow
def test_as_much_tone_is_suggested_as_was_lost():
    picture = pictures.grey(pictures.camera())
    found = [assess(age(picture, seed=4, severity=each)[0]) for each in (0.1, 0.8)]
    assert found[0].fading < found[1].fading
    rows = [row for told in found for row in told.suggestion if row["step"] == "tone"]
    assert [row["settings"]["strength"] for row in rows] == [told.tone for told in found]


@pytest.mark.slow
def test_a_strong_cast_alone_is_no_reason_to_stretch():
    tint = np.array([1.0, 0.75, 0.3], np.float32)
    found = assess((pictures.grey(pictures.camera()) * tint).astype(np.float32))
    rows = [row for row in found.suggestion if row["step"] == "tone"]
    assert [(row["reason"], row["settings"]["strength"]) for row in rows] == [("strong-cast", 0.0)]


@pytest.mark.slow
def test_a_picture_that_is_full_of_one_colour_keeps_it():
    """A red door, photographed in colour: no print has faded to it."""
    door = pictures.astronaut(256).copy()
    door[40:, :, 0] = np.clip(0.35 + 0.6 * door[40:, :, 0], 0, 1)
    door[40:, :, 1:] *= 0.35
    found = assess(door)
    assert abs(found.cast_a) > 12
    assert not [row for row in found.suggestion if row["reason"] == "strong-cast"]


@pytest.mark.slow
@pytest.mark.parametrize("sigma", [3.4, 15])
def test_noise_is_calmed_but_some_of_the_grain_stays(sigma: float):
    found = assess(pictures.noisy(pictures.grey(pictures.camera()), sigma))
    rows = [row for row in found.suggestion if row["step"] == "denoise"]
    taken = [row["settings"]["strength"] * (1 - row["settings"]["grain"]) for row in rows]
    assert taken == [pytest.approx(0.6)]
