"""Deadlines and hours: the same on every page, in the reader's zone, however wrong their clock."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visitor
from tests.services import processes

SEED = """
import json
from django.utils import timezone
from restoration.actions.claims import claim_photo
from restoration.actions.reviews import open_review
from tests import factories
from tests.people import appoint, person
box, image = factories.collection(), factories.picture(4, height=240, width=320)
vera, cora = person("vera"), person("cora")
appoint(cora, box)
photo, other = factories.photo(box, image=image), factories.photo(box, image=image)
claim = claim_photo(photo=photo, by=vera, now=timezone.now())
version = factories.submitted(other, vera, image=image)
review = open_review(version=version, by=cora, now=timezone.now())
print(json.dumps([f"/photos/{photo.ref}/", f"/reviews/{review.pk}/", claim.ends_at.isoformat()]))
"""
# So many minutes from the true time, as on a machine whose battery was empty.
SKEWED = """{
  const True = Date, now = Date.now.bind(Date), off = %d * 60e3;
  window.Date = class extends True {
    constructor(...told) { told.length ? super(...told) : super(now() + off); }
    static now() { return now() + off; }
  };
}"""
DAY = 24 * 60


@pytest.fixture(scope="module")
def pages(site: processes.Site) -> list[str]:
    """Vera's bench, Cora's review, and when the bench ends."""
    found: list[str] = json.loads(site.run(SEED).splitlines()[-1])
    return found


def told(visitor: Visitor, address: str, place: str) -> str:
    visitor.open(address)
    words = visitor.page.locator(place).first
    expect(words).to_contain_text("yours")
    return words.inner_text()


def test_a_wrong_clock_moves_no_deadline_of_the_bench(
    visit: Callable[..., Visitor], pages: list[str]
) -> None:
    bench, right = pages[0], told(visit("vera"), pages[0], "[data-clock]")
    for off in (3 * DAY, -3 * DAY):
        visitor = visit("vera")
        visitor.page.add_init_script(SKEWED % off)
        visitor.open(bench)
        expect(visitor.page.locator(".bench[data-ready]")).to_be_attached()
        assert visitor.page.locator("[data-clock]").inner_text() == right
        expect(visitor.page.locator(".is-soon")).to_have_count(0)


def test_a_wrong_clock_takes_no_minute_from_a_reviewer(
    visit: Callable[..., Visitor], pages: list[str]
) -> None:
    for off in (0, 20, -20):
        visitor = visit("cora")
        visitor.page.add_init_script(SKEWED % off)
        visitor.open(pages[1])
        words = visitor.page.locator("[data-lease-words]")
        expect(words).to_contain_text("more minutes")
        assert 10 < int(words.inner_text().split()[2]) <= 15


def test_wall_and_bench_say_the_same_hour_in_the_readers_zone(
    visit: Callable[..., Visitor], pages: list[str]
) -> None:
    visitor = visit("vera", timezone_id="Asia/Shanghai")
    on_wall = told(visitor, "/wall/?state=claimed", ".wall-holder")
    assert on_wall == told(visitor, pages[0], "[data-clock]")
    at = "new Date('%s').toLocaleTimeString('en-GB', {hour: '2-digit', minute: '2-digit'})"
    assert on_wall.endswith(visitor.page.evaluate(at % pages[2]))


def test_without_a_script_the_zone_of_the_hour_is_named(
    visit: Callable[..., Visitor], pages: list[str]
) -> None:
    visitor = visit("vera", java_script_enabled=False, timezone_id="Asia/Shanghai")
    for address, place in (("/wall/?state=claimed", ".wall-holder"), (pages[0], "[data-clock]")):
        visitor.open(address)
        expect(visitor.page.locator(place).first).to_contain_text(" UTC")
