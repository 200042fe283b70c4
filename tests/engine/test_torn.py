"""A piece of the print that is gone is seen by what it lacks; a sky and a frame are not."""

import numpy as np
import pytest

from restoration.engine import damage, measure
from restoration.engine.torn import torn_off
from tests.engine import pictures

LID = np.array([0.97, 0.97, 0.96], np.float32)
ALBUM = np.array([0.05, 0.05, 0.05], np.float32)


def print_of(picture: np.ndarray, side: int = 2) -> np.ndarray:
    """Faded, brown, with its grain."""
    large = np.repeat(np.repeat(pictures.grey(picture), side, axis=0), side, axis=1)
    tint = np.array([0.05, 0.0, -0.07], np.float32)
    return pictures.noisy(np.clip(0.2 + 0.6 * large + tint, 0, 1), 4)


def corner(shape: tuple[int, ...], size: int) -> np.ndarray:
    """The lower right one, cut off along a ragged line."""
    rows, columns = np.indices(shape[:2])
    ragged = 6 * np.sin(rows / 7) + 4 * np.sin(columns / 3)
    return (shape[0] - rows) + (shape[1] - columns) + ragged < size


def found(image: np.ndarray) -> np.ndarray:
    return torn_off(image, measure.luma_and_inside(image)[1])


@pytest.mark.parametrize("behind", [LID, ALBUM])
def test_a_corner_that_is_gone_is_found_and_hardly_more(behind: np.ndarray) -> None:
    image = print_of(pictures.astronaut())
    gone = corner(image.shape, 120)
    image[gone] = behind
    area = found(image)
    assert (area & gone).sum() > 0.97 * gone.sum()
    assert (area & ~gone).sum() < 0.25 * gone.sum()


@pytest.mark.slow
def test_it_is_filled_as_damage_is() -> None:
    image = print_of(pictures.camera())
    gone = corner(image.shape, 120)
    image[gone] = LID
    light, inside = measure.luma_and_inside(image)
    assert (damage.find(image, light, inside, [])[gone] > 0).mean() > 0.97


@pytest.mark.parametrize("make", [pictures.astronaut, pictures.camera, pictures.coffee])
def test_a_whole_print_has_no_such_place(make) -> None:
    assert not found(print_of(make())).any()
    assert not found(make()).any()


def test_a_sky_that_runs_into_clouds_is_no_such_place() -> None:
    image = print_of(pictures.camera())
    fall = np.clip(np.linspace(1.2, -0.6, len(image)), 0, 1)[:, None, None].astype(np.float32)
    half = image.shape[1] // 2  # on the left the print goes on as it is, and the sky ends at once
    image[:, half:] = (image * (1 - fall) + LID * fall)[:, half:]
    assert not found(image).any()


def test_what_runs_along_a_side_is_a_frame() -> None:
    image = print_of(pictures.astronaut())
    image[-60:] = LID
    assert not found(image).any()


def rounded(shape: tuple[int, ...], radius: float) -> np.ndarray:
    """What a print with round corners leaves of the sheet; it lies two pixels aslant."""
    rows, columns = (np.abs(each - (each.max() - 1) / 2) for each in np.indices(shape[:2]))
    beyond = [rows - rows.max() + radius, columns - columns.max() + radius]
    outer = np.hypot(*(np.maximum(each, 0) for each in beyond))
    return outer > radius


@pytest.mark.parametrize("behind", [LID, ALBUM])
@pytest.mark.parametrize("corners", ["four", "upper"])
def test_corners_that_were_cut_alike_are_the_shape_of_the_print(
    behind: np.ndarray, corners: str
) -> None:
    image = print_of(pictures.astronaut())
    gone = rounded(image.shape, 0.2 * image.shape[1])
    if corners == "upper":  # an arch
        gone[len(gone) // 2 :] = False
    image[gone] = behind
    assert not found(image).any()


@pytest.mark.parametrize("behind", [LID, ALBUM])
def test_two_corners_that_are_torn_off_each_in_its_way_are_both_found(behind: np.ndarray) -> None:
    image = print_of(pictures.astronaut())
    gone = corner(image.shape, 120) | corner(image.shape, 190)[::-1]
    image[gone] = behind
    assert (found(image) & gone).sum() > 0.95 * gone.sum()


def test_a_grey_scan_says_too_little() -> None:
    image = pictures.grey(print_of(pictures.astronaut()))
    image[corner(image.shape, 120)] = LID
    assert not found(image).any()


def test_lights_that_burnt_out_are_no_such_place() -> None:
    """White holds no tint, so to be without one says nothing."""
    image = print_of(pictures.camera())
    image[corner(image.shape, 120)] = 1.0
    assert not found(image).any()


@pytest.mark.parametrize(("paper", "ink"), [(LID, 0.1), (ALBUM, 0.95)])
def test_a_label_that_somebody_wrote_on_stays(paper: np.ndarray, ink: float) -> None:
    image = print_of(pictures.astronaut())
    image[-70:, -260:] = paper
    for left in range(-240, -40, 24):  # the strokes of a number
        image[-55:-20, left : left + 6] = ink
    assert not found(image).any()


def test_no_face_lies_in_what_is_torn_off() -> None:
    image = print_of(pictures.camera())
    gone = corner(image.shape, 160)
    image[gone] = LID
    light, inside = measure.luma_and_inside(image)
    face = (0.9, 0.9, 0.06, 0.06)
    taken = damage.find(image, light, inside, [face]) > 0
    assert taken[gone].any()
    assert not taken[damage.face_area(light.shape, [face])].any()
