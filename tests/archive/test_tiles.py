"""The tiles of a working file: everything a viewer asks for, in one archive, without a word."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
import pyvips

from archive import decode, derivatives, storage, tiles, tiling
from archive.sizes import FULL_SIDE, PIPELINE, TILE, fit, tiles_name
from tests.archive.pyramids import asked_for

EXTENTS = (
    (500, 400),
    (512, 512),
    (513, 300),
    (300, 2049),
    (1024, 1024),
    (1500, 1000),
    (1600, 1200),
    (2561, 1703),
    (3001, 2003),
)
CURTAIN = (FULL_SIDE + 8, 64)


def kept(tmp_path: Path, image: Any) -> str:
    """A working file with its sizes and tiles; gives its sha256."""
    path = tmp_path / "working.tif"
    image.tiffsave(str(path), keep="none")
    sha256 = storage.digest(path)
    storage.put_file(storage.working_key(sha256), path)
    derivatives.make(path, sha256)
    tiling.make(path, sha256)
    return sha256


def plain(width: int, height: int) -> Any:
    return pyvips.Image.black(width, height, bands=3).copy(interpretation="srgb")


def grainy(width: int, height: int) -> Any:
    noise = pyvips.Image.gaussnoise(width, height, mean=120, sigma=25).cast("uchar")
    return noise.bandjoin([noise.rot180(), noise.fliphor()]).copy(interpretation="srgb")


def key_of(sha256: str) -> str:
    return storage.derivative_key(sha256, tiles_name(PIPELINE))


def shown(sha256: str, name: str) -> Any:
    return pyvips.Image.new_from_buffer(tiles.read(key_of(sha256), name), "")


@pytest.mark.parametrize(("width", "height"), [*EXTENTS, CURTAIN])
def test_everything_a_viewer_asks_for_is_there(tmp_path: Path, width: int, height: int) -> None:
    key = key_of(kept(tmp_path, plain(width, height)))
    info = tiles.info("/x", width, height)
    asked = {tiles.canonical(each, width, height) for each in asked_for(info)}
    offered = {
        tiles.canonical(f"full/{each['width']},{each['height']}/0/default.jpg", width, height)
        for each in info["sizes"]
    }
    wanted = asked | offered | {"full/max/0/default.jpg"}
    assert wanted - tiles.directory(key).keys() == set()


@pytest.mark.parametrize("long", [TILE - 1, TILE, TILE + 1, 2560, 2561, 5000, 8191, 8193, 10_240])
@pytest.mark.parametrize("short", [31, 1703, 8000])
def test_the_offered_sizes_are_never_taken_for_other_levels(long: int, short: int) -> None:
    for width, height in ((long, short), (short, long)):
        told = tiles.info("/x", width, height)
        exact = told | {"sizes": [{"width": 1, "height": 1}]}  # a list of no use
        assert list(asked_for(told)) == list(asked_for(exact))


def test_every_picture_has_the_size_of_its_name(tmp_path: Path) -> None:
    sha256 = kept(tmp_path, plain(1500, 1000))
    for name in tiles.directory(key_of(sha256)):
        _region, size, _turn, _file = name.split("/")
        width, height = (1500, 1000) if size == "max" else map(int, size.split(","))
        assert (shown(sha256, name).width, shown(sha256, name).height) == (width, height), name


def test_the_largest_whole_picture_is_bounded_and_info_says_so(tmp_path: Path) -> None:
    sha256 = kept(tmp_path, plain(*CURTAIN))
    told = tiles.info("/x", *CURTAIN)
    bound = fit(*CURTAIN, FULL_SIDE)
    assert (told["maxWidth"], told["maxHeight"]) == bound
    assert shown(sha256, "full/max/0/default.jpg").width == bound[0]
    assert "maxWidth" not in tiles.info("/x", 3000, 2000)


def test_tiles_have_the_colours_of_the_picture(tmp_path: Path) -> None:
    deep = (grainy(900, 700).cast("ushort") * 257).cast("ushort").copy(interpretation="rgb16")
    sha256 = kept(tmp_path, deep)
    tile = shown(sha256, "512,512,388,188/388,188/0/default.jpg")
    assert (tile.format, tile.interpretation, tile.bands) == ("uchar", "srgb", 3)
    assert abs(tile.avg() - grainy(900, 700).avg()) < 3


def test_the_archive_is_the_same_each_time_and_only_holds_pictures(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    image = grainy(700, 600).copy_memory()
    sha256 = kept(tmp_path / "a", image)
    with storage.open_key(key_of(sha256)) as stream:
        first = stream.read()
    storage.delete(key_of(sha256))
    tiles.directory.cache_clear()
    tiling.make(tmp_path / "a" / "working.tif", sha256)
    with storage.open_key(key_of(sha256)) as stream:
        assert stream.read() == first
    with zipfile.ZipFile(io.BytesIO(first)) as archive:
        assert archive.testzip() is None
        assert {each.compress_type for each in archive.infolist()} == {zipfile.ZIP_STORED}
        assert all(name.endswith("/0/default.jpg") for name in archive.namelist())


def test_an_archive_made_anew_is_read_where_its_entries_lie_now(tmp_path: Path) -> None:
    sha256 = kept(tmp_path, grainy(600, 400))
    assert tiles.directory(key_of(sha256))
    with storage.open_key(key_of(sha256)) as stream:
        old = zipfile.ZipFile(io.BytesIO(stream.read()))
    moved = io.BytesIO()
    with zipfile.ZipFile(moved, "w") as archive:
        archive.writestr(zipfile.ZipInfo("first/1,1/0/default.jpg"), b"x" * 999)
        for name in old.namelist():
            archive.writestr(zipfile.ZipInfo(name), old.read(name))
    storage.replace_bytes(key_of(sha256), moved.getvalue())
    assert shown(sha256, "full/max/0/default.jpg").width == 600


def test_damaged_bytes_are_never_shown(tmp_path: Path) -> None:
    sha256 = kept(tmp_path, grainy(600, 400))
    entry = tiles.directory(key_of(sha256))["full/max/0/default.jpg"]
    with storage.open_key(key_of(sha256)) as stream:
        bad = bytearray(stream.read())
    bad[entry.start + entry.size // 2] ^= 0xFF
    storage.replace_bytes(key_of(sha256), bytes(bad))
    with pytest.raises(OSError, match="is damaged"):
        tiles.read(key_of(sha256), "full/max/0/default.jpg")


def test_kept_bytes_are_never_replaced() -> None:
    for key in (storage.original_key("a" * 64), storage.working_key("a" * 64)):
        with pytest.raises(ValueError, match="kept for ever"):
            storage.replace_bytes(key, b"")


# A camera's words: where, who, with what; each must be gone.
WORDS = {
    "exif-ifd0-Make": "Kamera-Werk",
    "exif-ifd0-Artist": "N. N.",
    "exif-ifd3-GPSLatitude": "35/1 41/1 0/1",
    "exif-ifd3-GPSLatitudeRef": "N",
    "exif-ifd2-MakerNote": "secret of the maker",
}


def test_no_position_and_no_word_of_a_camera_reaches_a_derivative(tmp_path: Path) -> None:
    source = grainy(700, 500).copy()
    for field, value in WORDS.items():
        source.set_type(pyvips.GValue.gstr_type, field, value)
    xmp = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>GPSLatitude 35,41N</x:xmpmeta>"
    source.set_type(pyvips.GValue.blob_type, "xmp-data", xmp)
    source.set_type(pyvips.GValue.gint_type, "orientation", 6)
    camera, working = tmp_path / "camera.jpg", tmp_path / "read.tif"
    source.jpegsave(str(camera))
    assert b"Kamera-Werk" in camera.read_bytes()
    assert b"GPSLatitude" in camera.read_bytes()

    found = decode.read(camera, into=working)
    sha256 = kept(tmp_path, pyvips.Image.new_from_file(str(working)))
    assert (found.width, found.height) == (500, 700)  # upright
    assert shown(sha256, "full/max/0/default.jpg").height == 700
    for name in tiles.directory(key_of(sha256)):
        content = tiles.read(key_of(sha256), name)
        assert not any(mark in content for mark in (b"Exif", b"GPS", b"Kamera", b"ICC_PROFILE"))
        assert b"adobe:ns" not in content
