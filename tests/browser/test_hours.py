"""Deadlines and hours: the same on every page, in the reader's zone, however wrong their clock."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

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
carol = person("carol")
sent = factories.submitted(factories.photo(box, image=image), vera, image=image)
appoint(carol, box)
late = open_review(version=sent, by=carol, now=timezone.now())
print(json.dumps([f"/photos/{photo.ref}/", f"/reviews/{review.pk}/", claim.ends_at.isoformat(),
                  late.pk]))
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
# Carol was elsewhere for too long, and Clive took the version; he puts it back.
TAKEN = """
from django.utils import timezone
from restoration.actions.reviews import lapse_due, open_review
from restoration.models import Review
from tests.people import appoint, person
now, review = timezone.now(), Review.objects.get(pk={pk})
Review.objects.filter(pk=review.pk).update(lease_until=review.opened_at)
lapse_due(now=now)
clive = person("clive")
appoint(clive, review.photo.collection)
open_review(version=review.version, by=clive, now=now)
"""
PUT_BACK = """
from django.utils import timezone
from restoration.actions.reviews import release_review
from restoration.models import Review
theirs = Review.objects.get(state="open", reviewer__username="clive")
release_review(review=theirs, by=theirs.reviewer, now=timezone.now())
"""
COME_BACK = "document.dispatchEvent(new Event('visibilitychange'))"  # from another tab


@pytest.fixture(scope="module")
def pages(site: processes.Site) -> list[Any]:
    """Vera's bench, Cora's review, when the bench ends, and the number of Carol's review."""
    found: list[Any] = json.loads(site.run(SEED).splitlines()[-1])
    return found


def told(visitor: Visitor, address: str, place: str) -> str:
    visitor.open(address)
    words = visitor.page.locator(place).first
    expect(words).to_contain_text("yours")
    return words.inner_text()


def test_a_wrong_clock_moves_no_deadline_of_the_bench(
    visit: Callable[..., Visitor], pages: list[Any]
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
    visit: Callable[..., Visitor], pages: list[Any]
) -> None:
    for off in (0, 20, -20):
        visitor = visit("cora")
        visitor.page.add_init_script(SKEWED % off)
        visitor.open(pages[1])
        words = visitor.page.locator("[data-lease-words]")
        expect(words).to_contain_text("more minutes")
        assert 10 < int(words.inner_text().split()[2]) <= 15


def test_wall_and_bench_say_the_same_hour_in_the_readers_zone(
    visit: Callable[..., Visitor], pages: list[Any]
) -> None:
    visitor = visit("vera", timezone_id="Asia/Shanghai")
    on_wall = told(visitor, "/wall/?state=claimed", ".wall-holder")
    assert on_wall == told(visitor, pages[0], "[data-clock]")
    at = "new Date('%s').toLocaleTimeString('en-GB', {hour: '2-digit', minute: '2-digit'})"
    assert on_wall.endswith(visitor.page.evaluate(at % pages[2]))


def test_without_a_script_the_zone_of_the_hour_is_named(
    visit: Callable[..., Visitor], pages: list[Any]
) -> None:
    visitor = visit("vera", java_script_enabled=False, timezone_id="Asia/Shanghai")
    for address, place in (("/wall/?state=claimed", ".wall-holder"), (pages[0], "[data-clock]")):
        visitor.open(address)
        expect(visitor.page.locator(place).first).to_contain_text(" UTC")


def test_who_comes_back_too_late_is_told_at_once_and_loses_no_word(
    visit: Callable[..., Visitor], site: processes.Site, pages: list[Any]
) -> None:
    number = pages[3]
    page = visit("carol").open(f"/reviews/{number}/")
    page.locator(".decide-return summary").click()
    page.locator(".decide-return").get_by_label("Damage is still there").check()
    advice = page.get_by_label("What would make it accepted")
    advice.fill("The crack over the left eye.")
    site.run(TAKEN.format(pk=number))
    page.evaluate(COME_BACK)
    expect(page.locator("[data-lease-words]")).to_have_text(
        "Another curator is looking at this version."
    )
    page.get_by_role("button", name="Return it").click()
    expect(page.locator(".decide .form-errors")).to_be_focused()
    expect(advice).to_be_visible()
    expect(advice).to_have_value("The crack over the left eye.")
    advice.press("End")
    advice.press_sequentially(" And the sky.")
    site.run(PUT_BACK)
    page.goto(page.url.replace("/return", "/"))
    page.get_by_role("button", name="Look at it").first.click()
    expect(page.locator("[data-lease-words]")).to_contain_text("yours")
    assert f"/reviews/{number}/" not in page.url  # another review of the same version
    expect(advice).to_be_visible()
    expect(advice).to_have_value("The crack over the left eye. And the sky.")
    expect(page.locator("#toasts")).to_contain_text("is back in its field")
