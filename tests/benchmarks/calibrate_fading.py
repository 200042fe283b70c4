"""Calibrate how much contrast the tint of a print's blacks says it has lost.

    python -m tests.benchmarks.calibrate_fading [--every N]

Ages photographs that no benchmark uses and gives them back what engine.fading measures, at several
values of PER_TINT and of OWN. Of each is told what sound pixels gain in dB of luma, on the mean and
where one print in twenty fares worse, and how many come out worse than they were; then how many of
the same prints, before they aged, were taken for faded ones: it must be none.
"""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from restoration.engine import fading, measure
from restoration.engine import image as pictures
from restoration.engine.luma import luma
from restoration.training import emulsion
from restoration.training.ageing import age
from tests.benchmarks.ten_scans import photographs

SIDE = 512
EVERY = 6  # one photograph in so many
SEVERITIES = (0.1, 0.2, 0.35, 0.5, 0.65, 0.8)
PER_TINT = (2.5, 3.0, 3.7, 4.5)
OWN = (0.0, 0.2, 0.5, 0.8)

Plane = NDArray[np.float32]


@dataclass(frozen=True)
class Aged:
    """Luma of the sound pixels of a print and of what it was, its fading and its cast."""

    severity: float
    before: Plane
    truth: Plane
    found: fading.Fading
    cast: measure.Cast


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--every", type=int, default=EVERY, help="one photograph in so many")
    asked = parser.parse_args()
    files = sorted((photographs() / "train").rglob("*.jpg"))[:: asked.every]
    found = [each for number, file in enumerate(files) for each in _prints(file, number)]
    aged = [each for each in found if each.severity]
    sys.stdout.write("PER_TINT OWN   gain   5 %  worse  by severity\n")
    for per_tint in PER_TINT:
        for own in OWN:
            fading.PER_TINT, fading.OWN = per_tint, own
            sys.stdout.write(f"{per_tint:8g} {own:3g} {_told(aged)}\n")
    sound = [each.found.gain > 0 for each in found if not each.severity]
    sys.stdout.write(f"sound prints taken for faded: {sum(sound)} of {len(sound)}\n")


def _prints(file: Path, number: int) -> Iterator[Aged]:
    picture = np.clip(pictures.shrink(pictures.load(file), SIDE), 0, 1)
    sound = np.clip(emulsion.exposed(picture, colour=False), 0, 1)
    yield _measured(0.0, sound, sound, np.ones(sound.shape[:2], bool))
    for severity in SEVERITIES:
        seed = 77 + 10 * number + round(100 * severity)
        aged, damage = age(picture, seed=seed, severity=severity)
        yield _measured(severity, aged, sound, damage == 0)


def _measured(severity: float, image: Plane, truth: Plane, kept: NDArray[np.bool_]) -> Aged:
    light, inside = measure.luma_and_inside(image)
    cast = measure.cast(image, inside)
    found = fading.measured(image, inside, cast)
    return Aged(severity, light[kept][::5], luma(truth)[kept][::5], found, cast)


def _told(aged: list[Aged]) -> str:
    gains = np.array([_gain(each) for each in aged])
    severity = np.array([each.severity for each in aged])
    by = " ".join(f"{gains[severity == each].mean():5.2f}" for each in SEVERITIES)
    worst = np.quantile(gains, 0.05)
    return f"{gains.mean():6.2f} {worst:5.2f} {(gains < -0.05).mean():6.1%}  {by}"


def _gain(each: Aged) -> float:
    """What the print gains in dB by the constants as they are now."""
    found = fading.judged(each.found, each.cast)
    knots = found.curve(found.strength)
    after = np.interp(each.before, knots[:, 0], knots[:, 1])
    errors = [np.square(light - each.truth).mean() + 1e-9 for light in (each.before, after)]
    return float(10 * np.log10(errors[0] / errors[1]))


if __name__ == "__main__":
    main()
