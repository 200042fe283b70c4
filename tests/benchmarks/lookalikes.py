"""`python -m tests.benchmarks.lookalikes`: how far apart are scans of one photograph, and others.

Over the lent old photographs: in how many of 64 bits the fingerprint changes by what another scan
changes, and in how many two different photographs differ. The bound in archive.pairing is from it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyvips

from archive.likeness import of_jpeg
from tests.services.need import photos_folder

SIDE = 400


def _cut(left: float, top: float, right: float, bottom: float) -> Callable[[Any], Any]:
    def cut(image: Any) -> Any:
        x, y = int(image.width * left), int(image.height * top)
        return image.crop(
            x, y, int(image.width * (1 - right)) - x, int(image.height * (1 - bottom)) - y
        )

    return cut


CHANGES: dict[str, Callable[[Any], Any]] = {
    "half the size": lambda image: image.resize(0.5),
    "gamma 1.5": lambda image: image.gamma(exponent=1.5),
    "faded to half": lambda image: (image * 0.5 + 90).cast("uchar"),
    "grey": lambda image: image.colourspace("b-w"),
    "1 % cut off all round": _cut(0.01, 0.01, 0.01, 0.01),
    "3 % cut off all round": _cut(0.03, 0.03, 0.03, 0.03),
    "5 % cut off one side": _cut(0.05, 0, 0, 0),
    "turned by 1 degree": lambda image: image.rotate(1, background=[240] * image.bands),
}


def _apart(one: int, image: Any, quality: int = 85) -> int:
    other = of_jpeg(image.jpegsave_buffer(Q=quality))
    return 64 if other is None else (one ^ other).bit_count()


def main() -> None:
    """Measure and print a table."""
    known: list[int] = []
    found: dict[str, list[int]] = {name: [] for name in CHANGES}
    for path in sorted((photos_folder() / "old").iterdir()):
        try:
            image = pyvips.Image.thumbnail(str(path), SIDE, height=SIDE).colourspace("srgb")
        except pyvips.Error:
            continue
        image = image.extract_band(0, n=3).copy_memory()
        mine = of_jpeg(image.jpegsave_buffer(Q=85))
        if mine is None:
            continue
        known.append(mine)
        for name, change in CHANGES.items():
            found[name].append(_apart(mine, change(image)))
    others = [(a ^ b).bit_count() for at, a in enumerate(known) for b in known[at + 1 :]]
    print(f"{len(known)} photographs; {len(others)} pairs of others, nearest {min(others)} bits")  # noqa: T201
    print("| change | median | nine of ten | share within 12 bits |\n|---|---|---|---|")  # noqa: T201
    for name, bits in found.items():
        near = np.mean([each <= 12 for each in bits])
        told = f"{np.median(bits):.0f} | {np.percentile(bits, 90):.0f} | {near:.0%}"
        print(f"| {name} | {told} |")  # noqa: T201


if __name__ == "__main__":
    main()
