"""Pictures that come inside scikit-image's wheel, small, and what a test does to them."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage import data

Image = NDArray[np.float32]


@lru_cache(maxsize=8)
def _read(name: str) -> Image:
    pixels = np.asarray(getattr(data, name)())
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[..., None], 3, axis=2)
    return (pixels[..., :3] / np.float32(255)).astype(np.float32)


def astronaut(side: int = 256) -> Image:
    """A face, a flag, a dark helmet; cut so that the face is in the middle of the upper half."""
    return _read("astronaut")[:side, 100 : 100 + side].copy()


def camera(side: int = 256) -> Image:
    return _read("camera")[40 : 40 + side, 100 : 100 + side].copy()


def coffee() -> Image:
    return _read("coffee")[40:296, 100:420].copy()


def grey(image: Image) -> Image:
    light = image @ np.array([0.299, 0.587, 0.114], np.float32)
    return np.repeat(light[..., None], 3, axis=2)


def noisy(image: Image, sigma: float, seed: int = 1) -> Image:
    """With the same grey noise on all bands; sigma on the 0-255 scale."""
    noise = np.random.default_rng(seed).normal(0, sigma / 255, image.shape[:2])
    return np.clip(image + noise[..., None], 0, 1).astype(np.float32)


def moved(image: Image, centre: tuple[int, int], by: float, reach: float = 18) -> Image:
    """One feature moved sideways, the rest in place: what an edit model does to a nose."""
    rows, columns = np.mgrid[: image.shape[0], : image.shape[1]].astype(float)
    near = np.exp(-((rows - centre[0]) ** 2 + (columns - centre[1]) ** 2) / (2 * reach**2))
    places = [rows + 0.4 * by * near, columns + by * near]
    bands = [
        ndimage.map_coordinates(image[..., band], places, order=3, mode="nearest")
        for band in range(3)
    ]
    return np.clip(np.stack(bands, axis=-1), 0, 1).astype(np.float32)


def specks(shape: tuple[int, ...], count: int = 30, seed: int = 3) -> NDArray[np.bool_]:
    """Dust: small discs strewn over a picture, away from its rim."""
    rng = np.random.default_rng(seed)
    area = np.zeros(shape[:2], bool)
    rows = rng.integers(12, shape[0] - 12, count)
    columns = rng.integers(12, shape[1] - 12, count)
    area[rows, columns] = True
    return ndimage.binary_dilation(area, iterations=1)
