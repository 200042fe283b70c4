"""The smaller copies of a working file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pyvips

from archive import derivatives, storage
from archive.sizes import MAP, MAP_SIDE, NAMES, SIDES
from tests import factories


def stored(sha256: str, name: str) -> Any:
    with storage.open_key(storage.derivative_key(sha256, name)) as stream:
        return pyvips.Image.new_from_buffer(stream.read(), "")


def made(tmp_path: Path, pixels: Any, interpretation: str) -> str:
    path = tmp_path / "working.tif"
    image = pyvips.Image.new_from_array(pixels).copy(interpretation=interpretation)
    image.tiffsave(str(path))
    sha256 = storage.digest(path)
    storage.put_file(storage.working_key(sha256), path)
    derivatives.make(path, sha256)
    return sha256


def test_every_size_is_made_and_none_is_larger_than_its_name(tmp_path: Path) -> None:
    sha256 = made(tmp_path, np.full((2000, 3000, 3), 90, np.uint8), "srgb")
    assert [stored(sha256, f"{side}.jpg").width for side in SIDES] == list(SIDES)
    assert stored(sha256, "full.jpg").width == 3000


def test_a_small_picture_is_copied_and_not_enlarged(tmp_path: Path) -> None:
    sha256 = made(tmp_path, np.full((60, 100, 3), 90, np.uint8), "srgb")
    assert {stored(sha256, name).width for name in NAMES} == {100}


def test_a_tall_picture_is_measured_by_its_long_side(tmp_path: Path) -> None:
    sha256 = made(tmp_path, np.full((1000, 500, 3), 90, np.uint8), "srgb")
    assert (stored(sha256, "400.jpg").width, stored(sha256, "400.jpg").height) == (200, 400)


def test_sixteen_bits_become_eight_of_the_same_tone(tmp_path: Path) -> None:
    sha256 = made(tmp_path, np.full((600, 900, 3), 90 * 257, np.uint16), "rgb16")
    small = stored(sha256, "400.jpg")
    assert (small.format, small.interpretation) == ("uchar", "srgb")
    assert abs(small.avg() - 90) < 1


def test_sizes_carry_no_metadata(tmp_path: Path) -> None:
    sha256 = made(tmp_path, np.full((60, 100, 3), 90, np.uint8), "srgb")
    fields = stored(sha256, "400.jpg").get_fields()
    assert not [name for name in fields if name.startswith(("exif", "xmp", "iptc", "icc"))]


def test_a_lost_size_is_made_again() -> None:
    sha256 = factories.stored(factories.picture(3))
    gone = storage.derivative_key(sha256, "400.jpg")
    storage.delete(gone)
    derivatives.ensure(sha256)
    assert storage.exists(gone)


def test_a_hair_on_a_large_map_stays_in_sight() -> None:
    sheet = np.zeros((999, 4001), np.uint8)
    sheet[:, 2003] = 90
    sha256 = "a" * 64
    derivatives.make_map(sheet, sha256)
    small = stored(sha256, MAP).numpy()
    assert max(small.shape) <= MAP_SIDE
    assert (small.reshape(small.shape[:2]).max(axis=1) == 90).all()
    assert abs(small.argmax() % small.shape[1] / small.shape[1] - 2003 / 4001) < 0.001


def test_a_small_map_needs_no_smaller_copy() -> None:
    derivatives.make_map(np.zeros((MAP_SIDE, MAP_SIDE), np.uint8), "b" * 64)
    assert not storage.exists(storage.derivative_key("b" * 64, MAP))


def test_a_glimpse_is_as_small_as_it_must_be() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (600, 900, 3), dtype=np.uint8)
    data, width, height = derivatives.glimpse(noise, side=512, most=8_000)
    assert len(data) <= 8_000
    assert (width, height) == (128, 85)
    calm, width, _height = derivatives.glimpse(np.full_like(noise, 90), side=512, most=20_000)
    assert width == 512
    assert pyvips.Image.new_from_buffer(calm, "").avg() == pytest.approx(90, abs=1)
