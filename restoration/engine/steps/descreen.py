"""Takes the dots of a printing press out of a scanned print; a photograph has none and stays.

What is done is restoration.engine.screen, for each colour by itself: the inks of a colour print
have screens of their own.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from restoration.engine import screen
from restoration.engine.image import check_image, let_go, room
from restoration.engine.luma import luma
from restoration.engine.screen import SIDE, Screen
from restoration.engine.step import Image, Progress, StepContext, StepResult, note, silent

STRIP = 8 * SIDE  # rows at once

Screens = list[Screen | None]


def run(context: StepContext, settings: dict[str, Any]) -> StepResult:
    """Lowers what stands out of the spectrum by the settings' share."""
    image, share = check_image(context.image), float(settings["strength"])
    screens = found(image)
    if not any(screens):
        return StepResult(image, notes=[note("no-screen-found")])
    result = without(image, screens, share, context.progress)
    heights = [round(each.height, 2) if each else 0.0 for each in screens]
    return StepResult(result, meters={"screen": max(heights)}, record={"screens": heights})


def found(image: Image) -> Screens:
    """The screen of each colour of a float32 HxWx3 picture; None where there is none.

    What does not show in its luma is no press's: JPEG keeps colours at half the size, and leaves a
    lattice of its own in red and blue.
    """
    if screen.found(luma(image)) is None:
        return [None, None, None]
    return [screen.found(image[..., each]) for each in range(3)]


def without(image: Image, screens: Screens, share: float, progress: Progress = silent) -> Image:
    """The picture HxWx3 without that share of its screens. progress(fraction, None) may raise."""
    result = room(image.shape, np.float32)
    for rows, strip in _strips(image):
        progress(rows.start / len(image), None)
        for each, seen in enumerate(screens):
            result[rows, :, each] = _calmed(strip[..., each], seen, share, rows)
        let_go(result)
    return result


def _calmed(strip: Image, seen: Screen | None, share: float, rows: slice) -> Image:
    """The rows without the SIDE above and below that only their neighbours need."""
    inner = slice(SIDE, SIDE + rows.stop - rows.start)
    return screen.without(strip, seen, share)[inner] if seen else strip[inner]


def _strips(image: Image) -> Iterator[tuple[slice, Image]]:
    """Rows, and these with SIDE more above and below; beyond the picture it is mirrored."""
    last = len(image) - 1
    for top in range(0, len(image), STRIP):
        stop = min(top + STRIP, len(image))
        around = np.abs(np.arange(top - SIDE, stop + SIDE))
        yield slice(top, stop), image[last - np.abs(last - around)]
