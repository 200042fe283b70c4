"""The smaller copies of a working file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyvips

from archive import derivatives, storage
from archive.sizes import NAMES, SIDES
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
