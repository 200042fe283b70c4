"""Tiles under the viewer: at the bench, at the desk and on the zoom page, without a complaint."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image, ImageStat
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visitor
from tests.services import processes

SEED = """
import json, numpy as np
from django.utils import timezone
from archive import renditions, rendering
from exhibit.actions import publish_version
from exhibit.arranging import Words
from restoration.actions.claims import claim_photo
from restoration.actions.reviews import open_review
from tests import factories
from tests.people import appoint, cast
now, people = timezone.now(), cast()
box = factories.collection()
appoint(people.cora, box)
def large(seed):
    small = factories.picture(seed, height=75, width=338)
    return np.ascontiguousarray(small.repeat(8, 0).repeat(8, 1))
scan, done = large(1), large(2)
held, sent = (factories.photo(box, image=scan) for _ in range(2))
claim_photo(photo=held, by=people.vera, now=now)
factories.version(held, people.vera, image=done)
doubted = factories.submitted(sent, people.victor, image=done)
review = open_review(version=doubted, by=people.cora, now=now)
shown = factories.photo(box, image=scan)
version, _review = factories.accepted(shown, people.vera, people.cora, image=done)
room = factories.room(box)
publish_version(version=version, room=room, words=Words(), by=people.sten, now=now)
for sha256 in {shown.working_sha256, version.sha256}:
    renditions.note(sha256, now=now)
    rendering.render(sha256=sha256)
print(json.dumps({
    "bench": f"/photos/{held.ref}/",
    "compare": f"/photos/{held.ref}/compare/",
    "review": f"/reviews/{review.pk}/",
    "zoom": f"/exhibits/{room.exhibit.slug}/{shown.ref}/zoom/",
}))
"""


pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def pages(site: processes.Site) -> dict[str, str]:
    """The pages on which one may look closely."""
    found: dict[str, str] = json.loads(site.run(SEED).splitlines()[-1])
    return found


def noted(visitor: Visitor) -> list[str]:
    """The addresses that the page asks for from now on."""
    asked: list[str] = []
    visitor.page.on("request", lambda request: asked.append(request.url))
    return asked


def tiles(asked: list[str]) -> list[str]:
    return [each for each in asked if "/iiif/" in each and each.endswith(".jpg")]


def painted(page: Any, within: str) -> int:
    """How many of some points of the tiles' canvas have a colour."""
    count: int = page.locator(f"{within} canvas").first.evaluate(
        """canvas => {
          const pen = canvas.getContext("2d");
          const at = [0.2, 0.4, 0.5, 0.6, 0.8];
          const y = canvas.height / 2;
          return at.filter(x => pen.getImageData(x * canvas.width, y, 1, 1).data[3]).length;
        }"""
    )
    return count


@pytest.mark.parametrize(
    ("name", "who", "world"),
    [
        ("bench", "vera", "[data-viewer]"),
        ("compare", "vera", ".compare-right"),
        ("review", "cora", ".compare-right"),
    ],
)
def test_looking_closely_brings_tiles_under_the_picture(
    visit: Callable[..., Visitor], pages: dict[str, str], name: str, who: str, world: str
) -> None:
    visitor = visit(who)
    asked = noted(visitor)
    page = visitor.open(pages[name])
    page.wait_for_selector("[data-zoom-level]")
    assert not tiles(asked), "nobody has looked closely yet"
    assert not [each for each in asked if "/dist/zoom" in each]
    stage = page.locator("[data-stage], [data-viewer]").first
    stage.focus()
    page.keyboard.press("z")
    page.wait_for_selector(f"{world} .viewer-world.has-tiles", state="attached")
    assert tiles(asked)
    assert page.locator("[data-zoom-level]").first.inner_text() == "100 %"
    assert painted(page, f"{world} .viewer-tiles") == 5
    before = len(tiles(asked))
    for _ in range(20):
        page.keyboard.press("Shift+ArrowRight")
    page.wait_for_timeout(500)
    assert len(tiles(asked)) > before, "the keys move the tiles too"
    assert not visitor.complaints


def test_a_comparison_that_goes_while_tiles_are_drawn_leaves_no_error(
    visit: Callable[..., Visitor], pages: dict[str, str]
) -> None:
    visitor = visit("vera")
    page = visitor.open(pages["compare"])
    page.locator("[data-stage]").focus()
    page.keyboard.press("z")
    page.wait_for_selector(".compare-right .viewer-world.has-tiles", state="attached")
    page.locator("[data-compare]").evaluate("figure => figure.remove()")
    page.wait_for_timeout(500)  # some frames, in which the tiles find that they are not on the page
    assert not visitor.complaints


def test_a_preview_of_the_colours_lies_on_the_photograph_when_tiles_are_under_it(
    visit: Callable[..., Visitor], pages: dict[str, str]
) -> None:
    page = visit("vera").open(pages["bench"])
    page.locator("[data-viewer]").focus()
    page.keyboard.press("z")
    page.wait_for_selector("[data-viewer] .viewer-world.has-tiles", state="attached")
    bare = grains(page)
    page.get_by_label("Colour", exact=True).last.fill("#c8102e")
    page.get_by_role("button", name="Add in the middle").click()
    expect(page.locator("canvas[data-tint]")).to_be_visible()
    assert grains(page) > 0.5 * bare > 1
    page.get_by_role("button", name="Show the mask and the colours").click()
    assert grains(page) == pytest.approx(bare, rel=0.05), "bare: the tiles alone"


def grains(page: Page) -> float:
    """How much the brightness varies on the picture, a little beside its middle."""
    box = page.locator("[data-viewer]").bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2 + 40, box["y"] + box["height"] / 2 + 40
    part = page.screenshot(clip={"x": x, "y": y, "width": 60, "height": 60})
    with Image.open(io.BytesIO(part)) as picture:
        return float(ImageStat.Stat(picture.convert("L")).stddev[0])


def test_a_sharp_screen_of_a_phone_asks_for_no_tiles_before_one_looks_closely(
    visit: Callable[..., Visitor], pages: dict[str, str]
) -> None:
    visitor = visit("vera", width=390, device_scale_factor=2)
    asked = noted(visitor)
    page = visitor.open(pages["bench"])
    expect(page.locator(".bench[data-ready]")).to_be_attached()
    page.wait_for_load_state("networkidle")
    assert [each for each in asked if "/iiif/" in each or "/dist/zoom" in each] == []
    page.locator("[data-viewer]").focus()
    page.keyboard.press("z")
    page.wait_for_selector("[data-viewer] .viewer-world.has-tiles", state="attached")
    assert tiles(asked)


def test_the_zoom_page_shows_the_tiles_of_both_sides(
    visit: Callable[..., Visitor], pages: dict[str, str]
) -> None:
    visitor = visit("")
    asked = noted(visitor)
    page = visitor.open(pages["zoom"])
    page.wait_for_selector("[data-deep-root][data-ready]")
    page.locator("[data-deep='full']").click()
    page.wait_for_timeout(1500)
    sides = {each.split("/iiif/")[1].split("-")[0] for each in tiles(asked)}
    assert sides == {"original", "restored"}
    assert painted(page, "[data-deep-zoom]") == 5
    assert not visitor.complaints


def test_the_zoom_page_tells_its_keys_and_how_near_one_is(
    visit: Callable[..., Visitor], pages: dict[str, str]
) -> None:
    visitor = visit("")
    page = visitor.open(pages["zoom"])
    page.wait_for_selector("[data-deep-root][data-ready]")
    picture, level = page.get_by_role("application"), page.locator(".zoom-level")
    expect(picture).to_have_accessible_description(
        "Arrow keys move the picture, plus and minus zoom, 0 shows all of it."
    )
    expect(level).to_have_attribute("role", "status")
    whole = level.inner_text()
    page.locator("[data-deep='full']").click()
    expect(level).to_have_text("Zoom 100 %")
    picture.press("0")
    expect(level).to_have_text(whole)
    picture.press("+")
    expect(level).not_to_have_text(whole)
    assert not visitor.complaints


def test_no_letter_turns_or_mirrors_the_picture_of_the_zoom_page(
    visit: Callable[..., Visitor], pages: dict[str, str]
) -> None:
    page = visit("", reduced_motion="reduce").open(pages["zoom"])
    page.wait_for_selector("[data-deep-root][data-ready]")
    page.wait_for_load_state("networkidle")
    picture = page.get_by_role("application")
    picture.focus()
    before = picture.screenshot()
    for key in ("f", "r"):
        page.keyboard.press(key)
        page.wait_for_timeout(500)
        assert picture.screenshot() == before, key


def test_without_a_script_the_zoom_page_has_both_pictures(
    visit: Callable[..., Visitor], pages: dict[str, str]
) -> None:
    page = visit("", java_script_enabled=False).open(pages["zoom"])
    assert page.locator(".compare img:visible").count() == 2
