"""A hint whether a face stayed the same, where the extra is installed; a word where it is not."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest
from scipy import ndimage
from skimage import data, transform

from restoration import guarding
from restoration.engine import likeness
from restoration.engine.luma import Image, luma
from tests.services.need import need

BOX = (0.335, 0.135, 0.205, 0.205)  # the face of Eileen Collins, on NASA's portrait


@pytest.fixture(scope="module")
def portrait() -> Image:
    return luma((data.astronaut() / 255).astype(np.float32))


@pytest.fixture
def installed() -> None:
    need("likeness")


def cat_faced(portrait: Image) -> Image:
    """The portrait with a cat's face in the place of hers."""
    high, wide = portrait.shape
    rows = slice(int(BOX[1] * high), int((BOX[1] + BOX[3]) * high))
    columns = slice(int(BOX[0] * wide), int((BOX[0] + BOX[2]) * wide))
    cat = luma((data.chelsea() / 255).astype(np.float32))[30:220, 130:320]
    other = portrait.copy()
    shape = other[rows, columns].shape
    other[rows, columns] = transform.resize(cat, shape, anti_aliasing=True)
    return other


@pytest.mark.usefixtures("installed")
def test_a_cleaned_face_is_alike_and_another_one_is_to_be_looked_at(portrait: Image) -> None:
    noise = np.random.default_rng(1).normal(0, 0.04, portrait.shape)
    scan = np.clip(portrait + noise, 0, 1).astype(np.float32)
    cleaned = ndimage.gaussian_filter(scan, 0.7)
    assert likeness.compare(scan, cleaned, BOX).said == "alike"
    other = likeness.compare(portrait, cat_faced(portrait), BOX)
    assert (other.said, (other.distance or 0) > likeness.LOOK) == ("look", True)


@pytest.mark.usefixtures("installed")
def test_the_same_two_pictures_give_the_same_distance(portrait: Image) -> None:
    softer = ndimage.gaussian_filter(portrait, 1.5)
    first, second = (likeness.compare(portrait, softer, BOX) for _ in range(2))
    assert first == second
    assert first.distance


@pytest.mark.usefixtures("installed")
def test_a_small_face_is_not_compared(portrait: Image) -> None:
    small = transform.resize(portrait, (128, 128), anti_aliasing=True).astype(np.float32)
    told = likeness.told(small, small, [BOX])
    assert told == {"state": "measured", "faces": [{"said": "too-small", "distance": None}]}


def test_where_the_extra_is_missing_it_says_so(
    portrait: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "dlib", None)
    assert likeness.told(portrait, portrait, [BOX]) == {"state": "absent", "faces": []}
    assert likeness.told(portrait, portrait, [])["state"] == "no-faces"


@pytest.mark.parametrize(
    ("told", "value", "tone"),
    [
        ({"state": "absent", "faces": []}, "not measured here", ""),
        (
            {"state": "measured", "faces": [{"said": s} for s in ("alike", "look", "too-small")]},
            "look at face 2; 1 like the scan; 1 too small to compare",
            "review",
        ),
        ({"state": "measured", "faces": [{"said": "alike"}]}, "1 like the scan", "passed"),
    ],
)
def test_the_card_says_it_and_the_verdict_stays(
    told: dict[str, Any], value: str, tone: str
) -> None:
    card = guarding.told({"verdict": "pass", "likeness": told})
    assert [(each.value, each.tone) for each in card.meters] == [(value, tone)]
    assert card.badge == guarding.BADGES["pass"]


def test_without_faces_the_card_does_not_speak_of_likeness() -> None:
    assert guarding.told({"likeness": {"state": "no-faces", "faces": []}}).meters == []


def test_a_hint_that_cannot_be_had_fails_nothing_else(portrait: Image, monkeypatch: Any) -> None:
    def torn() -> None:
        raise RuntimeError("Unexpected version found while deserializing dlib::shape_predictor.")

    monkeypatch.setattr(likeness, "is_installed", lambda: True)
    monkeypatch.setattr(likeness, "compare", lambda *faces: torn())
    found = likeness.told(portrait, portrait, [BOX])
    assert found == {"state": "broken", "faces": []}
    assert "not measured here" in str(guarding.told({"likeness": found}).meters)
