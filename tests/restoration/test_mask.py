"""Paint a mask: kept by its content, looked at by its owner, refused when it is no mask."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from archive import storage
from archive.sizes import fit
from restoration import masks
from restoration.actions.drafts import keep_mask
from restoration.models import Assessment, Draft, Job
from restoration.views import bench
from tests import factories
from tests.factories import NOW
from tests.people import Cast

from .conftest import Desk, recipe


def png(width: int = 32, height: int = 24, *, bits: int = 8, colour: int = 0) -> bytes:
    """A grey PNG, black; enough of one for its header to be read."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        sealed = kind + data
        return struct.pack(">I", len(data)) + sealed + struct.pack(">I", zlib.crc32(sealed))

    head = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    rows = zlib.compress(b"".join(b"\0" + bytes(width) for _row in range(min(height, 100))))
    signature = b"\x89PNG\r\n\x1a\n"
    return signature + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def paint(desk: Desk, content: bytes) -> Any:
    file = SimpleUploadedFile("mask.png", content, content_type="image/png")
    return desk.post("mask", data={"mask": file}, headers={"accept": "application/json"})


def sheet(desk: Desk, sha256: str) -> Any:
    return desk.client.get(reverse("restoration:sheet", args=[desk.photo.ref, sha256]))


def drafted(desk: Desk, sha256: str) -> Any:
    return desk.client.put(
        desk.url("draft"), {"rev": 0, "draft": {"mask": sha256}}, content_type="application/json"
    )


def test_it_is_kept_by_its_content(vera: Desk) -> None:
    first, second = paint(vera, png()), paint(vera, png())
    assert first.status_code == 201
    assert first.json() == second.json()
    assert storage.exists(storage.sheet_key(first.json()["sha256"]))


def test_it_can_be_seen_by_who_painted_it_and_by_nobody_else(vera: Desk, victor: Desk) -> None:
    sha256 = paint(vera, png()).json()["sha256"]
    assert drafted(vera, sha256).status_code == 200
    answer = sheet(vera, sha256)
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/png")
    assert "immutable" in answer["Cache-Control"]
    assert sheet(victor, sha256).status_code == 404


@pytest.mark.usefixtures("bytes_in_s3")
def test_what_the_bench_reads_as_pixels_goes_through_the_site_though_it_lies_in_a_bucket(
    vera: Desk,
) -> None:
    sha256 = paint(vera, png()).json()["sha256"]
    answer = sheet(vera, sha256)
    assert (answer.status_code, b"".join(answer)) == (200, png())
    bench = vera.get("bench").text
    [small] = re.findall(r'data-tint data-from="([^"]+)"', bench)
    assert small.startswith(reverse("restoration:picture", args=[vera.photo.ref, 0, "400.jpg"]))
    answer = vera.client.get(small)
    assert (answer.status_code, b"".join(answer)[:3]) == (200, b"\xff\xd8\xff")
    for shown in (small.partition("?")[0], small.replace("400.jpg", "full.jpg")):
        assert vera.client.get(shown).status_code == 302, "what is only shown comes from the bucket"


def test_the_damage_that_was_found_can_be_seen_by_all_who_see_the_photo(
    vera: Desk, victor: Desk
) -> None:
    sha256 = paint(vera, png()).json()["sha256"]
    Assessment.objects.create(photo=vera.photo, mask_sha256=sha256, made_at=NOW)
    assert sheet(victor, sha256).status_code == 200
    assert victor.client.get(sheet_url_elsewhere(sha256)).status_code == 404


def test_only_its_painter_may_name_it_and_only_for_its_photo(
    vera: Desk, people: Cast, sit: Callable[..., Desk]
) -> None:
    sha256 = paint(vera, png()).json()["sha256"]
    fields = recipe(**{"step-repair": "on", "mask": sha256})
    elsewhere = sit(people.vera, factories.photo(vera.photo.collection, bytes_too=True))
    vera.post("release")
    victor = sit(people.victor, vera.photo)
    for desk in (elsewhere, victor):
        answer = desk.post("run", data=fields)
        assert answer.status_code == 422
        assert "The painted mask could not be found" in answer.text
        saved = drafted(desk, sha256)
        assert (saved.status_code, saved.json()["code"]) == (422, "unknown-mask")
    assert not Draft.objects.exists()
    assert not Job.objects.exists()
    Assessment.objects.create(photo=vera.photo, mask_sha256=sha256, made_at=NOW)
    assert victor.post("run", data=fields).status_code == 302


def sheet_url_elsewhere(sha256: str) -> str:
    return reverse("restoration:sheet", args=["bcdfghjkmn", sha256])


def test_what_is_no_mask_is_refused_with_a_sentence(vera: Desk) -> None:
    for content in (b"", b"GIF89a", png()[:20], png(bits=16), b"\x89PNG\r\n\x1a\n" + b"x" * 40):
        answer = paint(vera, content) if content else vera.post("mask")
        assert answer.status_code == 422, content[:12]
        assert "8 bits" in answer.json()["message"]


def test_a_mask_that_promises_a_huge_picture_is_refused_unread(vera: Desk) -> None:
    answer = paint(vera, png(60_000, 60_000))
    assert (answer.status_code, answer.json()["code"]) == (422, "mask-file-too-large")


@pytest.mark.parametrize("size", [(64, 64), (32, 26), (24, 32), (128, 90)])
def test_a_mask_of_other_proportions_is_refused_with_both_sizes(
    vera: Desk, size: tuple[int, int]
) -> None:
    answer = paint(vera, png(*size))
    assert (answer.status_code, answer.json()["code"]) == (422, "mask-other-shape")
    assert f"{size[0]} × {size[1]}" in answer.json()["message"]
    assert "128 × 96" in answer.json()["message"]
    assert "Paint it on the page." in answer.json()["message"]


@pytest.mark.parametrize("size", [(128, 96), (256, 192), (31, 23), (33, 25), (4, 3)])
def test_a_smaller_copys_rounding_and_a_larger_mask_are_taken(
    vera: Desk, size: tuple[int, int]
) -> None:
    assert paint(vera, png(*size)).status_code == 201


@pytest.mark.parametrize("whole", [(6001, 3999), (3001, 4999), (2999, 8001), (5001, 17)])
def test_every_mask_that_a_bench_paints_has_the_shape(whole: tuple[int, int]) -> None:
    assert masks.is_same_shape(fit(*whole, bench.MASK_SIDE), whole)


def test_only_who_holds_the_photo_may_paint(vera: Desk, victor: Desk) -> None:
    assert paint(victor, png()).json()["code"] == "no-claim"
    vera.post("release")
    assert paint(vera, png()).status_code == 409


def test_of_a_file_without_end_no_more_is_read_than_a_mask_may_have(
    vera: Desk, victor: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []

    def kept(**told: Any) -> str:
        read.append(len(told["content"]))
        return keep_mask(**told)

    monkeypatch.setattr(masks, "MOST_BYTES", 1000)
    monkeypatch.setattr(bench, "keep_mask", kept)
    answer = paint(vera, png() + bytes(5000))
    assert (answer.status_code, answer.json()["code"]) == (422, "mask-file-too-large")
    assert paint(victor, png() + bytes(5000)).json()["code"] == "no-claim"
    assert read == [1001]
