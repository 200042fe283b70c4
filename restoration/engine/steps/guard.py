"""Measures how far the result is from the scan, and says pass, review or fail.

The comparison is made where noise averages out (luma blurred by 2 px) and after the scan has been
given the result's own tones by a monotone fit, so that a cleaner, brighter print of the same
picture passes and another nose does not. Gates were calibrated on grey test pictures with noise:
denoising and sharpening stay above .89 in the worst block, a feature moved by 5 px falls to .5, a
replaced face to 0.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.metrics import structural_similarity

from restoration.engine import measure
from restoration.engine.errors import BadInput
from restoration.engine.faces import Box
from restoration.engine.image import check_image, resize, resize_mask
from restoration.engine.luma import Image, luma
from restoration.engine.step import Mask, StepContext, StepResult, faces_on

Area = NDArray[np.bool_]

LONG_SIDE = 2400  # larger pictures are compared at this size
BLUR = 2.0
BLOCK = 32
SMALLEST_FACE = 12  # pixels; below it nothing can be said about a face


@dataclass(frozen=True)
class Gates:
    """Changed area in percent, worst block SSIM, ratio of fine detail, filled area in percent."""

    pass_changed: float
    fail_changed: float
    pass_block: float
    fail_block: float


PICTURE = Gates(pass_changed=2.0, fail_changed=5.0, pass_block=0.85, fail_block=0.70)
FACE = Gates(pass_changed=1.0, fail_changed=5.0, pass_block=0.90, fail_block=0.80)
MOST_DETAIL = 1.6
COLOURED = 25  # the weight, of 255, from which a colour can be seen
MOST_FILLED = 5.0
ORDER = ("pass", "review", "fail")


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
    return round(float((found > COLOURED).mean()), 5)


def judge(
    result: Image, reference: Image, *, repaired: Area | None, faces: list[Box]
) -> tuple[dict[str, Any], dict[str, Mask]]:
    """Compares two float32 HxWx3 pictures of one view; sizes may differ by a common scale.

    repaired: bool HxW at the result's size, declared fill, left out of the comparison.
    Meters: changed_area and filled_area in percent, worst_block, p5_block, detail_ratio, faces,
    verdict, reasons. Maps at the result's size: changed (0-255 by how much), repaired.
    """
    check_image(result)
    check_image(reference)
    height, width = result.shape[:2]
    filled = np.zeros((height, width), bool) if repaired is None else repaired.astype(bool)
    before, after, left_out = _at_one_size(reference, result, filled)
    seen = compare(before, after, left_out)
    meters: dict[str, Any] = {
        "changed_area": round(100 * float(seen.changed.mean()), 3),
        "worst_block": round(float(seen.blocks.min()), 3),
        "p5_block": round(float(np.quantile(seen.blocks, 0.05)), 3),
        "detail_ratio": round(seen.detail, 3),
        "filled_area": round(100 * float(filled.mean()), 3),
        "faces": [_face(seen, box) for box in faces],
    }
    meters |= verdict(meters)
    heat = np.where(seen.changed, np.clip(64 * seen.excess, 40, 255), 0).astype(np.uint8)
    maps = {"changed": resize_mask(heat, height, width)}
    maps["repaired"] = filled.astype(np.uint8) * 255
    return meters, maps


def verdict(meters: dict[str, Any]) -> dict[str, Any]:
    """The worst of all gates, and the codes of those that did not pass."""
    found = {
        "changed-area": _above(meters["changed_area"], PICTURE),
        "worst-block": _below(meters["worst_block"], PICTURE),
        "too-much-detail": "review" if meters["detail_ratio"] > MOST_DETAIL else "pass",
        "large-fill": "review" if meters["filled_area"] > MOST_FILLED else "pass",
        "face": _worst([face["verdict"] for face in meters["faces"]]),
    }
    reasons = [code for code, said in found.items() if said != "pass"]
    return {"verdict": _worst(list(found.values())), "reasons": reasons}


@dataclass(frozen=True)
class Comparison:
    """changed: bool HxW; excess: difference over its threshold; blocks: local mean SSIM."""

    changed: Area
    excess: Image
    blocks: Image
    similarity: Image
    detail: float


def compare(before: Image, after: Image, left_out: Area) -> Comparison:
    """Two lumas HxW in [0, 1]; what is left out counts as unchanged."""
    near = ndimage.binary_dilation(left_out, iterations=2) if left_out.any() else left_out
    fitted = 255 * fit_tones(before, after, ~near)
    shown = np.where(near, fitted, 255 * after).astype(np.float32)
    first, second = (ndimage.gaussian_filter(found, BLUR) for found in (fitted, shown))
    noise = measure.noise_sigma(before)
    threshold = 6 + 3 * noise / (2 * np.sqrt(np.pi) * BLUR)
    excess = np.abs(first - second) / threshold
    similarity = structural_similarity(
        first, second, data_range=255, full=True, gaussian_weights=True, sigma=3.0,
        use_sample_covariance=False,
    )[1].astype(np.float32)  # fmt: skip
    blocks = _inner(ndimage.uniform_filter(similarity, BLOCK), BLOCK // 2)
    return Comparison(excess > 1, excess, blocks, similarity, _detail(fitted, shown, noise))


def fit_tones(before: Image, after: Image, counted: Area, bins: int = 32) -> Image:
    """`before` through the monotone curve (medians of quantile bins) that best gives `after`."""
    if counted.sum() < 1000:
        counted = np.ones(before.shape, bool)
    source, target = before[counted], after[counted]
    edges = np.unique(np.quantile(source, np.linspace(0, 1, bins + 1)))
    edges = np.unique(np.concatenate([edges, np.linspace(source.min(), source.max(), bins + 1)]))
    place = np.clip(np.searchsorted(edges, source, side="right") - 1, 0, max(0, len(edges) - 2))
    order = np.argsort(place, kind="stable")
    parts = np.split(order, np.searchsorted(place[order], np.arange(1, max(1, len(edges) - 1))))
    pairs = [
        (float(np.median(source[part])), float(np.median(target[part])))
        for part in parts
        if len(part) > 20
    ]
    x, y = np.array([pair[0] for pair in pairs]), np.array([pair[1] for pair in pairs])
    x, y = _with_ends(x, np.maximum.accumulate(y))
    return np.asarray(np.interp(before, x, y), dtype=np.float32)


def _with_ends(
    x: NDArray[np.float64], y: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The curve drawn on to 0 and 1 with its own slope at either end: tails are no change."""
    if len(x) < 2 or x[-1] - x[0] < 1e-3:
        return np.array([0.0, 1.0]), np.array([y.mean()] * 2)
    near = max(1, len(x) // 12)
    low = (y[near] - y[0]) / max(x[near] - x[0], 1e-4)
    high = (y[-1] - y[-1 - near]) / max(x[-1] - x[-1 - near], 1e-4)
    first = y[0] - np.clip(low, 0, 3) * x[0]
    last = y[-1] + np.clip(high, 0, 3) * (1 - x[-1])
    ends = np.clip([first, last], 0, 1)
    inner = (x > 0) & (x < 1)
    found = np.concatenate([ends[:1], y[inner], ends[1:]])
    return np.concatenate([[0.0], x[inner], [1.0]]), found


def _detail(before: Image, after: Image, noise: float) -> float:
    """Fine detail of the result over that of the scan, the scan's noise taken off."""
    had = float(np.var(before - ndimage.gaussian_filter(before, 1.5)))
    was = max(had - (0.93 * noise) ** 2, 0.25 * had, 1.0)
    now = float(np.var(after - ndimage.gaussian_filter(after, 1.5)))
    return float(np.sqrt(now / was)) if now > 1.0 else 1.0


def _at_one_size(reference: Image, result: Image, filled: Area) -> tuple[Image, Image, Area]:
    """Lumas of both at the smaller size of the two (and at most LONG_SIDE)."""
    height, width = reference.shape[:2]
    tall, wide = result.shape[:2]
    if abs(tall / height - wide / width) * max(height, width) > 1.5 * max(1, tall / height):
        facts = {"reference": [width, height], "result": [wide, tall]}
        raise BadInput("another-shape", facts)
    scale = min(1.0, LONG_SIDE / max(height, width), max(tall, wide) / max(height, width))
    size = (max(16, round(height * scale)), max(16, round(width * scale)))
    return _sized(luma(reference), size), _sized(luma(result), size), _covered(filled, size)


def _sized(light: Image, size: tuple[int, int]) -> Image:
    return light if light.shape == size else np.clip(resize(light, *size), 0, 1)


def _covered(filled: Area, size: tuple[int, int]) -> Area:
    """Also a filled pixel that falls between two of the smaller grid is left out."""
    step = max(1, round(filled.shape[0] / size[0]))
    wide = ndimage.maximum_filter(filled.astype(np.uint8), step) if step > 1 else filled
    return resize_mask(wide.astype(np.uint8), *size) > 0


def _face(seen: Comparison, box: Box) -> dict[str, Any]:
    height, width = seen.changed.shape
    top, left = int(box[1] * height), int(box[0] * width)
    bottom, right = int((box[1] + box[3]) * height) + 1, int((box[0] + box[2]) * width) + 1
    area = (slice(max(0, top), bottom), slice(max(0, left), right))
    told: dict[str, Any] = {"box": [float(value) for value in box]}
    side = min(seen.changed[area].shape)
    if side < SMALLEST_FACE:
        return told | {"verdict": "pass", "too_small": True}
    changed = 100 * float(seen.changed[area].mean())
    block = min(BLOCK, max(8, side // 2))
    inner = _inner(ndimage.uniform_filter(seen.similarity[area], block), block // 2)
    worst = float(inner.min())
    said = _worst([_above(changed, FACE), _below(worst, FACE)])
    return told | {
        "changed": round(changed, 3), "worst_block": round(worst, 3), "verdict": said
    }  # fmt: skip


def _inner(blocks: Image, margin: int) -> Image:
    """Without the rim, where a block would hang over the edge; all of it when that is nothing."""
    inner = blocks[margin:-margin, margin:-margin]
    return inner if inner.size else blocks


def _above(value: float, gates: Gates) -> str:
    if value > gates.fail_changed:
        return "fail"
    return "pass" if value <= gates.pass_changed else "review"


def _below(value: float, gates: Gates) -> str:
    if value < gates.fail_block:
        return "fail"
    return "pass" if value >= gates.pass_block else "review"


def _worst(said: list[str]) -> str:
    return max(said, key=ORDER.index, default="pass")
