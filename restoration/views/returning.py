"""A version that came back: what the curator said of it, and from where to mend it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from restoration import drafting
from restoration.lifecycle import JobKind, VersionKind, VersionState
from restoration.models import Draft, Job, Version
from restoration.queries.bench import Bench
from restoration.views.strip import advice, label, reason


def came_back(bench: Bench) -> Version | None:
    """One's newest version, when it came back and nothing was made since that still counts."""
    kept = [each for each in bench.own if each.state != VersionState.WITHDRAWN]
    last = kept[-1] if kept else None
    return last if last and last.state == VersionState.RETURNED else None


def begun_again(bench: Bench, asked: str | None) -> dict[str, Any] | None:
    """The draft of a returned version's run, on what it began from; None once somebody went on.

    Advice tells what that run should have done otherwise, which its result does not let one do.
    Who asks for another version gets the draft as it was left.
    """
    last, draft = came_back(bench), bench.draft
    job = _run_of(last)
    if job is None or job.source is None or job.source not in bench.versions:
        return None
    if draft is not None and _is_newer(draft, last):
        return None
    if asked and asked != str(job.source.number):
        return None
    again = drafting.of_plan(job.plan, draft.body if draft else None)
    return {**again, "base": job.source.number}


def told(bench: Bench, base: Version, kept: Mapping[str, Any] | None) -> dict[str, str] | None:
    """The reason and the advice that wait for an answer, and what this page begins from."""
    last = came_back(bench)
    if last is None:
        return None
    job = _run_of(last)
    begins = job is not None and job.source == base and (kept or {}).get("base") == base.number
    return {
        "label": label(last),
        "reason": reason(last),
        "advice": advice(last),
        "begins": _begins(base, last) if begins else "",
    }


def _run_of(version: Version | None) -> Job | None:
    """The run whose recipe can be set again; a retouch has none."""
    job: Job | None = getattr(version, "job", None)
    return job if job and job.kind == JobKind.RESTORE and job.plan.get("steps") else None


def _is_newer(draft: Draft, version: Any) -> bool:
    """`version` comes with its decided reviews, newest first, from queries.bench."""
    return bool(version.decided and draft.saved_at > version.decided[0].decided_at)


def _begins(base: Version, last: Version) -> str:
    if base.kind == VersionKind.SCAN:
        words = _("This begins from the scan again, with the steps of %(version)s.")
        return words % {"version": label(last)}
    words = _("This begins from %(base)s again, with the steps of %(version)s.")
    return words % {"base": label(base), "version": label(last)}
