"""A draft as programs send it. The bench may keep half-finished work of any shape; a program that
sends what nobody reads has a mistake in it, and learns of it instead of losing it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from django.utils.translation import gettext as _
from jsonschema import Draft7Validator, ValidationError  # type: ignore[import-untyped]
from jsonschema.validators import extend  # type: ignore[import-untyped]

from api.known import pointer
from api.plans import SHA256, SHARE, Shape, closed, listed
from restoration.drafting import FACE_KINDS, LEAST_FACE, LONGEST_KEPT, PROMPT, STEPS
from restoration.engine.catalog import Setting, StepSpec
from restoration.engine.plan import (
    MOST_DABS,
    MOST_FACES,
    MOST_POINTS,
    MOST_REGIONS,
)

MOST_TOLD = 20
WHOLE: Shape = {"type": "integer", "minimum": 0, "maximum": 2**63 - 1, "nullable": True}


def _type(validator: Any, types: Any, value: Any, schema: Any) -> Iterator[ValidationError]:
    """OpenAPI 3.0 says that nothing may stand there with a word of its own."""
    if not (value is None and schema.get("nullable")):
        yield from Draft7Validator.VALIDATORS["type"](validator, types, value, schema)


Validator = extend(Draft7Validator, {"type": _type})


class Misshapen(Exception):  # noqa: N818 - a refusal, answered as a problem detail
    """A draft with parts that nobody reads."""

    def __init__(self, errors: list[dict[str, str]]) -> None:
        self.errors = errors
        codes = {each["code"] for each in errors}
        self.code = "unknown-field" if "unknown-field" in codes else "invalid"
        super().__init__(self.code)


def check(body: Any) -> None:
    """Misshapen when any of it would be lost."""
    errors = wrong(body)
    if errors:
        raise Misshapen(errors)


def wrong(body: Any) -> list[dict[str, str]]:
    """What a draft has that is not known, or cannot be: a pointer, a code and words for each."""
    # The first that are found: a body may have a million of them, and nobody reads so many.
    errors = islice(Validator(shape()).iter_errors(body), MOST_TOLD)
    found = sorted(errors, key=lambda error: error.json_path)
    return list(islice((row for error in found for row in _rows(error)), MOST_TOLD))


def _rows(error: ValidationError) -> Iterator[dict[str, str]]:
    place = pointer("body", *error.absolute_path)
    if error.validator != "additionalProperties":
        said = _("This does not fit; the description of the API says what does.")
        yield {"field": place, "code": "invalid", "detail": said}
        return
    known = ", ".join(sorted(error.schema["properties"]))
    for name in sorted(set(error.instance) - set(error.schema["properties"])):
        words = {"name": name, "known": known}
        said = _("“%(name)s” is not known here. These are: %(known)s.") % words
        yield {"field": f"{place}{pointer(name)}", "code": "unknown-field", "detail": said}


def shape() -> Shape:
    """The schema of a draft's body, in the reader's language."""
    prompt: Shape = {name: {"type": "string", "maxLength": LONGEST_KEPT} for name in PROMPT}
    return closed(
        {
            "base": {**WHOLE, "description": _("The number of the version it starts from.")},
            "steps": closed({spec.name: _step(spec) for spec in STEPS}, says=_("Each by name.")),
            "prompt": closed(prompt, says=_("What you know of the picture.")),
            "mask": {**SHA256, "nullable": True, "description": _("A mask that was kept.")},
            "dabs": listed(_mark({"x": SHARE, "y": SHARE}), MOST_DABS),
            "regions": listed(_mark({"points": _points()}), MOST_REGIONS),
            "faces": listed(
                _face(), MOST_FACES, _("null: nobody has said where faces are."), nullable=True
            ),
            "find_faces": {
                "type": "boolean",
                "description": _(
                    "Whether the faces were drawn before the machine had looked: those that it "
                    "finds count besides."
                ),
            },
            "seed": {**WHOLE, "description": _("Chance; null draws another one for each run.")},
        },
        says=_(
            "What lies on a bench: half-finished settings, as the page keeps them. What is left "
            "out is empty."
        ),
    )


def _step(spec: StepSpec) -> Shape:
    settings: Shape = {each.name: _value(each) for each in spec.settings}
    settings["backend"] = {"type": "string", "maxLength": 120}
    return closed({"on": {"type": "boolean"}, "settings": closed(settings)})


def _value(setting: Setting) -> Shape:
    """A number may still be in somebody's hands, as text."""
    if setting.kind == "bool":
        return {"type": "boolean"}
    text: Shape = {"type": "string", "maxLength": 120}
    return text if setting.kind == "choice" else {"anyOf": [{"type": "number"}, text]}


def _points() -> Shape:
    pair = {"type": "array", "items": SHARE, "minItems": 2, "maxItems": 2}
    return listed(pair, MOST_POINTS)


def _mark(place: Shape) -> Shape:
    colour = {"type": "string", "pattern": "^(#[0-9a-fA-F]{6})?$", "maxLength": 7}
    word = {"type": "string", "maxLength": 60}
    return closed({**place, "colour": colour, "word": word}, *place)


def _face() -> Shape:
    side: Shape = {"type": "number", "minimum": LEAST_FACE, "maximum": 1}
    box: Shape = {"x": SHARE, "y": SHARE, "width": side, "height": side}
    kind = {"type": "string", "enum": list(FACE_KINDS)}
    return closed({**box, "kind": kind}, *box)
