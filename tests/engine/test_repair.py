"""Repair fills what it is told to fill, or what it is sure of, and touches nothing else."""

from typing import Any

import numpy as np
import pytest

from restoration.engine.errors import StepFailed
from restoration.engine.plan import FaceBox
from restoration.engine.step import StepContext, StepResult
from restoration.engine.steps import repair
from tests.engine import pictures

SETTINGS = {"sensitivity": 0.4, "grain": 1.0, "marks_only": True, "strength": 0.85}


def repaired(image: np.ndarray, **context: Any) -> StepResult:
    return repair.run(StepContext(image=image, reference=image, **context), SETTINGS)


def scratched(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    area = pictures.specks(image.shape)
    area[20:200, 140:143] = True
    damaged = image.copy()
    damaged[area] = 1
    return damaged, area


@pytest.mark.parametrize("make", [pictures.astronaut, pictures.camera, pictures.coffee])
def test_outside_the_mask_the_difference_is_zero(make):
    damaged, area = scratched(make())
    result = repaired(damaged, mask=area.astype(np.uint8) * 255)
    assert np.abs(result.image - damaged)[~area].max() == 0
    filled = result.maps["repaired"] > 0
    assert not filled[~area].any()
    assert np.array_equal((result.image != damaged).any(axis=2) & ~filled, np.zeros_like(area))
    assert filled[area].mean() > 0.9


def test_a_fill_that_reaches_outside_its_mask_is_no_result(monkeypatch):
    damaged, area = scratched(pictures.astronaut())

    def spilt(image: np.ndarray, *_: Any) -> np.ndarray:
        wrong = image.copy()
        wrong[-1, -1, 2] += np.float32(1e-6)
        return wrong

    monkeypatch.setattr(repair, "fill", spilt)
    with pytest.raises(StepFailed, match="changed-outside-mask"):
        repaired(damaged, mask=area.astype(np.uint8) * 255)


def test_all_of_a_mask_is_filled_where_that_is_asked():
    damaged, area = scratched(pictures.astronaut())
    context = StepContext(image=damaged, reference=damaged, mask=area.astype(np.uint8) * 255)
    whole = repair.run(context, SETTINGS | {"marks_only": False})
    assert np.array_equal(whole.maps["repaired"] > 0, area)
    assert whole.notes == []


def test_inside_the_mask_the_picture_comes_back():
    picture = pictures.grey(pictures.camera())
    damaged, area = scratched(picture)
    result = repaired(damaged, mask=area.astype(np.uint8) * 255)
    before = np.abs(damaged - picture)[area].mean()
    assert np.abs(result.image - picture)[area].mean() < 0.2 * before


def test_the_fill_has_the_grain_of_its_surroundings():
    wall = pictures.noisy(np.full((160, 160, 3), 0.5, np.float32), 8)
    area = np.zeros((160, 160), bool)
    area[60:100, 60:100] = True
    filled = repaired(wall, mask=area.astype(np.uint8) * 255).image[area].std()
    assert 0.5 * wall[~area].std() < filled < 1.5 * wall[~area].std()


def test_dust_on_a_calm_ground_is_found():
    wall = pictures.noisy(np.full((240, 320, 3), 0.45, np.float32), 3)
    area = pictures.specks(wall.shape, 25)
    wall[area] = 0.95
    found = repair.detect(wall) > 0
    assert (found & area).sum() > 0.9 * area.sum()
    assert (found & ~area).sum() < 4 * area.sum()


@pytest.mark.slow
def test_a_picture_larger_than_it_is_judged_at_is_marked_at_its_own_size():
    wall = pictures.noisy(np.full((160, 3000, 3), 0.45, np.float32), 3)
    wall[60:64, 200:2800:200] = 0.95
    wall[100:, 1500:1503] = 0.95
    area = wall[..., 0] == np.float32(0.95)
    found = repair.detect(wall) > 0
    assert found.shape == wall.shape[:2]
    assert (found & area).sum() > 0.8 * area.sum()
    assert (found & ~area).sum() < 4 * area.sum()


@pytest.mark.parametrize("make", [pictures.astronaut, pictures.camera, pictures.coffee])
def test_next_to_nothing_is_found_on_a_sound_picture(make):
    assert (repair.detect(make()) > 0).mean() < 0.001


TONES = {
    "sepia": ((0.14, 0.10, 0.07), (0.93, 0.88, 0.76)),
    "cyanotype": ((0.04, 0.10, 0.25), (0.90, 0.93, 0.93)),
}


def toned(image: np.ndarray, tone: str) -> np.ndarray:
    """The same picture on toned paper: its luma between two colours."""
    dark, pale = (np.array(each, np.float32) for each in TONES[tone])
    return dark + (pale - dark) * pictures.grey(image)[..., :1]


@pytest.mark.parametrize("tone", TONES)
@pytest.mark.parametrize("make", [pictures.camera, pictures.coffee])
def test_the_tone_of_a_print_is_no_damage(make, tone: str):
    share = (repair.detect(toned(make(), tone)) > 0).mean()
    assert share <= (repair.detect(pictures.grey(make())) > 0).mean() + 0.006


@pytest.mark.parametrize("tone", TONES)
def test_dust_on_toned_paper_is_found_as_on_grey(tone: str):
    clean = toned(0.25 + 0.4 * pictures.camera(), tone)
    dust = pictures.specks(clean.shape[:2])
    dusty = np.where(dust[..., None], np.float32(0.95), clean)
    found = repair.detect(dusty) > 0
    assert (found & dust).sum() > 0.7 * dust.sum()


def test_eyes_and_teeth_are_no_damage():
    face = pictures.astronaut(400)
    assert repair.detect(face, 1.0)[70:170, 80:200].max() == 0


def test_what_lies_in_a_face_that_somebody_drew_is_no_damage():
    wall = pictures.noisy(np.full((240, 320, 3), 0.45, np.float32), 3)
    wall[pictures.specks(wall.shape, 25)] = 0.95
    drawn = FaceBox(x=0.0, y=0.0, width=0.5, height=1.0)
    found = repaired(wall, faces=(drawn,)).maps["repaired"] > 0
    assert found[:, 176:].any()
    assert not found[:, :160].any()


@pytest.mark.slow
def test_a_face_that_somebody_took_away_hides_no_damage():
    wall = pictures.noisy(np.full((240, 320, 3), 0.45, np.float32), 3)
    wall[pictures.specks(wall.shape, 25)] = 0.95
    assessed = {"assess": {"faces": [[0.0, 0.0, 0.5, 1.0]]}}
    assert not repaired(wall, meters=assessed).maps["repaired"][:, :160].any()
    assert repaired(wall, meters=assessed, faces=()).maps["repaired"][:, :160].any()


def test_nothing_to_repair_is_said_not_hidden():
    picture = pictures.grey(pictures.coffee())
    empty = repaired(picture, mask=np.zeros(picture.shape[:2], np.uint8))
    assert [told["code"] for told in empty.notes] == ["mask-empty"]
    assert np.array_equal(empty.image, picture)
    blank = repaired(np.full((64, 64, 3), 0.5, np.float32))
    assert [told["code"] for told in blank.notes] == ["no-damage-found"]


def test_a_wide_hole_is_filled_but_said_to_be_guesswork():
    mask = np.zeros((256, 256), np.uint8)
    mask[60:140, 60:140] = 255
    face = pictures.astronaut()
    context = StepContext(image=face, reference=face, mask=mask)
    result = repair.run(context, SETTINGS | {"marks_only": False})
    assert [told["code"] for told in result.notes] == ["wide-hole"]


def test_a_mask_over_nearly_everything_fails():
    with pytest.raises(StepFailed) as caught:
        repaired(pictures.astronaut(), mask=np.full((256, 256), 255, np.uint8))
    assert caught.value.code == "mask-too-large"


@pytest.mark.slow
def test_another_seed_changes_only_the_grain_of_the_fill():
    damaged, area = scratched(pictures.noisy(pictures.grey(pictures.camera()), 6))
    mask = area.astype(np.uint8) * 255
    one, other = (repaired(damaged, mask=mask, seed=seed).image for seed in (1, 2))
    assert not np.array_equal(one, other)
    assert np.abs(one - other).max() < 0.3
    assert np.array_equal(one, repaired(damaged, mask=mask, seed=1).image)
