"""Runs the suggested recipe on real scans and prints what happened: look at the crops afterwards.

    python -m tests.benchmarks.ten_scans [--out FOLDER] [--all] [NAME ...]

Photographs are found by REKINDLE_PHOTOS or beside the repository (../shared/photos), folder old/.
The figures: seconds of the whole chain, pixels moved, share invented, area filled, verdict; then,
for colour alone (dabs strewn by a seed), the most the luma moved in 8 bits, and for repair alone
the most any pixel outside the mask changed.
"""

import argparse
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyvips
from numpy.typing import NDArray

from restoration.engine import image as pictures
from restoration.engine.luma import WEIGHTS, luma
from restoration.engine.plan import Dab, Plan, StepPlan
from restoration.engine.restore import Inputs, Restored, restore
from restoration.engine.steps.assess import assess
from restoration.engine.steps.repair import detect

TEN = (
    "deoldify_1860Girls", "deoldify_Unidentified1855", "deoldify_1890sPingPong",
    "deoldify_WaltWhitman", "deoldify_1890sShoeShopOhio", "deoldify_civil_war",
    "deoldify_BoulevardDuTemple1838", "rni6_Old_Tom_Morris", "fsaowi_LC-USF33-012762",
    "loc_2017810725",
)  # fmt: skip
COLUMNS = "{:34} {:26} {:>6} {:>9} {:>6} {:>8} {:7} {:>6} {:>8}"
CROP = 420


@dataclass(frozen=True)
class Row:
    """One scan's figures."""

    name: str
    steps: str
    seconds: float
    meters: dict[str, Any]
    luma_move: float
    outside: float

    def __str__(self) -> str:
        return COLUMNS.format(
            self.name[:34],
            self.steps,
            f"{self.seconds:.1f}",
            f"{self.meters['moved']:.2f} px",
            f"{self.meters['invented']:.2f}",
            f"{self.meters['filled_area']:.2f} %",
            self.meters["verdict"],
            f"{self.luma_move:.2f}",
            f"{self.outside:g}",
        )


def photographs() -> Path:
    """The folder of real photographs, or a SystemExit that says where it was looked for."""
    beside = Path(__file__).resolve().parents[2].parent / "shared" / "photos"
    folder = Path(os.environ.get("REKINDLE_PHOTOS", beside))
    if not (folder / "old").is_dir():
        raise SystemExit(f"no photographs: {folder / 'old'} is not there (set REKINDLE_PHOTOS)")
    return folder


def run(path: Path, out: Path | None) -> Row:
    scan = pictures.load(path)
    rows = assess(scan).suggestion
    plan = Plan(tuple(StepPlan(row["step"], settings=row["settings"]) for row in rows))
    started = time.perf_counter()
    done = restore(scan, plan, Inputs(), None, silent)
    seconds = time.perf_counter() - started
    if out is not None:
        write_crops(out / f"{path.stem}.png", scan, done)
    steps = ", ".join(step.name for step in plan.steps if step.name != "guard") or "nothing"
    return Row(
        path.stem, steps, seconds, done.meters["guard"], colour_move(scan), outside_move(scan)
    )


def colour_move(scan: NDArray[np.float32]) -> float:
    """The most any luma moves, in 8-bit levels, when strong colours are strewn over the scan."""
    rng = np.random.default_rng(1)
    dabs = tuple(
        Dab(float(x), float(y), (int(r), int(g), int(b)), 0.02)
        for (x, y), (r, g, b) in zip(
            rng.random((40, 2)), rng.choice([0, 255], (40, 3)), strict=True
        )
    )
    done = restore(scan, Plan((StepPlan("colourise"),), dabs=dabs), Inputs(), None, silent)
    stored = np.rint(done.image * 255) @ WEIGHTS
    return float(np.abs(stored - 255 * luma(scan)).max())


def outside_move(scan: NDArray[np.float32]) -> float:
    """The most any pixel outside the mask changes, in 8-bit levels, by repair alone."""
    mask = detect(scan, 0.8)
    done = restore(scan, Plan((StepPlan("repair"),)), Inputs(mask=mask), None, silent)
    return float(np.abs(done.image - scan)[mask == 0].max()) * 255


def write_crops(path: Path, scan: NDArray[np.float32], done: Restored) -> None:
    """Before, after and the declared fill at 100 %, around the place that was filled most."""
    before = scan
    if done.image.shape != scan.shape:
        before = np.clip(pictures.resize(scan, *done.image.shape[:2], kernel="linear"), 0, 1)
    filled = np.repeat(done.maps["repaired"][..., None], 3, axis=2).astype(np.float32) / 255
    top, left = _busiest(done.maps["repaired"])
    window = (slice(top, top + CROP), slice(left, left + CROP))
    strip = np.concatenate([before[window], done.image[window], filled[window]], axis=1)
    levels = np.ascontiguousarray(pictures.quantise(strip, 8))
    pyvips.Image.new_from_array(levels).copy(interpretation="srgb").pngsave(str(path))


def _busiest(filled: NDArray[np.uint8]) -> tuple[int, int]:
    height, width = filled.shape
    tops = range(0, max(1, height - CROP + 1), max(1, CROP // 3))
    lefts = range(0, max(1, width - CROP + 1), max(1, CROP // 3))
    middle = (max(0, (height - CROP) // 2), max(0, (width - CROP) // 2))
    places = [middle, *((top, left) for top in tops for left in lefts)]
    return max(
        places, key=lambda p: int((filled[p[0] : p[0] + CROP, p[1] : p[1] + CROP] > 0).sum())
    )


def silent(step: str, fraction: float, preview: NDArray[Any] | None = None) -> None:
    """Nobody watches a benchmark."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="parts of file names (default: ten of them)")
    parser.add_argument("--out", type=Path, help="folder for crops: before, after, fill at 100 %%")
    parser.add_argument("--all", action="store_true", help="every photograph of old/")
    asked = parser.parse_args()
    names = asked.names or ([""] if asked.all else TEN)
    files = sorted((photographs() / "old").iterdir())
    files = [p for p in files if p.suffix in (".jpg", ".png") and any(n in p.stem for n in names)]
    if asked.out is not None:
        asked.out.mkdir(parents=True, exist_ok=True)
    heads = ("scan", "steps", "sec", "moved", "invent", "filled", "verdict", "dY max", "outside")
    sys.stdout.write(COLUMNS.format(*heads) + "\n")
    for path in files:
        sys.stdout.write(f"{run(path, asked.out)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
