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


def needs(plan: Plan) -> list[str]:
    """What a worker must offer: "embedded", and "step:model" for each generative step."""
    drawn = [step for step in plan.steps if step.backend == GENERATIVE]
    return [EMBEDDED, *(f"{step.name}:{step.settings['model']}" for step in drawn)]


def covers(offers: Iterable[str], wanted: Iterable[str]) -> bool:
    """Whether these offers are enough."""
    return set(wanted) - {EMBEDDED} <= set(offers)


def queue(wanted: Iterable[str]) -> str:
    """The queue whose workers can run it."""
    return CPU if set(wanted) <= {EMBEDDED} else GENERATIVE


def alive(*, now: datetime) -> list[Worker]:
    """Workers that beat within WORKER_ALIVE, always in the same order."""
    return list(Worker.objects.filter(seen_at__gte=now - WORKER_ALIVE).order_by("name"))


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


def first_models(*, now: datetime) -> dict[str, str]:
    """By step, the model that is meant when none is named: the first that is offered."""
    offered = [offer for model in models_offered(now=now) for offer in model["offers"]]
    pairs = [offer.partition(":") for offer in reversed(offered)]
    return {step: model for step, _colon, model in pairs}


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
