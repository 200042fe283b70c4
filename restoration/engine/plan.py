"""What a job is asked to do, frozen: the same plan on the same scan gives the same pixels."""

import hashlib
import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from restoration.engine import colours
from restoration.engine.catalog import EMBEDDED, ENGINE, NAMES, entry, spec
from restoration.engine.errors import BadInput

MOST_DABS = 500
MOST_REGIONS = 64
MOST_POINTS = 400
MOST_FACES = 200
LONGEST_TEXT = 2000
LARGEST_SEED = 2**32 - 1
FARTHEST = 1e9  # a number of a plan from nothing
HALF = re.compile("[\ud800-\udfff]")  # of a character, which no file can hold

RGB = tuple[int, int, int]
Row = TypeVar("Row")


@dataclass(frozen=True)
class StepPlan:
    """One step, the backend to run it, and its settings (all of them, once in a Plan)."""

    name: str
    backend: str = EMBEDDED
    settings: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {"name": self.name, "backend": self.backend, "settings": dict(self.settings)}


@dataclass(frozen=True)
class Dab:
    """A colour put on one place; x, y and radius are fractions of width, height and long side."""

    x: float
    y: float
    rgb: RGB
    radius: float = 0.01

    def to_json(self) -> dict[str, Any]:
        return {"x": self.x, "y": self.y, "rgb": list(self.rgb), "radius": self.radius}


@dataclass(frozen=True)
class Region:
    """A drawn outline and the colour said of it, in a word or as sRGB; points are fractions."""

    points: tuple[tuple[float, float], ...]
    word: str | None = None
    rgb: RGB | None = None

    def colour(self) -> RGB:
        """The region's colour as sRGB 0-255."""
        if self.rgb is not None:
            return self.rgb
        return colours.parse(self.word or "")

    def to_json(self) -> dict[str, Any]:
        return {
            "points": [list(point) for point in self.points],
            "word": self.word,
            "rgb": None if self.rgb is None else list(self.rgb),
        }


@dataclass(frozen=True)
class FaceBox:
    """A face as a person sees it: a box in fractions. `keep`: redrawing leaves it as it is."""

    x: float
    y: float
    width: float
    height: float
    keep: bool = False

    def meets(self, box: tuple[float, float, float, float]) -> bool:
        """Whether a box (x, y, width, height) is around the same face: a third of the smaller of
        the two lies in both."""
        x, y, width, height = box
        across = min(self.x + self.width, x + width) - max(self.x, x)
        down = min(self.y + self.height, y + height) - max(self.y, y)
        smaller = min(self.width * self.height, width * height)
        return min(across, down) > 0 and 3 * across * down > smaller

    def to_json(self) -> dict[str, Any]:
        return {
            "x": self.x,
            "y": self.y,
            "width": self.width,
            "height": self.height,
            "keep": self.keep,
        }


@dataclass(frozen=True)
class Prompt:
    """What the volunteer knows of the picture, kept apart so that nothing is lost in a sentence."""

    period: str = ""
    place: str = ""
    who: str = ""
    facts: tuple[str, ...] = ()
    keep: str = ""
    words: str = ""

    def is_empty(self) -> bool:
        return not any((self.period, self.place, self.who, self.facts, self.keep, self.words))

    def to_json(self) -> dict[str, Any]:
        return {
            "period": self.period,
            "place": self.place,
            "who": self.who,
            "facts": list(self.facts),
            "keep": self.keep,
            "words": self.words,
        }


@dataclass(frozen=True)
class Plan:
    """A checked request: steps in their fixed order with guard last, settings complete.

    faces: where faces are, none if there are none; None: nobody said, so they are looked for.
    find_faces: they were drawn before anybody had looked, so what is found counts besides.
    Building one checks it against the catalog and raises BadInput with a code and facts.
    """

    steps: tuple[StepPlan, ...]
    prompt: Prompt | None = None
    mask_sha256: str | None = None
    dabs: tuple[Dab, ...] = ()
    regions: tuple[Region, ...] = ()
    faces: tuple[FaceBox, ...] | None = None
    find_faces: bool = False
    seed: int = 0
    recipe: str | None = None
    engine: str = ENGINE

    def __post_init__(self) -> None:
        object.__setattr__(self, "steps", _ordered(self.steps, self.engine))
        _check_seed(self.seed)
        _check_sha256(self.mask_sha256)
        _check_count("too-many-dabs", self.dabs, MOST_DABS)
        _check_count("too-many-regions", self.regions, MOST_REGIONS)
        for dab in self.dabs:
            _check_dab(dab)
        for region in self.regions:
            _check_region(region)
        _check_count("too-many-faces", self.faces or (), MOST_FACES)
        for face in self.faces or ():
            _check_face(face)
        self._check_needs()

    def _check_needs(self) -> None:
        for step in self.steps:
            empty = self.prompt is None or self.prompt.is_empty()
            if spec(step.name).requires_prompt and empty:
                raise BadInput("prompt-required", {"step": step.name})
            if step.name == "colourise" and not (self.dabs or self.regions):
                # A model may go by words, but not by nothing: its colours would be its habits.
                if step.backend == EMBEDDED:
                    raise BadInput("no-colour-hints", {"step": step.name})
                if empty:
                    raise BadInput("prompt-required", {"step": step.name})

    def step(self, name: str) -> StepPlan | None:
        """The plan of that step, or None when the plan leaves it out."""
        return next((step for step in self.steps if step.name == name), None)

    @property
    def scale(self) -> int:
        """How many times larger than the scan each side of the result is."""
        return math.prod(spec(step.name).scale for step in self.steps)

    def to_json(self) -> dict[str, Any]:
        return {
            "steps": [step.to_json() for step in self.steps],
            "prompt": None if self.prompt is None else self.prompt.to_json(),
            "mask_sha256": self.mask_sha256,
            "dabs": [dab.to_json() for dab in self.dabs],
            "regions": [region.to_json() for region in self.regions],
            "faces": None if self.faces is None else [face.to_json() for face in self.faces],
            "seed": self.seed,
            "recipe": self.recipe,
            "engine": self.engine,
            **({"find_faces": True} if self.find_faces else {}),  # plans of before have no such key
        }

    def digest(self) -> str:
        """sha256 of the canonical JSON: sorted keys, no spaces, UTF-8."""
        text = json.dumps(
            self.to_json(), sort_keys=True, separators=(",", ":"), ensure_ascii=False,
            allow_nan=False,
        )  # fmt: skip
        return hashlib.sha256(text.encode()).hexdigest()

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Plan":
        """The plan such JSON describes; anything unknown, misspelt or out of range is BadInput."""
        data = _mapping(data, "plan")
        _only(data, "plan", _PLAN_KEYS)
        prompt = data.get("prompt")
        return cls(
            steps=_rows(data, "steps", _step),
            prompt=None if prompt is None else _prompt(prompt),
            mask_sha256=_text_or_none(data, "mask_sha256"),
            dabs=_rows(data, "dabs", _dab),
            regions=_rows(data, "regions", _region),
            faces=None if data.get("faces") is None else _rows(data, "faces", _face),
            find_faces=_flag(data.get("find_faces", False), "find_faces"),
            seed=_integer(data.get("seed", 0), "seed"),
            recipe=_text_or_none(data, "recipe"),
            engine=_text_or_none(data, "engine") or ENGINE,
        )


_PLAN_KEYS = (
    "steps", "prompt", "mask_sha256", "dabs", "regions", "faces", "find_faces", "seed", "recipe",
    "engine",
)  # fmt: skip


def _ordered(steps: Sequence[StepPlan], engine: str) -> tuple[StepPlan, ...]:
    """Checked, completed and sorted as the catalog runs them, with guard at the end."""
    settled: dict[str, StepPlan] = {}
    for step in steps:
        if step.name in settled:
            raise BadInput("step-twice", {"step": step.name})
        entry(step.name, step.backend)
        settings = spec(step.name).settled(step.settings, step.backend, engine)
        settled[step.name] = StepPlan(step.name, step.backend, settings)
    settled.setdefault("guard", StepPlan("guard"))
    return tuple(settled[name] for name in NAMES if name in settled)


def _check_seed(seed: int) -> None:
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed <= LARGEST_SEED:
        raise BadInput("bad-seed", {"seed": str(seed)[:40], "largest": LARGEST_SEED})


def _check_sha256(value: str | None) -> None:
    if value is not None and not re.fullmatch(r"[0-9a-f]{64}", value):
        raise BadInput("bad-sha256", {"value": value[:80]})


def _check_count(code: str, rows: Sequence[object], most: int) -> None:
    if len(rows) > most:
        raise BadInput(code, {"given": len(rows), "most": most})


def _check_dab(dab: Dab) -> None:
    _check_fraction("x", dab.x)
    _check_fraction("y", dab.y)
    _check_rgb(dab.rgb)
    if not 0.0005 <= dab.radius <= 0.2:
        raise BadInput("dab-radius", {"radius": str(dab.radius), "low": 0.0005, "high": 0.2})


def _check_region(region: Region) -> None:
    if not 3 <= len(region.points) <= MOST_POINTS:
        raise BadInput("region-points", {"given": len(region.points), "most": MOST_POINTS})
    for x, y in region.points:
        _check_fraction("x", x)
        _check_fraction("y", y)
    if (region.rgb is None) == (region.word is None):
        raise BadInput("region-colour", {"word": region.word, "rgb": region.rgb})
    _check_rgb(region.colour())


def _check_face(face: FaceBox) -> None:
    """On the picture, with an area."""
    for name, value in (("x", face.x), ("y", face.y), ("w", face.width), ("h", face.height)):
        _check_fraction(name, value)
    right, low = face.x + face.width, face.y + face.height
    if min(face.width, face.height) <= 0 or max(right, low) > 1 + 1e-6:
        raise BadInput("face-box", {"box": [face.x, face.y, face.width, face.height]})


def _check_fraction(name: str, value: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise BadInput("bad-place", {"coordinate": name, "value": str(value)[:40]})


def _check_rgb(rgb: RGB) -> None:
    right = len(rgb) == 3 and all(
        isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 255
        for value in rgb
    )
    if not right:
        raise BadInput("bad-rgb", {"rgb": str(rgb)[:80]})


def _step(data: Mapping[str, Any]) -> StepPlan:
    _only(data, "step", ("name", "backend", "settings"))
    return StepPlan(
        name=_text(data.get("name"), "name"),
        backend=_text(data.get("backend", EMBEDDED), "backend"),
        settings=_mapping(data.get("settings", {}), "settings"),
    )


def _dab(data: Mapping[str, Any]) -> Dab:
    _only(data, "dab", ("x", "y", "rgb", "radius"))
    return Dab(
        x=_number(data.get("x"), "x"),
        y=_number(data.get("y"), "y"),
        rgb=_rgb(data.get("rgb")),
        radius=_number(data.get("radius", 0.01), "radius"),
    )


def _region(data: Mapping[str, Any]) -> Region:
    _only(data, "region", ("points", "word", "rgb"))
    points = data.get("points")
    if not isinstance(points, list | tuple):
        raise _wrong("points", points)
    return Region(
        points=tuple(_point(point) for point in points),
        word=_text_or_none(data, "word"),
        rgb=None if data.get("rgb") is None else _rgb(data["rgb"]),
    )


def _face(data: Mapping[str, Any]) -> FaceBox:
    _only(data, "face", ("x", "y", "width", "height", "keep"))
    keep = _flag(data.get("keep", False), "keep")
    x, y, width, height = (_number(data.get(name), name) for name in ("x", "y", "width", "height"))
    return FaceBox(x, y, width, height, keep)


def _prompt(data: object) -> Prompt:
    given = _mapping(data, "prompt")
    _only(given, "prompt", ("period", "place", "who", "facts", "keep", "words"))
    facts = given.get("facts", [])
    if not isinstance(facts, list | tuple) or len(facts) > 50:
        raise _wrong("facts", facts)
    return Prompt(
        period=_text(given.get("period", ""), "period"),
        place=_text(given.get("place", ""), "place"),
        who=_text(given.get("who", ""), "who"),
        facts=tuple(_text(fact, "facts") for fact in facts),
        keep=_text(given.get("keep", ""), "keep"),
        words=_text(given.get("words", ""), "words"),
    )


def _rows(
    data: Mapping[str, Any], name: str, make: Callable[[Mapping[str, Any]], Row]
) -> tuple[Row, ...]:
    rows = data.get(name, [])
    if not isinstance(rows, list | tuple):
        raise _wrong(name, rows)
    return tuple(make(_mapping(row, name)) for row in rows)


def _mapping(value: object, name: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise _wrong(name, value)
    return value


def _only(data: Mapping[str, Any], name: str, known: Sequence[str]) -> None:
    unknown = sorted(set(map(str, data)) - set(known))
    if unknown:
        raise BadInput("unknown-field", {"in": name, "fields": unknown[:5], "known": list(known)})


def _text(value: object, name: str) -> str:
    if not isinstance(value, str):
        raise _wrong(name, value)
    if len(value) > LONGEST_TEXT:
        raise BadInput("text-too-long", {"field": name, "longest": LONGEST_TEXT})
    if HALF.search(value):
        raise _wrong(name, value)
    return value


def _text_or_none(data: Mapping[str, Any], name: str) -> str | None:
    return None if data.get(name) is None else _text(data[name], name)


def _number(value: object, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong(name, value)
    if not -FARTHEST <= value <= FARTHEST:  # also refuses NaN
        raise _wrong(name, value)
    return float(value)


def _integer(value: object, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _wrong(name, value)
    return value


def _flag(value: object, name: str) -> bool:
    if not isinstance(value, bool):
        raise _wrong(name, value)
    return value


def _point(value: object) -> tuple[float, float]:
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise _wrong("points", value)
    return (_number(value[0], "x"), _number(value[1], "y"))


def _rgb(value: object) -> RGB:
    if not isinstance(value, list | tuple) or len(value) != 3:
        raise _wrong("rgb", value)
    return (_integer(value[0], "rgb"), _integer(value[1], "rgb"), _integer(value[2], "rgb"))


def _wrong(name: str, value: object) -> BadInput:
    try:
        told = repr(value)[:80]
    except ValueError:  # Python writes no number of thousands of digits
        told = type(value).__name__
    return BadInput("wrong-type", {"field": name, "value": told})
