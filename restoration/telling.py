"""What was done to a picture, in words for people: records, prompts, colour hints."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from archive.languages import listed
from restoration import wording

# They look and judge; the picture does not pass through their hands.
UNTOLD = ("assess", "guard")
# Settings that add something; at nothing they are not worth a word.
ADDED = ("guess", "sharpen", "deblur", "deblock")
# The known facts about colours, as a plan and as a form call them.
COLOUR_FACTS = ("facts", "colours")
# What the archive itself says, by the field that begins with it.
Known = Mapping[str, Collection[str]]


class Told(NamedTuple):
    """A name and what it is."""

    label: str
    value: str


@dataclass(frozen=True)
class Step:
    """One step of a version: what, by whom, how strongly."""

    name: str
    by: str
    model: str
    licence: str
    settings: list[Told]
    note: str = ""
    where: Sequence[str] = ()

    @property
    def strengths(self) -> str:
        """Where it worked when a person said so, and the settings, in one line."""
        return listed([*self.where, *(f"{label} {value}" for label, value in self.settings)])


@dataclass(frozen=True)
class Words:
    """What a volunteer wrote, as far as it had to do with a version, and what it was for."""

    heading: str
    rows: list[Told]


class Hint(NamedTuple):
    """A colour that a person put on the picture: its hex, its word, and where it lies."""

    colour: str
    word: str
    place: str

    @property
    def said(self) -> str:
        """What the person called it; else its name where the palette has one, and its hex."""
        name = wording.swatch(self.colour)
        named = {"name": name, "colour": self.colour}
        return self.word or (_("%(name)s (%(colour)s)") % named if name else self.colour)


def steps(records: Iterable[Mapping[str, Any]]) -> list[Step]:
    """The steps of one version that made something, in their order."""
    return [_step(record) for record in records if record.get("step") not in UNTOLD]


def _step(record: Mapping[str, Any]) -> Step:
    backend = str(record.get("backend", ""))
    return Step(
        name=wording.step(str(record.get("step", ""))),
        by=str(wording.BACKENDS.get(backend, backend)),
        model=model(record),
        licence=licence(record),
        settings=_settings(record),
        note=str((record.get("settings") or {}).get("note") or ""),
        where=_where(record),
    )


def _where(record: Mapping[str, Any]) -> list[str]:
    """What a hand's mask had to do with it; nothing when the machine searched by itself."""
    if not is_marked(record):
        return []
    marks_only = (record.get("settings") or {}).get("marks_only")
    filled = [] if marks_only is None else [str(wording.FILLED[bool(marks_only)])]
    return [str(wording.MASK_BY_HAND), *filled]


def is_marked(record: Mapping[str, Any]) -> bool:
    """Whether a person's mask said where the damage is, so that nothing was searched for.

    It may hold what the machine had found before and the person let stand: painting begins there.
    """
    return record.get("mask") == "given"


def model(record: Mapping[str, Any]) -> str:
    """What the generative model of a step is called; nothing when none was used."""
    return str((record.get("model") or {}).get("label", ""))


def licence(record: Mapping[str, Any]) -> str:
    """The licence of that model's weights."""
    return str((record.get("model") or {}).get("licence_label", ""))


def _settings(record: Mapping[str, Any]) -> list[Told]:
    given = record.get("settings") or {}
    # What becomes of a hand's mask is told with the mask.
    untold = {"model", "marks_only", *(name for name in ADDED if not given.get(name))}
    if is_marked(record):
        untold.add("sensitivity")  # of a search that there was not
    return [
        Told(str(wording.SETTINGS[name]), _value(value))
        for name, value in given.items()
        if name in wording.SETTINGS and name not in untold
    ]


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, float):
        return str(number_format(round(value, 2)))
    return str(value)


def words(
    given: Mapping[str, Any] | None,
    records: Iterable[Mapping[str, Any]],
    *,
    for_reviewer: bool = False,
    known: Known | None = None,
) -> Words:
    """The volunteer's own words that a model read, or else those that the colours stand on.

    What was typed beside steps that read no words had no part in the picture; a reviewer may still
    want to know it. The fields begin with what is `known` to the archive; nobody noted that.
    """
    done = list(records)
    if any(record.get("model") or record.get("backend") == "generative" for record in done):
        return Words(_("The words the machine was given"), prompt(given))
    if for_reviewer:
        return Words(_("Noted by the volunteer; no machine read it"), prompt(_noted(given, known)))
    coloured = any(record.get("step") == "colourise" for record in done)
    facts = {name: (given or {}).get(name) for name in COLOUR_FACTS if coloured}
    return Words(_("What is known about the colours"), prompt(facts))


def _noted(given: Mapping[str, Any] | None, known: Known | None) -> dict[str, Any]:
    """What differs from all that the archive itself says in a field, in any language."""
    known = known or {}
    return {name: text for name, text in (given or {}).items() if text not in known.get(name, ())}


def prompt(given: Mapping[str, Any] | None) -> list[Told]:
    """The volunteer's own words, field by field, exactly as written."""
    rows = []
    for name, text in (given or {}).items():
        text = "\n".join(text) if isinstance(text, list | tuple) else str(text or "")
        if text.strip():
            # A plan calls the known facts about colours "facts", the form "colours".
            label = wording.FIELDS.get("colours" if name == "facts" else name, name)
            rows.append(Told(str(label), text))
    return rows


def hints(plan: Mapping[str, Any] | None) -> list[Hint]:
    """The colours that a person placed or named: the evidence, or what stands in for it."""
    plan = plan or {}
    dabs = [_dab(dab) for dab in plan.get("dabs", [])]
    return dabs + [_region(region) for region in plan.get("regions", [])]


def _dab(dab: Mapping[str, Any]) -> Hint:
    return Hint(_hex(dab.get("rgb")), "", _place(dab.get("x", 0), dab.get("y", 0)))


def _region(region: Mapping[str, Any]) -> Hint:
    points: Sequence[Sequence[float]] = region.get("points") or [(0.0, 0.0)]
    x = sum(point[0] for point in points) / len(points)
    y = sum(point[1] for point in points) / len(points)
    return Hint(_hex(region.get("rgb")), str(region.get("word") or ""), _place(x, y))


def _hex(rgb: Sequence[int] | None) -> str:
    return "#{:02x}{:02x}{:02x}".format(*rgb) if rgb else ""


def _place(x: float, y: float) -> str:
    return _("%(x)s %% across, %(y)s %% down") % {"x": round(100 * x), "y": round(100 * y)}
