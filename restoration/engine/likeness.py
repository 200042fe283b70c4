"""Whether a face still looks like the same person: a flag for a person's eye, never a verdict.

An optional extra (`likeness`): dlib's face embedding (D. King 2017; ResNet of 29 layers, 128
numbers). The five landmarks are taken from the original and used for both pictures, so that a face
which was moved does not pull its own landmarks along. Only brightness is looked at: colour that was
added says nothing about who somebody is. Where the extra is not installed it says so.
"""

import logging
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from restoration.engine.image import resize
from restoration.engine.luma import Image

logger = logging.getLogger(__name__)

Box = tuple[float, float, float, float]  # x, y, width, height in fractions

LANDMARKS = "shape_predictor_5_face_landmarks.dat"
EMBEDDING = "dlib_face_recognition_resnet_model_v1.dat"
SMALLEST = 40.0  # pixels from the eyes to the chin; below it an embedding means nothing
EYES_TO_CHIN = 0.75  # of a box's height
LOOK = 0.5  # distance from which somebody should look: tests/benchmarks/engine/likeness.py
CHIP = 150  # pixels of the square that the network was taught on
AROUND = 0.25  # of the face, around it on that square
WIDEST = 400  # pixels of a face's box; larger ones are reduced first, to be quick


@dataclass(frozen=True)
class Likeness:
    """said: "alike", "look" or "too-small"; distance: of the embeddings, None if not measured."""

    said: str
    distance: float | None = None

    def to_json(self) -> dict[str, Any]:
        return {"said": self.said, "distance": self.distance}


def is_installed() -> bool:
    """Whether the extra is there; nothing is loaded."""
    return find_spec("dlib") is not None and _folder() is not None


def told(before: Image, after: Image, boxes: list[Box]) -> dict[str, Any]:
    """What the guard keeps: {"state": "measured" | "absent" | "broken" | "no-faces", "faces": one a
    box}. A hint that fails says so and fails nothing else.

    before, after: luma HxW in [0, 1], registered, of one size; boxes in fractions.
    """
    if not boxes:
        return {"state": "no-faces", "faces": []}
    if not is_installed():
        return {"state": "absent", "faces": []}
    try:
        found = [compare(before, after, box).to_json() for box in boxes]
    except (ImportError, RuntimeError, OSError):  # dlib's own, or its weights', that do not load
        logger.exception("the likeness of faces could not be measured")
        return {"state": "broken", "faces": []}
    return {"state": "measured", "faces": found}


def compare(before: Image, after: Image, box: Box) -> Likeness:
    """One face of the original against the same place of the restoration."""
    if EYES_TO_CHIN * box[3] * before.shape[0] < SMALLEST:
        return Likeness("too-small")
    first, second, place = _around(before, after, box)
    landmarks = _landmarks(first, place)
    apart = np.linalg.norm(_embedded(first, landmarks) - _embedded(second, landmarks))
    distance = round(float(apart), 3)
    return Likeness("look" if distance > LOOK else "alike", distance)


def _around(before: Image, after: Image, box: Box) -> tuple[Any, Any, list[int]]:
    """Both cut out around the box, as uint8 RGB of equal tones, and the box in that cut."""
    high, wide = before.shape
    x, y, across, down = box[0] * wide, box[1] * high, box[2] * wide, box[3] * high
    room = 0.6 * max(across, down)
    left, top = max(0, int(x - room)), max(0, int(y - room))
    right, low = min(wide, int(x + across + room)), min(high, int(y + down + room))
    scale = min(1.0, WIDEST / max(across, down))
    size = max(1, round((low - top) * scale)), max(1, round((right - left) * scale))
    cut = (_levels(resize(light[top:low, left:right], *size)) for light in (before, after))
    place = [(x - left) * scale, (y - top) * scale]
    place += [place[0] + across * scale, place[1] + down * scale]
    return next(cut), next(cut), [round(each) for each in place]


def _levels(light: Image) -> NDArray[np.uint8]:
    """Black and white of the cut brought to 0 and 255: a faded face is the same face."""
    low, high = np.quantile(light, (0.01, 0.99))
    grey = np.clip((light - low) / max(float(high - low), 0.05), 0, 1)
    found: NDArray[np.uint8] = np.repeat(np.rint(255 * grey)[..., None], 3, axis=2).astype(np.uint8)
    return found


def _landmarks(levels: NDArray[np.uint8], place: list[int]) -> Any:
    import dlib

    return _networks()[0](levels, dlib.rectangle(*place))


def _embedded(levels: NDArray[np.uint8], landmarks: Any) -> NDArray[np.float64]:
    import dlib

    chip = dlib.get_face_chip(levels, landmarks, CHIP, AROUND)
    return np.array(_networks()[1].compute_face_descriptor(chip))


@lru_cache(maxsize=1)
def _networks() -> tuple[Any, Any]:
    """The landmark finder and the embedding, loaded once."""
    import dlib

    folder = _folder()
    if folder is None:
        raise ImportError("the likeness extra is not installed")
    return (
        dlib.shape_predictor(str(folder / LANDMARKS)),
        dlib.face_recognition_model_v1(str(folder / EMBEDDING)),
    )


def _folder() -> Path | None:
    """Where the weights are; the package that brings them is found, not imported."""
    spec = find_spec("face_recognition_models")
    for place in (spec.submodule_search_locations or []) if spec else []:
        if (Path(place) / "models" / EMBEDDING).is_file():
            return Path(place) / "models"
    return None
