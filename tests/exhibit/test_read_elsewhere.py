"""What scripts on other sites may read: what is public, and only as a stranger gets it."""

from __future__ import annotations

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from config.elsewhere import READABLE
from exhibit.actions import suspend_publication
from tests.exhibit.conftest import LATER, Museum

ALLOWED = "Access-Control-Allow-Origin"
OPEN = [
    "/api/v1/exhibits",
    "/api/v1/exhibits/{slug}",
    "/api/v1/schema",
    "/exhibits/{slug}/collection.json",
    "{photo}made.json",
    "/published/{pk}/manifest.json",
    "/published/{pk}/restored/400.jpg",
    "/published/{pk}/changed.png?map=coloured_guess",
    "/published/{pk}/download/full.jpg",
]
# The same for everybody, and so kept on the way for whoever asks next.
FOR_ALL = OPEN[3:4] + OPEN[5:8]


def filled(address: str, museum: Museum) -> str:
    slug, pk = museum.exhibit.slug, museum.publication.pk
    return address.format(slug=slug, photo=museum.url, pk=pk)


@pytest.mark.parametrize("address", OPEN)
def test_what_is_public_may_be_read_by_scripts_of_other_sites(
    client: Client, museum: Museum, address: str
) -> None:
    for ask in (client.get, client.head):
        answer = ask(filled(address, museum))
        assert (answer.status_code, answer.get(ALLOWED)) == (200, "*")
        assert "ETag" in answer["Access-Control-Expose-Headers"]
        assert "Access-Control-Allow-Credentials" not in answer


@pytest.mark.parametrize("address", sorted(set(OPEN) - set(FOR_ALL)))
def test_what_somebody_gets_who_is_signed_in_may_not(
    client: Client, museum: Museum, address: str
) -> None:
    client.force_login(museum.people.cora)
    answer = client.get(filled(address, museum))
    assert answer.status_code == 200
    assert ALLOWED not in answer


@pytest.mark.parametrize("address", FOR_ALL)
def test_what_caches_may_give_to_anybody_may_be_read_whoever_asked_first(
    client: Client, museum: Museum, address: str
) -> None:
    client.force_login(museum.people.cora)
    answer = client.get(filled(address, museum))
    assert answer["Cache-Control"].startswith("public")
    assert answer[ALLOWED] == "*"


@pytest.mark.parametrize("address", OPEN[5:])
def test_what_only_curators_see_may_not(client: Client, museum: Museum, address: str) -> None:
    suspend_publication(
        publication=museum.publication, by=museum.people.cora, reason="A doubt", now=LATER
    )
    client.force_login(museum.people.cora)
    answer = client.get(filled(address, museum))
    assert answer.status_code == 200
    assert ALLOWED not in answer


def test_a_refusal_can_be_read_too(client: Client, museum: Museum) -> None:
    for address in ("/api/v1/exhibits/none", "/published/999999/manifest.json"):
        answer = client.get(address)
        assert (answer.status_code, answer[ALLOWED]) == (404, "*")


def test_pages_for_people_and_all_that_needs_a_token_may_not(
    client: Client, museum: Museum
) -> None:
    for address in ("/", "/exhibits/", museum.url, "/api/v1/docs", "/api/v1/photos", "/api/v1/me"):
        assert ALLOWED not in client.get(address)
    assert ALLOWED not in client.post("/api/v1/exhibits")


@pytest.mark.usefixtures("pages_kept")
def test_a_kept_answer_says_so_too(client: Client, museum: Museum) -> None:
    for _made_and_kept in range(2):
        assert client.get(f"{museum.url}made.json")[ALLOWED] == "*"


def may_it(client: Client, address: str, method: str = "GET", **headers: str) -> HttpResponse:
    """As a browser asks before a script sends headers of its own along."""
    said = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": method}
    return client.options(address, headers=said | headers)


@pytest.mark.parametrize("address", OPEN)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_script_may_ask_whether_it_may(
    client: Client, museum: Museum, address: str, method: str
) -> None:
    wanted = {"Access-Control-Request-Headers": "if-none-match"}
    answer = may_it(client, filled(address.partition("?")[0], museum), method, **wanted)
    assert (answer.status_code, answer.content, answer[ALLOWED]) == (204, b"", "*")
    assert answer["Access-Control-Allow-Methods"] == "GET, HEAD"
    assert "If-None-Match" in answer["Access-Control-Allow-Headers"]
    assert int(answer["Access-Control-Max-Age"]) > 0


def test_nobody_signs_in_from_elsewhere(client: Client, museum: Museum) -> None:
    for address in OPEN:
        answer = may_it(client, filled(address.partition("?")[0], museum))
        assert "Access-Control-Allow-Credentials" not in answer
        assert "authorization" not in answer["Access-Control-Allow-Headers"].lower()


@pytest.mark.parametrize(
    ("address", "method"),
    [("/api/v1/exhibits", "POST"), ("/api/v1/exhibits", "DELETE"), ("/api/v1/photos", "GET"),
     ("/api/v1/me", "GET"), ("/", "GET"), ("/api/v1/docs", "GET"), ("/no/such/page", "GET")],
)  # fmt: skip
def test_what_may_not_be_read_or_changes_something_is_not_promised(
    client: Client, museum: Museum, address: str, method: str
) -> None:
    answer = may_it(client, address, method)
    assert ALLOWED not in answer
    assert "Access-Control-Allow-Methods" not in answer


def test_an_options_that_no_browser_sends_for_a_script_is_no_such_question(
    client: Client, museum: Museum
) -> None:
    assert ALLOWED not in client.options("/api/v1/exhibits")
    said = {"Origin": "https://elsewhere.example"}
    assert ALLOWED not in client.options("/api/v1/exhibits", headers=said)


def test_every_name_that_may_be_read_is_one_of_an_address() -> None:
    def names(found: list[URLPattern | URLResolver], space: str = "") -> set[str]:
        told: set[str] = set()
        for each in found:
            if isinstance(each, URLResolver):
                inner = f"{each.namespace}:" if each.namespace else space
                told |= names(each.url_patterns, inner)
            else:
                told.add(f"{space}{each.name}")
        return told

    assert names(get_resolver().url_patterns) >= READABLE
