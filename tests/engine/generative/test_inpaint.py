"""Drawing what damage took away: inside the mask only, on real pipelines."""

import numpy as np
import pytest
from scipy import ndimage

from restoration.engine.errors import Cancelled, OutOfMemory, StepFailed
from tests.engine.generative.stubs import memory_for, nothing_but_noise, nothing_but_zeros

pytestmark = [pytest.mark.generative, pytest.mark.slow]

SETTINGS = {"strength": 0.6, "passes": 3, "model": "sd15-inpaint", "sensitivity": 0.4}


def inpaint(context, **settings):
    from restoration.engine.generative.inpaint import run

    return run(context, {**SETTINGS, **settings})


@pytest.fixture(scope="module")
def mask(cat):
    drawn = np.zeros(cat.shape[:2], dtype=np.uint8)
    drawn[50:62, 100:140] = 255
    drawn[120:124, 30:290] = 1
    return drawn


@pytest.fixture(scope="module")
def harmed(cat, mask):
    """The cat with white where the mask is."""
    return np.where((mask > 0)[..., None], np.float32(1), cat)


@pytest.fixture(scope="module")
def mended(context, harmed, mask):
    return inpaint(context(image=harmed, mask=mask)).image


@pytest.fixture(scope="module")
def far_apart(cat):
    """A wide picture and two small holes in it, far from each other."""
    wide = np.tile(cat, (1, 3, 1))
    mask = np.zeros(wide.shape[:2], dtype=np.uint8)
    mask[100:110, 60:70] = mask[100:110, 800:810] = 255
    return wide, mask


@pytest.mark.parametrize("model", ["sd15-inpaint", "sd15", "sdxl-inpaint", "sdxl"])
def test_outside_the_mask_every_bit_stays(context, cat, mask, model):
    result = inpaint(context(mask=mask), model=model)
    assert np.array_equal(result.image[mask == 0], cat[mask == 0])
    assert np.abs(result.image - cat)[mask > 0].mean() > 0.001
    assert np.array_equal(result.maps["repaired"] > 0, mask > 0)
    assert result.record["model"]["name"] == model


def test_the_same_job_gives_the_same_bytes(context, harmed, mask, mended):
    assert np.array_equal(inpaint(context(image=harmed, mask=mask)).image, mended)


def test_a_white_scratch_is_gone(cat, mask, harmed, mended):
    inside = mask > 0
    assert np.abs(mended - cat)[inside].mean() < 0.25 * np.abs(harmed - cat)[inside].mean()


@pytest.mark.parametrize("size", [(61, 67), (203, 301)])
def test_an_odd_size_comes_back_as_it_was(context, cat, mask, size):
    rows, columns = slice(0, size[0]), slice(80, 80 + size[1])
    image, hole = (np.ascontiguousarray(each[rows, columns]) for each in (cat, mask))
    assert inpaint(context(image=image, mask=hole)).image.shape == image.shape


def test_holes_far_apart_are_drawn_in_crops_of_their_own(context, far_apart):
    wide, mask = far_apart
    result = inpaint(context(image=wide, mask=mask))
    assert len(result.record["crops"]) == 2
    assert np.array_equal(result.image[mask == 0], wide[mask == 0])


def test_a_seam_shows_nothing_of_the_damage(cat, harmed, mended):
    edge = np.s_[50, 100:140]
    assert np.abs(mended - cat)[edge].mean() < 0.3 * np.abs(harmed - cat)[edge].mean()


def test_without_a_mask_damage_is_looked_for(context, cat):
    harmed = ndimage.gaussian_filter(cat, (6, 6, 0))
    harmed[60:62, 200:202] = 1.0
    result = inpaint(context(image=harmed), sensitivity=0.8)
    assert result.maps["repaired"][61, 201] == 255
    assert result.maps["repaired"].mean() < 1
    assert result.record["mask"] == "detected"


def test_damage_is_looked_for_where_the_embedded_repair_looks(context, cat):
    from restoration.engine.generative.inpaint import wanted_mask
    from restoration.engine.steps import repair

    begun = ndimage.gaussian_filter(cat, (6, 6, 0))
    begun[60:62, 200:202] = 1.0
    toned = context(image=np.full_like(cat, 0.5), begun=begun)
    found = wanted_mask(toned, SETTINGS)
    assert found[61, 201] == 255
    assert np.array_equal(found, repair.detected(toned, SETTINGS["sensitivity"]))


@pytest.fixture(scope="module")
def scratched(cat):
    """A grey cat with a bright scratch, and a stroke thrice as wide as a careful one over it."""
    grey = np.repeat(cat.mean(axis=2, keepdims=True), 3, axis=2).astype(np.float32)
    grey[30:170, 150:152] = 0.98
    stroke = np.zeros(cat.shape[:2], dtype=np.uint8)
    stroke[25:175, 138:164] = 255
    return grey, stroke


def test_of_a_stroke_a_model_draws_the_marks_as_the_embedded_repair_fills_them(context, scratched):
    from restoration.engine.steps import repair

    image, stroke = scratched
    by_model = inpaint(context(image=image, mask=stroke), marks_only=True)
    by_us = repair.run(
        context(image=image, mask=stroke), {"sensitivity": 0.4, "grain": 0.0, "marks_only": True}
    )
    drawn = by_model.maps["repaired"]
    assert np.array_equal(drawn, by_us.maps["repaired"])
    assert 0 < (drawn > 0).sum() < 0.6 * (stroke > 0).sum()
    assert (drawn[30:170, 150:152] == 255).all()
    assert np.array_equal(by_model.image[drawn == 0], image[drawn == 0])
    assert by_us.notes[0]["code"] == "marks-only"
    assert by_us.notes[0] in by_model.notes
    assert by_model.record["mask"] == "given"
    assert by_model.meters == by_us.meters


@pytest.mark.parametrize("told", [{}, {"marks_only": False}])
def test_all_of_a_stroke_is_drawn_where_that_is_asked_or_was_before_anybody_could_ask(
    context, scratched, told
):
    image, stroke = scratched
    result = inpaint(context(image=image, mask=stroke), **told)
    assert np.array_equal(result.maps["repaired"], stroke)
    assert "marks-only" not in [each["code"] for each in result.notes]


def test_progress_of_a_stroke_that_is_looked_at_never_goes_back(context, scratched):
    image, stroke = scratched
    told = []
    progress = lambda share, preview=None: told.append(share)  # noqa: E731
    inpaint(context(image=image, mask=stroke, progress=progress), marks_only=True)
    assert told == sorted(told)
    assert told[0] <= 0.1 < 0.9 < told[-1] <= 1


def test_a_crop_drawn_much_smaller_is_told(context, harmed, mask):
    notes = {
        told["code"]: told["facts"] for told in inpaint(context(image=harmed, mask=mask)).notes
    }
    assert notes["drawn-smaller"]["scale"] < 70


def test_more_holes_than_windows_are_all_drawn_and_the_rest_stays(context, cat, monkeypatch):
    from restoration.engine.generative import crops

    monkeypatch.setattr(crops, "MARGIN", 16)  # the tiny models are given windows as tiny
    mask = np.zeros(cat.shape[:2], dtype=np.uint8)
    for row in range(10, 200, 45):
        for column in range(10, 290, 45):
            mask[row : row + 6, column : column + 6] = 255
    assert ndimage.label(mask)[1] > crops.MOST_CROPS
    harmed = np.where((mask > 0)[..., None], np.float32(1), cat)
    result = inpaint(context(image=harmed, mask=mask))
    assert 12 < len(result.record["crops"]) <= crops.MOST_CROPS
    assert np.array_equal(result.image[mask == 0], cat[mask == 0])
    assert (np.abs(result.image - harmed).max(axis=2)[mask > 0] > 0.02).mean() > 0.99


def test_a_long_scratch_is_drawn_in_windows_along_it_and_none_shows(context, cat, monkeypatch):
    from restoration.engine.generative import crops

    monkeypatch.setattr(crops, "MARGIN", 16)  # the tiny models are given windows as tiny
    mask = np.zeros(cat.shape[:2], dtype=np.uint8)
    for row in range(cat.shape[0]):
        mask[row, 20 + row : 24 + row] = 255
    harmed = np.where((mask > 0)[..., None], np.float32(1), cat)
    result = inpaint(context(image=harmed, mask=mask))
    drawn = result.record["crops"]
    assert len(drawn) > 1
    assert all(crop["scale"] >= 1 for crop in drawn)
    assert "drawn-smaller" not in [told["code"] for told in result.notes]
    assert np.array_equal(result.image[mask == 0], cat[mask == 0])
    inside = mask > 0
    assert np.abs(result.image - cat)[inside].mean() < 0.25 * np.abs(harmed - cat)[inside].mean()
    assert (np.abs(result.image - harmed).max(axis=2)[inside] > 0.02).all()


def test_looking_for_damage_is_told_and_can_be_cancelled(context, cat):
    from restoration.engine.generative.inpaint import LOOKING, wanted_mask

    def cancelling(share, preview=None):
        assert share <= LOOKING
        raise Cancelled

    with pytest.raises(Cancelled):
        wanted_mask(context(progress=cancelling), SETTINGS)


def test_progress_runs_from_looking_to_drawing_and_never_back(context, cat):
    harmed = ndimage.gaussian_filter(cat, (6, 6, 0))
    harmed[60:62, 200:202] = 1.0
    told = []
    progress = lambda share, preview=None: told.append(share)  # noqa: E731
    inpaint(context(image=harmed, progress=progress), sensitivity=0.8)
    assert told == sorted(told)
    assert told[0] <= 0.1 < 0.9 < told[-1] <= 1


def test_progress_runs_over_all_crops_to_the_end(context, far_apart):
    wide, mask = far_apart
    told = []
    inpaint(context(image=wide, mask=mask, progress=lambda share, preview=None: told.append(share)))
    assert told == sorted(told)
    assert told[-1] > 0.9


def test_a_cancel_ends_the_job_and_the_next_one_runs(context, mask):
    def cancelling(share, preview=None):
        if share > 0:
            raise Cancelled

    with pytest.raises(Cancelled):
        inpaint(context(mask=mask, progress=cancelling))
    assert inpaint(context(mask=mask)).maps["repaired"].any()


def test_an_empty_mask_changes_nothing_and_says_so(context, cat):
    result = inpaint(context(mask=np.zeros(cat.shape[:2], dtype=np.uint8)))
    assert np.array_equal(result.image, cat)
    assert [told["code"] for told in result.notes] == ["mask-empty"]


def test_a_mask_over_everything_is_refused(context, cat):
    with pytest.raises(StepFailed, match="mask-too-large"):
        inpaint(context(mask=np.full(cat.shape[:2], 255, dtype=np.uint8)))


def test_without_a_prompt_the_hole_is_still_filled(context, mask):
    result = inpaint(context(mask=mask, prompt=None))
    assert result.record["prompt"].startswith("an undamaged old photograph")


def test_a_strength_too_small_for_one_step_is_given_enough_steps(context, mask):
    assert inpaint(context(mask=mask), strength=0.3, passes=1).record["steps"] == 5


def test_surroundings_drawn_as_another_picture_are_refused(context, mask, monkeypatch):
    nothing_but_noise(monkeypatch)
    with pytest.raises(StepFailed, match="reframed"):
        inpaint(context(mask=mask))


def test_what_was_drawn_outside_the_mask_is_no_result(context, mask, monkeypatch):
    from restoration.engine.generative import inpaint as module

    monkeypatch.setattr(module, "inside_mask", lambda begun, drawn, inside: drawn)
    with pytest.raises(StepFailed, match="changed-outside-mask"):
        inpaint(context(mask=mask))


def test_a_picture_of_not_a_number_is_refused(context, mask, monkeypatch):
    nothing_but_zeros(monkeypatch, float("nan"))
    with pytest.raises(StepFailed, match="blank-result"):
        inpaint(context(mask=mask))


def test_when_memory_runs_out_the_crop_is_drawn_smaller_and_then_given_up(
    context, mask, monkeypatch
):
    memory_for(monkeypatch, latents=3600)
    notes = inpaint(context(mask=mask)).notes
    assert "worked-smaller-for-memory" in [told["code"] for told in notes]
    memory_for(monkeypatch, latents=10)
    with pytest.raises(OutOfMemory):
        inpaint(context(mask=mask))
