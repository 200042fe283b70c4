"""The boxes around faces under a person's hands: pulled, moved, by keys, undone, on a phone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Visitor
from tests.services import processes

VERAS = 4
SEED = f"""
from django.utils import timezone
from restoration.models import Assessment
from restoration.actions.claims import claim_photo
from tests import factories
from tests.people import person
box = factories.collection()
image = factories.picture(3, height=240, width=320)
for number in range({VERAS}):
    photo = factories.photo(box, image=image)
    Assessment.objects.create(photo=photo, suggestions=[], made_at=timezone.now(),
                              report={{"faces": [[0.4, 0.3, 0.2, 0.3]] if number else []}})
    claim_photo(photo=photo, by=person(f"vera{{number}}"), now=timezone.now())
    print(photo.ref)
"""


@pytest.fixture(scope="module")
def benches(site: processes.Site) -> list[str]:
    return [f"/photos/{ref}/" for ref in site.run(SEED).split()[-VERAS:]]


@pytest.fixture
def bench(benches: list[str], visit: Callable[..., Visitor]) -> Iterator[Callable[..., Page]]:
    """Opens the bench of that number; at the end nothing was wrong with the page."""
    visitors = []

    def begin(number: int, **options: Any) -> Page:
        visitor = visit(f"vera{number}", **options)
        visitors.append(visitor)
        return visitor.open(benches[number])

    yield begin
    assert [visitor.complaints for visitor in visitors] == [[]] * len(visitors)


def rows(page: Page) -> Locator:
    return page.locator("[data-face-list] li")


def value(page: Page, row: int, part: str) -> float:
    return float(rows(page).nth(row).locator(f"[data-part={part}]").input_value())


def pull(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """With the pointer, from one share of the photograph to another."""
    box = page.locator("[data-picture]").bounding_box()
    assert box
    points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in (start, end)]
    page.mouse.move(*points[0])
    page.mouse.down()
    page.mouse.move(*points[1], steps=3)
    page.mouse.up()


def test_a_box_is_drawn_moved_sized_and_undone(bench: Callable[..., Page]) -> None:
    page = bench(0)
    expect(page.get_by_text("No face was found.")).to_be_visible()
    page.get_by_role("button", name="Draw a box").click()
    pull(page, (0.2, 0.2), (0.4, 0.5))
    expect(rows(page)).to_have_count(1)
    expect(page.get_by_text("No face was found.")).to_be_hidden()
    assert (value(page, 0, "x"), value(page, 0, "width")) == pytest.approx((20, 20), abs=1)
    pull(page, (0.3, 0.3), (0.5, 0.3))
    assert (value(page, 0, "x"), value(page, 0, "width")) == pytest.approx((40, 20), abs=1.5)
    pull(page, (0.6, 0.5), (0.7, 0.6))
    assert (value(page, 0, "x"), value(page, 0, "width")) == pytest.approx((40, 30), abs=1.5)
    expect(page.locator(".bench-saved")).to_have_text("saved")
    for _ in range(3):
        page.get_by_role("button", name="Undo").click()
    expect(rows(page)).to_have_count(0)
    expect(page.get_by_text("No face was found.")).to_be_visible()


@pytest.mark.slow
def test_a_box_is_moved_and_sized_and_deleted_by_keys(bench: Callable[..., Page]) -> None:
    page = bench(1)
    page.locator("[name=tool][value=face]").check()
    pull(page, (0.5, 0.45), (0.5, 0.45))
    page.locator("[data-viewer]").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    assert (value(page, 0, "x"), value(page, 0, "height")) == (40.5, 30.5)
    page.keyboard.press("Delete")
    expect(rows(page)).to_have_count(0)
    page.keyboard.press("Control+z")
    expect(rows(page)).to_have_count(1)


@pytest.mark.slow
def test_what_is_said_of_a_face_outlives_a_reload(bench: Callable[..., Page]) -> None:
    page = bench(2)
    page.get_by_label("Face 1: what it is").select_option("not a face")
    page.get_by_role("button", name="Box in the middle").click()
    page.get_by_label("Face 2: width, percent").fill("12.5")
    page.get_by_label("Face 2: width, percent").press("Tab")
    expect(page.locator(".bench-saved")).to_have_text("saved")
    page.reload()
    expect(rows(page)).to_have_count(2)
    expect(page.get_by_label("Face 1: what it is")).to_have_value("not")
    assert value(page, 1, "width") == 12.5


@pytest.mark.slow
@pytest.mark.parametrize("width", [390, 1440])
def test_the_list_fits_the_page(bench: Callable[..., Page], width: int) -> None:
    page = bench(3, width=width)
    expect(rows(page)).to_have_count(1)
    over = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(over) <= 0
    tall = page.get_by_label("Face 1: remove").bounding_box()
    assert tall
    assert min(tall["width"], tall["height"]) >= 24
