"""Joins rows to pixels: takes a job, fetches bytes, calls the engine, hands the result back.

The only module that knows both. Whatever it makes is handed in with the job's token, so a worker
that lost its lease in the middle cannot write a thing.
"""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from numpy.typing import NDArray

from archive import clock, decode, derivatives, logbook, outages, storage, tracing
from restoration import dispatch, drafting, drain, leases, machine, presence
from restoration.engine import gained
from restoration.engine import image as pictures
from restoration.engine.belongs import belongs, laid_back, stretch
from restoration.engine.errors import (
    BadInput,
    Cancelled,
    DeviceLost,
    EngineError,
    OutOfMemory,
    Unfit,
)
from restoration.engine.plan import Plan
from restoration.engine.restore import Inputs, Restored, restore
from restoration.engine.step import note
from restoration.engine.steps import assess as looking
from restoration.engine.steps import guard
from restoration.heard import Leaving, Reporter, beating
from restoration.lifecycle import JobKind, VersionKind
from restoration.models import (
    Assessment,
    Draft,
    Job,
    Version,
    ancestry,
)

logger = logging.getLogger(__name__)

AGAIN = 0.5  # seconds between two tries to reach the database
STORING, ALMOST = "store", 0.99
Frame = list[list[float]]
Sheets = dict[str, pictures.Mask]


@dataclass
class _Row:
    """How many jobs in a row this process took before their turn."""

    length: int = 0


_row = _Row()


def answer(*, job_id: int, worker: str) -> str:
    """Do the job whose turn it is here; the one that rang, for a worker not in the book yet.

    Gives the queue of the job that was done, or nothing when there was none. Raises DeviceLost once
    the job is given back: this process can do no more work on its card.
    """
    if drain.is_asked():
        return ""
    at = dispatch.seat(worker, warm=warm(), row=_row.length)
    if at is None:
        job = leases.start(job_id=job_id, worker=worker, now=clock.now())
    else:
        taken = dispatch.take(at, now=clock.now())
        _row.length = _row.length + 1 if taken and taken.early else 0
        job = taken.job if taken else None
    if job is not None:
        _do(job)
        _tell_what_is_warm(worker)
    return job.queue if job else ""


def run(*, job_id: int, worker: str) -> None:
    """Start this very job, do its work under a beating lease, and finish or fail it."""
    job = leases.start(job_id=job_id, worker=worker, now=clock.now())
    if job is not None:
        _do(job)


def warm() -> list[str]:
    """The models that this process has in memory."""
    return workshop().loaded() if workshop.cache_info().currsize else []


def _tell_what_is_warm(worker: str) -> None:
    if warm():
        presence.warmed(name=worker, models=warm())


def _do(job: Job) -> None:
    ids = {"job": job.pk, "attempt": job.attempt}
    with (
        logbook.about(**ids),
        tracing.span("attempt", parent=job.trace, kind=job.kind, queue=job.queue, **ids),
    ):
        _run(job)


def _run(job: Job) -> None:
    try:
        with beating(job) as report:
            made = WORK[JobKind(job.kind)](job, report)
        _insist(lambda: leases.finish(job=job, made=made, now=clock.now()))
    except (leases.LeaseLost, Cancelled):
        logger.info("job %s is not ours any more; its result is dropped", job.pk)
    except Leaving:
        logger.info("job %s is handed back: this worker leaves", job.pk)
        _end(partial(leases.give_back, job=job, code="worker-leaving", wait=False))
    except (EngineError, decode.Unreadable) as error:
        tracing.note("failed", code=error.code)
        if isinstance(error, Unfit | OutOfMemory | DeviceLost):
            _end(partial(_pass_on, job, error))
        else:
            end = partial(leases.fail, job=job, code=error.code, facts=error.facts)
            _end(partial(end, permanent=error.permanent))
        if isinstance(error, DeviceLost):
            raise
    except Exception as error:  # noqa: BLE001 - logged with what becomes of the job
        _end(_after(job, error))


def _pass_on(job: Job, error: EngineError, *, now: datetime) -> None:
    """This machine cannot do it; one that has not tried may. Withdrawn first: no bell comes here.

    What ran out of memory is offered still: a smaller picture may do. So is what was at work on a
    card that was lost: this worker ends, and another process may have the card again. Where nobody
    else is left it is for that one, and counts: a job that no card survives must end.
    """
    here = presence.holder(job)
    if isinstance(error, Unfit):
        named = {error.facts["model"]} if "model" in error.facts else presence.models_of(job.needs)
        for model in named:
            machine.withdraw(model)
            presence.withdraw(name=here, model=model)
    tried = presence.found_unfit(job.pk) | {here}
    elsewhere = bool(presence.others(job.needs, tried=tried, now=now))
    end = partial(leases.pass_on, elsewhere=elsewhere)
    if isinstance(error, DeviceLost) and not elsewhere:
        end = partial(leases.fail, permanent=error.permanent)
    end(job=job, code=error.code, facts=error.facts, now=now)


def _after(job: Job, error: Exception) -> Callable[..., None]:
    """What becomes of a job when its work broke: given back if a part of the site was away."""
    away = outages.named(error)
    tracing.note("failed", code=away or "our-fault")
    if away:
        logger.warning("job %s is given back: %s", job.pk, away, exc_info=error)
        return partial(leases.give_back, job=job, code=away)
    logger.error("job %s failed and it is our fault", job.pk, exc_info=error)
    return partial(leases.fail, job=job, code="our-fault", facts={}, permanent=False)


def _end(write: Callable[..., None]) -> None:
    try:
        _insist(lambda: write(now=clock.now()))
    except leases.LeaseLost:
        logger.info("the job was taken from us before it could end")


def _insist(write: Callable[[], object]) -> None:
    """Write although the database is away for a moment, for as long as the lease may still hold.

    What was made by then is worth waiting for. Harmless twice: every write carries the token.
    """
    deadline = time.monotonic() + leases.lease().total_seconds()
    while True:
        try:
            write()
        except (OperationalError, InterfaceError):
            connection.close()
            if time.monotonic() > deadline:
                raise
            logger.warning("the database did not take the end of a job; trying again")
            time.sleep(AGAIN)
        else:
            return


def _load(sha256: str) -> pictures.Image:
    with storage.local(storage.working_key(sha256)) as path:
        return pictures.load(path)


def _load_sheet(sha256: str) -> pictures.Mask:
    with storage.local(storage.sheet_key(sha256)) as path:
        return pictures.load_mask(path)


def _keep_image(image: pictures.Image) -> str:
    with tempfile.TemporaryDirectory(prefix="rekindle-") as folder:
        path = Path(folder) / "version.tif"
        pictures.save(image, path)
        return _keep_working(path)


def _keep_working(path: Path) -> str:
    sha256 = storage.digest(path)
    storage.put_file(storage.working_key(sha256), path)
    derivatives.make(path, sha256)
    return sha256


def _keep_sheet(mask: pictures.Mask) -> str:
    with tempfile.TemporaryDirectory(prefix="rekindle-") as folder:
        path = Path(folder) / "sheet.png"
        pictures.save_mask(mask, path)
        sha256 = storage.digest(path)
        storage.put_file(storage.sheet_key(sha256), path)
    return sha256


def _keep_map(sheet: pictures.Mask) -> str:
    sha256 = _keep_sheet(sheet)
    derivatives.make_map(sheet, sha256)
    return sha256


def _look(job: Job, report: Reporter) -> None:
    """Assess the scan: what is wrong with it, what would help, where the damage is."""
    report("assess", 0.0)
    seen = looking.assess(_load(job.photo.working_sha256))
    found = seen.to_json()
    Assessment.objects.update_or_create(
        photo=job.photo,
        defaults={
            "report": found,
            "suggestions": found["suggestion"],
            "mask_sha256": _keep_sheet(seen.mask),
            "damage": seen.damage,
            "faces": len(seen.faces),
            "is_grey": seen.monochrome,
            "made_at": clock.now(),
        },
    )


def _restore(job: Job, report: Reporter) -> leases.NewVersion:
    """Run the frozen plan on the source version's pixels."""
    plan, source = Plan.from_json(job.plan), _source(job)
    image = _load(source.sha256)
    mask = _load_sheet(plan.mask_sha256) if plan.mask_sha256 else None
    inputs = Inputs(
        mask=None if mask is None else pictures.resize_mask(mask, *image.shape[:2]),
        reference=_load(job.photo.working_sha256),
        repaired=_repaired_before(source, image.shape[:2]),
    )
    shop = workshop() if any(step.backend != "embedded" for step in plan.steps) else None
    done = restore(image, plan, inputs, shop, report)
    return _as_version(job, VersionKind.MACHINE, done, report)


def _source(job: Job) -> Version:
    if job.source is None:
        raise LookupError(f"job {job.pk} names no source")
    return job.source


def _maps_before(source: Version, name: str, shape: tuple[int, ...]) -> list[pictures.Mask]:
    """One map of each ancestor that has it, at the given size."""
    line = ancestry(Version.objects.filter(photo=source.photo_id).in_bulk(), source)
    sheets = [each.maps[name] for each in line if name in each.maps]
    return [pictures.resize_mask(_load_sheet(sheet), *shape[:2]) for sheet in sheets]


def _repaired_before(source: Version, shape: tuple[int, ...]) -> NDArray[np.bool_] | None:
    """What the ancestors filled, at the source's size: filled once is filled for ever."""
    masks = [found > 0 for found in _maps_before(source, "repaired", shape)]
    if not masks:
        return None
    every: NDArray[np.bool_] = np.logical_or.reduce(masks)
    return every


def _with_colours_before(source: Version, done: Restored) -> Restored:
    """Colour that an ancestor was given is on this picture too: its maps and meters say so."""
    evidence = _strongest(source, done, "coloured_evidence")
    guess = _strongest(source, done, "coloured_guess")
    if evidence is None or guess is None:
        return done
    # Where anybody said what the colour is, it is not a guess any more.
    guess = np.where(evidence > gained.SEEN, 0, guess).astype(np.uint8)
    maps = done.maps | {"coloured_evidence": evidence, "coloured_guess": guess}
    areas = {
        "coloured_evidence_area": guard.coloured_area(evidence),
        "coloured_guess_area": guard.coloured_area(guess),
    }
    measured = done.meters | {"guard": done.meters.get("guard", {}) | areas}
    return replace(done, maps=maps, meters=measured)


def _strongest(source: Version, done: Restored, name: str) -> pictures.Mask | None:
    layers = _maps_before(source, name, done.image.shape)
    layers += [done.maps[name]] if name in done.maps else []
    if not layers:
        return None
    strongest: pictures.Mask = np.maximum.reduce(layers)
    return strongest


def _as_version(job: Job, kind: str, done: Restored, report: Reporter) -> leases.NewVersion:
    report(STORING, ALMOST)
    done = _with_colours_before(_source(job), done)
    height, width = done.image.shape[:2]
    return leases.NewVersion(
        kind=kind,
        sha256=_keep_image(done.image),
        width=width,
        height=height,
        frame=_framed(_source(job), done.image.shape),
        records=done.records,
        meters=done.meters,
        maps={name: _keep_map(sheet) for name, sheet in done.maps.items()},
        notes=done.notes,
    )


def _framed(source: Version, shape: tuple[int, ...]) -> Frame:
    """How the scan lies on a picture that was made from `source` on its canvas, at any scale."""
    wider = stretch((source.height, source.width), shape)
    framed: Frame = (wider @ np.vstack([source.frame, [0, 0, 1]]))[:2].tolist()
    return framed


def _retouch(job: Job, report: Reporter) -> leases.NewVersion:
    """Take in a hand retouch: decode it, make sure it belongs, measure it, keep it upright."""
    parent = _source(job)
    report("read", 0.0)
    with tempfile.TemporaryDirectory(prefix="rekindle-") as folder:
        working = Path(folder) / "retouch.tif"
        storage.read_received(job.plan["upload_sha256"], partial(decode.read, into=working))
        image = pictures.load(working)
    report("compare", 0.3)
    before = _load(parent.sha256)
    belonging = belongs(before, image)
    image, off = laid_back(image, before.shape, belonging)
    report("guard", 0.6)
    meters, maps = guard.judge(
        image,
        _load(job.photo.working_sha256),
        repaired=_repaired_before(parent, image.shape[:2]),
        faces=_faces(job),
    )
    colours, coloured = _colour_added(job, before, image)
    maps, meters = maps | colours, meters | coloured
    record = {
        "step": "retouch",
        "backend": "hand",
        "settings": {"filename": job.plan.get("filename", ""), "note": job.plan.get("note", "")},
        "upload_sha256": job.plan["upload_sha256"],
        "scale": belonging.scale,
        "changed": belonging.changed_fraction,
        "realigned": off,
        "coloured": coloured["coloured_guess_area"],
    }
    notes = [{"step": "retouch", **note("realigned", pixels=off)}] if off else []
    done = Restored(image, maps, {"guard": meters}, [record], notes)
    return _as_version(job, VersionKind.RETOUCH, done, report)


def _colour_added(
    job: Job, before: pictures.Image, after: pictures.Image
) -> tuple[Sheets, dict[str, float]]:
    """Maps and meters of the colour that a retouch brought to a picture without any; where it came
    from nobody said, so it counts as guessed. BadInput where the collection wants none."""
    guess = gained.colour(before, after)
    area = 0.0 if guess is None else guard.coloured_area(guess)
    if area and job.photo.collection.do_not_colourise:
        raise BadInput("colour-added", {"share": round(100 * area, 1)})
    blank = np.zeros(after.shape[:2], np.uint8)
    maps = {"coloured_guess": guess, "coloured_evidence": blank} if guess is not None else {}
    return maps, {"coloured_guess_area": area, "coloured_evidence_area": 0.0}


def _faces(job: Job) -> list[tuple[float, float, float, float]]:
    """The faces as the volunteer put them right, else those seen on the scan: in fractions."""
    seen = Assessment.objects.filter(photo=job.photo_id).first()
    found = drafting.suggested_faces(seen.report.get("faces", [])) if seen else None
    kept = Draft.objects.filter(photo=job.photo_id, volunteer=job.requested_by_id).first()
    draft = drafting.with_found(drafting.cleaned(kept.body if kept else None), found)
    drawn = drafting.boxed(draft["faces"]) or []
    return [(face["x"], face["y"], face["width"], face["height"]) for face in drawn]


@cache
def workshop() -> Any:
    """The models this worker keeps loaded; made on the first job that needs one."""
    from restoration.engine.generative.workshop import Workshop  # torch: only where it is wanted

    return Workshop(
        models_dir=settings.MODELS_DIR,
        device=settings.MODELS_DEVICE,
        budget_gb=settings.MODELS_MEMORY_GB or None,
    )


WORK: dict[JobKind, Callable[[Job, Reporter], leases.NewVersion | None]] = {
    JobKind.ASSESS: _look,
    JobKind.RESTORE: _restore,
    JobKind.RETOUCH: _retouch,
}
