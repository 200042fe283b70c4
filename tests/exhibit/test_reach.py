"""What a stranger can reach: two sides of what is public, and not one byte more."""

from __future__ import annotations

import pytest
import pyvips
from django.test import Client

from archive import storage
from exhibit.models import Exhibit, Placement, Room
from tests import factories
from tests.exhibit.conftest import Museum


def test_both_sides_are_public_in_every_size(client: Client, museum: Museum) -> None:
    for side, sha256 in (
        ("original", museum.photo.working_sha256),
        ("restored", museum.version.sha256),
    ):
        for size in ("400", "800", "1600", "2560", "full"):
            with storage.open_key(storage.derivative_key(sha256, f"{size}.jpg")) as stream:
                stored = stream.read()
            response = client.get(f"/published/{museum.publication.pk}/{side}/{size}.jpg")
            assert b"".join(response.streaming_content) == stored  # type: ignore[attr-defined]
            assert response["Cache-Control"].startswith("public")
            assert response["Content-Type"] == "image/jpeg"
            assert response["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "path", ["working/full", "scan/400", "restored/9999", "restored/working", "download/400"]
)
def test_nothing_else_of_a_publication_is_there(client: Client, museum: Museum, path: str) -> None:
    assert client.get(f"/published/{museum.publication.pk}/{path}.jpg").status_code == 404


def test_the_maps_that_were_made_are_there_and_no_other_sheet(
    client: Client, museum: Museum
) -> None:
    url = f"/published/{museum.publication.pk}/changed.png"
    stored = storage.sheet_key(museum.version.maps["coloured_guess"])
    with storage.open_key(stored) as stream:
        sheet = stream.read()
    response = client.get(url, {"map": "coloured_guess"})
    assert b"".join(response.streaming_content) == sheet  # type: ignore[attr-defined]
    assert response["Content-Type"] == "image/png"
    assert client.get(url).status_code == 404
    assert client.get(url, {"map": "damage"}).status_code == 404


def test_a_stranger_reaches_no_working_file_no_version_and_no_scan(
    client: Client, museum: Museum
) -> None:
    other = factories.photo(museum.collection, bytes_too=True)
    version = factories.submitted(other, museum.people.vera, image=factories.picture(9))
    for photo, number in ((museum.photo, museum.version.number), (other, version.number)):
        start = f"/photos/{photo.ref}"
        for url in (
            f"{start}/",
            f"{start}/scan/400.jpg",
            f"{start}/versions/{number}/400.jpg",
            f"{start}/versions/{number}/working.tif",
            f"/scans/{photo.ref}/original",
            f"/scans/{photo.ref}/400.jpg",
        ):
            response = client.get(url)
            assert response.status_code == 302, url
            assert response["Location"].startswith("/account/login/"), url


def test_pictures_of_a_closed_exhibit_are_closed_too(client: Client, museum: Museum) -> None:
    Exhibit.objects.update(is_open=False)
    url = f"/published/{museum.publication.pk}/restored/400.jpg"
    assert client.get(url).status_code == 404
    client.force_login(museum.people.vera)
    assert client.get(url).status_code == 404
    client.force_login(museum.people.cora)
    response = client.get(url)
    assert response.status_code == 200
    assert "private" in response["Cache-Control"]


def test_a_download_says_of_itself_what_it_is(client: Client, museum: Museum) -> None:
    museum.photo.title_zh = "第一枚金牌 <&>"
    museum.photo.save()
    response = client.get(f"/published/{museum.publication.pk}/download/full.jpg")
    assert response["Content-Disposition"] == (
        f'attachment; filename="{museum.photo.ref}-restored-full.jpg"'
    )
    file = response.content
    for said in (
        '<rdf:li xml:lang="en">The first gold medal</rdf:li>',
        '<rdf:li xml:lang="zh-Hans">第一枚金牌 &lt;&amp;&gt;</rdf:li>',
        "<Iptc4xmpExt:DigitalSourceType>http://cv.iptc.org/newscodes/digitalsourcetype/"
        "algorithmicallyEnhanced</Iptc4xmpExt:DigitalSourceType>",
        museum.collection.rights_uri,
        '<rdf:li xml:lang="en">Cleaned and coloured by machine. Shooting, pistol</rdf:li>',
        "Museum of the Games",
        f"sha256:{museum.photo.sha256}",
        f"/published/{museum.publication.pk}/",
    ):
        assert said.encode() in file, said


def test_a_download_says_nothing_of_an_exhibit_that_is_closed(
    client: Client, museum: Museum
) -> None:
    closed = factories.room(museum.collection)
    Room.objects.filter(pk=closed.pk).update(position=0)
    Exhibit.objects.filter(pk=closed.exhibit_id).update(is_open=False)
    Placement.objects.create(
        room=closed,
        photo=museum.photo,
        publication=museum.publication,
        position=0,
        caption_en="Not yet for the public",
    )
    url = f"/published/{museum.publication.pk}/download/full.jpg"
    for person in (None, museum.people.cora):
        if person:
            client.force_login(person)
        file = client.get(url).content
        assert b"Not yet for the public" not in file
        assert b"Shooting, pistol" in file
    Exhibit.objects.update(is_open=False)
    assert b"Not yet for the public" in client.get(url).content


def test_the_words_in_a_download_do_not_touch_its_pixels(client: Client, museum: Museum) -> None:
    key = storage.derivative_key(museum.version.sha256, "full.jpg")
    with storage.open_key(key) as stream:
        plain = pyvips.Image.new_from_buffer(stream.read(), "")
    url = f"/published/{museum.publication.pk}/download/full.jpg"
    told = pyvips.Image.new_from_buffer(client.get(url).content, "")
    assert (plain - told).abs().max() == 0
    assert b"DigitalSourceType" in told.get("xmp-data")


def test_a_download_is_not_sent_again_to_who_has_it_and_goes_on_where_it_broke_off(
    client: Client, museum: Museum
) -> None:
    url = f"/published/{museum.publication.pk}/download/full.jpg"
    whole = client.get(url)
    etag = whole["ETag"]
    assert whole["Accept-Ranges"] == "bytes"
    again = client.get(url, headers={"If-None-Match": etag})
    assert (again.status_code, again.content, again["Cache-Control"]) == (304, b"", "no-cache")
    wanted = {"Range": "bytes=1000-", "If-Range": etag}
    part = client.get(url, headers=wanted)
    assert (part.status_code, part.content) == (206, whole.content[1000:])
    assert part["Content-Disposition"] == whole["Content-Disposition"]
    museum.photo.title_en = "The words in it were corrected"
    museum.photo.save()
    anew = client.get(url, headers=wanted)
    assert anew.status_code == 200
    assert anew["ETag"] != etag


def test_a_part_of_a_public_picture_may_be_asked_for(client: Client, museum: Museum) -> None:
    url = f"/published/{museum.publication.pk}/restored/full.jpg"
    whole = b"".join(client.get(url).streaming_content)  # type: ignore[attr-defined]
    part = client.get(url, headers={"Range": "bytes=10-19"})
    assert part.status_code == 206
    assert b"".join(part.streaming_content) == whole[10:20]  # type: ignore[attr-defined]
    assert part["Cache-Control"].startswith("public")
