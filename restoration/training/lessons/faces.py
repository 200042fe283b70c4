"""Finds faces: how likely the middle of one is at each place, and how large it is there.

One answer a cell of 8 x 8 pixels, no anchors (Objects as Points, X. Zhou 2019; CenterFace, Y. Xu
2019). The pictures are aged as they are cut: other emulsions, a soft lens, fading, grain.
"""

from collections.abc import Callable, Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor, nn
from torch.nn import functional

from restoration.engine.faces import STRIDE, decoded, met
from restoration.training import degrade, faces
from restoration.training.ageing import age
from restoration.training.lesson import Batch, Lesson, Random
from restoration.training.networks import Block, Normed, folded, plain, unfolded
from restoration.training.pictures import Shelf

SIDE, EXAMPLES = 160, 8
CELLS = SIDE // STRIDE
AGED = 0.06  # share that gets all the damages; the others get the cheap faults alone
GREY = np.array([0.299, 0.587, 0.114], np.float32)
SPREAD = 0.16  # of a face's size: the deviation of its hill on the map
HEAT, SIZES, HILL, COUNTED = 0, slice(1, 5), 5, 6  # planes of the target
SURE = 0.35  # the score from which the card counts a face as found

Plane = NDArray[np.float32]


def lesson() -> Lesson:
    return Lesson(
        name="faces",
        title="Finds faces: likelihood, place in the cell and size (logarithms of cells) per cell",
        build=lambda: Finder(Normed),
        batch=batch,
        loss=loss,
        figures=figures,
        inputs={"picture": (1, 1)},
        bits=8,
        rate=2e-3,
        adopt=lambda weights: unfolded(weights, Finder(Normed)),
        finish=lambda taught: folded(taught, Finder()),
        shelf=faces.shelf,
        notes=NOTES,
    )


NOTES = (
    "## What it is not\n\nIt finds faces; it does not know whose they are. It was taught on few "
    "people, most of them adults who look at the camera: expect it to miss profiles, covered, "
    "very small and heavily damaged faces, and to take a pattern for a face now and then. A person "
    "looks at its boxes on the bench.",
    "## Labels\n\n`restoration/training/faces.json`: proposals of dlib's two detectors (Boost "
    "Software License; weights of the CNN one CC0), looked through and corrected by hand, and of "
    "MTCNN (weights of facenet-pytorch, MIT) and YuNet (as in libfacedetection, BSD 3-Clause), "
    "looked through; doubtful ones are marked. A third of the old scans was set aside by the "
    "digest of its name and is never learnt from; the boxes there are in "
    "`tests/benchmarks/engine/faces.json`.",
)


class Finder(nn.Module):
    """picture Bx1xHxW, sides multiples of 32; Bx5xH/8xW/8: logit, place, logarithm of the size."""

    def __init__(self, convolution: Callable[[int, int], nn.Module] = plain) -> None:
        super().__init__()

        def blocks(width: int, count: int) -> nn.Sequential:
            return nn.Sequential(*[Block(width, convolution) for _ in range(count)])

        self.enter = convolution(16, 32)
        self.fine = blocks(32, 1)
        self.down_middle = nn.Conv2d(32, 48, 2, stride=2)
        self.middle = blocks(48, 2)
        self.down_coarse = nn.Conv2d(48, 80, 2, stride=2)
        self.coarse = blocks(80, 3)
        self.down_whole = nn.Conv2d(80, 80, 2, stride=2)
        self.whole = blocks(80, 1)
        self.up_coarse = nn.ConvTranspose2d(80, 80, 2, stride=2)
        self.up_middle = nn.ConvTranspose2d(80, 48, 2, stride=2)
        self.gather = blocks(48, 1)
        self.head = convolution(48, 48)
        self.leave = nn.Conv2d(48, 5, 1)
        nn.init.zeros_(self.leave.weight)
        self.leave.bias = nn.Parameter(torch.tensor([-4.0, 0.5, 0.5, 1.5, 1.5]))

    def forward(self, picture: Tensor) -> Tensor:
        fine = self.fine(functional.relu(self.enter(functional.pixel_unshuffle(picture - 0.5, 4))))
        middle = self.middle(self.down_middle(fine))
        coarse = self.coarse(self.down_coarse(middle))
        whole = self.whole(self.down_whole(coarse))
        coarse = coarse + self.up_coarse(whole)
        middle = self.gather(middle + self.up_middle(functional.relu(coarse)))
        found: Tensor = self.leave(functional.relu(self.head(functional.relu(middle))))
        return found


def batch(shelf: Shelf, rng: Random) -> Batch:
    """Grey cuts, and per cell: the hills, place and size, where these count, where all counts."""
    shelf = _labelled(shelf)
    given = np.empty((EXAMPLES, 1, SIDE, SIDE), np.float32)
    wanted = np.empty((EXAMPLES, 7, CELLS, CELLS), np.float32)
    for number in range(EXAMPLES):
        cut = _drawn(rng, shelf)
        given[number, 0] = spoilt(rng, cut.pixels)
        wanted[number] = target(cut)
    return torch.from_numpy(given), torch.from_numpy(wanted)


def _labelled(shelf: Shelf) -> faces.FaceShelf:
    if not isinstance(shelf, faces.FaceShelf):
        raise TypeError("faces are learnt from labelled pictures")
    return shelf


def _drawn(rng: Random, shelf: faces.FaceShelf) -> faces.Cut:
    kind = rng.random()
    if not shelf.peopled or (kind > 0.72 and shelf.empty):
        return faces.without(rng, shelf, SIDE)
    if kind < 0.14 and shelf.empty:
        return faces.crowd(rng, shelf, SIDE)
    return faces.with_faces(rng, shelf, SIDE)


def spoilt(rng: Random, pixels: Plane) -> Plane:
    """float32 SxS: what is left of it as an old grey print, its tones stretched or not."""
    if rng.random() < AGED:
        aged, _mask = age(pixels, seed=int(rng.integers(2**31)), severity=rng.uniform(0.1, 0.9))
        light = aged @ GREY
    else:
        weights = rng.dirichlet([2.0, 4.0, 2.0]).astype(np.float32)
        light = np.power(np.clip(pixels @ weights, 0, 1), np.float32(rng.uniform(0.5, 1.8)))
    if rng.random() < 0.35:
        light = ndimage.gaussian_filter(light, rng.uniform(0.4, 1.6))
    if rng.random() < 0.6:
        body = float(rng.choice([0.0, 0.5, 0.9]))
        noise = degrade.grain(rng, (*light.shape, 1), body)[..., 0]
        light = light + noise * np.float32(rng.uniform(0.005, 0.07))
    if rng.random() < 0.3:
        light = degrade.compressed(light[..., None], int(rng.integers(25, 90)))[..., 0]
    low, high = rng.uniform(-0.1, 0.3), rng.uniform(0.6, 1.1)
    found: Plane = np.clip(low + (high - low) * light, 0, 1).astype(np.float32)
    return found


def target(cut: faces.Cut) -> Plane:
    """float32 7xCxC."""
    found = np.zeros((7, CELLS, CELLS), np.float32)
    found[COUNTED] = 1
    rows, columns = np.mgrid[:CELLS, :CELLS]
    for x, y, wide, high in cut.unsure / STRIDE:
        found[COUNTED, max(0, int(y)) : int(y + high) + 1, max(0, int(x)) : int(x + wide) + 1] = 0
    for x, y, wide, high in cut.boxes / STRIDE:
        middle = np.array([x + wide / 2, y + high / 2])
        spread = max(0.4, SPREAD * max(wide, high))
        away = np.square(columns + 0.5 - middle[0]) + np.square(rows + 0.5 - middle[1])
        hill = np.exp(-away / (2 * spread**2)).astype(np.float32)
        cell = int(middle[1]), int(middle[0])
        hill[cell] = 1
        mine = (hill > 0.45) & (hill > found[HEAT])
        found[HEAT] = np.maximum(found[HEAT], hill)
        found[1][mine] = (middle[0] - columns)[mine]
        found[2][mine] = (middle[1] - rows)[mine]
        found[3][mine], found[4][mine] = np.log(wide), np.log(high)
        found[HILL][mine] = hill[mine]
        found[COUNTED, cell[0], cell[1]] = 1
    return found


def loss(answer: Tensor, wanted: Tensor, progress: float) -> Tensor:
    """Focal loss on the hills (H. Law 2018), absolute error of place and size on their tops."""
    heat, counted = wanted[:, HEAT], wanted[:, COUNTED]
    logit = answer[:, HEAT]
    yes, no = functional.logsigmoid(logit), functional.logsigmoid(-logit)
    is_top = (heat == 1).float()
    seen = is_top * no.exp().square() * yes
    unseen = (1 - is_top) * (1 - heat).pow(4) * yes.exp().square() * no * counted
    count = is_top.sum().clamp(min=4)
    error = (answer[:, SIZES] - wanted[:, SIZES]).abs().sum(dim=1) * wanted[:, HILL]
    return -(seen + unseen).sum() / count + 0.5 * error.sum() / wanted[:, HILL].sum().clamp(min=4)


@torch.inference_mode()
def figures(network: nn.Module, shelf: Shelf) -> Mapping[str, float]:
    """Recall and precision at an overlap of 0.4 on the pictures set aside, not aged."""
    shelf = _labelled(shelf)
    found = right = wanted = 0
    for picture, boxes in zip(shelf.kept, shelf.kept_boxes, strict=True):
        high, wide = (side // 32 * 32 for side in picture.shape[:2])
        light = (picture[:high, :wide].astype(np.float32) / 255) @ GREY
        answer = network(torch.from_numpy(light[None, None]))[0].permute(1, 2, 0).numpy()
        seen = decoded(answer, SURE)
        right += met([each.box for each in seen], [tuple(each) for each in boxes], 0.4)
        found, wanted = found + len(seen), wanted + len(boxes)
    return {
        "faces": wanted,
        "recall": round(right / max(1, wanted), 3),
        "precision": round(right / max(1, found), 3),
    }
