"""Every address of the site as everybody, against the committed table. Closed by default."""

from __future__ import annotations

import pytest

from tests.access import table, world
from tests.access.addresses import addresses
from tests.access.examples import examples
from tests.access.measure import left_out, rows, spaces
from tests.access.rows import PEOPLE, Row

# All that a stranger is let in to; everything else asks to sign in, refuses, or is not there.
OPEN_TO_STRANGERS = {
    "health-live",
    "health-ready",
    "set_language",
    "people:privacy",
    "account_login",
    "account_signup",
    "account_logout",
    "account_inactive",
    "account_reset_password",
    "account_reset_password_done",
    "account_reset_password_from_key",
    "account_reset_password_from_key_done",
    "account_confirm_email",
    "account_email_verification_sent",
    "account_confirm_login_code",
    "account_reauthenticate",
    "exhibit:home",
    "exhibit:list",
    "exhibit:exhibit",
    "exhibit:photo",
    "exhibit:zoom",
    "exhibit:made",
    "exhibit:permalink",
    "exhibit:changed",
    "exhibit:download",
    "exhibit:picture",
    "exhibit:service",
    "exhibit:info",
    "exhibit:tile",
    "exhibit:manifest",
    "exhibit:collection",
    "api:exhibits",
    "api:exhibit",
    "api:schema",
    "api:docs",
}


@pytest.mark.slow
@pytest.mark.django_db
def test_every_address_has_rows_to_be_tried_with() -> None:
    here = world.build()
    blank = sorted(each.name for each in addresses() if not examples(each, here))
    assert not blank, (
        f"Nobody has said which rows these addresses are tried with: {', '.join(blank)}. "
        f"Add them to tests/access/examples.py, then run {table.REFRESH}."
    )


def test_every_part_of_the_site_is_in_the_table() -> None:
    assert set(spaces()) == set(table.SPACES)


# At each door one row that is tried tells whether it is shut; the others are asked in CI.
CASES = [
    pytest.param(slice(1), id="with-one-row"),
    pytest.param(slice(1, None), id="with-the-others", marks=pytest.mark.slow),
]


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.parametrize("cases", CASES)
def test_every_door_answers_as_the_table_says(cases: slice) -> None:
    here = world.build()
    if table.writing():
        table.write(rows(here, slice(None)))
        return
    measured = {row.key: row for row in rows(here, cases)}
    apart = left_out(here, cases)
    wanted = {k: row for k, row in table.read().items() if (row.name, row.case) not in apart}
    complaints = _complaints(wanted, measured)
    assert not complaints, "\n".join(
        [*complaints, f"If that is right, run {table.REFRESH} and read the difference."]
    )


def test_every_address_has_a_row() -> None:
    told = {row.name for row in table.read().values()}
    silent = sorted(each.name for each in addresses() if each.name not in told)
    assert not silent, f"No method of these is in the table: {', '.join(silent)}."


def _complaints(
    wanted: dict[tuple[str, str, str], Row], found: dict[tuple[str, str, str], Row]
) -> list[str]:
    told = [
        f"{_named(row)} has no entry in the table." for k, row in found.items() if k not in wanted
    ]
    told += [f"{_named(row)} is gone." for key, row in wanted.items() if key not in found]
    for key in wanted.keys() & found.keys():
        pairs = zip(PEOPLE, wanted[key].answers, found[key].answers, strict=True)
        told += [
            f"{_named(found[key])}: the {who} gets {now!r}; the table says {was!r}."
            for who, was, now in pairs
            if was != now
        ]
    return sorted(told)


def _named(row: Row) -> str:
    case = f" ({row.case})" if row.case else ""
    return f"{row.name} {row.method}{case}"


def test_a_view_without_an_entry_fails_with_a_sentence() -> None:
    row = Row("new", "new:door", "GET", "", "new/", ("200",) * len(PEOPLE))
    assert _complaints({}, {row.key: row}) == ["new:door GET has no entry in the table."]


def test_a_door_that_opened_is_named_with_who_came_in() -> None:
    was = Row("a", "a:door", "POST", "draft", "a/", ("sign in", "404", "404", "404", "404", "200"))
    now = Row("a", "a:door", "POST", "draft", "a/", ("200", "404", "404", "404", "404", "200"))
    assert _complaints({was.key: was}, {now.key: now}) == [
        "a:door POST (draft): the stranger gets '200'; the table says 'sign in'."
    ]


def test_strangers_are_let_in_where_it_is_meant_and_nowhere_else() -> None:
    stranger = PEOPLE.index("stranger")
    opened = {
        row.name
        for row in table.read().values()
        if row.answers[stranger][0] in "23" or row.answers[stranger].startswith("5")
    }
    assert opened <= OPEN_TO_STRANGERS


def test_nothing_breaks_at_any_door() -> None:
    broken = [
        _named(row) for row in table.read().values() if any(word[0] == "5" for word in row.answers)
    ]
    assert broken == []


def test_strangers_see_of_an_exhibit_what_is_live_and_nothing_else() -> None:
    stranger = PEOPLE.index("stranger")
    seen = {
        row.case.split(",")[0]
        for row in table.read().values()
        if row.name in ("exhibit:picture", "exhibit:changed", "exhibit:download")
        and row.answers[stranger] == "200"
    }
    assert seen == {"live"}


@pytest.mark.parametrize("who", ["stranger", "volunteer", "other volunteer", "other curator"])
def test_originals_are_for_those_who_look_after_them(who: str) -> None:
    at = PEOPLE.index(who)
    doors = ("archive:original", "api:photo-original")
    answers = {row.answers[at] for row in table.read().values() if row.name in doors}
    assert answers
    assert not {word for word in answers if word[0] in "23"}


@pytest.mark.parametrize("who", ["stranger", "other volunteer", "curator", "other curator"])
def test_a_draft_is_its_makers_alone(who: str) -> None:
    at = PEOPLE.index(who)
    pixels = ("restoration:picture", "restoration:working", "restoration:map", "api:version")
    answers = {
        row.answers[at]
        for row in table.read().values()
        if row.case == "draft" and row.name.startswith(pixels)
    }
    assert answers
    assert answers <= {"404", "404 not-found", "sign in", "401 not-signed-in"}
