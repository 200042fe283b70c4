"""JPEG 2000 in the cell: real files of 8 and 16 bits, grey and colour, with their profiles."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pyvips
from numpy.typing import NDArray
from openjpeg.utils import encode_array
from PIL import Image

from archive import decode, decoder, jpeg2000
from archive.decode import Unreadable
from tests.archive.test_decode import GREY, RAMP, picture, read, refusal

DEEP = RAMP.astype(np.uint16) * 257 + 3
JP2, RAW = 1, 0


def jp2(samples: NDArray[Any], kind: int = JP2, **more: Any) -> bytes:
    """Without loss."""
    data: bytes = encode_array(np.ascontiguousarray(samples), codec_format=kind, **more)
    return data


def with_boxes(content: bytes, *boxes: tuple[bytes, bytes], without: bytes = b"") -> bytes:
    """The file with more boxes at the end of its header, and without those of a kind."""
    at = content.index(b"jp2h") - 4
    length = struct.unpack_from(">I", content, at)[0]
    inner, kept = content[at + 8 : at + length], b""
    while inner:
        size = struct.unpack_from(">I", inner)[0]
        kept += inner[:size] if inner[4:8] != without else b""
        inner = inner[size:]
    kept += b"".join(struct.pack(">I4s", len(body) + 8, kind) + body for kind, body in boxes)
    header = struct.pack(">I4s", len(kept) + 8, b"jp2h") + kept
    return content[:at] + header + content[at + length :]


def colour(space: int) -> tuple[bytes, bytes]:
    return b"colr", struct.pack(">BBBI", 1, 0, 0, space)


def told_by(profile: bytes) -> tuple[bytes, bytes]:
    return b"colr", b"\2\0\0" + profile


def kept(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "scan.jp2"
    path.write_bytes(content)
    return path


KINDS = {(8, 1): "b-w", (16, 1): "grey16", (8, 3): "srgb", (16, 3): "rgb16"}


def as_tiff(tmp_path: Path, shown: Any) -> NDArray[Any]:
    """What becomes of the same samples and the same profile in a TIFF."""
    path = tmp_path / "same.tif"
    shown.tiffsave(str(path), keep="icc")
    return read(path)[1]


@pytest.mark.parametrize("kind", [JP2, RAW])
@pytest.mark.parametrize(
    ("samples", "bits", "bands"), [(GREY // 257, 8, 1), (GREY, 16, 1), (RAMP, 8, 3), (DEEP, 16, 3)]
)
def test_every_sample_comes_out_as_it_went_in(
    tmp_path: Path, samples: NDArray[Any], bits: int, bands: int, kind: int
) -> None:
    samples = samples.astype(np.uint8) if bits == 8 else samples
    hue = {"photometric_interpretation": 1 if bands == 3 else 2}
    found, pixels = read(kept(tmp_path, jp2(samples, kind, **hue)))
    assert (found.media_type, found.bits, found.bands) == ("image/jp2", bits, bands)
    assert (found.width, found.height, found.orientation, found.pages) == (96, 64, 1, 1)
    assert pixels.dtype == samples.dtype
    assert np.array_equal(pixels, as_tiff(tmp_path, picture(samples, KINDS[bits, bands])))
    assert bands == 1 or np.array_equal(pixels, samples)


def test_twelve_bits_fill_the_sixteen(tmp_path: Path) -> None:
    samples = (DEEP // 16).astype(np.uint16)
    data = jp2(samples, bits_stored=12, photometric_interpretation=1)
    found, pixels = read(kept(tmp_path, data))
    assert found.bits == 12
    assert np.abs(pixels.astype(int) - samples * (65535 / 4095)).max() <= 1


@pytest.mark.parametrize("samples", [RAMP, DEEP])
def test_a_profile_is_applied_and_named(tmp_path: Path, samples: NDArray[Any]) -> None:
    depth = 8 * samples.itemsize
    shown = picture(samples, "srgb" if depth == 8 else "rgb16")
    wide = shown.icc_transform("p3", input_profile="srgb", depth=depth)
    data = jp2(wide.numpy(), photometric_interpretation=1)
    profile = wide.get("icc-profile-data")
    found, pixels = read(kept(tmp_path, with_boxes(data, told_by(profile), without=b"colr")))
    assert "P3" in found.icc
    assert np.array_equal(pixels, as_tiff(tmp_path, wide))
    _plain, untouched = read(kept(tmp_path, data))
    assert not np.array_equal(untouched, pixels)


def test_a_grey_profile_and_a_broken_one_do_no_harm(tmp_path: Path) -> None:
    data = jp2(RAMP, photometric_interpretation=1)
    path = kept(tmp_path, with_boxes(data, told_by(b"no profile" * 40), without=b"colr"))
    found, pixels = read(path)
    assert found.icc == "?"
    assert np.array_equal(pixels, RAMP)


def test_the_resolution_is_noted(tmp_path: Path) -> None:
    inner = struct.pack(">I4sHHHHbb", 18, b"resc", 2362, 100, 2362, 100, 3, 3)
    found, _pixels = read(kept(tmp_path, with_boxes(jp2(RAMP), (b"res ", inner))))
    assert found.dpi == pytest.approx(600, abs=0.2)


@pytest.mark.parametrize(("mode", "bands"), [("L", 1), ("LA", 2), ("RGB", 3), ("RGBA", 4)])
def test_what_pillow_writes_is_read(tmp_path: Path, mode: str, bands: int) -> None:
    stream = io.BytesIO()
    shown = Image.fromarray(RAMP).convert(mode)
    shown.save(stream, "JPEG2000", irreversible=False, tile_size=(32, 32), num_resolutions=3)
    found, pixels = read(kept(tmp_path, stream.getvalue()))
    assert (found.bands, found.bits) == (bands, 8)
    assert np.abs(pixels.astype(int) - np.asarray(shown.convert("RGB"))).max() <= 1


STRANGE: dict[str, Callable[[], bytes]] = {
    "lab": lambda: with_boxes(jp2(RAMP), colour(14), without=b"colr"),
    "romm": lambda: with_boxes(jp2(RAMP), colour(21), without=b"colr"),
    "deep ycc": lambda: with_boxes(jp2(DEEP), colour(18), without=b"colr"),
    "signed": lambda: jp2(RAMP.astype(np.int16) - 100),
    "deep palette": lambda: with_boxes(jp2(GREY), (b"pclr", b"\0\2\3\x0f\x0f\x0f" + bytes(12))),
}


@pytest.mark.parametrize("kind", STRANGE)
def test_what_would_come_out_in_other_colours_is_refused(tmp_path: Path, kind: str) -> None:
    assert refusal(kept(tmp_path, STRANGE[kind]())).code == "samples-not-allowed"


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.02, 0.1, 0.5, 0.95])
def test_a_file_that_breaks_off_is_never_taken_for_a_whole_one(
    tmp_path: Path, share: float
) -> None:
    rng = np.random.default_rng(1)
    data = jp2(rng.integers(0, 255, (200, 300, 3), np.uint8), photometric_interpretation=1)
    refused = refusal(kept(tmp_path, data[: int(len(data) * share)]))
    assert refused.code in ("truncated", "damaged")


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(12))
def test_flipped_bytes_are_refused_or_read_and_never_end_the_worker(
    tmp_path: Path, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    data = bytearray(jp2(DEEP if seed % 2 else RAMP, photometric_interpretation=1))
    for at in rng.integers(0, len(data), 1 + seed):
        data[at] = rng.integers(0, 256)
    path = kept(tmp_path, bytes(data))
    try:
        found, pixels = read(path)
    except Unreadable as refused:
        codes = {"not-a-picture", "truncated", "damaged", "samples-not-allowed", "too-many-pixels"}
        assert refused.code in codes  # noqa: PT017 - either is right
    else:
        assert pixels.shape == (found.height, found.width, 3)


def test_a_promise_of_too_many_pixels_is_refused_by_its_header(tmp_path: Path) -> None:
    data = bytearray(jp2(RAMP, RAW))
    struct.pack_into(">II", data, 8, 60_000, 60_000)
    assert refusal(kept(tmp_path, bytes(data))).code == "too-many-pixels"


def test_a_header_of_boxes_without_end_is_refused(tmp_path: Path) -> None:
    data = jpeg2000.BOX + b"\r\n\x87\n" + struct.pack(">I4s", 8, b"free") * 5000
    assert refusal(kept(tmp_path, data)).code == "damaged"
    data = jpeg2000.BOX + b"\r\n\x87\n" + struct.pack(">I4s", 3, b"free")
    assert refusal(kept(tmp_path, data)).code == "damaged"


@pytest.mark.slow
def test_an_ordinary_scan_fits_the_ordinary_limits(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    ground = pyvips.Image.new_from_array(rng.integers(0, 65535, (20, 28, 3), np.uint16))
    large = ground.resize(2400 / 28, vscale=1800 / 20, kernel="cubic").cast("ushort").numpy()
    path = kept(tmp_path, jp2(large, photometric_interpretation=1))
    told = decode.ask(path, tmp_path / "working.tif")
    assert decode.judge(told, tmp_path / "working.tif").bits == 16
    assert told.peak < decoder.ORDINARY_DATA
