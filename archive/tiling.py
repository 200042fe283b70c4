"""Cuts a working file into tiles: one archive that archive.tiles reads.

libvips cuts; what it leaves out of level 0 is put beside it: the whole picture under full/max, and
the sizes that info.json offers. No tile carries a word: no position, no maker, no profile.
"""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyvips

from archive import derivatives, storage, tiles
from archive.sizes import FULL, PIPELINE, TILE, tiles_name

SUFFIX = f".jpg[Q={derivatives.QUALITY},optimize_coding=true]"
# The same picture gives the same archive, whenever it is made.
EPOCH = (1980, 1, 1, 0, 0, 0)


def make(path: Path, sha256: str) -> int:
    """Store the tiles of the working file at `path` in one archive; gives its length in bytes.

    Its derivatives must be there: the whole picture in the archive is the largest of them.
    """
    with tempfile.TemporaryDirectory(prefix="rekindle-") as folder:
        cut, whole = Path(folder) / "cut.zip", Path(folder) / "tiles.zip"
        image = _cut(path, cut)
        with zipfile.ZipFile(cut) as found, zipfile.ZipFile(whole, "w") as archive:
            for name, content in _entries(found, image, sha256):
                archive.writestr(zipfile.ZipInfo(name, EPOCH), content)
        cut.unlink()
        key = storage.derivative_key(sha256, tiles_name(PIPELINE))
        storage.put_file(key, whole)
        return whole.stat().st_size


def _cut(path: Path, into: Path) -> tuple[int, int]:
    """Every tile of the upright sRGB picture; gives its width and height."""
    image = pyvips.Image.new_from_file(str(path), access="sequential")
    image.colourspace("srgb").dzsave(
        str(into),
        imagename="cut",
        layout="iiif3",
        suffix=SUFFIX,
        tile_size=TILE,
        container="zip",
        compression=0,
        keep="none",
    )
    return image.width, image.height


def _entries(
    found: zipfile.ZipFile, image: tuple[int, int], sha256: str
) -> Iterator[tuple[str, bytes]]:
    """Names and bytes of all that belongs into the archive, each name once."""
    whole = _whole(image, sha256)
    yield from whole.items()
    for each in sorted(found.namelist()):
        name = each.removeprefix("cut/")
        if name.endswith(tiles.ENDING) and name not in whole:
            yield name, found.read(each)


def _whole(image: tuple[int, int], sha256: str) -> dict[str, bytes]:
    with storage.open_key(storage.derivative_key(sha256, f"{FULL}.jpg")) as stream:
        largest = stream.read()
    found = {tiles.name(*tiles.WHOLE.split("/")): largest}
    for width, height in tiles.sizes(*image):
        name = tiles.name("full", f"{width},{height}")
        if tiles.canonical(name, *image) == name:
            found[name] = _smaller(largest, width, height)
    return found


def _smaller(jpeg: bytes, width: int, height: int) -> bytes:
    image: Any = pyvips.Image.thumbnail_buffer(
        jpeg, width, height=height, size="force", no_rotate=True
    )
    small: bytes = image.jpegsave_buffer(Q=derivatives.QUALITY, optimize_coding=True, keep="none")
    return small
