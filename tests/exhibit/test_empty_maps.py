"""A map that shows nothing is offered to no visitor: it would be a black frame."""

from __future__ import annotations

import json

import pytest
from django.test import Client
from django.urls import reverse

from exhibit.models import Publication
from restoration.models import Version
from tests import factories
from tests.exhibit.conftest import Museum, hang, stored_sheet

NOTHING = {
    "verdict": "pass",
    "changed_area": 0.0,
    "filled_area": 0.0,
    "doubtful_area": 0.0,
    "coloured_guess_area": 0.0,
    "coloured_evidence_area": 0.0,
}
NAMES = ("changed", "doubtful", "repaired", "coloured_guess", "coloured_evidence")
UNTOUCHED = "Nothing was filled and no colour was added."


def hung(museum: Museum, **measured: float) -> Publication:
    """A picture with every map, of which the check measured this."""
    maps = dict.fromkeys(NAMES, stored_sheet())
    return hang(museum, maps=maps, meters={"guard": NOTHING | measured})


def page(client: Client, museum: Museum, shown: Publication, query: str = "") -> str:
    return client.get(f"/exhibits/{museum.exhibit.slug}/{shown.photo.ref}/{query}").text


def test_where_every_map_is_empty_none_is_offered_and_a_line_says_so(
    client: Client, museum: Museum
) -> None:
    shown = hung(museum)
    for told in (
        page(client, museum, shown),
        page(client, museum, shown, "?layer=doubtful"),
        client.get(f"/exhibits/{museum.exhibit.slug}/{shown.photo.ref}/zoom/").text,
    ):
        assert "changed.png" not in told
        assert 'value="map"' not in told
        assert 'href="?layer=' not in told
        assert "data-first" not in told
    assert UNTOUCHED in page(client, museum, shown)
    assert UNTOUCHED not in client.get(museum.url).text


def test_of_several_maps_only_those_that_show_something_are_offered(
    client: Client, museum: Museum
) -> None:
    shown = hung(museum, changed_area=3.1)
    told = page(client, museum, shown)
    assert told.count('href="?layer=') == 1
    assert "Changed beyond tone, grain and repair" in told
    assert "What was changed" not in told
    assert f"/published/{shown.pk}/changed.png?map=changed" in told
    assert UNTOUCHED not in told


def test_who_asks_for_an_empty_map_does_not_begin_with_another_one(
    client: Client, museum: Museum
) -> None:
    shown = hung(museum, changed_area=3.1)
    told = page(client, museum, shown, "?layer=doubtful")
    assert "data-first" not in told
    assert 'value="both" autocomplete="off" checked' in told
    assert 'data-first="map"' in page(client, museum, shown, "?layer=changed")


def test_a_map_of_very_little_is_not_told_as_nothing(client: Client, museum: Museum) -> None:
    told = page(client, museum, hung(museum, filled_area=0.01))
    least = "less than 0.1\N{NO-BREAK SPACE}%"
    assert f'What was filled <span class="count">{least}</span>' in told
    assert f"{least} of the picture" in told


def test_where_nothing_was_measured_nothing_is_said(client: Client, museum: Museum) -> None:
    told = page(client, museum, hang(museum, meters={}))
    assert UNTOUCHED not in told
    assert "changed.png" not in told


def test_the_account_for_programs_and_the_addresses_of_the_maps_stay(
    client: Client, museum: Museum
) -> None:
    shown = hung(museum)
    told = client.get(f"/exhibits/{museum.exhibit.slug}/{shown.photo.ref}/made.json")
    assert json.loads(told.content)["guard"] == NOTHING
    for name in NAMES:
        answer = client.get(f"/published/{shown.pk}/changed.png?map={name}")
        assert answer.status_code == 200


@pytest.mark.parametrize(("changed", "offered"), [(0.0, False), (3.1, True)])
def test_who_publishes_is_offered_no_empty_map_either(
    client: Client, museum: Museum, changed: float, offered: bool
) -> None:
    photo = factories.photo(museum.collection)
    version, _review = factories.accepted(
        photo,
        museum.people.vera,
        museum.people.cora,
        maps=dict.fromkeys(NAMES, "a" * 64),
        meters={"guard": NOTHING | {"changed_area": changed}},
    )
    client.force_login(museum.people.sten)
    told = client.get(reverse("exhibit:publish", args=[version.pk])).text
    assert ('value="map"' in told) == offered
    assert set(Version.objects.get(pk=version.pk).maps) == set(NAMES)
