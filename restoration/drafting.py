"""From what lies on a bench to a Plan: the draft, as a form or as JSON, made whole and safe.

A draft is {"base", "steps": {name: {"on", "settings"}}, "prompt": {field: text}, "mask", "dabs",
"regions", "faces", "find_faces", "seed"}; its faces are null until somebody, or the assessment, has
said where they are; `find_faces` says that they were drawn before the assessment. `cleaned` never
refuses: half-finished work is kept as it is. `plan` does.
"""

from __future__ import annotations

import json
import math
import re
import secrets
from collections.abc import Mapping
from typing import Any

from restoration.engine import colours
from restoration.engine.catalog import CATALOG, EMBEDDED, GENERATIVE, Setting, StepSpec
from restoration.engine.errors import BadInput
from restoration.engine.plan import (
    FARTHEST,
    LARGEST_SEED,
    LONGEST_TEXT,
    MOST_DABS,
    MOST_FACES,
    MOST_POINTS,
    MOST_REGIONS,
    RGB,
    FaceBox,
    Plan,
)

# The first and the last step are the engine's own; nobody switches them.
STEPS: tuple[StepSpec, ...] = tuple(s for s in CATALOG if s.name not in ("assess", "guard"))
PROMPT = ("period", "place", "who", "colours", "keep", "words")
SHA256 = re.compile(r"[0-9a-f]{64}")
SIDES = ("x", "y", "width", "height")  # of the box around a face, as shares
FACE_KINDS = ("face", "keep", "not")  # protected; left exactly as it is; nobody's face
LEAST_FACE = 0.004  # of a side; a box that is smaller is a slip of the hand
HEX = re.compile(r"#[0-9a-f]{6}")
# Of a text in a draft: far more than a run takes, so that what is too long is refused by the run,
# in a sentence, and not cut off in silence.
LONGEST_KEPT = 20_000
MOST_FACTS = 50


def from_post(post: Mapping[str, str]) -> dict[str, Any]:
    """The draft in a plain form."""
    return cleaned(
        {
            "base": post.get("base"),
            "steps": {step.name: _posted_step(step, post) for step in STEPS},
            "prompt": {name: post.get(f"prompt-{name}", "") for name in PROMPT},
            "mask": post.get("mask"),
            "dabs": _loads(post.get("dabs")),
            "regions": _loads(post.get("regions")),
            "faces": _posted_faces(post),
            "find_faces": "faces-known" not in post,
            "seed": post.get("seed"),
        }
    )


def _posted_step(step: StepSpec, post: Mapping[str, str]) -> dict[str, Any]:
    on = f"step-{step.name}" in post
    settings: dict[str, Any] = {}
    for setting in step.settings:
        name = f"{step.name}-{setting.name}"
        if setting.kind == "bool":
            settings[setting.name] = name in post
        elif name in post:
            settings[setting.name] = post[name]
    if f"{step.name}-backend" in post:
        settings["backend"] = post[f"{step.name}-backend"]
    return {"on": on, "settings": settings}


def _posted_faces(post: Mapping[str, str]) -> list[dict[str, Any]] | None:
    """The rows of the list of faces; None where nobody has said anything about faces yet."""
    said = [number for number in range(MOST_FACES) if post.get(f"face-{number}-width")]
    rows = [_posted_face(post, f"face-{number}") for number in said]
    return rows if rows or "faces-known" in post else None


def _posted_face(post: Mapping[str, str], name: str) -> dict[str, Any]:
    box: dict[str, Any] = {side: _percent(post.get(f"{name}-{side}")) for side in SIDES}
    return box | {"kind": post.get(f"{name}-kind")}


def _percent(text: str | None) -> float | None:
    try:
        return float(text or "") / 100
    except ValueError:
        return None


def _loads(text: str | None) -> Any:
    try:
        return json.loads(text or "[]")
    except ValueError:
        return []


def cleaned(body: Any) -> dict[str, Any]:
    """The draft with everything known in its own type and nothing else."""
    given = body if isinstance(body, Mapping) else {}
    mask = given.get("mask")
    return {
        "base": whole(given.get("base")),
        "steps": {step.name: _step(step, _dict(given, "steps").get(step.name)) for step in STEPS},
        "prompt": {n: _text(_dict(given, "prompt").get(n), LONGEST_KEPT) for n in PROMPT},
        "mask": mask if isinstance(mask, str) and SHA256.fullmatch(mask) else None,
        "dabs": [_dab(each) for each in _list(given, "dabs", MOST_DABS)],
        "regions": [_region(each) for each in _list(given, "regions", MOST_REGIONS)],
        "faces": _faces(given),
        "find_faces": given.get("find_faces") is True and isinstance(given.get("faces"), list),
        "seed": whole(given.get("seed")),
    }


def _dict(given: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = given.get(name)
    return value if isinstance(value, Mapping) else {}


def _list(given: Mapping[str, Any], name: str, most: int) -> list[Mapping[str, Any]]:
    rows = given.get(name)
    rows = rows if isinstance(rows, list) else []
    return [row for row in rows if isinstance(row, Mapping)][:most]


def _text(value: Any, longest: int) -> str:
    """A form sends the end of a line as two characters, JSON as one: here it is one."""
    text = value.replace("\r\n", "\n").strip() if isinstance(value, str) else ""
    return text[:longest]


def whole(value: Any) -> int | None:
    """A count, or None: of a database's key or a seed, so within 63 bits."""
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if 0 <= number < 2**63 else None


def _share(value: Any) -> float:
    return float(min(1.0, max(0.0, value))) if _is_number(value) else 0.5


def _is_number(value: Any) -> bool:
    """One that is somewhere; a whole number may be larger than any fraction can."""
    right = isinstance(value, int | float) and not isinstance(value, bool)
    return right and -FARTHEST <= value <= FARTHEST


def _step(step: StepSpec, given: Any) -> dict[str, Any]:
    given = given if isinstance(given, Mapping) else {}
    said = _dict(given, "settings")
    known = {s.name: _setting(s, said[s.name]) for s in step.settings if s.name in said}
    if "backend" in said:
        known["backend"] = _text(said["backend"], 120)
    return {"on": given.get("on") is True, "settings": known}


def _setting(setting: Setting, value: Any) -> Any:
    """The value in the setting's type when it can be; else as text, for the plan to refuse."""
    if setting.kind == "bool":
        return value is True
    if setting.kind == "choice":
        return _text(value, 120)
    try:
        number = float(value)
        if not math.isfinite(number):  # no database keeps it
            return str(value)[:40]
        return int(number) if setting.kind == "int" and number == int(number) else number
    except (TypeError, ValueError, OverflowError):
        return str(value)[:40]


def _dab(given: Mapping[str, Any]) -> dict[str, Any]:
    place = {"x": _share(given.get("x")), "y": _share(given.get("y"))}
    return place | _paint(given)


def _region(given: Mapping[str, Any]) -> dict[str, Any]:
    rows = given.get("points")
    rows = rows[:MOST_POINTS] if isinstance(rows, list) else []
    pairs = [row for row in rows if isinstance(row, list) and len(row) == 2]
    return {"points": [[_share(x), _share(y)] for x, y in pairs]} | _paint(given)


def _faces(given: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """What is said of faces; boxes that are none fall away."""
    if not isinstance(given.get("faces"), list):
        return None
    rows = [_face(each) for each in _list(given, "faces", MOST_FACES)]
    return [row for row in rows if row is not None]


def _face(given: Mapping[str, Any]) -> dict[str, Any] | None:
    """The part of the box that lies on the picture."""
    sides = [given.get(name) for name in ("x", "y", "width", "height")]
    if not all(map(_is_number, sides)):
        return None
    x, y, wide, high = (float(side) for side in sides if side is not None)
    left, top = min(1.0, max(0.0, x)), min(1.0, max(0.0, y))
    width, height = min(1.0, x + wide) - left, min(1.0, y + high) - top
    if min(width, height) < LEAST_FACE:
        return None
    kind = given.get("kind")
    box = {"x": left, "y": top, "width": width, "height": height}
    return {name: round(value, 5) for name, value in box.items()} | {
        "kind": kind if kind in FACE_KINDS else "face"
    }


def suggested_faces(boxes: Any) -> list[dict[str, Any]]:
    """Boxes (x, y, width, height) that the assessment found, as a draft has them."""
    rows = [dict(zip(SIDES, box, strict=True)) for box in boxes if len(box) == len(SIDES)]
    return _faces({"faces": rows}) or []


def with_found(draft: Mapping[str, Any], found: list[dict[str, Any]] | None) -> dict[str, Any]:
    """The draft with the faces that the machine found, where nobody has said anything about faces,
    or has drawn some before they could be seen. found: as a draft has them; None: not looked."""
    if found is None or not (draft["faces"] is None or draft["find_faces"]):
        return dict(draft)
    drawn = draft["faces"] or []
    boxes = [FaceBox(*(face[side] for side in SIDES)) for face in drawn]
    others = [
        face for face in found if not any(b.meets(tuple(face[s] for s in SIDES)) for b in boxes)
    ]
    return {**draft, "faces": (drawn + others)[:MOST_FACES], "find_faces": False}


def _paint(given: Mapping[str, Any]) -> dict[str, str]:
    colour = _text(given.get("colour"), 7).lower()
    word = _text(given.get("word"), 60)
    return {"colour": colour if HEX.fullmatch(colour) else "", "word": word}


def backend(name: str, settings: Mapping[str, Any]) -> str:
    """Which backend a draft's step asks for; unsaid, the embedded one where there is one."""
    backends = next(step.backends for step in STEPS if step.name == name)
    asked = str(settings.get("backend") or "")
    if asked in backends:
        return asked
    return EMBEDDED if EMBEDDED in backends else GENERATIVE


def plan(draft: Mapping[str, Any], models: Mapping[str, str]) -> Plan:
    """The frozen plan of a cleaned draft; BadInput says what is wrong with it.

    `models` names, by step, the generative model to freeze where the draft names none.
    """
    on = {name: step["settings"] for name, step in draft["steps"].items() if step["on"]}
    if not on:
        raise BadInput("no-steps", {})
    steps = [_planned(name, settings) for name, settings in on.items()]
    coloured = "colourise" in on
    return Plan.from_json(
        {
            "steps": [with_model(step, models) for step in steps],
            "prompt": _prompt(draft["prompt"]),
            "mask_sha256": draft["mask"] if "repair" in on else None,
            "dabs": [_placed(dab) for dab in draft["dabs"]] if coloured else [],
            "regions": [_outlined(each) for each in draft["regions"]] if coloured else [],
            "faces": boxed(draft.get("faces")),
            "find_faces": bool(draft.get("find_faces")),
            "seed": _seed(draft, steps),
        }
    )


def _planned(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    chosen = backend(name, given)
    spec = next(step for step in STEPS if step.name == name)
    read = {s.name for s in spec.read_by(chosen)}
    settings = {key: value for key, value in given.items() if key in read}
    return {"name": name, "backend": chosen, "settings": settings}


def with_model(step: Any, models: Mapping[str, str]) -> Any:
    """A plan's step as JSON with its generative model named; what is no such step stays as it is.

    A worker that comes later with other models must not change what a frozen plan means.
    """
    if not isinstance(step, Mapping) or step.get("backend") != GENERATIVE:
        return step
    settings = step.get("settings", {})
    model = models.get(str(step.get("name")))
    if model is None or not isinstance(settings, Mapping) or settings.get("model"):
        return step
    return {**step, "settings": {**settings, "model": model}}


def _prompt(said: Mapping[str, str]) -> dict[str, Any] | None:
    if not any(said.values()):
        return None
    rest = {name: said[name] for name in PROMPT if name != "colours"}
    return {**rest, "facts": _facts(said["colours"])}


def _facts(text: str) -> list[str]:
    """One a line. A plan has so many: lines beyond are one fact more, and none is left out."""
    facts = [line.strip() for line in text.splitlines() if line.strip()]
    last = "\n".join(facts[MOST_FACTS - 1 :])
    return facts[: MOST_FACTS - 1] + ([last] if last else [])


def too_long(name: str, text: str) -> bool:
    """Whether a run refuses this text of the prompt; of facts about colours each line counts."""
    texts = _facts(text) if name == "colours" else [text]
    return any(len(each) > LONGEST_TEXT for each in texts)


def _seed(draft: Mapping[str, Any], steps: list[dict[str, Any]]) -> int:
    """The seed that was said; else chance where a model draws, so that a second try differs."""
    if draft["seed"] is not None:
        return int(draft["seed"])
    draws = any(step["backend"] == GENERATIVE for step in steps)
    return secrets.randbelow(LARGEST_SEED) if draws else 0


def _placed(dab: Mapping[str, Any]) -> dict[str, Any]:
    return {"x": dab["x"], "y": dab["y"], "rgb": list(_rgb(dab))}


def _outlined(region: Mapping[str, Any]) -> dict[str, Any]:
    return {"points": region["points"], "word": None, "rgb": list(_rgb(region))}


def boxed(faces: list[dict[str, Any]] | None) -> list[dict[str, Any]] | None:
    """The boxes a plan carries: what is nobody's face is left out."""
    if faces is None:
        return None
    return [
        {name: face[name] for name in SIDES} | {"keep": face["kind"] == "keep"}
        for face in faces
        if face["kind"] != "not"
    ]


def _rgb(mark: Mapping[str, Any]) -> RGB:
    """The colour that is seen on the page; a word alone, from a program, means what it names."""
    return colours.parse(str(mark["colour"] or mark["word"]))


# --- from a plan back to a draft ------------------------------------------------------------------


def of_plan(plan: Mapping[str, Any], kept: Mapping[str, Any] | None) -> dict[str, Any]:
    """The draft that gives this frozen plan again; of what it says nothing, as it was `kept`."""
    draft = cleaned(kept)
    planned = {step["name"]: step for step in plan["steps"]}
    draft["steps"] = {name: _again(planned.get(name), was) for name, was in draft["steps"].items()}
    draft["prompt"] = _said_again(plan.get("prompt") or {}, draft["prompt"])
    if plan.get("faces") is not None:
        draft["faces"] = _faces_again(plan["faces"], draft["faces"])
        draft["find_faces"] = plan.get("find_faces", False)
    if "repair" in planned:
        draft["mask"] = plan.get("mask_sha256")
    if "colourise" in planned and not _is_coloured_as(plan, draft):
        draft["dabs"] = [{"x": d["x"], "y": d["y"], **_hex(d)} for d in plan.get("dabs", [])]
        drawn = plan.get("regions", [])
        draft["regions"] = [{"points": each["points"], **_hex(each)} for each in drawn]
    return cleaned(draft)


def is_done(draft: Mapping[str, Any], plan: Mapping[str, Any]) -> bool:
    """Whether a run of this plan has filled or coloured what is painted or placed in the draft."""
    painted, placed = draft["mask"], draft["dabs"] or draft["regions"]
    is_filled = bool(painted) and plan.get("mask_sha256") == painted
    return is_filled or (bool(placed) and _is_coloured_as(plan, draft))


def _again(planned: Mapping[str, Any] | None, was: Mapping[str, Any]) -> dict[str, Any]:
    if planned is None:
        return {**was, "on": False}
    settings = {**was["settings"], **planned["settings"], "backend": planned["backend"]}
    return {"on": True, "settings": settings}


def _said_again(said: Mapping[str, Any], was: Mapping[str, str]) -> dict[str, str]:
    """The plan's words; a field that it leaves empty keeps what has been written there."""
    told = {**said, "colours": "\n".join(said.get("facts", ()))}
    return {name: told.get(name) or was[name] for name in PROMPT}


def _faces_again(
    planned: list[dict[str, Any]], was: list[dict[str, Any]] | None
) -> list[dict[str, Any]]:
    """The plan's boxes; the draft's own say the same and more, which boxes are nobody's face."""
    if was is not None and boxed(was) == planned:
        return was
    nobodys = [face for face in was or [] if face["kind"] == "not"]
    return [{**face, "kind": "keep" if face["keep"] else "face"} for face in planned] + nobodys


def _is_coloured_as(plan: Mapping[str, Any], draft: Mapping[str, Any]) -> bool:
    """Whether the plan has the draft's colours, each at its place."""
    try:
        dabs = [(dab["x"], dab["y"], list(_rgb(dab))) for dab in draft["dabs"]]
        regions = [(each["points"], list(_rgb(each))) for each in draft["regions"]]
    except BadInput:  # a word that names no colour; no plan was made of it
        return False
    planned = [(dab["x"], dab["y"], dab["rgb"]) for dab in plan.get("dabs", [])]
    outlined = [(each["points"], each["rgb"]) for each in plan.get("regions", [])]
    return (dabs, regions) == (planned, outlined)


def _hex(mark: Mapping[str, Any]) -> dict[str, str]:
    if mark.get("rgb") is None:  # a program gave an outline only a word
        return {"colour": "", "word": str(mark.get("word") or "")}
    return {"colour": "#{:02x}{:02x}{:02x}".format(*mark["rgb"]), "word": ""}
