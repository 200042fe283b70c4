"""Which generative models are here, what is wrong with them, and who can run them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path

from restoration import machine, presence
from restoration.engine.errors import StepFailed
from restoration.engine.generative import weights
from restoration.engine.generative.registry import (
    NEEDED,
    ModelInfo,
    can_run,
    family_of,
    refusal,
)
from restoration.engine.generative.rows import MODELS, Model
from restoration.engine.generative.weights import Lock, Told
from restoration.fetching import WAITING

HERE, PARTLY, ABSENT, REFUSED = "here", "partly", "absent", "refused"


@dataclass(frozen=True)
class Stock:
    """One model as it is on this machine, and as it is offered by any.

    state: 'here', 'partly', 'absent' or 'refused', then with a `reason` code and maybe a `file`;
    size: bytes on the disk; trust, locked_at: of its base; verified: every byte was read and is
    right, None when nobody looked; lacking: libraries that are not installed here; unfit: why a
    worker on this machine does not offer what is here, a code.
    """

    name: str
    label: str
    family: str
    licence: str
    commercial: bool
    steps: list[str]
    state: str
    reason: str
    file: str
    size: int
    repository: str
    revision: str
    trust: str
    locked_at: str
    verified: bool | None
    memory_gb: float
    lacking: list[str]
    unfit: str
    workers: list[str]

    @property
    def sound(self) -> bool:
        """Nothing is wrong with what is here; what is absent is not wrong."""
        return self.state != REFUSED


def stock(
    models_dir: Path,
    offering: Mapping[str, list[str]],
    *,
    told: Told | None = None,
    of: tuple[str, ...] = (),
) -> list[Stock]:
    """Every model of the registry, or those named; with `told`, every byte is read."""
    models = [model for model in MODELS if not of or model.name in of]
    return [_stock(model, models_dir, offering.get(model.name, []), told) for model in models]


def offering(*, now: datetime) -> dict[str, list[str]]:
    """The living workers that list a model, by its name."""
    found: dict[str, list[str]] = {}
    for worker in presence.alive(now=now):
        for listed in worker.models_listed:
            found.setdefault(listed["name"], []).append(worker.name)
    return found


def _stock(model: Model, models_dir: Path, workers: list[str], told: Told | None) -> Stock:
    info = ModelInfo(model, models_dir / model.folder)
    state, reason, file = _state(info)
    if state == HERE and told:
        reason, file = _trouble(info, lambda path: weights.verified(path, told, afresh=True))
        state = REFUSED if reason else HERE
    locks = [lock for lock in map(_lock, info.paths) if lock]
    base = locks[0] if locks else Lock({})
    return Stock(
        name=model.name,
        label=model.label,
        family=model.family,
        licence=model.licence_label,
        commercial=model.commercial,
        steps=sorted(model.pipelines),
        state=state,
        reason=reason,
        file=file,
        size=sum(lock.size for lock in locks),
        repository=model.source.repository,
        revision=base.revision,
        trust=base.trust if locks else "",
        locked_at=base.locked_at,
        verified=None if told is None or state in (ABSENT, PARTLY) else state == HERE,
        memory_gb=model.min_memory_gb,
        lacking=_lacking(model),
        unfit=machine.unfit(info) if state == HERE and can_run() else "",
        workers=workers,
    )


def _lock(folder: Path) -> Lock | None:
    try:
        return weights.read_lock(folder)
    except StepFailed:
        return None


def _state(info: ModelInfo) -> tuple[str, str, str]:
    """State, reason and file, from names and sizes alone."""
    there = [path.is_dir() for path in info.paths]
    if not all(there):
        return (PARTLY if any(there) or _begun(info) else ABSENT), "", ""
    reason, file = _trouble(info, weights.looked_over)
    reason = reason or refusal(info.model, info.path)
    return (REFUSED if reason else HERE), reason, file


def _begun(info: ModelInfo) -> bool:
    waiting = info.path.parent / WAITING
    return any(any(waiting.glob(f"{folder}@*")) for folder in info.model.folders)


def _trouble(info: ModelInfo, look: Callable[[Path], object]) -> tuple[str, str]:
    """The code and the file for which a folder of it is refused, or nothing."""
    for path in info.paths:
        try:
            look(path)
        except StepFailed as failed:
            return failed.code, "/".join([path.name, *filter(None, [failed.facts.get("file")])])
    return "", ""


def _lacking(model: Model) -> list[str]:
    """Libraries it needs that are not installed here; imports none of them."""
    wanted = [*NEEDED, *family_of(model).needs]
    wanted += ["peft" for part in model.parts if part.kind == "lora"]
    return [name for name in wanted if find_spec(name) is None]
