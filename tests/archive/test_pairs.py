"""Photos that look alike: found when a scan is read, decided by a curator, taken back."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import pyvips
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from numpy.typing import NDArray
from scipy import ndimage

from archive import actions, ingest, likeness, pairing, queries
from archive.lifecycle import PairState, PhotoState
from archive.models import Collection, Event, Fingerprint, Pair, Photo
from archive.policy import Refused
from archive.twins import BAND_BITS, bands_of, joined
from tests import factories
from tests.factories import NOW
from tests.people import Cast, appoint, cast

A = 0x0F1E_2D3C_4B5A_6978


@pytest.fixture
def people() -> Cast:
    return cast()


@pytest.fixture
def box(people: Cast) -> Collection:
    made = factories.collection(slug="games")
    appoint(people.cora, made)
    return made


def look(photo: Photo, fingerprint: int) -> list[Pair]:
    return pairing.note_fingerprint(photo=photo, fingerprint=fingerprint, now=NOW)


def two(box: Collection, **of_second: str) -> Pair:
    """Two photos that look the same, the second newer."""
    look(factories.photo(box, title_zh="开幕式"), A)
    look(factories.photo(box, **of_second), A ^ 1)
    return Pair.objects.get()


def press(client: Client, pair: Pair, decision: str, stays: Photo | None = None) -> int:
    address = reverse("archive:pair-decide", args=["games", pair.pk])
    sent = {"decision": decision, "stays": stays.ref if stays else ""}
    return int(client.post(address, sent).status_code)


# --- how a picture looks -------------------------------------------------------------------------
def jpeg(pixels: NDArray[np.float32], quality: int = 85) -> bytes:
    image = pyvips.Image.new_from_array((pixels * 255).astype(np.uint8)).copy(interpretation="srgb")
    data: bytes = image.jpegsave_buffer(Q=quality)
    return data


def scene(seed: int) -> NDArray[np.float32]:
    """Light and dark lying about as in a photograph: float32 300x400x3 in [0, 1]."""
    coarse = np.random.default_rng(seed).random((9, 12))
    fine = ndimage.zoom(coarse, (300 / 9, 400 / 12), order=3)
    grey = np.clip(fine, 0, 1).astype(np.float32)
    return np.repeat(grey[..., None], 3, axis=2)


def apart(one: bytes, other: bytes) -> int:
    a, b = likeness.of_jpeg(one), likeness.of_jpeg(other)
    assert a is not None
    assert b is not None
    return (a ^ b).bit_count()


def test_another_scan_looks_alike_and_another_picture_does_not() -> None:
    picture = scene(1)
    darker = np.clip(picture**1.4 * 0.9 + 0.03, 0, 1).astype(np.float32)
    cropped = picture[3:-3, 4:-4]
    smaller = picture[::2, ::2]
    for scan in (jpeg(darker), jpeg(cropped), jpeg(smaller, 40)):
        assert apart(jpeg(picture), scan) <= pairing.ALIKE
    others = [jpeg(scene(n)) for n in range(2, 12)]
    assert min(apart(jpeg(picture), other) for other in others) > pairing.ALIKE


def test_a_blank_sheet_looks_like_nothing() -> None:
    assert likeness.of_jpeg(jpeg(np.full((100, 100, 3), 0.9, np.float32))) is None


# --- finding -------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_reading_a_second_scan_of_a_photograph_queues_the_two(
    box: Collection, people: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("archive.tasks._send", lambda _photo: None)
    picture = scene(1)
    for quality in (90, 60):
        photo, _new = actions.receive_scan(
            collection=box,
            chunks=[jpeg(picture, quality)],
            filename=f"{quality}.jpg",
            by=people.cora,
            now=NOW,
        )
        ingest.read_photo(photo_id=photo.pk)
    pair = Pair.objects.get()
    assert pair.state == PairState.WAITING
    assert {pair.first.state, pair.second.state} == {PhotoState.READY}  # nothing is blocked


@pytest.mark.django_db
@pytest.mark.parametrize("apart_by", [0, 1, 7, 11])
def test_every_pair_that_differs_in_eleven_bits_at_most_is_found(
    box: Collection, apart_by: int
) -> None:
    rng = np.random.default_rng(apart_by)
    for _ in range(10):
        start = int(rng.integers(0, 2**63))
        other = start
        for bit in rng.choice(64, apart_by, replace=False):
            other ^= 1 << int(bit)
        look(factories.photo(box), start)
        (found,) = look(factories.photo(box), other)
        assert found.distance == apart_by


@pytest.mark.django_db
def test_photos_of_another_collection_are_not_told_of(box: Collection) -> None:
    look(factories.photo(factories.collection()), A)
    assert look(factories.photo(box), A) == []


@pytest.mark.django_db
def test_a_series_asks_about_the_nearest_only_and_doing_it_again_asks_nothing_new(
    box: Collection,
) -> None:
    photos = [factories.photo(box) for _ in range(8)]
    for photo in photos:
        look(photo, A)
    assert len(look(photos[-1], A)) == pairing.MOST_PAIRS
    count = Pair.objects.count()
    look(photos[-1], A)
    assert Pair.objects.count() == count


@pytest.mark.django_db
def test_the_search_asks_the_indexes_and_is_one_query(box: Collection) -> None:
    photo = factories.photo(box)
    with CaptureQueriesContext(connection) as seen:
        pairing._alike(photo, A)
    assert len(seen) == 1
    sql = seen[0]["sql"]
    with connection.cursor() as cursor:
        explain = "EXPLAIN QUERY PLAN " if connection.vendor == "sqlite" else "EXPLAIN "
        if connection.vendor == "sqlite":
            cursor.execute(explain + sql)
            plan = " ".join(str(row) for row in cursor.fetchall())
            assert all(f"fingerprint_{band}" in plan for band in "abcd")


@pytest.mark.django_db
def test_no_index_leads_to_a_whole_collection() -> None:
    """While a box is taken in, PostgreSQL's statistics are old, and it would read all of it."""
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, Fingerprint._meta.db_table)
    led = {tuple(each["columns"]) for each in found.values() if each["index"]}
    assert not any(columns[0] == "collection_id" for columns in led)
    assert {(band, "collection_id") for band in pairing.BANDS} <= led


def test_the_bands_hold_all_bits() -> None:
    assert joined(*bands_of(A)) == A
    bands = bands_of(A)
    assert sum(band << BAND_BITS * (3 - at) for at, band in enumerate(bands)) == A


# --- deciding ------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_different_photographs_both_stay(client: Client, box: Collection, people: Cast) -> None:
    pair = two(box)
    client.force_login(people.cora)
    assert press(client, pair, "different") == 302
    pair.refresh_from_db()
    assert (pair.state, pair.decided_by) == (PairState.DIFFERENT, people.cora)
    assert set(Photo.objects.values_list("state", flat=True)) == {PhotoState.READY}
    verbs = Event.objects.filter(verb="pair.different").values_list("photo_id", flat=True)
    assert set(verbs) == {pair.first_id, pair.second_id}


@pytest.mark.django_db
@pytest.mark.parametrize("decision", ["same", "other_side", "better_scan"])
def test_of_one_photograph_one_stays_and_the_other_goes_on_hold(
    client: Client, box: Collection, people: Cast, decision: str
) -> None:
    pair = two(box)
    client.force_login(people.cora)
    assert press(client, pair, decision, pair.second) == 302
    pair.refresh_from_db()
    assert (pair.state, pair.stays) == (decision, pair.second)
    assert (pair.first.state, pair.second.state) == (PhotoState.ON_HOLD, PhotoState.READY)
    told = client.get(reverse("archive:describe", args=[pair.second.ref])).content.decode()
    assert pair.first.ref in told


@pytest.mark.django_db
def test_a_better_scan_takes_over_what_is_known_and_the_old_one_keeps_all_it_has(
    client: Client, box: Collection, people: Cast
) -> None:
    pair = two(box, title_zh="")
    version = factories.version(pair.first, people.vera)
    client.force_login(people.cora)
    press(client, pair, "better_scan", pair.second)
    pair.second.refresh_from_db()
    assert pair.second.title_zh == "开幕式"
    assert pair.second.title_en != pair.first.title_en  # what it had of its own stays
    pair.first.refresh_from_db()
    assert pair.first.original is not None
    assert list(pair.first.versions.filter(pk=version.pk)) == [version]
    told = client.get(reverse("archive:describe", args=[pair.first.ref])).content.decode()
    assert "The original, the versions and the history of this one are kept" in told


@pytest.mark.django_db
def test_a_decision_is_taken_back_and_the_photo_comes_back(
    client: Client, box: Collection, people: Cast
) -> None:
    pair = two(box)
    client.force_login(people.cora)
    press(client, pair, "same", pair.first)
    assert client.post(reverse("archive:pair-again", args=["games", pair.pk])).status_code == 302
    pair.refresh_from_db()
    assert (pair.state, pair.stays, pair.decided_by) == (PairState.WAITING, None, None)
    assert pair.second.state == PhotoState.READY


@pytest.mark.django_db
def test_a_hold_for_another_reason_is_not_lifted(box: Collection, people: Cast) -> None:
    pair = two(box)
    pair.second.move(PhotoState.ON_HOLD, by=people.cora, at=NOW)
    for _ in range(2):
        pairing.decide_pair(pair=pair, to=PairState.SAME, by=people.cora, now=NOW, stays=pair.first)
        pairing.take_back_pair(pair=pair, by=people.cora, now=NOW)
    assert Photo.objects.get(pk=pair.second_id).state == PhotoState.ON_HOLD


@pytest.mark.django_db
def test_the_second_hand_is_told_that_it_was_decided(
    client: Client, box: Collection, people: Cast
) -> None:
    pair = two(box)
    client.force_login(people.cora)
    press(client, pair, "different")
    assert press(client, pair, "same", pair.first) == 302
    pair.refresh_from_db()
    assert pair.state == PairState.DIFFERENT


@pytest.mark.django_db
def test_one_must_be_chosen_where_one_goes(client: Client, box: Collection, people: Cast) -> None:
    pair = two(box)
    client.force_login(people.cora)
    press(client, pair, "same")
    press(client, pair, "nonsense", pair.first)
    pair.refresh_from_db()
    assert pair.state == PairState.WAITING


# --- withdrawn for good --------------------------------------------------------------------------
def chosen(client: Client) -> list[str]:
    """The refs of the photos that the queue has chosen beforehand."""
    page = client.get(reverse("archive:pairs", args=["games"])).text
    return re.findall(r'name="stays" value="(\w+)" checked', page)


@pytest.mark.django_db
def test_a_better_scan_is_not_compared_with_what_was_withdrawn(box: Collection) -> None:
    poor = factories.photo(box)
    look(poor, A)
    poor.move(PhotoState.WITHDRAWN, by=None, at=NOW)
    assert look(factories.photo(box), A ^ 1) == []
    assert not Pair.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("gone", ["first", "second"])
def test_a_pair_does_not_wait_once_one_of_the_two_is_withdrawn(
    client: Client, box: Collection, people: Cast, gone: str
) -> None:
    pair = two(box)
    client.force_login(people.cora)
    assert queries.waiting_pairs(box) == 1
    getattr(pair, gone).move(PhotoState.WITHDRAWN, by=people.cora, at=NOW)
    assert queries.waiting_pairs(box) == 0
    assert chosen(client) == []
    assert "No two photos of this collection look alike" in (
        client.get(reverse("archive:pairs", args=["games"])).text
    )


@pytest.mark.django_db
def test_a_decision_stays_to_be_seen_and_taken_back_after_a_withdrawal(
    box: Collection, people: Cast
) -> None:
    pair = two(box)
    pairing.decide_pair(pair=pair, to=PairState.SAME, by=people.cora, now=NOW, stays=pair.first)
    pair.first.move(PhotoState.WITHDRAWN, by=people.cora, at=NOW)
    assert list(queries.pairs_of(box, decided=True)) == [pair]
    pairing.take_back_pair(pair=pair, by=people.cora, now=NOW)
    assert Photo.objects.get(pk=pair.second_id).state == PhotoState.READY


@pytest.mark.django_db
@pytest.mark.parametrize("decision", ["same", "other_side", "better_scan"])
def test_what_was_withdrawn_cannot_be_the_one_that_stays(
    client: Client, box: Collection, people: Cast, decision: str
) -> None:
    """The page was open already when somebody withdrew it."""
    pair = two(box)
    stays = Photo.objects.get(pk=pair.first_id)
    pair.first.move(PhotoState.WITHDRAWN, by=people.cora, at=NOW)
    with pytest.raises(Refused) as refused:
        pairing.decide_pair(pair=pair, to=decision, by=people.cora, now=NOW, stays=stays)
    assert refused.value.code == "which-stays"
    client.force_login(people.cora)
    press(client, Pair.objects.get(), decision, stays)
    assert Pair.objects.get().state == PairState.WAITING
    assert Photo.objects.get(pk=pair.second_id).state == PhotoState.READY


@pytest.mark.django_db
def test_the_one_on_the_wall_is_chosen_beforehand(
    client: Client, box: Collection, people: Cast
) -> None:
    pair = two(box)
    client.force_login(people.cora)
    assert chosen(client) == [pair.first.ref]
    pair.first.move(PhotoState.ON_HOLD, by=people.cora, at=NOW)
    assert chosen(client) == [pair.second.ref]
    pair.second.move(PhotoState.ON_HOLD, by=people.cora, at=NOW)
    assert chosen(client) == [pair.first.ref]


@pytest.mark.django_db
def test_the_queue_costs_the_same_however_long_it_is(
    client: Client, box: Collection, people: Cast
) -> None:
    client.force_login(people.cora)
    counts = []
    for fingerprint in (A, ~A & (2**64 - 1)):
        for _ in range(2):
            look(factories.photo(box), fingerprint)
        with CaptureQueriesContext(connection) as seen:
            told = client.get(reverse("archive:pairs", args=["games"]))
        assert told.status_code == 200
        counts.append(len(seen))
    assert counts[0] == counts[1] <= 8


@pytest.mark.django_db
def test_scans_from_before_get_their_fingerprint(box: Collection, tmp_path: Path) -> None:
    image = factories.picture(1)
    for _ in range(2):
        factories.photo(box, image=image)
    call_command("fingerprints")
    assert Fingerprint.objects.count() == 2
    assert Pair.objects.get().distance == 0
