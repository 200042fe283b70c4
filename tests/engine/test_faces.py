"""Faces are found where they are, and a face map is read as it was written."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import data

from restoration.engine import faces
from restoration.engine.image import resize
from restoration.engine.luma import luma

COLLINS = (0.335, 0.135, 0.205, 0.205)  # the face of Eileen Collins, on NASA's portrait


def light(name: str) -> np.ndarray:
    picture = (getattr(data, name)() / 255).astype(np.float32)
    return luma(picture) if picture.ndim == 3 else picture


def answer(*places: tuple[int, int, float, float]) -> np.ndarray:
    """A map of 20 x 30 cells with a face of 4 x 5 cells at each (row, column, logit, shift)."""
    told = np.full((20, 30, 5), -9.0, np.float32)
    for row, column, logit, shift in places:
        told[row, column] = logit, 0.5 + shift, 0.5, np.log(4), np.log(5)
    return told


def test_a_map_is_read_into_boxes_the_surest_first() -> None:
    found = faces.decoded(answer((5, 8, 0.0, 0.0), (12, 20, 2.0, 0.25)), 0.3)
    assert [round(face.score, 3) for face in found] == [0.881, 0.5]
    assert found[0].box == pytest.approx((8 * 20.75 - 16, 8 * 12.5 - 20, 32, 40))
    assert len(faces.decoded(answer((5, 8, 0.0, 0.0)), 0.6)) == 0


def test_one_face_that_is_told_twice_is_one() -> None:
    found = faces.decoded(answer((5, 8, 1.0, 0.0), (5, 10, 2.0, -1.5), (5, 16, 0.5, 0.0)), 0.3)
    assert [round(face.score, 2) for face in found] == [0.88, 0.62]


def test_boxes_are_met_once_each() -> None:
    wanted = [(0.0, 0.0, 0.2, 0.2), (0.5, 0.5, 0.2, 0.2)]
    assert faces.met([wanted[0], wanted[0], (0.52, 0.5, 0.2, 0.2)], wanted, 0.4) == 2
    assert faces.met([(0.3, 0.3, 0.1, 0.1)], wanted, 0.4) == 0


def test_a_window_goes_on_beyond_the_edge_of_the_picture() -> None:
    picture = np.tile(np.linspace(0, 1, 70, dtype=np.float32), (70, 1))
    seen = faces.window(picture, (0.8, 0.8, 0.2, 0.2))
    assert seen.shape == (faces.LOOK, faces.LOOK)
    assert seen[:, -10:] == pytest.approx(1.0, abs=1e-5)
    inner = faces.window(picture, (0.3, 0.3, 0.4, 0.4))
    assert inner[0, 24] == pytest.approx(0.5, abs=0.02)


def test_the_second_look_sees_the_same_in_any_light() -> None:
    pixels = light("astronaut")[40:140, 180:280]
    dim = faces.levelled(0.4 + 0.3 * pixels)
    assert dim == pytest.approx(faces.levelled(pixels), abs=0.1)
    assert faces.levelled(np.full((4, 4), 0.7, np.float32)) == pytest.approx(0.5)


def test_a_guess_that_is_quite_certain_has_a_score_too(monkeypatch: pytest.MonkeyPatch) -> None:
    guess = faces.Face(COLLINS, 1.0)
    monkeypatch.setattr(faces, "guessed", lambda portrait: [guess])
    (found,) = faces.look(light("astronaut"), 0.0)
    assert 0.9 < found.score <= 1


def test_both_networks_must_take_it_for_a_face(monkeypatch: pytest.MonkeyPatch) -> None:
    portrait = light("astronaut")
    (sure, *_) = faces.look(portrait)
    asked = faces.networks.at_once

    def never(name: str, picture: np.ndarray) -> np.ndarray:
        found = asked(name, picture)
        return found - 30 if name == "face-check" else found

    monkeypatch.setattr(faces.networks, "at_once", never)
    assert sure.score >= faces.SURE
    assert faces.look(portrait) == []


@pytest.mark.parametrize(("sure", "kept"), [(0.8, 3), (0.95, 4)])
def test_a_dot_of_the_dress_is_no_face_but_a_child_on_the_lap_is(
    monkeypatch: pytest.MonkeyPatch, sure: float, kept: int
) -> None:
    """What is surer than the face above it stays, whatever its size."""
    woman, child = (0.4, 0.1, 0.2, 0.1), (0.45, 0.4, 0.13, 0.065)
    dot, far = (0.5, 0.3, 0.04, 0.02), (0.8, 0.1, 0.04, 0.02)
    scores = {woman: 0.9, child: 0.7, dot: sure, far: 0.7}
    guesses = [faces.Face(box, score) for box, score in scores.items()]
    monkeypatch.setattr(faces, "guessed", lambda light: guesses)
    monkeypatch.setattr(faces, "_of_both", lambda light, guess: guess.score)
    found = {face.box for face in faces.look(np.zeros((1000, 500), np.float32))}
    assert {woman, child, far} <= found
    assert len(found) == kept


@pytest.mark.parametrize("faded", [False, True])
def test_the_face_on_a_portrait_is_found_faded_or_not(faded: bool) -> None:
    portrait = light("astronaut")
    found = faces.find(0.45 + 0.2 * portrait if faded else portrait)
    assert faces.met(found, [COLLINS], 0.4) == 1


def test_the_faces_on_a_panorama_are_found_as_on_its_parts() -> None:
    part = resize(light("astronaut"), 256, 256)
    wide = np.concatenate([part, part[:, ::-1]] * 16, axis=1)
    high = np.ascontiguousarray(np.concatenate([part] * 32, axis=0))
    assert [len(faces.find(each)) for each in (part, wide, high)] == [1, 32, 32]


@pytest.mark.slow
def test_the_same_picture_gives_the_same_boxes() -> None:
    assert faces.find(light("astronaut")) == faces.find(light("astronaut"))


@pytest.mark.parametrize("name", ["brick", "grass", "text", "moon"])
def test_no_face_is_seen_where_there_is_none(name: str) -> None:
    assert faces.find(light(name)) == []


@pytest.mark.parametrize("shape", [(16, 16), (17, 300), (301, 33)])
def test_any_shape_is_looked_at(shape: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).random(shape).astype(np.float32)
    for x, y, wide, high in faces.find(noise):
        assert min(x, y) >= 0 < min(wide, high)
        assert max(x + wide, y + high) <= 1.0001
