"""Which workers are alive, what they offer, and what a plan needs of them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from restoration.engine.plan import Plan
from restoration.lifecycle import WORKER_ALIVE
from restoration.models import Worker

EMBEDDED = "embedded"
CPU, GENERATIVE = "cpu", "generative"
ANY_MODEL = "auto"


def needs(plan: Plan) -> list[str]:
    """What a worker must offer: "embedded", and for each generative step "step:model", or "step"
    alone when any model will do."""
    wanted = [EMBEDDED]
    for step in plan.steps:
        if step.backend == GENERATIVE:
            model = str(step.settings.get("model") or ANY_MODEL)
            wanted.append(step.name if model == ANY_MODEL else f"{step.name}:{model}")
    return wanted


def covers(offers: Iterable[str], wanted: Iterable[str]) -> bool:
    """Whether these offers are enough; "redraw" alone is met by a redraw with any model."""
    known = set(offers)
    known |= {offer.split(":")[0] for offer in known}
    return set(wanted) - {EMBEDDED} <= known


def queue(wanted: Iterable[str]) -> str:
    """The queue whose workers can run it."""
    return CPU if set(wanted) <= {EMBEDDED} else GENERATIVE


def alive(*, now: datetime) -> list[Worker]:
    """Workers that beat within WORKER_ALIVE."""
    return list(Worker.objects.filter(seen_at__gte=now - WORKER_ALIVE))


def offers(*, now: datetime) -> set[str]:
    """Everything some living worker can run."""
    return {offer for worker in alive(now=now) for offer in worker.offers}


def offered(wanted: Iterable[str], *, now: datetime) -> bool:
    """Whether it may be asked for. What is embedded always may: it waits for a CPU worker."""
    wanted = list(wanted)
    if set(wanted) <= {EMBEDDED}:
        return True
    return any(covers(worker.offers, wanted) for worker in alive(now=now))


def models_offered(*, now: datetime) -> list[dict[str, Any]]:
    """The generative models some living worker lists, each once, with licence and steps."""
    seen: dict[str, dict[str, Any]] = {}
    for worker in alive(now=now):
        for model in worker.models_listed:
            seen.setdefault(model["name"], model)
    return list(seen.values())


def announce(
    *, name: str, queues: list[str], offers: list[str], models: list[dict[str, Any]], now: datetime
) -> None:
    """A worker says that it is here and what it can run."""
    Worker.objects.update_or_create(
        name=name,
        defaults={"queues": queues, "offers": offers, "models_listed": models, "seen_at": now},
        create_defaults={
            "queues": queues,
            "offers": offers,
            "models_listed": models,
            "started_at": now,
            "seen_at": now,
        },
    )


def farewell(*, name: str) -> None:
    """A worker that stops in order is not offered any more from this moment."""
    Worker.objects.filter(name=name).delete()
