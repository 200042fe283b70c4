"""What an untrusted file becomes, and what is refused; every picture here is made by the test."""

from __future__ import annotations

import errno
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from collections import namedtuple
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pyvips
from numpy.typing import NDArray

from archive import decode, decoder
from archive.decode import Unreadable

GREY = np.tile(np.linspace(2000, 60000, 96).astype(np.uint16), (64, 1))
RAMP = np.stack(
    [
        np.tile(np.arange(96, dtype=np.uint8) * 2, (64, 1)),
        np.tile(np.arange(64, dtype=np.uint8)[:, None] * 3, (1, 96)),
        np.full((64, 96), 90, np.uint8),
    ],
    axis=2,
)


def picture(pixels: NDArray[Any], interpretation: str = "") -> Any:
    image = pyvips.Image.new_from_array(pixels)
    return image.copy(interpretation=interpretation) if interpretation else image


def read(path: Path) -> tuple[decode.Decoded, NDArray[Any]]:
    into = path.with_name("working.tif")
    found = decode.read(path, into=into)
    return found, pyvips.Image.new_from_file(str(into), revalidate=True).numpy()


def refusal(path: Path) -> Unreadable:
    into = path.with_name("working.tif")
    with pytest.raises(Unreadable) as caught:
        decode.read(path, into=into)
    assert not into.exists()
    return caught.value


def test_sixteen_bit_grey_keeps_its_greys_and_does_not_turn_white(tmp_path: Path) -> None:
    path = tmp_path / "scan.tif"
    picture(GREY, "grey16").tiffsave(str(path), compression="lzw")
    found, pixels = read(path)
    assert (found.bits, found.bands, found.interpretation) == (16, 1, "grey16")
    assert pixels.dtype == np.uint16
    assert pixels.shape == (64, 96, 3)
    np.testing.assert_array_equal(pixels, np.repeat(GREY[..., None], 3, axis=2))


def test_eight_bit_rgb_keeps_every_value(tmp_path: Path) -> None:
    path = tmp_path / "scan.png"
    picture(RAMP, "srgb").pngsave(str(path))
    found, pixels = read(path)
    assert (found.width, found.height, found.media_type, found.bits) == (96, 64, "image/png", 8)
    np.testing.assert_array_equal(pixels, RAMP)


def test_sixteen_bit_rgb_keeps_every_value(tmp_path: Path) -> None:
    path = tmp_path / "scan.tif"
    deep = RAMP.astype(np.uint16) * 257
    picture(deep, "rgb16").tiffsave(str(path), bigtiff=True, tile=True)
    found, pixels = read(path)
    assert found.bits == 16
    np.testing.assert_array_equal(pixels, deep)


def test_one_bit_line_art_is_black_and_white(tmp_path: Path) -> None:
    path = tmp_path / "lines.tif"
    lines = (np.indices((64, 96)).sum(axis=0) % 8 < 4).astype(np.uint8) * 255
    picture(lines, "b-w").tiffsave(str(path), bitdepth=1, compression="ccittfax4")
    found, pixels = read(path)
    assert found.bits == 1
    np.testing.assert_array_equal(pixels, np.repeat(lines[..., None], 3, axis=2))


def test_cmyk_with_and_without_a_profile_becomes_srgb(tmp_path: Path) -> None:
    inks = picture(RAMP, "srgb").icc_transform("cmyk", input_profile="srgb")
    for keep in ("all", "none"):
        path = tmp_path / f"{keep}.tif"
        inks.tiffsave(str(path), keep=keep)
        found, pixels = read(path)
        assert (found.bands, found.interpretation) == (4, "cmyk")
        assert bool(found.icc) is (keep == "all")
        assert np.abs(pixels.astype(int) - RAMP).mean() < 12


def test_a_wide_profile_is_applied_and_not_merely_dropped(tmp_path: Path) -> None:
    path = tmp_path / "p3.jpg"
    picture(RAMP, "srgb").icc_transform("p3", input_profile="srgb").jpegsave(str(path), Q=98)
    found, pixels = read(path)
    assert found.icc
    raw = pyvips.Image.new_from_file(str(path)).numpy()
    assert np.abs(pixels.astype(int) - RAMP).mean() < 2
    assert np.abs(raw.astype(int) - RAMP).mean() > 3


def test_a_profile_that_does_not_fit_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "wrong.jpg"
    inks = picture(RAMP, "srgb").icc_transform("cmyk", input_profile="srgb")
    wrong = picture(RAMP, "srgb").copy()
    wrong.set_type(pyvips.GValue.blob_type, "icc-profile-data", inks.get("icc-profile-data"))
    wrong.tiffsave(str(path), keep="icc")
    _found, pixels = read(path)
    np.testing.assert_array_equal(pixels, RAMP)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_stands_upright(tmp_path: Path, orientation: int) -> None:
    path = tmp_path / "turned.tif"
    stored = {
        1: RAMP,
        2: RAMP[:, ::-1],
        3: RAMP[::-1, ::-1],
        4: RAMP[::-1],
        5: RAMP.transpose(1, 0, 2),
        6: np.rot90(RAMP, 1),
        7: RAMP[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(RAMP, -1),
    }[orientation]
    image = picture(np.ascontiguousarray(stored), "srgb").copy()
    image.set_type(pyvips.GValue.gint_type, "orientation", orientation)
    image.tiffsave(str(path))
    found, pixels = read(path)
    assert (found.orientation, found.width, found.height) == (orientation, 96, 64)
    np.testing.assert_array_equal(pixels, RAMP)


def test_what_is_transparent_lies_on_white(tmp_path: Path) -> None:
    for depth, top in ((np.uint8, 255), (np.uint16, 65535)):
        path = tmp_path / f"{top}.png"
        pixels = np.zeros((64, 96, 4), depth)
        pixels[:32, :, 3] = top
        picture(pixels, "srgb" if top == 255 else "rgb16").pngsave(str(path))
        _found, flat = read(path)
        assert flat.shape == (64, 96, 3)
        assert (flat[:32].max(), flat[32:].min()) == (0, top)


def test_the_first_page_of_several_is_taken_and_the_others_counted(tmp_path: Path) -> None:
    path = tmp_path / "pages.tif"
    pages = np.concatenate([RAMP, 255 - RAMP, RAMP])
    image = picture(pages, "srgb").copy()
    image.set_type(pyvips.GValue.gint_type, "page-height", 64)
    image.tiffsave(str(path))
    found, pixels = read(path)
    assert found.pages == 3
    np.testing.assert_array_equal(pixels, RAMP)


def test_resolution_and_colour_profile_are_noted(tmp_path: Path) -> None:
    path = tmp_path / "scan.tif"
    picture(RAMP, "srgb").copy(xres=600 / 25.4, yres=600 / 25.4).tiffsave(str(path), profile="srgb")
    found, _pixels = read(path)
    assert found.dpi == 600
    assert "sRGB" in found.icc


def test_webp_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "scan.webp"
    picture(RAMP, "srgb").webpsave(str(path), lossless=True)
    found, pixels = read(path)
    assert found.media_type == "image/webp"
    np.testing.assert_array_equal(pixels, RAMP)


def test_the_name_of_a_file_is_never_asked(tmp_path: Path) -> None:
    path = tmp_path / "scan.png"
    path.write_bytes(picture(RAMP, "srgb").jpegsave_buffer())
    assert read(path)[0].media_type == "image/jpeg"


def test_the_working_file_carries_nothing_of_the_person_who_scanned(tmp_path: Path) -> None:
    path = tmp_path / "gps.jpg"
    image = picture(RAMP, "srgb").copy()
    image.set_type(pyvips.GValue.gstr_type, "exif-ifd0-Artist", "Vera")
    image.jpegsave(str(path))
    read(path)
    assert b"Vera" in path.read_bytes()
    assert b"Vera" not in (tmp_path / "working.tif").read_bytes()


@pytest.mark.parametrize("kind", ["jpg", "png", "tif", "webp"])
def test_a_file_that_breaks_off_is_refused_in_every_kind(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"scan.{kind}"
    noise = np.random.default_rng(1).integers(0, 255, (400, 400, 3), np.uint8)
    whole = picture(noise, "srgb").write_to_buffer(f".{kind}")
    path.write_bytes(whole[: len(whole) * 2 // 3])
    refused = refusal(path)
    assert refused.code in ("truncated", "damaged")
    assert refused.permanent


@pytest.mark.parametrize(
    ("head", "code", "kind"),
    [
        (b"GIF89a" + bytes(60), "kind-not-allowed", "GIF"),
        (b"BM" + bytes(60), "kind-not-allowed", "BMP"),
        (b"%PDF-1.7" + bytes(60), "kind-not-allowed", "PDF"),
        (b"\0\0\0\x1cftypheic" + bytes(60), "kind-not-allowed", "HEIC"),
        (b"\0\0\0\x1cftypavif" + bytes(60), "kind-not-allowed", "AVIF"),
        (b'<?xml version="1.0"?>\n<!-- x -->\n<svg>', "kind-not-allowed", "SVG"),
        (b"<html><img>", "not-a-picture", None),
        (b"", "not-a-picture", None),
    ],
)
def test_other_kinds_are_named(tmp_path: Path, head: bytes, code: str, kind: str | None) -> None:
    path = tmp_path / "file.jpg"
    path.write_bytes(head)
    refused = refusal(path)
    assert (refused.code, refused.facts.get("kind")) == (code, kind)


def test_a_loader_outside_the_list_stays_locked_even_behind_an_allowed_beginning(
    tmp_path: Path,
) -> None:
    path = tmp_path / "evil.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n<svg xmlns='http://www.w3.org/2000/svg'/>")
    assert refusal(path).code in ("damaged", "truncated")


def test_a_camera_raw_file_is_not_taken_for_its_preview(tmp_path: Path) -> None:
    path = tmp_path / "IMG_1.dng"
    entries = struct.pack("<HHII", 254, 4, 1, 1) + struct.pack("<HHII", 50706, 1, 4, 0x0401)
    path.write_bytes(b"II*\0" + struct.pack("<IH", 8, 2) + entries + bytes(200))
    refused = refusal(path)
    assert (refused.code, refused.facts) == ("kind-not-allowed", {"kind": "camera raw"})


def test_too_many_pixels_are_refused_by_the_header_alone(tmp_path: Path, settings: Any) -> None:
    settings.MAX_PIXELS = 6000
    path = tmp_path / "scan.png"
    picture(RAMP, "srgb").pngsave(str(path))
    refused = refusal(path)
    assert refused.code == "too-many-pixels"
    assert refused.facts == {"width": 96, "height": 64, "limit": 6000}


def test_a_picture_under_32_pixels_is_too_small(tmp_path: Path) -> None:
    path = tmp_path / "dot.png"
    picture(RAMP[:31], "srgb").pngsave(str(path))
    assert refusal(path).code == "too-small"


def test_a_bomb_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    pyvips.Image.black(9_000, 9_000).pngsave(str(path), compression=9)
    refused = refusal(path)
    assert refused.code == "bomb"


def test_a_float_picture_is_refused_with_its_kind(tmp_path: Path) -> None:
    path = tmp_path / "float.tif"
    picture(GREY.astype(np.float32)).tiffsave(str(path))
    refused = refusal(path)
    assert (refused.code, refused.facts) == ("samples-not-allowed", {"detail": "float"})


def changed(monkeypatch: pytest.MonkeyPatch, change: str) -> None:
    """The program in the other process with a line run before it begins."""
    started = subprocess.Popen
    code = f"import sys, time; from pathlib import Path; from archive import decoder; {change}; "
    code += "decoder.main(Path(sys.argv[1]), Path(sys.argv[2]), *map(int, sys.argv[3:]))"

    def popen(command: list[str], **words: Any) -> Any:
        assert command[1:4] == ["-P", "-m", "archive.decoder"]
        return started([command[0], "-P", "-c", code, *command[4:]], **words)

    monkeypatch.setattr(decode.subprocess, "Popen", popen)


def a_scan(tmp_path: Path) -> Path:
    path = tmp_path / "scan.png"
    picture(RAMP, "srgb").pngsave(str(path))
    return path


def test_a_decoder_that_takes_too_long_is_ended_and_may_be_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed(
        monkeypatch, "decoder.ORDINARY_SECONDS = 1; decoder.describe = lambda *_: time.sleep(60)"
    )
    refused = refusal(a_scan(tmp_path))
    assert (refused.code, refused.permanent) == ("took-too-long", False)


def test_one_that_does_not_end_itself_is_ended_with_all_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decode, "WALL_SECONDS", 1)
    beside = "import subprocess; started = subprocess.Popen(['sleep', '60'])"
    told = f"{beside}; open(Path(sys.argv[2]).parent / 'pid', 'w').write(str(started.pid))"
    changed(monkeypatch, f"{told}; time.sleep(60)")
    refused = refusal(a_scan(tmp_path))
    assert (refused.code, refused.permanent) == ("took-too-long", False)
    sleeper = Path("/proc", (tmp_path / "pid").read_text(), "stat")
    for _ in range(100):
        if not sleeper.exists() or sleeper.read_text().split()[2] == "Z":
            return
        time.sleep(0.05)  # it has been signalled; a busy machine buries it later
    pytest.fail("what it had started went on")


@pytest.mark.slow
def test_work_without_end_is_the_files_fault_on_a_busy_machine_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    endless = "decoder.describe = lambda *_: [0 for _ in iter(int, 1)]"
    slowly = "decoder.signal.setitimer = lambda *_: None"
    changed(monkeypatch, f"{slowly}; decoder.ORDINARY_SECONDS = 1; {endless}")
    refused = refusal(a_scan(tmp_path))
    assert (refused.code, refused.permanent) == ("too-costly", True)


@pytest.mark.parametrize(
    ("end", "code", "permanent"),
    [
        (-9, "too-heavy", False),
        (-6, "too-heavy", False),
        (-14, "took-too-long", False),
        (-24, "too-costly", True),
        (-11, "damaged", True),
    ],
)
def test_how_a_decoder_died_says_whether_to_try_again(end: int, code: str, permanent: bool) -> None:
    died = decode._died(end)
    assert (died.code, died.permanent) == (code, permanent)


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"{}",
        b"[1]",
        b'{"decoded": {"width": 1}}',
        b'{"decoded": 5}',
        b"x" * 100_000,
        b'{"code": "damaged"}',
    ],
)
def test_an_answer_that_cannot_be_is_not_believed(said: bytes, tmp_path: Path) -> None:
    with pytest.raises(Unreadable) as caught:
        decode.judge(decode.Told(said, 0, 0), tmp_path / "working.tif")
    assert caught.value.code == "damaged"


def test_a_working_file_that_is_none_is_not_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = decoder.decode
    changed(
        monkeypatch,
        "whole = decoder.decode; decoder.decode = lambda *words: "
        "(whole(*words), words[3].write_bytes(b'<svg>'))[0]",
    )
    assert whole is decoder.decode
    assert refusal(a_scan(tmp_path)).facts == {"detail": "no picture"}


@pytest.mark.slow
def test_memory_is_bounded_in_the_process_that_opens_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "progressive.jpg"
    noise = np.random.default_rng(1).integers(0, 255, (6000, 6000, 3), np.uint8)
    picture(noise, "srgb").jpegsave(str(path), interlace=True, Q=50)
    assert read(path)[0].width == 6000
    (tmp_path / "working.tif").unlink()
    # Its coefficients alone take 103 MiB.
    changed(monkeypatch, "decoder.ORDINARY_DATA = 100 * 1024**2; decoder.DATA_PER_PIXEL = 0")
    for threads in ("1", "2", "16"):
        monkeypatch.setenv("VIPS_CONCURRENCY", threads)
        assert (refusal(path).code, threads) == ("too-heavy", threads)


def test_only_a_larger_picture_may_take_more_than_an_ordinary_one() -> None:
    ordinary = decoder.allowance(8_000_000)
    assert decoder.allowance(1) == ordinary
    assert ordinary == (400 * 1024**2, 20)
    largest = decoder.allowance(100_000_000)
    assert largest.data < 2 * 1024**3
    assert largest.seconds < decode.WALL_SECONDS


def test_a_tiff_of_countless_pages_is_refused_by_their_number(tmp_path: Path) -> None:
    path = tmp_path / "pages.tif"
    pages = picture(np.zeros((32 * 1001, 32), np.uint8)).copy()
    pages.set_type(pyvips.GValue.gint_type, "page-height", 32)
    pages.tiffsave(str(path))
    refused = refusal(path)
    assert refused.code == "too-many-pages"
    assert refused.facts == {"pages": 1001, "limit": 1000}


def test_nothing_of_ours_goes_along_into_the_other_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REKINDLE_DATABASE_URL", "postgres://secret")
    assert not [name for name in decode._environment(tmp_path) if "REKINDLE" in name]


def test_the_program_in_the_other_process_knows_no_django(tmp_path: Path) -> None:
    code = "import sys, archive.decoder; sys.exit('django' in sys.modules)"
    command = [sys.executable, "-P", "-c", code]
    assert subprocess.run(command, env=decode._environment(tmp_path), check=False).returncode == 0


def test_the_parent_has_no_libvips_either() -> None:
    """A web process that only names this module stays small."""
    code = "import sys, archive.decode; sys.exit('pyvips' in sys.modules)"
    command = [sys.executable, "-P", "-c", code]
    where = {"PYTHONPATH": str(decode.ROOT), "DJANGO_SETTINGS_MODULE": "config.settings"}
    assert subprocess.run(command, env=where, check=False).returncode == 0


def test_a_profiles_name_is_clean_text() -> None:
    assert decoder.profile_name(b"") == ""
    assert decoder.profile_name(b"not a profile") == "?"


# --- a disk that is full -------------------------------------------------------------------------
def no_room(*_words: Any, **_more: Any) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="no files in memory here")
def test_what_was_found_can_be_told_although_the_disk_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "scan.png"
    picture(RAMP, "srgb").pngsave(str(path))
    monkeypatch.setattr(tempfile, "TemporaryFile", no_room)
    found, _pixels = read(path)
    assert found.width == 96


@pytest.mark.parametrize(("free", "error"), [(0, OSError), (decode.ROOM_BYTES, Unreadable)])
def test_a_full_disk_is_no_fault_of_the_file_where_it_is_really_full(
    free: int, error: type[Exception], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(2**40, 0, free))
    said = json.dumps({"code": "disk-full", "facts": {}, "peak": 1}).encode()
    with pytest.raises(error):
        decode.judge(decode.Told(said, 0, 0.1), tmp_path / "working.tif")
