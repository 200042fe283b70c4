"""Redrawing with a real pipeline: detail is taken, the photograph stays."""

import numpy as np
import pytest
from scipy import ndimage

from restoration.engine.errors import Cancelled, OutOfMemory, StepFailed
from restoration.engine.luma import chroma, luma
from restoration.engine.plan import FaceBox, Prompt
from tests.engine.generative.stubs import memory_for, nothing_but_noise, nothing_but_zeros

pytestmark = [pytest.mark.generative, pytest.mark.slow]

SETTINGS = {"strength": 0.4, "faces": 0.3, "passes": 6, "model": "sd15"}


def redraw(context, **settings):
    from restoration.engine.generative.redraw import run

    return run(context, {**SETTINGS, **settings})


@pytest.fixture(scope="module")
def told():
    """What was told while `drawn` was drawn: shares and previews."""
    return []


@pytest.fixture(scope="module")
def drawn(context, told):
    """The cat as the settings above redraw it, for all tests that only look at it."""
    return redraw(context(progress=lambda share, preview=None: told.append((share, preview))))


@pytest.mark.parametrize("model", ["sd15", "sdxl"])
def test_the_same_job_gives_the_same_bytes(context, model):
    first, second = (redraw(context(), model=model) for _ in range(2))
    assert np.array_equal(first.image, second.image)
    assert not np.array_equal(first.image, context().image)


def test_another_seed_gives_another_picture(context, drawn):
    assert not np.array_equal(redraw(context(seed=1)).image, drawn.image)


@pytest.mark.parametrize("size", [(61, 67), (203, 301), (40, 16), (128, 64)])
def test_an_odd_size_comes_back_as_it_was(context, cat, size):
    image = np.ascontiguousarray(cat[: size[0], : size[1]])
    assert redraw(context(image=image)).image.shape == (*size, 3)


def test_tones_and_colours_stay_and_detail_moves(drawn, cat):
    drawn = drawn.image
    soft = ndimage.gaussian_filter(luma(drawn) - luma(cat), 12)
    assert np.abs(soft).max() < 4 / 255
    inside = (drawn.min(axis=2) > 0) & (drawn.max(axis=2) < 1)
    assert np.abs(chroma(drawn) - chroma(cat))[inside].max() < 1e-5
    assert drawn.dtype == np.float32
    assert 0 <= drawn.min() <= drawn.max() <= 1


@pytest.mark.usefixtures("drawn")
def test_progress_is_told_at_every_step_that_runs_with_a_preview(told):
    shares = [share for share, _ in told]
    previews = [preview for _, preview in told if preview is not None]
    assert shares == sorted(shares)
    assert len(previews) == int(6 * 0.4)
    assert previews[0].dtype == np.uint8
    assert previews[0].shape[2] == 3


def test_a_grey_photograph_has_a_preview_too(context, cat):
    told = []
    grey = np.repeat(cat.mean(axis=2, keepdims=True), 3, axis=2)
    image = np.ascontiguousarray(np.round(grey, 1))
    redraw(context(image=image, progress=lambda share, preview=None: told.append(preview)))
    preview = np.asarray(told[-1], dtype=float)
    assert np.ptp(preview, axis=2).max() < 30
    assert preview.std() > 10


@pytest.mark.usefixtures("drawn")
def test_the_preview_looks_like_the_photograph(told, cat):
    _, last = told[-1]
    seen = luma(last.astype(np.float32) / 255)
    small = ndimage.zoom(luma(cat), np.divide(seen.shape, cat.shape[:2]), order=1)
    assert np.corrcoef(seen.ravel(), small.ravel())[0, 1] > 0.7


def test_a_cancel_ends_the_job_at_once_and_the_next_one_runs(context):
    told = []

    def cancelling(share, preview=None):
        told.append(share)
        if len(told) == 3:
            raise Cancelled

    with pytest.raises(Cancelled):
        redraw(context(progress=cancelling), passes=20)
    assert len(told) == 3
    assert redraw(context()).image.shape == context().image.shape


@pytest.mark.parametrize("strength", [0.05, 0.1, 1.0])
def test_a_strength_too_small_for_one_step_is_given_enough_steps(context, strength):
    told = []
    progress = lambda share, preview=None: told.append(share)  # noqa: E731
    small = np.ascontiguousarray(context().image[:64, :64])
    redraw(context(image=small, progress=progress), strength=strength, passes=1)
    assert len(told) >= 2


def test_half_precision_gives_nearly_the_same_picture(context, models, drawn):
    from restoration.engine.generative.workshop import Workshop

    half = Workshop(models, device="cpu", dtype="bfloat16", most_pixels=16_000)
    result = redraw(context(workshop=half))
    assert result.record["dtype"] == "bfloat16"
    assert np.abs(result.image - drawn.image).mean() < 2 / 255


def test_the_record_says_who_drew_with_what(drawn):
    record = drawn.record
    assert record["model"]["name"] == "sd15"
    assert record["model"]["pipeline"] == "StableDiffusionImg2ImgPipeline"
    assert record["model"]["licence"] == "LicenseRef-CreativeML-OpenRAIL-M"
    assert len(record["model"]["weights_sha256"]) == 64
    assert "unet/diffusion_pytorch_model.safetensors" in record["model"]["files_sha256"]
    assert "the eyes are green" in record["prompt"]
    assert "changed face" in record["negative_prompt"]
    assert (record["seed"], record["strength"], record["steps"]) == (5, 0.4, 6)
    assert record["versions"]["torch"]
    assert record["device"] == "cpu"
    assert record["dtype"] == "float32"
    assert record["registration"]["correlation"] > 0.95


def test_a_prompt_the_model_cannot_read_to_its_end_is_told(context):
    prompt = Prompt(words="a tabby cat", place="a very long name of a place " * 8)
    notes = {told["code"]: told["facts"] for told in redraw(context(prompt=prompt)).notes}
    assert notes["prompt-cut"] == {"fields": ["place"], "most": 77}


def test_a_model_that_draws_another_picture_is_refused(context, workshop, monkeypatch):
    nothing_but_noise(monkeypatch)
    with pytest.raises(StepFailed, match="reframed") as refusal:
        redraw(context())
    assert refusal.value.facts["correlation"] < 0.85


def test_a_picture_of_not_a_number_is_refused(context, monkeypatch):
    nothing_but_zeros(monkeypatch, float("nan"))
    with pytest.raises(StepFailed, match="blank-result") as refusal:
        redraw(context())
    assert refusal.value.facts == {"why": "not-a-number"}


def test_a_flat_picture_is_refused(context, monkeypatch):
    nothing_but_zeros(monkeypatch, 0.0)
    with pytest.raises(StepFailed, match="blank-result") as refusal:
        redraw(context())
    assert refusal.value.facts == {"why": "flat"}


def test_when_memory_runs_out_once_three_quarters_of_the_area_are_redrawn(context, monkeypatch):
    memory_for(monkeypatch, latents=3600)
    result = redraw(context())
    assert "worked-smaller-for-memory" in [told["code"] for told in result.notes]
    assert np.prod(result.record["worked_at"]) <= 0.75 * 16_000
    assert result.image.shape == context().image.shape


def test_when_memory_runs_out_twice_the_job_fails_and_may_be_tried_elsewhere(
    context, workshop, monkeypatch
):
    with monkeypatch.context() as patch:
        memory_for(patch, latents=10)
        with pytest.raises(OutOfMemory) as failure:
            redraw(context())
    assert failure.value.facts["width"] == 301
    assert not failure.value.permanent
    assert redraw(context()).image.shape == context().image.shape


def test_without_a_workshop_the_step_says_so(context):
    with pytest.raises(StepFailed, match="backend-unavailable"):
        redraw(context(workshop=None))


def test_a_model_that_is_not_there_is_named(context):
    with pytest.raises(StepFailed, match="model-missing") as refusal:
        redraw(context(), model="sd35")
    assert {"sdxl", "sd15"} < set(refusal.value.facts["known"])


def test_faces_take_only_their_share(context):
    face = FaceBox(0.25, 0.25, 0.5, 0.5)
    free, kept = (redraw(context(faces=(face,)), faces=share).image for share in (1.0, 0.0))
    base = context().image
    middle = np.s_[80:120, 120:180]
    assert np.abs(kept - base)[middle].max() < 1e-6 < np.abs(free - base)[middle].mean()
    assert np.abs(kept - base)[:20].mean() == pytest.approx(
        np.abs(free - base)[:20].mean(), rel=0.01
    )


def test_a_face_to_be_kept_takes_nothing_whatever_share_the_others_take(context):
    face = FaceBox(0.25, 0.25, 0.5, 0.5, keep=True)
    kept, free = (redraw(context(faces=each), faces=1.0).image for each in ((face,), ()))
    middle = np.s_[80:120, 120:180]
    change = np.abs(kept - context().image), np.abs(free - context().image)
    assert change[0][middle].max() < 1e-6 < change[1][middle].mean()


@pytest.mark.parametrize("box", [(0.3, 0.2, 0.25, 0.25), (0.3, 0.2, 0.05, 0.05), (0, 0, 0.3, 0.3)])
def test_in_a_box_to_be_kept_nothing_changes_though_the_model_saw_it_small(context, cat, box):
    face = FaceBox(*box, keep=True)
    image = np.ascontiguousarray(np.tile(cat, (2, 2, 1)))
    result = redraw(context(image=image, faces=(face,)), faces=1.0, passes=3)
    assert result.meters["scale"] < 0.5
    height, width = image.shape[:2]
    rows = slice(int(box[1] * height), int(np.ceil((box[1] + box[3]) * height)))
    columns = slice(int(box[0] * width), int(np.ceil((box[0] + box[2]) * width)))
    assert np.array_equal(result.image[rows, columns], image[rows, columns])
    assert not np.array_equal(result.image, image)
