"""Files come in and go out without a value lost."""

import errno
import os
from pathlib import Path

import numpy as np
import pytest
import pyvips

from restoration.engine import image as pictures
from restoration.engine.errors import BadInput


def eight_bit(height: int = 61, width: int = 83) -> np.ndarray:
    levels = np.random.default_rng(0).integers(0, 256, (height, width, 3))
    return (levels / 255).astype(np.float32)


@pytest.mark.parametrize("bits", [8, 16])
def test_eight_bit_values_make_the_round_trip_exactly(tmp_path: Path, bits: int):
    given = eight_bit()
    pictures.save(given, tmp_path / "scan.tif", bits)
    assert np.array_equal(pictures.load(tmp_path / "scan.tif"), given)


def test_a_16_bit_file_holds_v_times_257(tmp_path: Path):
    given = eight_bit()
    pictures.save(given, tmp_path / "scan.tif")
    stored = pyvips.Image.new_from_file(str(tmp_path / "scan.tif"))
    assert stored.format == "ushort"
    assert np.array_equal(stored.numpy(), np.rint(given * 255).astype(np.uint16) * 257)


def test_png_and_tiff_in_memory_are_the_same_picture():
    given = eight_bit()
    assert np.array_equal(pictures.load_bytes(pictures.to_png16(given)), given)
    assert np.array_equal(pictures.load_bytes(pictures.to_tiff16(given)), given)


def test_the_same_picture_gives_the_same_bytes(tmp_path: Path):
    for name in ("one.tif", "other.tif"):
        pictures.save(eight_bit(), tmp_path / name)
    assert (tmp_path / "one.tif").read_bytes() == (tmp_path / "other.tif").read_bytes()


def test_a_16_bit_grey_scan_does_not_turn_white(tmp_path: Path):
    levels = np.linspace(0, 65535, 40 * 50).reshape(40, 50).astype(np.uint16)
    pyvips.Image.new_from_array(levels).tiffsave(str(tmp_path / "grey.tif"))
    found = pictures.load(tmp_path / "grey.tif")
    assert found.shape == (40, 50, 3)
    assert np.array_equal(np.rint(found[..., 0] * 65535), levels)


def test_a_mask_makes_the_round_trip(tmp_path: Path):
    mask = (np.random.default_rng(1).random((40, 50)) > 0.5).astype(np.uint8) * 255
    pictures.save_mask(mask, tmp_path / "mask.png")
    assert np.array_equal(pictures.load_mask(tmp_path / "mask.png"), mask)


@pytest.mark.parametrize(
    ("picture", "code"),
    [
        (np.zeros((40, 40, 3)), "image-dtype"),
        (np.zeros((40, 40), np.float32), "image-shape"),
        (np.zeros((40, 40, 4), np.float32), "image-shape"),
        (np.zeros((15, 40, 3), np.float32), "image-too-small"),
        (np.full((40, 40, 3), np.nan, np.float32), "image-range"),
        (np.full((40, 40, 3), 1.01, np.float32), "image-range"),
        (np.broadcast_to(np.float32(0), (20_000, 10_000, 3)), "image-too-large"),
    ],
)
def test_a_bad_array_is_refused_at_the_door(picture: np.ndarray, code: str):
    with pytest.raises(BadInput) as caught:
        pictures.check_image(picture)
    assert caught.value.code == code


@pytest.mark.parametrize("content", [b"", b"no picture", b"a,b\n1,2\n" * 40, b"<svg/>"])
def test_a_file_that_is_no_picture_is_refused(tmp_path: Path, content: bytes):
    (tmp_path / "scan.tif").write_bytes(content)
    with pytest.raises(BadInput) as caught:
        pictures.load(tmp_path / "scan.tif")
    assert caught.value.code == "unreadable-image"


def test_half_a_file_is_no_picture():
    whole = pyvips.Image.new_from_array(eight_bit(200, 300)).jpegsave_buffer()
    with pytest.raises(BadInput, match="unreadable-image"):
        pictures.load_bytes(whole[: len(whole) // 2])


def test_levels_whose_white_nobody_knows_are_refused(tmp_path: Path):
    measured = pyvips.Image.new_from_array(np.full((40, 50), 0.5, np.float32))
    measured.tiffsave(str(tmp_path / "float.tif"))
    with pytest.raises(BadInput, match="unreadable-image"):
        pictures.load(tmp_path / "float.tif")


def test_a_disk_without_room_is_told_before_anything_is_written(monkeypatch: pytest.MonkeyPatch):
    def full(_file: int, _from: int, size: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device") if size == 300 else AssertionError

    monkeypatch.setattr(pictures, "IN_MEMORY", 100)
    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(OSError, match="No space left"):
        pictures.room((10, 30), np.uint8)


@pytest.mark.parametrize("kernel", ["lanczos3", "linear"])
@pytest.mark.parametrize("factor", [2, 0.5])
def test_resizing_keeps_the_middle_of_things_in_its_place(kernel: str, factor: float):
    given = np.zeros((64, 80), np.float32)
    given[30:34, 50:54] = 1
    height, width = round(64 * factor), round(80 * factor)
    found = pictures.resize(given, height, width, kernel)
    rows, columns = np.mgrid[:height, :width] + 0.5
    middle = [(found * axis).sum() / found.sum() / factor for axis in (rows, columns)]
    assert np.allclose(middle, [32, 52], atol=0.02)
