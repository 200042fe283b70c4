"""A hole is continued from its rim; what it costs goes with the holes, not with the picture."""

import numpy as np
import pytest
from scipy import ndimage

from restoration.engine import fill
from restoration.training import holes
from tests.engine import pictures


def filled(image: np.ndarray, area: np.ndarray, grain: float = 0.0) -> np.ndarray:
    return fill.fill(image, area, np.random.default_rng(1), grain)


def error(found: np.ndarray, image: np.ndarray, area: np.ndarray) -> float:
    return float(np.square(found - image)[area].mean())


def test_a_slope_goes_on_through_a_hole():
    slope = np.linspace(0.2, 0.8, 96, dtype=np.float32)
    picture = np.repeat(np.tile(slope, (96, 1))[..., None], 3, axis=2)
    area = np.zeros((96, 96), bool)
    area[40:52, 30:60] = True
    assert np.abs(fill.membrane(picture, area) - picture).max() < 0.03
    assert np.abs(filled(picture, area) - picture).max() < 0.03


@pytest.mark.parametrize("cut", [holes.scratched, holes.blotted])
def test_the_network_fills_better_than_the_membrane_alone(cut):
    made = (pictures.astronaut, pictures.coffee)
    areas = [cut(np.random.default_rng(5), *each().shape[:2]) for each in made]
    own, plain = 0.0, 0.0
    for make, area in zip(made, areas, strict=True):
        own += np.log(error(filled(make(), area), make(), area))
        plain += np.log(error(fill.membrane(make(), area), make(), area))
    assert own < plain


def test_what_is_in_a_hole_is_not_seen():
    picture = pictures.astronaut()
    area = pictures.specks(picture.shape)
    white, black = picture.copy(), picture.copy()
    white[area], black[area] = 1, 0
    assert np.array_equal(filled(white, area, 1.0), filled(black, area, 1.0))


def test_tiles_leave_no_seam(monkeypatch: pytest.MonkeyPatch):
    picture = pictures.camera()
    area = np.zeros((256, 256), bool)
    area[100:106, 10:250] = True
    whole = filled(picture, area)
    monkeypatch.setattr(fill, "DENSE", 136)
    assert len(fill._tiles(area)) > 2
    tiled = filled(picture, area)
    assert np.abs(tiled - whole).mean(where=area[..., None]) < 0.01
    steps = [np.abs(np.diff(each[100:106, 10:250], axis=1)).max() for each in (tiled, whole)]
    assert steps[0] < 1.2 * steps[1]


def test_over_all_tiles_the_weights_come_to_one():
    for length in (16, 191, 193, 825, 1200):
        for side in (fill.SPARSE, fill.DENSE):
            whole = np.zeros(length)
            for start, end, weights in fill._spans(length, side):
                assert start % fill.CELL == 0
                whole[start:end] += weights
            assert np.abs(whole - 1).max() < 1e-5


def test_only_tiles_with_holes_are_worked_on():
    area = np.zeros((1600, 1600), bool)
    area[900, 900] = True
    tiles = fill._tiles(area)
    assert 1 <= len(tiles) <= 4
    assert all(area[tile.place].any() for tile in tiles)


def test_a_hole_wider_than_a_tile_is_filled_from_its_rim():
    rows = np.linspace(0.2, 0.8, 640, dtype=np.float32)
    picture = np.repeat(np.tile(rows[:, None], (1, 640))[..., None], 3, axis=2)
    area = np.zeros((640, 640), bool)
    area[60:580, 60:580] = True
    found = fill.membrane(picture, area)
    ground = fill._ground(np.where(area[..., None], np.float32(0), picture), area)
    assert ground is not None
    inner = (slice(200, 440), slice(200, 440))
    cells = (slice(25, 55), slice(25, 55))
    piece = fill.membrane(picture[inner], area[inner], ground.cells[cells])
    assert np.abs(piece - found[inner]).max() < 0.02


def test_deeper_than_it_has_learnt_the_network_is_silent():
    depth = np.array([[8, 24, 48, 64]], np.float32)
    heard = fill._heard(depth, (8, 32))
    assert heard[4, 2] == 1
    assert heard[4, -1] == 0


def test_the_grain_of_a_fill_is_that_of_the_ground():
    wall = pictures.noisy(np.full((200, 200, 3), 0.5, np.float32), 8)
    area = np.zeros((200, 200), bool)
    area[80:110, 60:140] = True
    fine = [
        each - ndimage.gaussian_filter(each, 1.5)
        for each in (wall[..., 0], filled(wall, area, 1.0)[..., 0], filled(wall, area)[..., 0])
    ]
    ground, grainy, smooth = fine[0][~area].std(), fine[1][area].std(), fine[2][area].std()
    assert 0.7 * ground < grainy < 1.3 * ground
    assert smooth < 0.6 * ground


def test_progress_is_told_and_may_stop_it():
    def stop(part: float, preview: object) -> None:
        raise InterruptedError(part)

    picture, area = pictures.camera(), pictures.specks((256, 256))
    with pytest.raises(InterruptedError):
        fill.fill(picture, area, np.random.default_rng(1), 0.0, stop)
