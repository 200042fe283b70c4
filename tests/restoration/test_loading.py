"""While a model is read: the run can be cancelled, and its time is counted apart."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from restoration import heard, leases, presence, runner
from restoration.actions.versions import scan_version
from restoration.engine.errors import StepFailed
from restoration.engine.generative import weights
from restoration.engine.plan import Plan
from restoration.engine.step import LOADING
from restoration.lifecycle import JobKind, JobState
from restoration.models import Job, Version
from tests import factories
from tests.people import person
from tests.restoration import model_folders
from tests.services.need import need

pytestmark = pytest.mark.django_db

MODEL = "sd15"
STEP = {"name": "redraw", "backend": "generative", "settings": {"model": MODEL}}


@pytest.fixture
def models(tmp_path: Path, settings: Any) -> Path:
    """A model whose files take a while to read: two hundred chunks."""
    settings.MODELS_DIR, settings.MODELS_DEVICE = tmp_path, "cpu"
    model_folders.lay(tmp_path, MODEL, "StableDiffusionImg2ImgPipeline", size=20_000)
    return tmp_path


@pytest.fixture
def job(db: None) -> Job:
    photo = factories.photo(factories.collection(), bytes_too=True)
    plan = Plan.from_json({"steps": [STEP], "prompt": {"words": "a calm sea"}, "seed": 1})
    return Job.objects.create(
        photo=photo,
        kind=JobKind.RESTORE,
        source=scan_version(photo=photo, now=timezone.now()),
        requested_by=person("vera"),
        requested_at=timezone.now(),
        plan=plan.to_json(),
        needs=presence.needs(plan),
        queue=presence.GENERATIVE,
    )


def test_a_run_that_is_cancelled_while_its_model_is_weighed_ends_there(
    job: Job, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    need("torch")
    honest, read = leases.beat, []

    def beat(**words: Any) -> None:
        honest(**words)
        if words.get("step") == LOADING:
            read.append(words["progress"])
            Job.objects.filter(pk=job.pk).update(state=JobState.CANCELLED, token="")

    monkeypatch.setattr(leases, "beat", beat)
    monkeypatch.setattr(heard, "REPORT_EVERY", 0.0)
    monkeypatch.setattr(weights, "CHUNK", 100)
    monkeypatch.setattr(runner, "workshop", _workshop(models))
    runner.run(job_id=job.pk, worker="w")
    job.refresh_from_db()
    assert len(read) == 1  # the next chunk's report found the run gone
    assert (job.state, job.error_code) == (JobState.CANCELLED, "")
    assert not Version.objects.filter(photo=job.photo, number__gt=0).exists()


def _workshop(models: Path) -> Any:
    from restoration.engine.generative.workshop import Workshop

    return lambda: Workshop(models, device="cpu")


def limited(
    job: Job, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> Callable[[float, str], None]:
    """A try that may take a hundred seconds, whose worker reports a step after so many more."""
    settings.JOB_LIMIT_SECONDS = 100
    clock = [0.0]
    monkeypatch.setattr(heard.time, "monotonic", lambda: clock[0])
    held = leases.start(job_id=job.pk, worker="w", now=timezone.now())
    assert held is not None
    report = heard.Reporter(held)

    def after(seconds: float, step: str) -> None:
        clock[0] += seconds
        report(step, 0.1)

    return after


def test_reading_a_model_is_no_work_on_the_picture(
    job: Job, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    after = limited(job, settings, monkeypatch)
    after(60, LOADING)
    after(70, LOADING)
    after(20, "repair")  # 90 s of loading, 60 s of work
    with pytest.raises(StepFailed) as refusal:
        after(50, "repair")
    assert refusal.value.code == "took-too-long"


def test_nor_may_it_take_for_ever(job: Job, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    after = limited(job, settings, monkeypatch)
    after(0, LOADING)
    with pytest.raises(StepFailed, match="took-too-long"):
        after(101, LOADING)
