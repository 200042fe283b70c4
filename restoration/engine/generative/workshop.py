"""Where loaded models wait for the next job: one set of weights each, shared between steps.

Only safetensors, only from the operator's folder, only what a lock lists, never from the network.
"""

import gc
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from restoration.engine.errors import DeviceLost, OutOfMemory, Unfit
from restoration.engine.generative import memory, parts
from restoration.engine.generative.memory import FORGIVEN, GIB, RESERVE, Rung
from restoration.engine.generative.pipelines import (
    arguments,
    hush,
    laid_on,
    own_scheduler,
    pipeline_class,
    quiet_extras,
)
from restoration.engine.generative.registry import (
    Family,
    Model,
    ModelInfo,
    available,
    can_run,
    family_of,
    lacking,
)
from restoration.engine.generative.weights import Weights, held, unready, verified

# Loading patches torch for the whole process while it lasts, so only one at a time may.
_building = threading.RLock()

# What a loader says of files that are not what they should be.
BROKEN = (OSError, ValueError, KeyError, TypeError, AttributeError, ImportError)
Bucket = tuple[str, str, int]


def _nobody() -> None:
    """Nobody hears how the loading goes."""


@dataclass
class Loaded:
    """A model's parts in memory, which weights they are, and how many jobs hold them.

    offloaded: the parts rest in RAM and visit the card one by one, since when.
    """

    info: ModelInfo
    parts: dict[str, Any]
    extras: dict[str, Any]
    weights: Weights
    offloaded: bool = False
    users: int = 0
    since: float = field(default_factory=time.monotonic)


@dataclass(frozen=True)
class Tool:
    """A pipeline lent to one job: its own object and scheduler around shared networks."""

    pipeline: Any
    model: Model
    family: Family
    weights: Weights
    device: str
    dtype: str


@dataclass
class Workshop:
    """Loads models when they are first asked for and forgets the least used when room is short.

    device: 'cpu', 'cuda', 'cuda:1' or 'auto', which is decided at the first use; dtype: a torch
    dtype's name or 'auto' (the family's on a GPU, float32 on a CPU); budget_gb: for weights and
    work together, None for most of the memory; most_pixels: never work on more than this,
    whatever the model could.
    worked: by model, pipeline and size, the rung of the ladder on which a job got through, and
    when that was found out.
    """

    models_dir: Path
    device: str = "auto"
    dtype: str = "auto"
    budget_gb: float | None = None
    most_pixels: int | None = None
    worked: dict[Bucket, tuple[int, float]] = field(default_factory=dict, repr=False)
    _loaded: OrderedDict[str, Loaded] = field(default_factory=OrderedDict, repr=False)
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)
    _drawing: threading.RLock = field(default_factory=threading.RLock, repr=False)

    def __post_init__(self) -> None:
        self.models_dir = Path(self.models_dir)

    @contextmanager
    def lend(
        self, step: str, name: str = "auto", told: Callable[[], None] = _nobody
    ) -> Iterator[Tool]:
        """Lend a pipeline for a step ('redraw', 'repair') by model name, or the first that can.

        `told` is called time and again while the model is read; what it raises ends the loading.
        Raises Unfit 'model-missing', 'model-refused', 'model-broken', 'weights-changed' or
        'backend-unavailable', OutOfMemory when the weights do not fit, and DeviceLost whatever it
        was in which the card failed, the borrower's own work included.
        """
        info = self.find(step, name)
        with memory.judged(step=step, model=info.model.name):
            loaded = self._taken(info, step, told)
            try:
                yield self._tool(info.model, loaded, step)
            finally:
                with self._lock:
                    loaded.users -= 1

    def find(self, step: str, name: str = "auto") -> ModelInfo:
        """Return the model that would be lent; imports nothing heavy."""
        if not can_run():
            raise Unfit("backend-unavailable", {"step": step, "backend": "generative"})
        able = [info for info in ready(self.models_dir) if step in info.model.pipelines]
        named = [info for info in able if name in ("auto", info.model.name)]
        usable = next((info for info in named if info.usable), None)
        if usable is not None:
            return usable
        facts: dict[str, Any] = {"step": step, "model": name}
        if named:
            refused = {info.model.name: info.reason for info in named}
            library = lacking(named[0].model)
            if library and named[0].reason == f"{library}-missing":
                told = {"label": named[0].model.label, "library": library}
                raise Unfit("library-missing", {**facts, **told})
            raise Unfit("model-refused", {**facts, "refused": refused})
        usable_names = [info.model.name for info in able if info.usable]
        raise Unfit("model-missing", {**facts, "known": usable_names})

    def loaded(self) -> list[str]:
        """Return the names of the models in memory, the least recently used first."""
        with self._lock:
            return list(self._loaded)

    def release(self, keep: str = "") -> None:
        """Forget every model that no job holds, but the one named `keep`."""
        with self._lock:
            for name in [name for name, each in self._loaded.items() if not each.users]:
                if name != keep:
                    self._forget(name)
        self.tidy()

    def _forget(self, name: str) -> None:
        """Let go of a model, and of what its jobs had to give up: next time there may be room."""
        del self._loaded[name]
        for bucket in [bucket for bucket in self.worked if bucket[0] == name]:
            del self.worked[bucket]

    def begin_at(self, bucket: Bucket) -> int:
        """Return the rung on which such a job got through lately, else the first.

        One passing shortage shall not make pictures smaller until the worker ends.
        """
        index, found_at = self.worked.get(bucket, (0, 0.0))
        return index if time.monotonic() - found_at < FORGIVEN else 0

    def got_through(self, bucket: Bucket, index: int) -> None:
        """Keep the rung; one that was only begun at again is as old as it was."""
        if index == 0 or index != self.begin_at(bucket):
            self.worked[bucket] = index, time.monotonic()

    def tidy(self) -> None:
        """Give memory that nothing refers to back to the machine. Raises DeviceLost."""
        import torch

        gc.collect()
        if torch.cuda.is_available():
            with memory.judged():
                torch.cuda.empty_cache()

    def budget(self) -> float:
        """Return the bytes that weights and work may take together. Raises DeviceLost."""
        if self.budget_gb:
            return self.budget_gb * GIB
        import torch

        if self._device().startswith("cuda"):
            # What others hold of the card is not ours; what torch keeps for us is.
            with memory.judged():
                free, _ = torch.cuda.mem_get_info(self._device())
                return float(free + torch.cuda.memory_reserved(self._device()))
        return memory.ram()

    def resident(self) -> int:
        """Return the bytes of all weights in the working memory; shared ones count once."""
        with self._lock:
            every = [
                part
                for each in self._loaded.values()
                if not each.offloaded
                for part in memory.networks(each.parts)
            ]
        return memory.footprint(every)

    def needed(self, tool: Tool, pixels: int, rung: Rung) -> int:
        """Return the bytes that a job over so many pixels takes on this rung, all in all."""
        drawn = memory.work(
            tool.family,
            tool.pipeline.vae,
            int(pixels * rung.share),
            tool.pipeline.vae.dtype.itemsize,
            tiled=rung.tiled,
        )
        others = 0 if rung.alone else self.resident()
        if rung.offloaded or self._visits(tool.model):
            return others + memory.visiting(tool.pipeline, drawn) + RESERVE
        own = memory.networks(tool.pipeline.components)
        return (others or memory.footprint(own)) + drawn + RESERVE

    def _visits(self, model: Model) -> bool:
        """Say whether the model rests in RAM, its parts on the card only while they work."""
        loaded = self._loaded.get(model.name)
        return loaded is not None and loaded.offloaded

    def fits(self, tool: Tool, pixels: int, rung: Rung) -> bool:
        """Say whether such a job should get through; an estimate, so the last rung is tried."""
        return self.needed(tool, pixels, rung) <= self.budget()

    @contextmanager
    def giving_up(self, tool: Tool, rung: Rung) -> Iterator[None]:
        """Do without what the rung names; the autoencoder is as it was afterwards.

        One job draws at a time: its autoencoder is the next one's, and what fits is for one alone.
        """
        with self._drawing:
            if rung.alone:
                self.release(keep=tool.model.name)
            if rung.offloaded:
                self._offload(tool)
            vae = tool.pipeline.vae
            tiles = memory.as_it_was(vae, tiled=rung.tiled, sliced=True)
            with memory.sent_home(tool.pipeline), tiles:
                yield

    def _offload(self, tool: Tool) -> None:
        """Keep the model in RAM from now on; its parts cannot be brought back without a reload.

        Raises MemoryError where the RAM cannot hold it: the system would end this process.
        """
        with self._lock:
            loaded = self._loaded.get(tool.model.name)
            if loaded is not None and not loaded.offloaded:
                own = memory.footprint(memory.networks(loaded.parts))
                if own > self._rest():
                    raise MemoryError("the main memory has no room for what leaves the card")
                loaded.offloaded, loaded.since = True, time.monotonic()
                tool.pipeline.enable_model_cpu_offload(device=tool.device)
        self.tidy()

    def _taken(self, info: ModelInfo, step: str, told: Callable[[], None]) -> Loaded:
        with self._lock, _building:
            loaded = self._loaded.get(info.model.name)
            if loaded is not None and self._may_return(loaded):
                loaded = None
                self._forget(info.model.name)
                self.tidy()
            if loaded is None:
                with held(info.paths):  # the folders stay where they are until all of it is in
                    loaded = self._load(info, step, told)
                self._loaded[info.model.name] = loaded
            self._loaded.move_to_end(info.model.name)
            loaded.users += 1
            return loaded

    def _may_return(self, loaded: Loaded) -> bool:
        """Say whether a model that had to leave the card may be loaded onto it anew.

        With its work, or the first job would send it away again.
        """
        if not loaded.offloaded or loaded.users or time.monotonic() - loaded.since < FORGIVEN:
            return False
        model, vae = loaded.info.model, loaded.parts.get("vae")
        family = family_of(model)
        pixels = min(family.max_pixels, self.most_pixels or family.max_pixels)
        drawn = memory.work(family, vae, pixels, self._element(model), tiled=True)
        own = memory.footprint(memory.networks(loaded.parts))
        return own + drawn + self.resident() + RESERVE <= self.budget()

    def _load(self, info: ModelInfo, step: str, told: Callable[[], None]) -> Loaded:
        """Read a model; when memory runs out, without the others, and at last part by part."""
        self._require_card()
        base, weights = parts.weighed(info, step, lambda _count: told())
        offloaded = self._make_room(info.model, weights, step)
        detail = ""
        rests = self._bytes(info.model, weights) <= self._rest()
        for goes_in_parts, alone in self._ways(offloaded=offloaded, rests=rests):
            if alone:
                self.release()
            told()
            try:
                return self._built(info, step, (base, weights), goes_in_parts, told)
            except (RuntimeError, MemoryError) as error:
                self._refuse_broken(info, step, error)
                detail = str(error)[:200]
            # Out here the traceback, and every tensor that it holds, is gone.
            self.tidy()
        sizes = self._sizes(info.model, weights)
        raise OutOfMemory(
            "out-of-memory", {"step": step, "model": info.model.name, **sizes, "detail": detail}
        )

    def _ways(self, *, offloaded: bool, rests: bool) -> list[tuple[bool, bool]]:
        """Return how to load, one way after the other: whether part by part, and alone.

        rests: whether the RAM could hold what is not on the card.
        """
        ways = [(offloaded, False)]
        if any(not each.users for each in self._loaded.values()):
            ways.append((offloaded, True))
        if self._device().startswith("cuda") and rests and not offloaded:
            ways.append((True, True))
        return ways

    def _built(
        self,
        info: ModelInfo,
        step: str,
        found: tuple[Weights, Weights],
        offloaded: bool,
        told: Callable[[], None],
    ) -> Loaded:
        base, weights = found
        pipeline = self._pipeline(info, step, base.variant, offloaded)
        if not offloaded:
            for part in memory.networks(pipeline.components):
                told()
                part.to(self._device())
            pipeline.to(self._device())
        told()
        extras = {
            name: value for name, value in pipeline.config.items() if not name.startswith("_")
        }
        return Loaded(info, dict(pipeline.components), extras, weights, offloaded)

    def _refuse_broken(self, info: ModelInfo, step: str, error: BaseException) -> None:
        """Return when memory ran out; a card is lost, and else the model is what is broken."""
        memory.refuse_lost(error)
        if not memory.is_out_of_memory(error):
            facts = {"step": step, "model": info.model.name, "detail": str(error)[:200]}
            raise Unfit("model-broken", facts) from error

    def _pipeline(self, info: ModelInfo, step: str, variant: str | None, offloaded: bool) -> Any:
        os.environ["HF_HUB_OFFLINE"] = "1"
        import torch
        from safetensors import SafetensorError

        hush()
        kind = pipeline_class(info.model.pipelines[step])
        unneeded = {"safety_checker", "feature_extractor", "image_encoder"} & set(arguments(kind))
        dtype = getattr(torch, self._dtype(info.model))
        try:
            pipeline = kind.from_pretrained(
                info.path,
                dtype=dtype,
                variant=variant,
                local_files_only=True,
                use_safetensors=True,
                **dict.fromkeys(unneeded),
                **quiet_extras(kind),
                **parts.networks(info, dtype),
                # What visits the card part by part takes its networks along when it leaves.
                **({} if offloaded else self._shared(info, kind)),
            )
            parts.require_words(pipeline)
            parts.lay_on(pipeline, info)
        except (*BROKEN, SafetensorError) as error:
            facts = {"step": step, "model": info.model.name, "detail": str(error)[:200]}
            raise Unfit("model-broken", facts) from error
        return pipeline

    def _shared(self, info: ModelInfo, kind: Any) -> dict[str, Any]:
        """Return the networks that a model of the same base has here; a LoRA changes them."""
        if laid_on(info.model):
            return {}
        siblings = [
            each
            for each in self._loaded.values()
            if each.info.path == info.path
            and not laid_on(each.info.model)
            and not each.offloaded
            and verified(info.path).files.items() <= each.weights.files.items()
        ]
        found = {
            name: part
            for each in siblings
            for name, part in each.parts.items()
            if name != "scheduler" and part is not None
        }
        own = {part.kind for part in info.model.parts}
        return {name: found[name] for name in arguments(kind) if name in found and name not in own}

    def _tool(self, model: Model, loaded: Loaded, step: str) -> Tool:
        kind = pipeline_class(model.pipelines[step])
        own = {**loaded.parts, "scheduler": own_scheduler(model, loaded.parts["scheduler"])}
        known = arguments(kind)
        extras = {
            name: value
            for name, value in loaded.extras.items()
            if name in known and name not in own
        }
        pipeline = kind(**own, **{**extras, **quiet_extras(kind)})
        pipeline.set_progress_bar_config(disable=True)
        if loaded.offloaded:
            pipeline.enable_model_cpu_offload(device=self._device())
        return Tool(
            pipeline, model, family_of(model), loaded.weights, self._device(), self._dtype(model)
        )

    def _make_room(self, model: Model, weights: Weights, step: str) -> bool:
        """Forget the least used until the weights fit; return whether they go in part by part.

        Raises OutOfMemory when they do not fit at all: there is no card, or the RAM has no room for
        what would not be on it.
        """
        needed = self._needed(model, weights)
        for name in [name for name, each in self._loaded.items() if not each.users]:
            if self.resident() + needed <= self.budget():
                break
            self._forget(name)
            self.tidy()
        if needed <= self.budget():
            return False
        rest = self._rest() if self._device().startswith("cuda") else 0.0
        if rest and self._bytes(model, weights) <= rest:
            return True
        facts = {"step": step, "model": model.name, **self._sizes(model, weights)}
        raise OutOfMemory("out-of-memory", facts)

    def _rest(self) -> float:
        """Return the bytes of RAM for parts that visit the card from there, jobs' own apart."""
        with self._lock:
            held = [each for each in self._loaded.values() if each.users and each.offloaded]
        resting = memory.footprint([part for each in held for part in memory.networks(each.parts)])
        return max(0.0, memory.ram() - resting)

    def _bytes(self, model: Model, weights: Weights) -> int:
        return weights.at(self._element(model))

    def _element(self, model: Model) -> int:
        import torch

        return int(getattr(torch, self._dtype(model)).itemsize)

    def _needed(self, model: Model, weights: Weights) -> int:
        return self._bytes(model, weights) + RESERVE

    def _sizes(self, model: Model, weights: Weights) -> dict[str, float]:
        needed = self._needed(model, weights)
        return {"needs_gb": round(needed / GIB, 2), "has_gb": round(self.budget() / GIB, 2)}

    def _require_card(self) -> None:
        """A workshop that was opened for a card does not go on without one: that takes hours."""
        import torch

        if self._device().startswith("cuda") and not torch.cuda.is_available():
            raise DeviceLost("device-lost", {"detail": "there is no card any more"})

    def _device(self) -> str:
        import torch

        if self.device == "auto":
            self.device = "cuda" if torch.cuda.is_available() else "cpu"
        return self.device

    def _dtype(self, model: Model) -> str:
        family = family_of(model)
        if self.dtype != "auto":
            return family.dtype if self.dtype in family.never else self.dtype
        return family.dtype if self._device().startswith("cuda") else "float32"


def ready(models_dir: Path) -> list[ModelInfo]:
    """Return the models whose folder is there, usable and as locked, or with the reason why not."""
    return [
        replace(info, reason=next(filter(None, [info.reason, *map(unready, info.paths)]), ""))
        for info in available(models_dir)
    ]
