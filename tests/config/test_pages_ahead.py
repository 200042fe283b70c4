"""Public pages are made before a visitor asks for them, and again before they are too old."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from archive.models import Photo
from config import pages_ahead
from config.metrics import REQUESTS
from exhibit.models import Exhibit, KeptPage
from tests.exhibit.conftest import Museum
from tests.exhibit.conftest import museum as museum
from tests.exhibit.conftest import pages_kept as pages_kept


@pytest.fixture(autouse=True)
def _for_an_hour(pages_kept: None, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.PAGES_KEPT_SECONDS = 3600
    monkeypatch.setattr(pages_ahead, "SECONDS", 60.0)


def now() -> Any:
    return timezone.now()


def test_a_visitor_finds_every_page_made_in_each_language(museum: Museum) -> None:
    paths = ["/", "/exhibits/", f"/exhibits/{museum.exhibit.slug}/", museum.url]
    paths.append(f"{museum.url}zoom/")
    assert pages_ahead.make(now=now()) == 2 * len(paths)
    for path in paths:
        for language, tag in (("en", "en"), ("zh-CN", "zh-Hans")):
            with CaptureQueriesContext(connection) as queries:
                page = Client(headers={"accept-language": language}).get(path)
            assert len(queries) == 1
            assert f'<html lang="{tag}">' in page.text
    assert pages_ahead.make(now=now()) == 0


def test_after_a_change_they_are_made_anew(museum: Museum) -> None:
    pages_ahead.make(now=now())
    Photo.objects.update(title_en="The second gold medal")
    assert pages_ahead.make(now=now()) == 10
    assert "The second gold medal" in Client().get(museum.url).text
    assert KeptPage.objects.count() == 10


def test_what_nobody_may_see_is_not_made(museum: Museum) -> None:
    pages_ahead.make(now=now())
    Exhibit.objects.update(is_open=False)
    assert pages_ahead.make(now=now()) == 4  # the first page and the list
    assert not KeptPage.objects.filter(view="exhibit:photo").exists()


def test_what_is_soon_too_old_is_made_anew_in_time(museum: Museum) -> None:
    pages_ahead.make(now=now())
    assert pages_ahead.make(now=now() + timedelta(seconds=45)) == 2  # the counts of the first page
    assert pages_ahead.make(now=now() + timedelta(seconds=3595)) == 10


def test_a_round_ends_in_time_and_the_next_one_goes_on(
    museum: Museum, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages_ahead, "SECONDS", 0.0)
    assert pages_ahead.make(now=now()) == 0
    monkeypatch.setattr(pages_ahead, "SECONDS", 60.0)
    assert pages_ahead.make(now=now()) == 10


def test_they_are_nobodys_visit(museum: Museum) -> None:
    counted = REQUESTS.labels("exhibit:photo", "2xx")._sum
    before = counted.get()
    with translation.override("en"):
        pages_ahead.make(now=now())
        assert translation.get_language() == "en"
    assert counted.get() == before


def test_the_sweeper_makes_them(museum: Museum) -> None:
    at = time.monotonic()
    call_command("sweep")
    assert KeptPage.objects.count() == 10
    assert time.monotonic() - at < 30


def test_none_are_made_where_none_are_kept(museum: Museum, settings: Any) -> None:
    settings.PAGES_KEPT_SECONDS = 0
    assert pages_ahead.make(now=now()) == 0
