"""Who kept the address of a publication is led on to the newer one, or told that it is gone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from archive.lifecycle import PhotoState
from archive.sizes import PIPELINE
from exhibit.actions import publish_version, retract_publication, suspend_publication
from exhibit.arranging import Words, close_exhibit
from exhibit.models import Publication
from tests import factories
from tests.exhibit.conftest import LATER, Museum

ADDRESSES = [
    "manifest.json",
    "original/400.jpg",
    "restored/1600.jpg",
    "download/full.jpg",
    "changed.png?map=coloured_guess",
    f"iiif/restored-{PIPELINE}",
    f"iiif/restored-{PIPELINE}/info.json",
    f"iiif/restored-{PIPELINE}/full/max/0/default.jpg",
    f"iiif/original-{PIPELINE}/0,0,512,512/512,512/0/default.jpg",
]


def replaced(museum: Museum) -> Publication:
    """A newer version takes the place; gives the new publication."""
    version, _review = factories.accepted(
        museum.photo,
        museum.people.victor,
        museum.people.cora,
        image=factories.picture(4),
        maps=museum.version.maps,
    )
    return publish_version(
        version=version,
        room=museum.room,
        words=Words(),
        by=museum.people.sten,
        now=LATER + timedelta(hours=1),
    )


def taken_down(publication: Publication, museum: Museum) -> None:
    retract_publication(
        publication=publication, by=museum.people.cora, reason="The widow asked.", now=LATER
    )


def asked(client: Client, publication: Publication, address: str) -> Any:
    return client.get(f"/published/{publication.pk}/{address}")


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_of_what_was_replaced_leads_on(
    client: Client, museum: Museum, address: str
) -> None:
    newest = [replaced(museum) for _ in range(2)][-1]
    answer = asked(client, museum.publication, address)
    assert answer.status_code == 302
    assert answer["Location"] == f"/published/{newest.pk}/{address}"
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert "no-store" in answer["Cache-Control"]


def test_where_it_leads_there_is_the_manifest_of_the_newer_one(
    client: Client, museum: Museum
) -> None:
    newest = replaced(museum)
    answer = client.get(f"/published/{museum.publication.pk}/manifest.json", follow=True)
    assert answer.json()["id"].endswith(f"/published/{newest.pk}/manifest.json")
    assert asked(client, newest, "restored/1600.jpg").status_code == 200
    assert asked(client, newest, ADDRESSES[4]).status_code == 200


def test_a_curator_still_sees_what_was_replaced(client: Client, museum: Museum) -> None:
    replaced(museum)
    client.force_login(museum.people.cora)
    answer = asked(client, museum.publication, "restored/1600.jpg")
    assert answer.status_code == 200
    assert "private" in answer["Cache-Control"]
    assert "Access-Control-Allow-Origin" not in answer


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_of_what_was_taken_down_says_so(
    client: Client, museum: Museum, address: str
) -> None:
    taken_down(museum.publication, museum)
    answer = asked(client, museum.publication, address)
    assert (answer.status_code, answer["Content-Type"]) == (410, "application/problem+json")
    told = answer.json()
    assert (told["code"], told["reason"], told["status"]) == ("retracted", "The widow asked.", 410)
    assert told["ended_at"].startswith(LATER.date().isoformat())
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert "no-store" in answer["Cache-Control"]


def test_whoever_reads_pages_gets_one(client: Client, museum: Museum) -> None:
    taken_down(museum.publication, museum)
    pages = {"Accept": "text/html,*/*;q=0.8"}
    for address, is_page in (("download/full.jpg", True), ("manifest.json", False)):
        answer = client.get(f"/published/{museum.publication.pk}/{address}", headers=pages)
        assert answer.status_code == 410
        assert ("This picture was taken down</h1>" in answer.text) == is_page


def test_the_account_of_what_was_taken_down_is_gone_for_programs_too(
    client: Client, museum: Museum
) -> None:
    taken_down(museum.publication, museum)
    answer = client.get(f"{museum.url}made.json", headers={"Accept": "text/html"})
    assert (answer.status_code, answer.json()["reason"]) == (410, "The widow asked.")
    assert answer["Access-Control-Allow-Origin"] == "*"
    museum.photo.move(PhotoState.WITHDRAWN, by=None, at=LATER)
    assert client.get(f"{museum.url}made.json").status_code == 410


def test_a_replaced_one_whose_newer_one_was_taken_down_is_gone_with_it(
    client: Client, museum: Museum
) -> None:
    taken_down(replaced(museum), museum)
    answer = asked(client, museum.publication, "manifest.json")
    assert (answer.status_code, answer.json()["reason"]) == (410, "The widow asked.")


def test_one_that_was_taken_down_does_not_lead_to_what_was_published_since(
    client: Client, museum: Museum
) -> None:
    taken_down(museum.publication, museum)
    publish_version(
        version=museum.version,
        room=museum.room,
        words=Words(),
        by=museum.people.sten,
        now=LATER + timedelta(hours=1),
        although_retracted=True,
    )
    assert asked(client, museum.publication, "manifest.json").status_code == 410


def test_nothing_is_said_of_what_strangers_may_not_see(client: Client, museum: Museum) -> None:
    newest = replaced(museum)
    suspend_publication(publication=newest, by=museum.people.cora, reason="A doubt", now=LATER)
    for publication in (museum.publication, newest):
        assert asked(client, publication, "manifest.json").status_code == 404
    taken_down(newest, museum)
    close_exhibit(exhibit=museum.exhibit, by=museum.people.cora, now=LATER)
    for publication in (museum.publication, newest):
        assert asked(client, publication, "restored/400.jpg").status_code == 404
    assert client.get("/published/999999/manifest.json").status_code == 404


def test_the_address_that_stays_says_that_a_newer_one_took_the_place(
    client: Client, museum: Museum
) -> None:
    replaced(museum)
    page = client.get(f"/published/{museum.publication.pk}/")
    assert page.status_code == 200
    assert "A newer restoration has taken its place" in page.text
    assert f'href="{museum.url}"' in page.text


def test_the_address_that_stays_says_nothing_while_the_newer_one_is_hidden(
    client: Client, museum: Museum
) -> None:
    newest = replaced(museum)
    suspend_publication(publication=newest, by=museum.people.cora, reason="A doubt", now=LATER)
    for publication in (museum.publication, newest):
        assert client.get(f"/published/{publication.pk}/").status_code == 404


def test_the_address_that_stays_says_that_the_newer_one_was_taken_down(
    client: Client, museum: Museum
) -> None:
    newest = replaced(museum)
    taken_down(newest, museum)
    for publication in (museum.publication, newest):
        page = client.get(f"/published/{publication.pk}/")
        assert page.status_code == 410
        assert "The widow asked." in page.text
        assert "A newer restoration" not in page.text
        assert publication.version_sha256 not in page.text


def test_the_address_that_stays_says_that_the_photo_was_withdrawn(
    client: Client, museum: Museum
) -> None:
    newest = replaced(museum)
    museum.photo.move(PhotoState.WITHDRAWN, by=museum.people.cora, at=LATER)
    there = client.get(museum.url)
    for publication in (museum.publication, newest):
        page = client.get(f"/published/{publication.pk}/")
        assert (page.status_code, there.status_code) == (410, 410)
        assert "withdrawn by the institution" in page.text
        assert "The first gold medal" not in page.text
    close_exhibit(exhibit=museum.exhibit, by=museum.people.cora, now=LATER)
    assert client.get(f"/published/{newest.pk}/").status_code == 404


@pytest.mark.parametrize("address", ADDRESSES)
def test_of_a_withdrawn_photo_every_address_says_so(
    client: Client, museum: Museum, address: str
) -> None:
    museum.photo.move(PhotoState.WITHDRAWN, by=museum.people.cora, at=LATER)
    answer = asked(client, museum.publication, address)
    assert (answer.status_code, answer.json()["code"]) == (410, "withdrawn")
