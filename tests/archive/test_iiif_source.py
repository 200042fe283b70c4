"""IIIF manifests and collections, versions 2 and 3, taken into a collection."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import StringIO
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from archive.models import Batch, BatchFile, Collection, Photo
from archive.sources import iiif
from tests.archive.leaving import left_behind
from tests.archive.scans import scan
from tests.factories import collection
from tests.people import person
from tests.services import web_server


@pytest.fixture
def there(settings: Any) -> Iterator[web_server.Web]:
    with web_server.serving() as found:
        settings.INGEST_PRIVATE_HOSTS = [urlsplit(found.address).netloc]
        yield found


@pytest.fixture
def box(monkeypatch: pytest.MonkeyPatch) -> Collection:
    monkeypatch.setattr("archive.tasks._send", lambda _photo_id: None)
    person("sten", is_steward=True)
    return collection(slug="games")


def ingest(url: str, **options: Any) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    with left_behind():
        call_command("ingest", url, collection="games", stdout=out, stderr=err, **options)
    return out.getvalue(), err.getvalue()


def third(address: str, *services: str) -> bytes:
    """A manifest of version 3 whose canvases have an image service each."""
    canvases = [
        {
            "id": f"{address}/canvas/{n}",
            "type": "Canvas",
            "label": {"none": [f"{n}"]},
            "items": [{"items": [{"motivation": "painting", "body": body(address, name)}]}],
        }
        for n, name in enumerate(services, start=1)
    ]
    label = {"en": ["The opening"], "zh-Hans": ["开幕式"]}
    return json.dumps({"type": "Manifest", "label": label, "items": canvases}).encode()


def body(address: str, name: str) -> dict[str, Any]:
    service = {"id": f"{address}/{name}", "type": "ImageService3", "profile": "level0"}
    return {"id": f"{address}/{name}/small.jpg", "type": "Image", "service": [service]}


def second(address: str) -> bytes:
    """A manifest of version 2."""
    resource = {
        "@id": f"{address}/x.jpg",
        "@type": "dctypes:Image",
        "service": {"@id": f"{address}/two", "profile": "http://iiif.io/api/image/2/level1.json"},
    }
    canvas = {"@id": f"{address}/c", "@type": "sc:Canvas", "images": [{"resource": resource}]}
    return json.dumps(
        {
            "@type": "sc:Manifest",
            "label": [{"@value": "开幕式", "@language": "zh"}],
            "sequences": [{"canvases": [canvas]}],
        }
    ).encode()


@pytest.mark.django_db
def test_the_pictures_of_a_manifest_are_taken_with_their_titles(
    box: Collection, there: web_server.Web
) -> None:
    there.says |= {
        "/manifest.json": third(there.address, "one", "two"),
        "/one/full/max/0/default.jpg": scan(1),
        "/two/full/max/0/default.jpg": scan(2),
    }
    out, _err = ingest(f"{there.address}/manifest.json", dry_run=True)
    assert out.splitlines()[-1] == "2 not fetched yet (dry run)"
    assert there.asked == ["/manifest.json"]
    out, _err = ingest(f"{there.address}/manifest.json", wait=True)
    assert out.splitlines()[-1] == "2 new"
    photo = Photo.objects.get(filename="one.jpg")
    assert (photo.title_en, photo.title_zh) == ("The opening, 1", "开幕式")
    assert photo.identifier == f"{there.address}/canvas/1"
    assert photo.state == "ready"


@pytest.mark.django_db
def test_a_collection_is_opened_manifest_by_manifest_and_a_bad_one_costs_itself(
    box: Collection, there: web_server.Web
) -> None:
    members = [
        {"id": f"{there.address}/{name}", "type": kind}
        for name, kind in (("a", "Manifest"), ("gone", "Manifest"), ("top", "Collection"))
    ]
    there.says |= {
        "/top": json.dumps({"type": "Collection", "items": members}).encode(),
        "/a": second(there.address),
        # This service knows the old word only.
        "/two/full/full/0/default.jpg": scan(1),
    }
    out, err = ingest(f"{there.address}/top")
    assert out.splitlines()[-1] == "1 new, 1 not taken"
    assert "gone: not taken. The other side answers 404" in err
    assert Photo.objects.get().title_zh == "开幕式"
    # A collection that names itself is opened once more and adds nothing.
    assert BatchFile.objects.filter(outcome="opened").count() == 2


@pytest.mark.django_db
def test_a_host_that_is_not_allowed_stops_it_with_a_sentence(
    box: Collection, there: web_server.Web, settings: Any
) -> None:
    settings.INGEST_PRIVATE_HOSTS = []
    with pytest.raises(CommandError, match="may not fetch from 127"):
        ingest(f"{there.address}/manifest.json")
    assert Batch.objects.get().code == "host-not-allowed"
    assert there.asked == []


@pytest.mark.django_db
@pytest.mark.parametrize("content", [b"<html>", b"[]", b'{"type": "AnnotationPage"}', b"[" * 90000])
def test_what_is_no_manifest_is_called_so(
    box: Collection, there: web_server.Web, content: bytes
) -> None:
    there.says["/manifest.json"] = content
    with pytest.raises(CommandError, match="not a manifest or a collection"):
        ingest(f"{there.address}/manifest.json")


@pytest.mark.parametrize(
    "document",
    [
        {"type": "Manifest", "items": "x"},
        {"type": "Manifest", "items": [None, 3, {"items": [{"items": [{"body": 5}]}]}]},
        {"type": "Manifest", "items": [{"items": [{"items": [{"motivation": "painting"}]}]}]},
        {"type": "Collection", "items": [{"id": "javascript:x", "type": "Manifest"}]},
        {"@type": "sc:Manifest", "label": {"@value": {}}, "sequences": {"canvases": [[]]}},
    ],
)
def test_what_is_not_as_the_standard_says_is_passed_over(document: Any) -> None:
    found = iiif.read(document)
    assert found is not None
    assert list(found) == []


@pytest.mark.parametrize(
    ("label", "told"),
    [
        ("A square", {"title_en": "A square"}),
        ("广场", {"title_zh": "广场"}),
        ({"none": ["广场"]}, {"title_zh": "广场"}),
        ({"fr": ["Une place"]}, {"title_en": "Une place"}),
        ({"en": ["A <b>square</b>"], "zh": ["广场"]}, {"title_en": "A square", "title_zh": "广场"}),
        ([{"@value": "A square", "@language": "en-GB"}], {"title_en": "A square"}),
        (None, {}),
    ],
)
def test_labels_become_titles(label: Any, told: dict[str, str]) -> None:
    assert iiif.words(label) == told
