"""Runs our own networks by ONNX Runtime on the CPU: tile after tile, in bounded memory.

Tiles are of one size and overlap; their outermost pixels, which see a rim that is not there, are
thrown away and the rest is blended by half a sine (as chaiNNer does). The picture is continued by
its mirror image. A row of tiles is all that is held as float32, so a scan of 100 megapixels may
stay on the disk, coming and going.
"""

import hashlib
import itertools
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from restoration.engine.errors import BadInput, StepFailed
from restoration.engine.image import let_go, room

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

Floats = NDArray[np.float32]
Progress = Callable[[float, NDArray[Any] | None], None]
Conditions = Sequence[float] | Floats | Callable[[Floats], Floats]

SHIPPED = Path(__file__).parent / "shipped"
SUMS = "SHA256SUMS"
MULTIPLE = 8  # of a tile's sides and of its place: a network halves three times ...
DEEPER = {"damage": 32}  # ... and some more often
TILE = 1088  # the longest side of a tile, its overlap included
RIM = 16  # pixels of mirror image around the picture
TRIM = 24  # pixels at a tile's inner edges that are thrown away: their answers are still uncertain
BLEND = 24  # pixels over which two tiles pass into each other
OVERLAP = 2 * TRIM + BLEND
ROUNDED = 128  # rows rounded at a time
MOST_THREADS = 8

_building = threading.Lock()
_sessions: dict[tuple[Path, str, int], tuple["InferenceSession", str]] = {}


def _silent(fraction: float, preview: NDArray[Any] | None = None) -> None:
    """Nobody listens."""


def answer(
    name: str,
    picture: NDArray[Any],
    conditions: Conditions | None = None,
    *,
    progress: Progress = _silent,
    out: NDArray[Any] | None = None,
    threads: int | None = None,
) -> NDArray[Any]:
    """What the network says of the picture: float32 sHxsWxG, not clipped, s the network's scale.

    picture: HxW or HxWxC, float32 in [0, 1] or uint8 or uint16, in memory or on the disk.
    conditions: K numbers, an array ceil(H/2)xceil(W/2)xK, or a function that makes an
    (h/2)x(w/2)xK one of a float32 hxwxC tile. out: sHxsWxG to write to, float32 or clipped and
    rounded to uint8 or uint16. progress(fraction, None) is called after each tile and may raise.
    The same bytes come whatever the number of threads.
    Raises StepFailed `network-missing`, `network-altered` or `network-answer`, BadInput at the
    door.
    """
    session, _ = _session(name, threads or default_threads())
    pixels = _checked(picture, session)
    strips = _Job(name, session, pixels, conditions, progress).strips()
    first = next(strips)
    if out is None:
        scale = first.shape[1] // pixels.shape[1]
        out = room((scale * pixels.shape[0], *first.shape[1:]))
    done = 0
    for strip in itertools.chain([first], strips):
        _write(out, done, strip)
        done += len(strip)
        let_go(picture)
        let_go(out)
    return out


def at_once(name: str, picture: NDArray[Any], *, threads: int | None = None) -> Floats:
    """What the network says of the whole picture in one go: float32 hxwxG, h and w as it likes.

    For a network whose answer is coarser than the picture. picture: as in `answer`; what its sides
    must be multiples of is the caller's business. Raises as `answer` does.
    """
    session, _ = _session(name, threads or default_threads())
    return _ask(name, session, _floats(_checked(picture, session)), None)


def sha256(name: str) -> str:
    """The digest of the network's file, for records; raises as `answer` does."""
    return _session(name, default_threads())[1]


def has(name: str) -> bool:
    """Whether that network is shipped."""
    return name in _pinned()


def default_threads() -> int:
    """The cores this process may use, within reason."""
    known = hasattr(os, "sched_getaffinity")
    return min(MOST_THREADS, len(os.sched_getaffinity(0)) if known else os.cpu_count() or 1)


def _session(name: str, threads: int) -> tuple["InferenceSession", str]:
    """Built once a process, under a lock, of bytes whose digest was checked."""
    key = (SHIPPED, name, threads)
    with _building:
        if key not in _sessions:
            model, digest = _verified(name)
            _sessions[key] = (_built(model, threads), digest)
        return _sessions[key]


def _built(model: bytes, threads: int) -> "InferenceSession":
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # A worker shares its cores with others: waiting threads shall sleep.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _verified(name: str) -> tuple[bytes, str]:
    path = SHIPPED / f"{name}.onnx"
    pinned = _pinned().get(name)
    if pinned is None or not path.is_file():
        raise StepFailed("network-missing", {"network": name})
    model = path.read_bytes()
    if hashlib.sha256(model).hexdigest() != pinned:
        raise StepFailed("network-altered", {"network": name})
    return model, pinned


def _pinned() -> dict[str, str]:
    """Name to digest, as `sha256sum` writes them."""
    sums = SHIPPED / SUMS
    lines = sums.read_text(encoding="utf-8").splitlines() if sums.is_file() else []
    rows = (line.split() for line in lines if line.strip())
    return {file.lstrip("*").removesuffix(".onnx"): digest for digest, file in rows}


def _checked(picture: NDArray[Any], session: "InferenceSession") -> NDArray[Any]:
    """HxWxC of a kind we read, with the bands the network takes."""
    if picture.dtype not in (np.float32, np.uint8, np.uint16):
        raise BadInput("image-dtype", {"dtype": str(picture.dtype)})
    pixels = picture[..., None] if picture.ndim == 2 else picture
    bands = session.get_inputs()[0].shape[1]
    if pixels.ndim != 3 or pixels.shape[2] != bands or 0 in pixels.shape:
        raise BadInput("image-shape", {"shape": list(picture.shape)})
    return pixels


@dataclass(frozen=True)
class Spans:
    """How a side is cut: where tiles begin, counted with the rim, their size, and the side."""

    starts: tuple[int, ...]
    size: int
    length: int

    def places(self, start: int) -> NDArray[np.intp]:
        """The picture's rows (or columns) that a tile sees; the mirror image where there are
        none."""
        around = max(1, 2 * (self.length - 1))
        found = np.abs(np.arange(start - RIM, start - RIM + self.size)) % around
        return np.minimum(found, around - found) if self.length > 1 else found * 0

    def weights(self, number: int, scale: int) -> Floats:
        """How much a tile's rows (or columns) count: over all tiles they come to one."""
        start = self.starts[number]
        weight = np.ones(self.size * scale, np.float32)
        if number > 0:
            weight *= self._rise(self.starts[number - 1] + self.size, start, scale)
        if number + 1 < len(self.starts):
            weight *= 1 - self._rise(start + self.size, self.starts[number + 1], scale, start)
        return weight

    def _rise(self, end: int, begin: int, scale: int, seen_from: int | None = None) -> Floats:
        """0 before the middle of the overlap [begin, end), 1 behind it, half a sine between."""
        middle = (begin + end) / 2 - (begin if seen_from is None else seen_from)
        places = (np.arange(self.size * scale) + 0.5) / scale
        share = np.clip((places - middle) / BLEND + 0.5, 0, 1)
        return np.square(np.sin(share * np.pi / 2)).astype(np.float32)


def multiple(name: str) -> int:
    """What the sides of a picture must be multiples of for that network."""
    return DEEPER.get(name, MULTIPLE)


def _spans(length: int, unit: int) -> Spans:
    """Even tiles on multiples of unit: as few as may be, of one size, none longer than TILE."""
    padded = _whole(length + 2 * RIM, unit)
    count = max(1, -(-(padded - OVERLAP) // (TILE - OVERLAP)))
    size = min(padded, _whole(-(-(padded + (count - 1) * OVERLAP) // count), unit))
    free = (padded - size) // unit
    starts = [unit * (number * free // max(1, count - 1)) for number in range(count)]
    return Spans(tuple(starts), size, length)


def _whole(length: int, unit: int) -> int:
    return -(-length // unit) * unit


@dataclass(frozen=True)
class _Job:
    """One picture on its way through one network; pixels are HxWxC."""

    name: str
    session: "InferenceSession"
    pixels: NDArray[Any]
    conditions: Conditions | None
    progress: Progress

    @cached_property
    def down(self) -> Spans:
        return _spans(self.pixels.shape[0], multiple(self.name))

    @cached_property
    def across(self) -> Spans:
        return _spans(self.pixels.shape[1], multiple(self.name))

    def strips(self) -> Iterator[Floats]:
        """The finished rows of the answer, from the top, without the rim."""
        high, wide = self.pixels.shape[:2]
        starts = self.down.starts
        carried: Floats = np.zeros((0, 1, 1), np.float32)
        held: Floats | None = None  # one row of tiles may be half a gigabyte: there is one of it
        for row, top in enumerate(starts):
            found, scale = self._row(row, held)
            held = found
            found *= self.down.weights(row, scale)[:, None, None]
            found[: len(carried)] += carried
            below = top + self.down.size if top == starts[-1] else starts[row + 1]
            finished = scale * (below - top)
            carried = found[finished:].copy()
            first = scale * RIM if row == 0 else 0
            last = min(finished, scale * (high + RIM - top))
            yield found[first:last, scale * RIM : scale * (RIM + wide)]

    def _row(self, row: int, blended: Floats | None) -> tuple[Floats, int]:
        """One row of tiles blended across, in the place of the last one, and the network's
        scale."""
        tiles = self._tiles(row)
        first = next(tiles)
        scale = len(first) // self.down.size
        width = scale * (self.across.starts[-1] + self.across.size)
        if blended is None:
            blended = np.empty((len(first), width, first.shape[2]), np.float32)
        blended.fill(0)
        for column, found in enumerate(itertools.chain([first], tiles)):
            left = scale * self.across.starts[column]
            found *= self.across.weights(column, scale)[:, None]
            blended[:, left : left + found.shape[1]] += found
        return blended, scale

    def _tiles(self, row: int) -> Iterator[Floats]:
        """The answers to a row's tiles, from the left."""
        strip = _floats(self.pixels[self.down.places(self.down.starts[row])])
        done, total = row * len(self.across.starts), len(self.down.starts) * len(self.across.starts)
        for column, left in enumerate(self.across.starts):
            tile = strip[:, self.across.places(left)]
            yield _ask(self.name, self.session, tile, self._told(tile, row, column))
            self.progress((done + column + 1) / total, None)

    def _told(self, tile: Floats, row: int, column: int) -> Floats | None:
        """The conditions of one tile, (h/2)x(w/2)xK."""
        if self.conditions is None:
            return None
        if callable(self.conditions):
            return self.conditions(tile)
        told = np.asarray(self.conditions, np.float32)
        if told.ndim == 1:
            return np.broadcast_to(told, (tile.shape[0] // 2, tile.shape[1] // 2, len(told)))
        down = self.down.places(self.down.starts[row])[::2] // 2
        across = self.across.places(self.across.starts[column])[::2] // 2
        return told[down[:, None], across]


def _floats(pixels: NDArray[Any]) -> Floats:
    if pixels.dtype == np.float32:
        return np.asarray(pixels)
    found: Floats = np.divide(pixels, np.float32(np.iinfo(pixels.dtype).max), dtype=np.float32)
    return found


def _ask(name: str, session: "InferenceSession", tile: Floats, told: Floats | None) -> Floats:
    """One tile through the network, hxwxC to shxswxG."""
    given = {"picture": _planes(tile)}
    if told is not None:
        given["conditions"] = _planes(told)
    found: Floats = session.run(None, given)[0][0]
    if not np.isfinite(found).all():
        raise StepFailed("network-answer", {"network": name})
    return np.ascontiguousarray(found.transpose(1, 2, 0))


def _planes(tile: Floats) -> Floats:
    return np.ascontiguousarray(tile.transpose(2, 0, 1)[None], np.float32)


def _write(out: NDArray[Any], top: int, strip: Floats) -> None:
    shaped = strip.reshape((len(strip), *out.shape[1:]))
    if out.dtype == np.float32:
        out[top : top + len(strip)] = shaped
        return
    most = np.float32(np.iinfo(out.dtype).max)
    for start in range(0, len(shaped), ROUNDED):  # a strip of a doubled scan is half a gigabyte
        part = shaped[start : start + ROUNDED]
        out[top + start : top + start + len(part)] = np.rint(np.clip(part, 0, 1) * most)
