"""Calibrate the guard's gates.

    python -m tests.benchmarks.calibrate_guard [--every N] [--out FOLDER]

Judges the honest and the altered pictures of guard_cases.py, writes every figure to guard_roc.csv
and the curve to guard_roc.png, and prints the gates that let one honest picture in twenty be
looked at. They are found on every other picture and reported on those between.
"""

import argparse
import csv
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from tests.benchmarks.engine.guard import (
    EVERY,
    FALSE_ALARMS,
    LIMITS,
    Judged,
    all_judged,
    auc,
    share,
)
from tests.benchmarks.ten_scans import photographs

SIDE = 320
INK, FAINT, PAPER = (20, 20, 20), (190, 190, 190), (255, 255, 255)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--every", type=int, default=EVERY, help="one picture in so many")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    asked = parser.parse_args()
    found = []
    for each in all_judged(photographs(), asked.every):
        found.append(each)
        if len(found) % 30 == 0:
            write(found, asked.out / "guard_roc.csv")
    write(found, asked.out / "guard_roc.csv")
    gates = proposed([each for each in found if each.place % 2 == 0])
    held_out = [each for each in found if each.place % 2]
    sys.stdout.write(told(gates, held_out))
    draw(held_out, gates, asked.out / "guard_roc.png")


def write(found: list[Judged], path: Path) -> None:
    with path.open("w", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["picture", "half", "what", "altered", *LIMITS, "verdict"])
        for each in found:
            half = "held out" if each.place % 2 else "fitted"
            figures = [f"{each.meters[name]:.3f}" for name in LIMITS]
            table.writerow(
                [each.picture, half, each.what, int(each.altered), *figures, each.verdict]
            )


def proposed(found: list[Judged]) -> dict[str, float]:
    """By meter: the quantile of the honest ones, one for all, at which one in twenty is beyond."""
    names = list(LIMITS)
    table = np.array([[e.meters[name] for name in names] for e in found if not e.altered])
    for quantile in np.linspace(1.0, 0.9, 201):
        limits = np.quantile(table, quantile, axis=0, method="higher")
        if (table > limits).any(axis=1).mean() > FALSE_ALARMS:
            break
    return dict(zip(names, limits.tolist(), strict=True))


def risk(judged: Judged, gates: dict[str, float]) -> float:
    return max(judged.meters[name] / max(limit, 1e-3) for name, limit in gates.items())


def told(gates: dict[str, float], found: list[Judged]) -> str:
    lines = [f"gate {name}: {limit:.3f}" for name, limit in gates.items()]
    for label, risks in (
        ("gates as proposed", [risk(each, gates) for each in found]),
        ("gates as they stand", [each.risk for each in found]),
    ):
        honest = np.array([r for r, e in zip(risks, found, strict=True) if not e.altered])
        altered = np.array([r for r, e in zip(risks, found, strict=True) if e.altered])
        limit = float(np.quantile(honest, 1 - FALSE_ALARMS, method="higher"))
        caught, beyond = share(altered, limit), (share(honest, 1), share(altered, 1))
        lines.append(
            f"{label}, held out: AUC {auc(honest, altered):.4f}, caught {caught:.3f} at 5 %;"
            f" beyond the gates {beyond[0]:.3f} honest, {beyond[1]:.3f} altered"
        )
    for what in dict.fromkeys(each.what for each in found):
        beyond = [each.risk > 1 for each in found if each.what == what]
        lines.append(f"  {what:34} {np.mean(beyond):.2f} of {len(beyond)} beyond a gate")
    return "\n".join(lines) + "\n"


def draw(found: list[Judged], gates: dict[str, float], path: Path) -> None:
    """The curve: caught (up) by false alarms (right), both from 0 to 1, with the 5 % line."""
    honest = np.array([risk(each, gates) for each in found if not each.altered])
    altered = np.array([risk(each, gates) for each in found if each.altered])
    limits = np.sort(np.concatenate([honest, altered, [0, np.inf]]))
    points = [
        (SIDE * float((honest > limit).mean()), SIDE * (1 - float((altered > limit).mean())))
        for limit in limits
    ]
    sheet = Image.new("RGB", (SIDE + 1, SIDE + 1), PAPER)
    pen = ImageDraw.Draw(sheet)
    pen.rectangle([0, 0, SIDE, SIDE], outline=FAINT)
    pen.line([(SIDE * FALSE_ALARMS, 0), (SIDE * FALSE_ALARMS, SIDE)], fill=FAINT)
    pen.line(points, fill=INK, width=2)
    sheet.save(path)


if __name__ == "__main__":
    main()
