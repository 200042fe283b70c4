"""What one machine cannot do goes to another that may, and fails when no other is left."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone

from config import worker
from restoration import dispatch, machine, presence, runner, wording
from restoration.actions.versions import scan_version
from restoration.engine.errors import DeviceLost, EngineError, OutOfMemory, Unfit
from restoration.engine.generative import memory, registry
from restoration.engine.generative.memory import GIB
from restoration.engine.generative.weights import Weights
from restoration.lifecycle import JOB_ATTEMPTS, JOB_RETURNS, JobKind, JobState
from restoration.models import Job, Worker
from tests import factories
from tests.people import person
from tests.restoration import model_folders

pytestmark = pytest.mark.django_db

MODEL = "sd15-inpaint"
NEED = f"repair:{MODEL}"
LISTED = {"name": MODEL, "label": "SD", "licence": "x", "commercial": True, "offers": [NEED]}
CHANGED = Unfit("weights-changed", {"step": "repair", "model": MODEL, "file": "vae/x.safetensors"})
SHORT = OutOfMemory(
    "out-of-memory",
    {"step": "repair", "advised_pixels": 400_000, "needs_gb": 9.5, "has_gb": 7.9},
)
LOST = DeviceLost("device-lost", {"detail": "CUDA error: unspecified launch failure"})


@pytest.fixture(autouse=True)
def models(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one model on a machine whose card has 8 GB and that has the libraries."""
    settings.MODELS_DIR = tmp_path
    model_folders.lay(tmp_path, MODEL, "StableDiffusionInpaintPipeline", size=1500)
    monkeypatch.setattr(machine, "card", lambda: 8 * GIB)
    monkeypatch.setattr(registry, "can_run", lambda: True)
    monkeypatch.setattr(worker, "_held", [])
    for number in range(len(machine.MODELS)):
        machine._unfit[number] = 0
    return tmp_path


def on(*names: str) -> None:
    """These workers live, and offer the model."""
    for name in names:
        presence.announce(
            name=name, queues=["generative"], offers=[NEED], models=[LISTED], now=timezone.now()
        )


@pytest.fixture
def job(db: None) -> Job:
    photo = factories.photo(factories.collection())
    return Job.objects.create(
        photo=photo,
        kind=JobKind.RESTORE,
        source=scan_version(photo=photo, now=timezone.now()),
        requested_by=person("vera"),
        requested_at=timezone.now(),
        needs=[presence.EMBEDDED, NEED],
        queue=presence.GENERATIVE,
    )


@pytest.fixture
def fails(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Let every run end like this."""

    def with_(error: EngineError) -> None:
        def work(*_: Any) -> None:
            raise error

        monkeypatch.setitem(runner.WORK, JobKind.RESTORE, work)

    return with_


def tried(job: Job, at: str) -> tuple[str, str]:
    """How the job stands once that worker has answered a bell."""
    runner.answer(job_id=job.pk, worker=at)
    job.refresh_from_db()
    return job.state, job.error_code


def turn_at(name: str) -> bool:
    seat = dispatch.seat(name)
    return seat is not None and dispatch.take(seat, now=timezone.now()) is not None


def test_a_bad_folder_sends_the_job_on_and_its_model_is_not_offered_there(
    job: Job, fails: Any
) -> None:
    on("bad", "good")
    fails(CHANGED)
    assert tried(job, "bad") == (JobState.QUEUED, "weights-changed")
    assert (job.strikes, job.attempts.get().outcome) == (0, "unfit")
    bad = Worker.objects.get(name="bad")
    assert (bad.offers, bad.models_listed) == ([], [])
    assert presence.offers(now=timezone.now()) == {NEED}
    assert not turn_at("bad")
    assert turn_at("good")


def test_it_fails_with_its_sentence_when_no_machine_is_left(job: Job, fails: Any) -> None:
    on("bad", "good")
    fails(CHANGED)
    tried(job, "bad")
    assert tried(job, "good") == (JobState.FAILED, "weights-changed")
    assert "vae/x.safetensors is not what it should be" in wording.problem(
        job.error_code, job.error_facts
    )


def test_what_was_found_unfit_is_offered_again_once_its_files_are_others(
    models: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert [row["name"] for row in machine.listed()] == [MODEL]
    machine.withdraw(MODEL)
    assert machine.listed() == []
    assert f"models --verify {MODEL}" in caplog.text
    file = models / MODEL / "unet" / "diffusion_pytorch_model.safetensors"
    file.write_bytes(bytes(1499) + b"!")
    assert [row["name"] for row in machine.listed()] == [MODEL]


def test_who_ran_out_of_memory_is_not_given_it_again_while_another_has_not_tried(
    job: Job, fails: Any
) -> None:
    on("large", "small")
    fails(SHORT)
    assert tried(job, "small") == (JobState.QUEUED, "out-of-memory")
    assert Worker.objects.get(name="small").offers == [NEED]  # a smaller picture may do
    assert not turn_at("small")
    assert turn_at("large")


def test_the_next_bell_is_for_one_that_has_not_tried(job: Job, fails: Any) -> None:
    on("large", "small")
    presence.warmed(name="small", models=[MODEL])
    fails(SHORT)
    tried(job, "small")
    found = presence.found_unfit(job.pk)
    assert found == {"small"}
    assert presence.nearest(job.needs, tried=found, now=timezone.now()) == "large"


def test_should_the_other_have_gone_the_first_tries_again_and_says_what_it_lacks(
    job: Job, fails: Any
) -> None:
    on("large", "small")
    fails(SHORT)
    tried(job, "small")
    presence.farewell(name="large")
    assert tried(job, "small") == (JobState.FAILED, "out-of-memory")
    told = wording.problem(job.error_code, job.error_facts)
    assert "needs about 9.5 GB" in told
    assert "0.4 megapixels may get through" in told


def lost(job: Job, at: str) -> tuple[str, int]:
    """How the job stands once that worker's card was lost under it."""
    with pytest.raises(DeviceLost):
        runner.answer(job_id=job.pk, worker=at)
    job.refresh_from_db()
    return job.state, job.strikes


def test_a_card_that_was_lost_sends_the_job_on_unpunished(job: Job, fails: Any) -> None:
    on("broken", "sound")
    fails(LOST)
    assert lost(job, "broken") == (JobState.QUEUED, 0)
    assert (job.error_code, job.attempts.get().outcome) == ("device-lost", "unfit")
    assert Worker.objects.get(name="broken").offers == [NEED]  # its next process may have the card
    assert not turn_at("broken")
    assert turn_at("sound")


def test_a_card_that_was_lost_is_tried_again_where_no_other_is_and_that_counts(
    job: Job, fails: Any
) -> None:
    on("only")
    fails(LOST)
    assert lost(job, "only") == (JobState.QUEUED, 1)
    assert turn_at("only")


def test_a_job_that_no_card_survives_ends(job: Job, fails: Any) -> None:
    names = ("a", "b", "c")
    on(*names)
    fails(LOST)
    cards: list[str] = []
    while job.state == JobState.QUEUED:
        at = next(name for name in names if may_take(job, name))
        cards.append(at)
        lost(job, at)
    assert (job.state, job.error_code) == (JobState.FAILED, "device-lost")
    assert cards[:3] == list(names)
    assert len(cards) == len(names) - 1 + JOB_ATTEMPTS


def test_it_ends_also_where_every_process_has_a_name_of_its_own(job: Job, fails: Any) -> None:
    fails(LOST)
    on("w0")
    for number in range(JOB_RETURNS):
        on(f"w{number + 1}")
        lost(job, f"w{number}")
    assert (job.state, job.strikes) == (JobState.FAILED, 0)


def may_take(job: Job, name: str) -> bool:
    seat = dispatch.seat(name)
    assert seat is not None
    now = timezone.now()
    fair = dispatch.line(queues=seat.queues, offers=seat.offers, now=now)
    return bool(dispatch._for_others_first(fair, seat, now))


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ({"step": "redraw", "advised_pixels": 500_000, "needs_gb": 3, "has_gb": 8}, "0.5 megapix"),
        ({"step": "redraw", "needs_gb": 30.0, "has_gb": 8.0}, "Choose a smaller model"),
        ({"step": "denoise"}, "The machine ran out of memory"),
    ],
)
def test_a_shortage_is_told_as_far_as_it_is_known(facts: dict[str, Any], told: str) -> None:
    assert told in wording.problem("out-of-memory", facts)


class Consumer:
    """As much of Celery's consumer as changing its queues touches."""

    def __init__(self) -> None:
        from celery import Celery

        from config.broker import queues

        self.app = Celery("listening", broker="memory://", set_as_current=False)
        self.app.conf.task_queues = queues("memory", "hall", ("sd15", "klein"))
        self.app.amqp.queues.select(["generative"])
        self.asked: list[tuple[str, str]] = []

    def call_soon(self, what: Any, *words: str) -> None:
        self.asked.append((what, *words))

    add_task_queue, cancel_task_queue = "add", "cancel"


def test_a_model_that_came_later_is_offered_and_its_bells_are_heard(
    models: Path, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.VAR_DIR = tmp_path
    monkeypatch.setattr(worker.connection, "close", lambda: None)  # the test's own transaction
    monkeypatch.setattr(worker._stop, "wait", lambda _seconds: True)
    here, aside, consumer = models / MODEL, models / "aside", Consumer()
    here.rename(aside)

    def round_of_announcing() -> list[str]:
        worker._announce(name="w", queues=["generative"], consumer=consumer)
        return list(Worker.objects.get(name="w").offers)

    assert round_of_announcing() == ["embedded"]
    aside.rename(here)
    assert round_of_announcing() == ["embedded", NEED]
    assert consumer.asked == [("add", "generative.sd15")]
    machine.withdraw(MODEL)
    assert round_of_announcing() == ["embedded"]
    assert consumer.asked[1:] == [("cancel", "generative.sd15")]
    assert list(consumer.app.amqp.queues.consume_from) == ["generative"]


@pytest.mark.parametrize(
    ("device", "card", "bound", "offered"),
    [
        ("cuda", 8.0, 0, True),
        ("cuda", 3.7, 0, True),  # sold with 4
        ("cuda", 3.0, 0, False),
        ("cuda", 8.0, 2, False),
        ("cuda", 0.0, 0, False),
        ("cpu", 0.0, 0, True),
    ],
)
def test_only_what_the_memory_here_can_hold_is_offered(
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    device: str,
    card: float,
    bound: int,
    offered: bool,
) -> None:
    settings.MODELS_DEVICE, settings.MODELS_MEMORY_GB = device, bound
    monkeypatch.setattr(machine, "card", lambda: int(card * GIB))
    assert bool(machine.listed()) is offered


def test_without_a_card_a_model_has_to_fit_into_the_ram_twice_as_large_as_in_half_precision(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MODELS_DEVICE = "cpu"
    numbers = numbered(monkeypatch)
    for ram, offered in ((4 * numbers + memory.RESERVE, True), (4 * numbers, False)):
        monkeypatch.setattr(memory, "ram", lambda ram=ram: float(ram))
        assert bool(machine.listed()) is offered


@pytest.mark.parametrize(
    ("card", "ram", "offered"),
    [(8, 1, True), (7, 3, False), (5, 3, False), (5, 4, True)],
    ids=["stays", "sent away by its work", "too large for both", "rests in RAM"],
)
def test_what_cannot_stay_on_the_card_has_to_rest_in_the_ram(
    monkeypatch: pytest.MonkeyPatch, card: int, ram: int, offered: bool
) -> None:
    numbered(monkeypatch, 2 * GIB)  # 4 GiB of half precision, beside which work has to go
    monkeypatch.setattr(machine, "card", lambda: int(card * GIB) - GIB // 2)
    monkeypatch.setattr(memory, "ram", lambda: float(ram * GIB))
    assert bool(machine.listed()) is offered


def numbered(monkeypatch: pytest.MonkeyPatch, numbers: int = 1 << 20) -> int:
    """Let every model here be of so many numbers."""
    weights = Weights({}, "", size=2 * numbers, numbers=numbers)
    monkeypatch.setattr(machine, "_weights", lambda *_: weights)
    return numbers


def test_whether_there_is_a_card_that_works_is_asked_in_another_process(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.undo()
    old = "0 The NVIDIA driver on your system is too old (found version 11040)."
    for told, found in (("8589934592\n", 8 * GIB), ("no number", 0), (f"{old}\n", 0)):
        machine.card.cache_clear()
        answer = SimpleNamespace(stdout=told)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(machine.subprocess, "run", lambda *_, answer=answer, **__: answer)
            assert machine.card() == found
    machine.card.cache_clear()
    assert "driver on your system is too old" in caplog.text


def trial(tmp_path: Path, *lines: str) -> str:
    """What the process says that asks a card, with a torch of these lines."""
    head = "from types import SimpleNamespace as Some\nbfloat16 = None\n"
    card = "cuda = Some(init=lambda: None, get_device_properties=lambda _: Some(total_memory=7))\n"
    (tmp_path / "torch.py").write_text(head + card + "\n".join(lines) + "\n")
    run = subprocess.run(
        [sys.executable, "-c", machine.ASK],
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    return run.stdout.strip()


def test_a_card_that_cannot_do_the_work_is_none_and_says_why(tmp_path: Path) -> None:
    failing = "def ones(*_, **__): raise RuntimeError({!r})"
    why = "CUDA error: no kernel image is available for execution on the device"
    assert trial(tmp_path, failing.format(f"{why}\nSearch for it")) == f"0 {why} Search for it"
    assert trial(tmp_path, failing.format("CUDA out of memory.")) == "7"  # others are using it
    assert trial(tmp_path, "raise ImportError('no torch')") == "0 no torch"
