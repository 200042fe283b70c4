"""Measure registration: `python -m tests.benchmarks.registration [--pictures N] [--seed N]`.

Each picture is zoomed by 1 to 3 %, shifted by up to 10 px, blurred, made brighter, given grain,
and found again. Prints the corner error per picture, then its mean and maximum.
"""

import argparse
import sys
import time
from collections.abc import Iterator

import numpy as np
from scipy import ndimage
from skimage import data

from restoration.engine.register import Floats, Matrix, register, warp

PICTURES = (
    "astronaut",
    "camera",
    "chelsea",
    "coffee",
    "rocket",
    "brick",
    "grass",
    "gravel",
    "coins",
    "moon",
    "page",
    "text",
)


def picture(name: str) -> Floats:
    """Return one of scikit-image's own pictures as float32 in [0, 1], HxWx3."""
    pixels = getattr(data, name)()
    stacked = pixels if pixels.ndim == 3 else np.stack([pixels] * 3, axis=2)
    return np.asarray(stacked[..., :3].astype(np.float32) / 255)


def disturbed(image: Floats, random: np.random.Generator) -> tuple[Floats, Matrix]:
    """Return the picture as a careless model gives it back, and the map that was used."""
    height, width = image.shape[:2]
    zoom = 1 + random.uniform(0.01, 0.03) * random.choice([-1, 1])
    shift = random.uniform(-10, 10, 2)
    centre = np.array([(width - 1) / 2, (height - 1) / 2])
    # From the true map (reference -> moving) the moving picture is made by its inverse.
    true = np.hstack([np.eye(2) * zoom, (shift + (1 - zoom) * centre)[:, None]])
    back = np.linalg.inv(np.vstack([true, [0, 0, 1]]))[:2]
    moved = ndimage.gaussian_filter(warp(image, back, image.shape), (0.8, 0.8, 0))
    noisy = moved * 1.1 + random.normal(0, 8 / 255, moved.shape)
    eight_bit = np.rint(np.clip(noisy, 0, 1) * 255) / 255
    return eight_bit.astype(np.float32), true


def corner_error(found: Matrix, true: Matrix, shape: tuple[int, ...]) -> float:
    """Return the mean distance, in pixels, between where both maps put the four corners."""
    height, width = shape[:2]
    corners = np.array([[0, 0], [width, 0], [0, height], [width, height]]).T
    apart = (found[:, :2] - true[:, :2]) @ corners + found[:, 2:] - true[:, 2:]
    return float(np.hypot(*apart).mean())


def errors(names: tuple[str, ...], seed: int) -> Iterator[tuple[str, float, float, float]]:
    """Yield name, corner error, correlation and seconds for each picture."""
    random = np.random.default_rng(seed)
    for name in names:
        image = picture(name)
        moving, true = disturbed(image, random)
        began = time.perf_counter()
        found = register(image, moving)
        took = time.perf_counter() - began
        yield name, corner_error(found.matrix, true, image.shape), found.correlation, took


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=len(PICTURES))
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rows = list(errors(PICTURES[: options.pictures], options.seed))
    for name, error, correlation, took in rows:
        sys.stdout.write(f"{name:10} {error:.3f} px, correlation {correlation:.3f}, {took:.2f} s\n")
    found = np.array([error for _, error, _, _ in rows])
    sys.stdout.write(f"mean {found.mean():.3f} px, max {found.max():.3f} px\n")


if __name__ == "__main__":
    main()
