"""A file of several pages asks what they are: nothing is lost meanwhile, no answer done twice."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pyvips
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from archive import decoder, ingest, pairing, storage
from archive.actions import SEVERAL_PAGES, answer_pages, receive_scan
from archive.lifecycle import PairState, PhotoState
from archive.models import Collection, Pair, Photo
from archive.policy import Refused
from tests import factories
from tests.archive.scans import tiff
from tests.people import Cast, appoint, cast

pytestmark = pytest.mark.usefixtures("no_bells")


@pytest.fixture
def people(db: None) -> Cast:
    return cast()


@pytest.fixture
def box(people: Cast) -> Collection:
    made = factories.collection(slug="box")
    appoint(people.cora, made)
    return made


def sent(box: Collection, people: Cast, content: bytes, pages: str = "") -> Photo:
    photo, _new = receive_scan(
        collection=box,
        chunks=[content],
        filename="two.tif",
        by=people.cora,
        now=timezone.now(),
        pages=pages,
        describe={"title_en": "Tehran"},
    )
    return photo


def read_all(box: Collection) -> list[Photo]:
    """As workers would, until nothing is left to read; gives the photos by page."""
    while waiting := list(box.photos.filter(state=PhotoState.READING)):
        for photo in waiting:
            ingest.read_photo(photo_id=photo.pk)
    return list(box.photos.order_by("page"))


def test_it_asks_and_keeps_every_byte_until_it_is_answered(box: Collection, people: Cast) -> None:
    content = tiff(2)
    sent(box, people, content)
    (photo,) = read_all(box)
    assert (photo.state, photo.quarantine_code) == (PhotoState.QUARANTINED, SEVERAL_PAGES)
    assert photo.quarantine_facts == {"pages": 2}
    with storage.open_key(storage.incoming_key(photo.sha256)) as stream:
        assert hashlib.sha256(stream.read()).hexdigest() == photo.sha256
    assert sent(box, people, content) == photo


def test_one_photo_each(box: Collection, people: Cast) -> None:
    photo = sent(box, people, tiff(3))
    read_all(box)
    photo.refresh_from_db()
    answer_pages(photo=photo, pages="photos", by=people.cora, now=timezone.now())
    photos = read_all(box)
    assert [(each.page, each.state, each.title_en) for each in photos] == [
        (number, PhotoState.READY, "Tehran") for number in (1, 2, 3)
    ]
    assert len({each.working_sha256 for each in photos}) == 3
    assert len({each.original_id for each in photos}) == 1
    assert not Pair.objects.exists()


def test_front_and_back_are_a_pair_and_the_back_goes_on_hold(box: Collection, people: Cast) -> None:
    photo = sent(box, people, tiff(4))
    read_all(box)
    photo.refresh_from_db()
    answer_pages(photo=photo, pages="sides", by=people.cora, now=timezone.now())
    states = [each.state for each in read_all(box)]
    assert states == [PhotoState.READY, PhotoState.ON_HOLD] * 2
    pairs = Pair.objects.order_by("pk")
    assert [(each.state, each.stays.page) for each in pairs] == [  # type: ignore[union-attr]
        (PairState.OTHER_SIDE, 1),
        (PairState.OTHER_SIDE, 3),
    ]
    assert {each.decided_by for each in pairs} == {people.cora}


def test_only_the_first(box: Collection, people: Cast) -> None:
    sent(box, people, tiff(2), pages="first")
    (photo,) = read_all(box)
    assert photo.state == PhotoState.READY


def test_an_odd_number_has_no_backs_and_is_asked_about(box: Collection, people: Cast) -> None:
    sent(box, people, tiff(3), pages="sides")
    (photo,) = read_all(box)
    assert photo.quarantine_code == SEVERAL_PAGES
    with pytest.raises(Refused) as caught:
        answer_pages(photo=photo, pages="sides", by=people.cora, now=timezone.now())
    assert caught.value.code == "odd-pages"


def test_a_second_answer_comes_too_late(box: Collection, people: Cast) -> None:
    photo = sent(box, people, tiff(2))
    read_all(box)
    photo.refresh_from_db()
    again = Photo.objects.get(pk=photo.pk)
    answer_pages(photo=photo, pages="photos", by=people.cora, now=timezone.now())
    with pytest.raises(Refused) as caught:
        answer_pages(photo=again, pages="sides", by=people.cora, now=timezone.now())
    assert caught.value.conflict
    assert [each.pages_are for each in read_all(box)] == ["photos", "photos"]


def test_a_worker_that_dies_after_the_first_page_loses_none(
    box: Collection, people: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = sent(box, people, tiff(2), pages="sides")
    with monkeypatch.context() as patched:
        patched.setattr(ingest, "join_sides", lambda **_words: (_ for _ in ()).throw(SystemExit))
        with pytest.raises(SystemExit):
            ingest.read_photo(photo_id=photo.pk)
    assert [each.state for each in read_all(box)] == [PhotoState.READY, PhotoState.ON_HOLD]


def killed_before_pairing(
    box: Collection, people: Cast, monkeypatch: pytest.MonkeyPatch
) -> tuple[Photo, Photo]:
    """Front and back are read, and each time the worker died before it looked for the other."""
    sent(box, people, tiff(2), pages="sides")
    with monkeypatch.context() as patched:
        patched.setattr(ingest, "join_sides", lambda **_words: (_ for _ in ()).throw(SystemExit))
        while (page := box.photos.filter(state=PhotoState.READING).first()) is not None:
            with pytest.raises(SystemExit):
                ingest.read_photo(photo_id=page.pk)
    front, back = box.photos.order_by("page")
    assert (front.state, back.state) == (PhotoState.READY, PhotoState.READY)
    return front, back


def test_the_sweep_joins_what_a_killed_worker_left_apart(
    box: Collection, people: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    front, back = killed_before_pairing(box, people, monkeypatch)
    assert pairing.sweep_sides(now=timezone.now()) == 1
    pair = Pair.objects.get()
    assert (pair.state, pair.stays, pair.decided_by) == (PairState.OTHER_SIDE, front, people.cora)
    back.refresh_from_db()
    assert back.state == PhotoState.ON_HOLD
    cache.clear()
    assert pairing.sweep_sides(now=timezone.now()) == 0
    pairing.join_sides(photo=front, now=timezone.now())
    for photo in (front, back):
        assert photo.events.filter(verb="pair.other_side").count() == 1


def test_the_sweep_leaves_alone_what_somebody_took_back(
    box: Collection, people: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    _front, back = killed_before_pairing(box, people, monkeypatch)
    pairing.sweep_sides(now=timezone.now())
    pairing.take_back_pair(pair=Pair.objects.get(), by=people.cora, now=timezone.now())
    cache.clear()
    assert pairing.sweep_sides(now=timezone.now()) == 0
    pairing.join_sides(photo=back, now=timezone.now())
    assert Pair.objects.get().state == PairState.WAITING
    assert [each.state for each in box.photos.all()] == [PhotoState.READY] * 2


def test_the_sweep_reads_the_photos_once_a_minute(
    box: Collection, people: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    pairing.sweep_sides(now=timezone.now())
    killed_before_pairing(box, people, monkeypatch)
    assert pairing.sweep_sides(now=timezone.now()) == 0


def test_the_page_of_the_scan_asks_and_takes_the_answer(
    client: Client, box: Collection, people: Cast
) -> None:
    photo = sent(box, people, tiff(2))
    read_all(box)
    client.force_login(people.cora)
    page = client.get(reverse("archive:describe", args=[photo.ref])).text
    assert "2 pages" in page
    assert all(f'value="{each}"' in page for each in ("first", "photos", "sides"))
    client.post(reverse("archive:pages", args=[photo.ref]), {"pages": "sides"})
    assert len(read_all(box)) == 2


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("photos", ["This is page 1 of the 2 pages", "This is page 2 of the 2 pages"]),
        ("sides", ["This is page 1 of the 2 pages", "This is page 2 of the 2 pages"]),
        ("first", ["The file has 2 pages; the first one was taken."]),
    ],
)
def test_the_page_of_a_photo_tells_which_page_of_the_file_it_is(
    client: Client, box: Collection, people: Cast, said: str, told: list[str]
) -> None:
    sent(box, people, tiff(2), pages=said)
    client.force_login(people.cora)
    for photo, words in zip(read_all(box), told, strict=True):
        page = client.get(reverse("archive:describe", args=[photo.ref])).text
        assert words in page
        assert ("the first one was taken" in page) == (said == "first")


def test_a_program_sends_and_answers(box: Collection, people: Cast, tmp_path: Path) -> None:
    cora = APIClient()
    cora.credentials(HTTP_AUTHORIZATION=f"Token {Token.objects.create(user=people.cora).key}")
    path = tmp_path / "two.tif"
    path.write_bytes(tiff(2))
    with path.open("rb") as file:
        told = cora.post("/api/v1/collections/box/scans", {"file": file}).json()
    read_all(box)
    url = f"/api/v1/photos/{told['ref']}"
    assert cora.get(url).json()["quarantine_code"] == SEVERAL_PAGES
    assert cora.post(f"{url}/pages", {"pages": "photos"}, format="json").status_code == 200
    assert cora.post(f"{url}/pages", {"pages": "photos"}, format="json").status_code == 409
    assert [each.page for each in read_all(box)] == [1, 2]


def test_the_command_is_told_and_may_be_called_again(
    box: Collection, people: Cast, tmp_path: Path
) -> None:
    folder = tmp_path / "scans"
    folder.mkdir()
    (folder / "two.tif").write_bytes(tiff(2))
    words = ["ingest", str(folder), "--collection", "box", "--wait", "--pages", "sides"]
    for _time in range(2):
        call_command(*words, verbosity=0)
    assert [each.state for each in box.photos.order_by("page")] == [
        PhotoState.READY,
        PhotoState.ON_HOLD,
    ]


@pytest.mark.parametrize(
    "options", [{"pyramid": True, "tile": True}, {"pyramid": True, "tile": True, "subifd": True}]
)
def test_the_levels_of_a_pyramid_are_no_pages(tmp_path: Path, options: dict[str, Any]) -> None:
    noise = np.random.default_rng(1).integers(20, 230, (900, 1200, 3), np.uint8)
    path = tmp_path / "pyramid.tif"
    pyvips.Image.new_from_array(noise).tiffsave(str(path), **options)
    assert decoder.pages_of(path, "image/tiff") == [0]


@pytest.mark.parametrize("options", [{}, {"bigtiff": True}])
def test_pages_are_counted_in_every_kind_of_tiff(tmp_path: Path, options: dict[str, Any]) -> None:
    path = tmp_path / "pages.tif"
    path.write_bytes(tiff(3, **options))
    assert decoder.pages_of(path, "image/tiff") == [0, 1, 2]


def test_a_chain_of_pages_that_bites_its_tail_ends(tmp_path: Path) -> None:
    content = bytearray(tiff(2))
    start = int.from_bytes(content[4:8], "little")
    entries = int.from_bytes(content[start : start + 2], "little")
    link = start + 2 + 12 * entries
    content[link : link + 4] = content[4:8]
    path = tmp_path / "tail.tif"
    path.write_bytes(bytes(content))
    assert decoder.pages_of(path, "image/tiff") == [0]


# --- said before it is sent ----------------------------------------------------------------------
def test_the_upload_page_asks_beforehand_and_the_answer_is_kept(
    client: Client, box: Collection, people: Cast
) -> None:
    client.force_login(people.cora)
    page = client.get(reverse("archive:upload", args=["box"])).text
    assert [f'name="pages" value="{each}"' in page for each in ("", "photos", "sides")] == [
        True
    ] * 3
    sent = [SimpleUploadedFile(f"{n}.tif", tiff(n)) for n in (2, 4)]
    client.post(reverse("archive:receive", args=["box"]), {"files": sent, "pages": "sides"})
    assert [each.state for each in read_all(box)].count(PhotoState.ON_HOLD) == 3


def test_an_answer_that_is_none_takes_no_file(
    client: Client, box: Collection, people: Cast
) -> None:
    client.force_login(people.cora)
    file = SimpleUploadedFile("two.tif", tiff(2))
    answer = client.post(
        reverse("archive:receive", args=["box"]), {"files": [file], "pages": "x"}, follow=True
    )
    assert "Choose what the pages are." in answer.text
    assert not box.photos.exists()
