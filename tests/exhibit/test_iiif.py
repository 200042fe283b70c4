"""What viewers on other sites are given: tiles, manifests, collections; and what they are not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import pyvips
from django.test import Client
from django.utils import timezone

from archive import rendering, renditions, storage, tiles
from archive.models import Rendition
from archive.sizes import PIPELINE, tiles_name
from exhibit.actions import retract_publication, suspend_publication
from tests.exhibit.conftest import LATER, Museum, hang

WHOLE = "full/max/0/default.jpg"
# What has a name that nothing answers to, or answers below it.
ONLY_NAMES = {"ImageService3", "Canvas", "AnnotationPage", "Annotation"}
HOST = "http://localhost:8000"


@pytest.fixture
def tiled(museum: Museum) -> Museum:
    """The museum with the tiles of both sides."""
    for sha256 in (museum.photo.working_sha256, museum.version.sha256):
        renditions.note(sha256, now=timezone.now())
        rendering.render(sha256=sha256)
    return museum


def service(museum: Museum, side: str = "restored") -> str:
    return f"/published/{museum.publication.pk}/iiif/{side}-{PIPELINE}"


def key_of(museum: Museum) -> str:
    return storage.derivative_key(museum.version.sha256, tiles_name(PIPELINE))


# --- tiles ---------------------------------------------------------------------------------------
def test_info_says_what_there_is_under_the_name_of_the_site(client: Client, tiled: Museum) -> None:
    answer = client.get(f"{service(tiled)}/info.json")
    told = answer.json()
    assert told["id"] == f"{HOST}{service(tiled)}"
    assert (told["type"], told["profile"]) == ("ImageService3", "level0")
    assert (told["width"], told["height"]) == (tiled.version.width, tiled.version.height)
    assert told["rights"] == tiled.collection.rights_uri
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert answer["Content-Type"] == "application/json"
    linked = client.get(f"{service(tiled)}/info.json", HTTP_ACCEPT="application/ld+json")
    assert linked["Content-Type"] == f'application/ld+json;profile="{told["@context"]}"'
    for size in told["sizes"]:
        size_of = f"{service(tiled)}/full/{size['width']},{size['height']}/0/default.jpg"
        assert client.get(size_of).status_code == 200


def test_the_bare_address_leads_to_info(client: Client, tiled: Museum) -> None:
    answer = client.get(service(tiled))
    assert (answer.status_code, answer["Location"]) == (303, f"{service(tiled)}/info.json")


def test_a_public_tile_may_be_kept_for_ever_and_by_caches_for_an_hour(
    client: Client, tiled: Museum, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(1):
        answer = client.get(f"{service(tiled)}/{WHOLE}")
    picture = pyvips.Image.new_from_buffer(answer.content, "")
    assert (picture.width, picture.height) == (tiled.version.width, tiled.version.height)
    assert answer["Content-Type"] == "image/jpeg"
    assert answer["Cache-Control"] == "public, max-age=31536000, s-maxage=3600, immutable"
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert "Cookie" not in answer.get("Vary", "")
    assert not answer.cookies


def test_a_tile_that_has_not_changed_is_not_sent_again(client: Client, tiled: Museum) -> None:
    etag = client.get(f"{service(tiled)}/{WHOLE}")["ETag"]
    again = client.get(f"{service(tiled)}/{WHOLE}", HTTP_IF_NONE_MATCH=etag)
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", etag)
    assert again["Cache-Control"].endswith("immutable")
    other = client.get(f"{service(tiled, 'original')}/{WHOLE}", HTTP_IF_NONE_MATCH=etag)
    assert other.status_code == 200


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [("bytes=0-99", 0, 100), ("bytes=100-", 100, None), ("bytes=-50", -50, None)],
)
def test_a_part_of_a_picture_may_be_asked_for(
    client: Client, tiled: Museum, asked: str, start: int, stop: int | None
) -> None:
    whole = client.get(f"{service(tiled)}/{WHOLE}").content
    part = client.get(f"{service(tiled)}/{WHOLE}", HTTP_RANGE=asked)
    assert (part.status_code, part.content) == (206, whole[start:stop])
    assert part["Content-Range"].endswith(f"/{len(whole)}")


@pytest.mark.parametrize("asked", ["bytes=9999999-", "bytes=-0"])
def test_a_part_that_is_not_there_is_refused(client: Client, tiled: Museum, asked: str) -> None:
    answer = client.get(f"{service(tiled)}/{WHOLE}", HTTP_RANGE=asked)
    assert (answer.status_code, answer.content) == (416, b"")
    assert answer["Content-Range"].startswith("bytes */")


@pytest.mark.parametrize("asked", ["bytes=-", "bytes=9-3", "lines=1-2", "bytes=0-1,4-5", "x"])
def test_a_part_that_makes_no_sense_is_the_whole(client: Client, tiled: Museum, asked: str) -> None:
    assert client.get(f"{service(tiled)}/{WHOLE}", HTTP_RANGE=asked).status_code == 200


def test_a_part_of_what_has_changed_is_the_whole(client: Client, tiled: Museum) -> None:
    asked = {"HTTP_RANGE": "bytes=0-9", "HTTP_IF_RANGE": '"another"'}
    assert client.get(f"{service(tiled)}/{WHOLE}", **asked).status_code == 200


@pytest.mark.parametrize(
    "wanted",
    [
        "full/full/0/default.jpg",
        "full/max/90/default.jpg",
        "full/max/0/gray.jpg",
        "full/3,3/0/default.jpg",
        "square/max/0/default.jpg",
    ],
)
def test_what_level_0_does_not_have_is_not_found(
    client: Client, tiled: Museum, wanted: str
) -> None:
    assert client.get(f"{service(tiled)}/{wanted}").status_code == 404


def test_what_is_taken_down_is_gone_at_once(client: Client, tiled: Museum) -> None:
    suspend_publication(
        publication=tiled.publication, by=tiled.people.cora, reason="a doubt", now=LATER
    )
    addresses = [f"{service(tiled)}/{WHOLE}", f"{service(tiled)}/info.json", service(tiled)]
    addresses.append(f"/published/{tiled.publication.pk}/manifest.json")
    assert {client.get(each).status_code for each in addresses} == {404}
    client.force_login(tiled.people.cora)
    for each in addresses[:2]:
        answer = client.get(each)
        assert (answer.status_code, answer["Cache-Control"]) == (200, "private, no-store")
        assert "Access-Control-Allow-Origin" not in answer


def test_a_tile_at_work_is_kept_by_nobody(client: Client, tiled: Museum) -> None:
    client.force_login(tiled.people.vera)
    base = f"/photos/{tiled.photo.ref}/versions/{tiled.version.number}/iiif/{PIPELINE}"
    for each in (f"{base}/info.json", f"{base}/{WHOLE}"):
        answer = client.get(each)
        assert (answer.status_code, answer["Cache-Control"]) == (200, "private, no-store")
        assert "Access-Control-Allow-Origin" not in answer


def test_before_there_are_tiles_there_is_no_service(client: Client, museum: Museum) -> None:
    assert client.get(f"{service(museum)}/info.json").status_code == 404
    assert client.get(f"{service(museum)}/{WHOLE}").status_code == 404


def test_old_addresses_lead_to_what_a_newer_pipeline_made(client: Client, tiled: Museum) -> None:
    old = f"/published/{tiled.publication.pk}/iiif/restored-{PIPELINE + 1}"
    for each in ("info.json", WHOLE):
        answer = client.get(f"{old}/{each}")
        assert (answer.status_code, answer["Location"]) == (302, f"{service(tiled)}/{each}")
        assert answer["Cache-Control"] == "private, no-store"


def test_lost_tiles_are_made_again(client: Client, tiled: Museum) -> None:
    storage.delete(key_of(tiled))
    tiles.directory.cache_clear()
    assert client.get(f"{service(tiled)}/{WHOLE}").status_code == 404
    assert Rendition.objects.get(pk=tiled.version.sha256).tiles == 0
    rendering.render(sha256=tiled.version.sha256)
    assert client.get(f"{service(tiled)}/{WHOLE}").status_code == 200


# --- the zoom page -------------------------------------------------------------------------------
def deep(client: Client, museum: Museum) -> list[dict[str, Any]]:
    """Both pictures as the viewer is given them."""
    context = client.get(f"{museum.url}zoom/").context
    return [json.loads(context[side]) for side in ("left", "right")]


def test_the_zoom_page_shows_tiles_from_its_own_host(client: Client, tiled: Museum) -> None:
    assert [each["id"] for each in deep(client, tiled)] == [
        service(tiled, "original"),
        service(tiled),
    ]


def test_without_tiles_the_zoom_page_shows_the_sizes(client: Client, museum: Museum) -> None:
    assert {each["type"] for each in deep(client, museum)} == {"legacy-image-pyramid"}


# --- manifests and collections -------------------------------------------------------------------
def every(told: Any) -> Iterator[dict[str, Any]]:
    """Every object of a document."""
    if isinstance(told, dict):
        yield told
        for value in told.values():
            yield from every(value)
    if isinstance(told, list):
        for value in told:
            yield from every(value)


def manifest(client: Client, museum: Museum) -> dict[str, Any]:
    answer = client.get(f"/published/{museum.publication.pk}/manifest.json")
    assert answer["Access-Control-Allow-Origin"] == "*"
    told: dict[str, Any] = answer.json()
    return told


def test_a_manifest_offers_original_and_restored_on_one_canvas(
    client: Client, tiled: Museum
) -> None:
    told = manifest(client, tiled)
    assert told["id"] == f"{HOST}/published/{tiled.publication.pk}/manifest.json"
    [canvas] = told["items"]
    assert (canvas["width"], canvas["height"]) == (tiled.photo.width, tiled.photo.height)
    [annotation] = canvas["items"][0]["items"]
    assert "#" not in canvas["id"]
    assert (annotation["motivation"], annotation["target"]) == ("painting", canvas["id"])
    assert annotation["body"]["type"] == "Choice"
    original, restored = annotation["body"]["items"]
    assert original["label"] == {"en": ["Original"], "zh-Hans": ["原片"]}
    assert restored["label"] == {"en": ["Restored"], "zh-Hans": ["修复后"]}
    for image in (original, restored):
        [offered] = image["service"]
        assert offered["type"] == "ImageService3"
        here = offered["id"].removeprefix(HOST)
        assert client.get(f"{here}/info.json").json()["id"] == offered["id"]
        assert client.get(image["id"].removeprefix(HOST)).status_code == 200


def test_a_manifest_says_in_both_languages_whose_it_is_and_what_machines_did(
    client: Client, tiled: Museum
) -> None:
    told = manifest(client, tiled)
    assert told["label"] == {"en": ["The first gold medal"]}
    assert told["rights"] == tiled.collection.rights_uri
    statement = told["requiredStatement"]
    assert set(statement["label"]) == set(statement["value"]) == {"en", "zh-Hans"}
    english = " ".join(statement["value"]["en"])
    for words in (
        "Museum of the Games",
        "Cleaned and coloured by machine",
        "no generative model was used",
        "Restored by vera",
        "Reviewed by cora",
    ):
        assert words.lower() in english.lower(), words
    assert "运动会博物馆" in statement["value"]["zh-Hans"]
    assert told["provider"][0]["label"] == {
        "en": ["Museum of the Games"],
        "zh-Hans": ["运动会博物馆"],
    }
    rows = {row["label"]["en"][0]: row["value"] for row in told["metadata"]}
    assert rows["Identifier"] == {"none": ["A-17"]}
    assert rows["Date"]["en"] == ["September 1974"]
    assert rows["Place"] == {"en": ["Tehran"]}


@pytest.mark.parametrize("suffix", ["en", "zh"])
def test_a_notice_in_one_language_is_told_to_readers_of_the_other_too(
    client: Client, museum: Museum, suffix: str
) -> None:
    setattr(museum.collection, f"notice_{suffix}", "Aged on purpose")
    museum.collection.save()
    value = manifest(client, museum)["requiredStatement"]["value"]
    assert ["Aged on purpose" in lines for lines in value.values()] == [True, True]


def test_a_manifest_leads_to_the_account_of_how_it_was_made(client: Client, tiled: Museum) -> None:
    [account] = manifest(client, tiled)["seeAlso"]
    assert (account["type"], account["format"]) == ("Dataset", "application/json")
    assert account["id"] == f"{HOST}{tiled.url}made.json"
    assert account["label"]["en"] == ["How this picture was made"]
    tiled.exhibit.is_open = False
    tiled.exhibit.save()
    client.force_login(tiled.people.cora)
    told = client.get(f"/published/{tiled.publication.pk}/manifest.json").json()
    assert "seeAlso" not in told


def test_the_reader_s_language_does_not_change_a_manifest(client: Client, tiled: Museum) -> None:
    told = manifest(client, tiled)
    address = f"/published/{tiled.publication.pk}/manifest.json"
    assert client.get(address, HTTP_ACCEPT_LANGUAGE="zh-CN").json() == told


def test_before_there_are_tiles_a_manifest_has_the_files(client: Client, museum: Museum) -> None:
    images = [each for each in every(manifest(client, museum)) if each.get("type") == "Image"]
    assert not any("service" in each for each in images)
    for each in images:
        assert client.get(each["id"].removeprefix(HOST)).status_code == 200


def test_every_address_in_a_manifest_answers(client: Client, tiled: Museum) -> None:
    found = {
        each["id"]
        for each in every(manifest(client, tiled))
        if each.get("id", "").startswith(HOST) and each["type"] not in ONLY_NAMES
    }
    assert len(found) > 4
    for address in found:
        assert client.get(address.removeprefix(HOST)).status_code in (200, 302), address


def test_a_collection_lists_the_manifests_as_a_visitor_walks(
    client: Client, tiled: Museum, django_assert_num_queries: Any
) -> None:
    others = [hang(tiled).pk for _ in range(3)]
    with django_assert_num_queries(2):
        answer = client.get(f"/exhibits/{tiled.exhibit.slug}/collection.json")
    told = answer.json()
    assert told["type"] == "Collection"
    assert told["label"] == {"en": ["The first Games"], "zh-Hans": ["第一次亚运会"]}
    assert [each["id"] for each in told["items"]] == [
        f"{HOST}/published/{pk}/manifest.json" for pk in (tiled.publication.pk, *others)
    ]
    assert answer["Access-Control-Allow-Origin"] == "*"


def test_a_collection_leaves_out_what_was_taken_down(client: Client, tiled: Museum) -> None:
    other = hang(tiled)
    retract_publication(
        publication=other, by=tiled.people.cora, reason="asked for", now=LATER + timedelta(days=1)
    )
    told = client.get(f"/exhibits/{tiled.exhibit.slug}/collection.json").json()
    assert [each["id"] for each in told["items"]] == [
        f"{HOST}/published/{tiled.publication.pk}/manifest.json"
    ]


def test_a_closed_exhibit_is_for_its_curators(client: Client, tiled: Museum) -> None:
    tiled.exhibit.is_open = False
    tiled.exhibit.save()
    address = f"/exhibits/{tiled.exhibit.slug}/collection.json"
    assert client.get(address).status_code == 404
    client.force_login(tiled.people.cora)
    answer = client.get(address)
    assert (answer.status_code, answer["Cache-Control"]) == (200, "private, no-store")
