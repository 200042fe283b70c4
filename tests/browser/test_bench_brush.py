"""The brush keeps its size on the screen; the page says what it covers of the photo."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, Request, Route, expect

from tests.browser.conftest import IN_HANDS, Visitor
from tests.services import addresses, buckets, databases, processes
from tests.services.need import need

BENCH = "document.querySelector('[data-bench]').bench"
PAINTED = f"{BENCH}.mask.painted"
# Photos of these heights and widths, by the name of who holds each.
SIZES = {
    "vera": (1500, 2000),
    "lost": (240, 320),
    "gone": (240, 320),
    "found": (240, 320),
    "few": (240, 320),
    "sent": (240, 320),
    "left": (240, 320),
    "touched": (240, 320),
    "tall": (6000, 400),
    "tiny": (48, 64),
}
SEED = f"""
import json
import numpy as np
from django.utils import timezone
from restoration.actions.claims import claim_photo
from restoration.models import Assessment
from restoration.runner import _keep_sheet
from tests import factories
from tests.people import person
now, box, refs, mask = timezone.now(), factories.collection(), {{}}, np.zeros((240, 320), np.uint8)
mask[100:124, 100:140] = 255
for name, (height, width) in {SIZES!r}.items():
    by, image = person(name), factories.picture(3, height=height, width=width)
    photo = factories.photo(box, image=image)
    claim_photo(photo=photo, by=by, now=now)
    refs[name] = photo.ref
    if name == "found":
        Assessment.objects.create(photo=photo, mask_sha256=_keep_sheet(mask), made_at=now)
    if name == "sent":
        factories.version(photo, by, image=image)
print(json.dumps(refs))
"""
LATE = "could not be loaded just now"
HIDE = """() => {
  Object.defineProperty(document, "hidden", { value: true, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""


def opened(visitor: Visitor, bench: str) -> Page:
    """The bench, once its script listens."""
    page: Page = visitor.open(bench)
    expect(page.locator(".bench[data-ready]")).to_be_attached()
    return page


@pytest.fixture(scope="module")
def refs(site: processes.Site) -> dict[str, str]:
    """The photos by the names of those who hold them."""
    found: dict[str, str] = json.loads(site.run(SEED).splitlines()[-1])
    return found


@pytest.fixture(scope="module")
def bench(refs: dict[str, str]) -> str:
    """The address of a large photo in Vera's hands."""
    return f"/photos/{refs['vera']}/"


@pytest.fixture
def holder(refs: dict[str, str], visit: Callable[..., Visitor]) -> Callable[..., Visitor]:
    """Opens the bench of one of them."""

    def begin(name: str, **options: Any) -> Visitor:
        visitor = visit(name, **options)
        opened(visitor, f"/photos/{refs[name]}/")
        visitor.page.wait_for_function(f"() => {BENCH}")
        return visitor

    return begin


def saved(page: Page) -> None:
    expect(page.locator(".bench-saved")).to_have_text("saved")


def painted(page: Page) -> int:
    return int(page.evaluate(PAINTED))


def sent_masks(page: Page) -> list[Request]:
    """The masks that the page sends from now on."""
    sent: list[Request] = []
    page.on("request", lambda each: sent.extend([each] * ("/masks?" in each.url)))
    return sent


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


def test_a_mask_that_is_not_had_at_once_is_asked_for_again_and_lies_under_new_strokes(
    holder: Callable[..., Visitor],
) -> None:
    visitor = holder("lost")
    page = visitor.page
    paint(page, "z", "b", "Enter", "ArrowRight", "Enter")
    saved(page)
    alone, sha = painted(page), page.evaluate(f"{BENCH}.draft.maskSha")
    tries: list[Route] = []
    page.route("**/sheets/*.png*", lambda route: (tries.append(route), route.abort()))
    page.reload()
    expect(page.locator("#toasts")).to_contain_text(LATE)
    sent = sent_masks(page)
    paint(page, "z", "b", *["ArrowDown"] * 8, "Enter", "Enter")
    expect(page.locator(".bench-saved")).to_contain_text("kept on this page")
    expect(page.locator(".step-fact[data-mask-share]")).to_contain_text("being fetched")
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.locator("#toasts .message-error")).to_contain_text(LATE)
    assert sent == []
    assert page.evaluate(f"{BENCH}.draft.maskSha") == sha
    dot = painted(page)
    assert 0 < dot < alone
    page.unroute("**/sheets/*.png*")
    page.wait_for_function(f"all => {PAINTED} === all", arg=alone + dot)
    saved(page)
    assert tries
    page.reload()
    page.wait_for_function(f"all => {BENCH}?.mask.painted === all", arg=alone + dot)


def test_who_clears_a_mask_that_is_never_had_begins_an_empty_one(
    holder: Callable[..., Visitor],
) -> None:
    page = holder("gone").page
    paint(page, "z", "b", "Enter", "ArrowRight", "Enter")
    saved(page)
    page.route("**/sheets/*.png*", lambda route: route.abort())
    page.reload()
    expect(page.locator("#toasts")).to_contain_text(LATE)
    page.get_by_role("button", name="Clear", exact=True).click()
    paint(page, "z", "b", "Enter", "Enter")
    saved(page)
    page.wait_for_timeout(2500)  # nothing comes and lies over it
    dot = painted(page)
    page.unroute("**/sheets/*.png*")
    page.reload()
    page.wait_for_function(f"all => {BENCH}?.mask.painted === all", arg=dot)


def test_what_was_detected_comes_although_it_was_not_had_at_once(
    holder: Callable[..., Visitor],
) -> None:
    page = holder("found").page
    share = page.locator(".step-fact[data-mask-share]")
    expect(share).to_contain_text("detected: 1.3 %")
    page.route("**/sheets/*.png*", lambda route: route.abort(), times=1)
    page.reload()
    expect(page.locator("#toasts")).to_contain_text(LATE)
    expect(share).to_contain_text("detected: 1.3 %")
    assert page.evaluate(f"{BENCH}.draft.maskSha") is None


@pytest.fixture(scope="module")
def far_site(
    start_site: Callable[..., processes.Site], migrated_sqlite: str, tmp_path_factory: Any
) -> Iterator[processes.Site]:
    """Another site, whose bytes lie in a bucket of a real S3 service."""
    need("s3")
    rows = databases.sqlite_database(tmp_path_factory.mktemp("far"), migrated_sqlite)
    with buckets.bucket(addresses.s3()) as told:
        yield start_site(rows, **told)


def test_with_the_bytes_in_a_bucket_the_mask_comes_back_and_colours_are_previewed(
    far_site: processes.Site, visit: Callable[..., Visitor]
) -> None:
    address = json.loads(far_site.run(IN_HANDS.format(height=240, width=320)).splitlines()[-1])
    visitor = visit("")
    visitor.url = far_site.url
    visitor.sign_in("vera")
    page = opened(visitor, address)
    paint(page, "z", "b", "Enter", "ArrowRight", "Enter")
    saved(page)
    alone = painted(page)
    page.get_by_role("button", name="Add in the middle").click()
    expect(page.locator("canvas[data-tint]")).to_be_visible()
    saved(page)
    page.reload()
    page.wait_for_function(f"all => {BENCH}?.mask.painted === all", arg=alone)
    assert visitor.complaints == []


def test_strokes_one_after_the_other_make_few_sheets_and_a_hidden_page_sends_the_last(
    holder: Callable[..., Visitor],
) -> None:
    page = holder("few").page
    sent = sent_masks(page)
    for way in ("ArrowRight", "ArrowDown", "ArrowLeft"):
        paint(page, "b", "Enter", *[way] * 4, "Enter")
        page.wait_for_timeout(1500)
    assert len(sent) == 1
    page.evaluate(HIDE)
    saved(page)
    assert len(sent) == 2
    all_of_it = painted(page)
    page.reload()
    page.wait_for_function(f"all => {BENCH}?.mask.painted === all", arg=all_of_it)


def test_what_was_painted_last_is_sent_before_a_version_is_handed_in(
    holder: Callable[..., Visitor],
) -> None:
    page = holder("sent").page
    paint(page, "b", "Enter", "ArrowRight", "Enter")
    saved(page)
    sent = sent_masks(page)
    paint(page, "b", *["ArrowDown"] * 8, "Enter", "Enter")
    page.get_by_text("Submit or retouch").last.click()
    page.get_by_role("button", name="Submit this version").click()
    expect(page.get_by_text("Submitted.")).to_be_visible()
    assert len(sent) == 1


def test_who_leaves_by_a_link_takes_along_what_was_painted_last(
    holder: Callable[..., Visitor],
) -> None:
    page = holder("left").page
    paint(page, "b", "Enter", "ArrowRight", "Enter")
    saved(page)
    sent = sent_masks(page)
    paint(page, "b", *["ArrowDown"] * 8, "Enter", "Enter")
    page.get_by_role("link", name="Wall").first.click()
    page.wait_for_url("**/wall/*")
    assert len(sent) == 1
    assert page.evaluate("Object.keys(localStorage).filter((key) => key.includes('draft'))") == []


def test_on_a_tall_photo_the_brush_paints_under_the_pointer(
    holder: Callable[..., Visitor],
) -> None:
    page = holder("tall").page
    page.evaluate(f"{BENCH}.choose('mask')")
    page.evaluate(
        f"{{ const {{ viewer }} = {BENCH}; viewer.zoomTo(1); viewer.reveal(200, 5900); }}"
    )
    box = page.locator("[data-viewer]").bounding_box()
    assert box
    at = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.click(*at)
    wanted = page.evaluate(
        f"([x, y]) => {BENCH}.viewer.pointAt({{ clientX: x, clientY: y }}).y / 6000", at
    )
    rows = page.evaluate(
        f"""(() => {{
          const {{ bytes, width, height }} = {BENCH}.mask;
          const rows = [];
          bytes.forEach((each, i) => {{ if (each) rows.push(Math.floor(i / width) + 0.5); }});
          return rows.map((row) => row / height);
        }})()"""
    )
    assert rows
    assert sum(rows) / len(rows) == pytest.approx(wanted, abs=2 / 6000)


def test_to_zoom_in_never_makes_a_very_small_photo_smaller(
    holder: Callable[..., Visitor],
) -> None:
    page = holder("tiny").page
    scale = page.evaluate(f"{BENCH}.viewer.scale")
    assert scale > 8
    page.get_by_role("button", name="Zoom in").click()
    assert page.evaluate(f"{BENCH}.viewer.scale") >= scale


def test_a_long_press_opens_no_menu_over_the_picture_while_a_tool_is_in_hand(
    holder: Callable[..., Visitor],
) -> None:
    page = holder("touched", has_touch=True).page
    pressed = """kind => !document.querySelector("[data-picture]").dispatchEvent(
      new PointerEvent("contextmenu", { pointerType: kind, bubbles: true, cancelable: true }))"""
    assert page.evaluate(pressed, "touch") is False
    page.evaluate(f"{BENCH}.choose('mask')")
    assert page.evaluate(pressed, "touch") is True
    assert page.evaluate(pressed, "mouse") is False, "a mouse keeps its menu"
