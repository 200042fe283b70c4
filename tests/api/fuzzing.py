"""Whatever the description of the API allows, and what it forbids, asked as everybody.

Schemathesis invents the requests and judges the answers. Where it would ask for rows that are not
there, most of its requests are led to rows that are; what one request changes is taken back before
the next, so that all of them meet the same museum. A walk takes it back at its end only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

import hypothesis
import schemathesis
from django.conf import settings
from django.core.cache import cache
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from hypothesis import strategies as st
from rest_framework.authtoken.models import Token
from schemathesis import Case, CheckContext, GenerationMode, Response
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation.drivers import CoverageGenerator
from schemathesis.generation.feedback import NO_FEEDBACK
from schemathesis.generation.overrides import Override
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import ignored_auth

from restoration.engine.catalog import CATALOG, StepSpec
from tests.access.addresses import Address, addresses
from tests.access.examples import examples
from tests.access.measure import CAST, template
from tests.access.world import TONE, World

TOKEN, SESSION = "token", "session"
STRANGER = "stranger"
CSRF = "c" * 32
Rows = Mapping[str, list[dict[str, Any]]]
QUIETLY: dict[str, Any] = {
    "database": None,
    "deadline": None,
    "phases": [hypothesis.Phase.generate],
    "suppress_health_check": list(hypothesis.HealthCheck),
}


@dataclass(frozen=True)
class Role:
    """Who asks, and what they show at the door."""

    who: str
    by: str = ""

    def __str__(self) -> str:
        return f"{self.who}, {self.by}" if self.by else self.who


ROLES = (Role(STRANGER), *(Role(who, by) for who in CAST for by in (TOKEN, SESSION)))


@dataclass
class Tally:
    """What was asked, what was answered, and what was wrong with it: one sample of each."""

    answers: dict[str, dict[str, Counter[int]]] = field(default_factory=dict)
    wrong: dict[tuple[str, str, str], str] = field(default_factory=dict)

    def answered(self, operation: str, role: Role, state: int) -> None:
        rows = self.answers.setdefault(operation, {})
        rows.setdefault(str(role), Counter())[state] += 1

    def failed(self, operation: str, role: Role, failure: Failure, sample: str) -> None:
        key = (operation, failure.title, failure.message[:200])
        self.wrong.setdefault(key, f"as the {role}: {sample}\n{failure.message}")

    @property
    def requests(self) -> int:
        return sum(seen.total() for roles in self.answers.values() for seen in roles.values())


def described() -> list[APIOperation]:
    """Every operation, as programs read of it, with the site behind it."""
    raw = SchemaGenerator().get_schema(request=None, public=True)
    schema = schemathesis.openapi.from_dict(raw)
    schema.app = get_wsgi_application()
    # The rules of the house go beyond shapes: a 422 may be one of them, if its code says so. And
    # a description that nobody wrote is none that can be changed.
    judged = schema.config.checks.positive_data_acceptance
    judged.expected_statuses = [*judged.expected_statuses, "412", "422"]
    return [found.ok() for found in schema.get_all_operations()]


@schemathesis.check
def what_has_the_right_shape_is_not_called_misshapen(
    _ctx: CheckContext, response: Response, case: Case
) -> None:
    """`invalid` is the code of a shape that does not fit; the description must have said so."""
    positive = case.meta is not None and case.meta.generation.mode is GenerationMode.POSITIVE
    if positive and response.status_code == 422 and not _is_torn_form(case):
        said = response.json()
        # Half a character or a zero byte, at any depth, is what a schema has no word for.
        told = {each["code"] for each in said.get("errors", [])}
        assert said["code"] != "invalid" or told == {"unstorable"}


def _is_torn_form(case: Case) -> bool:
    """Further parts may be called anything, and a form with such a name cannot be read again."""
    form = case.media_type == "multipart/form-data" and isinstance(case.body, dict)
    return form and not all(map(str.isidentifier, case.body))


class Fuzzer:
    """Asks one operation after the other as one role after the other."""

    def __init__(self, world: World, *, seed: int) -> None:
        self.world, self.seed = world, seed
        self.tally = Tally()
        self.operations = described()
        self.rows: Rows = {template(each.route): _rows(each, world) for each in addresses()}
        self.doors = {role: self._door(role) for role in ROLES}
        self.shut: set[tuple[str, Role]] = set()  # who is let in only by what is shown at the door

    def _door(self, role: Role) -> tuple[dict[str, str], dict[str, str]]:
        """The headers and the cookies."""
        if role.who == STRANGER:
            return {}, {}
        person = getattr(self.world.people, CAST[role.who])
        if role.by == TOKEN:
            return {"Authorization": f"Token {Token.objects.get(user=person).key}"}, {}
        client = Client()
        client.force_login(person)
        session = client.cookies[settings.SESSION_COOKIE_NAME].value
        cookies = {settings.SESSION_COOKIE_NAME: session, settings.CSRF_COOKIE_NAME: CSRF}
        return {"X-CSRFToken": CSRF}, cookies

    def corners(self, operation: APIOperation, *turns: Sequence[Role]) -> None:
        """What is at the edge of what is allowed, just beyond it, missing or said twice.

        Each is asked by one role of each of the turns, by those of a turn one after the other.
        """
        rows, asking = self.rows[operation.path], _asking(turns)
        for number, case in enumerate(_corners(operation)):
            if case.meta is None or not case.meta.is_negative_at(ParameterLocation.PATH):
                case.path_parameters = dict(rows[number % len(rows)])
            self._ask_each(case, next(asking))

    def invent(self, operation: APIOperation, *turns: Sequence[Role], many: int) -> None:
        """As many requests as are wanted, half of them wrong in some way; asked as the corners."""
        asking = _asking(turns)

        @hypothesis.seed(self.seed)
        @hypothesis.settings(**QUIETLY, max_examples=many)
        @hypothesis.given(case=_invented(operation, self.rows[operation.path], self.world))
        def invented(case: Case) -> None:
            self._ask_each(case, next(asking))

        invented()

    def walk(self, steps: int, walks: int) -> None:
        """One request after the other by anybody, each on what those before it have left."""
        asked = [_meant_well(each, self.rows[each.path], self.world) for each in self.operations]
        step = st.tuples(st.sampled_from(ROLES), st.sampled_from(asked).flatmap(lambda one: one))

        @hypothesis.seed(self.seed)
        @hypothesis.settings(**QUIETLY, max_examples=walks)
        @hypothesis.given(way=st.lists(step, min_size=steps, max_size=steps))
        def walked(way: list[tuple[Role, Case]]) -> None:
            with transaction.atomic():
                for role, case in way:
                    self._ask(case, role)
                transaction.set_rollback(True)

        walked()

    def _ask_each(self, case: Case, roles: Iterable[Role]) -> None:
        """One after the other, each with a copy: what one shows at the door is not another's."""
        for role in roles:
            with transaction.atomic():
                self._ask(_copied(case), role)
                transaction.set_rollback(True)

    def _ask(self, case: Case, role: Role) -> None:
        self._show(case, role)
        cache.clear()  # nobody is slowed down for what another asked
        with _one_connection():
            self._judge(case, role)

    def _judge(self, case: Case, role: Role) -> None:
        answer = case.call()
        self.tally.answered(case.operation.label, role, answer.status_code)
        # Which asks once more without what is shown at the door, and once with what is none. That
        # is of the operation and not of the request: one answer that was given tells it.
        shut = (case.operation.label, role)
        known = [ignored_auth] if shut in self.shut else []
        try:
            case.validate_response(answer, excluded_checks=known)
            if 200 <= answer.status_code < 300:
                self.shut.add(shut)
        except FailureGroup as group:
            for failure in group.exceptions:
                sample = (
                    f"{case.as_curl_command()} -> {answer.status_code} {answer.content[:400]!r}"
                )
                self.tally.failed(case.operation.label, role, failure, sample)

    def _show(self, case: Case, role: Role) -> None:
        """What this role shows at the door, and nothing invented beside it; a stranger invents."""
        if role.who == STRANGER:
            return
        headers, cookies = self.doors[role]
        case.headers.pop("Authorization", None)
        case.cookies.pop(settings.SESSION_COOKIE_NAME, None)
        case.headers.update(headers)
        case.cookies.update(cookies)
        case._has_explicit_auth = True  # else Schemathesis takes them for invented ones


def _asking(turns: Iterable[Sequence[Role]]) -> Iterator[tuple[Role, ...]]:
    """For one request after the other, who asks."""
    return zip(*map(cycle, turns), strict=False)


def _copied(case: Case) -> Case:
    """Without telling it: a case that is assigned to takes that for a change by its user."""
    made: Case = object.__new__(type(case))
    for name in type(case).__slots__:
        value = getattr(case, name)
        # Of the operation there is one for all cases.
        object.__setattr__(made, name, value if name == "operation" else deepcopy(value))
    return made


@contextmanager
def _one_connection() -> Iterator[None]:
    """A site ends its connection with each request, and with it what would be taken back."""
    ends = (request_started, request_finished)
    for signal in ends:
        signal.disconnect(close_old_connections)
    yield
    for signal in ends:
        signal.connect(close_old_connections)


def _rows(address: Address, world: World) -> list[dict[str, Any]]:
    """What is filled into an address to reach the rows that the table of doors is tried with."""
    found = [values for _word, values in examples(address, world)]
    return [{"id" if k == "pk" else k: value for k, value in row.items()} for row in found]


def _corners(operation: APIOperation) -> Iterator[Case]:
    yield from CoverageGenerator(
        operation=operation,
        generation_modes=[GenerationMode.POSITIVE, GenerationMode.NEGATIVE],
        generation_config=operation.schema.config.generation_for(operation=operation),
        auth_storage=None,
        override=Override(),
        feedback=NO_FEEDBACK,
    )


@st.composite
def _invented(
    draw: st.DrawFn, operation: APIOperation, rows: list[dict[str, Any]], world: World
) -> Case:
    """Cases of both kinds; three of four are led to a row that is there."""
    if draw(st.booleans()):
        found: Case = draw(operation.as_strategy(generation_mode=GenerationMode.NEGATIVE))
    else:
        found = draw(_filled(operation, world))
    if draw(st.integers(0, 3)):
        found.path_parameters = dict(draw(st.sampled_from(rows)))
    return found


@st.composite
def _meant_well(
    draw: st.DrawFn, operation: APIOperation, rows: list[dict[str, Any]], world: World
) -> Case:
    """What somebody may want who has read the description, of a row that is there."""
    found: Case = draw(_filled(operation, world))
    found.path_parameters = dict(draw(st.sampled_from(rows)))
    return found


@st.composite
def _filled(draw: st.DrawFn, operation: APIOperation, world: World) -> Case:
    """As the description wants it, with some words that mean something here."""
    found: Case = draw(operation.as_strategy(generation_mode=GenerationMode.POSITIVE))
    if isinstance(found.body, dict):
        found.body.update(draw(_meant(found.body, world)))
        found._record_starting_state()  # as valid as what was invented, bytes or not
    return found


@st.composite
def _meant(draw: st.DrawFn, body: Mapping[str, Any], world: World) -> dict[str, Any]:
    """Words for some of the invented ones in a body: rows that are there, plans, pictures."""
    known: dict[str, Any] = {**world.body(), "file": world.png, "plan": draw(PLANS)}
    known["collection"] = world.collections["open"].slug
    shared = sorted(known.keys() & body.keys())
    names = draw(st.sets(st.sampled_from(shared))) if shared else set()
    return {name: known[name] for name in names}


FINITE = st.floats(allow_nan=False, allow_infinity=False)  # JSON has no others
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | FINITE | st.text(max_size=40),
    lambda part: (
        st.lists(part, max_size=3) | st.dictionaries(st.text(max_size=8), part, max_size=3)
    ),
    max_leaves=6,
)


def _step(spec: StepSpec) -> st.SearchStrategy[dict[str, Any]]:
    """A step that is there, with settings that are, or are nearly, its own."""
    names = [setting.name for setting in spec.settings]
    told = st.dictionaries(st.sampled_from(names), ANYTHING, max_size=2) if names else st.just({})
    return st.fixed_dictionaries({"name": st.just(spec.name), "settings": told})


# What a plan is made of, right and wrong.
PLANS = st.just(TONE) | st.fixed_dictionaries(
    {"steps": st.lists(st.one_of([_step(spec) for spec in CATALOG]), max_size=3) | ANYTHING},
    optional=dict.fromkeys(
        ("prompt", "mask_sha256", "dabs", "regions", "faces", "seed", "recipe"), ANYTHING
    ),
)
