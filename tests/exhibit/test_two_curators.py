"""Two curators who write at once: the later one is shown what the earlier one wrote."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from exhibit.arranging import Headline, Words, add_room, edit_exhibit, edit_room, edit_words
from exhibit.models import Placement, Room
from restoration.models import Version
from tests import factories
from tests.exhibit.conftest import Museum

OVERTAKEN = "Other words than you saw stand here by now."


@pytest.fixture
def cora(client: Client, museum: Museum) -> Client:
    client.force_login(museum.people.cora)
    return client


def seen(page: str) -> str:
    """What a form's page says that it has seen; the last one, for a room may be added above it."""
    found = re.findall(r'name="seen" value="(\w*)"', page)
    assert found
    return str(found[-1])


def test_a_title_is_not_written_over_one_that_was_not_seen(cora: Client, museum: Museum) -> None:
    exhibit, sten = museum.exhibit, museum.people.sten
    url = reverse("exhibit:edit", args=[exhibit.slug])
    typed = {"title_en": "Tehran 1974", "title_zh": "", "intro_en": "", "intro_zh": "欢迎"}
    was = seen(cora.get(url).text)
    said = Headline(title_en="The <first> Games", title_zh="第一届", intro_en="", intro_zh="")
    edit_exhibit(exhibit=exhibit, headline=said, by=sten)
    late = cora.post(url, typed | {"seen": was})
    assert OVERTAKEN in late.text
    for told in ("It says now: The &lt;first&gt; Games", "It says now: 第一届", "It is empty now."):
        assert told in late.text
    assert 'value="Tehran 1974"' in late.text
    exhibit.refresh_from_db()
    assert exhibit.title_en == "The <first> Games"
    assert cora.post(url, typed | {"seen": seen(late.text)}).status_code == 302
    exhibit.refresh_from_db()
    assert (exhibit.title_en, exhibit.title_zh, exhibit.intro_zh) == ("Tehran 1974", "", "欢迎")


def test_a_rooms_words_neither(cora: Client, museum: Museum) -> None:
    room, sten = museum.room, museum.people.sten
    url = reverse("exhibit:room", args=[room.pk])
    was = seen(cora.get(url).text)
    edit_room(room=room, headline=Headline(intro_en="From the lake."), by=sten)
    typed = {"title_en": "The harbour", "intro_en": "", "seen": was}
    late = cora.post(url, typed)
    assert OVERTAKEN in late.text
    assert "It says now: From the lake." in late.text
    room.refresh_from_db()
    assert room.intro_en == "From the lake."
    assert cora.post(url, typed | {"seen": seen(late.text)}).status_code == 302
    room.refresh_from_db()
    assert (room.title_en, room.intro_en) == ("The harbour", "")


def test_a_caption_neither_and_a_picture_is_not_hung_back_where_it_was(
    cora: Client, museum: Museum
) -> None:
    hung, sten = museum.placement, museum.people.sten
    other = add_room(exhibit=museum.exhibit, headline=Headline(title_en="The lake"), by=sten)
    url = reverse("exhibit:words", args=[hung.pk])
    typed = {"room": hung.room_id, "caption_en": "Su Zhibo", "caption_zh": hung.caption_zh}
    was = seen(cora.get(url).text)
    edit_words(placement=hung, room=other, words=Words(), by=sten)
    late = cora.post(url, typed | {"seen": was})
    assert OVERTAKEN in late.text
    assert "It says now: " in late.text
    assert "The lake" in late.text.partition("It says now: ")[2][:200]
    assert Placement.objects.get(pk=hung.pk).room_id == other.pk
    anew = typed | {"room": other.pk, "seen": seen(late.text)}
    assert cora.post(url, anew).status_code == 302
    kept = Placement.objects.get(pk=hung.pk)
    assert (kept.room_id, kept.caption_en) == (other.pk, "Su Zhibo")


def test_the_same_words_from_two_hands_are_no_quarrel(cora: Client, museum: Museum) -> None:
    url = reverse("exhibit:room", args=[museum.room.pk])
    was, said = seen(cora.get(url).text), Headline("The harbour", "", "", "")
    edit_room(room=museum.room, headline=said, by=museum.people.sten)
    assert cora.post(url, {"title_en": "The harbour", "seen": was}).status_code == 302


def test_a_room_that_was_taken_away_meanwhile_is_told_of(cora: Client, museum: Museum) -> None:
    room = add_room(exhibit=museum.exhibit, headline=Headline("Lake"), by=museum.people.sten)
    url = reverse("exhibit:room", args=[room.pk])
    assert cora.get(url).status_code == 200
    Room.objects.filter(pk=room.pk).delete()
    assert cora.post(url, {"title_en": "The harbour"}).status_code == 404


def publishing(museum: Museum) -> tuple[str, Version]:
    version, _review = factories.accepted(museum.photo, museum.people.vera, museum.people.sten)
    return reverse("exhibit:publish", args=[version.pk]), version


def test_who_publishes_anew_does_not_write_over_a_caption_that_was_not_seen(
    cora: Client, museum: Museum
) -> None:
    url, version = publishing(museum)
    was = seen(cora.get(url).text)
    words = Words(caption_en="Corrected: Su Zhibo", caption_zh="")
    edit_words(placement=museum.placement, room=None, words=words, by=museum.people.sten)
    typed: dict[str, Any] = {"room": museum.room.pk, "caption_en": "The marksman"}
    late = cora.post(url, typed | {"seen": was})
    assert OVERTAKEN in late.text
    assert "It says now: Corrected: Su Zhibo" in late.text
    assert 'value="The marksman"' in late.text
    kept = museum.placement
    assert (kept.caption_en, kept.publication) == ("Corrected: Su Zhibo", museum.publication)
    assert cora.post(url, typed | {"seen": seen(late.text)}).status_code == 302
    kept = museum.placement
    assert (kept.caption_en, kept.publication.version) == ("The marksman", version)


def test_a_photo_that_was_hung_with_words_since_the_page_was_opened_keeps_them(
    cora: Client, museum: Museum
) -> None:
    Placement.objects.all().delete()
    url, _version = publishing(museum)
    was = seen(cora.get(url).text)
    Placement.objects.create(
        room=museum.room,
        photo=museum.photo,
        publication=museum.publication,
        caption_en="Written meanwhile",
    )
    late = cora.post(url, {"room": museum.room.pk, "caption_en": "Mine", "seen": was})
    assert "It says now: Written meanwhile" in late.text
    assert museum.placement.caption_en == "Written meanwhile"
