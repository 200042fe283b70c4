"""Pictures in and out: files to float32 HxWx3 RGB (sRGB values, [0, 1]) and back, by libvips."""

import math
import mmap
import os
import tempfile
from pathlib import Path
from typing import Any, TypeVar, overload

import numpy as np
import pyvips
from numpy.typing import NDArray
from scipy import sparse

from restoration.engine.errors import BadInput

Image = NDArray[np.float32]
Mask = NDArray[np.uint8]
Scalar = TypeVar("Scalar", bound=np.generic)

SMALLEST_SIDE = 16
MOST_PIXELS = 100_000_000
IN_MEMORY = 256 * 2**20  # bytes; what is larger is kept in a file that has no name
LOADERS = ("jpegload", "pngload", "tiffload", "webpload", "heifload")


def check_image(image: NDArray[Any]) -> Image:
    """The picture itself when it is float32 HxWx3, finite, in [0, 1] and of a bearable size."""
    if not isinstance(image, np.ndarray) or image.dtype != np.float32:
        raise BadInput("image-dtype", {"dtype": str(getattr(image, "dtype", type(image)))})
    if image.ndim != 3 or image.shape[2] != 3:
        raise BadInput("image-shape", {"shape": list(image.shape)})
    check_size(image.shape[1], image.shape[0])
    low, high = _range(image)
    if not (low >= 0.0 and high <= 1.0):  # a NaN makes either comparison false
        raise BadInput("image-range", {"low": str(low), "high": str(high)})
    return image


def _range(image: Image) -> tuple[float, float]:
    """Least and most, row by row when the picture is in a file; NaN when there is one."""
    ends = []
    for top in range(0, len(image), 256):
        part = image[top : top + 256]
        ends.append((float(part.min()), float(part.max())))
        let_go(image)
    low, high = np.min(ends), np.max(ends)
    return float(low), float(high)


def check_mask(mask: NDArray[Any], shape: tuple[int, ...]) -> Mask:
    """The mask itself when it is uint8 HxW of the picture's size."""
    if not isinstance(mask, np.ndarray) or mask.dtype != np.uint8:
        raise BadInput("mask-dtype", {"dtype": str(getattr(mask, "dtype", type(mask)))})
    if mask.shape != shape[:2]:
        raise BadInput("mask-size", {"mask": list(mask.shape), "image": list(shape[:2])})
    return mask


def check_size(width: int, height: int) -> None:
    if min(width, height) < SMALLEST_SIDE:
        raise BadInput("image-too-small", {"width": width, "height": height})
    if width * height > MOST_PIXELS:
        raise BadInput("image-too-large", {"width": width, "height": height})


@overload
def room(shape: tuple[int, ...]) -> Image: ...
@overload
def room(shape: tuple[int, ...], kind: type[Scalar]) -> NDArray[Scalar]: ...
def room(shape: tuple[int, ...], kind: type[Any] = np.float32) -> NDArray[Any]:
    """Room for an array, float32 unless told: in memory, or in a file that goes with it when it is
    large."""
    size = np.dtype(kind).itemsize * int(np.prod(shape))
    if size <= IN_MEMORY:
        return np.empty(shape, kind)
    with tempfile.TemporaryFile() as file:
        _fill(file.fileno(), size)
        return np.memmap(file, kind, "r+", shape=shape)


def _fill(file: int, size: int) -> None:
    """Takes the room at once: of a disk that is found full while the array is written to, a worker
    hears by a signal that ends it. OSError ENOSPC."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file, 0, size)
    else:
        os.ftruncate(file, size)


def let_go(array: NDArray[Any]) -> None:
    """Gives the memory back in which a file's pages are held; what was written stays written."""
    if isinstance(array, np.memmap) and array.mode != "c":
        array._mmap.madvise(mmap.MADV_DONTNEED)  # type: ignore[attr-defined]


def load(path: str | Path) -> Image:
    """A picture file as float32 HxWx3 RGB in [0, 1]: upright, in sRGB, transparency on white.

    8-bit values arrive as v/255 and 16-bit ones as v/65535, exactly. BadInput `unreadable-image`.
    """
    return _decode(_open(path))


def load_bytes(data: bytes) -> Image:
    """As `load`, from memory."""
    try:
        return _decode(pyvips.Image.new_from_buffer(data, "", fail_on="error"))
    except pyvips.Error as error:
        raise BadInput("unreadable-image", {"detail": _first_line(error)}) from error


def save(image: Image, path: str | Path, bits: int = 16) -> None:
    """Writes a TIFF (deflate, horizontal predictor) of 8 or 16 bits, without metadata."""
    _encode(image, bits).tiffsave(
        str(path), compression="deflate", predictor="horizontal", keep="none"
    )


def to_png16(image: Image) -> bytes:
    """The picture as a 16-bit PNG in memory."""
    data: bytes = _encode(image, 16).pngsave_buffer(keep="none", compression=6)
    return data


def to_tiff16(image: Image) -> bytes:
    """The picture as `save` writes it, in memory."""
    data: bytes = _encode(image, 16).tiffsave_buffer(
        compression="deflate", predictor="horizontal", keep="none"
    )
    return data


def load_mask(path: str | Path) -> Mask:
    """A mask file as uint8 HxW: one grey band, 255 where it applies."""
    found = _open(path)
    _check_loader(found)
    try:
        check_size(found.width, found.height)
        if found.hasalpha():
            found = found.flatten(background=[0])
        grey = found.colourspace("b-w").cast("uchar")
        return np.ascontiguousarray(grey.numpy().reshape(grey.height, grey.width))
    except pyvips.Error as error:
        raise BadInput("unreadable-image", {"detail": _first_line(error)}) from error


def save_mask(mask: Mask, path: str | Path) -> None:
    """Writes a uint8 HxW mask as an 8-bit grey PNG."""
    check_mask(mask, mask.shape)
    pyvips.Image.new_from_array(np.ascontiguousarray(mask)).copy(interpretation="b-w").pngsave(
        str(path), keep="none"
    )


def quantise(image: Image, bits: int = 16) -> NDArray[Any]:
    """The integers a file of so many bits holds: round(v * 255) or round(v * 65535)."""
    top = (1 << bits) - 1
    kind = np.uint8 if bits == 8 else np.uint16
    levels: NDArray[Any] = np.rint(image * np.float32(top)).astype(kind)
    return levels


def thumbnail(image: Image, side: int = 512) -> NDArray[np.uint8]:
    """A uint8 RGB preview whose long side is at most `side`."""
    return np.asarray(quantise(np.clip(shrink(image, side), 0, 1), 8), dtype=np.uint8)


def shrink(image: Image, side: int, least: int = 1) -> Image:
    """The picture, HxW or HxWx3, area-averaged until its long side is at most `side`; its short
    side stays at `least` at least."""
    height, width = image.shape[:2]
    scale = max(side / max(height, width), least / min(height, width))
    if scale >= 1:
        return image
    return resize(image, max(1, round(height * scale)), max(1, round(width * scale)))


def long_side(shape: tuple[int, ...], side: int) -> int:
    """The long side at which a picture is looked at: `side`, but longer for one that is more than
    twice as long as high, or a panorama would be a ribbon on which nobody has a face. It has no
    more pixels than a picture of 2:1 at `side`."""
    ratio = max(shape[:2]) / min(shape[:2])
    return round(side * math.sqrt(max(1.0, ratio / 2)))


def resize(image: Image, height: int, width: int, kernel: str = "lanczos3") -> Image:
    """The picture, HxW or HxWx3 float32, at exactly that size; antialiased, pixel centres kept.

    kernel: "lanczos3" or "linear". libvips' own resize moves an enlarged picture by half a pixel,
    which a guard that looks for moved features must not be told.
    """
    tall = _taps(image.shape[0], height, kernel) @ image.reshape(image.shape[0], -1)
    turned = tall.reshape(height, image.shape[1], -1).transpose(1, 0, 2)
    wide = _taps(image.shape[1], width, kernel) @ turned.reshape(image.shape[1], -1)
    found = wide.reshape(width, height, -1).transpose(1, 0, 2)
    return np.ascontiguousarray(found[..., 0] if image.ndim == 2 else found, dtype=np.float32)


def _taps(given: int, wanted: int, kernel: str) -> sparse.csr_matrix:
    """wanted x given matrix of filter weights, each row summing to 1, edges repeated."""
    step = given / wanted
    wider = max(1.0, step)
    reach = (3 if kernel == "lanczos3" else 1) * wider
    centre = (np.arange(wanted) + 0.5) * step - 0.5
    first = np.floor(centre - reach).astype(int)
    places = first[:, None] + np.arange(int(np.ceil(2 * reach)) + 2)
    away = (places - centre[:, None]) / wider
    if kernel == "lanczos3":
        weights = np.where(np.abs(away) < 3, np.sinc(away) * np.sinc(away / 3), 0)
    else:
        weights = np.maximum(0, 1 - np.abs(away))
    weights /= weights.sum(axis=1, keepdims=True)
    rows = np.repeat(np.arange(wanted), places.shape[1])
    columns = np.clip(places, 0, given - 1).ravel()
    entries = (weights.ravel().astype(np.float32), (rows, columns))
    return sparse.csr_matrix(entries, shape=(wanted, given))


def resize_mask(mask: NDArray[Scalar], height: int, width: int) -> NDArray[Scalar]:
    """The mask at exactly that size, nearest neighbour: no new values."""
    rows = np.minimum((np.arange(height) + 0.5) * mask.shape[0] / height, mask.shape[0] - 1)
    columns = np.minimum((np.arange(width) + 0.5) * mask.shape[1] / width, mask.shape[1] - 1)
    return np.ascontiguousarray(mask[rows.astype(int)[:, None], columns.astype(int)[None, :]])


def _open(path: str | Path) -> pyvips.Image:
    try:
        return pyvips.Image.new_from_file(str(path), fail_on="error")
    except pyvips.Error as error:
        raise BadInput("unreadable-image", {"detail": _first_line(error)}) from error


def _decode(found: pyvips.Image) -> Image:
    _check_loader(found)
    check_size(found.width, found.height)
    try:
        upright = found.autorot()
        if upright.hasalpha():
            upright = upright.flatten(background=_white(upright))
        _check_levels(upright)
        wide = upright.format != "uchar"
        pixels = _in_srgb(upright, wide).numpy()
    except pyvips.Error as error:
        raise BadInput("unreadable-image", {"detail": _first_line(error)}) from error
    top = np.float32(65535 if wide else 255)
    return np.ascontiguousarray((pixels.astype(np.float32) / top)[..., :3])


def _check_loader(found: pyvips.Image) -> None:
    """libvips also reads tables, SVG and more; a scan is none of these."""
    loader = str(found.get("vips-loader")).removesuffix("_buffer").removesuffix("_source")
    if loader not in LOADERS:
        raise BadInput("unreadable-image", {"detail": loader})


def _check_levels(found: pyvips.Image) -> None:
    """Whole numbers whose white is known; what is measured in other ones may be anything."""
    plain = found.interpretation in ("b-w", "rgb", "srgb", "multiband", "grey16", "rgb16")
    if plain and found.format not in ("uchar", "ushort"):
        raise BadInput("unreadable-image", {"detail": f"pixels of type {found.format}"})


def _white(image: pyvips.Image) -> list[float]:
    return [65535.0 if image.format == "ushort" else 255.0]


def _in_srgb(image: pyvips.Image, wide: bool) -> pyvips.Image:
    """Three bands of sRGB, uchar or ushort; an embedded profile is honoured when it can be read."""
    if image.get_typeof("icc-profile-data") != 0:
        try:
            image = image.icc_transform("srgb", embedded=True, depth=16 if wide else 8)
        except pyvips.Error:  # a broken profile is no reason to refuse a scan
            image = image.copy()
    space = "rgb16" if wide else "srgb"
    return image.colourspace(space).cast("ushort" if wide else "uchar")


def _encode(image: Image, bits: int) -> pyvips.Image:
    check_image(image)
    if bits not in (8, 16):
        raise BadInput("bad-bits", {"bits": bits})
    pixels = np.ascontiguousarray(quantise(image, bits))
    space = "srgb" if bits == 8 else "rgb16"
    return pyvips.Image.new_from_array(pixels).copy(interpretation=space)


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[-1][:200] if lines else ""
