"""Honest restorations and altered ones, of the same pictures, always the same: what the guard's
gates are calibrated on and measured with.

A picture is given grain (a scan) or aged (a print); honest work is done on it; then a feature is
moved or rubbed out, a region or a face replaced, a face's skin smoothed with its eyes enlarged, or
the frame shifted, on the scan itself, on an honest chain and on the perfect restoration of a print.

Pictures: every so many of BSD68 and Kodak, and of the portraits whose faces were marked by hand
(restoration/training/faces.json), halved until they are no larger. Only a face is beautified:
what smooths a plain wall is called cleaning. A region is taken from another picture, a face from
another portrait.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.restoration import denoise_nl_means

from restoration.engine import faces
from restoration.engine import image as pictures
from restoration.engine.fill import membrane
from restoration.engine.luma import chroma, luma, on_luma
from restoration.engine.plan import Plan, StepPlan
from restoration.engine.restore import Inputs, restore
from restoration.training import emulsion
from restoration.training import faces as faces_of
from restoration.training.ageing import age

Image = NDArray[np.float32]
Area = NDArray[np.bool_]
Random = np.random.Generator
Point = tuple[int, int]

NOISE = 10 / 255
SEVERITIES = (0.25, 0.5, 0.8)
PATCH = (72, 56)  # pixels, of a replaced region
RUBBED = 18  # pixels: radius of a place that is rubbed out
PORTRAIT = 400  # pixels: long side of a portrait
FEATURES = ((0.4, 0.31), (0.4, 0.69), (0.78, 0.5))  # of a face's height and width
LABELS = Path(faces_of.__file__).with_suffix(".json")
MARGIN = 60
CHAIN = (
    StepPlan("tone", settings={"strength": 0.8}),
    StepPlan("repair"),
    StepPlan("denoise", settings={"strength": 0.8}),
)


@dataclass(frozen=True)
class Case:
    """One pair: the scan, what became of it, the declared repairs, and what was done."""

    picture: str
    scan: Image
    result: Image
    repaired: Area | None
    what: str
    altered: bool
    faces: list[faces.Box]


@dataclass(frozen=True)
class Subject:
    """A picture, one to take a region from, and their faces where they are portraits."""

    seed: int
    path: Path
    other: Path
    face: faces.Box | None = None
    other_face: faces.Box | None = None


def subjects(photos: Path, every: int) -> list[Subject]:
    """Every so many of BSD68, of Kodak and of the portraits."""
    found = []
    for start, folder in ((0, "bsd68_gray"), (100, "kodak")):
        pool = (photos / "reference" / folder).iterdir()
        all_of = sorted(each for each in pool if each.suffix == ".png")
        for place in range(0, len(all_of), every):
            found.append(Subject(start + place, all_of[place], all_of[(place + 7) % len(all_of)]))
    return found + portraits(photos, every)


def portraits(photos: Path, every: int) -> list[Subject]:
    marked = json.loads(LABELS.read_text(encoding="utf-8"))
    sure = {name: [each for each in boxes if len(each) == 4] for name, boxes in marked.items()}
    known = [
        (photos / "train" / name, (x, y, wide, high))
        for name, ((x, y, wide, high), *_) in sorted(
            (name, boxes) for name, boxes in sure.items() if name.startswith("faces/") and boxes
        )
    ]
    found = []
    for place in range(0, len(known), every):
        (path, face), (other, other_face) = known[place], known[(place + 7) % len(known)]
        found.append(Subject(200 + place, path, other, face, other_face))
    return found


def loaded(path: Path, face: faces.Box | None) -> Image:
    """The picture; a portrait smaller."""
    found = pictures.load(path)
    return found if face is None else np.clip(pictures.shrink(found, PORTRAIT), 0, 1)


def cases(subject: Subject) -> Iterator[Case]:
    """All pairs of one picture."""
    seed, path = subject.seed, subject.path
    rng = np.random.default_rng(seed)
    colours = loaded(path, subject.face)
    clean, strange = grey(colours), grey(loaded(subject.other, subject.face))
    scan = grained(clean, rng)
    found = [subject.face] if subject.face else faces.find(luma(scan))
    at = feature(clean, found, rng)

    def case(one: Image, done: Image, area: Area | None, what: str, altered: bool = False) -> Case:
        return Case(path.stem, one, done, area, what, altered, found)

    for what, done in simple(scan, rng):
        yield case(scan, done, None, what)
    yield case(*repaired(scan, rng), "thin repair")
    chained = worked(scan, None)
    yield case(scan, *chained, "chain")
    prints = {each: print_of(clean, 10 * seed + k, each) for k, each in enumerate(SEVERITIES)}
    for severity, (aged, area) in prints.items():
        yield case(aged, clean, area, f"perfect, aged {severity}")
    aged, area = prints[0.5]
    yield case(aged, *worked(aged, area), "chain, aged 0.5")
    if float(np.abs(chroma(colours)).max()) > 0.02:
        aged, area = print_of(colours, 10 * seed + 7, 0.5, colour=True)
        yield case(aged, colours, area, "perfect, aged in colour")
        aged, area = print_of(colours, 10 * seed + 8, 0.5)
        blue = luma(emulsion.exposed(colours, colour=False))  # what that emulsion saw of the light
        locked = on_luma(blue, chroma(colours))
        yield case(aged, locked, area, "perfect, true colours on its luma")
    aged, area = print_of(clean, 10 * seed + 5, float(rng.choice(SEVERITIES)))
    bases = {"alone": (scan, scan, None), "on chain": (scan, *chained)}
    bases["on perfect"] = (aged, clean, area)
    for name, (one, base, area_of) in bases.items():
        for what, done in altered_ones(base, at, strange, subject, np.random.default_rng(seed)):
            yield case(one, done, area_of, f"{what}, {name}", altered=True)


# --- honest ---------------------------------------------------------------------------------------


def grey(image: Image) -> Image:
    return np.repeat(luma(image)[..., None], 3, axis=2)


def grained(image: Image, rng: Random) -> Image:
    noise = rng.normal(0, NOISE, (*image.shape[:2], 1))
    return np.clip(image + noise, 0, 1).astype(np.float32)


def print_of(image: Image, seed: int, severity: float, colour: bool = False) -> tuple[Image, Area]:
    """An aged print and its declared damage."""
    aged, mask = age(image, seed=seed, severity=severity, colour=colour)
    return aged, mask > 0


def simple(scan: Image, rng: Random) -> Iterator[tuple[str, Image]]:
    yield "nothing", scan
    quiet = np.clip(
        denoise_nl_means(
            luma(scan), patch_size=5, patch_distance=5, h=0.8 * NOISE, sigma=NOISE, fast_mode=True
        ),
        0, 1,
    ).astype(np.float32)  # fmt: skip
    clean = np.repeat(quiet[..., None], 3, axis=2)
    yield "denoise", clean
    fine = clean - ndimage.gaussian_filter(clean, (1.5, 1.5, 0))
    yield "denoise, sharpen", np.clip(clean + 0.8 * fine, 0, 1)
    yield "denoise, tone", np.clip(clean**0.7 * 1.1 - 0.03, 0, 1).astype(np.float32)
    tint = ndimage.gaussian_filter(rng.normal(size=scan.shape), (12, 12, 0))
    tint = (0.15 * tint / tint.std()).astype(np.float32)
    yield "colour on its luma", on_luma(luma(scan), chroma(tint))


def repaired(scan: Image, rng: Random) -> tuple[Image, Image, Area]:
    """Specks of white and black, filled where they were declared."""
    specks = np.zeros(scan.shape[:2], bool)
    places = [rng.integers(6, side - 6, 60) for side in specks.shape]
    specks[places[0], places[1]] = True
    specks = ndimage.binary_dilation(specks, iterations=2)
    dirty = scan.copy()
    dirty[specks] = rng.choice([0.05, 0.95])
    return (dirty, *worked(dirty, specks, (StepPlan("repair"),)))


def worked(
    scan: Image, area: Area | None, steps: tuple[StepPlan, ...] = CHAIN
) -> tuple[Image, Area]:
    mask = None if area is None else area.astype(np.uint8) * 255
    done = restore(scan, Plan(steps), Inputs(mask=mask), None, lambda *told: None)
    return done.image, done.maps["repaired"] > 0


# --- altered --------------------------------------------------------------------------------------


def feature(clean: Image, found: list[faces.Box], rng: Random) -> Point:
    """An eye or the mouth of a face; else a place with structure in both directions, drawn from
    the best."""
    if found:
        top, left, high, wide = face_area(clean.shape, found[0])
        down, right = FEATURES[rng.integers(len(FEATURES))]
        return top + int(down * high), left + int(right * wide)
    down, right = np.gradient(ndimage.gaussian_filter(luma(clean), 1.0))
    a, b, c = (ndimage.gaussian_filter(each, 12) for each in (right**2, right * down, down**2))
    least = (a + c) / 2 - np.sqrt(((a - c) / 2) ** 2 + b**2)
    inner = least[MARGIN:-MARGIN, MARGIN:-MARGIN]
    rows, columns = np.nonzero(inner >= np.quantile(inner, 0.75))
    chosen = rng.integers(len(rows))
    return int(rows[chosen]) + MARGIN, int(columns[chosen]) + MARGIN


def altered_ones(
    base: Image, at: Point, strange: Image, subject: Subject, rng: Random
) -> Iterator[tuple[str, Image]]:
    reach, angle = float(rng.choice([18, 24, 30])), float(rng.uniform(0, 2 * np.pi))
    yield "moved 2 px", moved(base, at, 2, reach, angle)
    yield "moved 5 px", moved(base, at, 5, reach, angle)
    if subject.face and subject.other_face:
        yield "face replaced", face_replaced(base, subject.face, strange, subject.other_face)
        yield "beautified", beautified(base, subject.face)
    else:
        yield "region replaced", replaced(base, at, strange)
    yield "rubbed out", rubbed_out(base, at)
    yield "shifted", framed(base, 1.0, (0, 3))
    yield "zoomed", framed(base, 1.01, (0, 0))
    yield "reframed", framed(base, 1.05, (6, -9))


def warped(image: Image, down: NDArray[np.floating], right: NDArray[np.floating]) -> Image:
    rows, columns = np.indices(image.shape[:2], dtype=np.float32)
    places = (rows + down, columns + right)
    bands = [
        ndimage.map_coordinates(image[..., band], places, order=3, mode="mirror")
        for band in range(3)
    ]
    return np.clip(np.stack(bands, axis=-1), 0, 1).astype(np.float32)


def near(shape: tuple[int, ...], at: Point, reach: float) -> Image:
    rows, columns = np.indices(shape[:2], dtype=np.float32)
    return np.exp(-((rows - at[0]) ** 2 + (columns - at[1]) ** 2) / (2 * reach**2))


def moved(image: Image, at: Point, by: float, reach: float, angle: float) -> Image:
    share = near(image.shape, at, reach)
    return warped(image, by * np.sin(angle) * share, by * np.cos(angle) * share)


def oval(shape: tuple[int, ...], at: Point, radii: tuple[float, float] = (34, 26)) -> Image:
    rows, columns = np.indices(shape[:2], dtype=np.float32)
    inside = ((rows - at[0]) / radii[0]) ** 2 + ((columns - at[1]) / radii[1]) ** 2 <= 1
    return ndimage.gaussian_filter(inside.astype(np.float32), 3)[..., None]


def replaced(image: Image, at: Point, strange: Image) -> Image:
    """The middle of another picture, in the tones of the place it is put."""
    high, wide = PATCH
    top = int(np.clip(at[0] - high // 2, 0, image.shape[0] - high))
    left = int(np.clip(at[1] - wide // 2, 0, image.shape[1] - wide))
    middle = [(side - size) // 2 for side, size in zip(strange.shape, PATCH, strict=False)]
    patch = strange[middle[0] : middle[0] + high, middle[1] : middle[1] + wide]
    return pasted(image, patch, (top, left), (34, 26))


def pasted(image: Image, patch: Image, corner: Point, radii: tuple[float, float]) -> Image:
    """An oval of the patch, toned as the place was."""
    high, wide = patch.shape[:2]
    area = (slice(corner[0], corner[0] + high), slice(corner[1], corner[1] + wide))
    toned = (patch - patch.mean()) / (patch.std() + 0.02) * image[area].std() + image[area].mean()
    whole = image.copy()
    whole[area] = toned
    share = oval(image.shape, (corner[0] + high // 2, corner[1] + wide // 2), radii)
    return np.clip(image + share * (whole - image), 0, 1).astype(np.float32)


def rubbed_out(image: Image, at: Point) -> Image:
    """A disc without what it showed, its rim joined by a membrane: a blemish brush on a feature."""
    rows, columns = np.indices(image.shape[:2])
    hole = np.asarray(np.hypot(rows - at[0], columns - at[1]) < RUBBED)
    return np.clip(membrane(image, hole), 0, 1).astype(np.float32)


def face_area(shape: tuple[int, ...], box: faces.Box) -> tuple[int, int, int, int]:
    """Top, left, height and width in pixels."""
    x, y, wide, high = box
    return (
        int(y * shape[0]),
        int(x * shape[1]),
        max(8, int(high * shape[0])),
        max(8, int(wide * shape[1])),
    )


def face_replaced(image: Image, face: faces.Box, strange: Image, strange_face: faces.Box) -> Image:
    """Another person's face, as large, in the tones of this one."""
    top, left, high, wide = face_area(image.shape, face)
    y, x, tall, broad = face_area(strange.shape, strange_face)
    patch = pictures.resize(strange[y : y + tall, x : x + broad], high, wide)
    return pasted(image, patch, (top, left), (0.45 * high, 0.38 * wide))


def beautified(image: Image, face: faces.Box) -> Image:
    """Skin smoothed (Gaussian of 2 px), two eyes enlarged by a fifth."""
    top, left, high, wide = face_area(image.shape, face)
    middle = (top + high // 2, left + wide // 2)
    share = oval(image.shape, middle, (0.45 * high, 0.38 * wide))
    smooth = image + share * (ndimage.gaussian_filter(image, (2, 2, 0)) - image)
    rows, columns = np.indices(image.shape[:2], dtype=np.float32)
    eyes = [(top + int(down * high), left + int(right * wide)) for down, right in FEATURES[:2]]
    shares = [near(image.shape, eye, 0.1 * wide) for eye in eyes]
    down = sum(-0.2 * (rows - eye[0]) * share for eye, share in zip(eyes, shares, strict=True))
    right = sum(-0.2 * (columns - eye[1]) * share for eye, share in zip(eyes, shares, strict=True))
    larger = warped(image, np.asarray(down), np.asarray(right))
    share = np.clip(shares[0] + shares[1], 0, 1)[..., None]
    return np.clip(smooth + share * (larger - smooth), 0, 1).astype(np.float32)


def framed(image: Image, zoom: float, by: tuple[float, float]) -> Image:
    rows, columns = np.indices(image.shape[:2], dtype=np.float32)
    height, width = image.shape[:2]
    less = 1 / zoom - 1
    return warped(image, (rows - height / 2) * less + by[0], (columns - width / 2) * less + by[1])
