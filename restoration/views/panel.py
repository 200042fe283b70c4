"""The recipe's form: steps with their settings, the prompt's fields, what the assessment saw."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from archive import edtf
from archive.languages import listed, said
from archive.models import Photo
from restoration import wording
from restoration.drafting import PROMPT, STEPS, backend, too_long
from restoration.engine import colours
from restoration.engine.catalog import CALM_FROM, EMBEDDED, GENERATIVE, Setting, StepSpec
from restoration.engine.generative.rows import MODELS, Model
from restoration.engine.plan import LONGEST_TEXT
from restoration.models import Assessment

MOST_FACT_SWATCHES = 8
SELDOM = ("descreen",)  # shown for the few photos that are pictures out of a book or a newspaper
LONG_FIELDS = {"colours": 3, "keep": 2, "words": 2}


@dataclass(frozen=True)
class Panel:
    """What a recipe's form is drawn from."""

    photo: Photo
    draft: Mapping[str, Any] | None
    models: list[dict[str, Any]]

    @property
    def assessment(self) -> Assessment | None:
        return getattr(self.photo, "assessment", None)

    @property
    def suggested(self) -> dict[str, dict[str, Any]]:
        """The assessment's rows by step, without what the collection does not want."""
        rows = self.assessment.suggestions if self.assessment else []
        return {row["step"]: row for row in rows if self.refusal(row["step"]) == ""}

    def refusal(self, step: str) -> str:
        """Why a step cannot be chosen; nothing when it can."""
        if self.is_unwanted(step):
            return _("This collection does not want colour added.")
        spec = next((each for each in STEPS if each.name == step), None)
        if spec and EMBEDDED not in spec.backends and not self.models_for(step):
            return _("No machine that can do this is on at the moment.")
        return ""

    def is_unwanted(self, step: str) -> bool:
        """Whether the collection does not want the step, whoever could do it."""
        return step == "colourise" and self.photo.collection.do_not_colourise

    def is_chosen(self, step: str) -> bool:
        """Whether somebody's draft has the step switched on."""
        drafted = self.draft["steps"].get(step) if self.draft else None
        return bool(drafted and drafted["on"])

    def models_for(self, step: str) -> list[dict[str, Any]]:
        """The generative models that a living worker offers for the step."""
        return [
            model for model in self.models if f"{step}:{model['name']}" in model.get("offers", [])
        ]


def steps(panel: Panel) -> list[dict[str, Any]]:
    """One entry a step, in the order they always run."""
    shown = [spec for spec in STEPS if spec.name not in SELDOM or _is_wanted(panel, spec)]
    return [_step(panel, number, spec) for number, spec in enumerate(shown, start=1)]


def _is_wanted(panel: Panel, spec: StepSpec) -> bool:
    """Suggested for this photo, or switched on by somebody."""
    return spec.name in panel.suggested or panel.is_chosen(spec.name)


def _step(panel: Panel, number: int, spec: StepSpec) -> dict[str, Any]:
    refusal, hint = panel.refusal(spec.name), panel.suggested.get(spec.name)
    drafted = panel.draft["steps"].get(spec.name) if panel.draft else None
    # What was chosen stays so while its machine is away: the run refuses it, and says why.
    kept = panel.is_chosen(spec.name) and not panel.is_unwanted(spec.name)
    available = kept or not refusal
    rows = _settings(panel, spec, drafted, hint) if available else []
    return {
        "name": spec.name,
        "number": number,
        "label": wording.step(spec.name),
        "help": _help(spec, panel.models_for(spec.name)),
        "available": available,
        "unavailable_reason": refusal,
        "on": kept or (not drafted and bool(hint) and not refusal),
        "suggested": hint is not None,
        "reason": wording.reason(hint["reason"], hint.get("facts")) if hint else "",
        "settings": rows,
        "unseen": _unseen(drafted, rows),
    }


def _unseen(
    drafted: Mapping[str, Any] | None, rows: Iterable[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """What the draft says and the form has no field for: it goes along hidden, and is not lost."""
    said, shown = drafted["settings"] if drafted else {}, {row["name"] for row in rows}
    return [{"name": name, "value": said[name]} for name in said if name not in shown]


def _help(spec: StepSpec, models: list[dict[str, Any]]) -> str:
    """What the step does, and which model under which licence would do it."""
    words = str(wording.STEP_HELP.get(spec.name, ""))
    if not models:
        return words
    named = listed(_licensed(model) for model in models)
    return _("%(help)s Model: %(models)s.") % {"help": words, "models": named}


def _settings(
    panel: Panel,
    spec: StepSpec,
    drafted: Mapping[str, Any] | None,
    hint: Mapping[str, Any] | None,
) -> list[dict[str, Any]]:
    values = {**(hint["settings"] if hint else {}), **(drafted["settings"] if drafted else {})}
    models = panel.models_for(spec.name)
    is_drawn = bool(models) or backend(spec.name, values) == GENERATIVE
    offered = {None, *spec.backends} if is_drawn else {None, EMBEDDED}
    names = {model["name"] for model in models} | {values.get("model")}
    shown = [
        s
        for s in spec.settings
        if s.backend in offered and s.name != "model" and (not s.models or names & set(s.models))
    ]
    rows = _by_model(spec, values, models) if is_drawn else []
    return rows + [_setting(spec, setting, values.get(setting.name)) for setting in shown]


def _by_model(
    spec: StepSpec, values: Mapping[str, Any], models: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Who does it, where there is a choice, and which model with which licence."""
    rows = []
    if len(spec.backends) > 1:
        backends = [(name, wording.BACKENDS[name]) for name in (EMBEDDED, GENERATIVE)]
        rows.append(_choice(spec, "backend", backends, values.get("backend")))
    return [*rows, _model(spec, str(values.get("model") or ""), models)]


def _model(spec: StepSpec, chosen: str, models: list[dict[str, Any]]) -> dict[str, Any]:
    """Which model. The one that was chosen stays so though nobody can run it now, and can be sent:
    another in its place would be drawn with in silence."""
    named = [(model["name"], _licensed(model)) for model in models]
    if chosen and chosen not in dict(named):
        named.append((chosen, _nobodys(chosen)))
    row = _choice(spec, "model", named, chosen)
    row["choices"] += _others(spec, set(dict(named)))
    return row


def _others(spec: StepSpec, named: set[str]) -> list[dict[str, Any]]:
    """The other models that there are for the step, shown but not to be chosen."""
    able = [model.name for model in MODELS if spec.name in model.pipelines]
    return [
        {"value": name, "label": _nobodys(name), "selected": False, "disabled": True}
        for name in able
        if name not in named
    ]


def _nobodys(name: str) -> str:
    """How a model is called that no living worker offers, also one that is in no row any more."""
    row = next((_as_listed(model) for model in MODELS if model.name == name), {"name": name})
    return _("%(model)s: nobody can run this now") % {"model": _licensed(row)}


def _as_listed(model: Model) -> dict[str, Any]:
    licence = {"licence": model.licence_label, "commercial": model.commercial}
    return {"name": model.name, "label": model.label, **licence}


def _licensed(model: Mapping[str, Any]) -> str:
    """A model's name with its licence, and whether that allows commercial use."""
    words = {"model": model.get("label") or model["name"], "licence": model.get("licence", "")}
    if not words["licence"]:
        return str(words["model"])
    if "commercial" not in model:  # a worker of an earlier version does not say
        return f"{words['model']} ({words['licence']})"
    if model["commercial"]:
        return _("%(model)s (%(licence)s, commercial use allowed)") % words
    return _("%(model)s (%(licence)s, no commercial use)") % words


def _choice(
    spec: StepSpec, name: str, choices: list[tuple[str, Any]], value: Any
) -> dict[str, Any]:
    known = [key for key, _words in choices]
    chosen = value if value in known else next(iter(known), "")
    return {
        "name": name,
        "id": f"{spec.name}-{name}",
        "kind": "choice",
        "label": wording.SETTINGS[name],
        "value": chosen,
        "choices": [
            {"value": key, "label": words, "selected": key == chosen} for key, words in choices
        ],
    }


def _setting(spec: StepSpec, setting: Setting, value: Any) -> dict[str, Any]:
    value = setting.default if value is None else value
    if setting.kind == "choice":
        choices: list[tuple[str, Any]] = [(each, each) for each in setting.choices]
        return _choice(spec, setting.name, choices, value)
    return {
        "name": setting.name,
        "id": f"{spec.name}-{setting.name}",
        "kind": "check" if setting.kind == "bool" else "range",
        "label": _label(spec, setting),
        "value": value,
        "min": setting.low,
        "max": setting.high,
        "step": setting.step,
    }


def _label(spec: StepSpec, setting: Setting) -> str:
    """A setting that only a model reads says so, where Rekindle itself could do the step too."""
    words = str(wording.SETTINGS.get(setting.name, setting.name))
    if setting.backend == GENERATIVE and len(spec.backends) > 1:
        return _("%(setting)s (generative)") % {"setting": words}
    return words


def needs(steps: Iterable[Mapping[str, Any]]) -> list[str]:
    """What a machine must offer for the steps as the page has them, in the words of a plan's needs;
    also while the words or the colours are missing that would make them a plan."""
    wanted = [EMBEDDED]
    for step in steps:
        values = {each["name"]: each["value"] for each in step["settings"]}
        if step["on"] and values.get("model") and backend(step["name"], values) == GENERATIVE:
            wanted.append(f"{step['name']}:{values['model']}")
    return wanted


def suggestion(panel: Panel) -> dict[str, Any]:
    """The same rows for the script: what "use the suggestion" switches on and off."""
    rows = panel.suggested
    return {
        "steps": {
            spec.name: {
                "on": spec.name in rows,
                "settings": rows[spec.name]["settings"] if spec.name in rows else {},
            }
            for spec in STEPS
        }
    }


def prompt_fields(panel: Panel) -> list[dict[str, Any]]:
    """What the volunteer knows; begun with what the archive knows."""
    given = panel.draft["prompt"] if panel.draft else _known(panel.photo)
    return [
        {
            "name": name,
            "id": f"prompt-{name}",
            "label": wording.FIELDS[name],
            "help": wording.FIELD_HELP.get(name, ""),
            "placeholder": wording.PLACEHOLDERS[name],
            "value": given.get(name, ""),
            "rows": LONG_FIELDS.get(name, 1),
            "longest": LONGEST_TEXT,
            "by_line": name == "colours",
            "too_long": wording.problem("text-too-long", {"field": name, "longest": LONGEST_TEXT}),
            "is_too_long": too_long(name, given.get(name, "")),
        }
        for name in PROMPT
    ]


def _known(photo: Photo) -> dict[str, str]:
    place, people = said(photo, "place").text, said(photo, "people").text
    return {"period": edtf.wording(photo.date_edtf), "place": place, "who": people}


def archive_says(photo: Photo) -> dict[str, set[str]]:
    """What the prompt's fields begin with, in every language that a bench may be read in."""
    found: dict[str, set[str]] = {}
    for code, _name in settings.LANGUAGES:
        with translation.override(code):
            for name, text in _known(photo).items():
                found.setdefault(name, set()).add(text)
    return found


def looked(panel: Panel) -> dict[str, Any] | None:
    """What the machine saw, as facts and reasons; None before it has looked."""
    seen = panel.assessment
    if seen is None:
        return None
    rows = panel.suggested.values()
    reasons = [wording.reason(row["reason"], row.get("facts")) for row in rows]
    return {"facts": _facts(seen), "reasons": [each for each in reasons if each]}


def _facts(seen: Assessment) -> list[dict[str, Any]]:
    report = seen.report
    colour = _("black and white") if seen.is_grey else _("in colour")
    if report.get("sepia"):
        colour = _("toned black and white")
    faces = ngettext("%(n)s face", "%(n)s faces", seen.faces) % {"n": seen.faces}
    facts = [
        (_("Damage"), seen.get_damage_display()),
        (_("Colour"), colour),
        (_("Faces"), faces if seen.faces else _("none found")),
    ]
    if "fading" in report:
        facts.append((_("Fading"), _amount(float(report["fading"]), 0.12, 0.3)))
    if "noise_sigma" in report:
        facts.append((_("Noise"), _amount(float(report["noise_sigma"]), CALM_FROM, 8)))
    return [{"label": label, "value": value} for label, value in facts]


def _amount(value: float, some: float, strong: float) -> str:
    if value < some:
        return _("little")
    return _("some") if value < strong else _("strong")


def photo_facts(photo: Photo) -> list[dict[str, str]]:
    """What the archive tells of the photo."""
    rows = [(_("Date"), edtf.wording(photo.date_edtf), "")]
    for label, name in (
        (_("Place"), "place"),
        (pgettext("on a photo", "People"), "people"),
        (_("About"), "description"),
    ):
        text, lang = said(photo, name)
        rows.append((label, text, lang))
    rows.append((_("Identifier"), photo.identifier, ""))
    return [{"label": label, "value": text, "lang": lang} for label, text, lang in rows if text]


def swatches(panel: Panel) -> list[dict[str, Any]]:
    """Colours to be placed with a click: those of the volunteer's own facts, then of the time."""
    said = str(panel.draft["prompt"].get("colours", "")) if panel.draft else ""
    facts = {word: "#{:02x}{:02x}{:02x}".format(*rgb) for word, rgb in colours.within(said)}
    named = list(facts.items())[:MOST_FACT_SWATCHES] + list(wording.swatches().items())
    return [{"colour": colour, "label": label} for label, colour in named]
