"""Measures how far the result is from the scan, and says pass, review or fail.

A restoration may differ from its scan everywhere: cleaner, brighter, evenly toned, its stains gone.
It may not move a feature, put another in its place, smooth a skin or shift the frame. So the scan
is given the result's tones, both are registered, and engine.fidelity compares them window by
window outside the declared repairs. The gates were calibrated on honest and on altered pictures:
tests/benchmarks/calibrate_guard.py, with its table beside it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from restoration.engine import closer, fidelity, gained, gone, likeness, measure
from restoration.engine.errors import BadInput
from restoration.engine.faces import Box
from restoration.engine.image import check_image, long_side, resize, resize_mask
from restoration.engine.luma import Image, luma
from restoration.engine.register import Registration, corner_shift, register, warp
from restoration.engine.step import Mask, StepContext, StepResult, faces_on

Area = NDArray[np.bool_]

GATE_VERSION = 6
LONG_SIDE = 2400  # larger pictures are compared at this size
MOST_PIXELS = 4_000_000
BLUR = 2.0
SLOPES = (0.35, 4.0)  # of the tone curve, over its mean slope
TONE_SAMPLES = 200_000
SLOW = 0.04  # of the long side: a difference that changes more slowly than this is fading
FACE_SEEN = 400  # pixels of a face's side at which its holes are measured
LAID_FROM = 0.2  # pixels at a corner from which the result is laid back before it is compared
LOST_FRAME = 0.3  # correlation below which no registration is believed
# Pixels of a face's box: larger than that no closer look is needed; and how much around it, in
# sides of the box, tells the look what is usual there.
CLOSE, CLOSE_AROUND = 160, 1.5
SMALLEST_FACE = 24  # pixels; in a smaller face nothing can be said of its features
FACE_FILLED = 0.1  # share of a face that may be declared fill before somebody has to look ...
FACE_HOLE = 0.03  # ... and of its side, how deep one hole may be: a crease is thin, an eye is not
# Of 255: by how much a face may become lighter or darker than what is around it. What the engine
# does changes it by 1.6 at most, a hand that lightens skin by 9 and more (decision 0029).
SHADE = 8.0
# Share of the fine detail below which somebody looks: the engine's recipes keep 0.88 and more,
# perfect restorations of noisy scans 0.96; a blur of one pixel leaves half, one of 1.5 a third.
SOFT = 0.7
# Pixels: so wide a place without its structure is looked at. 0 for all honest work on scans, more
# for 6 of 158 perfect restorations and chains on aged prints, where a stain went that nobody
# declared (guard_roc.csv); never "fail", for the hand that takes a stain out is honest.
GONE = 10.0
CORE, BESIDE, AROUND = -0.2, 0.25, 0.7  # shares of its box by which a face is narrowed and widened
LEAST_OUTSIDE = 0.3  # share of the picture that must be no face, or nothing tells its tones
BLACK = 0.06  # luma of a scanner's bed beside the print
MOST_FILLED = 5.0
ORDER = ("pass", "review", "fail")


@dataclass(frozen=True)
class Gate:
    """A meter up to `passes` passes, above `fails` it fails, between them somebody looks."""

    passes: float
    fails: float

    def verdict(self, value: float, share: float = 1.0) -> str:
        if value > share * self.fails:
            return "fail"
        return "pass" if value <= share * self.passes else "review"


GATES: Mapping[str, Gate] = {
    "reframed": Gate(1.2, 1.5),  # pixels at the farthest corner
    "moved": Gate(0.3, 1.0),  # pixels, at the least
    "invented": Gate(0.7, 0.9),  # share of the structure of a place
    "smoothed": Gate(0.66, 0.9),  # fine detail lost, over the grain
    "erased": Gate(3.5, 4.0),  # structure lost, over the grain
}
LOCAL = ("moved", "invented", "smoothed", "erased")
FACE_SHARE = 0.75  # inside a face every gate is so much tighter


def run(context: StepContext, settings: dict[str, Any]) -> StepResult:
    """Judges the picture against the scan; the picture itself goes through untouched."""
    boxes = faces_on(context)
    meters, maps = judge(context.image, context.reference, repaired=context.repaired, faces=boxes)
    blank = np.zeros(context.image.shape[:2], np.uint8)
    for name in ("coloured_evidence", "coloured_guess"):
        maps[name] = context.maps.get(name, blank)
        meters[name + "_area"] = coloured_area(maps[name])
    return StepResult(context.image, maps, meters)


def coloured_area(found: Mask) -> float:
    """The share of a colour map (uint8 HxW by weight) where the colour can be seen."""
    return round(float((found > gained.SEEN).mean()), 5)


def judge(
    result: Image, reference: Image, *, repaired: Area | None, faces: list[Box]
) -> tuple[dict[str, Any], dict[str, Mask]]:
    """Compares two float32 HxWx3 pictures of one view; sizes may differ by a common scale.

    repaired: bool HxW at the result's size, declared fill, left out of the comparison.
    Meters: GATES' by name, gone (pixels: the widest place whose structure is gone), changed_area,
    filled_area and doubtful_area in percent, wide_fill (a hole so wide that its middle is
    guesswork), detail_ratio, risk (1 is the gate), places, faces, verdict, reasons, gate_version.
    Maps at the result's size: changed (0-255 by how much), doubtful (where a gate was passed),
    repaired.
    """
    check_image(result)
    check_image(reference)
    height, width = result.shape[:2]
    filled = np.zeros((height, width), bool) if repaired is None else repaired.astype(bool)
    before, after, left_out = _at_one_size(reference, result, filled)
    seen = compare(before, after, left_out | _bed(before, after))
    meters = _meters(seen, filled, faces)
    close = _closer(reference, result, filled, seen, faces)
    meters["faces"] = [_both(*told) for told in zip(meters["faces"], close, strict=True)]
    _tell_shades(meters["faces"], _shades(before, seen.laid, ~left_out, faces))
    meters |= verdict(meters)
    meters["likeness"] = likeness.told(before, seen.laid, faces)
    maps = {
        "changed": resize_mask(_heat(seen.excess), height, width),
        "doubtful": resize_mask(_doubtful(seen), height, width),
        "repaired": filled.astype(np.uint8) * 255,
    }
    return meters, maps


def _bed(before: Image, after: Image) -> Area:
    """The scanner's bed beside the print, black in both pictures: its edge would count as detail
    that a brighter print lost. Near anything that was put onto it, it counts as picture."""
    bed = ~measure.inside_borders(before) & (before < BLACK)
    if not bed.any():
        return bed
    new = ndimage.binary_erosion(bed, iterations=2, border_value=1) & (after >= BLACK)
    if new.any():
        bed &= ndimage.distance_transform_edt(~new) > 2 * fidelity.CELL
    return bed


@dataclass(frozen=True)
class Comparison:
    """excess: difference HxW over its threshold; found: the maps by cells; lost: what is gone;
    frame: how it lay; laid: the result laid back onto the scan."""

    excess: Image
    laid: Image
    found: fidelity.Fidelity
    lost: gone.Gone
    frame: Registration
    detail: float


def compare(before: Image, after: Image, left_out: Area) -> Comparison:
    """Two lumas HxW in [0, 1]; what is left out counts as unchanged."""
    near = ndimage.binary_dilation(left_out, iterations=2) if left_out.any() else left_out
    frame = register(before, after, ignore=left_out)
    if frame.corner_shift_px > LAID_FROM and frame.correlation > LOST_FRAME:
        after = np.clip(warp(after, frame.matrix, before.shape), 0, 1)
        near = near | _rim(before.shape, int(np.ceil(frame.corner_shift_px)) + 2)
    fitted = fit_tones(before, after, ~near)
    shown = np.where(near, fitted, after)
    found = fidelity.compare(fitted, shown, ~near)
    noise = measure.noise_sigma(before)
    excess = _excess(255 * fitted, 255 * shown, noise)
    lost = gone.find(fitted, after, near)
    detail = _detail(255 * fitted, 255 * shown, noise)
    return Comparison(excess, after, found, lost, frame, detail)


def _rim(shape: tuple[int, ...], margin: int) -> Area:
    """The edge of the frame, where a picture that was laid back has nothing to show."""
    rim = np.ones(shape, bool)
    if 2 * margin < min(shape) // 2:
        rim[margin:-margin, margin:-margin] = False
        return rim
    return np.zeros(shape, bool)


def _meters(seen: Comparison, filled: Area, faces: list[Box]) -> dict[str, Any]:
    worst = {name: _place(getattr(seen.found, name)) for name in LOCAL}
    meters: dict[str, Any] = {
        "gate_version": GATE_VERSION,
        "reframed": round(seen.frame.corner_shift_px, 3),
        **{name: value for name, (value, _) in worst.items()},
        "gone": round(seen.lost.width, 2),
        "changed_area": round(100 * float((seen.excess > 1).mean()), 3),
        "detail_ratio": round(seen.detail, 3),
        "filled_area": round(100 * float(filled.mean()), 3),
        "wide_fill": bool(filled.any()) and measure.depth(filled) > measure.wide(filled.shape),
        "doubtful_area": round(100 * float((_doubtful(seen) > 0).mean()), 3),
        "places": {name: place for name, (_, place) in worst.items()}
        | {"gone": list(seen.lost.place)},
        "faces": [_face(seen.found, box) | _fill_in(filled, box) for box in faces],
    }
    risks = [meters[name] / gate.passes for name, gate in GATES.items()]
    risks.append(meters["gone"] / GONE)
    return meters | {"risk": round(max(risks), 3)}


def verdict(meters: Mapping[str, Any]) -> dict[str, Any]:
    """The worst of all gates, and the codes of those that did not pass."""
    found = {name: gate.verdict(meters[name]) for name, gate in GATES.items()}
    found["soft"] = "review" if meters["detail_ratio"] < SOFT else "pass"
    found["gone"] = "review" if meters["gone"] > GONE else "pass"
    found["large-fill"] = "review" if meters["filled_area"] > MOST_FILLED else "pass"
    found["face"] = _worst([face["verdict"] for face in meters["faces"]])
    drawn_anew = any(face.get("filled_in") for face in meters["faces"])
    found["face-filled"] = "review" if drawn_anew else "pass"
    shaded = any(abs(face.get("shade", 0.0)) > SHADE for face in meters["faces"])
    found["face-shade"] = "review" if shaded else "pass"
    reasons = [code for code, said in found.items() if said != "pass"]
    return {"verdict": _worst(list(found.values())), "reasons": reasons}


def _place(found: Image) -> tuple[float, list[float]]:
    """The largest value of a map by cells, and where it is as fractions (x, y)."""
    row, column = np.unravel_index(int(found.argmax()), found.shape)
    place = [(column + 0.5) / found.shape[1], (row + 0.5) / found.shape[0]]
    return round(float(found.max()), 3), [round(float(each), 3) for each in place]


def _risk(found: fidelity.Fidelity) -> Image:
    """By cells: the worst meter over its gate."""
    shares = [getattr(found, name) / GATES[name].passes for name in LOCAL]
    return np.asarray(np.max(shares, axis=0), np.float32)


def _heat(excess: Image) -> Mask:
    return np.where(excess > 1, np.clip(64 * excess, 40, 255), 0).astype(np.uint8)


def _doubtful(seen: Comparison) -> Mask:
    """Full where a meter is at twice its gate; whole cells, as finer it is not known. What is gone
    shows itself, where it is wide enough to be told."""
    risk, shape = _risk(seen.found), seen.laid.shape
    levels = np.where(risk > 1, np.clip(127 * risk, 127, 255), 0).astype(np.uint8)
    tall = np.minimum(np.arange(shape[0]) // fidelity.CELL, risk.shape[0] - 1)
    wide = np.minimum(np.arange(shape[1]) // fidelity.CELL, risk.shape[1] - 1)
    shown = np.ascontiguousarray(levels[tall][:, wide])
    if seen.lost.width > GONE:
        shown[seen.lost.area] = 255
    return shown


def _excess(fitted: Image, shown: Image, noise: float) -> Image:
    """How much they differ where noise averages out, over what cleaning explains; slow
    differences are fading and count for nothing."""
    apart = ndimage.gaussian_filter(shown - fitted, BLUR)
    step = max(1, round(SLOW * max(apart.shape) / 4))
    height, width = apart.shape
    small = resize(apart, max(1, height // step), max(1, width // step), kernel="linear")
    slow = resize(ndimage.gaussian_filter(small, 4.0), height, width, kernel="linear")
    threshold = 6 + 3 * noise / (2 * np.sqrt(np.pi) * BLUR)
    return np.asarray(np.abs(apart - slow) / threshold, np.float32)


def fit_tones(before: Image, after: Image, counted: Area, bins: int = 24) -> Image:
    """`before` through the rising curve (medians of quantile bins) that best gives `after`.

    The curve is neither flatter nor steeper than SLOPES times its mean slope: on an unevenly faded
    print the medians alone make plateaus, on which what is there would seem to be missing.
    """
    if counted.sum() < 1000:
        counted = np.ones(before.shape, bool)
    every = max(1, before.size // TONE_SAMPLES)
    source, target = before[counted][::every], after[counted][::every]
    edges = np.unique(np.quantile(source, np.linspace(0, 1, bins + 1)))
    if len(edges) < 4:
        return before
    place = np.clip(np.searchsorted(edges, source, side="right") - 1, 0, len(edges) - 2)
    x, y = (ndimage.median(values, place, np.unique(place)) for values in (source, target))
    mean = max((y[-1] - y[0]) / max(x[-1] - x[0], 0.02), 0.1)
    wide = np.diff(x)
    slopes = np.clip(np.diff(y) / np.maximum(wide, 1e-4), SLOPES[0] * mean, SLOPES[1] * mean)
    curve = np.concatenate([[0], np.cumsum(slopes * wide)])
    curve += np.median(y - curve)
    x = np.concatenate([[x[0] - 1], x, [x[-1] + 1]])
    curve = np.concatenate([[curve[0] - mean], curve, [curve[-1] + mean]])
    return np.asarray(np.interp(before, x, curve), np.float32)


def _detail(before: Image, after: Image, noise: float) -> float:
    """Fine detail of the result over that of the scan, the scan's noise taken off; 1 where noise
    may be all that the scan has."""
    had = float(np.var(before - ndimage.gaussian_filter(before, 1.5)))
    was = had - (1.1 * noise) ** 2  # noise makes 0.93 of itself; more is taken off, to be sure
    now = float(np.var(after - ndimage.gaussian_filter(after, 1.5)))
    return float(np.sqrt(now / was)) if was > 1.0 else 1.0


def _at_one_size(reference: Image, result: Image, filled: Area) -> tuple[Image, Image, Area]:
    """Lumas of both at the smaller size of the two (and at most LONG_SIDE and MOST_PIXELS; what is
    much longer than high may be longer)."""
    height, width = reference.shape[:2]
    tall, wide = result.shape[:2]
    if abs(tall / height - wide / width) * max(height, width) > 1.5 * max(1, tall / height):
        facts = {"reference": [width, height], "result": [wide, tall]}
        raise BadInput("another-shape", facts)
    longest = min(long_side(reference.shape, LONG_SIDE), max(tall, wide)) / max(height, width)
    scale = min(1.0, longest, float(np.sqrt(MOST_PIXELS / (height * width))))
    size = (max(16, round(height * scale)), max(16, round(width * scale)))
    return _sized(luma(reference), size), _sized(luma(result), size), _covered(filled, size)


def _sized(light: Image, size: tuple[int, int]) -> Image:
    return light if light.shape == size else np.clip(resize(light, *size), 0, 1)


def _covered(filled: Area, size: tuple[int, int]) -> Area:
    """Also a filled pixel that falls between two of the smaller grid is left out."""
    step = max(1, round(filled.shape[0] / size[0]))
    wide = ndimage.maximum_filter(filled.astype(np.uint8), step) if step > 1 else filled
    return resize_mask(wide.astype(np.uint8), *size) > 0


def _face(found: fidelity.Fidelity, box: Box) -> dict[str, Any]:
    """A face against tighter gates; one too small to verify says so and passes nothing off."""
    height, width = found.moved.shape
    told: dict[str, Any] = {"box": [float(value) for value in box]}
    if fidelity.CELL * min(box[2] * width, box[3] * height) < SMALLEST_FACE:
        return told | {"verdict": "pass", "too_small": True}
    top, left = max(0, int(box[1] * height)), max(0, int(box[0] * width))
    bottom = max(top + 1, int(np.ceil((box[1] + box[3]) * height)))
    right = max(left + 1, int(np.ceil((box[0] + box[2]) * width)))
    here = {name: _most(getattr(found, name)[top:bottom, left:right]) for name in LOCAL}
    said = [GATES[name].verdict(value, FACE_SHARE) for name, value in here.items()]
    return told | here | {"verdict": _worst(said)}


def _closer(
    reference: Image, result: Image, filled: Area, seen: Comparison, faces: list[Box]
) -> list[dict[str, Any]]:
    """Each face as `_face` tells it, compared at its own size where the whole picture was compared
    at a smaller one; nothing for the others.

    A swapped face of 22 px where it is compared passes: what sets it apart is no longer there.
    """
    compared = seen.laid.shape[0] / reference.shape[0]
    own = min(1.0, result.shape[0] / reference.shape[0])
    told: list[dict[str, Any]] = []
    for box in faces:
        side = min(box[2] * reference.shape[1], box[3] * reference.shape[0])
        scale = min(own, CLOSE / max(side, 1.0))
        is_closer = scale > 1.05 * compared and scale * side >= SMALLEST_FACE
        told.append(_close(reference, result, filled, seen, box, scale) if is_closer else {})
    return told


def _close(
    reference: Image, result: Image, filled: Area, seen: Comparison, box: Box, scale: float
) -> dict[str, Any]:
    """A face and what is around it at `scale` of the reference, cut before anything is computed.

    The cuts lie on each other as the whole pictures do: registered by themselves, another face
    would be laid upon this one.
    """
    part = closer.around(box, reference.shape, CLOSE_AROUND, scale)
    before, after = part.light(reference), part.light(result)
    hidden = _covered(part.of(filled), part.size)
    if seen.frame.correlation > LOST_FRAME and seen.frame.corner_shift_px > 0:
        matrix = part.within(seen.frame.matrix, seen.laid.shape)
        after = np.clip(warp(after, matrix, before.shape), 0, 1)
        margin = int(np.ceil(corner_shift(matrix, before.shape))) + 2
        hidden = hidden | _rim(before.shape, margin)
    return _face(_windows(before, after, hidden), part.box(box))


def _windows(before: Image, after: Image, hidden: Area) -> fidelity.Fidelity:
    near = ndimage.binary_dilation(hidden, iterations=2) if hidden.any() else hidden
    fitted = fit_tones(before, after, ~near)
    return fidelity.compare(fitted, np.where(near, fitted, after), ~near)


def _both(one: dict[str, Any], close: dict[str, Any]) -> dict[str, Any]:
    """A face as it was seen with all others and more closely: the worse of every meter."""
    if not close or close.get("too_small"):
        return one
    kept = {name: value for name, value in one.items() if name != "too_small"}
    worse = {name: max(close[name], one.get(name, 0.0)) for name in LOCAL}
    return kept | worse | {"verdict": _worst([one["verdict"], close["verdict"]])}


def _fill_in(filled: Area, box: Box) -> dict[str, Any]:
    """Whether so much of a face is declared fill that the scan cannot vouch for it: what is left
    out of the comparison is not the same, it is unknown."""
    height, width = filled.shape
    top, left = max(0, int(box[1] * height)), max(0, int(box[0] * width))
    here = filled[top : int((box[1] + box[3]) * height) + 1, left:]
    here = here[:, : int((box[0] + box[2]) * width) + 1 - left]
    if not here.any():
        return {}
    step = max(1, min(here.shape) // FACE_SEEN)
    deep = step * float(ndimage.distance_transform_edt(np.pad(here[::step, ::step], 1)).max())
    much = here.mean() > FACE_FILLED or deep > FACE_HOLE * min(here.shape)
    return {"filled_in": True} if much else {}


def _tell_shades(told: list[dict[str, Any]], shades: list[dict[str, float]]) -> None:
    """A face of another shade is not passed off as the same."""
    for face, shade in zip(told, shades, strict=True):
        face |= shade
        if abs(shade.get("shade", 0.0)) > SHADE:
            face["verdict"] = _worst([face["verdict"], "review"])


def _shades(before: Image, after: Image, seen: Area, faces: list[Box]) -> list[dict[str, float]]:
    """Of each face, by how much of 255 it became lighter (darker below 0) than tones do outside all
    faces and than what is around it; the lesser of the two, for fading goes across a face's edge.

    Nothing where a face is too small, or faces leave too little outside.
    """
    outside = seen.copy()
    for box in faces:
        outside &= ~_place_of(box, before.shape, BESIDE)
    if not faces or outside.mean() < LEAST_OUTSIDE:
        return [{} for _ in faces]
    apart = 255 * (after - fit_tones(before, after, outside))
    return [_shade(apart, box, seen, outside) for box in faces]


def _shade(apart: Image, box: Box, seen: Area, outside: Area) -> dict[str, float]:
    core = _place_of(box, apart.shape, CORE) & seen
    around = _place_of(box, apart.shape, AROUND) & outside
    if min(int(core.sum()), int(around.sum())) < SMALLEST_FACE:
        return {}
    own = float(apart[core].mean())
    beside = own - float(np.median(apart[around]))
    lesser = own if abs(own) < abs(beside) else beside
    return {"shade": round(lesser, 2) if own * beside > 0 else 0.0}


def _place_of(box: Box, shape: tuple[int, ...], grow: float) -> Area:
    """True in the box (in fractions), widened on each side by a share of it."""
    area = np.zeros(shape, bool)
    top, left = box[1] - grow * box[3], box[0] - grow * box[2]
    bottom, right = box[1] + (1 + grow) * box[3], box[0] + (1 + grow) * box[2]
    rows = slice(max(0, round(top * shape[0])), max(0, round(bottom * shape[0])))
    area[rows, max(0, round(left * shape[1])) : max(0, round(right * shape[1]))] = True
    return area


def _most(part: Image) -> float:
    return round(float(part.max()), 3) if part.size else 0.0


def _worst(said: list[str]) -> str:
    return max(said, key=ORDER.index, default="pass")
