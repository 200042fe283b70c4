"""The brush keeps its size on the screen; the page says what it covers of the photo."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visitor, in_hands
from tests.services import processes

BENCH = "document.querySelector('[data-bench]').bench"


@pytest.fixture(scope="module")
def bench(site: processes.Site) -> str:
    """The address of a large photo in Vera's hands."""
    return in_hands(site, height=1500, width=2000)


def covered(page: Page) -> int:
    """How many pixels of the photo the page says the brush covers."""
    said = page.locator("[data-brush-size]").inner_text()
    found = re.fullmatch(r"\d+ · (\d+) px of the photo", said)
    assert found, said
    return int(found[1])


def test_what_the_brush_covers_of_the_photo_follows_size_and_zoom(
    visit: Callable[..., Visitor], bench: str
) -> None:
    visitor = visit("vera")
    page = visitor.open(bench)
    expect(page.locator(".bench[data-ready]")).to_be_attached()
    page.keyboard.press("b")
    scale = float(page.evaluate(f"{BENCH}.viewer.scale"))
    assert scale < 1
    assert covered(page) == round(24 / scale)
    page.keyboard.press("z")  # one pixel of the photo on one of the screen
    expect(page.locator("[data-brush-size]")).to_have_text("24 · 24 px of the photo")
    page.keyboard.press("[")
    expect(page.locator("[data-brush-size]")).to_have_text("20 · 20 px of the photo")
    page.evaluate(f"{BENCH}.viewer.zoomTo(0.63)")
    assert covered(page) == 32
    assert visitor.complaints == []


def test_a_dot_that_was_painted_is_not_told_as_nothing(
    visit: Callable[..., Visitor], bench: str
) -> None:
    page = visit("vera").open(bench)
    expect(page.locator(".bench[data-ready]")).to_be_attached()
    page.locator("[data-viewer]").focus()
    for key in ("z", "b", "Enter", "Enter"):
        page.keyboard.press(key)
    share = page.locator("[data-mask-share]").first
    expect(share).to_have_text("your mask: less than 0.1 % of the picture")


def test_what_is_said_to_be_covered_is_what_a_dot_of_the_brush_paints(
    visit: Callable[..., Visitor], bench: str
) -> None:
    page = visit("vera").open(bench)
    expect(page.locator(".bench[data-ready]")).to_be_attached()
    page.locator("[data-viewer]").focus()
    for key in ("b", "Enter", "Enter"):
        page.keyboard.press(key)
    painted = int(page.evaluate(f"{BENCH}.mask.painted"))
    across = 2 * (painted / 3.1416) ** 0.5
    assert across == pytest.approx(covered(page), abs=2)
