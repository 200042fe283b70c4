"""A curator makes an exhibit and puts it in order."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from archive.lifecycle import PhotoState
from archive.models import Event, Photo
from exhibit.actions import publish_version
from exhibit.arranging import Words
from exhibit.models import Exhibit, Placement, Room
from exhibit.views.editor import PER_PAGE
from restoration.lifecycle import VersionKind, VersionState
from restoration.models import Version
from tests import factories
from tests.exhibit.conftest import LATER, Museum, hang
from tests.people import appoint


@pytest.fixture
def cora(client: Client, museum: Museum) -> Client:
    client.force_login(museum.people.cora)
    return client


def page(client: Client, museum: Museum) -> str:
    return client.get(reverse("exhibit:edit", args=[museum.exhibit.slug])).text


def test_a_new_exhibit_is_closed_and_has_a_room(cora: Client, museum: Museum) -> None:
    form = {
        "collection": str(museum.collection.pk),
        "slug": "second-games",
        "title_en": "The second Games",
        "title_zh": "第二届",
    }
    cora.post(reverse("exhibit:create"), form)
    made = Exhibit.objects.get(slug="second-games")
    assert (made.is_open, made.rooms.count()) == (False, 1)
    assert Event.objects.filter(verb="exhibit.created", collection=museum.collection).exists()


@pytest.mark.parametrize(
    ("slug", "said"),
    [
        ("new", "This address is taken by the site itself."),
        ("not a slug", "Use letters from a to z, digits and hyphens only, for example"),
    ],
)
def test_an_address_that_cannot_be_is_refused_and_the_words_are_kept(
    cora: Client, museum: Museum, slug: str, said: str
) -> None:
    form = {"collection": str(museum.collection.pk), "slug": slug, "title_en": "Kept words"}
    response = cora.post(reverse("exhibit:create"), form)
    assert response.status_code == 422
    assert said in response.text
    assert "Kept words" in response.text


def test_who_has_no_exhibit_yet_is_told_what_one_takes(cora: Client, museum: Museum) -> None:
    Placement.objects.all().delete()
    Exhibit.objects.all().delete()
    said = "Make the first one: a collection, an address and a title are enough to begin."
    assert said in cora.get(reverse("exhibit:manage")).text


def test_an_address_that_is_taken_is_refused(cora: Client, museum: Museum) -> None:
    form = {"collection": str(museum.collection.pk), "slug": museum.exhibit.slug, "title_en": "X"}
    assert cora.post(reverse("exhibit:create"), form).status_code == 422


def test_an_exhibit_is_not_made_for_a_collection_of_others(cora: Client) -> None:
    elsewhere = factories.collection()
    form = {"collection": str(elsewhere.pk), "slug": "elsewhere", "title_en": "X"}
    assert cora.post(reverse("exhibit:create"), form).status_code == 422
    assert not Exhibit.objects.filter(slug="elsewhere").exists()


def test_titles_and_introductions_are_written_in_both_languages(
    cora: Client, museum: Museum
) -> None:
    url = reverse("exhibit:edit", args=[museum.exhibit.slug])
    form = {"title_en": "New", "title_zh": "新", "intro_en": "Hello", "intro_zh": "你好"}
    cora.post(url, form)
    exhibit = Exhibit.objects.get(pk=museum.exhibit.pk)
    assert (exhibit.title_en, exhibit.intro_zh) == ("New", "你好")
    assert 'lang="zh-Hans"' in page(cora, museum)


def test_doors_open_and_close(cora: Client, museum: Museum) -> None:
    for verb, is_open in (("close", False), ("open", True)):
        cora.post(reverse(f"exhibit:{verb}", args=[museum.exhibit.slug]))
        assert Exhibit.objects.get(pk=museum.exhibit.pk).is_open is is_open
    verbs = Event.objects.filter(collection=museum.collection).values_list("verb", flat=True)
    assert {"exhibit.opened", "exhibit.closed"} <= set(verbs)


def test_rooms_are_added_renamed_moved_and_removed_when_empty(cora: Client, museum: Museum) -> None:
    cora.post(
        reverse("exhibit:add-room", args=[museum.exhibit.slug]),
        {"room-title_en": "Farewell", "room-title_zh": "告别"},
    )
    farewell = Room.objects.get(title_en="Farewell")
    cora.post(reverse("exhibit:room", args=[farewell.pk]), {"title_en": "Good-bye"})
    cora.post(reverse("exhibit:move-room", args=[farewell.pk, "up"]))
    titles = museum.exhibit.rooms.order_by("position").values_list("title_en", flat=True)
    assert list(titles) == ["Good-bye", "Opening"]
    cora.post(reverse("exhibit:remove-room", args=[farewell.pk]))
    cora.post(reverse("exhibit:remove-room", args=[museum.room.pk]))
    assert list(museum.exhibit.rooms.all()) == [museum.room]


def test_pictures_change_places(cora: Client, museum: Museum) -> None:
    second = Placement.objects.get(publication=hang(museum))
    cora.post(reverse("exhibit:move-placement", args=[second.pk, "up"]))
    order = museum.room.placements.order_by("position").values_list("pk", flat=True)
    assert list(order) == [second.pk, museum.placement.pk]
    cora.post(reverse("exhibit:move-placement", args=[second.pk, "up"]))
    assert list(order.all()) == [second.pk, museum.placement.pk]


@pytest.mark.parametrize("way", ["up", "down"])
def test_a_move_is_told_and_leads_back_to_what_was_moved(
    cora: Client, museum: Museum, way: str
) -> None:
    hang(museum)
    other = Room.objects.create(exhibit=museum.exhibit, title_zh="尾声", position=2)
    for verb, place, pk, told in (
        ("move-placement", "placement", museum.placement.pk, "“The first gold medal” is now "),
        ("move-room", "room", other.pk, '“<span lang="zh-Hans">尾声</span>” is now '),
    ):
        answer = cora.post(reverse(f"exhibit:{verb}", args=[pk, way]), follow=True)
        address, _status = answer.redirect_chain[-1]
        assert address == f"/curate/exhibits/{museum.exhibit.slug}/#{place}-{pk}"
        (message,) = answer.context["messages"]
        assert str(message) == f"{told}{1 if way == 'up' else 2} of 2."
        assert f'id="{place}-{pk}" tabindex="-1"' in answer.text


def test_what_hangs_first_goes_no_further_forward_and_the_last_no_further_back(
    cora: Client, museum: Museum
) -> None:
    hung = [museum.placement, *(Placement.objects.get(publication=hang(museum)) for _ in "ab")]
    shown = page(cora, museum)
    ways = [
        [
            way
            for way in ("up", "down")
            if reverse("exhibit:move-placement", args=[pk, way]) in shown
        ]
        for pk in (each.pk for each in hung)
    ]
    assert ways == [["down"], ["up", "down"], ["up"]]


def test_a_title_in_the_other_language_says_so_on_every_button(
    cora: Client, museum: Museum
) -> None:
    url = reverse("exhibit:edit", args=[museum.exhibit.slug])
    shown = cora.get(url, headers={"accept-language": "zh-Hans"}).text
    title = '<span lang="en">The first gold medal</span>'
    assert shown.count(f'<span class="visually-hidden"> {title}</span>') == 5


def test_what_hangs_and_what_waits_is_shown_as_a_picture(cora: Client, museum: Museum) -> None:
    people, photo = museum.people, factories.photo(museum.collection)
    waiting, _review = factories.accepted(photo, people.vera, people.cora)
    shown = page(cora, museum)
    for version in (waiting, museum.placement.publication.version):
        address = reverse(
            "restoration:picture", args=[version.photo.ref, version.number, "400.jpg"]
        )
        assert f'src="{address}"' in shown
    Photo.objects.filter(pk=museum.placement.photo_id).update(state=PhotoState.WITHDRAWN)
    hidden = museum.placement.publication.version
    address = reverse("restoration:picture", args=[hidden.photo.ref, hidden.number, "400.jpg"])
    assert address not in page(cora, museum)


def test_words_are_edited_and_a_picture_moves_to_another_room(cora: Client, museum: Museum) -> None:
    other = Room.objects.create(exhibit=museum.exhibit, title_en="Second room", position=2)
    url = reverse("exhibit:words", args=[museum.placement.pk])
    assert "Shooting, pistol" in cora.get(url).text
    cora.post(url, {"room": str(other.pk), "caption_en": "Rewritten", "story_zh": "故事"})
    placement = museum.placement
    assert (placement.room, placement.caption_en, placement.story_zh) == (
        other,
        "Rewritten",
        "故事",
    )


def test_a_picture_does_not_move_into_an_exhibit_of_others(cora: Client, museum: Museum) -> None:
    strange = factories.room(factories.collection())
    url = reverse("exhibit:words", args=[museum.placement.pk])
    assert cora.post(url, {"room": str(strange.pk)}).status_code == 422
    assert museum.placement.room == museum.room


def test_who_curates_nothing_here_finds_nothing(client: Client, museum: Museum) -> None:
    urls = [
        reverse("exhibit:edit", args=[museum.exhibit.slug]),
        reverse("exhibit:open", args=[museum.exhibit.slug]),
        reverse("exhibit:close", args=[museum.exhibit.slug]),
        reverse("exhibit:add-room", args=[museum.exhibit.slug]),
        reverse("exhibit:room", args=[museum.room.pk]),
        reverse("exhibit:move-room", args=[museum.room.pk, "up"]),
        reverse("exhibit:remove-room", args=[museum.room.pk]),
        reverse("exhibit:words", args=[museum.placement.pk]),
        reverse("exhibit:move-placement", args=[museum.placement.pk, "up"]),
    ]
    assert {client.post(url).status_code for url in urls} == {401}
    for person in (museum.people.vera, museum.people.clive):
        client.force_login(person)
        assert {client.post(url).status_code for url in urls} == {404}
        for name in ("manage", "create"):
            assert client.get(reverse(f"exhibit:{name}")).status_code == 403


def test_the_number_of_queries_does_not_grow_with_what_hangs(cora: Client, museum: Museum) -> None:
    page(cora, museum)
    with CaptureQueriesContext(connection) as few:
        page(cora, museum)
    for _ in range(5):
        hang(museum)
    with CaptureQueriesContext(connection) as many:
        page(cora, museum)
    assert len(many) == len(few)


# --- what waits ----------------------------------------------------------------------------------
def alternatives(museum: Museum, count: int) -> list[Version]:
    """So many accepted versions of the photo that hangs, all older than what a factory makes."""
    return Version.objects.bulk_create(
        Version(
            photo=museum.photo,
            number=100 + number,
            parent=museum.version,
            kind=VersionKind.MACHINE,
            state=VersionState.ACCEPTED,
            made_by=museum.people.vera,
            made_at=factories.NOW - timedelta(days=1),
            submitted_at=factories.NOW - timedelta(days=1),
            sha256=f"{number:064x}",
            width=8,
            height=6,
        )
        for number in range(count)
    )


def waiting_pages(client: Client, museum: Museum) -> list[str]:
    """The pages that list what waits: of all exhibits, and of this one."""
    return [reverse("exhibit:manage"), reverse("exhibit:edit", args=[museum.exhibit.slug])]


def offered(client: Client, url: str, page: int | str = 1) -> list[str]:
    """The versions that a page of the list offers to publish, in order."""
    return re.findall(r"/curate/versions/(\d+)/publish/", client.get(url, {"page": page}).text)


def test_what_was_never_public_comes_before_alternatives_of_what_hangs(
    client: Client, museum: Museum
) -> None:
    old = alternatives(museum, 101)
    people, photo = museum.people, factories.photo(museum.collection)
    new, _review = factories.accepted(photo, people.vera, people.cora)
    client.force_login(people.sten)
    for url in waiting_pages(client, museum):
        assert offered(client, url)[0] == str(new.pk)
        pages = range(1, (101 + 1) // PER_PAGE + 2)
        found = [pk for page in pages for pk in offered(client, url, page)]
        assert sorted(found) == sorted(str(each.pk) for each in (new, *old))


def test_a_page_of_what_waits_has_an_end_and_leads_to_the_next(
    client: Client, museum: Museum
) -> None:
    alternatives(museum, PER_PAGE + 1)
    client.force_login(museum.people.sten)
    for url in waiting_pages(client, museum):
        assert len(offered(client, url)) == PER_PAGE
        assert 'rel="next" href="?page=2"' in client.get(url).text
        assert len(offered(client, url, 2)) == 1
        assert len(offered(client, url, "none")) == PER_PAGE


def test_alternatives_of_what_hangs_are_folded(client: Client, museum: Museum) -> None:
    alternatives(museum, PER_PAGE + 1)
    client.force_login(museum.people.sten)
    for url in waiting_pages(client, museum):
        first, second = (client.get(url, {"page": number}).text for number in (1, 2))
        assert "No accepted version waits to be published." in first
        assert '<details class="disclosure"><summary>' in first.partition('id="waiting"')[2]
        assert "Alternatives of what hangs" in first
        # Whoever turned to this page wants to see what is on it.
        assert '<details class="disclosure" open>' in second


@pytest.mark.parametrize("number", [0, 1])
def test_the_number_of_queries_does_not_grow_with_what_waits(
    client: Client, museum: Museum, number: int
) -> None:
    client.force_login(museum.people.sten)
    url = waiting_pages(client, museum)[number]
    people = museum.people
    factories.accepted(factories.photo(museum.collection), people.vera, people.cora)
    client.get(url)
    with CaptureQueriesContext(connection) as few:
        client.get(url)
    for _ in range(3):
        factories.accepted(factories.photo(museum.collection), people.vera, people.cora)
    alternatives(museum, 5)
    with CaptureQueriesContext(connection) as many:
        client.get(url)
    assert len(many) == len(few)


def test_what_only_its_own_curators_may_do_is_not_offered_to_others(
    client: Client, museum: Museum
) -> None:
    guest = factories.collection()
    appoint(museum.people.clive, guest)
    own = factories.room(guest)
    people, photo = museum.people, factories.photo(museum.collection)
    version, _review = factories.accepted(photo, people.vera, people.cora)
    shown = publish_version(version=version, room=own, words=Words(), by=people.sten, now=LATER)
    url = reverse("exhibit:edit", args=[own.exhibit.slug])
    only = [reverse(f"exhibit:{name}", args=[shown.pk]) for name in ("suspend", "retract")]
    only.append(reverse("exhibit:evidence", args=[shown.pk]))
    client.force_login(people.clive)
    page = client.get(url).text
    assert reverse("exhibit:words", args=[shown.placements.get().pk]) in page
    assert not [each for each in only if f'"{each}"' in page]
    client.force_login(people.sten)
    page = client.get(url).text
    assert [each for each in only if f'"{each}"' in page] == only
