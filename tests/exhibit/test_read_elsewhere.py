"""What scripts on other sites may read: what is public, and only as a stranger gets it."""

from __future__ import annotations

import pytest
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
