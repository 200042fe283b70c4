"""Publish an accepted version: who may, what is pinned, what it replaces."""

from __future__ import annotations

import re

import pytest
from django.core.files.storage import default_storage
from django.test import Client
from django.urls import reverse

from archive import storage
from archive.lifecycle import Kept, Outcome, PhotoState
from archive.models import Alarm, Event, FixityCheck, Photo
from archive.rights import RIGHTS
from exhibit.actions import publish_version
from exhibit.arranging import Words
from exhibit.models import Exhibit, Placement, Publication
from restoration.fixity import check_holding, key_of
from restoration.holdings import Holding
from restoration.lifecycle import PublicationState
from restoration.models import Review, Version
from tests import factories
from tests.exhibit.conftest import LATER, Museum, hang
from tests.people import appoint


def publish(client: Client, version: Version, museum: Museum, **words: str) -> object:
    url = reverse("exhibit:publish", args=[version.pk])
    form = {"room": str(museum.room.pk), **words}
    return client.post(url, form, headers={"Referer": f"http://testserver{url}"}, follow=True)


def accepted(museum: Museum, **fields: object) -> Version:
    photo = factories.photo(museum.collection)
    return factories.accepted(photo, museum.people.vera, museum.people.cora, **fields)[0]


def test_an_accepted_version_becomes_the_public_face_of_its_photo(
    client: Client, museum: Museum
) -> None:
    version = accepted(museum)
    client.force_login(museum.people.sten)
    publish(client, version, museum, caption_en="In the stadium", caption_zh="在体育场")
    publication = Publication.objects.get(version=version)
    review = Review.objects.get(version=version)
    assert publication.state == PublicationState.LIVE
    assert publication.version_sha256 == version.sha256 == review.file_sha256
    assert publication.original_sha256 == version.photo.sha256
    assert publication.review == review
    placement = Placement.objects.get(photo=version.photo)
    assert (placement.room, placement.caption_zh) == (museum.room, "在体育场")
    assert Event.objects.filter(verb="publication.live", photo=version.photo).exists()
    client.logout()
    page = client.get(f"/exhibits/{museum.exhibit.slug}/{version.photo.ref}/").text
    assert "In the stadium" in page


@pytest.mark.parametrize(("number", "asked"), [(6, True), (7, False)])
def test_whoever_publishes_is_asked_about_rights_that_nobody_evaluated(
    client: Client, museum: Museum, number: int, asked: bool
) -> None:
    version = accepted(museum)
    museum.collection.rights_uri, said = RIGHTS[number]
    museum.collection.save()
    client.force_login(museum.people.sten)
    page = client.get(reverse("exhibit:publish", args=[version.pk])).text
    assert str(said) in page
    assert ("If you know more, say so before you publish." in page) == asked


def offered(client: Client, version: Version, **query: str) -> tuple[str, str]:
    """The form's choice of rooms, and the one that is chosen."""
    page = client.get(reverse("exhibit:publish", args=[version.pk]), query).text
    select = page[page.index('<select name="room"') :].partition("</select>")[0]
    return select, "".join(re.findall(r'<option value="(\d*)" selected', select))


def test_rooms_of_other_collections_stand_behind_the_own_ones_under_their_institution(
    client: Client, museum: Museum
) -> None:
    elsewhere = factories.collection(institution_en="A & B Archive", institution_zh="")
    other = factories.room(elsewhere)
    Exhibit.objects.filter(pk=other.exhibit_id).update(slug="a-first-one")
    client.force_login(museum.people.sten)
    select, _chosen = offered(client, accepted(museum))
    own, _group, others = select.partition('<optgroup label="A &amp; B Archive">')
    assert f'value="{museum.room.pk}"' in own
    assert f'value="{other.pk}"' in others
    assert select.count("<optgroup") == 1
    client.force_login(museum.people.cora)
    publish(client, accepted(museum), museum, room=str(other.pk))
    assert not Placement.objects.filter(room=other).exists()


def test_who_comes_from_an_exhibit_finds_its_room_chosen(client: Client, museum: Museum) -> None:
    second = factories.room(museum.collection)
    version = accepted(museum)
    client.force_login(museum.people.sten)
    slug = second.exhibit.slug
    assert f'"{reverse("exhibit:publish", args=[version.pk])}?exhibit={slug}"' in (
        client.get(reverse("exhibit:edit", args=[slug])).text
    )
    assert "?exhibit=" not in client.get(reverse("exhibit:manage")).text
    assert offered(client, version, exhibit=slug)[1] == str(second.pk)
    for query in ({}, {"exhibit": "none"}, {"exhibit": "\0"}):
        assert offered(client, version, **query)[1] == ""


def test_a_photo_that_hangs_in_that_exhibit_keeps_its_room(client: Client, museum: Museum) -> None:
    first, second = museum.room, museum.room.exhibit.rooms.create(title_en="Closing", position=2)
    Placement.objects.filter(room=first).update(room=second)
    again, _review = factories.accepted(museum.photo, museum.people.vera, museum.people.cora)
    client.force_login(museum.people.sten)
    assert offered(client, again, exhibit=museum.exhibit.slug)[1] == str(second.pk)
    elsewhere = factories.room(museum.collection)
    assert offered(client, again, exhibit=elsewhere.exhibit.slug)[1] == str(elsewhere.pk)
    assert offered(client, again)[1] == str(second.pk)


def test_who_publishes_into_an_open_exhibit_is_led_to_what_visitors_see(
    client: Client, museum: Museum
) -> None:
    version = accepted(museum)
    client.force_login(museum.people.sten)
    page = publish(client, version, museum).text  # type: ignore[attr-defined]
    pinned = Publication.objects.get(version=version)
    assert f'<a href="{reverse("exhibit:permalink", args=[pinned.pk])}">See it</a>' in page


def test_who_publishes_into_a_closed_exhibit_is_told_that_nobody_sees_it_yet(
    client: Client, museum: Museum
) -> None:
    museum.exhibit.is_open = False
    museum.exhibit.save()
    version = accepted(museum)
    client.force_login(museum.people.sten)
    page = publish(client, version, museum).text  # type: ignore[attr-defined]
    pinned = Publication.objects.get(version=version)
    assert "The exhibit is not open yet, so no visitor sees it." in page
    assert reverse("exhibit:permalink", args=[pinned.pk]) not in page
    edit = reverse("exhibit:edit", args=[museum.exhibit.slug])
    assert f'<a href="{edit}#open">Open the exhibit</a>' in page
    assert '<form id="open"' in page


def test_a_picture_that_hangs_in_an_open_exhibit_too_is_seen_there(
    client: Client, museum: Museum
) -> None:
    again = factories.accepted(museum.photo, museum.people.vera, museum.people.cora)[0]
    closed = factories.room(museum.collection)
    Exhibit.objects.filter(pk=closed.exhibit_id).update(is_open=False)
    client.force_login(museum.people.sten)
    page = publish(client, again, museum, room=str(closed.pk)).text  # type: ignore[attr-defined]
    pinned = Publication.objects.get(version=again)
    assert f'<a href="{reverse("exhibit:permalink", args=[pinned.pk])}">See it</a>' in page


def test_while_a_file_is_in_doubt_the_page_says_so_and_takes_no_words(
    client: Client, museum: Museum
) -> None:
    version = accepted(museum)
    what = {"kind": Kept.ORIGINAL, "sha256": version.photo.sha256}
    check = FixityCheck.objects.create(**what, at=factories.NOW, outcome=Outcome.MISSING)
    Alarm.objects.create(photo=version.photo, raised_by=check, **what)
    client.force_login(museum.people.sten)
    page = client.get(reverse("exhibit:publish", args=[version.pk])).text
    assert "A file of this photo is missing or altered." in page
    assert reverse("archive:alarms") in page
    assert 'name="room"' not in page
    publish(client, version, museum)
    assert not Publication.objects.filter(version=version).exists()


def test_the_form_shows_the_pair_before_anything_is_public(client: Client, museum: Museum) -> None:
    version = accepted(museum)
    client.force_login(museum.people.sten)
    page = client.get(reverse("exhibit:publish", args=[version.pk])).text
    assert "data-compare" in page
    assert "accepted by Cora" in page
    assert not Publication.objects.filter(version=version).exists()


def test_a_photo_without_a_title_is_asked_for_one_and_told_what_visitors_read_else(
    client: Client, museum: Museum
) -> None:
    photo = factories.photo(museum.collection, title_en="", title_zh="", identifier="A-17")
    version = factories.accepted(photo, museum.people.vera, museum.people.cora)[0]
    client.force_login(museum.people.sten)
    page = client.get(reverse("exhibit:publish", args=[version.pk])).text
    assert "without one, visitors read “A-17”" in page
    publish(client, version, museum, title_en="The team in Tehran")
    photo.refresh_from_db()
    assert photo.title_en == "The team in Tehran"
    assert Event.objects.get(verb="photo.described", photo=photo).facts["was"] == {"title_en": ""}
    client.logout()
    page = client.get(f"/exhibits/{museum.exhibit.slug}/{photo.ref}/").text
    assert "The team in Tehran" in page


def test_a_photo_may_be_published_without_a_title(client: Client, museum: Museum) -> None:
    photo = factories.photo(museum.collection, title_en="", title_zh="")
    version = factories.accepted(photo, museum.people.vera, museum.people.cora)[0]
    client.force_login(museum.people.sten)
    publish(client, version, museum)
    assert Publication.objects.filter(version=version).exists()


def test_a_title_that_is_there_is_not_asked_for_again(client: Client, museum: Museum) -> None:
    version = accepted(museum)
    client.force_login(museum.people.sten)
    assert 'name="title_en"' not in client.get(reverse("exhibit:publish", args=[version.pk])).text
    publish(client, version, museum, title_en="Another")
    version.photo.refresh_from_db()
    assert version.photo.title_en != "Another"


def test_what_is_refused_leaves_the_photo_without_the_title(client: Client, museum: Museum) -> None:
    photo = factories.photo(museum.collection, title_en="", title_zh="")
    version = factories.accepted(photo, museum.people.vera, museum.people.sten)[0]
    client.force_login(museum.people.sten)
    publish(client, version, museum, title_en="The team in Tehran")
    photo.refresh_from_db()
    assert photo.title_en == ""


def test_what_the_check_said_stands_beside_the_pair(client: Client, museum: Museum) -> None:
    guard = {"verdict": "fail", "reasons": ["invented"], "changed_area": 4.2, "filled_area": 0.0}
    version = accepted(museum, meters={"guard": {**guard, "coloured_guess_area": 0.031}})
    client.force_login(museum.people.sten)
    page = client.get(reverse("exhibit:publish", args=[version.pk])).text
    assert "Against the scan, tones apart: 4.2 % changed, 0.0 % filled; changed too much" in page
    assert "Colour was added on 3.1 % of it." in page


def test_who_accepted_may_not_publish_where_two_people_are_asked_for(
    client: Client, museum: Museum
) -> None:
    version = accepted(museum)
    client.force_login(museum.people.cora)
    page = publish(client, version, museum).text  # type: ignore[attr-defined]
    assert "whoever accepted a version may not publish it" in page
    assert not Publication.objects.filter(version=version).exists()


def test_who_accepted_is_offered_no_button_where_a_second_person_publishes(
    client: Client, museum: Museum
) -> None:
    version = accepted(museum)
    url = reverse("exhibit:publish", args=[version.pk])
    client.force_login(museum.people.cora)
    assert 'name="room"' not in client.get(url).text
    page = client.get(reverse("exhibit:manage")).text
    assert "a second person publishes it" in page
    assert url not in page
    client.force_login(museum.people.sten)
    assert url in client.get(reverse("exhibit:manage")).text


def test_what_was_written_stays_when_publishing_is_refused(client: Client, museum: Museum) -> None:
    version = accepted(museum)
    Review.objects.filter(version=version).update(file_sha256="0" * 64)
    client.force_login(museum.people.sten)
    answer = publish(client, version, museum, caption_en="In the stadium")
    assert answer.status_code == 422  # type: ignore[attr-defined]
    page = answer.text  # type: ignore[attr-defined]
    assert "The decision is about another file than this version." in page
    assert "In the stadium" in page


def test_one_person_may_do_both_where_one_is_enough(client: Client, museum: Museum) -> None:
    museum.collection.two_person = False
    museum.collection.save()
    version = accepted(museum)
    client.force_login(museum.people.cora)
    publish(client, version, museum)
    assert Publication.objects.filter(version=version).exists()


@pytest.mark.parametrize("maker", [factories.version, factories.submitted])
def test_what_is_not_accepted_cannot_be_published(
    client: Client, museum: Museum, maker: object
) -> None:
    version = maker(factories.photo(museum.collection), museum.people.vera)  # type: ignore[operator]
    client.force_login(museum.people.sten)
    page = publish(client, version, museum).text  # type: ignore[attr-defined]
    assert "Only an accepted version can be published." in page
    assert not Publication.objects.filter(version=version).exists()


@pytest.mark.parametrize("state", [PhotoState.ON_HOLD, PhotoState.WITHDRAWN])
def test_a_photo_on_hold_or_withdrawn_is_not_published(
    client: Client, museum: Museum, state: str
) -> None:
    version = accepted(museum)
    Photo.objects.filter(pk=version.photo_id).update(state=state)
    client.force_login(museum.people.sten)
    page = publish(client, version, museum).text  # type: ignore[attr-defined]
    assert "This photo is on hold or withdrawn." in page
    assert not Publication.objects.filter(version=version).exists()


def test_a_decision_about_other_bytes_publishes_nothing(client: Client, museum: Museum) -> None:
    version = accepted(museum)
    Review.objects.filter(version=version).update(file_sha256="0" * 64)
    client.force_login(museum.people.sten)
    page = publish(client, version, museum).text  # type: ignore[attr-defined]
    assert "The decision is about another file than this version." in page
    assert not Publication.objects.filter(version=version).exists()


@pytest.mark.parametrize("kind", ["original", "working"])
def test_a_photo_with_a_missing_or_altered_file_waits_until_a_check_finds_it_right(
    client: Client, museum: Museum, kind: str
) -> None:
    photo = factories.photo(museum.collection, bytes_too=True)
    version, _review = factories.accepted(
        photo, museum.people.vera, museum.people.cora, image=factories.picture(3)
    )
    holding = Holding(kind, photo.sha256 if kind == "original" else version.sha256)
    with storage.open_key(key_of(holding)) as stream:
        good = stream.read()
    default_storage.delete(key_of(holding))
    check_holding(holding=holding, now=factories.NOW)
    client.force_login(museum.people.sten)
    page = publish(client, version, museum).text  # type: ignore[attr-defined]
    assert "A file of this photo is missing or altered." in page
    assert not Publication.objects.filter(version=version).exists()
    storage.put_bytes(key_of(holding), good)
    check_holding(holding=holding, now=factories.NOW)
    publish(client, version, museum)
    assert Publication.objects.filter(version=version).exists()


def test_volunteers_and_curators_of_other_collections_find_no_such_page(
    client: Client, museum: Museum
) -> None:
    version = accepted(museum)
    appoint(museum.people.clive, factories.collection())
    for person in (museum.people.vera, museum.people.clive):
        client.force_login(person)
        assert publish(client, version, museum).status_code == 404  # type: ignore[attr-defined]


def test_a_newer_version_takes_the_place_everywhere_and_the_old_address_says_so(
    client: Client, museum: Museum
) -> None:
    newer, _review = factories.accepted(museum.photo, museum.people.victor, museum.people.cora)
    client.force_login(museum.people.sten)
    publish(client, newer, museum, caption_en="Newer")
    client.logout()
    museum.publication.refresh_from_db()
    assert museum.publication.state == PublicationState.SUPERSEDED
    assert museum.placement.publication.version == newer
    assert Placement.objects.filter(photo=museum.photo).count() == 1
    page = client.get(f"/published/{museum.publication.pk}/").text
    assert "A newer restoration has taken its place" in page
    assert museum.url in page


def test_the_address_of_a_live_publication_leads_to_its_page(
    client: Client, museum: Museum
) -> None:
    assert client.get(f"/published/{museum.publication.pk}/")["Location"] == museum.url


def test_the_same_version_is_not_published_twice(client: Client, museum: Museum) -> None:
    client.force_login(museum.people.sten)
    page = publish(client, museum.version, museum).text  # type: ignore[attr-defined]
    assert "This version is already public." in page
    assert Publication.objects.filter(version=museum.version).count() == 1


def test_the_account_is_frozen_with_the_publication(client: Client, museum: Museum) -> None:
    museum.people.vera.display_name = "Somebody Else"
    museum.people.vera.save()
    page = client.get(museum.url).text
    assert "Restored by Vera" in page
    assert "Somebody Else" not in page


def test_accepted_versions_wait_on_the_curators_page_until_they_hang(
    client: Client, museum: Museum
) -> None:
    version = accepted(museum)
    client.force_login(museum.people.sten)
    url, link = reverse("exhibit:manage"), reverse("exhibit:publish", args=[version.pk])
    assert link in client.get(url).text
    publish(client, version, museum)
    assert link not in client.get(url).text


def test_a_second_picture_hangs_behind_the_first(museum: Museum) -> None:
    second = hang(museum)
    assert Placement.objects.get(photo=second.photo).position > museum.placement.position


def test_a_newer_version_in_another_room_of_the_exhibit_moves_the_photo_there(
    client: Client, museum: Museum
) -> None:
    last = hang(museum)
    other = museum.exhibit.rooms.create(title_en="Closing", position=2)
    Placement.objects.filter(photo=last.photo).update(room=other, position=7)
    hung = museum.placement
    newer, _review = factories.accepted(museum.photo, museum.people.victor, museum.people.cora)
    client.force_login(museum.people.sten)
    publish(client, newer, museum, room=str(other.pk), caption_en="Moved")
    moved = museum.placement
    assert (moved.pk, moved.room, moved.position) == (hung.pk, other, 8)
    assert moved.publication.version == newer
    assert moved.caption_en == "Moved"


def test_words_that_are_left_out_move_with_the_photo(museum: Museum) -> None:
    other = museum.exhibit.rooms.create(title_en="Closing", position=2)
    newer, _review = factories.accepted(museum.photo, museum.people.victor, museum.people.cora)
    publish_version(version=newer, room=other, words=Words(), by=museum.people.sten, now=LATER)
    moved = museum.placement
    assert (moved.room, moved.caption_en) == (other, "Shooting, pistol")
    assert moved.story_zh == "她训练了一年。"


def test_a_photo_that_hangs_in_two_rooms_stays_in_both(museum: Museum) -> None:
    other = museum.exhibit.rooms.create(title_en="Closing", position=2)
    Placement.objects.create(room=other, photo=museum.photo, publication=museum.publication)
    newer, _review = factories.accepted(museum.photo, museum.people.victor, museum.people.cora)
    publish_version(version=newer, room=other, words=Words(), by=museum.people.sten, now=LATER)
    hung = Placement.objects.filter(photo=museum.photo, publication__version=newer).in_order()
    assert [each.room for each in hung] == [museum.room, other]


def test_another_exhibit_shows_the_photo_besides(museum: Museum) -> None:
    elsewhere = factories.room(museum.collection)
    newer, _review = factories.accepted(museum.photo, museum.people.victor, museum.people.cora)
    publish_version(version=newer, room=elsewhere, words=Words(), by=museum.people.sten, now=LATER)
    hung = Placement.objects.filter(photo=museum.photo).in_order()
    assert {each.room for each in hung} == {museum.room, elsewhere}
