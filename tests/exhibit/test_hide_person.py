"""One button hides everything by an account, and another brings exactly that back."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from archive.models import Event
from archive.policy import Refused
from archive.trust import Trust
from exhibit import hiding
from exhibit.actions import resume_publication, suspend_publication
from exhibit.models import Hiding, Publication
from restoration.actions.claims import claim_photo
from restoration.actions.jobs import request_job
from restoration.actions.standing import limit_person
from restoration.actions.versions import scan_version, submit_version
from restoration.engine.plan import Plan
from restoration.lifecycle import ClaimState, JobState, PublicationState, VersionState
from restoration.models import Claim, Job, Version
from restoration.purses import Entry, EntryKind
from tests import factories

from .conftest import Museum, hang

PLAN = Plan.from_json({"steps": [{"name": "tone"}]})


def busy(museum: Museum) -> None:
    """Vera holds a photo with a run on it, and has a version in review."""
    vera, now = museum.people.vera, timezone.now()
    photo = factories.photo(museum.collection)
    claim = claim_photo(photo=photo, by=vera, now=now)
    scan = scan_version(photo=photo, now=now)
    request_job(source=scan, by=vera, fence=claim.pk, plan=PLAN, now=now)
    factories.submitted(factories.photo(museum.collection), vera)


def steward(museum: Museum) -> Client:
    client = Client()
    client.force_login(museum.people.sten)
    return client


def hidden(museum: Museum, **more: Any) -> Hiding:
    told = {"person": museum.people.vera, "by": museum.people.sten, "reason": "Spam."}
    return hiding.hide_everything(**(told | {"now": timezone.now()} | more))


def states(museum: Museum) -> tuple[str, ...]:
    museum.people.vera.refresh_from_db()
    museum.publication.refresh_from_db()
    vera = museum.people.vera
    return (
        Claim.objects.filter(volunteer=vera).latest("pk").state,
        Job.objects.filter(requested_by=vera).latest("pk").state,
        Version.objects.filter(made_by=vera).latest("pk").state,
        museum.publication.state,
        vera.trust,
    )


BEFORE = (
    ClaimState.OPEN,
    JobState.QUEUED,
    VersionState.SUBMITTED,
    PublicationState.LIVE,
    Trust.REGULAR,
)


def test_a_look_before_changes_nothing(museum: Museum) -> None:
    busy(museum)
    page = steward(museum).get(reverse("exhibit:hide", args=[museum.people.vera.pk]))
    found = page.context["found"]
    assert [len(vars(found)[name]) for name in vars(found)] == [1, 1, 1, 1]
    assert states(museum) == BEFORE


def test_the_button_hides_it_all_and_the_other_brings_exactly_that_back(museum: Museum) -> None:
    busy(museum)
    client, vera = steward(museum), museum.people.vera
    client.post(reverse("exhibit:hide", args=[vera.pk]), {"reason": "Spam in the prompts."})
    assert states(museum) == (
        ClaimState.REVOKED,
        JobState.CANCELLED,
        VersionState.WITHDRAWN,
        PublicationState.SUSPENDED,
        Trust.SUSPENDED,
    )
    assert Client().get(museum.url).status_code == 404
    assert not Entry.objects.filter(kind=EntryKind.RESERVE, closed_by=None).exists()
    page = client.get(reverse("exhibit:hide", args=[vera.pk]))
    assert "Spam in the prompts." in page.text
    client.post(reverse("exhibit:unhide", args=[vera.pk]))
    assert states(museum) == BEFORE
    assert "1974" in Client().get(museum.url).text
    verbs = set(Event.objects.values_list("verb", flat=True))
    assert {"person.hidden", "person.shown", "trust.suspended", "trust.regular"} <= verbs


def test_what_was_hidden_or_withdrawn_before_is_not_brought_back(museum: Museum) -> None:
    other = hang(museum)
    other.move(PublicationState.SUSPENDED, by=museum.people.cora, at=timezone.now())
    taken_back = factories.submitted(factories.photo(museum.collection), museum.people.vera)
    taken_back.move(VersionState.WITHDRAWN, by=museum.people.vera, at=timezone.now())
    hidden(museum)
    hiding.undo_hiding(person=museum.people.vera, by=museum.people.sten, now=timezone.now())
    other.refresh_from_db()
    taken_back.refresh_from_db()
    assert other.state == PublicationState.SUSPENDED
    assert taken_back.state == VersionState.WITHDRAWN


def test_a_picture_built_on_their_work_by_somebody_else_is_hidden_too(museum: Museum) -> None:
    photo = factories.photo(museum.collection)
    base = factories.version(photo, museum.people.vera)
    child, _review = factories.accepted(
        photo, museum.people.victor, museum.people.cora, parent=base
    )
    shown = hang_version(museum, child)
    hidden(museum)
    shown.refresh_from_db()
    assert shown.state == PublicationState.SUSPENDED
    assert shown.words_hidden_at is not None


@pytest.mark.parametrize("first", ["vera", "victor"])
def test_a_picture_of_two_who_are_hidden_comes_back_with_the_second(
    museum: Museum, first: str
) -> None:
    vera, victor = museum.people.vera, museum.people.victor
    photo = factories.photo(museum.collection)
    base = factories.version(photo, vera)
    child, _review = factories.accepted(photo, victor, museum.people.cora, parent=base)
    shown = hang_version(museum, child)
    for person in (vera, victor):
        hidden(museum, person=person)
    sten, now = museum.people.sten, timezone.now()
    order = [vera, victor] if first == "vera" else [victor, vera]
    hiding.undo_hiding(person=order[0], by=sten, now=now)
    shown.refresh_from_db()
    assert shown.state == PublicationState.SUSPENDED
    assert shown.words_hidden_at is not None
    hiding.undo_hiding(person=order[1], by=sten, now=now)
    shown.refresh_from_db()
    assert (shown.state, shown.words_hidden_at) == (PublicationState.LIVE, None)


def hang_version(museum: Museum, version: Version) -> Any:
    from exhibit.actions import publish_version
    from exhibit.arranging import Words

    return publish_version(
        version=version,
        room=museum.room,
        words=Words(),
        by=museum.people.sten,
        now=timezone.now(),
    )


def test_a_picture_that_a_curator_shows_again_has_no_words_of_the_account(museum: Museum) -> None:
    before = Client().get(museum.url).text
    assert "Vera" in before
    assert "the museum has it" in before
    hidden(museum)
    client = steward(museum)
    client.post(reverse("exhibit:resume", args=[museum.publication.pk]))
    page = Client().get(museum.url).text
    assert "Vera" not in page
    assert "the museum has it" not in page
    assert "a volunteer" in page
    manifest = f"/published/{museum.publication.pk}/manifest.json"
    for address in (f"{museum.url}made.json", manifest):
        told = Client().get(address).content.decode()
        assert "Vera" not in told
        assert "the museum has it" not in told
    assert "a volunteer" in Client().get(manifest).content.decode()


def test_nor_has_what_the_machine_noted_of_their_words(museum: Museum) -> None:
    photo = factories.photo(museum.collection, bytes_too=True)
    by_words = {
        "step": "redraw",
        "backend": "generative",
        "settings": {"strength": 0.3},
        "prompt": "a sharp old photograph, call 555 Vera",
        "prompt_fields": {"who": "call 555 Vera"},
        "prompt_left_out": ["keep"],
        "negative_prompt": "plastic skin",
        "seed": 5,
    }
    version, _review = factories.accepted(
        photo, museum.people.vera, museum.people.cora, records=[by_words]
    )
    shown = hang_version(museum, version)
    addresses = (
        f"/exhibits/{museum.exhibit.slug}/{photo.ref}/",
        f"/exhibits/{museum.exhibit.slug}/{photo.ref}/made.json",
        f"/published/{shown.pk}/manifest.json",
        f"/api/v1/exhibits/{museum.exhibit.slug}",
    )
    assert "call 555" in Client().get(addresses[1]).text
    hidden(museum)
    steward(museum).post(reverse("exhibit:resume", args=[shown.pk]))
    for address in addresses:
        answer = Client().get(address)
        assert answer.status_code == 200, address
        assert "call 555" not in answer.content.decode(), address
    [record] = Client().get(addresses[1]).json()["versions"][0]["records"]
    assert "prompt_left_out" not in record
    assert (record["negative_prompt"], record["seed"]) == ("plastic skin", 5)


@pytest.mark.parametrize("first", ["curator", "steward"])
def test_a_picture_that_a_curator_hid_and_shows_again_has_no_words_of_the_account(
    museum: Museum, first: str
) -> None:
    sten, cora, now = museum.people.sten, museum.people.cora, timezone.now()
    told = {"publication": museum.publication, "by": cora, "now": now}
    if first == "curator":
        suspend_publication(reason="A doubt", **told)
    hidden(museum)
    if first == "steward":
        suspend_publication(reason="A doubt", **told)
    museum.publication.refresh_from_db()
    assert museum.publication.state == PublicationState.SUSPENDED
    resume_publication(**told)
    for address in (museum.url, f"{museum.url}made.json"):
        assert not_told(museum, Client().get(address))
    hiding.undo_hiding(person=museum.people.vera, by=sten, now=now)
    assert "Vera" in Client().get(museum.url).text


def test_undoing_brings_words_back_and_not_the_picture_that_a_curator_hid(museum: Museum) -> None:
    cora, sten, now = museum.people.cora, museum.people.sten, timezone.now()
    suspend_publication(publication=museum.publication, by=cora, reason="A doubt", now=now)
    hidden(museum)
    came = hiding.undo_hiding(person=museum.people.vera, by=sten, now=now)
    assert came == {"back": 1, "words": 1}
    museum.publication.refresh_from_db()
    was = museum.publication
    assert (was.state, was.reason, was.words_hidden_at) == ("suspended", "A doubt", None)


@pytest.mark.parametrize("maker", ["vera", "victor"])
def test_what_is_published_of_a_hidden_account_has_no_words_of_it_until_that_is_undone(
    museum: Museum, maker: str
) -> None:
    """Their own version, and one that somebody else built on theirs."""
    vera, cora = museum.people.vera, museum.people.cora
    photo = factories.photo(museum.collection)
    base = factories.version(photo, vera)
    version, _review = factories.accepted(photo, getattr(museum.people, maker), cora, parent=base)
    hidden(museum)
    shown = hang_version(museum, version)
    page = f"/exhibits/{museum.exhibit.slug}/{photo.ref}/"
    for address in (page, f"{page}made.json"):
        assert "Vera" not in Client().get(address).text
    assert "a volunteer" in Client().get(page).text
    hiding.undo_hiding(person=vera, by=museum.people.sten, now=timezone.now())
    shown.refresh_from_db()
    assert (shown.state, shown.words_hidden_at) == (PublicationState.LIVE, None)
    assert "Vera" in Client().get(page).text


@pytest.mark.parametrize("first", ["vera", "victor"])
def test_what_is_published_of_two_hidden_accounts_has_its_words_with_the_second(
    museum: Museum, first: str
) -> None:
    vera, victor, sten = museum.people.vera, museum.people.victor, museum.people.sten
    photo = factories.photo(museum.collection)
    base = factories.version(photo, vera)
    child, _review = factories.accepted(photo, victor, museum.people.cora, parent=base)
    for person in (vera, victor):
        hidden(museum, person=person)
    shown = hang_version(museum, child)
    order = [vera, victor] if first == "vera" else [victor, vera]
    for person, is_told in zip(order, (False, True), strict=True):
        hiding.undo_hiding(person=person, by=sten, now=timezone.now())
        shown.refresh_from_db()
        assert shown.state == PublicationState.LIVE
        assert (shown.words_hidden_at is None) == is_told


@pytest.mark.parametrize("first", ["vera", "victor"])
def test_a_picture_shown_between_two_hidings_comes_back_with_the_last_undo(
    museum: Museum, first: str
) -> None:
    """Victor's hiding finds it hidden by a curator, who shows it again before Vera's hides it."""
    people, now = museum.people, timezone.now()
    photo = factories.photo(museum.collection)
    base = factories.version(photo, people.vera)
    child, _review = factories.accepted(photo, people.victor, people.cora, parent=base)
    told = {"publication": hang_version(museum, child), "by": people.cora, "now": now}
    suspend_publication(reason="A doubt", **told)
    hidden(museum, person=people.victor)
    resume_publication(**told)
    hidden(museum, person=people.vera)
    order = [people.vera, people.victor] if first == "vera" else [people.victor, people.vera]
    hiding.undo_hiding(person=order[0], by=people.sten, now=now)
    shown = Publication.objects.get(photo=photo)
    assert (shown.state, shown.words_hidden_at is None) == (PublicationState.SUSPENDED, False)
    hiding.undo_hiding(person=order[1], by=people.sten, now=now)
    shown.refresh_from_db()
    assert (shown.state, shown.words_hidden_at) == (PublicationState.LIVE, None)


def not_told(museum: Museum, answer: Any) -> bool:
    """Whether the page is there, and says neither name nor words."""
    told = answer.content.decode()
    is_there = answer.status_code == 200 and museum.photo.sha256 in told
    return is_there and "Vera" not in told and "the museum has it" not in told


def test_who_is_suspended_still_sees_their_work_and_can_write_to_somebody(
    museum: Museum, settings: Any
) -> None:
    settings.CONTACT_MAIL = "help@museum.example"
    hidden(museum)
    client = Client()
    client.force_login(museum.people.vera)
    assert "Your account is suspended." in client.get(reverse("people:work")).text
    assert "help@museum.example" in client.get(reverse("people:standing")).text
    number = museum.version.number
    url = reverse("restoration:working", args=[museum.photo.ref, number, "tif"])
    assert client.get(url).status_code == 200
    claim = reverse("api:photo-claim", args=[museum.photo.ref])
    answer = client.post(claim)
    assert (answer.status_code, answer.json()["code"]) == (403, "suspended")
    assert "help@museum.example" in answer.json()["detail"]


def test_it_goes_on_where_it_was_cut_off(museum: Museum, monkeypatch: pytest.MonkeyPatch) -> None:
    busy(museum)

    def dies(*_: Any) -> None:
        raise ConnectionError

    with monkeypatch.context() as patch:
        patch.setitem(hiding.HIDE, hiding.HiddenKind.VERSION, dies)
        with pytest.raises(ConnectionError):
            hidden(museum)
    assert Hiding.objects.get().done_at is None
    done = hidden(museum)
    assert done.done_at is not None
    assert done.things.count() == 5
    assert Hiding.objects.count() == 1
    assert states(museum)[2:4] == (VersionState.WITHDRAWN, PublicationState.SUSPENDED)


def test_a_photo_that_somebody_else_took_meanwhile_stays_theirs(museum: Museum) -> None:
    busy(museum)
    hidden(museum)
    photo = Claim.objects.get(volunteer=museum.people.vera).photo
    claim_photo(photo=photo, by=museum.people.victor, now=timezone.now())
    came = hiding.undo_hiding(person=museum.people.vera, by=museum.people.sten, now=timezone.now())
    assert came == {"back": 3, "moved-on": 2}


def test_who_was_slowed_down_before_is_slowed_down_after(museum: Museum) -> None:
    vera = museum.people.vera
    limit_person(person=vera, by=museum.people.sten, reason="Too fast.", now=timezone.now())
    hidden(museum)
    hiding.undo_hiding(person=vera, by=museum.people.sten, now=timezone.now())
    vera.refresh_from_db()
    assert (vera.trust, vera.trust_before) == (Trust.LIMITED, Trust.REGULAR)


def test_nobody_but_a_steward_hides_anything(museum: Museum) -> None:
    with pytest.raises(Refused, match="not-steward"):
        hidden(museum, by=museum.people.cora)
    client = Client()
    client.force_login(museum.people.cora)
    assert client.get(reverse("exhibit:hide", args=[museum.people.vera.pk])).status_code == 403


def test_a_steward_loses_the_office_first_and_nothing_is_begun(museum: Museum) -> None:
    with pytest.raises(Refused, match="is-steward"):
        hidden(museum, person=museum.people.sten)
    assert not Hiding.objects.exists()
    assert not Event.objects.filter(verb="person.hidden").exists()


def test_a_withdrawn_version_cannot_be_submitted_by_its_maker(museum: Museum) -> None:
    version = factories.submitted(factories.photo(museum.collection), museum.people.vera)
    version.move(VersionState.WITHDRAWN, by=museum.people.vera, at=timezone.now())
    with pytest.raises(Refused, match="not-a-draft"):
        submit_version(version=version, by=museum.people.vera, note="", now=timezone.now())


def test_the_command_looks_hides_and_brings_back(museum: Museum) -> None:
    busy(museum)

    def command(*words: str) -> str:
        out = StringIO()
        call_command("hide_person", "vera", *words, stdout=out)
        return out.getvalue()

    assert "publications: 1" in command("--dry-run")
    assert states(museum) == BEFORE
    with pytest.raises(CommandError, match="which steward"):
        command("--reason", "Spam.")
    with pytest.raises(CommandError, match="Only a steward"):
        command("--by", "cora", "--reason", "Spam.")
    assert "hidden" in command("--by", "sten", "--reason", "Spam.")
    assert "back: 5" in command("--by", "sten", "--undo")
    assert states(museum) == BEFORE
