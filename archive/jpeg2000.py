"""JPEG 2000, which the libvips that ships here cannot read: Pillow and OpenJPEG open it.

Part of archive.decoder and used in its process only, under the same limits. What the file is, is
read from its own boxes: Pillow keeps 16 bits of grey, but of colour only 8, so deep colour goes to
OpenJPEG itself; and what neither would show in its true colours is not taken.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

MEDIA_TYPE = "image/jp2"
BOX = b"\x00\x00\x00\x0cjP  "
CODESTREAM = b"\xff\x4f\xff\x51"
# A header with a profile is some kilobytes; more of it is not looked at.
MOST_HEADER = 4 * 1024**2
MOST_BOXES = 1000
SRGB, GREY, SYCC, CMYK = 16, 17, 18, 12
BILEVEL = (0, 15)


class Strange(Exception):  # noqa: N818 - says what it is
    """A kind of JPEG 2000 that would not come out as it was meant."""


class Header(NamedTuple):
    """What the file says of itself; `colour` is the number of a space, none beside a profile."""

    width: int
    height: int
    bands: int
    bits: int
    colour: int | None
    profile: bytes
    per_metre: float
    has_palette: bool


def load() -> None:
    """Read the libraries from the disk, before the cell is locked."""
    import openjpeg  # noqa: F401
    from PIL import Jpeg2KImagePlugin  # noqa: F401


def header(source: Path) -> Header:
    """What the boxes and the beginning of the codestream say; ValueError when they are broken."""
    with source.open("rb") as stream:
        if stream.read(4) == CODESTREAM:
            stream.seek(0)
            return _header({}, stream)
        inner: dict[bytes, bytes] = {}
        for kind, size in _boxes(stream, source.stat().st_size):
            if kind == b"jp2h":
                inner = _inner(stream.read(min(size, MOST_HEADER)))
            elif kind == b"jp2c":
                return _header(inner, stream)
    raise ValueError("no codestream")


def _boxes(stream: IO[bytes], end: int) -> Iterator[tuple[bytes, int]]:
    """The kind and size of each box, with the stream at its contents."""
    at = 0
    for _number in range(MOST_BOXES):
        stream.seek(at)
        head = stream.read(16)
        if len(head) < 8:
            return
        length, kind = struct.unpack_from(">I4s", head)
        skip = 16 if length == 1 else 8
        if length == 1:
            length = struct.unpack_from(">Q", head.ljust(16, b"\0"), 8)[0]
        length = length or end - at
        if length < skip:
            raise ValueError("a box without a length")
        stream.seek(at + skip)
        yield kind, length - skip
        at += length


def _inner(content: bytes) -> dict[bytes, bytes]:
    """The boxes of the header, the first of each kind."""
    found: dict[bytes, bytes] = {}
    at = 0
    while at + 8 <= len(content):
        length, kind = struct.unpack_from(">I4s", content, at)
        if length < 8:
            raise ValueError("a box without a length")
        found.setdefault(kind, content[at + 8 : at + length])
        at += length
    return found


def _header(inner: dict[bytes, bytes], stream: IO[bytes]) -> Header:
    size = stream.read(4 + 2 + 36)
    if size[:4] != CODESTREAM or len(size) < 42:
        raise ValueError("no codestream")
    right, bottom, left, top = struct.unpack_from(">4I", size, 8)
    bands = struct.unpack_from(">H", size, 40)[0]
    depths = stream.read(3 * min(bands, 16))[::3]
    if not depths or any(depth & 0x80 for depth in depths):
        raise Strange(f"{bands} bands, signed or none")
    colour, profile = _colour(inner.get(b"colr", b""))
    return Header(
        width=right - left,
        height=bottom - top,
        bands=bands,
        bits=max(depth + 1 for depth in depths),
        colour=colour,
        profile=profile,
        per_metre=_resolution(inner.get(b"res ", b"")),
        has_palette=b"pclr" in inner,
    )


def _colour(box: bytes) -> tuple[int | None, bytes]:
    """An enumerated space, or a profile."""
    if box[:1] == b"\1" and len(box) >= 7:
        return struct.unpack_from(">I", box, 3)[0], b""
    return None, box[3:] if box[:1] in (b"\2", b"\3") else b""


def _resolution(box: bytes) -> float:
    """Samples to the metre when the file says so, of the scan before that of a display."""
    inner = _inner(box)
    told = inner.get(b"resc") or inner.get(b"resd") or b""
    if len(told) < 10:
        return 0.0
    over, under, _over, _under, power, _power = struct.unpack_from(">HHHHbb", told)
    return over / under * 10.0**power if under else 0.0


def shape(vips: Any, told: Header) -> Any:
    """A picture of that size and kind without its pixels, for whoever judges by the header."""
    deep = told.bits > 8
    bands = 3 if told.has_palette else told.bands
    blank = vips.Image.black(told.width, told.height, bands=bands)
    return _labelled(vips, blank.cast("ushort" if deep else "uchar"), told)


def pixels(vips: Any, source: Path, told: Header) -> Any:
    """The picture, all of it in memory."""
    _check(told)
    by = _deep_colour if told.bits > 8 and told.bands > 2 else _by_pillow
    return _labelled(vips, by(vips, source, told), told)


def _check(told: Header) -> None:
    """Strange when a library would give the samples another meaning than the file does."""
    known = (None, *BILEVEL, SRGB, GREY, SYCC, CMYK)
    deep_palette = told.has_palette and told.bits > 8
    inks = told.colour == CMYK and (told.bands != 4 or told.bits > 8)
    strange = told.colour not in known or deep_palette or inks
    deep = told.bits > 8 and (told.bands == 2 or (told.bands > 2 and told.colour == SYCC))
    if strange or deep or told.bits > 16 or not 1 <= told.bands <= 4:
        raise Strange(f"{told.bands} bands of {told.bits} bits in colour space {told.colour}")


def _by_pillow(vips: Any, source: Path, _told: Header) -> Any:
    from PIL.Jpeg2KImagePlugin import Jpeg2KImageFile

    with Jpeg2KImageFile(source) as opened:
        picture = opened if opened.mode in KINDS else opened.convert("RGBA")
        kind, bands = KINDS[picture.mode]
        return vips.Image.new_from_memory(picture.tobytes(), *picture.size, bands, kind)


KINDS = {
    "L": ("uchar", 1), "LA": ("uchar", 2), "RGB": ("uchar", 3), "RGBA": ("uchar", 4),
    "CMYK": ("uchar", 4), "I;16": ("ushort", 1),
}  # fmt: skip


def _deep_colour(vips: Any, source: Path, told: Header) -> Any:
    """Three or four bands of more than 8 bits, brought to 16."""
    import openjpeg

    found = openjpeg.decode(source)
    if found.dtype != "uint16" or found.shape != (told.height, told.width, told.bands):
        raise Strange(f"{found.dtype} {found.shape}")
    image = vips.Image.new_from_memory(
        found.tobytes(), told.width, told.height, told.bands, "ushort"
    )
    return (
        image if told.bits == 16 else (image * (65535 / (2**told.bits - 1))).rint().cast("ushort")
    )


def _labelled(vips: Any, image: Any, told: Header) -> Any:
    """With what libvips would have noted of a kind of file that it reads itself."""
    deep = image.format == "ushort"
    if image.bands < 3:
        kind = "grey16" if deep else "b-w"
    elif told.colour == CMYK:
        kind = "cmyk"
    else:
        kind = "rgb16" if deep else "srgb"
    image = image.copy(interpretation=kind, xres=told.per_metre / 1000, yres=told.per_metre / 1000)
    image.set_type(vips.GValue.gint_type, "bits-per-sample", told.bits)
    if told.per_metre:
        image.set_type(vips.GValue.gstr_type, "resolution-unit", "cm")
    if told.profile and told.colour is None:
        image.set_type(vips.GValue.blob_type, "icc-profile-data", told.profile)
    return image
