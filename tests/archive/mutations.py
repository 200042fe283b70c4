"""Hostile files by the thousand: small whole pictures of every kind, changed by a seeded hand."""

from __future__ import annotations

import io
import random
import struct
from collections.abc import Callable, Iterator
from functools import cache

import numpy as np
import pyvips
from PIL import Image

# What readers add, multiply and allocate by.
EXTREMES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
HEADER = 256


@cache
def seeds() -> dict[str, bytes]:
    """Small whole pictures: every kind that is taken, in its variants, and some that are not."""
    rgb = np.random.default_rng(5).integers(30, 220, (48, 64, 3), np.uint8)
    rgb[8:40, 8:56] = rgb[8:40, 8:56] // 4 + 90  # something that compresses, too
    image = pyvips.Image.new_from_array(rgb).copy(interpretation="srgb", xres=12, yres=12)
    deep = (image * 257).cast("ushort").copy(interpretation="rgb16")
    inks = image.icc_transform("cmyk", input_profile="srgb")
    told = image.copy()
    told.set_type(pyvips.GValue.gint_type, "orientation", 6)
    told.set_type(pyvips.GValue.gstr_type, "exif-ifd0-Make", "Scanner")
    pages = pyvips.Image.arrayjoin([image, image, image], across=1).copy()
    pages.set_type(pyvips.GValue.gint_type, "page-height", 48)
    return _by_vips(image, deep, inks, told, pages) | _by_pillow(Image.fromarray(rgb))


def _by_vips(
    image: pyvips.Image,
    deep: pyvips.Image,
    inks: pyvips.Image,
    told: pyvips.Image,
    pages: pyvips.Image,
) -> dict[str, bytes]:
    grey = image.colourspace("b-w")
    return {
        "jpeg": image.jpegsave_buffer(),
        "jpeg-progressive": image.jpegsave_buffer(interlace=True),
        "jpeg-exif-profile": told.jpegsave_buffer(profile="srgb"),
        "jpeg-cmyk": inks.jpegsave_buffer(),
        "jpeg-grey": grey.jpegsave_buffer(),
        "png": image.pngsave_buffer(),
        "png-16": deep.pngsave_buffer(),
        "png-interlaced": image.pngsave_buffer(interlace=True),
        "png-palette": image.pngsave_buffer(palette=True),
        "png-profile": image.pngsave_buffer(profile="srgb"),
        "tiff": image.tiffsave_buffer(),
        "tiff-16-lzw": deep.tiffsave_buffer(compression="lzw", predictor="horizontal"),
        "tiff-deflate-tiled": image.tiffsave_buffer(
            compression="deflate", tile=True, tile_width=16, tile_height=16
        ),
        "tiff-big": image.tiffsave_buffer(bigtiff=True),
        "tiff-jpeg": image.tiffsave_buffer(compression="jpeg"),
        "tiff-cmyk": inks.tiffsave_buffer(),
        "tiff-fax": grey.tiffsave_buffer(bitdepth=1, compression="ccittfax4"),
        "tiff-pages": pages.tiffsave_buffer(),
        "webp": image.webpsave_buffer(),
        "webp-lossless": image.webpsave_buffer(lossless=True),
        "webp-alpha": image.bandjoin(128).webpsave_buffer(),
    }


def _by_pillow(image: Image.Image) -> dict[str, bytes]:
    def saved(kind: str, **words: object) -> bytes:
        stream = io.BytesIO()
        image.save(stream, kind, **words)
        return stream.getvalue()

    return {
        "jp2": saved("JPEG2000"),
        "jp2-lossy": saved("JPEG2000", irreversible=True, quality_layers=[20]),
        "j2k": saved("JPEG2000", no_jp2=True),
        "gif": saved("GIF"),
        "bmp": saved("BMP"),
        "tga": saved("TGA"),
        "ppm": saved("PPM"),
        "pdf": saved("PDF"),
    }


def mutated(count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """So many changed pictures, each with a name that tells its number, kind and changes."""
    for number in range(count):
        yield one(number, seed)


def one(number: int, seed: int) -> tuple[str, bytes]:
    """The same file for the same number and seed, whatever was made before it."""
    hand = random.Random(f"{seed}/{number}")
    kinds = sorted(seeds())
    kind = kinds[number % len(kinds)]
    data, names = bytearray(seeds()[kind]), []
    for _ in range(hand.choice((1, 1, 1, 2, 3))):
        change = hand.choice(CHANGES)
        change(hand, data)
        names.append(change.__name__.strip("_"))
    return f"{number:05}-{kind}-{'-'.join(names)}", bytes(data)


# --- changes -------------------------------------------------------------------------------------
def _flip(hand: random.Random, data: bytearray) -> None:
    for _ in range(hand.choice((1, 2, 8, 64))):
        if data:
            data[hand.randrange(len(data))] ^= 1 << hand.randrange(8)


def _overwrite(hand: random.Random, data: bytearray) -> None:
    at = hand.randrange(len(data) + 1)
    data[at : at + hand.randrange(1, 40)] = hand.randbytes(hand.randrange(1, 40))


def _truncate(hand: random.Random, data: bytearray) -> None:
    del data[hand.randrange(len(data) + 1) :]


def _field(hand: random.Random, data: bytearray) -> None:
    """A number of the header becomes one that overflows something, in either byte order."""
    for _ in range(hand.choice((1, 1, 2, 4))):
        kind = hand.choice(("<H", ">H", "<I", ">I", "B"))
        most = (1 << 8 * struct.calcsize(kind)) - 1
        at = hand.randrange(max(1, min(len(data), HEADER)))
        data[at : at + struct.calcsize(kind)] = struct.pack(kind, hand.choice(EXTREMES) & most)


def _tail(hand: random.Random, data: bytearray) -> None:
    """The same in the last bytes, where TIFFs keep their directory."""
    at = max(0, len(data) - hand.randrange(1, HEADER))
    data[at : at + 4] = struct.pack(hand.choice(("<I", ">I")), hand.choice(EXTREMES))


def _repeat(hand: random.Random, data: bytearray) -> None:
    start = hand.randrange(len(data) + 1)
    part = bytes(data[start : start + hand.randrange(1, 600)])
    at = hand.randrange(len(data) + 1)
    data[at:at] = part * hand.choice((1, 2, 50))


def _cut_out(hand: random.Random, data: bytearray) -> None:
    start = hand.randrange(len(data) + 1)
    del data[start : start + hand.randrange(1, 600)]


def _splice(hand: random.Random, data: bytearray) -> None:
    """A piece of another kind of picture, in place or in between."""
    other = seeds()[hand.choice(sorted(seeds()))]
    start = hand.randrange(len(other))
    part = other[start : start + hand.randrange(1, 2000)]
    at = hand.randrange(len(data) + 1)
    data[at : at + hand.choice((0, len(part)))] = part


def _wear(hand: random.Random, data: bytearray) -> None:
    """The beginning of another kind over this one's."""
    other = seeds()[hand.choice(sorted(seeds()))]
    length = hand.choice((2, 4, 8, 12, 32, 128))
    data[:length] = other[:length]


def _blank(hand: random.Random, data: bytearray) -> None:
    start = hand.randrange(len(data) + 1)
    length = min(hand.randrange(1, 800), len(data) - start)
    data[start : start + length] = hand.choice((b"\0", b"\xff")) * length


Change = Callable[[random.Random, bytearray], None]
CHANGES: tuple[Change, ...] = (
    *(_flip, _flip, _field, _field, _overwrite, _truncate, _tail),
    *(_repeat, _cut_out, _splice, _wear, _blank),
)
