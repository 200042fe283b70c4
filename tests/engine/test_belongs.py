"""A retouch made elsewhere belongs to its photograph, or is refused with the reason."""

import io
import itertools

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from restoration.engine.belongs import belongs
from restoration.engine.errors import BadInput
from restoration.engine.image import resize
from restoration.engine.register import warp
from tests.benchmarks.registration import picture

NAMES = ("astronaut", "chelsea", "camera", "coffee", "rocket")


def clean(image):
    return np.ascontiguousarray(np.clip(image, 0, 1), dtype=np.float32)


def scaled(image, times):
    height, width = image.shape[:2]
    return clean(resize(image, round(height * times), round(width * times)))


def jpeg(image):
    kept = io.BytesIO()
    Image.fromarray(np.rint(image * 255).astype(np.uint8)).save(kept, "jpeg", quality=60)
    return np.asarray(Image.open(kept), dtype=np.float32) / 255


def colourised(image):
    grey = image @ np.array([0.299, 0.587, 0.114], dtype=np.float32)
    hue = np.linspace(0, 6, grey.shape[1])[None, :] + np.zeros_like(grey)
    tints = [np.cos(hue), np.cos(hue + 2), np.cos(hue + 4)]
    return clean(grey[..., None] + 0.15 * np.stack(tints, axis=2))


def scratched(image):
    harmed = image.copy()
    for column in np.random.default_rng(3).integers(0, image.shape[1] - 4, 12):
        harmed[:, column : column + 3] = 0.95
    return harmed


HONEST = {
    "saved again as JPEG": jpeg,
    "brightened by a curve": lambda image: clean(image**0.5),
    "given contrast by a curve": lambda image: clean(0.5 - 0.5 * np.cos(np.pi * image)),
    "faded": lambda image: clean(0.35 + 0.3 * image),
    "colourised": colourised,
    "enlarged twice": lambda image: scaled(image, 2),
    "halved": lambda image: scaled(image, 0.5),
    "smoothed": lambda image: clean(ndimage.gaussian_filter(image, (1.5, 1.5, 0))),
    "moved by two pixels": lambda image: np.roll(image, 2, axis=1),
}

WRONG = {
    "mirrored": lambda image: image[:, ::-1],
    "turned by a quarter": lambda image: np.rot90(image),
    "turned by a half": lambda image: image[::-1, ::-1],
    "straightened": lambda image: ndimage.rotate(image, 3, reshape=False, order=1, mode="nearest"),
    "cropped": lambda image: image[20:, 30:],
    "cropped to a quarter": lambda image: image[image.shape[0] // 2 :, image.shape[1] // 2 :],
    "cropped and enlarged back": lambda image: resize(image[20:, 30:], *image.shape[:2]),
    "stretched": lambda image: resize(image, image.shape[0], round(image.shape[1] * 1.1)),
    "framed": lambda image: np.pad(image, ((30,), (30,), (0,)), constant_values=1),
    "shrunk to a stamp": lambda image: scaled(image, 0.3),
    "one grey": lambda image: np.full_like(image, 0.5),
    "noise": lambda image: np.random.default_rng(0).random(image.shape, dtype=np.float32),
}
CODES = {
    "mirrored": "mirrored",
    "turned by a quarter": "rotated",
    "turned by a half": "rotated",
    "straightened": "rotated",
    "cropped": "cropped",
    "cropped to a quarter": "cropped",
    "cropped and enlarged back": "cropped",
    "stretched": "wrong-proportions",
    "framed": "border-added",
    "shrunk to a stamp": "too-small",
    "one grey": "blank",
    "noise": "another-picture",
}


PICTURES = ["chelsea", pytest.param("camera", marks=pytest.mark.slow)]


@pytest.mark.parametrize("deed", HONEST)
@pytest.mark.parametrize("name", PICTURES)
def test_an_honest_retouch_belongs(name, deed):
    parent = picture(name)
    assert belongs(parent, HONEST[deed](parent)).correlation > 0.6


@pytest.mark.slow
@pytest.mark.parametrize("name", PICTURES)
def test_a_scratched_photograph_repaired_belongs(name):
    belonging = belongs(scratched(picture(name)), picture(name))
    assert belonging.correlation > 0.6
    assert 0.02 < belonging.changed_fraction < 0.4


@pytest.mark.parametrize("deed", WRONG)
@pytest.mark.parametrize("name", PICTURES)
def test_what_is_not_a_retouch_is_refused_by_name(name, deed):
    parent = picture(name)
    with pytest.raises(BadInput) as refusal:
        belongs(parent, clean(WRONG[deed](parent)))
    assert refusal.value.code == CODES[deed]
    assert refusal.value.facts["expected"] == [parent.shape[1], parent.shape[0]]


def test_a_small_turn_is_told_in_degrees():
    parent = picture("chelsea")
    with pytest.raises(BadInput) as refusal:
        belongs(parent, clean(WRONG["straightened"](parent)))
    assert abs(refusal.value.facts["degrees"]) == pytest.approx(3, abs=1)


@pytest.mark.slow
def test_no_picture_belongs_to_another_of_the_same_size():
    pictures = [clean(resize(picture(name), 256, 256)) for name in NAMES]
    for parent, upload in itertools.combinations(pictures, 2):
        with pytest.raises(BadInput, match="another-picture"):
            belongs(parent, upload)


def test_a_picture_six_times_as_large_is_refused_with_the_largest_allowed():
    parent = scaled(picture("chelsea"), 0.25)
    with pytest.raises(BadInput, match="too-large") as refusal:
        belongs(parent, scaled(parent, 6))
    assert refusal.value.facts["largest"] == [side * 4 for side in refusal.value.facts["expected"]]


def test_the_frame_lays_an_enlarged_and_moved_retouch_back_on_its_parent():
    parent = picture("chelsea")
    moved = warp(scaled(parent, 2), np.array([[1, 0, -3.0], [0, 1, 2.0]]), (600, 902))
    belonging = belongs(parent, clean(moved))
    laid = warp(clean(moved), belonging.frame, parent.shape)
    assert belonging.scale == pytest.approx(2.0)
    assert np.abs(laid - parent)[20:-20, 20:-20].mean() < 0.01


@pytest.mark.slow
def test_the_changed_area_is_counted_beyond_the_tone_curve():
    parent = picture("astronaut")
    touched = clean(parent**0.7)
    assert belongs(parent, touched).changed_fraction < 0.03
    touched[100:228, 100:228] = 0.5
    changed = belongs(parent, touched).changed_fraction
    assert changed == pytest.approx(128 * 128 / (512 * 512), abs=0.035)
