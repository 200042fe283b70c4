"""The panel of the bench: short lists, Run within reach, and words that are no colour."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visitor
from tests.services import processes

FACES = 8
SEED = f"""
import json
from django.utils import timezone
from restoration.actions.claims import claim_photo
from restoration.models import Assessment
from tests import factories
from tests.people import person
photo = factories.photo(factories.collection(), image=factories.picture(3, height=240, width=320))
faces = [[0.1 * number, 0.3, 0.08, 0.1] for number in range({FACES})]
Assessment.objects.create(photo=photo, suggestions=[], made_at=timezone.now(),
                          report={{"faces": faces}})
claim_photo(photo=photo, by=person("vera"), now=timezone.now())
print(json.dumps(f"/photos/{{photo.ref}}/"))
"""


@pytest.fixture(scope="module")
def bench(site: processes.Site) -> str:
    """The address of a photo with many faces in Vera's hands."""
    return str(json.loads(site.run(SEED).splitlines()[-1]))


def opened(visitor: Visitor, address: str) -> Page:
    page = visitor.open(address)
    expect(page.locator(".bench[data-ready]")).to_be_attached()
    return page


@pytest.mark.parametrize("locale", ["en-GB", "zh-Hans"])
@pytest.mark.parametrize("width", [390, 1440])
def test_a_face_is_one_line(
    visit: Callable[..., Visitor], bench: str, width: int, locale: str
) -> None:
    page = opened(visit("vera", width=width, locale=locale), bench)
    rows = page.locator("[data-face-list] > li")
    expect(rows).to_have_count(FACES)
    for row in rows.all():
        box = row.bounding_box()
        assert box
        assert box["height"] < 60
    over = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(over) <= 0


def test_a_face_is_placed_in_numbers_by_keys(visit: Callable[..., Visitor], bench: str) -> None:
    visitor = visit("vera")
    page = opened(visitor, bench)
    row = page.locator("[data-face-list] > li").nth(1)
    row.locator("select").focus()
    page.keyboard.press("Tab")
    expect(row.locator("summary")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Face 2: left edge, percent")).to_be_focused()
    page.keyboard.type("12.5")
    page.keyboard.press("Enter")
    expect(page.locator(".bench-saved")).to_have_text("saved")
    page.reload()
    assert page.locator("[data-face-list] [name=face-1-x]").input_value() == "12.5"
    assert visitor.complaints == []


def test_a_number_that_is_none_is_shown_where_it_was_folded(
    visit: Callable[..., Visitor], bench: str
) -> None:
    page = opened(visit("vera"), bench)
    row = page.locator("[data-face-list] > li").first
    row.locator("summary").click()
    page.get_by_label("Face 1: width, percent").evaluate("each => { each.max = 1; }")
    row.locator("summary").click()
    page.locator("[data-run]").click()
    expect(page.get_by_label("Face 1: width, percent")).to_be_focused()


def test_without_a_script_the_numbers_of_one_more_face_are_open(
    visit: Callable[..., Visitor], bench: str
) -> None:
    page = visit("vera", java_script_enabled=False).open(bench)
    expect(page.get_by_label(f"Face {FACES + 1}: width, percent")).to_be_visible()
    first = page.get_by_label("Face 1: width, percent")
    expect(first).to_be_hidden()
    page.locator("[data-face-list] summary").first.click()
    expect(first).to_be_visible()


@pytest.mark.parametrize("script", [True, False])
@pytest.mark.parametrize("locale", ["en-GB", "zh-Hans"])
def test_on_a_phone_run_is_at_hand_and_covers_no_field(
    visit: Callable[..., Visitor], bench: str, locale: str, script: bool
) -> None:
    page = visit("vera", width=390, locale=locale, java_script_enabled=script).open(bench)
    page.set_viewport_size({"width": 390, "height": 844})
    button = page.locator("[data-run]")
    page.locator("[name=step-tone]").focus()
    expect(button).to_be_in_viewport(ratio=1)
    bar = page.locator(".bench-run > .row").bounding_box()
    assert bar
    assert bar["height"] < 90
    for name in ("prompt-period", "prompt-words", "step-denoise", "step-upscale"):
        page.locator(f"[name={name}]").focus()
        field, bar = (
            page.locator(f"[name={name}]"),
            page.locator(".bench-run > .row").bounding_box(),
        )
        box = field.bounding_box()
        assert box
        assert bar
        assert box["y"] + box["height"] <= bar["y"]


@pytest.mark.parametrize("key", ["Enter", "Tab"])
def test_words_that_are_no_colour_are_answered_and_stay(
    visit: Callable[..., Visitor], bench: str, key: str
) -> None:
    visitor = visit("vera")
    page = opened(visitor, bench)
    field = page.locator("#dab-word")
    field.fill("butternut homespun")
    field.press(key)
    told = page.locator("#dab-word-problem")
    expect(told).to_contain_text("We do not know the colour “butternut homespun”.")
    expect(told).to_contain_text("“dark red” or “grey-blue”")
    expect(page.locator("#announce")).to_contain_text("butternut homespun")
    expect(field).to_have_value("butternut homespun")
    expect(field).to_have_attribute("aria-invalid", "true")
    field.fill("dark red")
    expect(told).to_be_hidden()
    field.press("Enter")
    expect(page.locator("#dab-colour")).to_have_value("#761217")
    expect(field).not_to_have_attribute("aria-invalid", "true")
    assert [each for each in visitor.complaints if "422" not in each] == []
