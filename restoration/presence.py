"""Which workers are alive, what they offer, and what a plan needs of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from django.db import transaction

from restoration.engine.generative.rows import MODELS
from restoration.engine.plan import Plan
from restoration.lifecycle import UNFIT, WORKER_ALIVE, JobState
from restoration.models import Attempt, Job, Worker

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


def models_of(wanted: Iterable[str]) -> set[str]:
    """The models among what is needed: "redraw:sd15" names sd15."""
    return {need.partition(":")[2] for need in wanted} - {""}


def bell(wanted: Iterable[str]) -> str:
    """The broker's queue where such a job is announced: by the family of its largest model.

    Only workers that hold a model of that family listen there. A bell wakes one of them; which job
    it then takes, the rows decide.
    """
    named = models_of(wanted)
    needed = [model for model in MODELS if model.name in named]
    if not needed:
        return queue(wanted)
    return f"{GENERATIVE}.{max(needed, key=lambda model: model.min_memory_gb).family}"


def bells(models: Iterable[str]) -> list[str]:
    """The broker's queues, besides its kind's own, that a worker with these models listens to."""
    held = set(models)
    return sorted({f"{GENERATIVE}.{model.family}" for model in MODELS if model.name in held})


def own_bell(worker: str) -> str:
    """The broker's queue of one worker alone."""
    return f"at.{worker}"


def busy(*, now: datetime) -> dict[str, int]:
    """How many jobs each worker runs at this moment, by its name; idle ones are not named."""
    running = Attempt.objects.filter(ended_at=None, job__state=JobState.RUNNING)
    names = running.filter(job__lease_until__gte=now).values_list("worker", flat=True)
    return dict(Counter(names))


def idle(*, now: datetime) -> dict[str, int]:
    """How many more jobs the living workers could begin now, by queue."""
    held, room = busy(now=now), Counter[str]()
    for worker in alive(now=now):
        free = max(0, worker.slots - held.get(worker.name, 0))
        room.update(dict.fromkeys(set(worker.queues) & {CPU, GENERATIVE}, free))
    return dict(room)


def nearest(wanted: Iterable[str], *, now: datetime, tried: Collection[str] = ()) -> str:
    """A living worker with nothing to do that has the models in memory; its name, or nothing.

    Once a worker has `tried`, any other that can: a bell for all might wake that one again.
    """
    wanted = list(wanted)
    named = models_of(wanted)
    if not named:
        return ""
    able = [
        worker
        for worker in others(wanted, tried=tried, now=now)
        if tried or named <= set(worker.warm)
    ]
    held = busy(now=now) if able else {}
    return next((each.name for each in able if not held.get(each.name)), "")


def others(wanted: Iterable[str], *, tried: Collection[str], now: datetime) -> list[Worker]:
    """The living workers that can run it and are not among those that `tried`."""
    wanted = list(wanted)
    return [
        worker
        for worker in alive(now=now)
        if worker.name not in tried
        and queue(wanted) in worker.queues
        and covers(worker.offers, wanted)
    ]


def found_unfit(job_id: int) -> set[str]:
    """The workers on which this job could not be done as they were, by name."""
    tries = Attempt.objects.filter(job=job_id, outcome=UNFIT)
    return set(tries.values_list("worker", flat=True))


def holder(job: Job) -> str:
    """The name of the worker whose try this is."""
    tries = Attempt.objects.filter(job=job, token=job.token)
    return tries.values_list("worker", flat=True).first() or ""


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
    """The generative models some living worker lists, each once, with licence and steps.

    In the registry's order, the first choice first: how machines are called must not decide which
    model is meant. What only a worker of another version knows comes last.
    """
    seen: dict[str, dict[str, Any]] = {}
    for worker in alive(now=now):
        for model in worker.models_listed:
            seen.setdefault(model["name"], model)
    rank = {model.name: number for number, model in enumerate(MODELS)}
    return sorted(seen.values(), key=lambda model: rank.get(model["name"], len(rank)))


def first_models(*, now: datetime) -> dict[str, str]:
    """By step, the model that is meant when none is named: the first row that is offered."""
    offered = [offer for model in models_offered(now=now) for offer in model["offers"]]
    pairs = [offer.partition(":") for offer in reversed(offered)]
    return {step: model for step, _colon, model in pairs}


def announce(
    *,
    name: str,
    queues: list[str],
    offers: list[str],
    models: list[dict[str, Any]],
    now: datetime,
    slots: int = 1,
    since: datetime | None = None,
) -> None:
    """A worker says that it is here and what it can run.

    `since`, when its process began, makes the row its own: another process with the same name has
    another, and the row is always of the one that spoke last.
    """
    told = {"queues": queues, "offers": offers, "models_listed": models, "slots": slots}
    told |= {"seen_at": now} | ({"started_at": since} if since else {})
    Worker.objects.update_or_create(
        name=name, defaults=told, create_defaults={"started_at": now} | told
    )


def withdraw(*, name: str, model: str) -> None:
    """A worker that found a model unfit offers it no more from this moment."""
    with transaction.atomic():
        worker = Worker.objects.select_for_update().filter(name=name).first()
        if worker is None:
            return
        worker.offers = [offer for offer in worker.offers if models_of([offer]) != {model}]
        worker.models_listed = [each for each in worker.models_listed if each["name"] != model]
        worker.warm = [each for each in worker.warm if each != model]
        worker.save(update_fields=["offers", "models_listed", "warm"])


def warmed(*, name: str, models: list[str]) -> None:
    """A worker says which models it has in memory, so that work for them is brought to it."""
    Worker.objects.filter(name=name).update(warm=models)


def spoke_last(*, name: str) -> datetime | None:
    """When the process began that last spoke under this name; None when there is no such row."""
    return Worker.objects.filter(name=name).values_list("started_at", flat=True).first()


def farewell(*, name: str, since: datetime | None = None) -> None:
    """A worker that stops in order is not offered any more from this moment.

    With `since` only its own row goes, never that of another process with the same name.
    """
    rows = Worker.objects.filter(name=name)
    (rows.filter(started_at=since) if since else rows).delete()
