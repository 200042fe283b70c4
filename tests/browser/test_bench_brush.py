"""The brush keeps its size on the screen; the page says what it covers of the photo."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Visitor, in_hands
from tests.services import processes

BENCH = "document.querySelector('[data-bench]').bench"


@pytest.fixture(scope="module")
def bench(site: processes.Site) -> str:
    """The address of a large photo in Vera's hands."""
    return in_hands(site, height=1500, width=2000)


def opened(visitor: Visitor, bench: str) -> Page:
    """The bench, once its script listens."""
    page: Page = visitor.open(bench)
    expect(page.locator(".bench[data-ready]")).to_be_attached()
    return page


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
    page = opened(visitor, bench)
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
    page = opened(visit("vera"), bench)
    page.locator("[data-viewer]").focus()
    for key in ("z", "b", "Enter", "Enter"):
        page.keyboard.press(key)
    share = page.locator("[data-mask-share]").first
    expect(share).to_have_text("your mask: less than 0.1 % of the picture")


def test_what_is_said_to_be_covered_is_what_a_dot_of_the_brush_paints(
    visit: Callable[..., Visitor], bench: str
) -> None:
    page = opened(visit("vera"), bench)
    page.locator("[data-viewer]").focus()
    for key in ("b", "Enter", "Enter"):
        page.keyboard.press(key)
    painted = int(page.evaluate(f"{BENCH}.mask.painted"))
    across = 2 * (painted / 3.1416) ** 0.5
    assert across == pytest.approx(covered(page), abs=2)


STROKES = """(() => {
  const { history, mask } = BENCH;
  const [kept, sheet] = [new history.constructor(), document.createElement("canvas")];
  const drawn = new mask.constructor(sheet, { width: 2048, height: 1536 }, kept);
  for (let i = 0; i < 60; i += 1) {
    drawn.begin({ x: 5 + 9 * i, y: 5 }, 3, i % 4 === 3);
    drawn.move({ x: 2000 - 9 * i, y: 1500 });
    drawn.end();
  }
  const count = () => drawn.bytes.reduce((sum, each) => sum + (each ? 1 : 0), 0);
  const before = drawn.bytes.slice();
  const told = { bytes: kept.bytes, painted: drawn.painted, counted: count() };
  while (kept.done.length) kept.undo();
  told.undone = [drawn.painted, count(), drawn.isEdited];
  while (kept.undone.length) kept.redo();
  told.redone = drawn.painted;
  told.isSame = before.every((each, i) => each === drawn.bytes[i]);
  return told;
})()""".replace("BENCH", BENCH)


def test_undo_keeps_what_a_stroke_changed_and_not_the_picture_around_it(
    visit: Callable[..., Visitor], bench: str
) -> None:
    page = opened(visit("vera"), bench)
    told = page.evaluate(STROKES)
    assert told["bytes"] < 4_000_000
    assert told["painted"] == told["counted"] > 100_000
    assert told["undone"] == [0, 0, False]
    assert told["redone"] == told["painted"]
    assert told["isSame"]


def test_steps_that_keep_much_are_forgotten_the_oldest_first(
    visit: Callable[..., Visitor], bench: str
) -> None:
    page = opened(visit("vera"), bench)
    page.evaluate(f"const {{ history }} = {BENCH}; window.kept = new history.constructor();")
    page.evaluate(
        "for (const bytes of [9, 20, 15, undefined]) window.kept.push({ bytes: bytes << 20 })"
    )
    assert page.evaluate("window.kept.done.map(({ bytes }) => bytes >> 20)") == [15, 0]
    page.evaluate("window.kept.push({ bytes: 99 << 20 })")
    assert page.evaluate("window.kept.done.length") == 1


def test_a_stroke_before_the_mask_is_here_lies_on_it_and_is_saved(
    visit: Callable[..., Visitor], bench: str
) -> None:
    page = opened(visit("vera"), bench)
    paint(page, "z", "b", "Enter", "ArrowRight", "Enter")
    page.get_by_text("saved", exact=True).wait_for()
    alone = int(page.evaluate(f"{BENCH}.mask.painted"))
    held: list[Route] = []
    page.route("**/sheets/*.png*", lambda route: held.append(route))
    page.reload(wait_until="commit")
    expect(page.locator(".bench[data-ready]")).to_be_attached()
    page.wait_for_function("() => document.querySelector('[data-bench]').bench")
    paint(page, "z", "b", *["ArrowDown"] * 8, "Enter", "Enter")
    dot = int(page.evaluate(f"{BENCH}.mask.painted"))
    assert 0 < dot < alone
    assert held
    for each in held:
        each.continue_()
    page.wait_for_function(f"most => {BENCH}.mask.painted > most", arg=alone)
    page.get_by_text("saved", exact=True).wait_for()
    together = int(page.evaluate(f"{BENCH}.mask.painted"))
    assert together == alone + dot
    page.unroute("**/sheets/*.png*")
    page.reload()
    page.wait_for_function(f"all => {BENCH}?.mask.painted === all", arg=together)


def paint(page: Page, *keys: str) -> None:
    page.locator("[data-viewer]").focus()
    for key in keys:
        page.keyboard.press(key)
