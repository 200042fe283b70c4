"""One round: three people ask for three kinds of work, a fault strikes, all must come to an end."""

from __future__ import annotations

import contextlib
import hashlib
import io
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from django.db import InterfaceError, OperationalError, connections
from django.utils import timezone
from PIL import Image

from accounts.models import User
from archive import storage
from archive.actions import receive_scan
from archive.lifecycle import PhotoState
from archive.models import Collection, Curatorship, Photo
from restoration.actions.claims import claim_photo
from restoration.actions.jobs import request_job, request_retouch
from restoration.actions.versions import scan_version
from restoration.engine.plan import Plan
from restoration.lifecycle import JobState
from restoration.models import Attempt, Job
from tests import factories
from tests.benchmarks.faults.lifetimes import PATIENCE
from tests.benchmarks.faults.strikes import STEPS, STRIKES, Scene
from tests.benchmarks.faults.world import World
from tests.people import person

LONGEST_SECONDS = 240 * PATIENCE
LIVE = (JobState.QUEUED, JobState.RUNNING)
SIDES = {"height": 120, "width": 160}


@dataclass
class Round:
    """What was asked for in one round, and how it ended."""

    number: int
    fault: str
    struck: bool = False
    seconds: float | None = None
    jobs: list[int] = field(default_factory=list)
    photos: list[int] = field(default_factory=list)
    originals: dict[str, bytes] = field(default_factory=dict)
    lost_tries: int = 0
    why: str = ""


def play(there: World, number: int, fault: str, dice: random.Random) -> Round:
    """Play one round on a whole site; seconds run from the fault's end to the last job's end."""
    there.make_whole()
    done, lost_before = Round(number, fault), _lost_tries()
    ready = prepared(number, done)

    def ask() -> None:
        for each in ready:
            _insist(each)

    done.struck = STRIKES[fault](Scene(there, dice, ask))
    struck_at = time.monotonic()
    deadline = struck_at + LONGEST_SECONDS
    while time.monotonic() < deadline:
        with database_may_be_away():
            if is_settled(done):
                done.seconds = time.monotonic() - struck_at
                done.lost_tries = _lost_tries() - lost_before
                return done
        time.sleep(0.25)
    done.why = state_of(done)
    return done


def _lost_tries() -> int:
    return Attempt.objects.filter(outcome="lost").count()


def prepared(number: int, done: Round) -> list[Callable[[], None]]:
    """Everything that goes before the fault: people, photos, claims; then what to ask for."""
    shelf = factories.collection()
    vera, victor, cora = (person(f"{name}{number}") for name in ("vera", "victor", "cora"))
    Curatorship.objects.create(user=cora, collection=shelf)
    first, second = (_photo(shelf, 10 * number + place) for place in (1, 2))
    plan = Plan.from_json({"steps": [{"name": step} for step in STEPS[:-1]], "seed": number})
    claims = {first.pk: _claimed(first, vera), second.pk: _claimed(second, victor)}
    scans = [scan_version(photo=photo, now=timezone.now()) for photo in (first, second)]
    retouched = _png(factories.picture(10 * number + 2, **SIDES) * 0.9)
    upload = _png(factories.picture(10 * number + 3, **SIDES))
    sha = hashlib.sha256(retouched).hexdigest()
    storage.put_bytes(storage.incoming_key(sha), retouched)

    def restore() -> None:
        job = request_job(
            source=scans[0], by=vera, fence=claims[first.pk], plan=plan, now=timezone.now()
        )
        done.jobs.append(job.pk)

    def retouch() -> None:
        job = request_retouch(
            parent=scans[1],
            by=victor,
            fence=claims[second.pk],
            upload_sha256=sha,
            filename="by-hand.png",
            now=timezone.now(),
        )
        done.jobs.append(job.pk)

    def read() -> None:
        photo, _new = receive_scan(
            collection=shelf, chunks=[upload], filename="scan.png", by=cora, now=timezone.now()
        )
        done.photos.append(photo.pk)
        done.originals[photo.sha256] = upload

    for each in (first, second):
        with storage.open_key(storage.original_key(each.sha256)) as stream:
            done.originals[each.sha256] = stream.read()
    return [restore, retouch, read]


def _photo(shelf: Collection, seed: int) -> Photo:
    return factories.photo(shelf, image=factories.picture(seed, **SIDES))


def _claimed(photo: Photo, by: User) -> int:
    return claim_photo(photo=photo, by=by, now=timezone.now()).pk


def _png(picture: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray((picture * 255).round().astype(np.uint8)).save(stream, "PNG")
    return stream.getvalue()


def _insist(call: Callable[[], None]) -> None:
    """Ask as a browser does: again, when the site said that something is away just now."""
    deadline = time.monotonic() + 60
    while True:
        try:
            call()
        except (OperationalError, InterfaceError):
            connections.close_all()
            if time.monotonic() > deadline:
                raise
            time.sleep(0.3)
        else:
            return


@contextlib.contextmanager
def database_may_be_away() -> Iterator[None]:
    """What is asked in here is asked again when the database does not answer."""
    try:
        yield
    except (OperationalError, InterfaceError):
        connections.close_all()


def is_settled(done: Round) -> bool:
    """Whether all that was asked for has come to an end, the looks at new photos too."""
    reading = Photo.objects.filter(pk__in=done.photos, state=PhotoState.READING)
    unseen = Photo.objects.filter(
        pk__in=done.photos, state=PhotoState.READY, assessment=None
    ).exclude(jobs__kind="assess", jobs__state__in=("failed", "cancelled"))
    live = Job.objects.filter(state__in=LIVE)
    return not live.exists() and not reading.exists() and not unseen.exists()


def state_of(done: Round) -> str:
    """How far it came, for the report."""
    with database_may_be_away():
        live = Job.objects.filter(state__in=LIVE).values_list("pk", "kind", "state", "step")
        photos = Photo.objects.filter(pk__in=done.photos).values_list("state", flat=True)
        return f"live: {list(live)}; photos: {list(photos)}"
    return "the database is away"
