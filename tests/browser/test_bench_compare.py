"""The comparison on the bench: it comes into view, and a flip keeps the size and the focus."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visitor
from tests.services import processes

BENCH = "document.querySelector('[data-bench]').bench"
SEED = """
import json
from django.utils import timezone
from restoration.actions.claims import claim_photo
from tests import factories
from tests.people import person
vera = person("vera")
photo = factories.photo(factories.collection(), image=factories.picture(3, height=240, width=320))
for number in (4, 5, 6):
    image = factories.picture(number, height=240, width=320)
    factories.version(photo, vera, image=image)
claim_photo(photo=photo, by=vera, now=timezone.now())
print(json.dumps(photo.ref))
"""


@pytest.fixture(scope="module")
def ref(site: processes.Site) -> str:
    found: str = json.loads(site.run(SEED).splitlines()[-1])
    return found


def size(page: Page) -> tuple[float, float]:
    box = page.locator("[data-stage]").first.bounding_box()
    assert box
    return box["width"], box["height"]


@pytest.mark.parametrize("width", [390, 1440])
def test_a_comparison_asked_for_on_the_strip_comes_into_view(
    visit: Callable[..., Visitor], ref: str, width: int
) -> None:
    visitor = visit("vera", width=width)
    page = visitor.open(f"/photos/{ref}/?base=3")
    page.locator("[data-compare-link]").last.click()
    expect(page.locator("[data-compare-panel] [data-stage]")).to_be_in_viewport()
    assert visitor.complaints == []


@pytest.mark.parametrize("locale", ["en-GB", "zh-Hans"])
def test_no_tool_lies_beside_the_screen_of_a_phone(
    visit: Callable[..., Visitor], ref: str, locale: str
) -> None:
    visitor = visit("vera", width=390, locale=locale)
    page = visitor.open(f"/photos/{ref}/?base=3")
    tools = page.locator(".bench-tools label:visible, .bench-tools :is(button, select):visible")
    expect(page.locator("[data-compare-toggle]")).to_be_visible()
    boxes = [each.bounding_box() for each in tools.all()]
    assert len(boxes) >= 11
    assert all(box and box["x"] >= 0 and box["x"] + box["width"] <= 390 for box in boxes)
    rows = {round(box["y"] / 40) for box in boxes if box and box["height"] > 30}
    assert len(rows) <= 2


def test_a_flip_keeps_the_size_of_the_picture_and_the_focus(
    visit: Callable[..., Visitor], ref: str
) -> None:
    visitor = visit("vera", width=1440)
    page = visitor.open(f"/photos/{ref}/compare/?left=0&right=3")
    slider = page.locator("[data-cut]")
    slider.focus()
    before = size(page)
    slider.press("x")
    expect(slider).not_to_be_visible()
    assert size(page) == before
    expect(page.locator("[data-flip]")).to_be_focused()
    assert visitor.complaints == []


def test_with_single_letters_off_x_flips_nothing(visit: Callable[..., Visitor], ref: str) -> None:
    visitor = visit("vera")
    page = visitor.open(f"/photos/{ref}/compare/")
    figure = page.locator("[data-compare][data-ready]")
    expect(figure).to_have_attribute("data-view", "curtain")
    page.evaluate("window.localStorage.setItem('rekindle-single-keys', 'off')")
    for place in ("body", "[data-cut]"):
        page.locator(place).focus()
        page.keyboard.press("x")
    expect(figure).to_have_attribute("data-view", "curtain")
    page.evaluate("window.localStorage.removeItem('rekindle-single-keys')")
    page.keyboard.press("x")
    expect(figure).to_have_attribute("data-view", "right")


def test_the_zoom_of_a_comparison_moves_nothing_of_the_picture_behind_it(
    visit: Callable[..., Visitor], ref: str
) -> None:
    page = visit("vera").open(f"/photos/{ref}/?base=3")
    behind = page.locator(".bench-over [data-zoom-level]")
    expect(page.locator(".bench[data-ready]")).to_be_attached()
    scale, level = page.evaluate(f"{BENCH}.viewer.scale"), behind.inner_text()
    page.locator("[data-compare-toggle]").click()
    panel = page.locator("[data-compare-panel]")
    told = panel.locator("[data-zoom-level]")
    expect(told).not_to_have_text("0 %")
    before = told.inner_text()
    panel.get_by_role("button", name="Zoom in").click()
    expect(told).not_to_have_text(before)
    assert int(told.inner_text().split()[0]) > int(before.split()[0])
    page.keyboard.press("z")  # the focus is on the button, which belongs to the comparison
    expect(told).to_have_text("100 %")
    page.locator("body").evaluate("() => document.activeElement.blur()")
    page.keyboard.press("z")  # and so does the key pressed anywhere
    expect(told).to_have_text(before)
    page.locator("[data-compare-toggle]").click()
    expect(page.locator("[data-viewer]")).to_be_visible()
    page.wait_for_timeout(200)
    assert page.evaluate(f"{BENCH}.viewer.scale") == scale
    expect(behind).to_have_text(level)
