"""Every kind of page, in both languages and on both sizes of screen: nothing in anybody's way."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.conftest import Visitor
from tests.services import processes

WIDE, NARROW = 1440, 390
HEIGHTS = {WIDE: 900, NARROW: 844}
# Axe takes half a second a page; a phone has the most to trip over.
LOOKS = (
    pytest.param("en", [WIDE, NARROW], id="en"),
    pytest.param("zh-Hans", [NARROW], id="zh-Hans-narrow"),
)
NOWHERE = "/nowhere/"
# By whom, and where in the list of theirs: an exhibit and a photo of it, the wall and the bench,
# the desk and a review, the people.
MAIN = {"": [2, 3], "vera": [0, 1], "cora": [0, 1], "sten": [0]}
SEED = """
import json
from django.utils import timezone
from restoration.actions.reviews import open_review
from tests.access.world import build
w = build()
ready, held, live = (w.photos[n] for n in ("ready", "held by the volunteer", "live"))
box, exhibit = w.collections["open"].slug, w.exhibits["open"].slug
review = w.reviews["open"]
print(json.dumps({
    "": ["/", "/exhibits/", f"/exhibits/{exhibit}/", f"/exhibits/{exhibit}/{live.ref}/",
         f"/exhibits/{exhibit}/{live.ref}/zoom/", "/account/login/", "/account/signup/",
         "/account/password/reset/", "/api/v1/docs", "/nowhere/"],
    "vera": ["/wall/", f"/photos/{held.ref}/", f"/photos/{ready.ref}/",
             f"/photos/{held.ref}/compare/", f"/jobs/{w.jobs['waiting'].pk}/",
             "/people/me/", "/people/me/profile/", "/collections/", "/account/password/change/"],
    "cora": ["/desk/", f"/reviews/{review.pk}/", "/collections/", f"/collections/{box}/",
             f"/collections/{box}/edit", f"/collections/{box}/upload", f"/scans/{ready.ref}/edit",
             "/curate/exhibits/", "/curate/exhibits/new/", f"/curate/exhibits/{exhibit}/",
             f"/curate/rooms/{w.rooms['open'].pk}/",
             f"/curate/versions/{w.versions['accepted'].pk}/publish/",
             f"/curate/publications/{w.publications['live'].pk}/retract/"],
    "sten": ["/people/", f"/people/{w.people.vera.pk}/", "/collections/new"],
}))
"""


@pytest.fixture(scope="module")
def addresses(site: processes.Site) -> dict[str, list[str]]:
    """The pages there are, by who reads them."""
    found: dict[str, list[str]] = json.loads(site.run(SEED).splitlines()[-1])
    return found


def violations(page: Any) -> list[str]:
    """What axe finds, with the first place of each."""
    found = Axe().run(page).response["violations"]
    return [f"{each['id']}: {each['nodes'][0]['html'][:160]}" for each in found]


def overflow(page: Any) -> list[str]:
    """Whether the page is wider than its window."""
    wider = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return [f"{wider} px too wide"] if wider > 0 else []


def looked_at(visitor: Visitor, address: str, closely: list[int]) -> list[str]:
    """All that is wrong with a page: too wide at either width, and what axe says at those."""
    page, found = visitor.page, []
    visitor.complaints.clear()
    page.set_viewport_size({"width": WIDE, "height": HEIGHTS[WIDE]})
    visitor.open(address)
    for width, height in HEIGHTS.items():
        page.set_viewport_size({"width": width, "height": height})
        seen = [*overflow(page), *(violations(page) if width in closely else [])]
        found += [f"{width}: {each}" for each in seen]
    found += visitor.complaints if address != NOWHERE else []
    return [f"{address} {each}" for each in found]


@pytest.mark.slow
def test_nothing_stands_in_the_way_on_the_main_pages(
    visit: Callable[..., Visitor], addresses: dict[str, list[str]]
) -> None:
    found = []
    for who, places in MAIN.items():
        visitor = visit(who, locale="en-GB")
        for place in places:
            found += looked_at(visitor, addresses[who][place], [NARROW])
    assert not found, "\n" + "\n".join(found)


@pytest.mark.slow
@pytest.mark.parametrize(("language", "closely"), LOOKS)
@pytest.mark.parametrize("who", ["", "vera", "cora", "sten"])
def test_nothing_stands_in_anybodys_way(
    visit: Callable[..., Visitor],
    addresses: dict[str, list[str]],
    who: str,
    language: str,
    closely: list[int],
) -> None:
    visitor = visit(who, locale="zh-CN" if language == "zh-Hans" else "en-GB")
    found = [each for address in addresses[who] for each in looked_at(visitor, address, closely)]
    assert visitor.page.locator("html").get_attribute("lang") == language
    assert not found, "\n" + "\n".join(found)


@pytest.mark.slow
@pytest.mark.parametrize("who", ["", "vera", "cora"])
def test_without_a_script_no_page_is_too_wide(
    visit: Callable[..., Visitor], addresses: dict[str, list[str]], who: str
) -> None:
    visitor = visit(who, width=NARROW, java_script_enabled=False)
    found = []
    for address in addresses[who]:
        page = visitor.open(address)
        width = page.locator("html").bounding_box()
        found += [] if width and width["width"] <= NARROW else [f"{address}: {width}"]
        assert page.locator("main").count() == 1, address
    assert not found, found


SLOWER = [pytest.param(who, marks=pytest.mark.slow) for who in ("vera", "cora", "sten")]

LONG = """
from accounts.models import User
from archive.models import Collection, Photo
from exhibit.models import Exhibit, Placement, Room
word, address = "W" * 150, "https://example.org/" + "x" * 180
Photo.objects.update(title_en=word, people_en=address, place_en=word, description_en=address)
Collection.objects.update(title_en=word, institution_en=word, description_en=address)
Exhibit.objects.update(title_en=word, intro_en=address)
Room.objects.update(title_en=word, intro_en=address)
Placement.objects.update(caption_en=address, story_en=address)
User.objects.update(display_name="W" * 80)
"""


# The last one here: its words stay.
@pytest.mark.parametrize("who", ["", *SLOWER])
def test_one_long_word_makes_no_page_too_wide(
    visit: Callable[..., Visitor],
    site: processes.Site,
    addresses: dict[str, list[str]],
    who: str,
) -> None:
    site.run(LONG)
    visitor = visit(who, locale="en-GB")
    found = [each for address in addresses[who] for each in looked_at(visitor, address, [])]
    assert not found, "\n" + "\n".join(found)
