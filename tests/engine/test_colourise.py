"""Colour goes where somebody put it, as far as it belongs, and never moves the luma."""

from typing import Any

import numpy as np
import pytest

from restoration.engine.errors import BadInput, StepFailed
from restoration.engine.luma import chroma, luma
from restoration.engine.plan import Dab, Region
from restoration.engine.step import StepContext, StepResult
from restoration.engine.steps import colourise
from tests.engine import pictures

RED, BLUE = (200, 30, 40), (40, 80, 170)


def coloured(
    image: np.ndarray, strength: float = 1.0, reach: float = 0.5, guess: float = 0.0, **hints: Any
) -> StepResult:
    context = StepContext(image=image, reference=image, **hints)
    return colourise.run(context, {"strength": strength, "reach": reach, "guess": guess})


def two_fields() -> np.ndarray:
    """A dark field left, a light field right."""
    field = np.full((160, 240, 3), 0.3, np.float32)
    field[:, 120:] = 0.7
    return pictures.noisy(field, 2)


@pytest.mark.parametrize("rgb", [(255, 0, 0), (0, 0, 255), (0, 255, 0), (255, 255, 0), (0, 0, 0)])
def test_the_luma_moves_by_less_than_half_a_level_for_extreme_colours(rgb):
    picture = pictures.grey(pictures.astronaut(160))
    dabs = tuple(Dab(x, y, rgb, 0.05) for x in (0.2, 0.5, 0.8) for y in (0.2, 0.5, 0.8))
    result = coloured(picture, dabs=dabs)
    stored = np.rint(result.image * 255) @ [0.299, 0.587, 0.114]
    assert np.abs(luma(result.image) - luma(picture)).max() * 255 < 0.01
    assert np.abs(stored - luma(picture) * 255).max() <= 0.51
    assert result.meters["most_luma_move"] <= 0.5


def test_colour_that_moves_the_luma_is_no_result(monkeypatch):
    real = colourise.on_luma
    monkeypatch.setattr(colourise, "on_luma", lambda *words: real(*words) + np.float32(0.6 / 255))
    with pytest.raises(StepFailed, match="luma-moved"):
        coloured(two_fields(), dabs=(Dab(0.2, 0.5, RED, 0.02),))


def test_a_dab_fills_its_own_field_and_stops_at_the_edge():
    image = coloured(two_fields(), reach=1.0, dabs=(Dab(0.25, 0.5, RED),)).image
    tint = np.abs(chroma(image)).sum(axis=2)
    assert tint[40:120, 30:100].mean() > 0.2
    assert tint[40:120, 140:].mean() < 0.15 * tint[40:120, 30:100].mean()


def test_a_dab_at_an_edge_speaks_of_the_side_on_which_its_middle_lies():
    found = coloured(two_fields(), dabs=(Dab(118 / 239, 0.5, RED, 0.03),))
    tint = np.abs(chroma(found.image)).max(axis=2)
    assert tint[75:85, 60:115].mean() > 0.1
    assert tint[75:85, 124:180].mean() < 0.02


def test_one_dab_colours_a_whole_even_wall_with_the_settings_as_they_come():
    tint = np.abs(chroma(coloured(two_fields(), dabs=(Dab(0.25, 0.5, RED),)).image)).sum(axis=2)
    assert tint[5:155, 5:110].min() > 0.8 * tint[80, 60]


def test_a_dab_on_a_face_leaves_the_darker_cap_above_it_alone():
    picture = np.full((160, 240, 3), 0.62, np.float32)
    picture[:60] = 0.2
    picture[56:64] = np.linspace(0.2, 0.62, 8, dtype=np.float32)[:, None, None]  # a soft seam
    tint = np.abs(chroma(coloured(picture, dabs=(Dab(0.5, 0.7, RED),)).image)).sum(axis=2)
    assert tint[70:].min() > 0.1
    assert tint[:52].max() < 0.02


def test_two_dabs_keep_to_their_own_sides():
    image = coloured(two_fields(), dabs=(Dab(0.25, 0.5, RED), Dab(0.75, 0.5, BLUE))).image
    left, right = (
        chroma(image)[60:100, 50:70].mean((0, 1)),
        chroma(image)[60:100, 170:190].mean((0, 1)),
    )
    assert left[0] > 0.1 > left[2]
    assert right[2] > 0.1 > right[0]


def test_far_from_every_dab_the_picture_stays_grey():
    picture = pictures.grey(pictures.astronaut(160))
    image = coloured(picture, reach=0.1, dabs=(Dab(0.1, 0.1, RED),)).image
    assert np.abs(chroma(image)[90:, 90:]).max() < 1e-4


@pytest.mark.parametrize("word", ["army green", "军绿", "grey-blue", "灰蓝色"])
def test_a_region_takes_the_colour_of_its_word_in_either_language(word: str):
    square = ((0.3, 0.3), (0.7, 0.3), (0.7, 0.7), (0.3, 0.7))
    picture = np.full((120, 120, 3), 0.5, np.float32)
    result = coloured(picture, regions=(Region(square, word=word),))
    inside = chroma(result.image)[50:70, 50:70].mean((0, 1))
    assert (
        np.dot(inside, chroma(np.array([[Region(square, word=word).colour()]], np.float32))[0, 0])
        > 0
    )
    assert np.abs(inside).max() > 0.01
    assert np.abs(chroma(result.image)[:20]).max() < 0.01


def field(left: float, top: float, right: float, bottom: float, rgb: tuple[int, ...]) -> Region:
    return Region(((left, top), (right, top), (right, bottom), (left, bottom)), rgb=rgb)


EVEN = np.full((480, 640, 3), 0.45, np.float32)
IN_RED = field(0.05, 0.05, 0.95, 0.95, RED)


@pytest.mark.slow
@pytest.mark.parametrize("pixels", [6, 12, 24])
def test_a_stripe_keeps_its_colour_in_a_field_of_another(pixels: int):
    stripe = field(0.2, 0.5, 0.8, 0.5 + (pixels - 1) / 479, BLUE)
    image = pictures.noisy(EVEN, 2)
    shown = chroma(coloured(image, regions=(IN_RED, stripe)).image)
    alone = chroma(coloured(image, regions=(stripe,)).image)
    inside = (slice(241, 241 + pixels - 3), slice(200, 440))
    assert shown[inside].mean((0, 1)) == pytest.approx(alone[inside].mean((0, 1)), abs=0.02)
    assert shown[200:220, 200:440, 0].mean() > 0.2  # and the field its own


@pytest.mark.slow
def test_a_badge_of_a_few_pixels_has_its_colour():
    badge = field(0.5, 0.5, 0.5 + 7 / 639, 0.5 + 7 / 479, BLUE)
    result = coloured(pictures.noisy(EVEN, 2), regions=(IN_RED, badge))
    red, _, blue = chroma(result.image)[241:246, 321:326].mean((0, 1))
    assert red < -0.05
    assert blue > 0.15


@pytest.mark.slow
def test_what_was_said_after_a_stripe_lies_over_it():
    stripe = field(0.2, 0.5, 0.8, 0.52, BLUE)
    image = pictures.noisy(EVEN, 2)
    under = chroma(coloured(image, regions=(stripe, IN_RED)).image)
    assert under[242:248, 200:440, 0].mean() > 0.2
    dab = Dab(0.5, 0.51, RED, 0.01)
    dabbed = chroma(coloured(image, regions=(stripe,), dabs=(dab,)).image)
    assert dabbed[243:246, 318:322, 0].mean() > 0.1
    assert dabbed[243:246, 210:230, 2].mean() > 0.15


@pytest.mark.slow
def test_an_outline_smaller_than_a_pixel_of_the_grid_still_says_its_colour():
    spot = field(0.5, 0.5, 0.5008, 0.5008, RED)
    assert chroma(coloured(pictures.noisy(EVEN, 2), regions=(spot,)).image)[..., 0].max() > 0.05


def test_the_maps_tell_what_was_said_from_what_was_guessed():
    result = coloured(two_fields(), reach=0.0, dabs=(Dab(0.25, 0.5, RED, 0.03),))
    said, guessed = result.maps["coloured_evidence"], result.maps["coloured_guess"]
    assert said[80, 60] > 200
    assert guessed[80, 60] == 0
    assert guessed[80, 100] > 50
    assert not ((said > 0) & (guessed > 0)).any()
    assert result.meters["guessed_area"] > result.meters["evidence_area"] > 0


def test_the_tone_of_the_print_stays_where_nobody_coloured():
    sepia = (pictures.grey(pictures.astronaut(160)) * np.array([1, 0.85, 0.65])).astype(np.float32)
    image = coloured(sepia, reach=0.1, dabs=(Dab(0.1, 0.1, BLUE),)).image
    assert np.abs(image - sepia)[90:, 90:].max() < 1e-4


def test_without_a_hint_there_is_nothing_to_do_and_that_is_an_error():
    with pytest.raises(BadInput):
        coloured(two_fields())


def test_a_guess_colours_where_nobody_said_anything_and_the_map_says_so():
    picture = pictures.grey(pictures.astronaut(160))
    dabs = (Dab(0.1, 0.1, RED),)
    bare, guessed = (coloured(picture, reach=0.1, guess=each, dabs=dabs) for each in (0.0, 1.0))
    assert np.abs(chroma(bare.image)[90:, 90:]).max() < 1e-4
    assert np.abs(chroma(guessed.image)[90:, 90:]).max() > 0.01
    assert not bare.maps["coloured_guess"][90:, 90:].any()
    assert guessed.meters["guessed_area"] > bare.meters["guessed_area"]
    assert guessed.meters["most_luma_move"] <= 0.5


def test_two_runs_give_the_same_bytes():
    runs = [coloured(two_fields(), guess=0.5, dabs=(Dab(0.25, 0.5, RED),)) for _ in range(2)]
    assert runs[0].image.tobytes() == runs[1].image.tobytes()
    assert runs[0].record == runs[1].record


def test_in_strips_it_is_the_same_picture(monkeypatch):
    dabs = (Dab(0.25, 0.5, RED), Dab(0.75, 0.5, BLUE))
    whole = coloured(two_fields(), dabs=dabs)
    monkeypatch.setattr(colourise, "STRIP", 240 * 16)
    strips = coloured(two_fields(), dabs=dabs)
    assert np.abs(whole.image - strips.image).max() < 1e-5


def test_a_preview_shows_the_same_colours_in_the_same_places():
    dabs = (Dab(0.25, 0.5, RED), Dab(0.75, 0.5, BLUE))
    seen = colourise.preview(two_fields(), dabs, ())
    left, right = chroma(seen)[60:100, 50:70].mean((0, 1)), chroma(seen)[60:100, 170:190]
    assert left[0] > 0.1 > left[2]
    assert right.mean((0, 1))[2] > 0.1 > right.mean((0, 1))[0]
    assert np.abs(luma(seen) - luma(two_fields())).max() * 255 < 0.01
