"""Where structure of the one picture is gone from the other: blotted out, and not declared.

fidelity's windows are 40 px wide, so that half a cheek, a hand or an emblem that was rubbed smooth
is outvoted by what lies around it. Here each place is asked by itself: how strong is what lies
between the two scales of BAND (energy within WINDOW), over the grain of its brightness, and is
nearly half of it still there?
"""

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Floats = NDArray[np.float32]
Area = NDArray[np.bool_]

BAND = (1.0, 6.0)  # finest and coarsest Gaussian, in pixels
WINDOW = 3.0  # pixels, of the Gaussian that gathers the energy
LIGHT = 8.0  # pixels, of the Gaussian that tells how bright a place is
OVER_GRAIN, PLAIN = 2.5, 3 / 255  # what is structure: so many times the grain, and so much more
LEFT = 0.45  # share of a place's structure below which it is gone
PLAINEST = 0.12  # share of the places of one brightness that show nothing but grain
SAMPLES = 200_000
BESIDE_FILL = 6  # pixels around what is left out that its band still reaches


@dataclass(frozen=True)
class Gone:
    """width: of the widest such place, inscribed, in pixels; place: its middle as fractions (x, y);
    area: bool HxW, all of them."""

    width: float
    place: tuple[float, float]
    area: Area


def find(earlier: Floats, later: Floats, left_out: Area) -> Gone:
    """Compares two lumas HxW in [0, 1] of one frame and like tones, but for `left_out` (bool)."""
    near = ndimage.binary_dilation(left_out, iterations=BESIDE_FILL) if left_out.any() else left_out
    # What is left out shows the same in both, or its edge would be structure of one alone.
    had, has = strength(earlier), strength(np.where(near, earlier, later))
    strong = had > OVER_GRAIN * grain(had, earlier) + PLAIN
    usual = float(np.median(has[strong] / had[strong])) if strong.any() else 1.0
    area = strong & (has < LEFT * min(usual, 1.0) * had) & ~near
    depth = ndimage.distance_transform_edt(np.pad(area, 1))[1:-1, 1:-1]
    row, column = np.unravel_index(int(depth.argmax()), depth.shape)
    across, down = float(column + 0.5) / depth.shape[1], float(row + 0.5) / depth.shape[0]
    return Gone(2 * float(depth.max()), (round(across, 3), round(down, 3)), area)


def strength(light: Floats) -> Floats:
    """The deviation of the band around each pixel."""
    fine, coarse = (ndimage.gaussian_filter(light, scale) for scale in BAND)
    return np.asarray(np.sqrt(ndimage.gaussian_filter(np.square(fine - coarse), WINDOW)))


def grain(had: Floats, light: Floats) -> Floats:
    """What the plainest places of each brightness show: HxW, a deviation."""
    bright = ndimage.gaussian_filter(light, LIGHT)
    every = max(1, light.size // SAMPLES)
    some, shown = bright.ravel()[::every], had.ravel()[::every]
    middles, least = [], []
    for low, high in itertools.pairwise(np.quantile(some, np.linspace(0, 1, 7))):
        inside = (some >= low) & (some <= high)
        middles.append(float(np.median(some[inside])))
        least.append(float(np.quantile(shown[inside], PLAINEST)))
    return np.asarray(np.interp(bright, middles, least), np.float32)
