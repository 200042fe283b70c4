"""A plan as programs send it: what it looks like, how it is read, and where it is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.utils.translation import gettext as _

from api.known import pointer
from restoration.drafting import STEPS
from restoration.engine.catalog import CATALOG, EMBEDDED, GENERATIVE, NAMES, StepSpec
from restoration.engine.errors import BadInput
from restoration.engine.plan import (
    LARGEST_SEED,
    LONGEST_TEXT,
    MOST_DABS,
    MOST_FACES,
    MOST_POINTS,
    MOST_REGIONS,
    Plan,
)

PROMPT = ("period", "place", "who", "keep", "words")
# Steps that work on any photo, without words, colours or a mask.
EXAMPLE = ("tone", "denoise", "upscale")
# Lists, and how many of their rows are looked at: one that is longer is refused for its length.
ROWS = {"steps": len(NAMES), "dabs": MOST_DABS, "regions": MOST_REGIONS, "faces": MOST_FACES}
# Where the whole of a plan is wrong, rather than one row of it.
PLACES = {
    "no-steps": "/steps",
    "step-twice": "/steps",
    "prompt-required": "/prompt",
    "no-colour-hints": "/dabs",
    "unknown-mask": "/mask_sha256",
    "too-many-dabs": "/dabs",
    "too-many-regions": "/regions",
    "too-many-faces": "/faces",
}
# What a suggestion has beside a step.
TOLD = ("reason", "facts")


class Misplaced(BadInput):
    """A plan that is refused, with a pointer to the place in what was sent."""

    def __init__(self, refusal: BadInput, place: str) -> None:
        super().__init__(refusal.code, refusal.facts)
        self.place = place


# --- how it is read ------------------------------------------------------------------------------


def read(told: Mapping[str, Any]) -> dict[str, Any]:
    """As the engine reads it: a suggestion of the assessment is a step too."""
    steps = told.get("steps")
    if not isinstance(steps, list):
        return dict(told)
    return {**told, "steps": [_as_step(row) for row in steps]}


def _as_step(row: Any) -> Any:
    if not isinstance(row, Mapping):
        return row
    step = {name: value for name, value in row.items() if name not in TOLD}
    if "step" in step and "name" not in step:
        step["name"] = step.pop("step")
    return step


@contextmanager
def pointing(told: Mapping[str, Any]) -> Iterator[None]:
    """Whatever is refused of a plan within comes out with its place."""
    try:
        yield
    except BadInput as refusal:
        raise Misplaced(refusal, f"/plan{_as_sent(told, place(read(told), refusal))}") from None


def _as_sent(told: Mapping[str, Any], way: str) -> str:
    """The way by the word that stood there: a suggestion calls its name `step`."""
    first, *more = way.split("/")[1:] or [""]
    if first == "steps" and more[1:] == ["name"] and "name" not in told["steps"][int(more[0])]:
        return pointer("steps", more[0], "step")
    return way


def place(plan: Mapping[str, Any], refusal: BadInput) -> str:
    """Where the engine found it: each part is shown to it alone until it says the same again."""
    if refusal.code in PLACES:
        return PLACES[refusal.code]
    for name, part in plan.items():
        rows = part[: ROWS[name]] if name in ROWS and isinstance(part, list) else ()
        for number, row in enumerate(rows):
            if _says_so({name: [row]}, refusal):
                return f"{pointer(name, number)}{_inside(row, refusal)}"
        if _says_so({name: part}, refusal):
            return f"{pointer(name)}{_inside(part, refusal)}"
    unknown = refusal.facts.get("fields")
    return pointer(unknown[0]) if unknown else ""


def _says_so(part: Mapping[str, Any], refusal: BadInput) -> bool:
    try:
        Plan.from_json(part)
    except BadInput as again:
        return again.code == refusal.code and repr(again.facts) == repr(refusal.facts)
    return False


def _inside(part: Any, refusal: BadInput) -> str:
    """Within a row: the setting or the field that the facts name."""
    if not isinstance(part, Mapping):
        return ""
    facts = refusal.facts
    if facts.get("setting") is not None:
        return pointer("settings", facts["setting"])
    words = {"unknown-step": "name", "unknown-backend": "backend", "unknown-colour": "word"}
    names = [words.get(refusal.code), facts.get("field"), *facts.get("fields", ())]
    found = next((name for name in names if name in part), None)
    return pointer(found) if found is not None else ""


# --- what it looks like --------------------------------------------------------------------------

Shape = dict[str, Any]
SHARE: Shape = {"type": "number", "minimum": 0, "maximum": 1}
COLOUR: Shape = {
    "type": "array",
    "items": {"type": "integer", "minimum": 0, "maximum": 255},
    "minItems": 3,
    "maxItems": 3,
}
TEXT: Shape = {"type": "string", "maxLength": LONGEST_TEXT}
SHA256: Shape = {"type": "string", "pattern": "^[0-9a-f]{64}$", "maxLength": 64}
POINTS: Shape = {
    "type": "array",
    "items": {"type": "array", "items": SHARE, "minItems": 2, "maxItems": 2},
    "minItems": 3,
    "maxItems": MOST_POINTS,
}
VALUE: Shape = {"anyOf": [{"type": "number"}, {"type": "boolean"}, {"type": "string"}]}


def closed(properties: Shape, *required: str, says: str = "", **more: Any) -> Shape:
    """An object with these properties and no others."""
    shape: Shape = {"type": "object", "properties": properties, "additionalProperties": False}
    shape |= {"required": list(required)} if required else {}
    return shape | ({"description": says} if says else {}) | more


def listed(items: Shape, most: int, says: str = "", **more: Any) -> Shape:
    """A list of no more than so many."""
    shape: Shape = {"type": "array", "items": items, "maxItems": most}
    return shape | ({"description": says} if says else {}) | more


def example() -> Shape:
    """A plan that every site can run: three steps with all settings as they begin."""
    return {"steps": [_exemplary(spec) for spec in CATALOG if spec.name in EXAMPLE], "seed": 0}


def _exemplary(spec: StepSpec) -> Shape:
    settings = {each.name: each.default for each in spec.read_by(EMBEDDED)}
    return {"name": spec.name, "backend": EMBEDDED, "settings": settings}


def shape() -> Shape:
    """The schema of a plan, in the reader's language."""
    words = _(
        "What a run does. The steps run in a fixed order, whatever order they are sent in; "
        "settings that are left out begin at their default. `GET /steps` lists the steps."
    )
    return closed(
        {
            "steps": listed(_step(), len(NAMES), _("The steps to run."), minItems=1),
            "prompt": _prompt(),
            "mask_sha256": {
                **SHA256,
                "nullable": True,
                "description": _("The damage: a mask that was kept, or the one that was found."),
            },
            "dabs": listed(_dab(), MOST_DABS, _("Colours placed on the picture.")),
            "regions": listed(_region(), MOST_REGIONS, _("Outlined areas of one colour.")),
            "faces": listed(
                _face(),
                MOST_FACES,
                _("Where faces are; null or left out: they are looked for."),
                nullable=True,
            ),
            "find_faces": {
                "type": "boolean",
                "default": False,
                "description": _("Whether faces that are found count besides those that are told."),
            },
            "seed": {
                "type": "integer",
                "minimum": 0,
                "maximum": LARGEST_SEED,
                "default": 0,
                "description": _("Chance: the same seed gives the same picture again."),
            },
            "recipe": {**TEXT, "nullable": True, "description": _("A name for it, if you like.")},
            "engine": {
                **TEXT,
                "nullable": True,
                "description": _("The engine it was made for; left out, the one that is here."),
            },
        },
        "steps",
        says=words,
        example=example(),
    )


def _step() -> Shape:
    name: Shape = {"type": "string", "enum": list(NAMES)}
    return closed(
        {
            "name": {**name, "description": _("Which step.")},
            "step": {**name, "description": _("The same, as a suggestion calls it.")},
            "backend": {
                "type": "string",
                "enum": [EMBEDDED, GENERATIVE],
                "default": EMBEDDED,
                "description": _("What runs it: Rekindle itself, or a generative model."),
            },
            "settings": {
                "type": "object",
                "additionalProperties": VALUE,
                "description": _("By name, as `GET /steps` lists them."),
            },
            "reason": {"description": _("Of a suggestion; not read.")},
            "facts": {"description": _("Of a suggestion; not read.")},
        },
        says=_("One step. A suggestion of the photo's assessment can be sent as it is."),
        oneOf=[{"required": ["name"]}, {"required": ["step"]}],
    )


def _prompt() -> Shape:
    told: Shape = dict.fromkeys(PROMPT, TEXT)
    facts = listed(TEXT, 50, _("One known fact about a colour each."))
    says = _("What you know of the picture. Steps that redraw need some of it.")
    return closed({**told, "facts": facts}, says=says, nullable=True)


def _dab() -> Shape:
    radius = {"type": "number", "minimum": 0.0005, "maximum": 0.2, "default": 0.01}
    says = _("x and y are shares of the width and height, the radius of the long side.")
    return closed(
        {"x": SHARE, "y": SHARE, "rgb": COLOUR, "radius": radius}, "x", "y", "rgb", says=says
    )


def _region() -> Shape:
    word = {**TEXT, "nullable": True}
    says = _("An outline by its corners, with its colour either as `rgb` or in a `word`.")
    return closed(
        {"points": POINTS, "word": word, "rgb": {**COLOUR, "nullable": True}}, "points", says=says
    )


def _face() -> Shape:
    keep = {
        "type": "boolean",
        "default": False,
        "description": _("True: redrawing leaves it exactly as it is."),
    }
    sides: Shape = {"x": SHARE, "y": SHARE, "width": SHARE, "height": SHARE}
    return closed({**sides, "keep": keep}, *sides, says=_("A box in shares of the picture."))


def suggestion() -> Shape:
    """What an assessment suggests, one step each."""
    return {
        "type": "object",
        "properties": {
            "step": {"type": "string", "enum": [spec.name for spec in STEPS]},
            "settings": {"type": "object", "additionalProperties": VALUE},
            "reason": {"type": "string"},
            "facts": {"type": "object", "additionalProperties": {}},
        },
        "required": ["step", "settings"],
        "description": _("A step that may help, ready to be sent as one of a plan's steps."),
    }
