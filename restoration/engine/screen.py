"""The dots of a printed photograph: found as peaks of its spectrum, taken away, nothing else.

A halftone screen is one lattice over the whole print, so in the spectrum of nearly every part of it
the same few frequencies stand far out of their surroundings; a brick wall or a fence does so in its
own part alone. What stands out is taken away (a notch filter, R. C. Gonzalez
and R. E. Woods, Digital Image Processing, 4.10), so that a picture without a screen is not touched
and lines between the screen's frequencies stay as sharp as they were.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from restoration.engine.luma import Image

SIDE = 128  # pixels of a window whose spectrum is looked at
WINDOWS = 9  # along each side of the picture
AROUND = 15  # frequencies: what a peak stands out of
COARSEST = 0.06  # cycles a pixel: what is coarser is picture
ON_AXIS = 0.012  # cycles a pixel: the blocks of JPEG have their peaks there
SURE = 5.0  # how far a peak must stand out for a screen (natural logarithm of power)
SECOND = 0.85  # of the highest peak: the least of the highest one in another direction
LOWERED, FOOT, NEAR = 2.2, 0.3, 9  # what goes with it, and what stands out beside that, so near
APART = 25.0  # degrees: a lattice has peaks in two directions

Spectrum = NDArray[np.float64]  # SIDE x SIDE, in the order of numpy.fft


@dataclass(frozen=True)
class Screen:
    """height: how far its highest peak stands out; gain: what is left of each frequency."""

    height: float
    gain: Spectrum


def found(plane: Image) -> Screen | None:
    """The screen of one plane HxW in [0, 1]; None where there is none. About 0.1 s at any size."""
    if min(plane.shape) < 2 * SIDE:
        return None
    stands = _standing_out(plane)
    high = float(stands[_may_be_screen()].max())
    if high < SURE or not _is_lattice(stands):
        return None
    lowered = (stands > LOWERED) & _may_be_screen()
    # Beside them as on a torus: the highest frequencies are neighbours of the lowest.
    near = ndimage.maximum_filter(lowered.astype(np.uint8), NEAR, mode="wrap") > 0
    # The root would bring them down to their surroundings; the dots are not even, so further.
    return Screen(high, np.where((stands > FOOT) & near, np.exp(-stands), 1.0))


def without(plane: Image, screen: Screen, share: float) -> Image:
    """The plane HxW without that share of the screen, in [0, 1]. Pixels more than SIDE rows away
    change nothing, so that a large picture can be handed in by strips."""
    half = SIDE // 2
    gain = 1 - share * (1 - screen.gain)
    high, wide = plane.shape
    margins = [(half, half + -side % half) for side in plane.shape]
    padded = np.pad(plane, margins, mode="reflect")
    kept = np.zeros_like(padded)
    window = _window()
    for top in range(0, padded.shape[0] - SIDE + 1, half):
        for left in range(0, padded.shape[1] - SIDE + 1, half):
            place = slice(top, top + SIDE), slice(left, left + SIDE)
            spectrum = np.fft.fft2(padded[place] * window)
            kept[place] += (np.fft.ifft2(spectrum * gain).real * window).astype(np.float32)
    return np.clip(kept[half : half + high, half : half + wide], 0, 1)


def _window() -> NDArray[np.float32]:
    """Its square and those of its neighbours, half a side away, add up to one."""
    hann = np.hanning(SIDE + 1)[:SIDE]
    return np.sqrt(np.outer(hann, hann)).astype(np.float32)


def _standing_out(plane: Image) -> Spectrum:
    """Of each frequency, how far its usual power stands out of its surroundings'."""
    window = np.outer(np.hanning(SIDE), np.hanning(SIDE))
    powers = [
        np.log(np.square(np.abs(np.fft.fft2((part - part.mean()) * window))) + 1e-9)
        for part in _parts(plane)
    ]
    usual = np.median(powers, axis=0)
    return np.asarray(usual - ndimage.median_filter(usual, AROUND, mode="wrap"))


def _parts(plane: Image) -> Iterator[Image]:
    tops, lefts = (np.linspace(0, side - SIDE, WINDOWS).astype(int) for side in plane.shape)
    for top in tops:
        for left in lefts:
            yield plane[top : top + SIDE, left : left + SIDE]


def _frequencies() -> tuple[Spectrum, Spectrum]:
    """Down and across, in cycles a pixel."""
    steps = np.fft.fftfreq(SIDE)
    return np.repeat(steps[:, None], SIDE, axis=1), np.repeat(steps[None], SIDE, axis=0)


def _may_be_screen() -> NDArray[np.bool_]:
    down, across = _frequencies()
    fine = np.hypot(down, across) > COARSEST
    return np.asarray(fine & (np.abs(down) > ON_AXIS) & (np.abs(across) > ON_AXIS))


def _is_lattice(stands: Spectrum) -> bool:
    """Whether there are peaks alike in two directions: clapboards and blinds have theirs in one."""
    down, across = (each[_may_be_screen()] for each in _frequencies())
    peaks = stands[_may_be_screen()]
    angles = np.degrees(np.arctan2(down, across)) % 180
    apart = np.abs(angles - angles[peaks.argmax()])
    others = peaks[np.minimum(apart, 180 - apart) > APART]
    return bool(others.max() > SECOND * peaks.max())
