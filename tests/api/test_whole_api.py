"""Nothing that the description allows or forbids breaks the API or surprises who has read it."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from drf_spectacular.generators import SchemaGenerator
from rest_framework.authtoken.models import Token

from tests.access import table, world
from tests.access.addresses import addresses
from tests.access.measure import Knocker, left_out, template
from tests.access.measure import rows as doors
from tests.access.rows import PEOPLE
from tests.access.test_every_door import CASES
from tests.api.fuzzing import CAST, ROLES, Fuzzer, Tally

# A page for people, and the answers where no address is.
NOT_DESCRIBED = {"api:docs", "api:nothing", "api:nowhere"}


@pytest.fixture(autouse=True)
def _without_a_log() -> Iterator[None]:
    """Thousands of refusals are no news."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def test_the_description_holds_every_address_and_method_of_the_api() -> None:
    schema = SchemaGenerator().get_schema(request=None, public=True)
    told = {(path, method.upper()) for path, ways in schema["paths"].items() for method in ways}
    ours = [each for each in addresses() if each.space == "api" and each.name not in NOT_DESCRIBED]
    assert told == {(template(each.route), method) for each in ours for method in each.methods}


def test_everybody_of_the_table_of_doors_is_a_role_here() -> None:
    assert {role.who for role in ROLES} == set(PEOPLE)


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.parametrize("cases", CASES)
def test_a_token_opens_the_doors_that_the_table_says_and_no_others(cases: slice) -> None:
    here = world.build()
    keys = {who: Token.objects.get(user=getattr(here.people, CAST[who])).key for who in CAST}
    shown = Knocker(here, tokens=keys)
    with_token = {row.key: row for row in doors(here, cases, shown, space="api")}
    apart = left_out(here, cases)
    told = table.read().values()
    wanted = [row for row in told if row.space == "api" and (row.name, row.case) not in apart]
    assert with_token == {row.key: row for row in wanted}


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.parametrize("part", [0, 1])
def test_whatever_a_program_sends_is_answered_as_described_whoever_it_is(part: int) -> None:
    fuzzer = Fuzzer(world.build(), seed=1)
    # Inventing costs as much as asking: each request is asked as everybody, with a token and with
    # a session in turn.
    turns = [[role for role in ROLES if role.who == who] for who in PEOPLE]
    for operation in fuzzer.operations[part::2]:
        fuzzer.corners(operation, *turns)
        fuzzer.invent(operation, *turns, many=8)
    _nothing_is_wrong(fuzzer.tally)
    asked = {role for answered in fuzzer.tally.answers.values() for role in answered}
    assert asked == {str(role) for role in ROLES}


@pytest.mark.slow
@pytest.mark.django_db
def test_one_request_after_the_other_is_answered_as_described() -> None:
    fuzzer = Fuzzer(world.build(), seed=1)
    fuzzer.walk(steps=12, walks=40)
    _nothing_is_wrong(fuzzer.tally)


def _nothing_is_wrong(tally: Tally) -> None:
    assert tally.requests
    told = [
        f"{operation}: {title}\n{sample}" for (operation, title, _), sample in tally.wrong.items()
    ]
    assert not told, "\n\n".join(told)[:20_000]
