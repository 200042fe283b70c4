"""The damage mask: dust, hairs, scratches, creases and tears at full resolution, and stains."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor, nn
from torch.nn import functional

from restoration.engine import networks
from restoration.engine.damage import NETWORK, PLANES
from restoration.engine.image import resize
from restoration.engine.luma import WEIGHTS
from restoration.training import ageing, emulsion, folds, layers, lookalikes, marks, pictures, sound
from restoration.training.degrade import compressed
from restoration.training.layers import Image, Plane, Sheet, Truth
from restoration.training.lesson import Batch, Lesson, Random
from restoration.training.networks import Network, Shape, by_pixels
from restoration.training.pictures import Shelf

SIDE, EXAMPLES = 256, 3
FRESH, POOL = 0.5, 1200  # share of new examples, and how many old ones wait to be seen again
WIDTHS, BLOCKS, DEEP, DEEPEST = (24, 48, 96), (1, 1, 6), 3, (160, 3)
CONTRAST = 4.0  # the picture about zero and of deviation one: learnt faster
SMALLEST, LARGEST = 640, 2600  # long side of the pictures that the windows are cut from
DOUBLED = (
    0.45  # share of examples from smaller pictures, which are doubled before they are searched
)
SOUND = 0.2  # share of examples without damage
SCANNED, SPARED = 0.25, 0.3  # share of examples from sound old scans; of those left as they are
NEGATIVE = 0.35  # share of the damage that lies on the negative: dark where else it is bright
FLAKED = 0.35  # share of the damaged examples on which emulsion came off besides
DECORATED, FRAMED = 0.4, 0.04
LONE = 0.06  # share of examples with hardly a mark, on a calm ground
SPOTTED = 0.12  # share of examples with a few spots and nothing else
SPOTS = 0.2  # share of the damaged examples that have spots besides
TONED = 0.85  # share of the damaged scans whose marks have the tint of the print beneath them
OF_PLANES = torch.tensor([1.0, 0.1, 0.1, 0.15])[:, None, None]  # of each plane in the loss
OF_ENTROPY, OF_DICE = 8.0, 0.5
AROUND = 7  # pixels: what a mark must stand out of
FAINT, RIM = 0.4, 0.3  # how much a mark that nobody can see, and the pixel beside one, count
EIGHT = np.ones((3, 3), bool)
EXAMINED = {"kept": 0.3, "aged": 0.8}  # severity

NOTES = (
    "## What it answers\n\n"
    "`answer` has four planes of probability: `damage` (dust, hairs, scratches, creases, tears, "
    "flaked emulsion: what hides the picture and is to be filled), `line` (scratches, hairs, "
    "creases) and `missing` (tears, flakes) tell its kinds apart, `stain` (tide lines, foxing, "
    "spilt colour: what tints a picture that is still there, and is not to be filled).",
    "## What it is not\n\n"
    "It was taught on clean photographs that were damaged on purpose; real damage is more various. "
    "It takes fine bright or dark details for dust now and then, and misses faint or very wide "
    "damage. Whatever it finds, a person sees it as a veil on the bench and may brush it away.",
)


class Finder(nn.Module):
    """The network and its probabilities."""

    def __init__(self) -> None:
        super().__init__()
        shape = Shape(3, 0, len(PLANES), WIDTHS, BLOCKS, residual=False, deep=DEEP, deepest=DEEPEST)
        self.network = Network(shape)
        nn.init.constant_(self.network.get_parameter("leave.bias"), -3.0)  # damage is rare

    def forward(self, picture: Tensor) -> Tensor:
        found: Tensor = self.network((picture - 0.5) * CONTRAST)
        return found if self.training else torch.sigmoid(found)


@dataclass(frozen=True)
class DamageShelf(Shelf):
    """Clean pictures, and stamps of real dirt: those that teach and those set aside."""

    stamps: marks.Stamps
    stamps_kept: marks.Stamps
    scans: tuple[sound.Scan, ...] = ()
    alarmed: tuple[tuple[pictures.Picture, NDArray[np.int32]], ...] = ()

    def crop(self, rng: Random, side: int) -> Image:
        """As of any shelf; often where the network in the package raises a false alarm."""
        if not self.alarmed or rng.random() >= sound.AT_ALARMS:
            return super().crop(rng, side)
        picture, alarms = self.alarmed[rng.integers(len(self.alarmed))]
        top, left = sound.corner_at(alarms, rng, side, picture.shape[:2])
        return pictures.turned(picture[top : top + side, left : left + side], rng)


def shelf(folders: Sequence[Path], *, seed: int, leaves: int) -> DamageShelf:
    """As pictures.shelf; folders that hold stamps (see marks.KINDS) give stamps, not pictures."""
    dirt = [folder for folder in folders if marks.holds_stamps(folder)]
    clean = [folder for folder in folders if folder not in dirt]
    plain = pictures.shelf(clean, seed=seed, leaves=leaves, least=SIDE)
    return DamageShelf(
        plain.pictures,
        plain.kept,
        plain.sources + marks.sources(*dirt),
        stamps=marks.stamps(*dirt),
        stamps_kept=marks.stamps(*dirt, kept=True),
    )


def with_scans(shelf: Shelf, folders: Sequence[Path]) -> Shelf:
    """The shelf, scans of sound old photographs beside it, and the false alarms on both."""
    if not isinstance(shelf, DamageShelf):
        raise TypeError("scans go onto a shelf of this lesson")
    told = pictures.sources(pictures.files_in(folders))
    return replace(
        shelf,
        scans=sound.scans(folders, SIDE),
        alarmed=sound.alarmed(shelf.pictures),
        sources=shelf.sources + told,
    )


def deepened(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """A shallower network's weights as this one's: a block that is new changes nothing yet."""
    fresh = Finder().state_dict()
    for name in fresh.keys() - weights.keys():
        if ".second." in name or ".up." in name:
            fresh[name].zero_()
    return fresh | weights


def lesson() -> Lesson:
    return Lesson(
        name="damage",
        title="Finds dust, hairs, scratches, creases, tears and stains",
        build=_finder,
        batch=_Pool().batch,
        loss=loss,
        figures=_figures,
        inputs={"picture": (3, 1)},
        rate=1.5e-3,
        shelf=shelf,
        sound=with_scans,
        adopt=deepened,
        bits=8,
        notes=NOTES,
    )


def _finder() -> nn.Module:
    return by_pixels(Finder())


def _stamps(shelf: Shelf, *, kept: bool = False) -> marks.Stamps:
    """None at all on a plain shelf: then all damage is drawn."""
    if not isinstance(shelf, DamageShelf):
        return marks.Stamps(())
    return shelf.stamps_kept if kept else shelf.stamps


class _Pool:
    """Examples that were made before, to be seen again turned: making one costs half as much as
    learning from it."""

    def __init__(self) -> None:
        self.held: list[tuple[NDArray[np.uint8], NDArray[np.uint8]]] = []

    def batch(self, shelf: Shelf, rng: Random) -> Batch:
        old = 0 if len(self.held) < POOL // 4 else int((rng.random(EXAMPLES) >= FRESH).sum())
        drawn = [self._made(shelf, rng) for _ in range(EXAMPLES - old)]
        drawn += [self.held[each] for each in rng.integers(len(self.held), size=old)]
        turned = [_turned(image, truth, rng) for image, truth in drawn]
        seen = np.stack([image for image, _ in turned]).astype(np.float32) / np.float32(255)
        true = np.stack([truth for _, truth in turned]).astype(np.float32)
        true[..., -1] /= 255
        return _tensor(seen), _tensor(true)

    def _made(self, shelf: Shelf, rng: Random) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        image, truth, counts = _drawn(shelf, rng)
        levels = (np.clip(image, 0, 1) * 255 + 0.5).astype(np.uint8)
        counted = (counts * 255 + 0.5).astype(np.uint8)
        told = np.concatenate([truth.astype(np.uint8), counted[..., None]], axis=2)
        if len(self.held) < POOL:
            self.held.append((levels, told))
        else:
            self.held[rng.integers(POOL)] = (levels, told)
        return levels, told


def _drawn(shelf: Shelf, rng: Random) -> tuple[Image, Truth, Plane]:
    if isinstance(shelf, DamageShelf) and shelf.scans and rng.random() < SCANNED:
        return on_scan(shelf.scans[rng.integers(len(shelf.scans))], rng, shelf.stamps)
    return example(shelf.crop(rng, SIDE), rng, _stamps(shelf))


def on_scan(scan: sound.Scan, rng: Random, stamps: marks.Stamps) -> tuple[Image, Truth, Plane]:
    """As `example`: a window of a real old photograph, as it is or damaged on purpose."""
    smaller = 2 if scan.doubled else 1
    seen, known = scan.window(rng, SIDE // smaller)
    image, truth = seen, layers.untouched(seen.shape)
    if rng.random() < SPOTTED:
        image = marks.spotted(seen, truth, rng)
    elif rng.random() >= SPARED:
        image, truth = _damaged(seen, rng, _sheet(rng, len(seen), smaller), stamps)
    if rng.random() < TONED:
        image = layers.toned(image, seen)
    marked = truth[..., PLANES.index("damage")]
    counts = np.where(marked, 1, known) * _counts(seen, image, truth)
    image = np.clip(image, 0, 1)
    return _doubled(image, truth, counts) if scan.doubled else (image, truth, counts)


def _turned(
    image: NDArray[np.uint8], truth: NDArray[np.uint8], rng: Random
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    quarters, mirrored = int(rng.integers(4)), rng.random() < 0.5
    image, truth = np.rot90(image, quarters), np.rot90(truth, quarters)
    return (image[:, ::-1], truth[:, ::-1]) if mirrored else (image, truth)


def example(crop: Image, rng: Random, stamps: marks.Stamps) -> tuple[Image, Truth, Plane]:
    """A window of an old photograph, the truth about it, and how much each pixel counts: HxWx3 in
    [0, 1], HxWx4, HxW in [0, 1]."""
    if rng.random() < DOUBLED:
        high, wide = crop.shape[0] // 2, crop.shape[1] // 2
        half = crop.reshape(high, 2, wide, 2, 3).mean(axis=(1, 3), dtype=np.float32)
        return _doubled(*_example(half, rng, stamps, smaller=2))
    return _example(crop, rng, stamps)


def _doubled(image: Image, truth: Truth, counts: Plane) -> tuple[Image, Truth, Plane]:
    """As `restoration.engine.damage` doubles a small picture before it searches it."""
    high, wide = counts.shape
    twice = np.clip(resize(image, 2 * high, 2 * wide), 0, 1)
    return twice, _twice(truth), _twice(counts)


def _twice(plane: NDArray[Any]) -> NDArray[Any]:
    return plane.repeat(2, axis=0).repeat(2, axis=1)


def _example(
    crop: Image, rng: Random, stamps: marks.Stamps, smaller: int = 1
) -> tuple[Image, Truth, Plane]:
    sheet = _sheet(rng, crop.shape[0], smaller)
    if rng.random() < LONE:
        sound = _calm(crop, rng)
        image, truth = marks.lone(sound, rng)
    else:
        sound = _aged(crop, rng, sheet)
        image, truth = sound, layers.untouched(crop.shape)
        if rng.random() < SPOTTED:
            image = marks.spotted(sound, truth, rng)
        elif rng.random() >= SOUND:
            image, truth = _damaged(sound, rng, sheet, stamps)
    counts = _counts(sound, image, truth)
    image = _scanned(image, rng, sheet)
    if rng.random() < FRAMED:
        image, truth = lookalikes.framed(image, truth, rng)
        counts = np.ones_like(counts)
    return image, truth, counts


def _damaged(sound: Image, rng: Random, sheet: Sheet, stamps: marks.Stamps) -> tuple[Image, Truth]:
    negative = rng.random() < NEGATIVE
    ground = 1 - np.clip(sound, 0, 1) if negative else sound
    image, truth = ageing.damaged(ground, rng, sheet, stamps)
    if rng.random() < FLAKED:
        image = folds.flaked(image, truth, rng, sheet)
    if rng.random() < SPOTS:
        image = marks.spotted(image, truth, rng)
    return (1 - image if negative else image), truth


def _counts(sound: Image, image: Image, truth: Truth) -> Plane:
    """Little where no one could tell: on marks lost in grain and leaves, and at a mark's rim."""
    light = sound @ WEIGHTS
    mean = ndimage.uniform_filter(light, AROUND)
    spread = np.sqrt(np.maximum(ndimage.uniform_filter(light * light, AROUND) - mean**2, 0))
    marked = truth[..., PLANES.index("damage")]
    faint = marked & (np.abs(image @ WEIGHTS - light) < spread + 2 / 255)
    rim = ndimage.binary_dilation(marked, EIGHT) & ~marked
    return np.where(faint, FAINT, np.where(rim, RIM, 1)).astype(np.float32)


def _sheet(rng: Random, side: int, smaller: int) -> Sheet:
    """A window of a picture of any size; a third of them at an edge of it."""
    long = round(float(np.exp(rng.uniform(np.log(SMALLEST), np.log(LARGEST / smaller)))) / smaller)
    whole = (long, max(side, round(long * rng.uniform(0.6, 1))))
    room = (whole[0] - side, whole[1] - side)
    corner = [int(rng.integers(most + 1)) for most in room]
    if rng.random() < 0.35:
        axis = int(rng.integers(2))
        corner[axis] = int(rng.choice([0, room[axis]]))
    if rng.random() < 0.15:
        corner = [int(rng.choice([0, most])) for most in room]
    density = float(np.exp(rng.uniform(np.log(0.5), np.log(2.5))))
    severity = float(rng.uniform(0.1, 1))
    return Sheet((side, side), whole, (corner[0], corner[1]), severity, density)


def _aged(crop: Image, rng: Random, sheet: Sheet) -> Image:
    """Old in all ways, or clean, or clean with noise of any strength. Lookalikes only where a lens
    and grain lie on them and on no dust: on a sharp picture nothing tells the two apart."""
    kind = rng.random()
    if kind < 0.5:
        if rng.random() < DECORATED:
            crop = lookalikes.decorated(crop, rng)
        return emulsion.worn(crop, rng, sheet, colour=rng.random() < 0.2)
    if kind < 0.85:
        return crop
    noise = rng.standard_normal(crop.shape[:2], dtype=np.float32)[..., None]
    return crop + noise * np.float32(rng.uniform(0.005, 0.1))


def _calm(crop: Image, rng: Random) -> Image:
    """Out of focus, as the ground behind a sitter is."""
    blur = rng.uniform(1, 12)
    found: Image = ndimage.gaussian_filter(crop, (blur, blur, 0))
    return found


def _grey(image: Image) -> Image:
    return np.repeat((image @ WEIGHTS)[..., None], 3, axis=2)


def _scanned(image: Image, rng: Random, sheet: Sheet) -> Image:
    """Mostly as grey: then its damage is grey as well."""
    if rng.random() < 0.6:
        image = _grey(image)
    if rng.random() < 0.6:
        return emulsion.scanned(image, rng, sheet)
    image = np.clip(image, 0, 1)
    return compressed(image, int(rng.integers(30, 90))) if rng.random() < 0.4 else image


def _tensor(pictures: NDArray[np.float32]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2)


def loss(answer: Tensor, target: Tensor, progress: float) -> Tensor:
    """Cross entropy, and one minus the soft F1 (dice) of each plane; the target's last plane says
    how much a pixel counts."""
    del progress
    truth, counts = target[:, :-1], target[:, -1:]
    entropy = functional.binary_cross_entropy_with_logits(answer, truth, reduction="none")
    share = torch.sigmoid(answer)
    both = (share * truth * counts).sum(dim=(0, 2, 3))
    dice = 1 - (2 * both + 1) / (((share + truth) * counts).sum(dim=(0, 2, 3)) + 1)
    by_pixel = (entropy * OF_PLANES * counts).mean()
    return OF_ENTROPY * by_pixel + OF_DICE * (dice * OF_PLANES[:, 0, 0]).sum()


@torch.inference_mode()
def _figures(network: nn.Module, shelf: Shelf) -> Mapping[str, float]:
    """F1 of the damage plane at one half, pixel by pixel, on the pictures and stamps set aside."""
    return {f"f1_{name}": _f1(network, shelf, ill) for name, ill in EXAMINED.items()}


def _f1(network: nn.Module, shelf: Shelf, severity: float) -> float:
    rng = np.random.default_rng(round(100 * severity))
    stamps = _stamps(shelf, kept=True)
    hits = claims = truths = 0
    multiple = networks.multiple(NETWORK)
    for kept in shelf.kept:
        high, wide = (side // multiple * multiple for side in kept.shape[:2])
        image = kept[:high, :wide].astype(np.float32) / np.float32(255)
        sheet = layers.whole(image, severity)
        image = emulsion.worn(image, rng, sheet, colour=False)
        image, truth = ageing.damaged(image, rng, sheet, stamps)
        said = network(_tensor(emulsion.scanned(image, rng, sheet)[None]))[0, 0].numpy() > 0.5
        hits += int((said & truth[..., 0]).sum())
        claims, truths = claims + int(said.sum()), truths + int(truth[..., 0].sum())
    return round(2 * hits / max(1, claims + truths), 4)
