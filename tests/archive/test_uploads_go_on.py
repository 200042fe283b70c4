"""Large files that go on where they stopped: the tus protocol, through its addresses."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from archive import arriving, ingest, storage, uploading
from archive.arriving import Overtaken
from archive.lifecycle import PhotoState, UploadState
from archive.models import Collection, Curatorship, Event, Original, Photo, Upload
from archive.policy import Refused
from tests import factories
from tests.archive.scans import scan, tiff
from tests.factories import NOW
from tests.people import Cast, person
from tests.races.together import together

pytestmark = pytest.mark.usefixtures("no_bells")

SCAN = scan(7, height=300, width=400)
TUS = {"Tus-Resumable": "1.0.0"}
BYTES = "application/offset+octet-stream"


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:
    """Bytes in a real folder: a file that grows needs one."""
    settings.STORAGES = settings.STORAGES | {
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path / "bytes")},
        }
    }
    return tmp_path / "bytes"


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def begun(client: Client, box: Collection, content: bytes = SCAN, **headers: str) -> Any:
    told = {"Upload-Length": str(len(content)), "Upload-Metadata": f"filename {encoded('开.tif')}"}
    address = reverse("archive:uploads", args=[box.slug])
    return client.post(address, headers=TUS | told | headers)


def patch(client: Client, url: str, content: bytes, offset: int, **headers: str) -> Any:
    told = TUS | {"Upload-Offset": str(offset)} | headers
    return client.patch(url, content, content_type=BYTES, headers=told)


def standing(client: Client, url: str) -> int:
    return int(client.head(url, headers=TUS)["Upload-Offset"])


def settled(upload: Upload) -> Upload:
    uploading.settle_upload(upload_id=upload.pk, now=timezone.now())
    upload.refresh_from_db()
    return upload


# --- the way of a file ----------------------------------------------------------------------------
def test_a_file_sent_in_pieces_becomes_the_scan_that_it_was(cora: Client, box: Collection) -> None:
    answer = begun(cora, box)
    assert answer.status_code == 201
    assert answer["Tus-Resumable"] == "1.0.0"
    assert "Upload-Expires" in answer
    url = answer["Location"]
    assert standing(cora, url) == 0
    first = patch(cora, url, SCAN[:5000], 0)
    assert (first.status_code, first["Upload-Offset"]) == (204, "5000")
    assert standing(cora, url) == 5000
    last = patch(cora, url, SCAN[5000:], 5000)
    assert last["Upload-Offset"] == str(len(SCAN))
    assert not Photo.objects.exists()
    assert cora.get(url).json()["state"] == "reading"
    upload = settled(Upload.objects.get())
    assert upload.state == UploadState.TAKEN
    assert upload.photo is not None
    assert upload.photo.sha256 == hashlib.sha256(SCAN).hexdigest()
    assert upload.photo.filename == "开.tif"
    ingest.read_photo(photo_id=upload.photo.pk)
    item = cora.get(url).json()
    assert (item["state"], item["done"]) == ("ready", True)
    with storage.open_key(storage.original_key(upload.photo.sha256)) as stream:
        assert stream.read() == SCAN
    assert Original.objects.get().size == len(SCAN)
    assert not storage.exists(arriving.key(upload.ref))


def test_what_the_server_can_is_told_without_a_version(cora: Client, box: Collection) -> None:
    answer = cora.options(reverse("archive:uploads", args=[box.slug]))
    assert answer.status_code == 204
    assert answer["Tus-Version"] == "1.0.0"
    assert answer["Tus-Extension"] == "creation,expiration,checksum,termination"
    assert int(answer["Tus-Max-Size"]) == 512 * 1024**2
    assert "sha1" in answer["Tus-Checksum-Algorithm"]


def test_another_version_of_the_protocol_is_refused_by_its_state(
    cora: Client, box: Collection
) -> None:
    answer = begun(cora, box, **{"Tus-Resumable": "0.2.2"})
    assert (answer.status_code, answer["Tus-Version"]) == (412, "1.0.0")
    assert not Upload.objects.exists()


def test_a_line_that_breaks_loses_nothing_that_had_come(cora: Client, box: Collection) -> None:
    url = begun(cora, box)["Location"]
    upload = Upload.objects.get()

    def breaks() -> Iterator[bytes]:
        yield SCAN[:3000]
        yield SCAN[3000:4000]

    with pytest.raises(RuntimeError):
        uploading.add_bytes(upload=upload, chunks=_then_dies(breaks()), offset=0, now=NOW)
    assert standing(cora, url) == 4000
    assert patch(cora, url, SCAN[4000:], 4000).status_code == 204
    assert settled(upload).state == UploadState.TAKEN


def _then_dies(chunks: Iterator[bytes]) -> Iterator[bytes]:
    yield from chunks
    raise RuntimeError


def test_bytes_for_another_place_are_refused_and_change_nothing(
    cora: Client, box: Collection
) -> None:
    url = begun(cora, box)["Location"]
    patch(cora, url, SCAN[:100], 0)
    assert patch(cora, url, SCAN[:100], 0).status_code == 409
    assert patch(cora, url, SCAN[200:], 200).status_code == 409
    assert standing(cora, url) == 100


def test_a_request_that_hangs_is_overtaken_by_the_next(cora: Client, box: Collection) -> None:
    url = begun(cora, box)["Location"]
    upload = Upload.objects.get()

    def hangs() -> Iterator[bytes]:
        yield SCAN[:1000]
        # The line is dead, but nobody has told this request; the browser goes on with another.
        assert patch(cora, url, SCAN[1000:3000], 1000).status_code == 204
        yield b"x" * 500

    with pytest.raises(Overtaken):
        uploading.add_bytes(upload=upload, chunks=hangs(), offset=0, now=timezone.now())
    assert standing(cora, url) == 3000
    patch(cora, url, SCAN[3000:], 3000)
    assert settled(upload).sha256 == hashlib.sha256(SCAN).hexdigest()


def test_a_checksum_is_held_to_and_a_wrong_block_thrown_away(cora: Client, box: Collection) -> None:
    url = begun(cora, box)["Location"]
    for name in ("sha1", "sha256"):
        right = base64.b64encode(hashlib.new(name, SCAN[:2000]).digest()).decode()
        said = {"Upload-Checksum": f"{name} {right}"}
        assert patch(cora, url, b"y" * 2000, 0, **said).status_code == 460
        assert standing(cora, url) == 0
    assert patch(cora, url, SCAN[:2000], 0, **said).status_code == 204
    assert patch(cora, url, SCAN[:1], 2000, **{"Upload-Checksum": "md4 aa"}).status_code == 400


@pytest.mark.parametrize(
    ("headers", "state"),
    [
        ({"Upload-Offset": ""}, 400),
        ({"Upload-Offset": "-1"}, 400),
        ({"Content-Type": "text/plain"}, 415),
    ],
)
def test_what_is_not_the_protocol_is_said_to_be_so(
    cora: Client, box: Collection, headers: dict[str, str], state: int
) -> None:
    url = begun(cora, box)["Location"]
    kind = headers.pop("Content-Type", BYTES)
    told = TUS | {"Upload-Offset": "0"} | headers
    assert cora.patch(url, b"x", content_type=kind, headers=told).status_code == state
    assert standing(cora, url) == 0


def test_more_than_was_promised_is_not_taken(cora: Client, box: Collection) -> None:
    url = begun(cora, box, b"x" * 10)["Location"]
    assert patch(cora, url, b"x" * 11, 0).status_code == 413
    upload = Upload.objects.get()
    end = uploading.add_bytes(upload=upload, chunks=[b"x" * 8, b"y" * 8], offset=0, now=NOW)
    assert end == 10
    with storage.open_key(arriving.key(upload.ref)) as stream:
        assert stream.read() == b"x" * 8 + b"yy"


def test_a_proxy_that_knows_no_patch_is_got_around(cora: Client, box: Collection) -> None:
    url = begun(cora, box)["Location"]
    told = TUS | {"Upload-Offset": "0", "X-HTTP-Method-Override": "PATCH"}
    assert cora.post(url, SCAN, content_type=BYTES, headers=told).status_code == 204


# --- limits ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("size", "state", "words"),
    [
        (0, 422, "The file is empty."),
        (2 * 1024**2, 413, "The file is larger than the 1 MB allowed."),
    ],
)
def test_a_size_that_cannot_be_taken_is_refused_before_a_byte_is_sent(
    cora: Client, box: Collection, settings: Any, size: int, state: int, words: str
) -> None:
    settings.MAX_UPLOAD_BYTES = 1024**2
    answer = begun(cora, box, **{"Upload-Length": str(size)})
    assert (answer.status_code, answer.json()["message"]) == (state, words)
    assert not Upload.objects.exists()


def test_nobody_has_more_unfinished_uploads_than_allowed(
    cora: Client, box: Collection, settings: Any, folder: Path
) -> None:
    settings.UPLOADS_OPEN = 2
    first, _second = (begun(cora, box)["Location"] for _ in range(2))
    answer = begun(cora, box)
    assert answer.status_code == 429
    assert "2 unfinished uploads" in answer.json()["message"]
    assert len(list((folder / "arriving").iterdir())) == 2
    assert cora.delete(first, headers=TUS).status_code == 204
    assert begun(cora, box).status_code == 201


def test_every_refusal_is_said_in_chinese_too(cora: Client, box: Collection, settings: Any) -> None:
    settings.UPLOADS_OPEN = 1
    begun(cora, box)
    answer = begun(cora, box, **{"Accept-Language": "zh-hans"})
    assert "未完成" in answer.json()["message"]


# --- who may --------------------------------------------------------------------------------------
def test_only_who_may_add_to_the_collection_begins_one(
    client: Client, people: Cast, box: Collection
) -> None:
    for name in ("vera", "clive"):
        client.force_login(getattr(people, name))
        assert begun(client, box).status_code == 404
    assert not Upload.objects.exists()


def test_an_upload_is_its_makers_alone(cora: Client, people: Cast, box: Collection) -> None:
    url = begun(cora, box)["Location"]
    other = Client()
    for name in ("vera", "clive", "sten"):
        other.force_login(getattr(people, name))
        assert other.head(url, headers=TUS).status_code == 404
        assert patch(other, url, SCAN, 0).status_code == 404
        assert other.delete(url, headers=TUS).status_code == 404


def test_who_is_no_curator_any_more_does_not_go_on(
    cora: Client, people: Cast, box: Collection
) -> None:
    url = begun(cora, box)["Location"]
    patch(cora, url, SCAN, 0)
    Curatorship.objects.filter(user=people.cora).delete()
    assert cora.head(url, headers=TUS).status_code == 404
    upload = settled(Upload.objects.get())
    assert (upload.state, upload.why) == (UploadState.REFUSED, "not-curator")
    assert not Photo.objects.exists()


def test_a_strangers_site_cannot_send_in_a_curators_name(people: Cast, box: Collection) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(people.cora)
    assert begun(client, box).status_code == 403


# --- what becomes of it ---------------------------------------------------------------------------
def test_a_file_that_is_here_already_is_the_same_photo(cora: Client, box: Collection) -> None:
    urls = []
    for _ in range(2):
        urls.append(begun(cora, box)["Location"])
        patch(cora, urls[-1], SCAN, 0)
        settled(Upload.objects.latest("pk"))
    photo = Photo.objects.get()
    ingest.read_photo(photo_id=photo.pk)
    assert cora.get(urls[0]).json()["state"] == "ready"
    again = cora.get(urls[1]).json()
    assert again["state"] == "duplicate"
    assert "in the collection already" in again["message"]


def test_another_sha256_than_was_promised_is_refused_with_a_sentence(
    cora: Client, box: Collection
) -> None:
    told = f"filename {encoded('a.tif')},sha256 {encoded('0' * 64)}"
    url = begun(cora, box, **{"Upload-Metadata": told})["Location"]
    patch(cora, url, SCAN, 0)
    upload = settled(Upload.objects.get())
    assert (upload.state, upload.why) == (UploadState.REFUSED, "sha256-differs")
    item = cora.get(url).json()
    assert (item["state"], item["done"]) == ("failed", True)
    assert "not what was sent" in item["message"]
    assert not Photo.objects.exists()
    assert not storage.exists(arriving.key(upload.ref))
    assert cora.head(url, headers=TUS).status_code == 410


MOMENTS = ("archive.arriving.adopt", "archive.actions.adopt_scan", "archive.uploading.Upload.move")


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_worker_that_dies_in_the_middle_is_followed_by_one_that_finishes(
    cora: Client, box: Collection, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    url = begun(cora, box)["Location"]
    patch(cora, url, SCAN, 0)
    upload = Upload.objects.get()

    class Killed(BaseException):
        """As if the process were gone: nothing of ours catches it."""

    def dies(*_args: Any, **_words: Any) -> None:
        raise Killed

    with monkeypatch.context() as death:
        death.setattr(moment, dies)
        with pytest.raises(Killed):
            settled(upload)
    if moment == MOMENTS[2]:  # the scan was even read before the next worker came
        ingest.read_photo(photo_id=Photo.objects.get().pk)
    assert settled(upload).state == UploadState.WHOLE  # its lease lasts
    later = timezone.now() + uploading.SETTLING_LEASE * 2
    assert uploading.sweep_uploads(now=later) == 1
    uploading.settle_upload(upload_id=upload.pk, now=later)
    upload.refresh_from_db()
    assert upload.state == UploadState.TAKEN
    assert Photo.objects.get() == upload.photo
    assert Event.objects.filter(verb="photo.received").count() == 1
    assert not storage.exists(arriving.key(upload.ref))


# --- the end --------------------------------------------------------------------------------------
def test_what_nobody_goes_on_with_expires_and_leaves_nothing(
    cora: Client, box: Collection, folder: Path, settings: Any
) -> None:
    url = begun(cora, box)["Location"]
    patch(cora, url, SCAN[:100], 0)
    now = timezone.now()
    assert uploading.sweep_uploads(now=now + timedelta(hours=settings.UPLOAD_HOURS - 1)) == 0
    assert uploading.sweep_uploads(now=now + timedelta(hours=settings.UPLOAD_HOURS + 1)) == 1
    assert Upload.objects.get().state == UploadState.ENDED
    assert list((folder / "arriving").iterdir()) == []
    assert cora.head(url, headers=TUS).status_code == 410
    assert patch(cora, url, SCAN[100:], 100).status_code == 410


def test_each_byte_that_comes_puts_the_end_off(cora: Client, box: Collection) -> None:
    url = begun(cora, box)["Location"]
    Upload.objects.update(expires_at=timezone.now() + timedelta(minutes=1))
    patch(cora, url, SCAN[:100], 0)
    assert Upload.objects.get().expires_at > timezone.now() + timedelta(hours=40)


def test_a_file_whose_beginning_was_cut_off_is_cleared_away(
    cora: Client, box: Collection, folder: Path
) -> None:
    begun(cora, box)
    (folder / "arriving" / "nobody-knows").write_bytes(b"x")
    assert uploading.sweep_uploads(now=timezone.now()) == 0
    uploading.cache.clear()
    assert uploading.sweep_uploads(now=timezone.now() + timedelta(hours=25)) == 1
    assert len(list((folder / "arriving").iterdir())) == 1


def test_one_that_was_given_up_is_gone_and_one_that_is_whole_is_not(
    cora: Client, box: Collection
) -> None:
    first, second = (begun(cora, box)["Location"] for _ in range(2))
    patch(cora, second, SCAN, 0)
    assert cora.delete(first, headers=TUS).status_code == 204
    assert cora.delete(first, headers=TUS).status_code == 410
    assert cora.delete(second, headers=TUS).status_code == 409


# --- the page -------------------------------------------------------------------------------------
def test_the_page_lists_what_has_not_all_arrived_and_gives_it_up_without_a_script(
    cora: Client, box: Collection, people: Cast
) -> None:
    url = begun(cora, box)["Location"]
    patch(cora, url, SCAN[: len(SCAN) // 2], 0)
    page = reverse("archive:upload", args=[box.slug])
    shown = cora.get(page).content.decode()
    assert "开.tif" in shown
    assert "49 %" in shown or "50 %" in shown
    upload = Upload.objects.get()
    give_up = reverse("archive:upload-give-up", args=[upload.ref])
    assert give_up in shown
    assert cora.post(give_up).status_code == 302
    assert "开.tif" not in cora.get(page).content.decode()
    other = Client()
    other.force_login(people.sten)
    begun(cora, box)
    assert "开.tif" not in other.get(page).content.decode()


def test_what_was_said_of_several_pages_goes_along(cora: Client, box: Collection) -> None:
    content = tiff(2)
    told = {"Upload-Metadata": f"filename {encoded('two.tif')},pages {encoded('sides')}"}
    url = begun(cora, box, content, **told)["Location"]
    assert cora.head(url, headers=TUS)["Upload-Metadata"] == told["Upload-Metadata"]
    assert "front and back ·" in cora.get(reverse("archive:upload", args=[box.slug])).text
    patch(cora, url, content, 0)
    assert settled(Upload.objects.get()).photo.pages_are == "sides"  # type: ignore[union-attr]


def test_pages_that_nobody_can_mean_begin_no_upload(cora: Client, box: Collection) -> None:
    assert begun(cora, box, **{"Upload-Metadata": f"pages {encoded('x')}"}).status_code == 422
    assert (
        begun(cora, box, **{"Upload-Metadata": f"filename {encoded('a')},pages "}).status_code
        == 201
    )


# --- two at once ----------------------------------------------------------------------------------
@pytest.mark.slow
@pytest.mark.usefixtures("on_postgres")
def test_two_hands_that_send_the_last_bytes_at_once_make_one_photo() -> None:
    sten, box = person("sten", is_steward=True), factories.collection()
    for seed in range(3):
        content = scan(seed)
        upload = uploading.begin_upload(
            collection=box, filename="a", size=len(content), by=sten, now=timezone.now()
        )

        def send(upload: Upload = upload, content: bytes = content) -> str:
            try:
                uploading.add_bytes(
                    upload=Upload.objects.get(pk=upload.pk),
                    chunks=[content[at : at + 100] for at in range(0, len(content), 100)],
                    offset=0,
                    now=timezone.now(),
                )
            except (Overtaken, Refused) as error:
                return type(error).__name__
            return "done"

        together([send] * 4)
        there = arriving.settled_length(upload.ref)
        upload.refresh_from_db()
        if upload.state == UploadState.ARRIVING:  # all stopped for one that was then too late
            uploading.add_bytes(
                upload=upload, chunks=[content[there:]], offset=there, now=timezone.now()
            )
        now = timezone.now()
        together([partial(uploading.settle_upload, upload_id=upload.pk, now=now)] * 4)
        upload.refresh_from_db()
        assert upload.sha256 == hashlib.sha256(content).hexdigest()
    assert Photo.objects.count() == 3
    assert {photo.state for photo in Photo.objects.all()} == {PhotoState.READING}
