"""Every hostile and odd file of the lent folder: taken, or refused with the right sentence."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import pyvips

from archive import decode, wording
from tests.services.need import need, photos_folder

FOLDER = photos_folder() / "nasty"
Outcomes = dict[str, decode.Decoded | decode.Unreadable]
# What is refused, and why. Everything else in the folder must be taken.
REFUSED = {
    "16-bit_12bit.cropped.tif": "samples-not-allowed",
    "16-bit_hopper_16bit.pgm": "kind-not-allowed",
    "animated_big-height.webp": "too-small",
    "animated_iss634.gif": "kind-not-allowed",
    "animated_syntax_num_frames_zero.png": "damaged",
    "bomb_17000x17000.avif": "kind-not-allowed",
    "bomb_Bad_reallybig.bmp": "kind-not-allowed",
    "bomb_decompression_bomb_extents.gif": "kind-not-allowed",
    "bomb_oom-225817ca0f8c663be7ab4b9e717b02c661e66834.tif": "damaged",
    "bomb_png_decompression_dos.png": "too-small",
    "colour_1bit.tif": "too-small",
    "colour_la.tga": "not-a-picture",
    "colour_lab-green.tif": "samples-not-allowed",
    "disguise_html.htm": "not-a-picture",
    "disguise_svg.svg": "kind-not-allowed",
    "disguise_test-ole-file.doc": "not-a-picture",
    "float_10ct_32bit_128.tiff": "damaged",
    "format_dice.jxl": "kind-not-allowed",
    "format_hopper.avif": "kind-not-allowed",
    "format_hopper.psd": "kind-not-allowed",
    "format_samplefilehub.heif": "kind-not-allowed",
    "geometry_png-rgb-1x1x8.png": "too-small",
    "geometry_rgb24x8.jpg": "too-small",
    "malformed_badpalettesize.bmp": "kind-not-allowed",
    "malformed_badwidth.bmp": "kind-not-allowed",
    "malformed_broken_data_stream.png": "damaged",
    "malformed_commentFirst.png": "too-small",
    "malformed_crash-0c7e0e8e11ce787078f00b5b0ca409a167f070e0.tif": "damaged",
    "malformed_crash-2020-10-test.tif": "too-small",
    "malformed_crash-4fb027452e6988530aa5dabee76eecacb3b79f8a.j2k": "samples-not-allowed",
    "malformed_crash-63b1dffefc8c075ddc606c0a2f5fdc15ece78863.tif": "damaged",
    "malformed_invalid_multiframe.gif": "kind-not-allowed",
    "malformed_no_palette.gif": "kind-not-allowed",
    "malformed_tiff_overflow_rows_per_strip.tif": "truncated",
    "malformed_xcsn0g01.png": "damaged",
    "malformed_xdtn0g01.png": "damaged",
    "malformed_xhdn0g08.png": "damaged",
    "malformed_xs1n0g01.png": "not-a-picture",
    "malformed_zero_width.gif": "kind-not-allowed",
    "metadata_multiple_exif.jpg": "too-small",
    "minimal_jp2.jp2": "too-small",
    "minimal_png.png": "too-small",
    "minimal_webpl.webp": "too-small",
    "polyglot_jpgmp3.mp3": "too-small",
    "tiff_hopper_lzma.tif": "samples-not-allowed",
    "tiff_multi-channel-z-series.ome.tif": "samples-not-allowed",
    "tiff_multipage.tiff": "too-small",
    "tiff_multipage_multiple_frame_loop.tiff": "too-small",
    "tiff_multipage_single_frame_loop.tiff": "too-small",
    "tiff_ojpeg-strip.tif": "samples-not-allowed",
    "tiff_old-style-jpeg-compression.tif": "samples-not-allowed",
    "truncated_Bad_shortfile.bmp": "kind-not-allowed",
    "truncated_corrupted.jpg": "truncated",
    "truncated_not_enough_data.jp2": "damaged",
    "truncated_smallest-invalid.png": "too-small",
    "truncated_truncated.gif": "kind-not-allowed",
    "truncated_truncated.jpg": "truncated",
    "truncated_truncated_jpeg.jpg": "truncated",
    "truncated_ultrahdr.jpg": "truncated",
}


def listed() -> list[str]:
    manifest = FOLDER / "manifest.csv"
    if not manifest.is_file():
        return []
    with manifest.open(encoding="utf-8") as stream:
        return sorted(row["file"] for row in csv.DictReader(stream))


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Outcomes:
    """What became of every file, decoded once for all tests of this module."""
    need("photos")
    into = tmp_path_factory.mktemp("nasty") / "working.tif"
    found: Outcomes = {}
    for name in listed():
        try:
            found[name] = decode.read(FOLDER / name, into=into)
        except decode.Unreadable as refused:
            found[name] = refused
    return found


@pytest.mark.slow
def test_every_file_is_taken_or_refused_as_expected(outcomes: Outcomes) -> None:
    refused = {n: each.code for n, each in outcomes.items() if isinstance(each, decode.Unreadable)}
    assert refused == REFUSED
    assert len(outcomes) == 115


@pytest.mark.slow
def test_every_refusal_is_for_good_and_has_a_whole_sentence(outcomes: Outcomes) -> None:
    for name, each in outcomes.items():
        if isinstance(each, decode.Unreadable):
            assert each.permanent, name
            assert "{" not in wording.sentence(each.code, each.facts), name


def working(name: str, folder: Path) -> np.ndarray:
    need("photos")
    into = folder / f"{name}.tif"
    decode.read(FOLDER / name, into=into)
    return pyvips.Image.new_from_file(str(into)).numpy()


@pytest.mark.slow
def test_one_portrait_stored_in_seven_orientations_comes_out_the_same(tmp_path: Path) -> None:
    upright = [working(f"orientation_Portrait_{number}.jpg", tmp_path) for number in range(2, 9)]
    for each in upright[1:]:
        assert each.shape == upright[0].shape
        # Each file was compressed on its own, so the last bits differ.
        assert np.abs(each.astype(int) - upright[0]).mean() < 4


def test_sixteen_bit_grey_does_not_turn_white(tmp_path: Path) -> None:
    pixels = working("16-bit_16bit.cropped.tif", tmp_path)
    assert pixels.dtype == np.uint16
    stored = pyvips.Image.new_from_file(str(FOLDER / "16-bit_16bit.cropped.tif")).numpy()
    np.testing.assert_array_equal(pixels, np.repeat(stored[..., None], 3, axis=2))
    assert pixels.max() < 1000  # a very dark scan, which clipping to 8 bits would make all white


def test_cmyk_and_ycck_give_colours_and_not_negatives(tmp_path: Path) -> None:
    for name in ("colour_jpg-ycck.jpg", "colour_tiff_strip_cmyk_jpeg.tif"):
        ours = working(name, tmp_path).astype(float)
        plain = pyvips.Image.thumbnail(
            str(FOLDER / name),
            ours.shape[1],
            size="force",
            height=ours.shape[0],
            output_profile="srgb",
        ).numpy()
        assert np.corrcoef(ours.ravel(), plain[..., :3].ravel())[0, 1] > 0.97


def test_where_the_photograph_was_taken_is_not_told_on(tmp_path: Path) -> None:
    working("privacy_DSCN0010.jpg", tmp_path)
    written = pyvips.Image.new_from_file(str(tmp_path / "privacy_DSCN0010.jpg.tif"))
    assert not [field for field in written.get_fields() if "exif" in field.lower()]
