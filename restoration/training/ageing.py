"""Makes an old photograph of a good one, on purpose and repeatably, and maps the damage.

In the order time does it: a period's emulsion with its soft lens and its grain; fading, toning and
silver in any order; then stains, folds and tears, dust, fibres and scratches, again in any order;
at last the scanner and its JPEG. Lengths scale with the picture's long side.
"""

import numpy as np
from numpy.typing import NDArray

from restoration.engine.damage import PLANES
from restoration.engine.image import check_image
from restoration.training import emulsion, folds, layers, marks, stains
from restoration.training.layers import Image, Random, Sheet, Truth

Mask = NDArray[np.uint8]

NO_STAMPS = marks.Stamps()


def age(
    image: Image,
    *,
    seed: int,
    severity: float = 0.5,
    colour: bool = False,
    stamps: marks.Stamps = NO_STAMPS,
) -> tuple[Image, Mask]:
    """The aged picture (float32 HxWx3 RGB in [0, 1]) and its damage mask (uint8 HxW, 255).

    severity 0 (well kept) to 1 (found in an attic). The mask holds dust, lint, scratches, creases
    and missing paper; fading, grain and soft stains are not in it. `stamps` adds real dirt (see
    marks.stamps). Same seed, same bytes.
    """
    check_image(image)
    rng = np.random.default_rng([seed, 0xA6E])
    sheet = layers.whole(image, float(np.clip(severity, 0, 1)))
    aged = emulsion.worn(image, rng, sheet, colour)
    aged, truth = damaged(aged, rng, sheet, stamps)
    found = emulsion.scanned(aged, rng, sheet)
    return found, truth[..., PLANES.index("damage")].astype(np.uint8) * 255


def damaged(
    image: Image, rng: Random, sheet: Sheet, stamps: marks.Stamps = NO_STAMPS
) -> tuple[Image, Truth]:
    """The picture with stains, folds and marks on it, and the truth about them (HxWx4 bool)."""
    truth = layers.untouched(image.shape)
    steps = [stains.stained, folds.given_way, _marked]
    for number in rng.permutation(len(steps)):
        image = steps[number](image, truth, rng, sheet)
    if stamps.planes:
        for _ in range(_stamp_count(rng, sheet)):
            image = layers.laid(image, truth, marks.stamped(rng, sheet, stamps))
    return image, truth


def _marked(image: Image, truth: Truth, rng: Random, sheet: Sheet) -> Image:
    for layer in marks.drawn(rng, sheet):
        image = layers.laid(image, truth, layer)
    return image


def _stamp_count(rng: Random, sheet: Sheet) -> int:
    return int(rng.poisson(sheet.chance(2 + 12 * sheet.severity, 150 * sheet.scale)))
