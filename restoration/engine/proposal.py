"""What our own network makes of a grey picture and a few colours somebody put on it.

The network is handed the classical answer (spread.py) beside the bare facts and says only what
improves it, as R. Zhang's user-guided colourisation (2017) is told of points; with each colour
comes the error it expects of itself. Where something is known, the mean of both answers is given:
they err at different places, and it measures better than either.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from restoration.engine import networks
from restoration.engine.spread import Known, Plane, Planes, Spread, spread

NETWORK = "colour"
ALONE = np.float32(0.6)  # how far it is believed when nobody said anything: habits, not facts
LEAST_ERROR, MOST_ERROR = 0.002, 0.3
FARTHER = 0.6  # nearness at which a place's own colour is no longer enforced: some 8 pixels


class Proposal(NamedTuple):
    """chroma 2xHxW (R - Y, B - Y). error HxW: how far off it expects to be, in [0, 1]."""

    chroma: Planes
    error: Plane


def asked(light: Plane, known: Known, chroma: Planes, carried: Spread) -> NDArray[np.float32]:
    """What the network sees, HxWx8 in [0, 1]: luma, where something is known, its red and blue
    chroma, both as they spread, the luma of the places they came from, and the nearness of one."""
    given = _shifted(chroma * known)
    shown = [light, known, *given, *_shifted(carried.values[:2]), carried.values[2], carried.near]
    return np.asarray(np.clip(np.stack(shown, axis=-1), 0, 1), np.float32)


def carried(light: Plane, known: Known, chroma: Planes) -> Spread:
    """Chroma 2xHxW and the luma of the places it was given at, spread over the picture."""
    return spread(light, known, np.concatenate([chroma, light[None]]))


def proposed(light: Plane, known: Known, chroma: Planes) -> Proposal:
    """Colours for a picture of at most a few hundred pixels: light HxW in [0, 1], chroma 2xHxW
    (R - Y, B - Y) where `known`. With nothing known it is the network's guess alone, as far
    as ALONE.

    What is known is obeyed: the network may not talk a place out of the colour it was given.
    Raises StepFailed `network-missing`, `network-altered`, `network-answer`.
    """
    start = carried(light, known, chroma)
    answer = networks.answer(NETWORK, asked(light, known, chroma, start))
    error = np.exp(np.clip(answer[..., 2], np.log(LEAST_ERROR), np.log(MOST_ERROR)))
    found = np.ascontiguousarray(answer[..., :2].transpose(2, 0, 1))
    if known.any():
        found = (found + start.values[:2]) / 2
    else:
        found *= ALONE
    return Proposal(_obeying(light, known, chroma, found), error.astype(np.float32))


def _obeying(light: Plane, known: Known, chroma: Planes, found: Planes) -> Planes:
    """Moved to what is known, there wholly and around it as far as it is the same surface."""
    if not known.any():
        return found
    missed = spread(light, known, (chroma - found) * known)
    share = np.clip((missed.near - FARTHER) / (1 - FARTHER), 0, 1)
    return np.asarray(found + missed.values * share, np.float32)


def _shifted(chroma: Planes) -> Planes:
    """[-1, 1] as [0, 1]."""
    return 0.5 + 0.5 * chroma
