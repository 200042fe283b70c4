"""Tiles are made by workers: at once, again after a death, anew after a raised pipeline."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache

from archive import derivatives, ingest, rendering, renditions, sizes, storage, tiles, tiling
from archive.actions import receive_scan
from archive.models import Rendition
from archive.sizes import tiles_name
from restoration.sweeps import find_strays
from tests import factories
from tests.archive.scans import scan
from tests.factories import NOW
from tests.people import cast

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def bells(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Who was called for, at once and not when a transaction ends."""
    rung: list[str] = []
    monkeypatch.setattr("archive.tasks.ring_for_rendition", lambda *, sha256: rung.append(sha256))
    cache.clear()
    yield rung
    cache.clear()


@pytest.fixture
def raised(monkeypatch: pytest.MonkeyPatch) -> int:
    """The pipeline after an update that makes tiles another way."""
    for module in (sizes, renditions, rendering, tiling):
        monkeypatch.setattr(module, "PIPELINE", 2)
    return 2


def stored(seed: int = 1) -> str:
    return factories.stored(factories.picture(seed))


def row(sha256: str) -> Rendition:
    return Rendition.objects.get(pk=sha256)


def holds(sha256: str, pipeline: int) -> bool:
    return storage.exists(storage.derivative_key(sha256, tiles_name(pipeline)))


def test_a_scan_that_was_read_gets_its_tiles(
    bells: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("archive.tasks._send", lambda _photo_id: None)
    photo, _new = receive_scan(
        collection=factories.collection(),
        chunks=[scan()],
        filename="a.jpg",
        by=cast().sten,
        now=NOW,
    )
    ingest.read_photo(photo_id=photo.pk)
    photo.refresh_from_db()
    assert bells == [photo.working_sha256]
    rendering.render(sha256=photo.working_sha256)
    assert holds(photo.working_sha256, 1)
    made = row(photo.working_sha256)
    assert (made.tiles, made.sizes, made.taken_at) == (1, 1, None)
    assert made.tiles_bytes > 0
    assert renditions.tiled([photo.working_sha256, "f" * 64]) == {photo.working_sha256: 1}


def test_the_bell_may_ring_twice_and_two_workers_do_it_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sha256, made = stored(), []
    renditions.note(sha256, now=NOW)
    real = tiling.make

    def while_another_tries(*words: Any) -> int:
        rendering.render(sha256=sha256)
        made.append(sha256)
        return real(*words)

    monkeypatch.setattr(tiling, "make", while_another_tries)
    rendering.render(sha256=sha256)
    rendering.render(sha256=sha256)
    assert made == [sha256]


def test_a_whole_box_of_scans_does_not_flood_the_queue(bells: list[str]) -> None:
    for number in range(20):
        renditions.note(f"{number:064x}", now=NOW)
    assert len(bells) == renditions.AT_ONCE
    assert renditions.sweep_renditions(now=NOW + timedelta(seconds=5)) == 0
    later = NOW + renditions.UNHEARD + timedelta(seconds=5)
    assert renditions.sweep_renditions(now=later) == renditions.AT_ONCE
    assert len(set(bells)) == 2 * renditions.AT_ONCE


def test_what_is_published_is_called_for_at_once(bells: list[str]) -> None:
    for number in range(20):
        renditions.note(f"{number:064x}", now=NOW)
    renditions.note("f" * 64, now=NOW, hurry=True)
    assert bells[-1] == "f" * 64


def test_a_worker_that_died_is_replaced(bells: list[str]) -> None:
    sha256 = stored()
    renditions.note(sha256, now=NOW)
    assert renditions.take(sha256=sha256, now=NOW) is not None
    assert renditions.sweep_renditions(now=NOW + renditions.LEASE / 2) == 0
    assert renditions.sweep_renditions(now=NOW + renditions.LEASE * 2) == 1
    assert bells == [sha256, sha256]


def test_times_from_before_the_clock_was_put_back_do_not_hold_a_file_for_so_long(
    bells: list[str],
) -> None:
    sha256, tomorrow = stored(), NOW + timedelta(days=1)
    renditions.note(sha256, now=tomorrow)
    assert renditions.take(sha256=sha256, now=tomorrow) is not None
    assert renditions.sweep_renditions(now=NOW) == 1
    assert bells == [sha256, sha256]


def test_a_worker_that_was_overtaken_does_not_settle_the_row() -> None:
    sha256 = stored()
    renditions.note(sha256, now=NOW)
    slow = renditions.take(sha256=sha256, now=NOW)
    assert slow is not None
    quick = renditions.take(sha256=sha256, now=NOW + renditions.LEASE * 2)
    assert quick is not None
    assert not renditions.made(rendition=slow, tiles_bytes=1, now=NOW)
    assert renditions.made(rendition=quick, tiles_bytes=2, now=NOW)
    assert row(sha256).tiles_bytes == 2


def test_what_cannot_be_made_is_given_up_until_there_is_another_way(
    request: pytest.FixtureRequest,
) -> None:
    renditions.note("e" * 64, now=NOW)  # of which there are no bytes
    for _try in range(renditions.ATTEMPTS + 2):
        rendering.render(sha256="e" * 64)
    assert (row("e" * 64).given_up, row("e" * 64).attempts) == (1, 0)
    assert not renditions.waiting().exists()
    request.getfixturevalue("raised")
    assert renditions.waiting().exists()


def test_a_storage_that_is_away_does_not_count_as_a_try(monkeypatch: pytest.MonkeyPatch) -> None:
    sha256 = stored()
    renditions.note(sha256, now=NOW)

    def away(*_words: Any) -> int:
        raise ConnectionError("the bucket does not answer")

    with monkeypatch.context() as outage:
        outage.setattr(tiling, "make", away)
        for _try in range(renditions.ATTEMPTS + 2):
            rendering.render(sha256=sha256)
    assert (row(sha256).given_up, row(sha256).attempts, row(sha256).taken_at) == (0, 0, None)
    rendering.render(sha256=sha256)
    assert row(sha256).tiles == 1


def test_a_raised_pipeline_makes_all_anew_at_a_bounded_rate_and_serves_the_old_till_then(
    bells: list[str], raised: int, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.REMAKES_PER_HOUR = 60
    monkeypatch.setattr(tiling, "PIPELINE", 1)
    files = [stored(seed) for seed in (1, 2, 3)]
    for sha256 in files:
        with storage.local(storage.working_key(sha256)) as path:
            tiling.make(path, sha256)
        Rendition.objects.create(sha256=sha256, sizes=1, tiles=1, made_at=NOW)
    monkeypatch.setattr(tiling, "PIPELINE", raised)
    monkeypatch.setattr(derivatives, "QUALITY", 40)

    assert renditions.sweep_renditions(now=NOW) == 1
    assert renditions.sweep_renditions(now=NOW + timedelta(seconds=5)) == 0, "one a minute"
    [first] = bells
    assert holds(first, 1)
    before = storage.open_key(storage.derivative_key(first, "800.jpg")).read()
    rendering.render(sha256=first)
    assert (row(first).tiles, row(first).sizes) == (2, 2)
    assert holds(first, 2)
    assert not holds(first, 1)
    assert storage.open_key(storage.derivative_key(first, "800.jpg")).read() != before
    assert all(holds(each, 1) for each in files if each != first)

    cache.clear()  # the minute is over
    assert renditions.sweep_renditions(now=NOW + timedelta(minutes=1)) == 1
    assert bells[1] != first


def test_what_nobody_can_look_at_yet_comes_before_what_is_only_old(
    bells: list[str], raised: int
) -> None:
    Rendition.objects.create(sha256="a" * 64, sizes=1, tiles=1)
    Rendition.objects.create(sha256="b" * 64, sizes=raised)
    assert renditions.sweep_renditions(now=NOW) == 1
    assert bells == ["b" * 64]


def test_files_from_before_there_were_rows_are_found() -> None:
    photo = factories.photo(factories.collection(), bytes_too=True)
    version = factories.version(photo, cast().vera, image=factories.picture(5))
    assert find_strays(now=NOW) == 2
    assert set(Rendition.objects.values_list("pk", "sizes", "tiles")) == {
        (photo.working_sha256, 1, 0),
        (version.sha256, 1, 0),
    }
    assert find_strays(now=NOW) == 0, "once an hour"


def test_the_sweep_asks_few_questions(django_assert_max_num_queries: Any) -> None:
    for number in range(30):
        Rendition.objects.create(sha256=f"{number:064x}", sizes=1, tiles=1)
    with django_assert_max_num_queries(5):
        assert renditions.sweep_renditions(now=NOW) == 0


def test_archives_of_two_files_are_not_mixed_up() -> None:
    first, second = stored(1), stored(2)
    for sha256 in (first, second):
        renditions.note(sha256, now=NOW)
        rendering.render(sha256=sha256)
    name = "full/max/0/default.jpg"
    pictures = {
        tiles.read(storage.derivative_key(sha256, tiles_name(1)), name)
        for sha256 in (first, second)
    }
    assert len(pictures) == 2
