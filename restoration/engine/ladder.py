"""The rungs of lower risk: what to try when the guard found that a picture changed too much.

Each rung is a whole plan that carries less risk than the one before: a weaker redraw, then faces
left alone, then a model held closer to the picture, then no redraw but colour, then nothing but
the declared repair. A rung is another attempt on the same picture; it never replaces a version.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from restoration.engine.catalog import EMBEDDED, GENERATIVE, spec
from restoration.engine.plan import Plan, StepPlan

STRENGTHS = (0.35, 0.25, 0.15)  # of a redraw
FACES_ALONE = 0.0
CLOSER = 0.9  # how closely a control network holds a model to the picture
HALVED = ("tone", "denoise")  # what every machine can do at half the strength
FAINTEST = 0.1  # a strength below which half of it is nothing

LESS_REDRAW = "less-redraw"
FACES_KEPT = "faces-kept"
HELD_CLOSER = "held-closer"
GENTLER = "gentler"
NO_REDRAW = "no-redraw"
COLOUR_ONLY = "colour-only"
MASK_ONLY = "mask-only"


@dataclass(frozen=True)
class Rung:
    """A plan of less risk, and the code that says in what; `strength` where that is a number."""

    plan: Plan
    code: str
    strength: float | None = None

    @property
    def key(self) -> str:
        """The rung's name among those of one plan."""
        return self.code if self.strength is None else f"{self.code}-{self.strength:g}"


def rungs(plan: Plan) -> list[Rung]:
    """The plans of lower risk than this one, the nearest first; empty when nothing is lower.

    Seed, words and masks stay, so that a rung differs in nothing but its risk.
    """
    known = {_work(plan)}
    found: list[Rung] = []
    for rung in _offered(plan):
        if _work(rung.plan) not in known:
            known.add(_work(rung.plan))
            found.append(rung)
    return found


def _offered(plan: Plan) -> Iterator[Rung]:
    plan = _plain(plan)
    redraw = plan.step("redraw")
    if redraw is not None and redraw.backend == GENERATIVE:
        yield from _redrawn_less(plan, redraw)
        plan = _only(plan, [step.name for step in plan.steps if step.name != "redraw"])
        if _works(plan):
            yield Rung(plan, NO_REDRAW)
    yield from _gentler(plan)
    yield from _parts(plan)


def _redrawn_less(plan: Plan, redraw: StepPlan) -> Iterator[Rung]:
    settings: Mapping[str, Any] = redraw.settings
    for strength in STRENGTHS:
        if strength < settings["strength"]:
            settings = {**settings, "strength": strength}
            yield Rung(_with(plan, "redraw", settings), LESS_REDRAW, strength)
    for name, value, code in (("faces", FACES_ALONE, FACES_KEPT), ("control", CLOSER, HELD_CLOSER)):
        if _reads(redraw, name) and settings[name] != value:
            settings = {**settings, name: value}
            yield Rung(_with(plan, "redraw", settings), code)


def _reads(step: StepPlan, name: str) -> bool:
    """Whether the step has the setting and its model goes by it."""
    known = next((each for each in spec(step.name).settings if each.name == name), None)
    return known is not None and (not known.models or step.settings["model"] in known.models)


def _gentler(plan: Plan) -> Iterator[Rung]:
    """The steps that have a strength, at half of it."""
    halved = plan
    for name in HALVED:
        step = plan.step(name)
        strength = float(step.settings.get("strength", 0)) if step is not None else 0.0
        if step is not None and strength >= FAINTEST:
            half = {**step.settings, "strength": round(strength / 2, 3)}
            halved = _with(halved, name, half)
    if halved is not plan:
        yield Rung(halved, GENTLER)


def _parts(plan: Plan) -> Iterator[Rung]:
    if plan.step("colourise") is not None:
        yield Rung(replace(_only(plan, ["colourise"]), mask_sha256=None), COLOUR_ONLY)
    repair = plan.step("repair")
    if repair is not None:
        alone = replace(_only(plan, ["repair"]), dabs=(), regions=())
        yield Rung(_by_rekindle(alone, repair), MASK_ONLY)


def _by_rekindle(plan: Plan, repair: StepPlan) -> Plan:
    """The same holes, filled without a generative model."""
    if repair.backend == EMBEDDED:
        return plan
    read = {setting.name for setting in spec("repair").read_by(EMBEDDED)} - {"strength"}
    settings = {name: value for name, value in repair.settings.items() if name in read}
    return replace(plan, steps=(StepPlan("repair", EMBEDDED, settings),))


def _plain(plan: Plan) -> Plan:
    """A recipe's name is given to what the recipe says, not to less."""
    return replace(plan, recipe=None)


def _works(plan: Plan) -> bool:
    """Whether any step is left that changes the picture."""
    return any(step.name not in ("assess", "guard") for step in plan.steps)


def _only(plan: Plan, names: Iterable[str]) -> Plan:
    kept = {*names, "assess", "guard"}
    return replace(plan, steps=tuple(step for step in plan.steps if step.name in kept))


def _with(plan: Plan, name: str, settings: Mapping[str, Any]) -> Plan:
    steps = [replace(s, settings=settings) if s.name == name else s for s in plan.steps]
    return replace(plan, steps=tuple(steps))


def _work(plan: Plan) -> str:
    return _plain(plan).digest()
