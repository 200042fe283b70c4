"""What a step is handed and what it hands back."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from restoration.engine import faces as looking
from restoration.engine.faces import Box
from restoration.engine.luma import luma
from restoration.engine.plan import Dab, FaceBox, Prompt, Region

Image = NDArray[np.float32]
Mask = NDArray[np.uint8]
Progress = Callable[[float, NDArray[Any] | None], None]
LOADING = "load"  # what a run says while it reads a model


def silent(fraction: float, preview: NDArray[Any] | None = None) -> None:
    """Nobody listens."""


def _unheard() -> None:
    """Nobody waits."""


@dataclass(frozen=True)
class StepContext:
    """All a step may know. Arrays are read, never written.

    image, reference: float32 HxWx3 RGB in [0, 1]; reference is the scan and may be of another size.
    begun: the picture as this run began, before any step but the one that takes a press's dots
    away; of another size once one has enlarged it.
    mask: uint8 HxW, 255 where the volunteer says damage is, None to look for it.
    faces: where somebody says that faces are; None: nobody said. find_faces: those that are found
    count besides.
    repaired: bool HxW at the image's size: filled by earlier versions or earlier steps.
    maps, meters: what the steps before have put down, by name.
    progress(fraction of this step, preview or None): may raise Cancelled; call it often.
    loading(): the same while a model is read, which is no work on the picture yet.
    """

    image: Image
    reference: Image
    begun: Image | None = None
    mask: Mask | None = None
    repaired: NDArray[np.bool_] | None = None
    prompt: Prompt | None = None
    dabs: tuple[Dab, ...] = ()
    regions: tuple[Region, ...] = ()
    faces: tuple[FaceBox, ...] | None = None
    find_faces: bool = False
    seed: int = 0
    workshop: Any = None
    maps: Mapping[str, Mask] = field(default_factory=dict)
    meters: Mapping[str, Any] = field(default_factory=dict)
    progress: Progress = silent
    loading: Callable[[], None] = _unheard


@dataclass(frozen=True)
class StepResult:
    """The picture after the step; maps uint8 HxW; meters, notes and record JSON-able.

    A note is {"code": ..., "facts": {...}}: a legitimate no-op says so there.
    """

    image: Image
    maps: dict[str, Mask] = field(default_factory=dict)
    meters: dict[str, Any] = field(default_factory=dict)
    notes: list[dict[str, Any]] = field(default_factory=list)
    record: dict[str, Any] = field(default_factory=dict)


def faces_on(context: StepContext) -> list[Box]:
    """The faces a person drew or left standing; else those assessed; else those found now. Who drew
    some without having seen what is found has these besides."""
    if context.faces is None:
        return _found(context)
    drawn = [(face.x, face.y, face.width, face.height) for face in context.faces]
    if not context.find_faces:
        return drawn
    others = [box for box in _found(context) if not any(face.meets(box) for face in context.faces)]
    return drawn + others


def _found(context: StepContext) -> list[Box]:
    assessed = context.meters.get("assess") or {}
    if "faces" in assessed:
        return [tuple(box) for box in assessed["faces"]]
    return looking.find(luma(context.reference))


def note(code: str, **facts: Any) -> dict[str, Any]:
    return {"code": code, "facts": facts}
