"""A photo is published again: its words stay, and what was hidden or taken down is not undone."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from archive.policy import Refused
from exhibit import policy
from exhibit.actions import publish_version, retract_publication, suspend_publication
from exhibit.arranging import Words, edit_words
from exhibit.models import Placement, Publication
from restoration.lifecycle import PublicationState
from restoration.models import Version
from tests import factories
from tests.exhibit.conftest import LATER, Museum

NEXT = LATER + timedelta(hours=1)
TICK = "I know that it was taken down, and publish it again"


def newer(museum: Museum) -> Version:
    """Another accepted version of the photo that hangs."""
    return factories.accepted(museum.photo, museum.people.victor, museum.people.cora)[0]


def again(museum: Museum, version: Version, **told: Any) -> Publication:
    told = {"words": Words(), "room": museum.room, "now": NEXT} | told
    return publish_version(version=version, by=museum.people.sten, **told)


def suspend(museum: Museum, reason: str = "A family asked.") -> None:
    suspend_publication(
        publication=museum.publication, by=museum.people.cora, reason=reason, now=LATER
    )


def retract(museum: Museum, publication: Publication | None = None) -> None:
    retract_publication(
        publication=publication or museum.publication,
        by=museum.people.cora,
        reason="The widow asked.",
        now=LATER,
    )


def post(client: Client, museum: Museum, version: Version, **form: str) -> Any:
    client.force_login(museum.people.sten)
    url = reverse("exhibit:publish", args=[version.pk])
    return client.post(url, {"room": str(museum.room.pk), **form})


def page_of(client: Client, museum: Museum, version: Version) -> str:
    client.force_login(museum.people.sten)
    return client.get(reverse("exhibit:publish", args=[version.pk])).text


# --- words ---------------------------------------------------------------------------------------
def test_words_that_are_left_out_stay_as_they_hang(museum: Museum) -> None:
    again(museum, newer(museum), words=Words(caption_en="Shooting"))
    hangs = museum.placement
    assert (hangs.caption_en, hangs.story_zh) == ("Shooting", "她训练了一年。")
    assert hangs.story_en.startswith("She had trained")


def test_empty_words_take_away_what_stood_there(museum: Museum) -> None:
    again(museum, newer(museum), words=Words(story_zh=""))
    assert (museum.placement.caption_en, museum.placement.story_zh) == ("Shooting, pistol", "")


def test_words_that_are_left_out_in_another_room_are_empty_there(museum: Museum) -> None:
    other = factories.room(museum.collection)
    again(museum, newer(museum), room=other, words=Words(caption_zh="射击"))
    hangs = Placement.objects.get(room=other)
    assert (hangs.caption_en, hangs.caption_zh) == ("", "射击")
    assert Placement.objects.get(room=museum.room).caption_en == "Shooting, pistol"


def test_words_that_are_left_out_stay_when_a_placement_is_edited(museum: Museum) -> None:
    words = Words(caption_zh="射击")
    edit_words(placement=museum.placement, room=museum.room, words=words, by=museum.people.cora)
    assert museum.placement.caption_en == "Shooting, pistol"
    assert museum.placement.caption_zh == "射击"


# --- hidden --------------------------------------------------------------------------------------
@pytest.mark.parametrize("which", ["the same", "another"])
def test_a_hidden_picture_is_not_shown_by_publishing(museum: Museum, which: str) -> None:
    suspend(museum)
    version = museum.version if which == "the same" else newer(museum)
    for although in (False, True):
        with pytest.raises(Refused) as refused:
            again(museum, version, although_retracted=although)
    assert (refused.value.code, refused.value.conflict) == ("suspended", True)
    assert refused.value.facts["reason"] == "A family asked."
    museum.publication.refresh_from_db()
    assert museum.publication.state == PublicationState.SUSPENDED
    assert Publication.objects.count() == 1


def test_the_page_says_that_the_picture_is_hidden_before_there_is_a_button(
    client: Client, museum: Museum
) -> None:
    suspend(museum)
    version = newer(museum)
    page = page_of(client, museum, version)
    assert "of this photo has been hidden since" in page
    assert '<p lang="">A family asked.</p>' in page
    assert 'name="room"' not in page
    assert "which is public now" not in page
    assert reverse("exhibit:resume", args=[museum.publication.pk]) in page
    assert reverse("exhibit:retract", args=[museum.publication.pk]) in page
    answer = post(client, museum, version)
    assert answer.status_code == 422
    assert Publication.objects.count() == 1


def test_once_it_is_shown_again_a_newer_version_takes_its_place(
    client: Client, museum: Museum
) -> None:
    suspend(museum)
    version = newer(museum)
    client.force_login(museum.people.cora)
    client.post(reverse("exhibit:resume", args=[museum.publication.pk]))
    assert post(client, museum, version).status_code == 302
    assert Publication.objects.get(state=PublicationState.LIVE).version == version


def test_a_picture_that_is_hidden_in_the_same_moment_stays_hidden(
    museum: Museum, monkeypatch: pytest.MonkeyPatch
) -> None:
    check, version = policy.check_again, newer(museum)

    def hidden_meanwhile(*told: Any, **more: Any) -> None:
        check(*told, **more)
        suspend(museum)

    monkeypatch.setattr(policy, "check_again", hidden_meanwhile)
    with pytest.raises(Refused) as refused:
        again(museum, version)
    assert refused.value.code == "published-meanwhile"
    assert not Publication.objects.filter(version=version).exists()


# --- taken down ----------------------------------------------------------------------------------
@pytest.mark.parametrize("which", ["the same", "another"])
def test_what_was_taken_down_is_published_again_on_purpose_alone(
    museum: Museum, which: str
) -> None:
    retract(museum)
    version = museum.version if which == "the same" else newer(museum)
    with pytest.raises(Refused) as refused:
        again(museum, version)
    assert (refused.value.code, refused.value.conflict) == ("was-retracted", True)
    assert "The widow asked." in str(refused.value.message)
    assert datetime.fromisoformat(refused.value.facts["ended_at"]) == LATER
    assert again(museum, version, although_retracted=True).state == PublicationState.LIVE


def test_once_it_was_published_again_nobody_is_asked_any_more(museum: Museum) -> None:
    retract(museum)
    again(museum, newer(museum), although_retracted=True)
    later = NEXT + timedelta(hours=1)
    assert again(museum, newer(museum), now=later).state == PublicationState.LIVE


def test_the_form_says_when_and_why_it_was_taken_down_and_wants_a_tick(
    client: Client, museum: Museum
) -> None:
    version = newer(museum)
    assert TICK not in page_of(client, museum, version)
    retract(museum)
    page = page_of(client, museum, version)
    assert "of this photo was taken down on" in page
    assert '<p lang="">The widow asked.</p>' in page
    assert TICK in page
    refused = post(client, museum, version, caption_en="Kept")
    assert refused.status_code == 422
    assert "Tick this if it is to be public again." in refused.text
    assert "Kept" in refused.text
    assert Publication.objects.count() == 1
    assert post(client, museum, version, although_retracted="on").status_code == 302
    assert Publication.objects.get(state=PublicationState.LIVE).version == version
