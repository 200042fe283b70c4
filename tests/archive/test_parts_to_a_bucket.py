"""Large files straight to the bucket, in parts, on a real S3 service; no byte passes through us."""

from __future__ import annotations

import base64
import hashlib
import urllib.error
import urllib.request
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from archive import arriving, places, storage, uploading
from archive.forwarding import way
from archive.lifecycle import UploadState
from archive.models import Collection, Photo, Upload
from tests.archive.scans import scan, tiff

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("bytes_in_s3"),
    pytest.mark.usefixtures("no_bells"),
]
MIB = 1024**2
TUS = {"Tus-Resumable": "1.0.0"}
REFUSALS = {400, 401, 403, 404}


def begun(client: Client, box: Collection, size: int, **headers: str) -> dict[str, Any]:
    address = reverse("archive:uploads", args=[box.slug])
    answer = client.post(address, headers=TUS | {"Upload-Length": str(size)} | headers)
    assert answer.status_code == 201, answer.content
    told: dict[str, Any] = answer.json()
    return told


def address_of(client: Client, told: dict[str, Any], number: int) -> str:
    answer = client.post(told["parts_url"], {"number": number}, content_type="application/json")
    assert answer.status_code == 200, answer.content
    return str(answer.json()["url"])


def put(url: str, content: bytes) -> int:
    request = urllib.request.Request(url, data=content, method="PUT")
    try:
        with urllib.request.urlopen(request) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def send(client: Client, told: dict[str, Any], content: bytes, *numbers: int) -> None:
    size = told["part_size"]
    for number in numbers or range(1, -(-len(content) // size) + 1):
        part = content[(number - 1) * size : number * size]
        assert put(address_of(client, told, number), part) == 200


def settled() -> Upload:
    upload = Upload.objects.latest("pk")
    uploading.settle_upload(upload_id=upload.pk, now=timezone.now())
    upload.refresh_from_db()
    return upload


def big(size: int) -> bytes:
    """Bytes whose parts are not alike."""
    blocks = (hashlib.sha256(str(at).encode()).digest() * 32768 for at in range(-(-size // MIB)))
    return b"".join(blocks)[:size]


def test_a_file_in_one_part_becomes_the_scan_that_it_was(cora: Client, box: Collection) -> None:
    content = scan(3)
    told = begun(cora, box, len(content))
    send(cora, told, content)
    answer = cora.post(told["join_url"])
    assert (answer.status_code, answer.json()["state"]) == (202, "reading")
    upload = settled()
    assert upload.state == UploadState.TAKEN
    assert upload.photo is not None
    key = storage.incoming_key(hashlib.sha256(content).hexdigest())
    with storage.open_key(key) as stream:
        assert stream.read() == content
    assert not storage.exists(arriving.key(upload.ref))
    assert list(places.unfinished(way().main)) == []
    # Asked again, because the answer was lost.
    assert cora.post(told["join_url"]).json()["photo_url"]


@pytest.mark.slow
def test_what_was_said_of_several_pages_goes_along(cora: Client, box: Collection) -> None:
    content = tiff(2)
    pages = base64.b64encode(b"photos").decode()
    told = begun(cora, box, len(content), **{"Upload-Metadata": f"pages {pages}"})
    send(cora, told, content, 1)
    cora.post(told["join_url"], headers=TUS)
    settled()
    assert Photo.objects.get().pages_are == "photos"


def test_sixty_four_megabytes_go_on_after_a_break_and_arrive_whole(
    cora: Client, box: Collection
) -> None:
    content = big(64 * MIB + 5)
    told = begun(cora, box, len(content))
    assert told["part_size"] == 8 * MIB
    send(cora, told, content, 1, 2, 5)
    here = cora.get(told["parts_url"]).json()["parts"]
    assert [(each["number"], each["size"]) for each in here] == [(n, 8 * MIB) for n in (1, 2, 5)]
    assert int(cora.head(told["state_url"], headers=TUS)["Upload-Offset"]) == 24 * MIB
    early = cora.post(told["join_url"])
    assert (early.status_code, early.json()["code"]) == (409, "parts-missing")
    send(cora, told, content, 3, 4, 6, 7, 8, 9)
    assert cora.post(told["join_url"]).status_code == 202
    upload = settled()
    assert upload.sha256 == hashlib.sha256(content).hexdigest()
    with storage.open_key(storage.incoming_key(upload.sha256)) as stream:
        assert storage.measure(stream) == (upload.sha256, len(content))
    assert Photo.objects.get() == upload.photo


def test_an_address_is_for_one_part_of_one_file_and_not_for_ever(
    cora: Client, box: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = begun(cora, box, 9 * MIB)
    url = address_of(cora, told, 1)
    assert put(url.replace("partNumber=1", "partNumber=2"), b"x") in REFUSALS
    assert put(url.partition("?")[0], b"x") in REFUSALS
    key = arriving.key(Upload.objects.get().ref)
    assert put(url.replace(key, storage.original_key("a" * 64)), b"x") in REFUSALS
    monkeypatch.setattr(arriving, "ADDRESS_SECONDS", -1)
    with pytest.raises((ValueError, AssertionError)):
        assert put(address_of(cora, told, 1), b"x") == 200
    assert cora.get(told["parts_url"]).json()["parts"] == []
    for number in (0, 3, 10_000):
        answer = cora.post(told["parts_url"], {"number": number}, content_type="application/json")
        assert (answer.status_code, answer.json()["code"]) == (422, "no-such-part")


def test_more_than_was_promised_is_never_joined(cora: Client, box: Collection) -> None:
    told = begun(cora, box, 100)
    assert put(address_of(cora, told, 1), b"x" * 500) == 200
    answer = cora.post(told["join_url"])
    assert (answer.status_code, answer.json()["code"]) == (409, "parts-missing")
    assert Upload.objects.get().state == UploadState.ARRIVING


def test_bytes_do_not_come_through_the_site_then(cora: Client, box: Collection) -> None:
    told = begun(cora, box, 100)
    headers = TUS | {"Upload-Offset": "0"}
    kind = "application/offset+octet-stream"
    answer = cora.patch(told["state_url"], b"x", content_type=kind, headers=headers)
    assert answer.status_code == 409
    page = cora.get(reverse("archive:upload", args=[box.slug])).content.decode()
    assert 'data-way="parts"' in page


def test_an_end_leaves_nothing_in_the_bucket(cora: Client, box: Collection, settings: Any) -> None:
    given_up, expired = (begun(cora, box, 9 * MIB) for _ in range(2))
    for told in (given_up, expired):
        assert put(address_of(cora, told, 2), b"x") == 200
    assert len(list(places.unfinished(way().main))) == 2
    assert cora.delete(given_up["state_url"], headers=TUS).status_code == 204
    assert len(list(places.unfinished(way().main))) == 1
    later = timezone.now() + timedelta(hours=settings.UPLOAD_HOURS + 1)
    assert uploading.sweep_uploads(now=later) == 1
    assert list(places.unfinished(way().main)) == []
    assert cora.get(expired["parts_url"]).status_code == 410


def test_parts_that_nobody_joined_are_joined_by_the_sweep_instead_of_dropped(
    cora: Client, box: Collection, settings: Any
) -> None:
    content = scan(4, height=300, width=300)
    send(cora, begun(cora, box, len(content)), content)
    begun(cora, box, 100)
    late = timezone.now() + timedelta(hours=settings.UPLOAD_HOURS + 1)
    assert uploading.sweep_uploads(now=late) == 2
    states = Upload.objects.order_by("pk").values_list("state", flat=True)
    assert list(states) == [UploadState.WHOLE, UploadState.ENDED]
    first = Upload.objects.earliest("pk")
    uploading.settle_upload(upload_id=first.pk, now=timezone.now())
    first.refresh_from_db()
    assert first.state == UploadState.TAKEN


def test_parts_that_no_row_knows_are_found_and_given_up(cora: Client, box: Collection) -> None:
    begun(cora, box, 100)
    arriving.begin_parts("nobody-knows")
    soon, later = timezone.now(), timezone.now() + uploading.STRAYS_AFTER * 1.1
    assert uploading.sweep_uploads(now=soon) == 0
    cache.clear()
    Upload.objects.update(expires_at=later + timedelta(hours=1))
    assert uploading.sweep_uploads(now=later) == 1
    (left,) = places.unfinished(way().main)
    assert left.key == arriving.key(Upload.objects.get().ref)
    places.give_up(way().main, left)
