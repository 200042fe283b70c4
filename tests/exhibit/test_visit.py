"""A stranger visits: the first page, the exhibits, a picture and how it was made."""

from __future__ import annotations

import json
import re

import pytest
from django.db import connection
from django.template.loader import render_to_string
from django.test import Client
from django.test.utils import CaptureQueriesContext

from archive.models import Photo
from exhibit.actions import publish_version
from exhibit.arranging import Words
from exhibit.models import Exhibit, Placement
from tests import factories
from tests.exhibit.conftest import LATER, Museum, hang

CHINESE = {"HTTP_ACCEPT_LANGUAGE": "zh-hans"}


def test_the_first_page_shows_the_newest_picture_with_its_original(
    client: Client, museum: Museum
) -> None:
    page = client.get("/").text
    assert "data-compare" in page
    assert f"/published/{museum.publication.pk}/original/1600.jpg" in page
    assert f"/published/{museum.publication.pk}/restored/1600.jpg" in page
    assert "The first gold medal" in page


@pytest.mark.django_db
def test_the_first_page_stands_without_any_picture(client: Client) -> None:
    response = client.get("/")
    assert response.status_code == 200
    assert "The first exhibit is being hung" in response.text


def test_the_photo_page_says_what_was_done_on_the_picture_and_in_its_text_alternative(
    client: Client, museum: Museum
) -> None:
    page = client.get(museum.url).text
    assert "Cleaned and coloured by machine" in page
    assert 'alt="Cleaned and coloured by machine: The first gold medal"' in page
    assert 'alt="The original, as it was scanned: The first gold medal"' in page


def test_the_photo_page_tells_how_the_picture_was_made(client: Client, museum: Museum) -> None:
    page = client.get(museum.url).text
    for said in ("Repair", "How much counts as damage 0.4", "Colour", "Strength 0.9"):
        assert said in page
    for said in (
        "1.8\N{NO-BREAK SPACE}%",
        "2.4\N{NO-BREAK SPACE}%",
        "34.0\N{NO-BREAK SPACE}%",
        "look closely",
        "passes up to 5.0\N{NO-BREAK SPACE}%",
    ):
        assert said in page
    for said in ("Vera", "Cora", "Sten", museum.photo.sha256, museum.version.sha256):
        assert said in page
    for said in ("September 1974", "Tehran", "Su Zhibo", "A-17", "Public domain"):
        assert said in page


def test_text_of_the_other_language_carries_its_tag(client: Client, museum: Museum) -> None:
    page = client.get(museum.url, **CHINESE).text
    assert '<span lang="en">The first gold medal</span>' in page
    assert "她训练了一年。" in page
    assert '<div lang="zh-Hans">' not in page


def test_the_notice_of_the_collection_stands_on_every_picture(
    client: Client, museum: Museum
) -> None:
    museum.collection.notice_en = "Aged on purpose for this demonstration"
    museum.collection.save()
    for url in ("/", "/exhibits/", f"/exhibits/{museum.exhibit.slug}/", museum.url):
        assert "Aged on purpose for this demonstration" in client.get(url).text, url


def test_the_prompt_is_shown_as_it_was_written(client: Client, museum: Museum) -> None:
    page = client.get(museum.url).text
    assert "jacket: red &lt;the museum has it&gt;" in page
    assert "Known facts about colours" in page
    # No model read it: the colours stand on it.
    assert "What is known about the colours" in page
    assert "The words the machine was given" not in page


def test_the_third_layer_is_the_map_that_covers_most(client: Client, museum: Museum) -> None:
    page = client.get(museum.url).text
    assert f"/published/{museum.publication.pk}/changed.png?map=coloured_guess" in page
    assert 'alt="A map. Colour that is guessed: 34.0\N{NO-BREAK SPACE}% of the picture."' in page
    assert 'href="?layer=coloured_guess#main"' in page


def test_a_map_that_was_asked_for_is_what_the_page_begins_with(
    client: Client, museum: Museum
) -> None:
    plain, asked = (client.get(museum.url + query).text for query in ("", "?layer=coloured_guess"))
    assert 'data-first="map"' not in plain
    assert 'value="both" autocomplete="off" checked' in plain
    assert 'data-first="map"' in asked
    assert 'value="map" autocomplete="off" checked' in asked


def test_previous_and_next_walk_through_the_room(client: Client, museum: Museum) -> None:
    second = hang(museum)
    first_page, second_url = (
        client.get(museum.url),
        f"/exhibits/{museum.exhibit.slug}/{second.photo.ref}/",
    )
    assert f'rel="next" href="{second_url}"' in first_page.text
    assert f'rel="prev" href="{museum.url}"' in client.get(second_url).text


def test_next_leads_to_the_last_picture_where_one_hangs_in_two_rooms(
    client: Client, museum: Museum
) -> None:
    second = hang(museum)
    other = museum.exhibit.rooms.create(title_en="Closing", position=2)
    Placement.objects.create(room=other, photo=museum.photo, publication=museum.publication)
    third = hang(museum)
    Placement.objects.filter(photo=third.photo).update(room=other, position=2)
    walked, url = [museum.url], museum.url
    while found := re.search(r'rel="next" href="([^"]+)"', client.get(url).text):
        url = found[1]
        assert url not in walked
        walked.append(url)
    there = f"/exhibits/{museum.exhibit.slug}/"
    assert walked == [
        museum.url,
        *(f"{there}{each.photo.ref}/" for each in (second, third)),
    ]
    back = client.get(walked[-1]).text
    assert f'rel="prev" href="{walked[1]}"' in back
    assert "room 2 of 2" in back


def test_a_photo_without_a_title_is_called_by_its_identifier_everywhere(
    client: Client, museum: Museum
) -> None:
    Photo.objects.filter(pk=museum.photo.pk).update(title_en="", title_zh="")
    room = f"/exhibits/{museum.exhibit.slug}/"
    for url, heading in (
        (museum.url, "<h1>A-17</h1>"),
        (f"{museum.url}zoom/", '<h1 class="hung-title">A-17</h1>'),
        (room, f'<h3 class="hung-title"><a href="{museum.url}">A-17</a></h3>'),
        ("/", f'<a href="{museum.url}">A-17</a>'),
    ):
        assert heading in client.get(url).text, url


def test_one_that_was_replaced_is_called_by_its_identifier_too(
    client: Client, museum: Museum
) -> None:
    Photo.objects.filter(pk=museum.photo.pk).update(title_en="", title_zh="")
    newer, _review = factories.accepted(museum.photo, museum.people.vera, museum.people.cora)
    publish_version(
        version=newer, room=museum.room, words=Words(), by=museum.people.sten, now=LATER
    )
    assert "<p>A-17</p>" in client.get(f"/published/{museum.publication.pk}/").text
    museum.photo.refresh_from_db()
    summary = render_to_string("exhibit/evidence_summary.html", {"photo": museum.photo})
    assert "<h1>A-17</h1>" in summary
    assert "· A-17</title>" in summary


def test_what_is_shared_elsewhere_says_that_it_is_a_restoration(
    client: Client, museum: Museum
) -> None:
    museum.collection.notice_zh = '为"演示"而做旧'
    museum.collection.save()
    told = "Shooting, pistol · Cleaned and coloured by machine · 为&quot;演示&quot;而做旧"
    assert f'<meta property="og:description" content="{told}">' in client.get(museum.url).text


def test_the_account_can_be_had_as_json(client: Client, museum: Museum) -> None:
    response = client.get(f"{museum.url}made.json")
    account = json.loads(response.content)
    assert account["version_sha256"] == museum.version.sha256
    assert account["deeds"] == ["machine", "colour"]
    assert account["credits"][0] == {"role": "restored", "name": "Vera"}
    assert account["permalink"] == f"http://localhost:8000/published/{museum.publication.pk}/"
    assert account["publication"]["by"] == "Sten"


def test_pages_tell_programs_where_the_same_is_for_them(client: Client, museum: Museum) -> None:
    slug = museum.exhibit.slug
    addresses = {
        museum.url: [
            f"/published/{museum.publication.pk}/manifest.json",
            f"{museum.url}made.json",
        ],
        f"/exhibits/{slug}/": [f"/exhibits/{slug}/collection.json", f"/api/v1/exhibits/{slug}"],
        "/exhibits/": ["/api/v1/exhibits"],
    }
    for page, told in addresses.items():
        links = re.findall(
            r'<link rel="alternate" type="[^"]+" href="([^"]+)">', client.get(page).text
        )
        assert links == told
        assert {client.get(each).status_code for each in links} == {200}


def test_the_zoom_page_works_with_and_without_its_bundle(client: Client, museum: Museum) -> None:
    page = client.get(f"{museum.url}zoom/").text
    assert "legacy-image-pyramid" in page
    assert "data-compare" in page


def test_a_closed_exhibit_is_there_for_its_curator_only(client: Client, museum: Museum) -> None:
    Exhibit.objects.update(is_open=False)
    urls = [f"/exhibits/{museum.exhibit.slug}/", museum.url, f"{museum.url}zoom/"]
    assert {client.get(url).status_code for url in urls} == {404}
    client.force_login(museum.people.vera)
    assert {client.get(url).status_code for url in urls} == {404}
    client.force_login(museum.people.cora)
    assert {client.get(url).status_code for url in urls} == {200}


def test_pages_for_strangers_may_be_kept_a_minute(client: Client, museum: Museum) -> None:
    response = client.get(museum.url)
    assert response["Cache-Control"] == "public, max-age=60"
    assert {"Cookie", "Accept-Language"} <= set(response["Vary"].split(", "))
    client.force_login(museum.people.vera)
    assert "no-cache" in client.get(museum.url)["Cache-Control"]


def test_what_does_not_exist_is_not_found(client: Client, museum: Museum) -> None:
    slug = museum.exhibit.slug
    for url in ("/exhibits/none/", f"/exhibits/{slug}/none/", "/published/999999/"):
        assert client.get(url).status_code == 404


@pytest.mark.parametrize("path", ["/", "/exhibits/", "/exhibits/{slug}/", "{photo}"])
def test_the_number_of_queries_does_not_grow_with_the_pictures(
    client: Client, museum: Museum, path: str
) -> None:
    url = path.format(slug=museum.exhibit.slug, photo=museum.url)
    client.get(url)
    with CaptureQueriesContext(
        connection,
    ) as few:
        client.get(url)
    for number in range(6):
        hang(museum, words=Words(caption_en=f"Picture {number}"))
    with CaptureQueriesContext(connection) as many:
        client.get(url)
    assert len(many) == len(few)
    assert len(many) <= 12
