"""Small screens and large letters: nothing lies under another thing, nothing hides the picture."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import combinations

import pytest
from playwright.sync_api import FloatRect, Locator, Page, expect

from tests.browser.conftest import Visitor
from tests.services import processes

SEED = """
import json
from django.utils import timezone
from exhibit.actions import publish_version
from exhibit.arranging import Words
from restoration.actions.claims import claim_photo
from tests import factories
from tests.people import appoint, cast
now, people, box = timezone.now(), cast(), factories.collection()
appoint(people.cora, box)
image = factories.picture(3, height=480, width=640)
photo, held = (factories.photo(box, image=image) for _ in range(2))
claim_photo(photo=held, by=people.vera, now=now)
version, _review = factories.accepted(photo, people.vera, people.cora, image=image)
room = factories.room(box)
publish_version(version=version, room=room, words=Words(), by=people.sten, now=now)
print(json.dumps([f"/exhibits/{room.exhibit.slug}/{photo.ref}/", f"/photos/{held.ref}/"]))
"""
# Whoever zooms a browser to 400 %, a phone held across, a small phone.
SMALL = [(320, 256), (667, 375), (320, 568)]
LARGE_LETTERS = "html { font-size: 200%; }"
# Where the words of an element are, also those for which it is too narrow.
WORDS = """each => {
  const words = document.createRange();
  words.selectNodeContents(each);
  const { x, y, width, height } = words.getBoundingClientRect();
  return { x, y, width, height };
}"""
HEAD = (".brand", ".menu-button", ".language", ".account")


@pytest.fixture(scope="module")
def pages(site: processes.Site) -> list[str]:
    """A published picture, which the first page shows too, and Vera's bench."""
    found: list[str] = json.loads(site.run(SEED).splitlines()[-1])
    return found


@pytest.fixture(scope="module")
def photo(pages: list[str]) -> str:
    """The address of the published picture."""
    return pages[0]


def box(part: Locator) -> FloatRect:
    found = part.bounding_box()
    assert found
    return found


def overlap(one: FloatRect, other: FloatRect) -> bool:
    """Whether two boxes share more than an edge."""
    return all(
        min(one[at] + one[size], other[at] + other[size]) - max(one[at], other[at]) > 0.5
        for at, size in (("x", "width"), ("y", "height"))  # type: ignore[literal-required]
    )


def too_wide(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth - innerWidth"))


def is_on_the_picture(page: Page) -> bool:
    notice = page.locator(".compare-notice")
    expect(notice).to_be_visible()
    assert notice.inner_text().strip()
    return overlap(box(notice), box(page.locator("[data-stage]")))


def below(page: Page) -> float:
    """How far under the picture's upper edge the buttons stand."""
    return box(page.locator(".compare-bar"))["y"] - box(page.locator("[data-stage]"))["y"]


@pytest.mark.parametrize(("width", "height"), SMALL)
def test_what_was_done_is_told_under_a_small_picture(
    visit: Callable[..., Visitor], photo: str, width: int, height: int
) -> None:
    visitor = visit("")
    visitor.page.set_viewport_size({"width": width, "height": height})
    for address in ("/", photo):
        page = visitor.open(address)
        expect(page.locator("figure > .compare-notice")).to_be_visible()
        assert not is_on_the_picture(page)
        before = below(page)
        page.locator("[value=left]").check(force=True)
        expect(page.locator(".compare-notice")).to_be_hidden()
        assert below(page) == before, "a flip moves nothing"
    assert visitor.complaints == []


def test_what_was_done_is_told_on_a_large_picture_until_letters_grow(
    visit: Callable[..., Visitor], photo: str
) -> None:
    page = visit("", width=1280, bypass_csp=True).open(photo)
    expect(page.locator("[data-stage] > .compare-notice")).to_be_visible()
    assert is_on_the_picture(page)
    page.add_style_tag(content=LARGE_LETTERS)
    expect(page.locator("figure > .compare-notice")).to_be_visible()
    assert not is_on_the_picture(page)


def test_without_a_script_what_was_done_is_told_under_both_pictures(
    visit: Callable[..., Visitor], photo: str
) -> None:
    page = visit("", width=390, java_script_enabled=False).open(photo)
    notice = page.locator(".compare-notice")
    expect(notice).to_be_visible()
    pictures = page.locator(".compare-pane img:visible").all()
    assert [overlap(box(notice), box(each)) for each in pictures] == [False, False]


def crowded(page: Page) -> list[tuple[str, str]]:
    """Which parts of the head of the page lie over each other."""
    boxes = {name: box(page.locator(name)) for name in HEAD}
    boxes[".brand"] = page.locator(".brand").evaluate(WORDS)
    return [pair for pair in combinations(HEAD, 2) if overlap(*(boxes[name] for name in pair))]


@pytest.mark.parametrize("who", ["", "vera"])
@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
def test_on_a_phone_the_head_of_the_page_is_one_line_with_room_for_each(
    visit: Callable[..., Visitor], photo: str, who: str, locale: str
) -> None:
    page = visit(who, locale=locale).open("/exhibits/")
    for width in (414, 390, 375, 360, 320):
        page.set_viewport_size({"width": width, "height": 700})
        assert (crowded(page), too_wide(page)) == ([], 0), width
        assert box(page.locator(".site-header"))["height"] < 60, width
    menu = page.locator(".menu-button")
    expect(menu).to_have_accessible_name("Menu" if locale == "en-GB" else "菜单")


def test_with_large_letters_the_head_takes_a_second_line(
    visit: Callable[..., Visitor], photo: str
) -> None:
    page = visit("", width=390, bypass_csp=True).open("/exhibits/")
    page.add_style_tag(content=LARGE_LETTERS)
    assert (crowded(page), too_wide(page)) == ([], 0)


def test_the_bench_is_no_wider_than_a_screen_at_four_times_its_size(
    visit: Callable[..., Visitor], pages: list[str]
) -> None:
    visitor = visit("vera", width=320)
    visitor.page.set_viewport_size({"width": 320, "height": 256})
    page = visitor.open(pages[1])
    expect(page.locator(".bench[data-ready]")).to_be_attached()
    assert too_wide(page) == 0
