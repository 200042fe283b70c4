"""Faces found on old scans that were never learnt from, against the cascade that was there before.

Protocol: the scans of old/ whose name's sha256 is divisible by three (19 scans, 64 faces) and, for
false boxes, the DOCUMERICA slides chosen alike (nobody on them) and the kodak pictures on which
nobody is. Boxes: dlib's proposals, looked through and corrected by hand, in faces.json. A box is
right when its overlap (intersection over union) with one that no other box took is at least 0.4.
Five scans of crowds with faces of a few pixels were left out: nobody could say how many there are.
The cascade (LBP, of scikit-image) runs as the engine used it.
"""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from skimage.data import lbp_frontal_face_cascade_filename
from skimage.feature import Cascade

from restoration.engine import faces, networks
from restoration.engine import image as pictures
from restoration.engine.faces import Box
from restoration.engine.image import shrink
from restoration.engine.luma import Image, luma
from tests.benchmarks.engine.table import Row, absent

NAME = "faces"
LABELS = Path(__file__).with_name("faces.json")
MUST_SECONDS = 0.3
OVERLAP = 0.4
SMALL = 0.03  # of the long side: what is smaller is told of on its own
# People, a statue, painted figures on a house.
PEOPLED_KODAK = {f"kodim{number:02}" for number in (4, 5, 6, 9, 10, 11, 12, 14, 15, 17, 18, 24)}

Find = Callable[[Image], list[Box]]


@dataclass
class Found:
    """Counts over a set of pictures."""

    wanted: int = 0
    right: int = 0
    given: int = 0
    wanted_large: int = 0
    right_large: int = 0
    pictures: int = 0
    seconds: float = 0.0
    megapixels: float = 0.0

    def add(self, light: Image, boxes: list[Box], find: Find) -> None:
        began = time.perf_counter()
        seen = find(light)
        self.seconds += time.perf_counter() - began
        self.megapixels += light.size / 1e6
        self.pictures += 1
        large = [box for box in boxes if _is_large(box, light)]
        self.wanted, self.given = self.wanted + len(boxes), self.given + len(seen)
        self.right += faces.met(seen, boxes, OVERLAP)
        self.wanted_large += len(large)
        self.right_large += faces.met(seen, large, OVERLAP)


def _is_large(box: Box, light: Image) -> bool:
    return box[3] * light.shape[0] >= SMALL * max(light.shape)


def rows(photos: Path, *, quick: bool) -> Iterator[Row]:
    if not (photos / "old").is_dir():
        yield absent(NAME, "old scans", "old/ is not there")
        return
    labels = {name: [_box(each) for each in boxes] for name, boxes in _labels().items()}
    every = 3 if quick else 1
    for who, find in _finders().items():
        peopled, empty = Found(), Found()
        for name, boxes in list(labels.items())[::every]:
            folder = photos if name.startswith("old/") else photos / "colour"
            (peopled if name.startswith("old/") else empty).add(_light(folder / name), boxes, find)
        for file in sorted((photos / "reference" / "kodak").glob("*.png"))[::every]:
            if file.stem not in PEOPLED_KODAK:
                empty.add(_light(file), [], find)
        yield from _told(who, peopled, empty)


def _finders() -> dict[str, Find]:
    found: dict[str, Find] = {"LBP cascade": by_cascade}
    return {"ours": faces.find, **found} if networks.has("faces") else found


def _told(who: str, peopled: Found, empty: Found) -> Iterator[Row]:
    ours = who == "ours"
    share = peopled.right / peopled.wanted
    note = f"{peopled.right} of {peopled.wanted} faces on {peopled.pictures} scans"
    yield Row(NAME, f"{who}: recall", share, "", note=note)
    large = peopled.right_large / peopled.wanted_large
    note = f"{peopled.right_large} of {peopled.wanted_large}"
    yield Row(NAME, f"{who}: recall from 3 % of the long side", large, "", note=note)
    note = f"{peopled.right} of {peopled.given} boxes"
    yield Row(NAME, f"{who}: precision", peopled.right / max(1, peopled.given), "", note=note)
    note = f"{empty.given} on {empty.pictures} pictures without faces"
    yield Row(NAME, f"{who}: false boxes a picture", empty.given / empty.pictures, "", note=note)
    speed = (peopled.seconds + empty.seconds) / (peopled.megapixels + empty.megapixels)
    yield Row(NAME, f"{who}: seconds", speed, "s/MP", MUST_SECONDS if ours else None, "low")


def _labels() -> dict[str, list[list[float]]]:
    found: dict[str, list[list[float]]] = json.loads(LABELS.read_text(encoding="utf-8"))
    return found


def _box(numbers: list[float]) -> Box:
    x, y, width, height = numbers
    return (x, y, width, height)


@lru_cache(maxsize=64)
def _light(file: Path) -> Image:
    return luma(pictures.load(file))


def by_cascade(light: Image) -> list[Box]:
    """What the engine did before it had a network."""
    small = np.clip(shrink(light, 720), 0, 1)
    height, width = small.shape
    seen = _cascade().detect_multi_scale(
        np.ascontiguousarray(np.rint(small * 255).astype(np.uint8)),
        scale_factor=1.2,
        step_ratio=1,
        min_size=(24, 24),
        max_size=(min(height, width), min(height, width)),
    )
    boxes = [
        faces.Face((b["c"] / width, b["r"] / height, b["width"] / width, b["height"] / height), 1)
        for b in seen
    ]
    return [face.box for face in faces.merged(boxes)]


@lru_cache(maxsize=1)
def _cascade() -> Cascade:
    return Cascade(lbp_frontal_face_cascade_filename())
