"""Draws a sheet for each of twelve real scans: the scan, what is taken for damage, the result by
the suggested recipe, and where it changed. Made to be looked at, not to be measured.

    python -m tests.benchmarks.contact_sheets FOLDER [NAME ...]

None of the twelve taught the damage network. Beside each sheet lies NAME-crop.png: scan, result and
fill at 100 % around the place that was filled most.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageDraw

from restoration.engine import image as pictures
from restoration.engine.luma import Image
from restoration.engine.plan import Plan, StepPlan
from restoration.engine.restore import Inputs, Restored, restore
from restoration.engine.steps.assess import assess
from tests.benchmarks.ten_scans import TEN, photographs, silent, write_crops

TWELVE = (*TEN, "deoldify_1867MusicianConstantinople", "deoldify_NewspaperCivilWar1863")
WIDE = 900  # pixels of a panel
HEAD = 24
RED = np.array([1.0, 0.1, 0.1], np.float32)


def sheet(scan: Image, done: Restored, title: str) -> Pillow.Image:
    """Two by two: scan and mask above, result and changed map below."""
    size = done.image.shape[:2]
    before = np.clip(pictures.resize(scan, *size, kernel="linear"), 0, 1)
    panels = [
        scan,
        _painted(before, done.maps["repaired"] > 0),
        done.image,
        _painted(before, done.maps["changed"] > 0),
    ]
    drawn = [_panel(each) for each in panels]
    wide, high = drawn[0].size
    whole = Pillow.new("RGB", (2 * wide, 2 * high + HEAD))
    for number, each in enumerate(drawn):
        whole.paste(each.resize((wide, high)), (number % 2 * wide, HEAD + number // 2 * high))
    ImageDraw.Draw(whole).text((8, 6), title, fill=(255, 255, 0))
    return whole


def _painted(image: Image, area: NDArray[np.bool_]) -> Image:
    """The picture in grey, the area red."""
    grey = np.repeat(image.mean(axis=2, keepdims=True), 3, axis=2) * 0.8
    return np.where(area[..., None], RED, grey).astype(np.float32)


def _panel(image: Image) -> Pillow.Image:
    drawn = Pillow.fromarray(np.ascontiguousarray(pictures.quantise(image, 8)))
    high = round(WIDE * drawn.height / drawn.width)
    return drawn.resize((WIDE, high), Pillow.Resampling.BOX if drawn.width > WIDE else None)


def draw(path: Path, out: Path) -> str:
    scan = pictures.load(path)
    rows = assess(scan).suggestion
    plan = Plan(tuple(StepPlan(row["step"], settings=row["settings"]) for row in rows))
    done = restore(scan, plan, Inputs(), None, silent)
    meters = done.meters["guard"]
    title = (
        f"{path.stem}: {', '.join(step.name for step in plan.steps)}; "
        f"filled {meters['filled_area']} %, changed {meters['changed_area']} %, "
        f"{meters['verdict']} {', '.join(meters['reasons'])}"
    )
    sheet(scan, done, title).save(out / f"{path.stem}.png")
    write_crops(out / f"{path.stem}-crop.png", scan, done)
    return title


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path, help="folder for the sheets")
    parser.add_argument("names", nargs="*", help="parts of file names (default: twelve of them)")
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    names = asked.names or TWELVE
    for path in sorted((photographs() / "old").iterdir()):
        if path.suffix in (".jpg", ".png") and any(name in path.stem for name in names):
            sys.stdout.write(f"{draw(path, asked.out)}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
