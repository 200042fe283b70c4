"""The guard's meters in words, with the gates they are held against.

The gates themselves are the engine's (engine.steps.guard); the web does not import it, because it
brings the pixels' libraries. A test holds the two against each other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext_lazy

from archive.languages import listed
from restoration import wording
from restoration.engine import ladder
from restoration.engine.errors import BadInput
from restoration.engine.plan import Plan
from restoration.lifecycle import JobKind, JobState

if TYPE_CHECKING:
    from restoration.models import Job, Version

# A meter up to the first passes, above the second fails.
GATES = {
    "reframed": (1.2, 1.5),
    "moved": (0.3, 1.0),
    "invented": (0.7, 0.9),
    "smoothed": (0.66, 0.9),
    "erased": (3.5, 4.0),
}
# What versions judged by an earlier check of the same meters were held against.
EARLIER_GATES = {
    2: {
        "reframed": (0.7, 1.5),
        "moved": (0.6, 1.2),
        "invented": (0.5, 0.9),
        "smoothed": (0.45, 0.9),
        "erased": (2.5, 4.0),
    }
}
MOST_FILLED = 5.0
# The first check measured other things and held them against these; versions that it judged keep
# its words, because nothing of them was measured anew.
EARLIER_CHANGED = (2.0, 5.0)
EARLIER_BLOCK = (0.85, 0.70)
EARLIER_DETAIL = 1.6
DOUBTFUL = ("review", "fail")
STOPPED = ("reframed", "luma-moved", "blank-result")  # gates that leave no version to look at


@dataclass(frozen=True)
class Badge:
    """A verdict as colour, drawing and word."""

    tone: str
    icon: str
    label: str | Promise


@dataclass(frozen=True)
class Meter:
    """One measurement, what it may be, and how it fared."""

    label: str
    value: str
    gate: str
    tone: str


@dataclass(frozen=True)
class Card:
    """All that the guard has to say about one version; `earlier`: the first check said it.

    `adds_nothing`: it was measured that nothing was filled and no colour added.
    """

    badge: Badge
    meters: list[Meter]
    reasons: list[str]
    earlier: bool = False
    adds_nothing: bool = False


BADGES = {verdict: Badge(*told) for verdict, told in wording.VERDICTS.items()}
UNKNOWN = Badge("", "info", pgettext_lazy("verdict of the check", "not measured"))


def badge(meters: Mapping[str, Any]) -> Badge:
    """The verdict on a version, out of its meters by step."""
    return BADGES.get(str(_guard(meters).get("verdict", "")), UNKNOWN)


def card(meters: Mapping[str, Any]) -> Card:
    """The whole card, out of a version's meters by step."""
    return told(_guard(meters))


def told(guard: Mapping[str, Any]) -> Card:
    """The whole card, out of the guard's own meters."""
    earlier = "worst_block" in guard
    rows = _earlier(guard) if earlier else [_gated(guard, name) for name in GATES]
    rows += [_filled(guard)] if earlier else [_changed(guard), _filled(guard)]
    rows += [_coloured(guard, "evidence"), _coloured(guard, "guess"), _faces(guard)]
    rows += [_likeness(guard)]
    said = [wording.doubt(code) or code for code in guard.get("reasons", [])]
    verdict = str(guard.get("verdict", ""))
    meters, nothing = [row for row in rows if row], _adds_nothing(guard)
    return Card(BADGES.get(verdict, UNKNOWN), meters, said, earlier, nothing)


def caption(meters: Mapping[str, Any]) -> str:
    """What the check measured between the scan and a version, in a sentence; out of its meters by
    step."""
    guard = _guard(meters)
    verdict = wording.VERDICTS.get(str(guard.get("verdict", "")))
    if verdict is None or "changed_area" not in guard:
        return ""
    told = _(
        "Against the scan, tones apart: %(changed)s %% changed, %(filled)s %% filled; %(verdict)s."
    )
    return told % {
        "changed": f"{float(guard['changed_area']):.1f}",
        "filled": f"{float(guard.get('filled_area', 0)):.1f}",
        "verdict": listed([str(verdict[2]), *doubts(guard)]),
    } + _colour_added(guard)


def doubts(guard: Mapping[str, Any]) -> list[str]:
    """What the check found worth a look, in words; out of the guard's own meters."""
    return [doubt for code in guard.get("reasons", []) if (doubt := wording.doubt(code))]


def _colour_added(guard: Mapping[str, Any]) -> str:
    """The check looks at brightness alone, so that added colour has a sentence of its own."""
    area = _coloured_area(guard)
    if not area:
        return ""
    return " " + _("Colour was added on %(area)s %% of it.") % {"area": f"{100 * area:.1f}"}


def _coloured_area(guard: Mapping[str, Any]) -> float:
    """The share of the picture that was given colour."""
    return sum(float(guard.get(f"coloured_{kind}_area") or 0) for kind in ("guess", "evidence"))


def _adds_nothing(guard: Mapping[str, Any]) -> bool:
    return guard.get("filled_area") == 0 and not _coloured_area(guard)


def _guard(meters: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = meters.get("guard") or {}
    return found


def percent(value: float) -> str:
    """A percentage with one decimal; no line breaks before its sign."""
    return f"{number_format(round(value, 1), 1)}\N{NO-BREAK SPACE}%"


def _number(value: float) -> str:
    return str(number_format(round(value, 2), 2))


def _gated(guard: Mapping[str, Any], name: str) -> Meter | None:
    value = guard.get(name)
    if value is None:
        return None
    low, high = EARLIER_GATES.get(guard.get("gate_version", 0), GATES)[name]
    told = _measure(name)
    gate = _("passes up to %(low)s, fails above %(high)s") % {"low": told(low), "high": told(high)}
    tone = _tone(value > high, value > low)
    return Meter(str(wording.METERS[name]), told(float(value)), gate, tone)


def _measure(name: str) -> Callable[[float], str]:
    if name in ("reframed", "moved"):
        return lambda value: _("%(number)s px") % {"number": _number(value)}
    if name == "invented":
        # What runs against the scan counts as more than all of it, which no reader would believe.
        return lambda value: percent(100 * min(value, 1.0))
    return lambda value: _("%(number)s × the grain") % {"number": _number(value)}


def _earlier(guard: Mapping[str, Any]) -> list[Meter | None]:
    """What the first check measured and judged."""
    return [_earlier_changed(guard), _earlier_block(guard), _earlier_detail(guard)]


def _earlier_changed(guard: Mapping[str, Any]) -> Meter | None:
    value = guard.get("changed_area")
    if value is None:
        return None
    low, high = EARLIER_CHANGED
    gate = _("passes up to %(low)s, fails above %(high)s") % {
        "low": percent(low),
        "high": percent(high),
    }
    tone = _tone(value > high, value > low)
    return Meter(_("Changed outside the repairs"), percent(value), gate, tone)


def _earlier_block(guard: Mapping[str, Any]) -> Meter | None:
    value, (low, high) = guard["worst_block"], EARLIER_BLOCK
    gate = _("1 is the same; passes from %(low)s, fails below %(high)s") % {
        "low": _number(low),
        "high": _number(high),
    }
    tone = _tone(value < high, value < low)
    return Meter(_("Likeness of the least similar spot"), _number(value), gate, tone)


def _earlier_detail(guard: Mapping[str, Any]) -> Meter | None:
    value = guard.get("detail_ratio")
    if value is None:
        return None
    gate = _("passes up to %(most)s times the scan's") % {"most": _number(EARLIER_DETAIL)}
    tone = _tone(False, value > EARLIER_DETAIL)
    return Meter(_("Fine detail"), f"{_number(value)} ×", gate, tone)


def _changed(guard: Mapping[str, Any]) -> Meter | None:
    """Told, not judged: a faded print may change everywhere and still be the same picture."""
    value = guard.get("changed_area")
    if value is None:
        return None
    return Meter(_("Changed outside the repairs"), percent(value), "", "")


def _filled(guard: Mapping[str, Any]) -> Meter | None:
    value = guard.get("filled_area")
    if value is None:
        return None
    gate = _("passes up to %(most)s") % {"most": percent(MOST_FILLED)}
    wide = bool(guard.get("wide_fill"))
    if wide:
        gate = "; ".join(
            [gate, _("one hole is wide: its middle is guesswork, look at it at 100 %")]
        )
    return Meter(_("Repaired"), percent(value), gate, _tone(False, wide or value > MOST_FILLED))


def _coloured(guard: Mapping[str, Any], kind: str) -> Meter | None:
    # The engine tells these two as shares, the others in percent.
    value = 100 * float(guard.get(f"coloured_{kind}_area") or 0)
    if not value:
        return None
    label = _("Coloured from evidence") if kind == "evidence" else _("Coloured by guess")
    return Meter(label, percent(value), "", "")


def _faces(guard: Mapping[str, Any]) -> Meter | None:
    faces = guard.get("faces") or []
    if not faces:
        return None
    said = [str(face.get("verdict", "")) for face in faces]
    small = sum(bool(face.get("too_small")) for face in faces)
    drawn = sum(bool(face.get("filled_in")) for face in faces)
    same = sum(
        face.get("verdict") == "pass" and not face.get("too_small") and not face.get("filled_in")
        for face in faces
    )
    label, doubted = _("Faces that stayed the same"), "review" in said or drawn > 0
    tone = _tone("fail" in said, doubted)
    if small == len(said):  # no share of them can be told, and without a doubt no colour
        return Meter(
            label, _not_verified(small, drawn), "", tone if doubted or "fail" in said else ""
        )
    value = _("%(passed)s of %(all)s") % {"passed": same, "all": len(said)}
    return Meter(label, value, _not_verified(small, drawn), tone)


def _not_verified(small: int, drawn: int) -> str:
    """How many faces the scan says too little of, and how many were filled in."""
    told = []
    if small:
        note = ngettext("%(count)s too small to verify", "%(count)s too small to verify", small)
        told.append(note % {"count": small})
    if drawn:
        note = ngettext("%(count)s partly filled in", "%(count)s partly filled in", drawn)
        told.append(note % {"count": drawn})
    return "; ".join(told)


def _likeness(guard: Mapping[str, Any]) -> Meter | None:
    """Which faces somebody should look at; where it was not measured, that it was not."""
    found = guard.get("likeness") or {}
    if not found or found.get("state") == "no-faces":
        return None
    said = [str(face.get("said", "")) for face in found.get("faces", [])]
    value = (
        "; ".join(_told_of(said)) if found.get("state") == "measured" else _("not measured here")
    )
    tone = "review" if "look" in said else "passed" if "alike" in said else ""
    return Meter(
        _("Likeness of the faces"), value, _("a hint for your eye; it decides nothing"), tone
    )


def _told_of(said: list[str]) -> list[str]:
    """The faces to look at by their numbers, the others by how many they are."""
    look = ", ".join(str(number) for number, each in enumerate(said, start=1) if each == "look")
    told = [_("look at face %(numbers)s") % {"numbers": look}] if look else []
    alike, small = said.count("alike"), said.count("too-small")
    if alike:
        told.append(_("%(n)s like the scan") % {"n": alike})
    if small:
        told.append(_("%(n)s too small to compare") % {"n": small})
    return told


def _tone(fails: bool, warns: bool) -> str:
    if fails:
        return "failed"
    return "review" if warns else "passed"


LEAST = 0.1  # percent; half of it would read as nothing
# Each map of a version by the meter that says how much of the picture it covers, in percent.
_COVERS = {
    "doubtful": ("doubtful_area", 1.0),
    "changed": ("changed_area", 1.0),
    "repaired": ("filled_area", 1.0),
    "coloured_guess": ("coloured_guess_area", 100.0),
    "coloured_evidence": ("coloured_evidence_area", 100.0),
}
LAYERS = frozenset(_COVERS)


@dataclass(frozen=True)
class Layer:
    """A map over a version: its name, what it shows, and how much of the picture it covers."""

    name: str
    label: str
    share: float

    @property
    def words(self) -> str:
        """The share as a percentage."""
        if 0 < self.share < LEAST / 2:
            return _("less than %(share)s") % {"share": percent(LEAST)}
        return percent(self.share)


def layers(maps: Mapping[str, str], meters: Mapping[str, Any]) -> list[Layer]:
    """The maps there are, the one that covers most first."""
    guard = _guard(meters)
    found = [
        Layer(name, str(wording.MAPS[name]), factor * float(guard.get(meter) or 0))
        for name, (meter, factor) in _COVERS.items()
        if name in maps
    ]
    return sorted(found, key=lambda layer: -layer.share)


def covering(found: list[Layer]) -> list[Layer]:
    """Those that show something: an empty map is a black frame."""
    return [each for each in found if each.share]


def layer(found: list[Layer], name: str) -> Layer | None:
    """The one that is asked for, else the one that covers most."""
    return next((each for each in found if each.name == name), found[0] if found else None)


def rungs(version: Version) -> list[ladder.Rung]:
    """What may be tried with less risk, where the check found more than cleaning explains."""
    if _guard(version.meters).get("verdict") not in DOUBTFUL:
        return []
    job = getattr(version, "job", None)
    return _below(job) if job is not None else []


def rungs_after(job: Job) -> list[ladder.Rung]:
    """What may be tried with less risk, where a gate stopped a run before there was a version."""
    stopped = job.state == JobState.FAILED and job.error_code in STOPPED
    return _below(job) if stopped else []


def _below(job: Job) -> list[ladder.Rung]:
    if job.kind != JobKind.RESTORE or job.source_id is None:
        return []
    try:
        return ladder.rungs(Plan.from_json(job.plan))
    except BadInput:  # of an older engine, which knew steps that are gone
        return []
