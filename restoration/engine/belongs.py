"""Tell whether a picture somebody retouched elsewhere is still this photograph.

A retouch may change tones, bring colour, fill damage and come back enlarged. It may not crop,
turn, mirror or replace the photograph.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

from restoration.engine.errors import BadInput
from restoration.engine.image import resize
from restoration.engine.luma import luma
from restoration.engine.register import corner_shift, register, warp

Floats = NDArray[np.float32]
Matrix = NDArray[np.float64]
Shape = tuple[int, ...]
Suspicion = tuple[float, str, dict[str, Any]]

SMALLEST_SCALE, LARGEST_SCALE = 0.5, 4.0
PROPORTION_SLACK = 0.005
BLANK = 0.012  # standard deviation of a small luma; a wall in fog has more
CALM_SIDE = 1024  # where retouches are laid and differences counted
THUMB_SIDE = 288  # where likeness is judged
SEARCH_SIDE = 144  # where a refused picture is looked for
WORTH_LAYING = 0.3  # likeness below which registering two pictures would be for nothing
SAME = 0.5  # likeness from which two pictures of one frame are one photograph
FOUND = 0.45  # likeness from which a turned picture or a part is recognised
SHIFT_SLACK = 0.01  # of the longer side: an editor's half pixels, not a crop
CHANGED = 6 / 255
MOVED = 0.5  # parent's pixels at a corner from which an upload is laid back
TOLD_APART = 1e-4  # of the longer side: less than this, registration cannot tell


@dataclass(frozen=True)
class Belonging:
    """How a retouch lies on its parent.

    `frame` is float64 2x3 from parent pixels to upload pixels, `scale` upload width by parent
    width, `correlation` their likeness, `changed_fraction` the area that no tone curve explains.
    """

    frame: Matrix
    scale: float
    correlation: float
    changed_fraction: float


def belongs(reference: Floats, upload: Floats) -> Belonging:
    """Check an upload against its parent, float32 HxWx3 RGB in [0, 1] of any sizes.

    Raises BadInput too-small, too-large, blank, wrong-proportions, cropped, border-added,
    rotated, mirrored or another-picture, with the sizes expected and got among its facts.
    """
    facts: dict[str, Any] = {"expected": size(reference), "got": size(upload)}
    parent, child = luma(reference), luma(upload)
    shape = small_shape(parent, CALM_SIDE)
    require_content(child, facts)
    if not proportions_fit(parent.shape, child.shape):
        raise diagnosis(parent, child, facts, otherwise="wrong-proportions")
    require_scale(parent.shape, child.shape, facts)
    calm, loose = resize(parent, *shape), resize(child, *shape)
    if glance(calm, loose) < WORTH_LAYING:
        raise diagnosis(parent, child, facts, otherwise="another-picture")
    registration = register(calm, loose)
    laid = warp(loose, registration.matrix, shape)
    alike = likeness(calm, laid)
    if alike < SAME:
        raise diagnosis(parent, child, facts, otherwise="another-picture")
    require_frame(registration.matrix, shape, facts)
    return Belonging(
        frame=through(parent.shape, registration.matrix, shape, child.shape),
        scale=child.shape[1] / parent.shape[1],
        correlation=alike,
        changed_fraction=changed(calm, laid),
    )


def laid_back(upload: Floats, parent: Shape, belonging: Belonging) -> tuple[Floats, float]:
    """Return the upload, float32 HxWx3 in [0, 1], on its parent's canvas, and how far it was off.

    The second is in the parent's pixels at the worst corner, 0 when the upload was left as it is:
    resampling costs sharpness, so less than half a pixel stays.
    """
    square = np.vstack([belonging.frame, [0, 0, 1]])
    straight = stretch(parent, upload.shape)
    shift = corner_shift((np.linalg.inv(straight) @ square)[:2], parent)
    if shift <= max(MOVED, TOLD_APART * max(parent[:2])):
        return upload, 0.0
    onto = (square @ np.linalg.inv(straight))[:2]
    return np.clip(warp(upload, onto, upload.shape), 0, 1), round(shift, 2)


def size(image: Floats) -> list[int]:
    """Return [width, height]."""
    return [image.shape[1], image.shape[0]]


def small_shape(plane: Floats, side: int) -> tuple[int, int]:
    scale = min(1.0, side / max(plane.shape))
    return (max(16, round(plane.shape[0] * scale)), max(16, round(plane.shape[1] * scale)))


def require_content(child: Floats, facts: dict[str, Any]) -> None:
    if min(child.shape) < 16:
        raise BadInput("too-small", facts)
    spread = float(resize(child, *small_shape(child, 64)).std())
    if not spread >= BLANK:  # a NaN is blank too
        raise BadInput("blank", facts)


def require_scale(parent: Shape, child: Shape, facts: dict[str, Any]) -> None:
    scale = child[1] / parent[1]
    if scale < SMALLEST_SCALE * (1 - PROPORTION_SLACK):
        smallest = [round(parent[1] * SMALLEST_SCALE), round(parent[0] * SMALLEST_SCALE)]
        raise BadInput("too-small", {**facts, "smallest": smallest})
    if scale > LARGEST_SCALE * (1 + PROPORTION_SLACK):
        largest = [round(parent[1] * LARGEST_SCALE), round(parent[0] * LARGEST_SCALE)]
        raise BadInput("too-large", {**facts, "largest": largest})


def proportions_fit(parent: Shape, child: Shape) -> bool:
    """Say whether both sides were scaled alike, but for half a per cent or a rounded pixel."""
    tall, wide = child[0] / parent[0], child[1] / parent[1]
    rounding = 1 / min(child[:2]) + 1 / min(parent[:2])
    return abs(tall / wide - 1) <= max(PROPORTION_SLACK, rounding if max(child) < 400 else 0)


def require_frame(matrix: Matrix, shape: Shape, facts: dict[str, Any]) -> None:
    """Refuse a frame that was moved: by its turn when it was straightened, else as a crop."""
    shift = corner_shift(matrix, shape)
    if shift <= SHIFT_SLACK * max(shape):
        return
    degrees = float(
        np.degrees(np.arctan2(matrix[1, 0] - matrix[0, 1], matrix[0, 0] + matrix[1, 1]))
    )
    turned = np.radians(abs(degrees)) * np.hypot(shape[0], shape[1]) / 2
    if turned > 0.5 * shift:
        raise BadInput("rotated", {**facts, "degrees": round(degrees, 1)})
    # The photograph appears smaller inside the upload than it is: something was put around it.
    code = "border-added" if np.linalg.det(matrix[:, :2]) < 1 - SHIFT_SLACK else "cropped"
    raise BadInput(code, {**facts, "shift_share": round(shift / max(shape), 3)})


def through(parent: Shape, matrix: Matrix, calm: Shape, child: Shape) -> Matrix:
    """Return the map from parent to upload pixels, by way of the size at which it was found."""
    square = np.vstack([matrix, [0, 0, 1]])
    return np.asarray((stretch(calm, child) @ square @ stretch(parent, calm))[:2])


def stretch(old: Shape, new: Shape) -> Matrix:
    """Return the 3x3 map of pixel centres that resizing from `old` to `new` is."""
    wide, tall = new[1] / old[1], new[0] / old[0]
    return np.array([[wide, 0, (wide - 1) / 2], [0, tall, (tall - 1) / 2], [0, 0, 1]])


def glance(calm: Floats, loose: Floats) -> float:
    """Return the likeness of two pictures of one size at the best small shift, from thumbnails."""
    shape = small_shape(calm, SEARCH_SIDE)
    return peak(resize(calm, *shape), resize(loose, *shape))


def likeness(one: Floats, other: Floats) -> float:
    """Correlate what makes two HxW pictures of one size themselves, whatever their tones."""
    shape = small_shape(one, THUMB_SIDE)
    first, second = (texture(resize(picture, *shape)) for picture in (one, other))
    return float(np.mean(first * second) / (first.std() * second.std() + 1e-9))


def texture(plane: Floats) -> Floats:
    """Return an HxW picture's middle detail, evened out in tone and in strength.

    The rank of a grey level survives any tone curve; without the broad shadows two portraits
    have nothing in common.
    """
    side = max(plane.shape)
    near, far = max(0.8, side / 240), side / 24
    ranks = np.argsort(np.argsort(plane, axis=None, kind="stable"), kind="stable")
    even = (ranks.reshape(plane.shape) / plane.size).astype(np.float32)
    band = ndimage.gaussian_filter(even, near) - ndimage.gaussian_filter(even, far)
    power = np.sqrt(ndimage.gaussian_filter(band**2, far))
    return np.asarray(band / (power + 0.5 * band.std() + 1e-6), dtype=np.float32)


def changed(calm: Floats, laid: Floats) -> float:
    """Return the share of pixels that differ once the upload's tone curve is given the parent."""
    soft, touched = (ndimage.gaussian_filter(picture, 2.0) for picture in (calm, laid))
    expected = on_curve(soft, touched)
    rest = touched - expected
    grain = 1.48 * float(np.median(np.abs(rest - np.median(rest))))
    return float(np.mean(np.abs(rest) > CHANGED + 3 * grain))


def on_curve(soft: Floats, touched: Floats) -> Floats:
    """Return the parent on the rising curve that best turns it into the upload."""
    bins = np.minimum((np.clip(soft, 0, 1) * 64).astype(np.int64), 63)
    present = np.flatnonzero(np.bincount(bins.ravel(), minlength=64) >= 16)
    medians = ndimage.median(touched, labels=bins, index=present)
    rising = np.maximum.accumulate(medians)
    return np.asarray(np.interp(soft, (present + 0.5) / 64, rising), dtype=np.float32)


def diagnosis(parent: Floats, child: Floats, facts: dict[str, Any], *, otherwise: str) -> BadInput:
    """Return the refusal that names what was done to the photograph, as far as it can be seen."""
    small, given = (resize(plane, *small_shape(plane, SEARCH_SIDE)) for plane in (parent, child))
    moved = "cropped" if otherwise == "another-picture" else otherwise
    score, code, told = max(suspicions(small, given, moved), key=lambda suspicion: suspicion[0])
    if score < FOUND:
        return BadInput("another-picture", facts)
    return BadInput(code, {**facts, **told})


def suspicions(small: Floats, given: Floats, moved: str) -> Iterator[Suspicion]:
    """Yield what may have been done, each with how well the photograph shows through then."""
    for code, told, candidate in turnings(given):
        if abs(np.log(np.divide(*candidate.shape) / np.divide(*small.shape))) < 0.03:
            yield peak(small, resize(candidate, *small.shape)), code, told
    yield peak(small, resize(given, *small.shape)), moved, {}
    for whole, part, code in ((small, given, "cropped"), (given, small, "border-added")):
        score, share = best_part(whole, part)
        yield score, code, {"share": share}


def turnings(given: Floats) -> Iterator[tuple[str, dict[str, Any], Floats]]:
    """Yield the picture turned and mirrored back, in every way an editor's menu offers."""
    yield "mirrored", {"axis": "vertical"}, given[:, ::-1]
    yield "mirrored", {"axis": "horizontal"}, given[::-1]
    for quarters in (1, 2, 3):
        yield "rotated", {"degrees": 90 * quarters}, np.rot90(given, quarters)
    for quarters in (1, 3):
        yield "mirrored", {"axis": "diagonal"}, np.rot90(given[:, ::-1], quarters)
    for degrees in (*range(-12, 0, 2), *range(2, 14, 2)):
        yield (
            "rotated",
            {"degrees": degrees},
            ndimage.rotate(given, degrees, reshape=False, order=1),
        )


def peak(whole: Floats, part: Floats) -> float:
    """Return the likeness of two HxW pictures of one size, at the best of small shifts."""
    slack = max(2, min(whole.shape) // 16)
    inner = part[slack:-slack, slack:-slack]
    return placed(texture(whole), texture(inner))


def best_part(whole: Floats, part: Floats) -> tuple[float, float]:
    """Return how well, and at what share of its width, one picture holds the other."""
    across = texture(whole)
    largest = min(whole.shape[0] / part.shape[0], whole.shape[1] / part.shape[1])
    found = [(0.0, 0.0)]
    for step in range(32):
        scale = largest * 1.03**-step
        shape = (int(part.shape[0] * scale), int(part.shape[1] * scale))
        if min(shape) >= 24:
            score = placed(across, texture(resize(part, *shape)))
            found.append((score, round(shape[1] / whole.shape[1], 2)))
    return max(found)


def placed(whole: Floats, part: Floats) -> float:
    """Return the best normalised correlation of a part over all places where it lies inside."""
    rows, columns = (whole.shape[axis] - part.shape[axis] + 1 for axis in (0, 1))
    free = (slice(0, rows), slice(0, columns))
    met = correlated(whole, part)[free]
    energy = correlated(whole**2, np.ones_like(part))[free]
    return float((met / np.sqrt(np.maximum(energy, 1e-6) * float((part**2).sum()))).max())


def correlated(whole: Floats, part: Floats) -> Floats:
    return np.asarray(
        fft.irfft2(fft.rfft2(whole) * np.conj(fft.rfft2(part, s=whole.shape)), s=whole.shape)
    )
