"""Faces, found by a small network of our own: a suggestion for the person at the bench.

The network (restoration.training.lessons.faces) says for each cell of 8 x 8 pixels how likely the
middle of a face is there, and how large it is. It is asked at three sizes of the picture and of its
mirror image, for faces of about 12 pixels up to the whole frame. Much looks like a face among all
places and sizes; so each guess is looked at once more by itself, at one size, by a second network
(restoration.training.lessons.face_check). What is then far smaller than a surer face and lies where
that one has its body is a button or a dot of a dress. Same picture, same boxes.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from restoration.engine import networks
from restoration.engine.image import resize
from restoration.engine.luma import Image

Box = tuple[float, float, float, float]

STRIDE = 8
SIDES = (1280, 640, 256)  # the long sides at which it is asked
MOST_ENLARGED = 2.0
MOST_PIXELS = 4_000_000  # at the largest size
PADDED = 32  # the network halves five times
LARGEST = 170.0  # pixels: what is larger is told by a smaller size of the picture
LEAST_AGAIN = 60.0  # pixels: what is smaller was told by the larger size of the picture
GUESSED = 0.15  # the first network's score from which the second is asked
CONTEXT = 12 / 7  # of a face's side: what the second network sees of its surroundings
LOOK = 48  # pixels: the size at which it sees them
CERTAIN = 0.9999  # a score is never more than that: its logit has an end
SURE = 0.65  # the score of both from which a face is suggested
SAME = 0.35  # overlap over union from which two boxes are one face
CHILD = 0.6  # of a face's side: the smallest that sits on its lap
# Where a body is, in widths and heights of its face from the middle of it: as far to either side,
# from here on downwards, as far down.
BODY_BESIDE, BODY_FROM, BODY_TO = 1.75, 0.5, 6.0


@dataclass(frozen=True)
class Face:
    """box: x, y, width, height; score in [0, 1]: how sure the network is."""

    box: Box
    score: float


def find(light: Image) -> list[Box]:
    """Boxes (x, y, width, height) as fractions of the picture, large first; luma HxW in [0, 1]."""
    return sorted((face.box for face in look(light)), key=lambda box: (-box[2] * box[3], box))


def look(light: Image, sure: float = SURE) -> list[Face]:
    """Faces from that score on, the surest first, boxes as fractions; luma HxW in [0, 1]."""
    seen = [Face(guess.box, _of_both(light, guess)) for guess in guessed(light)]
    found = merged([face for face in seen if face.score >= sure])
    return [face for face in found if not any(_on_body(face, of, light.shape) for of in found)]


def _on_body(face: Face, of: Face, shape: tuple[int, ...]) -> bool:
    """Whether it is too small for a face there, on the body of a surer and larger one."""
    high, wide = shape
    small, large = (max(box[2] * wide, box[3] * high) for box in (face.box, of.box))
    if of.score <= face.score or small >= CHILD * large:
        return False
    x, y, across, down = of.box
    beside = abs(face.box[0] + face.box[2] / 2 - x - across / 2) / across
    below = (face.box[1] + face.box[3] / 2 - y - down / 2) / down
    return beside < BODY_BESIDE and BODY_FROM < below < BODY_TO


def _of_both(light: Image, guess: Face) -> float:
    """The score of a place that both networks looked at: their logits' mean, squeezed."""
    pixels = levelled(window(light, guess.box))
    views = (pixels, np.ascontiguousarray(pixels[:, ::-1]))
    again = np.mean([networks.at_once("face-check", view) for view in views])
    told = min(guess.score, CERTAIN)
    first = np.log(told / (1 - told))
    return round(1 / (1 + float(np.exp(-(first + again) / 2))), 4)


def window(light: Image, box: Box) -> Image:
    """Luma LOOKxLOOK: the box (in fractions) and what is around it; beyond the picture its edge
    goes on."""
    high, wide = light.shape
    x, y, across, down = box[0] * wide, box[1] * high, box[2] * wide, box[3] * high
    side = CONTEXT * max(across, down)
    count = max(2, round(side))
    rows = np.arange(count) + round(y + (down - side) / 2)
    columns = np.arange(count) + round(x + (across - side) / 2)
    cut = light[np.ix_(np.clip(rows, 0, high - 1), np.clip(columns, 0, wide - 1))]
    return resize(cut, LOOK, LOOK, "linear")


def levelled(pixels: Image) -> Image:
    """Luma HxW with one mean (0.5) and one contrast, whatever the light was; not clipped."""
    found: Image = 0.5 + 0.2 * (pixels - pixels.mean()) / (pixels.std() + np.float32(0.03))
    return found.astype(np.float32)


def guessed(light: Image, sure: float = GUESSED) -> list[Face]:
    """What the first network takes for faces, the surest first; luma HxW in [0, 1]."""
    found: list[Face] = []
    sizes = _sizes(*light.shape)
    for high, wide in sizes:
        small = stretched(resize(light, high, wide))
        least = 0.0 if (high, wide) == sizes[0] else LEAST_AGAIN
        most = np.inf if (high, wide) == sizes[-1] else LARGEST
        for face in decoded(_asked(small), sure):
            x, y, across, down = face.box
            if least <= max(across, down) <= most:
                box = (x / wide, y / high, across / wide, down / high)
                found.append(Face(_inside(box), round(face.score, 4)))
    return merged(found)


def _sizes(high: int, wide: int) -> list[tuple[int, int]]:
    """The picture's sizes to look at, without those that would enlarge it much or twice alike; a
    long picture is looked at as the squares it is made of, as far as MOST_PIXELS go."""
    bound = (MOST_PIXELS / (high * wide)) ** 0.5 * max(high, wide)
    longest = max(high, wide) / max(
        1.0, min(max(high, wide) / min(high, wide) / 2, bound / SIDES[0])
    )
    scales = sorted({min(side / longest, MOST_ENLARGED) for side in SIDES}, reverse=True)
    return [(max(1, round(high * scale)), max(1, round(wide * scale))) for scale in scales]


def stretched(light: Image) -> Image:
    """The picture's own black and white brought to 0.02 and 0.98: a faded print is one too."""
    low, high = np.quantile(light, (0.01, 0.99))
    found: Image = 0.02 + (light - low) * np.float32(0.96 / max(float(high - low), 0.05))
    return np.clip(found, 0, 1).astype(np.float32)


def _asked(light: Image) -> NDArray[np.float32]:
    """The network's answer, h x w x 5, the mean of the picture's and its mirror image's.

    The picture is continued by its edge to whole cells.
    """
    rest = [(0, -side % PADDED) for side in light.shape]
    padded = np.pad(light, rest, mode="edge")
    answer = networks.at_once("faces", padded)
    mirrored = networks.at_once("faces", np.ascontiguousarray(padded[:, ::-1]))[:, ::-1].copy()
    mirrored[..., 1] = 1 - mirrored[..., 1]  # the place across the cell
    return (answer + mirrored) / np.float32(2)


def decoded(answer: NDArray[np.float32], sure: float) -> list[Face]:
    """Faces in pixels out of an answer h x w x 5: logit, place in the cell, logarithm of cells."""
    top = answer[..., 0] == ndimage.maximum_filter(answer[..., 0], 3)
    rows, columns = np.nonzero(top & (answer[..., 0] >= np.log(sure / (1 - sure))))
    faces = []
    for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
        logit, right, down, wide, high = (float(each) for each in answer[row, column])
        wide, high = STRIDE * float(np.exp(min(wide, 5.0))), STRIDE * float(np.exp(min(high, 5.0)))
        x, y = STRIDE * (column + right) - wide / 2, STRIDE * (row + down) - high / 2
        faces.append(Face((x, y, wide, high), 1 / (1 + float(np.exp(-logit)))))
    return merged(faces)


def merged(faces: list[Face]) -> list[Face]:
    """The surest first, without those that are the same face as a surer one."""
    kept: list[Face] = []
    for face in sorted(faces, key=lambda face: (-face.score, face.box)):
        if all(_is_other(face.box, other.box) for other in kept):
            kept.append(face)
    return kept


def _is_other(box: Box, other: Box) -> bool:
    """Neither much alike, nor one largely within the other."""
    return overlap(box, other) < SAME and within(box, other) < 0.7


def _shared(box: Box, other: Box) -> float:
    wide = min(box[0] + box[2], other[0] + other[2]) - max(box[0], other[0])
    high = min(box[1] + box[3], other[1] + other[3]) - max(box[1], other[1])
    return max(0.0, wide) * max(0.0, high)


def within(box: Box, other: Box) -> float:
    """Shared area over the area of the smaller; one that lies beside the picture has none."""
    smaller = min(box[2] * box[3], other[2] * other[3])
    return _shared(box, other) / smaller if smaller > 0 else 1.0


def overlap(box: Box, other: Box) -> float:
    """Shared area over the area of both together."""
    shared = _shared(box, other)
    return shared / (box[2] * box[3] + other[2] * other[3] - shared)


def met(found: list[Box], wanted: list[Box], least: float) -> int:
    """How many of the wanted boxes were found, each box counting once, the first ones first."""
    left = list(wanted)
    count = 0
    for box in found:
        best = max(left, key=lambda other: overlap(box, other), default=None)
        if best is not None and overlap(box, best) >= least:
            left.remove(best)
            count += 1
    return count


def _inside(box: Box) -> Box:
    """The part of the box that is on the picture, rounded so that it can be written and read."""
    left, top = max(0.0, box[0]), max(0.0, box[1])
    right, low = min(1.0, box[0] + box[2]), min(1.0, box[1] + box[3])
    return (round(left, 5), round(top, 5), round(right - left, 5), round(low - top, 5))
