"""Fingers, a pen and the palm beside it on the picture of the bench."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import CDPSession, Page, expect

from tests.browser.conftest import Visitor, in_hands
from tests.services import processes

BENCH = "document.querySelector('[data-bench]').bench"
SHOWN = f"""(() => {{
  const {{ marks, mask, form, viewer, history }} = {BENCH};
  return {{
    dabs: marks.dabs.length, corners: marks.corners?.length ?? 0, regions: marks.regions.length,
    colour: form.elements["step-colourise"].checked, painted: mask.painted,
    steps: history.done.length, scale: viewer.scale,
  }};
}})()"""
Point = tuple[float, float]


@pytest.fixture(scope="module")
def address(site: processes.Site) -> str:
    """Of a photo in Vera's hands."""
    return in_hands(site, height=600, width=800)


@pytest.fixture
def page(visit: Callable[..., Visitor], address: str) -> Page:
    """The bench on a screen that is touched."""
    page = visit("vera", width=820, has_touch=True).open(address)
    expect(page.locator(".step-fact[data-mask-share]")).not_to_be_empty()
    page.locator("[data-viewer]").scroll_into_view_if_needed()
    return page


def shown(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = page.evaluate(SHOWN)
    return found


def middle(page: Page) -> Point:
    box = page.locator("[data-viewer]").bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def touch(hands: CDPSession, kind: str, *points: Point) -> None:
    at = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
    hands.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})


def tap(hands: CDPSession, point: Point) -> None:
    touch(hands, "touchStart", point)
    touch(hands, "touchEnd")


def pen(hands: CDPSession, kind: str, point: Point) -> None:
    how = {"type": kind, "button": "left", "buttons": 1, "pointerType": "pen", "force": 0.5}
    hands.send("Input.dispatchMouseEvent", how | {"x": point[0], "y": point[1]})


@pytest.mark.parametrize("tool", ["dab", "region", "mask", "face"])
def test_a_pinch_leaves_no_mark(page: Page, tool: str) -> None:
    hands = page.context.new_cdp_session(page)
    page.evaluate(f"{BENCH}.choose('{tool}')")
    before, (x, y) = shown(page), middle(page)
    touch(hands, "touchStart", (x - 40, y))
    touch(hands, "touchStart", (x - 40, y), (x + 40, y))
    for step in range(0, 48, 8):
        touch(hands, "touchMove", (x - 40 - step, y), (x + 40 + step, y))
    touch(hands, "touchEnd")
    after = shown(page)
    assert after["scale"] > before["scale"]
    assert after | {"scale": 0} == before | {"scale": 0}


def test_a_finger_places_a_colour_and_outlines_an_area(page: Page) -> None:
    hands = page.context.new_cdp_session(page)
    x, y = middle(page)
    page.evaluate(f"{BENCH}.choose('dab')")
    tap(hands, (x, y))
    after = shown(page)
    assert (after["dabs"], after["colour"], after["steps"]) == (1, True, 1)
    expect(page.locator("[data-dab-list] li")).to_have_count(1)
    touch(hands, "touchStart", (x, y))
    touch(hands, "touchMove", (x + 60, y))
    touch(hands, "touchEnd")
    assert shown(page)["dabs"] == 1
    assert page.evaluate(f"{BENCH}.marks.dabs[0].x") > 0.52
    page.evaluate(f"{BENCH}.choose('region')")
    for corner in ((x - 80, y - 80), (x + 80, y - 80), (x, y + 80), (x - 80, y - 80)):
        tap(hands, corner)
    assert shown(page)["regions"] == 1


@pytest.mark.parametrize("first", ["pen", "palm"])
def test_the_palm_beside_a_pen_means_nothing(page: Page, first: str) -> None:
    hands = page.context.new_cdp_session(page)
    page.evaluate(f"{BENCH}.choose('mask')")
    before, (x, y) = shown(page), middle(page)
    if first == "palm":
        touch(hands, "touchStart", (x + 120, y + 120))
    pen(hands, "mousePressed", (x - 100, y))
    pen(hands, "mouseMoved", (x - 50, y))
    if first == "pen":
        touch(hands, "touchStart", (x + 120, y + 120))
    touch(hands, "touchMove", (x + 130, y + 140))
    pen(hands, "mouseMoved", (x, y))
    touch(hands, "touchEnd")
    pen(hands, "mouseMoved", (x + 100, y))
    pen(hands, "mouseReleased", (x + 100, y))
    after = shown(page)
    assert (after["scale"], after["steps"]) == (before["scale"], 1)
    thick = 24 / after["scale"]
    assert after["painted"] == pytest.approx(
        200 / after["scale"] * thick + 3.14 * thick**2 / 4, rel=0.1
    )
