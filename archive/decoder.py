"""The program that opens an untrusted file, in a process of its own: `python -m archive.decoder`.

Everything a hostile file can reach is here and nothing else is: no Django, no settings, no
database, no network. The parent (archive.decode) starts it, waits, and believes only its JSON.

1. Shut the doors: limits of memory, time and file size; every loader of libvips but four; no other
   file, no network, no other program (archive.cell).
2. Look at the first bytes: the name of the file is never asked.
3. Read the header and refuse what is too large, too small or too good to be true.
4. Decode every pixel, upright and in sRGB, into a TIFF that the rest of the product may trust.

A file may take 512 MiB and 20 seconds. Only one whose header is believed to hold more picture than
an ordinary scan gets more, in proportion, and never more than the parent allows.
"""

from __future__ import annotations

import json
import re
import resource
import signal
import struct
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple, NoReturn

from archive import cell, jpeg2000

MIB = 1024**2
SMALLEST_SIDE = 32
LARGEST_SIDE = 65_500
# A scan has grain. Beyond this, so many raw bytes out of one stored byte is a trap.
BOMB_BYTES = 24 * MIB
BOMB_RATIO = 900
# More than anybody scans into one file; each page is a header that must be walked over.
MOST_PAGES = 1000
# What every file may take. The libraries' own code is not counted as data: it is the rest to 512.
ORDINARY_PIXELS = 8_000_000
ORDINARY_DATA = 400 * MIB
ORDINARY_SECONDS = 20
# What each pixel beyond may take: twice 16-bit RGBA, and five times what it took where we measured.
DATA_PER_PIXEL = 16
SECONDS_PER_MEGAPIXEL = 2
# OpenJPEG holds every sample in four bytes, and a second time while it turns waves into samples.
JPEG2000_TIMES = 2
# Addresses are not memory: stacks and arenas of threads reserve far more than they ever touch.
ADDRESSES = 3 * 1024 * MIB
OPEN_FILES = 64

LOADERS = {
    "image/jpeg": ("jpegload", "VipsForeignLoadJpeg"),
    "image/tiff": ("tiffload", "VipsForeignLoadTiff"),
    "image/png": ("pngload", "VipsForeignLoadPng"),
    "image/webp": ("webpload", "VipsForeignLoadWebp"),
}
KINDS = (*LOADERS, jpeg2000.MEDIA_TYPE)
# What people hold for photographs and we do not read, so that the sentence can name it.
OTHERS = (
    (rb"GIF8[79]a", "GIF"),
    (rb"BM", "BMP"),
    (rb"%PDF-", "PDF"),
    (rb"8BPS", "Photoshop"),
    (rb"....ftyp(avif|avis)", "AVIF"),
    (rb"....ftyp(hei[cfmsx]|hev[cmsx]|mif1|msf1)", "HEIC"),
    (rb"....ftypcrx ", "camera raw"),
    (rb"\xff\x0a|\x00\x00\x00\x0cJXL ", "JPEG XL"),
    (rb"P[1-7]\s", "PNM"),
    (rb"FUJIFILMCCD-RAW|II\x1a\x00\x00\x00HEAPCCDR|IIU\x00|II(RO|RS)\x08", "camera raw"),
    (rb"(?s:\s*(<\?xml.*?)?(<!--.*?-->\s*)*<svg)", "SVG"),
)
NEW_SUBFILE_TYPE, SUBFILE_TYPE, DNG_VERSION = 254, 255, 50706
WIDTH, LENGTH = 256, 257
SHORT, REDUCED, MASK, REDUCED_THEN = 3, 1, 4, 2


class Refused(Exception):  # noqa: N818 - the word of the vocabulary
    """The file will not do, and this is why."""

    def __init__(self, code: str, **facts: Any) -> None:
        super().__init__(code)
        self.code, self.facts = code, facts


class Allowance(NamedTuple):
    """Bytes of memory, and seconds both of the processor and of the clock."""

    data: int
    seconds: int


def allowance(pixels: int) -> Allowance:
    """What a picture of so many pixels may take."""
    beyond = max(0, pixels - ORDINARY_PIXELS)
    seconds = ORDINARY_SECONDS + beyond * SECONDS_PER_MEGAPIXEL // 1_000_000
    return Allowance(ORDINARY_DATA + beyond * DATA_PER_PIXEL, seconds)


def shut_the_doors(most_pixels: int) -> None:
    """Bound what this process may take, so that a bomb goes off in here only.

    The hard limits are those of the largest picture, the soft ones those of an ordinary one.
    """
    most = allowance(most_pixels)
    disk = most.data  # a picture raw and 16 bits deep, while it is turned
    for limit, value in (
        (resource.RLIMIT_AS, most.data + ADDRESSES),
        (resource.RLIMIT_FSIZE, disk),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
    ):
        resource.setrlimit(limit, (value, value))
    resource.setrlimit(resource.RLIMIT_DATA, (most.data, most.data))
    resource.setrlimit(resource.RLIMIT_CPU, (most.seconds, most.seconds + 5))
    allow(0)


def allow(pixels: int) -> None:
    """Let this process take what a picture of so many pixels may, and be ended when it is over.

    The clock is this process's own, because only here is the header known; the parent has one too.
    """
    wanted = allowance(pixels)
    for limit, value in (
        (resource.RLIMIT_DATA, wanted.data),
        (resource.RLIMIT_CPU, wanted.seconds),
    ):
        hard = resource.getrlimit(limit)[1]
        resource.setrlimit(limit, (min(value, hard), hard))
    signal.setitimer(signal.ITIMER_REAL, wanted.seconds)


def open_vips() -> Any:
    """libvips with every loader locked but the four of the allow-list."""
    import pyvips  # after the limits, which it must live under
    from PIL import ImageCms  # noqa: F401 - read before the cell is locked

    pyvips.operation_block_set("VipsForeignLoad", True)
    for _loader, kind in LOADERS.values():
        pyvips.operation_block_set(kind, False)
    pyvips.cache_set_max(0)
    return pyvips


def sniff(head: bytes) -> str:
    """The media type by the first bytes, or Refused."""
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return "image/tiff"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head.startswith((jpeg2000.BOX, jpeg2000.CODESTREAM)):
        return jpeg2000.MEDIA_TYPE
    for pattern, kind in OTHERS:
        if re.match(pattern, head, re.DOTALL):
            raise Refused("kind-not-allowed", kind=kind)
    raise Refused("not-a-picture")


def refuse_camera_raw(source: Path) -> None:
    """A raw file is a TIFF whose first page is a small preview; taking that would be a loss."""
    tags = _first_tags(source)
    if DNG_VERSION in tags or tags.get(NEW_SUBFILE_TYPE, 0) & 1:
        raise Refused("kind-not-allowed", kind="camera raw")


def _first_tags(source: Path) -> dict[int, int]:
    """Tag -> inline value of a TIFF's first directory; nothing when it cannot be followed."""
    return next(directories(source), {})


def directories(source: Path) -> Iterator[dict[int, int]]:
    """Tag -> inline value of each directory of a TIFF, as far as they can be followed."""
    with source.open("rb") as stream:
        head = stream.read(16)
        order = "<" if head[:2] == b"II" else ">"
        big = head[2:4] in (b"+\0", b"\0+")
        count, entry, size, link = ("Q", "HHQQ", 20, "Q") if big else ("H", "HHII", 12, "I")
        seen: set[int] = set()
        try:
            start = struct.unpack_from(order + link, head, 8 if big else 4)[0]
            while start and start not in seen and len(seen) <= MOST_PAGES:
                seen.add(start)
                stream.seek(start)
                width = struct.calcsize(order + count)
                entries = struct.unpack(order + count, stream.read(width))[0]
                table = stream.read(min(entries, 512) * size)
                found = struct.iter_unpack(order + entry, table[: len(table) // size * size])
                yield {tag: _inline(kind, value, order, big) for tag, kind, _n, value in found}
                stream.seek(start + width + entries * size)
                start = struct.unpack(order + link, stream.read(struct.calcsize(order + link)))[0]
        except (struct.error, OverflowError, OSError):
            return


def _inline(kind: int, value: int, order: str, big: bool) -> int:
    """A short number lies at the beginning of its field, which big-endian files fill from above."""
    return value >> (48 if big else 16) if kind == SHORT and order == ">" else value


def pages_of(source: Path, media_type: str) -> list[int]:
    """Which directories of a TIFF are pages: not previews, masks and levels of a pyramid."""
    if media_type != "image/tiff":
        return [0]
    found: list[int] = []
    level = (0, 0)
    for number, tags in enumerate(directories(source)):
        size = tags.get(WIDTH, 0), tags.get(LENGTH, 0)
        small = tags.get(NEW_SUBFILE_TYPE, 0) & (REDUCED | MASK)
        small = small or tags.get(SUBFILE_TYPE, 0) == REDUCED_THEN or min(size) < SMALLEST_SIDE
        if found and (small or _is_half(size, level)):
            level = size
            continue
        found.append(number)
        level = size
    return found or [0]


def _is_half(size: tuple[int, int], of: tuple[int, int]) -> bool:
    """Whether this is the next level of a pyramid whose writer did not say so."""
    return all(abs(2 * one - other) <= 2 for one, other in zip(size, of, strict=True))


def header(vips: Any, source: Path, media_type: str, page: int = 0, **options: Any) -> Any:
    """The picture as libvips will read it; only the header has been looked at."""
    loader = getattr(vips.Image, LOADERS[media_type][0])
    if media_type in ("image/tiff", "image/webp"):
        options |= {"page": page, "n": 1}
    return loader(str(source), fail_on="error", **options)


def meta(image: Any, name: str, default: Any) -> Any:
    """A field of the header, when there is one."""
    return image.get(name) if image.get_typeof(name) else default


def check_header(image: Any, size: int, most_pixels: int) -> None:
    """Refuse by the header alone what would be dear or senseless to decode."""
    width, height = image.width, image.height
    if width * height > most_pixels or max(width, height) > LARGEST_SIDE:
        raise Refused("too-many-pixels", width=width, height=height, limit=most_pixels)
    if min(width, height) < SMALLEST_SIDE:
        raise Refused("too-small", width=width, height=height, limit=SMALLEST_SIDE)
    if image.format not in ("uchar", "ushort"):
        raise Refused("samples-not-allowed", detail=str(image.format))
    if meta(image, "n-pages", 1) > MOST_PAGES:
        raise Refused("too-many-pages", pages=int(image.get("n-pages")), limit=MOST_PAGES)
    raw = width * height * image.bands * _bits(image) // 8
    if raw > BOMB_BYTES and raw > BOMB_RATIO * size:
        raise Refused("bomb", width=width, height=height, bytes=size)


def _bits(image: Any) -> int:
    return int(meta(image, "bits-per-sample", 16 if image.format == "ushort" else 8))


def in_srgb(vips: Any, image: Any) -> Any:
    """The same picture in sRGB, of the same depth, by its profile where it has a usable one."""
    depth = 16 if image.format == "ushort" else 8
    if image.get_typeof("icc-profile-data"):
        try:
            return _by_profile(image, depth)
        except vips.Error:
            # A profile for another kind of picture, or a broken one: the samples speak alone.
            image = image.copy()
            image.remove("icc-profile-data")
    if image.interpretation == "cmyk":
        return _by_profile(image, depth)
    return image.colourspace("rgb16" if depth == 16 else "srgb")


def _by_profile(image: Any, depth: int) -> Any:
    fallback = "cmyk" if image.interpretation == "cmyk" else "srgb"
    return image.icc_transform(
        "srgb", embedded=True, input_profile=fallback, depth=depth, black_point_compensation=True
    )


def on_white(image: Any) -> Any:
    """Three bands: what is transparent lies on white."""
    if image.hasalpha():
        white = 65535 if image.format == "ushort" else 255
        image = image.flatten(background=[white], max_alpha=white)
    return image.extract_band(0, n=3) if image.bands > 3 else image


def describe(image: Any, media_type: str) -> dict[str, Any]:
    """What is known of the original, by its header."""
    orientation = int(meta(image, "orientation", 1))
    sideways = orientation in (5, 6, 7, 8)
    return {
        "width": image.height if sideways else image.width,
        "height": image.width if sideways else image.height,
        "media_type": media_type,
        "bits": _bits(image),
        "bands": image.bands,
        "interpretation": str(image.interpretation),
        "icc": profile_name(meta(image, "icc-profile-data", b"")),
        "orientation": orientation if 1 <= orientation <= 8 else 1,
        "dpi": _dpi(image),
        "pages": 1,
    }


def _dpi(image: Any) -> float | None:
    """Dots per inch when the file says so; libvips counts per millimetre."""
    dpi = round(image.xres * 25.4, 2)
    said = image.get_typeof("resolution-unit")
    return dpi if said and 10 <= dpi <= 50_000 else None


def profile_name(profile: bytes) -> str:
    """What a colour profile calls itself, cleaned for a line of text."""
    if not profile:
        return ""
    import io

    from PIL import ImageCms

    try:
        said = ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(profile)))
    except (OSError, ImageCms.PyCMSError, ValueError, TypeError):
        return "?"
    kept = "".join(c for c in said if unicodedata.category(c)[0] != "C").strip()
    return kept[:120] or "?"


def decode(
    vips: Any, source: Path, media_type: str, into: Path, most_pixels: int, page: int
) -> dict[str, Any]:
    """Read a page of `source`, write the upright sRGB TIFF, tell what the original was."""
    if media_type == jpeg2000.MEDIA_TYPE:
        return _decode_jpeg2000(vips, source, into, most_pixels)
    if media_type == "image/tiff":
        refuse_camera_raw(source)
    pages = pages_of(source, media_type)
    if page > len(pages):
        raise Refused("no-such-page", page=page, pages=len(pages))
    at = pages[page - 1]
    image = header(vips, source, media_type, at, access="sequential")
    check_header(image, source.stat().st_size, most_pixels)
    allow(image.width * image.height)
    found = describe(image, media_type) | {"pages": len(pages)}
    if found["orientation"] > 2:
        # A picture that is turned cannot be read from top to bottom.
        image = header(vips, source, media_type, at, access="random")
    _write(vips, image.autorot(), into)
    return found


def _decode_jpeg2000(vips: Any, source: Path, into: Path, most_pixels: int) -> dict[str, Any]:
    """The same for what libvips does not read; it always stands upright."""
    try:
        told = jpeg2000.header(source)
        blank = jpeg2000.shape(vips, told)
        check_header(blank, source.stat().st_size, most_pixels)
        allow(blank.width * blank.height * JPEG2000_TIMES)
        _write(vips, jpeg2000.pixels(vips, source, told), into)
    except jpeg2000.Strange as strange:
        raise Refused("samples-not-allowed", detail=str(strange)) from None
    except (ValueError, RuntimeError, SyntaxError, struct.error) as error:
        raise failure(error, source) from None
    return describe(blank, jpeg2000.MEDIA_TYPE)


def _write(vips: Any, image: Any, into: Path) -> None:
    upright = on_white(in_srgb(vips, image))
    upright.tiffsave(str(into), compression="deflate", predictor="horizontal", keep="none")


def failure(error: Exception, source: Path) -> Refused:
    """What libvips said, in our words."""
    said = str(error).replace(str(source), "the file").lower()
    detail = re.sub(r"[^\x20-\x7e]+", " ", said)[:300].strip()
    if re.search(r"no space left|disk quota", said):
        return Refused("disk-full", detail=detail)
    # A thread that cannot be made has met the bound of memory too: its stack lies there.
    if re.search(r"memory|file size limit|creating thread", said):
        return Refused("too-heavy", detail=detail)
    if re.search(r"not configured|unsupported|whole number of bytes|labq", said):
        return Refused("samples-not-allowed", detail=detail)
    if re.search(r"premature|truncat|end of file|unexpected eof|not enough|read gave|eof", said):
        return Refused("truncated", detail=detail)
    return Refused("damaged", detail=detail)


def answer(result: dict[str, Any], status: IO[str]) -> NoReturn:
    """Say it to the parent, and go without running what a broken heap might trip over.

    With the most memory that was in use, which no parent can tell: what the system counts for a
    child begins with the size of whoever started it.
    """
    status.seek(0)
    said = re.search(r"VmHWM:\s+(\d+) kB", status.read())
    sys.stdout.write(json.dumps(result | {"peak": int(said[1]) * 1024 if said else 0}))
    sys.stdout.flush()
    sys.exit(0)


def main(source: Path, into: Path, most_pixels: int, page: int) -> NoReturn:
    """Decode a page of one file under the limits and answer in JSON."""
    shut_the_doors(most_pixels)
    status = Path("/proc/self/status").open()  # noqa: SIM115 - read at the end, from inside the cell
    try:
        # Before the libraries are loaded: most of what is refused is refused by its first bytes.
        with source.open("rb") as stream:
            media_type = sniff(stream.read(1024))
    except Refused as refused:
        answer({"code": refused.code, "facts": refused.facts}, status)
    vips = open_vips()
    if media_type == jpeg2000.MEDIA_TYPE:
        jpeg2000.load()
    cell.lock(reading=[source], writing=into.parent)
    try:
        found = decode(vips, source, media_type, into, most_pixels, page)
    except Refused as refused:
        answer({"code": refused.code, "facts": refused.facts}, status)
    except MemoryError:
        answer({"code": "too-heavy", "facts": {}}, status)
    except (vips.Error, OSError) as error:
        found_out = failure(error, source)
        answer({"code": found_out.code, "facts": found_out.facts}, status)
    answer({"decoded": found}, status)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
