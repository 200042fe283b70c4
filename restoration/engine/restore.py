"""Runs a plan on a picture: step after step, loudly, and the guard always last."""

import importlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from restoration.engine.catalog import entry
from restoration.engine.errors import OutOfMemory, StepFailed, Unfit
from restoration.engine.image import check_image, check_mask, resize_mask, thumbnail
from restoration.engine.plan import Plan, StepPlan
from restoration.engine.step import LOADING, Image, Mask, Progress, StepContext, StepResult

# Rough share of the time each step takes, for an honest bar; redraw runs on another machine.
EFFORT = {
    "assess": 3, "descreen": 1, "tone": 1, "repair": 4, "denoise": 6, "redraw": 12, "colourise": 4,
    "upscale": 2, "guard": 4,
}  # fmt: skip
BEFORE = ("descreen",)  # dots of a press are no dust: damage is looked for without them


class Report(Protocol):
    """Told where the job is: fraction of the whole job in [0, 1]; may raise Cancelled."""

    def __call__(self, step: str, fraction: float, preview: NDArray[Any] | None = None) -> None: ...


@dataclass(frozen=True)
class Inputs:
    """What belongs to the picture beside the plan.

    mask: uint8 HxW, 255 where to repair, None to look for damage.
    reference: float32 HxWx3, the scan the result is judged against; None: the picture itself.
    repaired: bool HxW, what the ancestors of this picture already filled.
    """

    mask: Mask | None = None
    reference: Image | None = None
    repaired: NDArray[np.bool_] | None = None


@dataclass(frozen=True)
class Restored:
    """The result: float32 HxWx3 RGB in [0, 1], maps uint8 HxW of its size, meters by step name,
    one record a step (with its seconds), and notes."""

    image: Image
    maps: dict[str, Mask] = field(default_factory=dict)
    meters: dict[str, Any] = field(default_factory=dict)
    records: list[dict[str, Any]] = field(default_factory=list)
    notes: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class _Run:
    """The job as it stands between two steps."""

    image: Image
    repaired: NDArray[np.bool_]
    maps: dict[str, Mask] = field(default_factory=dict)
    meters: dict[str, Any] = field(default_factory=dict)
    records: list[dict[str, Any]] = field(default_factory=list)
    notes: list[dict[str, Any]] = field(default_factory=list)


def restore(image: Image, plan: Plan, inputs: Inputs, workshop: Any, report: Report) -> Restored:
    """Runs every step of the plan; the same plan and arrays give the same bytes.

    image: float32 HxWx3 RGB in [0, 1], 16 px to 100 MP. Raises BadInput at the door, StepFailed,
    OutOfMemory, and whatever `report` raises (Cancelled).
    """
    run = _begin(image, inputs)
    reference = image if inputs.reference is None else check_image(inputs.reference)
    total = sum(EFFORT[step.name] for step in plan.steps)
    done, begun = 0, image
    for step in plan.steps:
        share = EFFORT[step.name] / total
        progress = _progress(report, step.name, done / total, share)
        progress(0.0, None)
        context = _context(run, plan, inputs, reference, workshop, progress)
        loading = partial(report, LOADING, done / total)
        _take(run, step, replace(context, begun=begun, loading=loading))
        if step.name in BEFORE:
            begun = run.image
        done += EFFORT[step.name]
        progress(1.0, thumbnail(run.image))
    return Restored(run.image, run.maps, run.meters, run.records, run.notes)


def _begin(image: Image, inputs: Inputs) -> _Run:
    check_image(image)
    if inputs.mask is not None:
        check_mask(inputs.mask, image.shape)
    if inputs.repaired is None:
        return _Run(image, np.zeros(image.shape[:2], bool))
    check_mask(inputs.repaired.astype(np.uint8), image.shape)
    return _Run(image, inputs.repaired.astype(bool))


def _progress(report: Report, name: str, start: float, share: float) -> Progress:
    def progress(fraction: float, preview: NDArray[Any] | None = None) -> None:
        report(name, min(1.0, start + share * fraction), preview)

    return progress


def _context(
    run: _Run, plan: Plan, inputs: Inputs, reference: Image, workshop: Any, progress: Progress
) -> StepContext:
    return StepContext(
        image=run.image,
        reference=reference,
        mask=inputs.mask,
        repaired=run.repaired,
        prompt=plan.prompt,
        dabs=plan.dabs,
        regions=plan.regions,
        faces=plan.faces,
        find_faces=plan.find_faces,
        seed=plan.seed,
        workshop=workshop,
        maps=run.maps,
        meters=run.meters,
        progress=progress,
    )


def _take(run: _Run, step: StepPlan, context: StepContext) -> None:
    """Runs one step and takes over what it hands back."""
    started = time.perf_counter()
    result = _performed(step, context)
    seconds = round(time.perf_counter() - started, 3)
    _check_result(step, result)
    if result.image.shape != run.image.shape:
        _rescale(run, *result.image.shape[:2])
    run.image = result.image
    run.maps.update(result.maps)
    if "repaired" in result.maps:
        run.repaired = run.repaired | (result.maps["repaired"] > 0)
    run.meters[step.name] = result.meters
    run.notes += [{"step": step.name, **told} for told in result.notes]
    run.records.append(
        {
            "step": step.name,
            "backend": step.backend,
            "settings": dict(step.settings),
            "seconds": seconds,
            **result.record,
        }
    )


def _performed(step: StepPlan, context: StepContext) -> StepResult:
    try:
        return _function(step)(context, step.settings)
    except MemoryError as error:
        height, width = context.image.shape[:2]
        facts = {"step": step.name, "width": width, "height": height}
        raise OutOfMemory("out-of-memory", facts) from error


def _function(step: StepPlan) -> Callable[..., StepResult]:
    module, name = entry(step.name, step.backend).split(":")
    try:
        found: Callable[..., StepResult] = getattr(importlib.import_module(module), name)
    except ImportError as error:
        facts = {"step": step.name, "backend": step.backend, "detail": str(error)[:200]}
        raise Unfit("backend-unavailable", facts) from error
    return found


def _check_result(step: StepPlan, result: StepResult) -> None:
    """A NaN or a flat black picture must fail the job, not be kept as a version."""
    image = result.image
    right = image.dtype == np.float32 and image.ndim == 3 and image.shape[2] == 3
    if not right or not (float(image.min()) >= 0.0 and float(image.max()) <= 1.0):
        raise StepFailed("step-output", {"step": step.name, "shape": list(image.shape)})


def _rescale(run: _Run, height: int, width: int) -> None:
    """Brings everything measured so far to the size the picture has now."""
    run.maps = {name: resize_mask(found, height, width) for name, found in run.maps.items()}
    larger = resize_mask(run.repaired.astype(np.uint8), height, width)
    run.repaired = larger > 0
