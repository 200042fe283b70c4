"""Which marks stand in a line as writing does: a photographer's number, a place, a date, a name.

White or black letters on an old plate are as thin and as sharp as scratches, and one by one nothing
tells them apart; a dusty plate takes them along. Letters have company: four and more of one height
side by side, on one line or below one.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Area = NDArray[np.bool_]
Labels = NDArray[np.int32]
Boxes = NDArray[np.intp]  # Nx4: first and past-last row, first and past-last column

SMALLEST, LOW, TALL = 6, 0.008, 0.06  # height of a letter: pixels at least, and of the long side
WIDE = 4.0  # times its height: letters may touch
EVEN = 0.6  # of the taller one's height that its neighbour has
BEFORE, BEHIND = -0.4, 1.3  # heights between a letter and the next: slanted ones, and a space
ON_LINE = 0.15  # of the height: how far tops or feet may differ
MANY = 4  # letters: three scratches may happen to stand so


def lettered(labels: Labels) -> Area:
    """By a mark's number, 0 for none: whether it is one of a line of writing, level or upright.
    labels: HxW, marks from 1 to N, whether they are believed or not."""
    places = ndimage.find_objects(labels)
    found = np.zeros(len(places) + 1, bool)
    boxes = np.array([[rows.start, rows.stop, columns.start, columns.stop]
                      for rows, columns in places], np.intp).reshape(-1, 4)  # fmt: skip
    for turned in (boxes, boxes[:, [2, 3, 0, 1]]):
        found[1:] |= _in_lines(turned, max(labels.shape))
    return found


def _in_lines(boxes: Boxes, long_side: int) -> Area:
    """N booleans."""
    found = np.zeros(len(boxes), bool)
    letters = np.flatnonzero(_could_be_letters(boxes, long_side))
    letters = letters[np.argsort(boxes[letters, 2], kind="stable")]
    following = _following(boxes[letters])
    for first in np.setdiff1d(np.arange(len(letters)), following):
        line = [first]
        while (after := following[line[-1]]) >= 0:
            line.append(after)
        if len(line) >= MANY:
            found[letters[line]] = True
    return found


def _could_be_letters(boxes: Boxes, long_side: int) -> Area:
    high, wide = boxes[:, 1] - boxes[:, 0], boxes[:, 3] - boxes[:, 2]
    least = max(SMALLEST, LOW * long_side)
    return (high >= least) & (high <= TALL * long_side) & (wide <= WIDE * high)


def _following(boxes: Boxes) -> NDArray[np.intp]:
    """Of each letter, in order from the left, the one that comes next on its line; -1: none."""
    found = np.full(len(boxes), -1, np.intp)
    lefts = boxes[:, 2]
    reach = (WIDE + BEHIND) * (boxes[:, 1] - boxes[:, 0]).max(initial=0)
    for number in range(len(boxes)):
        near = slice(number + 1, int(np.searchsorted(lefts, boxes[number, 3] + reach)))
        fits = np.flatnonzero(_comes_next(boxes[number], boxes[near]))
        if fits.size:
            found[number] = near.start + fits[0]
    return found


def _comes_next(one: Boxes, others: Boxes) -> Area:
    """Whether each of the others may stand behind that letter."""
    own, high = one[1] - one[0], others[:, 1] - others[:, 0]
    taller = np.maximum(own, high)
    gap = others[:, 2] - one[3]
    on_line = np.abs(others[:, :2] - one[:2]).min(axis=1) <= ON_LINE * taller
    even = np.minimum(own, high) > EVEN * taller
    return np.asarray(even & on_line & (gap >= BEFORE * taller) & (gap <= BEHIND * taller))
