"""Twice the size: PSNR of the luma from bicubic halves, and whether the result, made small, is the
picture it came from."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from restoration.engine import image as pictures
from restoration.engine.luma import luma
from restoration.engine.step import StepContext
from restoration.engine.steps import upscale
from tests.benchmarks.engine.table import Row

NAME = "enlarge"
SETS = {"Set12": "set12_gray", "BSD68": "bsd68_gray", "Kodak24": "kodak"}
QUICK = 4  # pictures of each set
GAIN = 1.0  # dB over Lanczos
RETURNED = 1.0  # of 255
NOISE = 10  # deviation on the 0-255 scale

Plane = NDArray[np.float32]


def rows(photos: Path, *, quick: bool) -> Iterator[Row]:
    for name, folder in SETS.items():
        files = sorted(
            each for each in (photos / "reference" / folder).iterdir() if each.suffix == ".png"
        )
        clean = [_even(luma(pictures.load(file))) for file in files[: QUICK if quick else None]]
        yield from _set(name, clean)


def _set(name: str, clean: list[Plane]) -> Iterator[Row]:
    small = [_halved(each) for each in clean]
    ways: dict[str, Callable[[Plane], Plane]] = {
        "bicubic": lambda light: _resampled(light, Pillow.Resampling.BICUBIC),
        "Lanczos": lambda light: _resampled(light, Pillow.Resampling.LANCZOS),
        "own network": lambda light: _own(light, 0.0),
        "own network, sharpen 0.4": lambda light: _own(light, 0.4),
    }
    reached = {}
    for way, enlarged in ways.items():
        made = [enlarged(each) for each in small]
        reached[way] = _psnr(made, clean)
        yield Row(NAME, f"{name}: {way}", reached[way], "dB", note=f"{len(clean)} pictures")
        if way == "own network":
            gain = reached[way] - reached["Lanczos"]
            yield Row(NAME, f"{name}: gain over Lanczos", gain, "dB", must=GAIN)
            away = _away(made, small)
            yield Row(NAME, f"{name}: made small again", away, "/255", RETURNED, "low")
    yield from _grainy(name, clean, small)


def _grainy(name: str, clean: list[Plane], small: list[Plane]) -> Iterator[Row]:
    """Grain is to stay as soft as resampling leaves it, not to become texture."""
    rng = np.random.default_rng(0)
    noisy = [
        np.clip(each + rng.normal(0, NOISE / 255, each.shape), 0, 1).astype(np.float32)
        for each in small
    ]
    lanczos = [_resampled(each, Pillow.Resampling.LANCZOS) for each in noisy]
    own = [_own(each, 0.0) for each in noisy]
    gain = _psnr(own, clean) - _psnr(lanczos, clean)
    what = f"{name}, noise {NOISE}: gain over Lanczos"
    yield Row(NAME, what, gain, "dB", note="the noise is given back whole")
    yield Row(NAME, f"{name}, noise {NOISE}: made small again", _away(own, noisy), "/255",
              RETURNED, "low")  # fmt: skip


def _even(light: Plane) -> Plane:
    return light[: light.shape[0] // 2 * 2, : light.shape[1] // 2 * 2]


def _halved(light: Plane) -> Plane:
    """As the field does: bicubic with antialiasing, to whole grey levels."""
    size = (light.shape[1] // 2, light.shape[0] // 2)
    small = np.asarray(Pillow.fromarray(light).resize(size, Pillow.Resampling.BICUBIC))
    found: Plane = np.rint(np.clip(small, 0, 1) * 255).astype(np.float32) / 255
    return found


def _resampled(light: Plane, kernel: Pillow.Resampling) -> Plane:
    size = (2 * light.shape[1], 2 * light.shape[0])
    return np.clip(np.asarray(Pillow.fromarray(light).resize(size, kernel)), 0, 1)


def _own(light: Plane, sharpen: float) -> Plane:
    picture = np.repeat(light[..., None], 3, axis=2)
    done = upscale.run(StepContext(image=picture, reference=picture), {"sharpen": sharpen})
    return done.image[..., 0]


def _psnr(made: list[Plane], clean: list[Plane]) -> float:
    errors = [np.square(one - other).mean() for one, other in zip(made, clean, strict=True)]
    return float(np.mean(-10 * np.log10(errors)))


def _away(made: list[Plane], small: list[Plane]) -> float:
    """The largest mean difference of a picture, in grey levels."""
    return max(
        255 * float(np.abs(pictures.resize(one, *other.shape) - other).mean())
        for one, other in zip(made, small, strict=True)
    )
