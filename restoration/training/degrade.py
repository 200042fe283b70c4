"""What the cleaner has to undo: noise, grain with a body, a soft lens, JPEG's blocks."""

from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from scipy import ndimage

Planes = NDArray[np.float32]  # HxWxC
Random = np.random.Generator

# The planes of the condition, each about [0, 1]; steps.denoise.conditions makes the same of what
# is measured.
NOISE, GRAIN, BLUR, BLOCKS = range(4)
NOISE_MOST = 55.0  # deviation on the 0-255 scale
BLUR_MOST = 2.0  # pixels
GRAIN_MOST = 1.2  # pixels: the blur that gives grain its body
PURE = 0.7  # share of examples with white noise alone: the measure of the field


@dataclass(frozen=True)
class Faults:
    """How much of each fault a picture has; the network is told."""

    noise: float = 0.0  # deviation, 0-255 scale
    grain: float = 0.0  # pixels of body, 0: white
    blur: float = 0.0  # pixels
    quality: int = 100  # JPEG quality, 100: none

    def planes(self) -> NDArray[np.float32]:
        """The four conditions, in the order of their names above."""
        blocks = (100 - self.quality) / 100
        told = [
            self.noise / 255,
            self.grain / GRAIN_MOST / 4,
            self.blur / BLUR_MOST / 4,
            blocks / 4,
        ]
        return np.array(told, np.float32)


def drawn(rng: Random) -> Faults:
    if rng.random() < PURE:
        return Faults(noise=float(rng.uniform(0, NOISE_MOST)))
    return Faults(
        noise=float(rng.uniform(0, 30) * (rng.random() < 0.85)),
        grain=float(rng.uniform(0.3, GRAIN_MOST) * (rng.random() < 0.6)),
        blur=float(rng.uniform(0.3, BLUR_MOST) * (rng.random() < 0.5)),
        quality=int(rng.integers(20, 96)) if rng.random() < 0.5 else 100,
    )


def spoilt(picture: Planes, faults: Faults, rng: Random) -> Planes:
    """float32 HxWxC with those faults, in the order a photograph meets them; not clipped unless
    JPEG was in it."""
    found = picture
    if faults.blur:
        found = ndimage.gaussian_filter(found, (faults.blur, faults.blur, 0))
    if faults.noise:
        found = found + grain(rng, found.shape, faults.grain) * np.float32(faults.noise / 255)
    if faults.quality < 100:
        found = compressed(found, faults.quality)
    return found.astype(np.float32, copy=False)


def grain(rng: Random, shape: tuple[int, ...], body: float) -> Planes:
    """Noise of deviation 1 HxWxC; with a body its neighbours resemble each other."""
    noise = rng.standard_normal(shape, dtype=np.float32)
    if body:
        noise = ndimage.gaussian_filter(noise, (body, body, 0), mode="wrap")
        noise /= noise.std()
    return noise


def compressed(picture: Planes, quality: int) -> Planes:
    """Through JPEG and back."""
    levels = (np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8)
    kept = BytesIO()
    Pillow.fromarray(levels[..., 0] if levels.shape[2] == 1 else levels).save(
        kept, "JPEG", quality=quality
    )
    back: Planes = np.asarray(Pillow.open(kept), np.float32).reshape(picture.shape)
    return back / np.float32(255)
