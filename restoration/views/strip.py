"""The strip, as templates/restoration/_strip.html reads it: versions with what made each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from archive.languages import listed, said
from archive.sizes import fit
from restoration import guarding, telling, wording
from restoration.lifecycle import VersionKind, VersionState
from restoration.models import Version
from restoration.queries.bench import Bench, depths
from restoration.views import pictures

# Icon and tone of a version's state; never the colour alone.
STATES: dict[str, tuple[str, str]] = {
    VersionState.DRAFT: ("", "photo"),
    VersionState.SUBMITTED: ("review", "clock"),
    VersionState.ACCEPTED: ("passed", "check"),
    VersionState.RETURNED: ("review", "turn"),
    VersionState.DECLINED: ("failed", "cross"),
    VersionState.WITHDRAWN: ("", "undo"),
}
SILENT = ("assess", "guard")


@dataclass(frozen=True)
class Typed:
    """What was sent under a version and refused: which form, its note, and why."""

    number: int
    form: str  # "retouch" or "submit"
    note: str
    errors: tuple[str, ...]


def strip(bench: Bench, base: Version, typed: Typed | None = None) -> dict[str, Any]:
    """The context of the strip."""
    deep = depths(bench.versions)
    newest = bench.versions[-1]
    query = urlencode({"base": base.number})
    return {
        "versions": [_card(bench, each, base, deep[each.pk], typed) for each in bench.versions],
        "newest": {"label": label(newest), "menu": menu(newest)} if newest.parent else None,
        "strip_url": f"{reverse('restoration:strip', args=[bench.photo.ref])}?{query}",
    }


def label(version: Version) -> str:
    """What a version is called for short."""
    if version.kind == VersionKind.SCAN:
        return pgettext("version", "scan")
    return f"v{version.number}"


def menu(version: Version) -> str:
    """The id of the version's menu on the strip."""
    return f"version-{version.number}-menu"


def title(version: Version) -> str:
    """What was done to it, in a word or two."""
    if version.kind == VersionKind.SCAN:
        return _("as it came from the scanner")
    names = [wording.step(each["step"]) for each in version.records if each["step"] not in SILENT]
    return listed(names)


def made_with(version: Version) -> str:
    """Each step with its strength, then what the steps had to say, a line each."""
    told = [_record(each) for each in version.records if each["step"] not in SILENT]
    notes = [wording.note(each.get("code", ""), each.get("facts")) for each in version.notes]
    line = " · ".join(told)
    return "\n".join(part for part in (line, *notes) if part)


def _record(record: Mapping[str, Any]) -> str:
    settings = record.get("settings") or {}
    asked = {} if telling.is_marked(record) else settings  # a hand's mask has no strength
    words = [_strength(wording.step(record["step"]), asked)]
    if telling.model(record):
        words.append(f"({telling.model(record)})")
    if settings.get("note"):
        words.append(f"“{settings['note']}”")
    return " ".join(words)


def _strength(name: str, settings: Mapping[str, Any]) -> str:
    """The step's name, and how strongly it was asked for."""
    if "strength" in settings:
        return f"{name} {float(settings['strength']):.2g}"
    if "sensitivity" in settings:
        share = f"{float(settings['sensitivity']):.2g}"
        return _("%(step)s (damage %(share)s)") % {"step": name, "share": share}
    return name


def guard(version: Version) -> dict[str, Any] | None:
    """The verdict of the check at the end of the run, in a word."""
    meters = (version.meters or {}).get("guard") or {}
    if meters.get("verdict") not in wording.VERDICTS:
        return None
    tone, icon, words = wording.VERDICTS[meters["verdict"]]
    return {"tone": tone, "icon": icon, "label": words, "doubts": guarding.doubts(meters)}


def _card(
    bench: Bench, version: Version, base: Version, depth: int, typed: Typed | None
) -> dict[str, Any]:
    tone, icon = STATES[version.state]
    is_scan = version.kind == VersionKind.SCAN
    width, height = fit(version.width, version.height, pictures.THUMB)
    name = said(bench.photo, "title").text or str(bench.photo)
    return {
        "id": version.number,
        "label": label(version),
        "title": title(version),
        "kind": version.kind,
        "kind_label": version.get_kind_display(),
        "maker": _maker(bench, version),
        "made_with": "" if is_scan else made_with(version),
        "created_at": version.made_at,
        "state": version.state,
        "state_label": pgettext("version", "original") if is_scan else version.get_state_display(),
        "tone": tone,
        "icon": "lock" if is_scan else icon,
        "thumb": pictures.address(version, pictures.THUMB),
        "thumb_width": width,
        "thumb_height": height,
        "alt": f"{name}, {label(version)}",
        "depth": min(depth, 6),
        "parent_label": label(version.parent) if version.parent else "",
        "current": version.pk == base.pk,
        "at_work": bench.claim is not None,
        "is_alternative": version.is_alternative,
        "reason": reason(version),
        "advice": advice(version),
        "guard": guard(version),
        "menu": menu(version),
        "rungs": _rungs(bench, version),
        "typed": typed if typed and typed.number == version.number else None,
        "urls": _urls(bench, version, is_scan),
    }


def _rungs(bench: Bench, version: Version) -> list[dict[str, str]]:
    """What can be tried with less risk, for who holds the photo."""
    if bench.claim is None:
        return []
    return [
        {"key": each.key, "label": wording.rung(each.code, each.strength)}
        for each in guarding.rungs(version)
    ]


def _maker(bench: Bench, version: Version) -> str:
    if version.made_by is None:
        return ""
    return _("you") if version.made_by_id == bench.user.pk else str(version.made_by)


def advice(version: Any) -> str:
    """`version` comes with its decided reviews, newest first, from queries.bench."""
    return version.decided[0].advice if version.decided else ""


def reason(version: Any) -> str:
    """Why the version came back or was declined, in the words that its curator chose."""
    return version.decided[0].why if version.decided else ""


def _urls(bench: Bench, version: Version, is_scan: bool) -> dict[str, Any]:
    ref = bench.photo.ref
    own = version.made_by_id == bench.user.pk
    urls: dict[str, Any] = {
        "open": f"{reverse('restoration:bench', args=[ref])}?{urlencode({'base': version.number})}",
        "downloads": downloads(version),
    }
    if version.parent is not None:
        query = urlencode({"left": version.parent.number, "right": version.number})
        urls["compare"] = f"{reverse('restoration:compare', args=[ref])}?{query}"
    if bench.claim is not None:
        urls["retouch"] = _under(bench.claim.pk, "retouch", ref, version.number)
        urls["again"] = _under(bench.claim.pk, "again", ref, version.number)
    if own and not is_scan and version.state == VersionState.DRAFT:
        urls["submit"] = reverse("restoration:submit", args=[ref, version.number])
    if own and version.state == VersionState.SUBMITTED:
        urls["withdraw"] = reverse("restoration:withdraw", args=[ref, version.number])
    return urls


def _under(claim: int, name: str, *args: object) -> str:
    return f"{reverse(f'restoration:{name}', args=args)}?{urlencode({'claim': claim})}"


def downloads(version: Version) -> list[dict[str, str]]:
    """The working file in two kinds, and the facts that go with it."""
    labels = (("tif", _("TIFF, full depth")), ("png", _("PNG, full depth")), ("json", _("Facts")))
    at = [version.photo.ref, version.number]
    return [
        {"url": reverse("restoration:working", args=[*at, kind]), "label": words}
        for kind, words in labels
    ]
