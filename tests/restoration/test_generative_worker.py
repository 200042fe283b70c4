"""A worker with a model, from the start of its process to its end: offered, run, cancelled, gone.

One story, because starting a worker and loading torch is what takes the time.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pyvips
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from numpy.typing import NDArray
from PIL import Image

from archive import storage
from archive.models import Photo
from restoration.actions.claims import claim_photo
from restoration.actions.jobs import cancel_job
from restoration.actions.versions import scan_version
from restoration.engine.generative.prompts import worded
from restoration.engine.generative.registry import FAMILIES
from restoration.engine.generative.weights import lock, verified
from restoration.engine.plan import Prompt
from restoration.lifecycle import JobState
from restoration.models import Draft, Job, Preview, Version, Worker
from tests import factories
from tests.people import person
from tests.services import brokers
from tests.services.need import need
from tests.services.processes import Process, wait_until

from .conftest import Desk, newest, recipe

FOLDER = "fsatomic://localhost"
NOBODY = "No machine that can do this is on at the moment."
LABEL, LICENCE = "Stable Diffusion 1.5", "CreativeML Open RAIL-M"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models folder with one tiny Stable Diffusion that keeps the picture."""
    need("torch")
    from diffusers import StableDiffusionImg2ImgPipeline

    from tests.engine.generative import tiny

    folder = tmp_path_factory.mktemp("models")
    parts = tiny.small_parts(4, faithful=True)
    StableDiffusionImg2ImgPipeline(**parts).save_pretrained(folder / "sd15")
    lock(folder / "sd15")
    return folder


@pytest.fixture
def shared_bytes(settings: Any, tmp_path: Path) -> Iterator[None]:
    """Bytes and bells that this process and its workers share."""
    settings.STORAGES = settings.STORAGES | {
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path / "bytes")},
        }
    }
    with brokers.bells_through(FOLDER, tmp_path):
        yield


def seated(name: str, photo: Photo) -> Desk:
    """Somebody new before a photo, holding it."""
    user, client = person(name), Client()
    client.force_login(user)
    claim = claim_photo(photo=photo, by=user, now=timezone.now())
    scan_version(photo=photo, now=timezone.now())
    return Desk(client, user, photo, claim)


def redraw_on(desk: Desk) -> dict[str, Any]:
    """The step as it is laid out on the bench."""
    steps = desk.get("bench").context["steps"]
    return next(each for each in steps if each["name"] == "redraw")


def ask(desk: Desk, **fields: str) -> Job:
    """Ask for a run at the bench."""
    draft = Draft.objects.filter(photo=desk.photo, volunteer=desk.user).first()
    answer = desk.post("run", data=recipe(rev=draft.rev if draft else 0, **fields))
    assert answer.status_code == 302, answer.text
    return Job.objects.latest("pk")


def wait_for_end(job: Job, worker: Process) -> None:
    def ended() -> bool:
        job.refresh_from_db()
        return not job.live

    wait_until(ended, "the run ended", log=worker.printed)
    assert job.state == JobState.SUCCEEDED, (job.error_code, job.error_facts, worker.printed())


def raw(version: Version) -> NDArray[Any]:
    """The stored file's own numbers."""
    with storage.local(storage.working_key(version.sha256)) as path:
        return np.asarray(pyvips.Image.new_from_file(str(path)).numpy())


def painted(hole: NDArray[np.uint8]) -> SimpleUploadedFile:
    stream = io.BytesIO()
    Image.fromarray(hole).save(stream, "PNG")
    return SimpleUploadedFile("mask.png", stream.getvalue(), content_type="image/png")


@pytest.mark.slow
def test_a_model_is_offered_used_and_named_while_its_worker_lives(
    on_sqlite_file: str,
    shared_bytes: None,
    models: Path,
    running_worker: Callable[..., Process],
) -> None:
    box = factories.collection()
    vera = seated("vera", factories.photo(box, bytes_too=True))
    nobody_is_there(vera)
    worker = running_worker(
        database_url=on_sqlite_file,
        kind="generative",
        REKINDLE_MODELS_DIR=str(models),
        REKINDLE_MODELS_DEVICE="cpu",
        OMP_NUM_THREADS="1",  # so small a network only loses time when two cores share it
    )
    wait_until(Worker.objects.exists, "the worker said that it is here", log=worker.printed)
    it_is_offered_with_its_licence(vera)
    a_redraw_names_its_model_and_what_it_was_told(vera, worker, models)
    outside_the_painted_mask_every_bit_stays(vera, worker)
    large = factories.photo(box, image=factories.picture(5, height=288, width=384))
    a_cancelled_run_stops_at_its_next_step_and_keeps_nothing(seated("victor", large), worker)
    assert worker.stop() == 0
    nobody_is_there(vera)


def nobody_is_there(vera: Desk) -> None:
    step = redraw_on(vera)
    assert (step["available"], step["unavailable_reason"]) == (False, NOBODY)
    steps = {"redraw": {"on": True, "settings": {"model": "sd15"}}}
    draft = {"base": 0, "steps": steps, "prompt": {"words": "a calm sea"}}
    before = Job.objects.count()
    rev = Draft.objects.values_list("rev", flat=True).filter(volunteer=vera.user).first() or 0
    sent = {"draft": draft, "rev": rev}
    answer = vera.post("run", data=sent, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (409, "no-worker")
    assert Job.objects.count() == before


def it_is_offered_with_its_licence(vera: Desk) -> None:
    step = redraw_on(vera)
    assert step["available"]
    shown = f"{LABEL} ({LICENCE}, commercial use allowed)"
    assert shown in step["help"]
    choices = next(each for each in step["settings"] if each["name"] == "model")["choices"]
    able = [(each["value"], each["label"]) for each in choices if not each.get("disabled")]
    assert able == [("sd15", shown)]


def a_redraw_names_its_model_and_what_it_was_told(
    vera: Desk, worker: Process, models: Path
) -> None:
    words = {"prompt-words": "a calm sea", "prompt-period": "1974"}
    job = ask(vera, **{"step-redraw": "on", "redraw-passes": "5"}, **words)
    assert (job.needs, job.queue) == (["embedded", "redraw:sd15"], "generative")
    wait_for_end(job, worker)
    made = newest(vera.photo)
    assert (made.number, job.version_id) == (1, made.pk)
    record = made.records[0]
    assert record["settings"]["model"] == record["model"]["name"] == "sd15"
    assert record["model"]["licence"] == "LicenseRef-CreativeML-OpenRAIL-M"
    assert record["model"]["licence_label"] == LICENCE
    assert record["model"]["weights_sha256"] == verified(models / "sd15").digest
    family = next(each for each in FAMILIES if each.name == "sd15")
    told = worded(Prompt(words="a calm sea", period="1974"), "redraw", family)
    assert record["prompt"] == told.prompt
    assert "a calm sea" in record["prompt"]
    assert record["seed"] == job.plan["seed"]
    assert not np.array_equal(raw(made), raw(made.parent))
    assert f"({LABEL})" in vera.get("bench").text


def outside_the_painted_mask_every_bit_stays(vera: Desk, worker: Process) -> None:
    hole = np.zeros((96, 128), np.uint8)
    hole[40:50, 60:80] = 255
    sent = vera.post("mask", data={"mask": painted(hole)})
    mask = sent.json()["sha256"]
    fields = {"step-repair": "on", "repair-backend": "generative", "repair-strength": "0.3"}
    fields |= {"mask": mask}
    job = ask(vera, **fields)
    assert job.needs == ["embedded", "repair:sd15"]
    wait_for_end(job, worker)
    made = newest(vera.photo)
    before, after = raw(made.parent), raw(made)
    assert after.dtype == np.uint16
    assert np.array_equal(after[hole == 0], before[hole == 0])
    assert not np.array_equal(after[hole > 0], before[hole > 0])


def a_cancelled_run_stops_at_its_next_step_and_keeps_nothing(victor: Desk, worker: Process) -> None:
    fields = {"step-redraw": "on", "redraw-passes": "60", "redraw-strength": "0.6"}
    job = ask(victor, **fields, **{"prompt-words": "a calm sea"})

    def in_the_middle() -> bool:
        job.refresh_from_db()
        shown = Preview.objects.filter(job=job).exists()
        return job.step == "redraw" and job.progress > 0.02 and shown

    wait_until(in_the_middle, "the run was in the middle", log=worker.printed)
    cancel_job(job=job, by=victor.user, now=timezone.now())
    began = time.monotonic()
    dropped = f"job {job.pk} is not ours any more"
    wait_until(lambda: dropped in worker.printed(), "it stopped", log=worker.printed)
    assert time.monotonic() - began < 15
    job.refresh_from_db()
    assert (job.state, job.version_id) == (JobState.CANCELLED, None)
    assert job.progress < 0.7
    assert not Preview.objects.exists()
    assert [each.number for each in Version.objects.filter(photo=victor.photo)] == [0]
