"""The second look at a face learns from faces, and from what was taken for one."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from restoration.engine.faces import LOOK, Face
from restoration.training import faces
from restoration.training.lessons import face_check


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A picture with one face, one thing like it, and one that nobody can tell."""
    held = tmp_path / "album"
    held.mkdir()
    pixels = np.full((200, 300, 3), 40, np.uint8)
    for left in (40, 120, 200):
        pixels[60:100, left : left + 40] = 250
    Pillow.fromarray(pixels).save(held / "three.png")
    boxes = [[40 / 300, 0.3, 40 / 300, 0.2], [200 / 300, 0.3, 40 / 300, 0.2, 0]]
    (held / "faces.json").write_text(json.dumps({"album/three.png": boxes}))
    return tmp_path


@pytest.fixture
def shelf(folder: Path, monkeypatch: pytest.MonkeyPatch) -> face_check.AlarmedShelf:
    """The finder takes all three for faces."""
    seen = [Face((left / 300, 0.31, 40 / 300, 0.2), 0.5) for left in (42, 118, 203)]
    monkeypatch.setattr(face_check, "guessed", lambda light: seen)
    return face_check.shelf([folder], seed=0, leaves=0)


def test_only_what_is_surely_no_face_is_an_alarm(shelf: face_check.AlarmedShelf) -> None:
    (alarm,) = shelf.alarms
    assert alarm[0] is shelf.peopled[0]
    assert alarm[1].tolist() == pytest.approx([118, 62, 40, 40])


def test_half_of_what_it_is_shown_are_faces(shelf: face_check.AlarmedShelf) -> None:
    given, wanted = face_check.batch(shelf, np.random.default_rng(3))
    assert given.shape == (face_check.EXAMPLES, 1, LOOK, LOOK)
    assert wanted.shape == (face_check.EXAMPLES, 1, 1, 1)
    assert 0.3 < float(wanted.mean()) < 0.7
    middles = given[:, 0, 20:28, 20:28].mean(dim=(1, 2)) > given[:, 0].mean(dim=(1, 2))
    faces_shown = wanted[:, 0, 0, 0] == 1
    assert float(middles[faces_shown].float().mean()) > 0.9


def test_what_was_not_asked_about_is_refused(folder: Path) -> None:
    plain = faces.shelf([folder], seed=0, leaves=0)
    with pytest.raises(TypeError):
        face_check.batch(plain, np.random.default_rng(0))


def test_the_network_that_is_kept_answers_as_the_taught_one() -> None:
    import torch

    taught = face_check.lesson().build()
    views = torch.rand(5, 1, LOOK, LOOK)
    with torch.no_grad():
        for _ in range(20):
            taught(torch.rand(8, 1, LOOK, LOOK))
        said = taught.eval()(views)
        kept = face_check.lesson().finish(taught).eval()
        assert said.shape == (5, 1, 1, 1)
        torch.testing.assert_close(kept(views), said, rtol=1e-4, atol=1e-4)
