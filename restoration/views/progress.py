"""A run from queue to end in words, as templates/restoration/_job.html reads it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from archive.lifecycle import PhotoState
from restoration import allowing, failures, guarding, ledger, wording
from restoration.actions.jobs import WITHDRAWN
from restoration.engine.catalog import NAMES
from restoration.lifecycle import ClaimState, JobKind, JobState
from restoration.models import Claim, Job, Preview
from restoration.queries import waiting
from restoration.queries.waiting import Outlook, Seconds
from restoration.views import advising
from restoration.views.strip import label, menu

STATES: dict[str, tuple[str, str]] = {
    JobState.QUEUED: ("", "clock"),
    JobState.RUNNING: ("live", "play"),
    JobState.SUCCEEDED: ("passed", "check"),
    JobState.FAILED: ("failed", "alert"),
    JobState.CANCELLED: ("", "stop"),
}
# What a worker does with a retouch, in order.
RETOUCH = ("read", "compare", "guard")
STORE = "store"
A_MINUTE = 90


def progress(job: Job, *, now: datetime) -> dict[str, Any]:
    """The context of one run."""
    tone, icon = STATES[job.state]
    outlook = waiting.outlook_of(job, now=now) if job.live else None
    here = reverse("restoration:bench", args=[job.photo.ref])
    return {
        "id": job.pk,
        "state": job.state,
        "state_label": job.get_state_display(),
        "tone": tone,
        "icon": icon,
        "live": job.live,
        "place": outlook.place if outlook and job.state == JobState.QUEUED else None,
        "wait": _wait(job, outlook) if outlook else "",
        "percent": round(100 * job.progress) if job.state == JobState.RUNNING else None,
        "detail": _detail(job),
        "message": message(job, outlook),
        "steps": _steps(job) if job.live else [],
        "paid": "" if job.live else allowing.paid(ledger.used_by(job)),
        "preview": _preview(job),
        "poll_url": reverse("restoration:job", args=[job.pk]),
        "cancel_url": reverse("restoration:cancel", args=[job.pk]),
        "page_url": here,
        "version_url": result(job),
        "menu": menu(job.version) if job.version else "",
        "made": _made(job),
        **_less_risk(job),
    }


def _less_risk(job: Job) -> dict[str, Any]:
    """What to try instead where a gate stopped the run, while its asker still holds the photo."""
    rungs = guarding.rungs_after(job)
    claim = (
        rungs
        and Claim.objects.filter(
            photo=job.photo_id, volunteer=job.requested_by_id, state=ClaimState.OPEN
        ).first()
    )
    if not claim:
        return {"rungs": []}
    address = reverse("restoration:run-again", args=[job.pk])
    return {
        "rungs": [
            {"key": each.key, "label": wording.rung(each.code, each.strength)} for each in rungs
        ],
        "again_url": f"{address}?{urlencode({'claim': claim.pk})}",
    }


def _preview(job: Job) -> dict[str, Any] | None:
    """The newest half-finished picture; its address changes with it, so that it is fetched once."""
    if job.state != JobState.RUNNING:
        return None
    sizes = Preview.objects.filter(job=job).values("width", "height", "made_at").first()
    if sizes is None:
        return None
    at = f"{1000 * sizes['made_at'].timestamp():.0f}"
    address = reverse("restoration:preview", args=[job.pk])
    return {**sizes, "id": f"{job.pk}-{at}", "src": f"{address}?{urlencode({'at': at})}"}


def _made(job: Job) -> dict[str, Any] | None:
    """What the run began from and what it made, by their numbers."""
    if job.version is None or job.source is None:
        return None
    return {"source": job.source.number, "result": job.version.number, "label": label(job.version)}


def result(job: Job) -> str:
    """Where what it made is looked at."""
    here = reverse("restoration:bench", args=[job.photo.ref])
    return f"{here}?{urlencode({'base': job.version.number})}" if job.version else ""


def _detail(job: Job) -> str:
    if not job.step:
        return _("starting")
    name, percent = wording.step(job.step), round(100 * job.progress)
    return _("%(step)s, %(percent)s %% of the whole") % {"step": name, "percent": percent}


def _steps(job: Job) -> list[dict[str, Any]]:
    """In the order they run: before the one at work is done, after it waits."""
    if job.kind == JobKind.RETOUCH:
        names = list(RETOUCH)
    else:
        planned = {step["name"] for step in job.plan.get("steps", [])}
        names = [name for name in NAMES if name in planned]
    names.append(STORE)
    at = names.index(job.step) if job.step in names else -1
    return [
        {"label": wording.step(name), "state": _step_state(place, at), "percent": None}
        for place, name in enumerate(names)
    ]


def _step_state(place: int, at: int) -> str:
    if place == at:
        return "running"
    return "done" if place < at else "waiting"


def _wait(job: Job, outlook: Outlook) -> str:
    if not outlook.workers and job.state == JobState.RUNNING:
        return ""  # its machine has not spoken for a moment; should it stay silent, another begins
    if not outlook.workers:
        return _(
            "Nobody can run this now: no machine for it is on. Your run waits and starts by itself."
        )
    if outlook.seconds is None or waiting.slower_than_usual(outlook.seconds):
        return ""
    if job.state == JobState.RUNNING:
        return _("about %(range)s more") % {"range": span(outlook.seconds)}
    return _("done in about %(range)s") % {"range": span(outlook.seconds)}


def message(job: Job, outlook: Outlook | None) -> str:
    """What there is to say of it besides its state."""
    if job.state == JobState.FAILED:
        return f"{advising.problem(job.error_code, job.error_facts)} {failures.SAFE}"
    if job.state == JobState.CANCELLED and job.error_code == WITHDRAWN:
        return str(wording.RESTS[PhotoState.WITHDRAWN])
    if job.state == JobState.CANCELLED:
        return _("Cancelled; nothing of this run was kept.") + f" {failures.SAFE}"
    if job.state == JobState.QUEUED and job.attempt:
        return _again(job)
    if outlook and job.state == JobState.RUNNING and waiting.slower_than_usual(outlook.seconds):
        return _("It takes longer than most, and is still at work.")
    return ""


def _again(job: Job) -> str:
    """Why it waits a second time; none of these is the volunteer's doing."""
    if job.error_code == "worker-leaving":
        return _("The machine that worked on it is being stopped; the next one begins it anew.")
    if job.not_before:
        return _("A part of the site could not be reached; your run is tried again by itself.")
    return _("The last try did not succeed; it is tried again by itself.")


def estimate(outlook: Outlook) -> str:
    """What to expect of Run, beside its button."""
    if not outlook.workers:
        return _(
            "Nobody can run this now: no machine for it is on. A run waits and starts by itself."
        )
    before = _before(outlook.ahead)
    if outlook.seconds is None:
        return _("How long it takes is not known yet; %(before)s.") % {"before": before}
    return _("about %(range)s, %(before)s") % {"range": span(outlook.seconds), "before": before}


def _before(ahead: int) -> str:
    if not ahead:
        return _("nobody before you")
    return ngettext("%(n)s run before you", "%(n)s runs before you", ahead) % {"n": ahead}


def span(seconds: Seconds) -> str:
    """ "15 to 25 s", "2 to 5 min": rounded outwards, because it is a guess."""
    if seconds.high < A_MINUTE:
        low, high = max(1, int(seconds.low)), max(1, -int(-seconds.high // 1))
        text = _("%(low)s to %(high)s s")
    else:
        low, high = int(seconds.low // 60), -int(-seconds.high // 60)
        text = _("%(low)s to %(high)s min")
    return text % {"low": low, "high": max(high, low + 1)}
