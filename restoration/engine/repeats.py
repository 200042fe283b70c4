"""Whether a mark is one of many alike that nobody marked: a dot of a dress, a rivet, a pane.

Dust and dots can look the same one by one; what tells them apart is their company. A pattern goes
on beside the mark, and much of it the network left alone; a speck's likes are few, or are marked
as it is. So of each mark the surroundings are split half way between its luma and that of its rim,
and the blobs there that are about as large as its own are counted: docs/decisions/0018.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from restoration.engine.luma import Image

Area = NDArray[np.bool_]
Labels = NDArray[np.int32]
Numbers = NDArray[np.intp]
Place = tuple[slice, slice]

SMALLEST = 60  # pixels: fewer look like anything
RIM = 3  # pixels about a mark that it is held against
REACH, NEAREST, FARTHEST = 8, 24, 160  # how far its likes are sought: times its extent, and pixels;
# a longer mark would not have many so near, and is not asked
LARGER, LONGER = 2.0, 1.5  # a like blob has at most so many times its own's area and its extent
UNTOUCHED = 0.3  # of a blob that is covered by marks: less, and nobody marked it
UNMARKED, MANY = 5, 15  # from so many unmarked likes, and likes in all, it is one of a pattern
EIGHT = np.ones((3, 3), bool)


@dataclass(frozen=True)
class Likes:
    """How many blobs beside a mark are like it, and how many of those no mark covers."""

    unmarked: int = 0
    count: int = 0

    @property
    def a_pattern(self) -> bool:
        return self.unmarked >= UNMARKED and self.count >= MANY


def patterned(labels: Labels, light: Image, asked: Area) -> Area:
    """By a mark's number, 0 for none: whether it is one of a pattern. labels: marks from 1 to N;
    light: luma; both HxW. asked: by number too; others are not looked at: False."""
    found = np.zeros(len(asked), bool)
    sizes = np.bincount(labels.ravel(), minlength=len(asked))
    for name, place in enumerate(ndimage.find_objects(labels), 1):
        if asked[name] and sizes[name] > SMALLEST and _extent(place) <= FARTHEST:
            found[name] = likes(labels, light, name, place).a_pattern
    return found


def likes(labels: Labels, light: Image, name: int, place: Place) -> Likes:
    """Of the mark of that number, whose bounding box `place` is."""
    extent = _extent(place)
    window = _around(place, int(np.clip(REACH * extent, NEAREST, FARTHEST)), labels.shape)
    marks, tones = labels[window], light[window]
    mark = marks == name
    blobs = _split(tones, mark, marks == 0)
    touched = np.unique(blobs[mark])
    touched = touched[touched > 0]
    if not touched.size:
        return Likes()
    return _counted(blobs, touched, marks > 0)


def _split(tones: Image, mark: Area, free: Area) -> Labels:
    """The blobs on the mark's side of the luma half way to its rim; none where it has no rim."""
    rim = ndimage.binary_dilation(mark, EIGHT, iterations=RIM) & ~mark & free
    if not rim.any():
        return np.zeros(mark.shape, np.int32)
    inside, beside = float(np.median(tones[mark])), float(np.median(tones[rim]))
    half = (inside + beside) / 2
    blobs: Labels = ndimage.label(tones > half if inside > beside else tones < half, EIGHT)[0]
    return blobs


def _counted(blobs: Labels, touched: Numbers, marked: Area) -> Likes:
    """Blobs like the largest of those that the mark touches, those aside."""
    sizes = np.bincount(blobs.ravel())
    own = int(touched[sizes[touched].argmax()])
    near = _within(LARGER, sizes, sizes[own])
    near[0] = near[touched] = False
    names = np.flatnonzero(near)
    places = ndimage.find_objects(blobs)
    long = np.array([_extent(places[name - 1]) for name in names])
    names = names[_within(LONGER, long, _extent(places[own - 1]))]
    covered = np.bincount(blobs[marked], minlength=len(sizes))[names] / sizes[names]
    return Likes(int((covered < UNTOUCHED).sum()), len(names))


def _within(times: float, values: Numbers, middle: int) -> Area:
    return (values * times >= middle) & (values <= times * middle)


def _extent(place: Place) -> int:
    return max(int(side.stop - side.start) for side in place)


def _around(place: Place, reach: int, shape: tuple[int, ...]) -> Place:
    rows, columns = place
    return (
        slice(max(0, rows.start - reach), min(shape[0], rows.stop + reach)),
        slice(max(0, columns.start - reach), min(shape[1], columns.stop + reach)),
    )
