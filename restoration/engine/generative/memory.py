"""Whether a job fits into the memory, and what is given up, rung by rung, when it does not.

What hardly shows comes first, then what costs only time, and last what costs pixels, because a
picture should not depend on what else a card is busy with.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from restoration.engine.errors import DeviceLost, OutOfMemory
from restoration.engine.generative.registry import Family, work_bytes

if TYPE_CHECKING:
    from restoration.engine.generative.workshop import Tool, Workshop

GIB = 1 << 30
RESERVE = GIB  # beside weights and work: what libraries and fragments take
RAM_SHARE = 0.8
TILED_AT_LEAST = 0.26  # of the memory of a whole decode; InvokeAI measured it at 2560 by 1440
CONTAINER = Path("/sys/fs/cgroup/memory.max")

FORGIVEN = 600.0  # seconds: what memory wanted once may have been somebody else's doing
# What the card's libraries say when the card has no room for them; it is well otherwise.
NO_ROOM = ("can't allocate memory", "not enough memory", "out of memory")
NO_ROOM_ON_CARD = (
    "alloc_failed",
    "allocation_failed",
    "cublas_status_not_initialized",
    "unable to find an engine to execute",
    "unable to find a valid cudnn algorithm",
)

Made = TypeVar("Made")


@dataclass(frozen=True)
class Rung:
    """What is given up: the autoencoder works in tiles, other models leave the memory, this one
    is there only part by part, and only a share of the area is worked on at once."""

    tiled: bool = False
    alone: bool = False
    offloaded: bool = False
    share: float = 1.0

    def told(self) -> dict[str, Any]:
        return asdict(self)


LADDER = (
    Rung(),
    Rung(tiled=True),
    Rung(tiled=True, alone=True),
    Rung(tiled=True, alone=True, offloaded=True),
    Rung(tiled=True, alone=True, offloaded=True, share=0.75),
    Rung(tiled=True, alone=True, offloaded=True, share=0.5),
)


def climb(
    workshop: "Workshop",
    tool: "Tool",
    pixels: int,
    facts: dict[str, Any],
    attempt: Callable[[Rung], Made],
) -> tuple[Made, Rung]:
    """Run `attempt` on the first rung that should fit, and on the next ones when memory runs out.

    Begins where a picture of this size got through lately; the last rung is tried in any case.
    Raises OutOfMemory with `facts` and what was needed, DeviceLost, and whatever `attempt` raises.
    """
    ladder = rungs(tool.device)
    bucket = (tool.model.name, tool.pipeline.__class__.__name__, pixels // (1 << 18))
    for index in range(workshop.begin_at(bucket), len(ladder)):
        rung = ladder[index]
        if rung is not ladder[-1] and not workshop.fits(tool, pixels, rung):
            continue
        try:
            with workshop.giving_up(tool, rung):
                made = attempt(rung)
        except (RuntimeError, MemoryError) as error:
            refuse_other(error)
        else:
            workshop.got_through(bucket, index)
            return made, rung
        # Out here the traceback, and every tensor that it holds, is gone.
        workshop.tidy()
    workshop.release()
    raise OutOfMemory("out-of-memory", {**facts, **advice(workshop, tool, pixels)})


def rungs(device: str) -> Sequence[Rung]:
    """Return the ladder of a device: without a card there is nowhere to move weights to."""
    if device.startswith("cuda"):
        return LADDER
    plain = (Rung(rung.tiled, rung.alone, False, rung.share) for rung in LADDER)
    return tuple(dict.fromkeys(plain))


def advice(workshop: "Workshop", tool: "Tool", pixels: int) -> dict[str, Any]:
    """Return what was tried and what the machine has; half of the area is what may get through."""
    least = rungs(tool.device)[-1]
    return {
        "tried_share": least.share,
        "tried_pixels": int(pixels * least.share),
        "advised_pixels": int(pixels * least.share / 2),
        "needs_gb": round(workshop.needed(tool, pixels, least) / GIB, 2),
        "has_gb": round(workshop.budget() / GIB, 2),
    }


def refuse_other(error: BaseException) -> None:
    """Return when memory ran out, and raise anything else; DeviceLost when the card is lost."""
    if is_out_of_memory(error):
        return
    refuse_lost(error)
    raise error


def refuse_lost(error: BaseException) -> None:
    """Raise DeviceLost when this error says that the card is lost.

    After such an error every further call on the card fails, so the process has to go.
    """
    if is_lost(error):
        raise DeviceLost("device-lost", {"detail": str(error)[:200]}) from None


def is_lost(error: BaseException) -> bool:
    """Say whether this error tells of a lost card."""
    import torch

    broken = (DeviceLost, getattr(torch, "AcceleratorError", DeviceLost))
    told = isinstance(error, broken) or "CUDA error" in str(error)
    return told and not is_out_of_memory(error)


@contextmanager
def judged(**facts: Any) -> Iterator[None]:
    """Tell what the libraries say in here as `climb` does: OutOfMemory with `facts`, DeviceLost."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        refuse_other(error)
        detail = str(error)[:200]
        raise OutOfMemory("out-of-memory", {**facts, "detail": detail}) from None


def is_out_of_memory(error: BaseException) -> bool:
    """Say whether torch ran out of memory; on a CPU it says so with a plain RuntimeError."""
    import torch

    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    told = str(error).lower()
    return isinstance(error, RuntimeError) and any(
        words in told for words in (*NO_ROOM, *NO_ROOM_ON_CARD)
    )


def work(family: Family, vae: Any, pixels: int, element: int, *, tiled: bool) -> int:
    """Return the bytes that drawing so many pixels takes beside the weights."""
    whole = work_bytes(family, pixels, element)
    tile = tile_pixels(vae)
    if not tiled or not 0 < tile < pixels:
        return whole
    return max(work_bytes(family, tile, element, tiled=True), int(TILED_AT_LEAST * whole))


def visiting(pipeline: Any, drawn: int) -> int:
    """Return the bytes on the card at its fullest while a pipeline's parts visit it one by one.

    Those that its sequence names leave when the next one comes; any other stays until the end, as
    a ControlNet does beside its UNet. The autoencoder stays too: it encodes, which takes half of
    what decoding (`drawn`) takes, while the largest may still be there.
    """
    parts = {name: part for name, part in pipeline.components.items() if is_network(part)}
    named = (getattr(pipeline, "model_cpu_offload_seq", None) or "").split("->")
    leaving = [name for name in parts if name in named and name != "vae"]
    largest = max((footprint([parts[name]]) for name in leaving), default=0)
    staying = footprint([part for name, part in parts.items() if name not in leaving])
    return staying + max(largest + drawn // 2, drawn)


@contextmanager
def sent_home(pipeline: Any) -> Iterator[None]:
    """Let no part that visits the card stay there, however the work ends; raises DeviceLost.

    A move that ran out of memory leaves a network half here and half there, and the next job would
    be told of tensors on two devices.
    """
    leave = getattr(pipeline, "maybe_free_model_hooks", nothing)
    try:
        yield
    except BaseException as error:
        try:
            leave()
        except (RuntimeError, MemoryError) as more:
            if not is_lost(error):  # else that is what is told
                refuse_lost(more)
        raise
    leave()


def tile_pixels(vae: Any) -> int:
    """Return the area of the tiles that an autoencoder cuts itself, 0 when it cannot."""
    side = getattr(vae, "tile_sample_min_size", 0)
    tall = getattr(vae, "tile_sample_min_height", side)
    wide = getattr(vae, "tile_sample_min_width", side)
    return int(tall * wide)


@contextmanager
def as_it_was(vae: Any, *, tiled: bool, sliced: bool) -> Iterator[None]:
    """Let the autoencoder work in tiles or whole, one picture at a time; leave it as it was found.

    It is shared by all jobs: a flag that stays set, or a change of precision that an error left
    behind half-way, would change the next job's picture.
    """
    before = {name: getattr(vae, name, None) for name in ("use_tiling", "use_slicing")}
    dtype = vae.dtype
    for name, wanted in (("tiling", tiled), ("slicing", sliced)):
        # Never with arguments: given a size and no stride, one of them drops bands of the picture.
        getattr(vae, f"{'enable' if wanted else 'disable'}_{name}", nothing)()
    try:
        yield
    finally:
        for name, value in before.items():
            if value is not None:
                setattr(vae, name, value)
        if vae.dtype != dtype:
            vae.to(dtype)


def nothing() -> None:
    """Some autoencoders know no tiles."""


def footprint(parts: Sequence[Any]) -> int:
    """Return the bytes of all parameters and buffers of these networks, each counted once."""
    tensors = {}
    for part in parts:
        for tensor in (*part.parameters(), *part.buffers()):
            tensors[id(tensor)] = tensor.numel() * tensor.element_size()
    return sum(tensors.values())


def networks(parts: dict[str, Any]) -> list[Any]:
    """Return those parts of a pipeline that are networks."""
    return [part for part in parts.values() if is_network(part)]


def is_network(part: Any) -> bool:
    import torch

    return isinstance(part, torch.nn.Module)


def ram() -> float:
    """Return the bytes of RAM that models here may take: of the machine, or of the container."""
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    # Where there is no container, or one without a limit, there is no number to read.
    with suppress(OSError, ValueError):
        whole = min(whole, int(CONTAINER.read_text(encoding="ascii")))
    return RAM_SHARE * whole
