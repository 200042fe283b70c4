"""Damage is painted and erased with keys alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visitor, in_hands
from tests.services import processes

BENCH = "document.querySelector('[data-bench]').bench"


@pytest.fixture(scope="module")
def bench(site: processes.Site) -> str:
    """The address of a photo in Vera's hands."""
    return in_hands(site, height=240, width=320)


def painted(page: Page) -> int:
    return int(page.evaluate(f"{BENCH}.mask.painted"))


def test_arrows_move_the_brush_enter_sets_it_down_and_the_eraser_takes_it_back(
    visit: Callable[..., Visitor], bench: str
) -> None:
    page = visit("vera").open(bench)
    expect(page.locator(".bench[data-ready]")).to_be_attached()
    centre = page.evaluate(f"{BENCH}.viewer.centre")
    page.locator("[data-viewer]").focus()
    stroke(page, "b", "Enter")
    width = painted(page)
    assert width > 0
    page.keyboard.press("ArrowDown")  # lifted: it paints no more
    assert painted(page) == width
    assert page.evaluate(f"{BENCH}.viewer.centre") == centre
    expect(page.locator(".bench-saved")).to_have_attribute("data-state", "saved")
    page.keyboard.press("ArrowUp")
    stroke(page, "e", "Escape", "ArrowLeft")
    assert painted(page) < width / 2
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    assert painted(page) == 0


def stroke(page: Page, tool: str, lift: str, arrow: str = "ArrowRight") -> None:
    page.keyboard.press(tool)
    page.keyboard.press("Enter")
    for _ in range(6):
        page.keyboard.press(arrow)
    page.keyboard.press(lift)
