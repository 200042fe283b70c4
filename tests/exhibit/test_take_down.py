"""Retract, suspend, resume: what goes, what stays as a notice, what comes back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from archive import storage
from archive.lifecycle import Kept, PhotoState
from archive.policy import Refused
from exhibit.actions import publish_version, retract_publication, suspend_publication
from exhibit.arranging import Words, close_exhibit, open_exhibit
from exhibit.models import Publication
from restoration.fixity import check_holding
from restoration.holdings import Holding
from restoration.lifecycle import PublicationState
from tests import factories
from tests.exhibit.conftest import LATER, Museum


def retract(client: Client, museum: Museum, reason: str) -> object:
    url = reverse("exhibit:retract", args=[museum.publication.pk])
    return client.post(url, {"reason": reason})


def pictures(museum: Museum) -> list[str]:
    start = f"/published/{museum.publication.pk}"
    return [
        f"{start}/original/400.jpg",
        f"{start}/restored/1600.jpg",
        f"{start}/download/full.jpg",
    ]


def test_a_retracted_picture_leaves_a_tombstone_with_date_and_reason(
    client: Client, museum: Museum
) -> None:
    client.force_login(museum.people.cora)
    retract(client, museum, "The family asked for it.")
    client.logout()
    response = client.get(museum.url)
    assert response.status_code == 410
    assert "The family asked for it." in response.text
    assert str(timezone.now().year) in response.text
    for words in ("The first gold medal", "Su Zhibo", "/published/"):
        assert words not in response.text
    assert {client.get(url).status_code for url in pictures(museum)} == {410}
    assert client.get(f"/published/{museum.publication.pk}/").status_code == 410
    assert client.get(f"{museum.url}zoom/").status_code == 404
    assert museum.photo.ref not in client.get(f"/exhibits/{museum.exhibit.slug}/").text


def test_of_what_was_never_public_nobody_outside_reads_why_it_went(
    client: Client, museum: Museum
) -> None:
    address = f"/published/{museum.publication.pk}/"
    close_exhibit(exhibit=museum.exhibit, by=museum.people.cora, now=LATER)
    assert client.get(address).status_code == 404
    retract_publication(
        publication=museum.publication, by=museum.people.cora, reason="A widow asked.", now=LATER
    )
    assert client.get(address).status_code == 404
    open_exhibit(exhibit=museum.exhibit, by=museum.people.cora, now=LATER)
    assert client.get(address).status_code == 410


def test_the_answers_name_their_picture(client: Client, museum: Museum) -> None:
    client.force_login(museum.people.cora)
    pk = museum.publication.pk

    def told(verb: str, reason: str = "") -> str:
        url = reverse(f"exhibit:{verb}", args=[pk])
        return client.post(url, {"reason": reason}, follow=True).text

    name = "“The first gold medal”"
    assert f"{name} is hidden from the public until you show it again." in told("suspend")
    assert f"{name} is public again." in told("resume")
    told("suspend")
    close_exhibit(exhibit=museum.exhibit, by=museum.people.cora, now=LATER)
    shown = told("resume")
    assert f"{name} is not hidden any more." in shown
    assert "is public again" not in shown
    said = told("retract", "The family asked for it.")
    assert f"{name} is taken down. Its page says when and why." in said


def test_the_reason_of_a_tombstone_is_not_read_in_the_language_of_the_page(
    client: Client, museum: Museum
) -> None:
    retract_publication(
        publication=museum.publication, by=museum.people.cora, reason="家人要求。", now=LATER
    )
    assert '<p class="prose" lang="">家人要求。</p>' in client.get(museum.url).text


def test_an_exhibit_that_had_pictures_is_not_said_to_wait_for_its_first(
    client: Client, museum: Museum
) -> None:
    url = f"/exhibits/{museum.exhibit.slug}/"
    assert "No picture hangs here" not in client.get(url).text
    suspend_publication(
        publication=museum.publication, by=museum.people.cora, reason="A report", now=LATER
    )
    page = client.get(url).text
    assert "No picture hangs here at the moment" in page
    assert '<a href="/exhibits/">Come back later, or see the other exhibits.</a>' in page
    assert "The walls are still bare" not in page
    empty = factories.room(museum.collection).exhibit
    page = client.get(f"/exhibits/{empty.slug}/").text
    assert "The walls are still bare" in page
    assert "No picture hangs here" not in page


def test_the_form_says_who_still_sees_the_scan_and_leads_to_where_that_is_changed(
    client: Client, museum: Museum
) -> None:
    client.force_login(museum.people.cora)
    address = reverse("exhibit:retract", args=[museum.publication.pk])
    page = reverse("archive:describe", args=[museum.photo.ref])
    told = client.get(address).text
    assert "The picture disappears for visitors." in told
    assert "Volunteers still see the scan and can work on it." in told
    assert f'<a href="{page}">on its page</a>' in told
    assert client.get(page).status_code == 200
    client.post(reverse("archive:hold", args=[museum.photo.ref]), {"reason": "The family asked."})
    told = client.get(address).text
    assert "The picture disappears for visitors." in told
    assert "Volunteers" not in told


def test_of_a_collection_that_is_closed_to_volunteers_it_does_not_say_that_they_see_it(
    client: Client, museum: Museum
) -> None:
    museum.collection.is_open = False
    museum.collection.save()
    client.force_login(museum.people.cora)
    told = client.get(reverse("exhibit:retract", args=[museum.publication.pk])).text
    assert "Volunteers still see" not in told


def test_what_is_taken_down_or_hidden_is_still_seen_by_volunteers_until_it_is_on_hold(
    client: Client, museum: Museum
) -> None:
    """What the words beside the two buttons promise."""
    scan = reverse("archive:picture", args=[museum.photo.ref, "1600.jpg"])
    volunteer = Client()
    volunteer.force_login(museum.people.victor)
    client.force_login(museum.people.cora)
    client.post(reverse("exhibit:suspend", args=[museum.publication.pk]))
    assert volunteer.get(scan).status_code == 200
    retract(client, museum, "The family asked for it.")
    assert volunteer.get(scan).status_code == 200
    client.post(reverse("archive:hold", args=[museum.photo.ref]), {"reason": "The family asked."})
    assert volunteer.get(scan).status_code == 404


def test_no_reason_no_retraction(client: Client, museum: Museum) -> None:
    client.force_login(museum.people.cora)
    assert retract(client, museum, "  ").status_code == 422  # type: ignore[attr-defined]
    museum.publication.refresh_from_db()
    assert museum.publication.state == PublicationState.LIVE
    with pytest.raises(Refused):
        retract_publication(
            publication=museum.publication, by=museum.people.cora, reason=" ", now=LATER
        )
    with pytest.raises(IntegrityError), transaction.atomic():
        Publication.objects.filter(pk=museum.publication.pk).update(state="retracted", reason="")


def test_after_a_retraction_another_version_can_be_published_on_purpose(
    client: Client, museum: Museum
) -> None:
    client.force_login(museum.people.cora)
    retract(client, museum, "A wrong colour.")
    newer, _review = factories.accepted(museum.photo, museum.people.victor, museum.people.cora)
    publish_version(
        version=newer,
        room=museum.room,
        words=Words(),
        by=museum.people.sten,
        now=LATER + timedelta(hours=1),
        although_retracted=True,
    )
    client.logout()
    assert client.get(museum.url).status_code == 200


def test_a_suspended_picture_is_hidden_until_it_is_shown_again(
    client: Client, museum: Museum
) -> None:
    stranger = Client()
    client.force_login(museum.people.cora)
    client.post(reverse("exhibit:suspend", args=[museum.publication.pk]), {"reason": "A report"})
    assert {stranger.get(url).status_code for url in [museum.url, *pictures(museum)]} == {404}
    assert museum.photo.ref not in stranger.get("/").text
    assert stranger.get(f"/published/{museum.publication.pk}/").status_code == 404
    client.post(reverse("exhibit:resume", args=[museum.publication.pk]))
    assert {stranger.get(url).status_code for url in [museum.url, *pictures(museum)]} == {200}


def test_hiding_what_is_hidden_says_what_came_of_it(client: Client, museum: Museum) -> None:
    suspend_publication(
        publication=museum.publication, by=museum.people.sten, reason="A report", now=LATER
    )
    client.force_login(museum.people.cora)
    url = reverse("exhibit:suspend", args=[museum.publication.pk])
    for told in ("is hidden from the public until you show it again.", "nothing has changed."):
        answer = client.post(url, {"reason": "A widow asked"}, follow=True)
        assert answer.status_code == 200
        [message] = answer.context["messages"]
        assert told in str(message)
        assert '<p class="small dim">A widow asked</p>' in answer.text


def test_a_suspended_picture_stays_hidden_while_a_file_of_it_is_missing_or_altered(
    client: Client, museum: Museum
) -> None:
    suspend_publication(
        publication=museum.publication, by=museum.people.cora, reason="A report", now=LATER
    )
    sha256 = museum.version.sha256
    kept, holding = storage.working_key(sha256), Holding(Kept.WORKING, sha256)
    with storage.open_key(kept) as stream:
        right = stream.read()
    default_storage.delete(kept)
    check_holding(holding=holding, now=LATER)
    client.force_login(museum.people.cora)
    url = reverse("exhibit:resume", args=[museum.publication.pk])
    assert "missing or altered" in client.post(url, follow=True).text
    museum.publication.refresh_from_db()
    assert museum.publication.state == PublicationState.SUSPENDED
    storage.put_bytes(kept, right)
    check_holding(holding=holding, now=LATER + timedelta(minutes=1))
    client.post(url)
    museum.publication.refresh_from_db()
    assert museum.publication.state == PublicationState.LIVE


def test_a_photo_on_hold_is_hidden_and_a_withdrawn_one_gone(client: Client, museum: Museum) -> None:
    museum.photo.move(PhotoState.ON_HOLD, by=None, at=LATER)
    assert {client.get(url).status_code for url in [museum.url, *pictures(museum)]} == {404}
    museum.photo.move(PhotoState.WITHDRAWN, by=None, at=LATER)
    response = client.get(museum.url)
    assert response.status_code == 410
    assert "withdrawn by the institution" in response.text


def test_only_curators_of_the_collection_take_down(client: Client, museum: Museum) -> None:
    for name in ("retract", "suspend", "resume"):
        url = reverse(f"exhibit:{name}", args=[museum.publication.pk])
        assert Client().post(url).status_code == 401
        for person in (museum.people.vera, museum.people.clive):
            client.force_login(person)
            assert client.post(url, {"reason": "No"}).status_code == 404
    museum.publication.refresh_from_db()
    assert museum.publication.state == PublicationState.LIVE
