"""How much contrast a print has lost, and the curve that gives it back.

Fading draws all tones towards a light grey: shadows lift far, lights sink less. One number tells
it, how much steeper the print once was. The darkest parts of a scan cannot tell that number alone,
for mist has no black either. But a black that was black has no colour: what tint the darkest parts
show is paper and bleached silver, and the tint grows as the contrast goes. Where a print has no
tint, only one with neither a black nor a white is taken to be faded.

Lights alone say nothing: many scenes have no white, and to stretch them is to invent a sun.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from restoration.engine import measure
from restoration.engine.image import resize_mask, shrink
from restoration.engine.luma import Image, chroma, luma

PIVOT = 0.57  # the grey towards which fading draws
OWN = 0.3  # the share of the print's own middle tone in the tone that stays where it is
BLACK, WHITE = 0.03, 0.98  # a full print has these; no more is ever asked for
STEEPEST = 2.2  # the most that any part of the curve may stretch
KNEE = 0.14  # from here to either end of the range the curve bends, so that nothing is clipped

SIDE = 512  # pixels: tones are measured at this size, so that dust and grain count little
SPECK = 5  # pixels, at that size
BLACKEST, WHITEST = 0.005, 0.995  # quantiles that stand for the print's black and white
DARK = 0.02  # share of the pixels whose tint is that of the blacks
ONE_TINT = 12.0  # chroma (Lab) strays less from one tint for each brightness: a monochrome

# Fitted on prints of photos/train that restoration.training.ageing aged (none is of a benchmark):
# tests/benchmarks/calibrate_fading.py. Less of OWN gains more on the mean, and more of it spares
# the print whose exposure was not the usual one.
PER_TINT = 3.7  # contrast lost, by red less blue in the darkest parts
NO_BLACK, NO_WHITE = 0.18, 0.8  # a print without tint is faded above the one and below the other
PER_LIFT, USUAL_BLACK = 1.5, 0.1  # contrast lost, by how far its black is above this

Knots = NDArray[np.float64]


@dataclass(frozen=True)
class Fading:
    """Luma of the print's black, middle and white, red less blue in its darkest parts, and how much
    steeper it was, over 1: 0 is not faded, 0.5 has lost a third of its contrast."""

    black: float
    middle: float
    white: float
    tint: float
    gain: float = 0.0

    @property
    def pivot(self) -> float:
        """The tone that stays where it is."""
        return (1 - OWN) * PIVOT + OWN * self.middle

    @property
    def loss(self) -> float:
        """The share of its contrast that the print has lost."""
        return self.gain / (1 + self.gain)

    @property
    def strength(self) -> float:
        """The strength of `curve` that gives back what was lost."""
        full = self._full()
        return min(1.0, self.gain / full) if full else 0.0

    def _full(self) -> float:
        """The gain at which a print has its whole range, black and white."""
        return max(self.room(self.black, BLACK), self.room(self.white, WHITE))

    def room(self, tone: float, end: float) -> float:
        """The gain at which a tone comes to an end of the range: 0 where it is there already."""
        below, all_of_it = tone - self.pivot, end - self.pivot
        reach = all_of_it / below if below * all_of_it > 0 else STEEPEST
        return float(np.clip(reach, 1, STEEPEST)) - 1

    def curve(self, strength: float) -> Knots:
        """Knots 65x2 (luma in, luma out) of a rising curve: the identity when strength is 0, the
        whole range when it is 1. The ends of the range stay, and nothing is clipped."""
        x = np.linspace(0, 1, 65)
        gain = 1 + strength * self._full()
        low = min(gain, 1 + self.room(self.black, BLACK))
        high = min(gain, 1 + self.room(self.white, WHITE))
        dark = _bent(np.minimum(x, self.pivot), self.pivot, low)
        light = 1 - _bent(np.minimum(1 - x, 1 - self.pivot), 1 - self.pivot, high)
        return np.stack([x, np.where(x < self.pivot, dark, light)], axis=1)


def _bent(tone: NDArray[np.float64], pivot: float, gain: float) -> NDArray[np.float64]:
    """Tones from 0 to the pivot, steepened about it, and bent before they reach 0."""
    if gain <= 1:
        return tone
    line = pivot + gain * (tone - pivot)
    knee = pivot - (pivot - KNEE) / gain
    toe = KNEE * np.power(tone / knee, gain * knee / KNEE)
    return np.where(tone > knee, line, toe)


def measured(image: Image, inside: measure.Area, cast: measure.Cast) -> Fading:
    """Of a float32 HxWx3 RGB picture in [0, 1]: the area inside its borders, and its cast."""
    small = np.clip(shrink(image, SIDE), 0, 1)
    within = resize_mask(inside.astype(np.uint8) * 255, *small.shape[:2]) > 0
    if not within.any():
        within = np.ones(small.shape[:2], bool)
    light = ndimage.median_filter(luma(small), SPECK)
    black, dark, middle, white = (
        float(tone) for tone in np.quantile(light[within], (BLACKEST, DARK, 0.5, WHITEST))
    )
    colour = chroma(small)
    warm = ndimage.uniform_filter(colour[..., 0] - colour[..., 2], SPECK)
    tint = float(np.median(warm[within & (light <= dark)]))
    return judged(Fading(black, middle, white, tint), cast)


def judged(found: Fading, cast: measure.Cast) -> Fading:
    """The same tones with the contrast that is surely lost, and never more than leaves the print a
    black and a white."""
    lost = 0.0
    if not cast.grey and cast.stray < ONE_TINT:
        lost = PER_TINT * max(0.0, found.tint)
    elif found.black > NO_BLACK and found.white < NO_WHITE:
        lost = PER_LIFT * (found.black - USUAL_BLACK)
    gain = min(lost, found.room(found.black, BLACK), found.room(found.white, WHITE))
    return replace(found, gain=gain)
