"""The steps there are, in the order they always run; light enough to draw a form from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from restoration.engine.errors import BadInput

ENGINES = ("1.0", "1.1")  # a later one reads settings that plans for an earlier one lack
ENGINE = ENGINES[-1]
EMBEDDED = "embedded"
GENERATIVE = "generative"
CALM_FROM = 2.8  # noise on the 0-255 scale, from which it hides the picture

Value = float | int | str | bool
Kind = Literal["float", "int", "choice", "bool"]


@dataclass(frozen=True)
class Setting:
    """One knob: what it may be, and what it is when nobody touched it."""

    name: str
    kind: Kind
    default: Value
    low: float | None = None
    high: float | None = None
    step: float | None = None
    choices: tuple[str, ...] = ()
    backend: str | None = None  # only this backend reads it; None: all of them
    models: tuple[str, ...] = ()  # only these models go by it; none: all of them
    # By backend: the first engine in which it reads it.
    since: Mapping[str, str] = field(default_factory=dict)

    def is_expected(self, backend: str, engine: str) -> bool:
        """Whether a plan for that engine that leaves it out means its default, rather than to go on
        as it did when nobody knew of it. An engine that is not known is taken for this one."""
        first = self.since.get(backend, ENGINES[0])
        return engine not in ENGINES or ENGINES.index(engine) >= ENGINES.index(first)

    def check(self, value: object) -> Value:
        """The value in its own type, or BadInput `setting-type`, `setting-range` or
        `setting-choice`."""
        if self.kind == "bool":
            return self._bool(value)
        if self.kind == "choice":
            return self._choice(value)
        return self._number(value)

    def _bool(self, value: object) -> bool:
        if not isinstance(value, bool):
            raise self._wrong_type(value)
        return value

    def _choice(self, value: object) -> str:
        if not isinstance(value, str):
            raise self._wrong_type(value)
        if value not in self.choices:
            facts = {"setting": self.name, "value": value, "choices": list(self.choices)}
            raise BadInput("setting-choice", facts)
        return value

    def _number(self, value: object) -> float | int:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._wrong_type(value)
        low = float("-inf") if self.low is None else self.low
        high = float("inf") if self.high is None else self.high
        if not low <= value <= high:  # also refuses NaN
            facts = {"setting": self.name, "value": str(value), "low": low, "high": high}
            raise BadInput("setting-range", facts)
        if self.kind == "int" and value % 1:
            raise self._wrong_type(value)
        return int(value) if self.kind == "int" else float(value)

    def _wrong_type(self, value: object) -> BadInput:
        facts = {"setting": self.name, "kind": self.kind, "value": repr(value)[:80]}
        return BadInput("setting-type", facts)


@dataclass(frozen=True)
class StepSpec:
    """One step: its knobs, and where each backend's `run` is found ('module:function')."""

    name: str
    settings: tuple[Setting, ...] = ()
    backends: Mapping[str, str] = field(default_factory=dict)
    requires_prompt: bool = False
    scale: int = 1

    def read_by(self, backend: str) -> tuple[Setting, ...]:
        """The settings that this backend goes by."""
        return tuple(each for each in self.settings if each.backend in (None, backend))

    def settled(
        self, given: Mapping[str, object], backend: str, engine: str = ENGINE
    ) -> dict[str, Value]:
        """Every setting the backend reads: the given ones checked, the others at their default.

        engine: for which the plan was made; what its backend did not read yet stays away.
        BadInput `unknown-setting` for one that it does not read.
        """
        known = [setting.name for setting in self.read_by(backend)]
        for name in given:
            if name not in known:
                facts = {"step": self.name, "setting": name, "known": known}
                raise BadInput("unknown-setting", facts)
        try:
            return {
                setting.name: setting.check(given.get(setting.name, setting.default))
                for setting in self.read_by(backend)
                if setting.name in given or setting.is_expected(backend, engine)
            }
        except BadInput as refusal:
            raise BadInput(refusal.code, {"step": self.name, **refusal.facts}) from None


def _share(name: str, default: float, backend: str | None = None, step: float = 0.05) -> Setting:
    return Setting(name, "float", default, low=0.0, high=1.0, step=step, backend=backend)


# The models that can do a step, the first choice first. Their rows are in generative.registry,
# which stands a floor higher; a test keeps the two alike.
COLOURISTS = ("klein", "qwen-edit-lightning", "qwen-edit")
REDRAWERS = (
    "klein", "sdxl-tile", "sdxl", "z-image-turbo", "qwen-edit-lightning", "qwen-edit",
    "sd15-tile", "sd15",
)  # fmt: skip
REPAIRERS = (
    "klein", "sdxl-inpaint", "sdxl-tile", "sdxl", "z-image-turbo", "qwen-edit-lightning",
    "qwen-edit", "sd15-inpaint", "sd15-tile", "sd15",
)  # fmt: skip


TILED = ("sdxl-tile", "sd15-tile")  # a control network holds them to the picture


def _model(names: tuple[str, ...]) -> Setting:
    return Setting("model", "choice", names[0], choices=names, backend=GENERATIVE)


CATALOG: tuple[StepSpec, ...] = (
    StepSpec("assess", backends={EMBEDDED: "restoration.engine.steps.assess:run"}),
    StepSpec(
        "descreen",
        settings=(_share("strength", 1.0),),
        backends={EMBEDDED: "restoration.engine.steps.descreen:run"},
    ),
    StepSpec(
        "tone",
        settings=(_share("strength", 0.6, step=0.01), _share("cast", 0.2)),
        backends={EMBEDDED: "restoration.engine.steps.tone:run"},
    ),
    StepSpec(
        "repair",
        settings=(
            _model(REPAIRERS),
            _share("sensitivity", 0.4),
            _share("grain", 1.0, EMBEDDED),
            Setting("marks_only", "bool", True, since={GENERATIVE: "1.1"}),
            Setting("strength", "float", 0.85, 0.3, 1.0, 0.05, backend=GENERATIVE),
        ),
        backends={
            EMBEDDED: "restoration.engine.steps.repair:run",
            GENERATIVE: "restoration.engine.generative.inpaint:run",
        },
    ),
    StepSpec(
        "denoise",
        settings=(
            _share("strength", 0.6),
            _share("grain", 0.25),
            _share("deblur", 0.0),
            _share("deblock", 1.0),
        ),
        backends={EMBEDDED: "restoration.engine.steps.denoise:run"},
    ),
    StepSpec(
        "redraw",
        settings=(
            _model(REDRAWERS),
            Setting("strength", "float", 0.3, 0.05, 0.6, 0.05),
            _share("faces", 0.3),
            Setting("control", "float", 0.6, 0.0, 1.0, 0.05, models=TILED),
            Setting("passes", "int", 0, 0, 60, 1),  # 0: as many as the model was made for
        ),
        backends={GENERATIVE: "restoration.engine.generative.redraw:run"},
        requires_prompt=True,
    ),
    StepSpec(
        "colourise",
        settings=(
            _model(COLOURISTS),
            _share("strength", 0.9),
            _share("reach", 0.5),
            _share("guess", 0.0, EMBEDDED),
        ),
        backends={
            EMBEDDED: "restoration.engine.steps.colourise:run",
            GENERATIVE: "restoration.engine.generative.colour:run",
        },
    ),
    StepSpec(
        "upscale",
        settings=(_share("sharpen", 0.0),),
        backends={EMBEDDED: "restoration.engine.steps.upscale:run"},
        scale=2,
    ),
    StepSpec("guard", backends={EMBEDDED: "restoration.engine.steps.guard:run"}),
)

NAMES: tuple[str, ...] = tuple(spec.name for spec in CATALOG)


def spec(name: str) -> StepSpec:
    """The step of that name, or BadInput `unknown-step`."""
    for candidate in CATALOG:
        if candidate.name == name:
            return candidate
    raise BadInput("unknown-step", {"step": name, "known": list(NAMES)})


def entry(name: str, backend: str) -> str:
    """Where that backend's run function is found, or BadInput `unknown-backend`."""
    backends = spec(name).backends
    if backend not in backends:
        facts = {"step": name, "backend": backend, "known": sorted(backends)}
        raise BadInput("unknown-backend", facts)
    return backends[backend]
