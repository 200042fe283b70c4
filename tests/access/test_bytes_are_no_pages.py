"""Whatever serves bytes serves them so that nothing uploaded can act as a page of the site."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import pytest
from django.core.files.storage import default_storage
from django.http import HttpResponseBase
from django.test import Client

from archive import pictures, storage
from tests.access import world
from tests.access.addresses import Address, addresses
from tests.access.examples import examples

# What is written by a template or a serializer of ours, with the site's own policy over it.
WRITTEN = ("text/html", "text/plain", "text/css", "application/json", "application/vnd.oai")
# A picture, a page, a script and a program in one: whatever it is taken for, it must do nothing.
POLYGLOT = b"GIF89a/*<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>*/=1;"

UPLOADED = {"archive:original", "restoration:sheet"}
PICTURES = {
    "archive:picture",
    "restoration:picture",
    "restoration:working",
    "restoration:preview",
    "exhibit:picture",
    "exhibit:download",
    "api:version-download",
}


@pytest.fixture
def here() -> world.World:
    """A museum in which every original and every painted mask is the polyglot, whatever it says."""
    made = world.build()
    keys = [storage.original_key(photo.sha256) for photo in made.photos.values()]
    for key in (*keys, storage.sheet_key(made.sheets["painted"])):
        default_storage.delete(key)
        storage.put_bytes(key, POLYGLOT)
    return made


def answered(here: world.World, known: Collection[str]) -> Iterator[tuple[str, HttpResponseBase]]:
    """Every address of those that answers a steward or the volunteer with bytes, and how."""
    ours = [each for each in addresses() if each.space not in ("admin", "site")]
    ours = [each for each in ours if not known or each.name in known]
    for who in (here.people.sten, here.people.vera):
        client = Client(raise_request_exception=False)
        client.force_login(who)
        for address in ours:
            yield from _asked(client, address, here)


def _asked(
    client: Client, address: Address, here: world.World
) -> Iterator[tuple[str, HttpResponseBase]]:
    kinds = ("png", "tif") if address.name == "restoration:working" else ("",)
    for case, values in examples(address, here):
        for kind in kinds:
            path = address.path(values | ({"kind": kind} if kind else {}))
            if address.name == "exhibit:download" and case == "live":
                path = path.replace("/400", "/2560")
            answer = client.get(path)
            said = answer.headers.get("Content-Type", "")
            if answer.status_code == 200 and not said.startswith(WRITTEN):
                yield f"{address.name} ({case})", answer


@pytest.mark.django_db
@pytest.mark.parametrize(
    "known", [UPLOADED | PICTURES, pytest.param((), id="all", marks=pytest.mark.slow)]
)
def test_no_address_serves_what_was_uploaded_as_something_to_open(
    here: world.World, known: Collection[str]
) -> None:
    seen, uploaded = set(), set()
    for name, answer in answered(here, known):
        seen.add(name.partition(" ")[0])
        assert answer["X-Content-Type-Options"] == "nosniff", name
        assert answer["Content-Security-Policy"] == pictures.CELL, name
        if POLYGLOT in b"".join(answer):  # type: ignore[arg-type]
            uploaded.add(name.partition(" ")[0])
            assert answer["Content-Disposition"].startswith("attachment"), name
    assert uploaded >= UPLOADED
    assert seen >= uploaded | PICTURES


def test_a_cell_lets_nothing_run() -> None:
    rules = dict(rule.strip().partition(" ")[::2] for rule in pictures.CELL.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["sandbox"] == ""
    assert "script-src" not in rules
