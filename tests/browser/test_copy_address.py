"""The address of a published picture: copied by a button, or marked by hand without a script."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.conftest import Visitor
from tests.services import processes

SEED = """
import json
from django.utils import timezone
from exhibit.actions import publish_version
from exhibit.arranging import Words
from tests import factories
from tests.people import appoint, person
vera, cora = person("vera"), person("cora")
box = factories.collection(contact="photos@museum.example")
appoint(cora, box)
room = factories.room(box)
photo = factories.photo(box, image=factories.picture(3, height=240, width=320))
image = factories.picture(4, height=240, width=320)
version, _review = factories.accepted(photo, vera, cora, image=image)
shown = publish_version(version=version, room=room, words=Words(), by=cora, now=timezone.now())
print(json.dumps([f"/exhibits/{room.exhibit.slug}/{photo.ref}/", f"/published/{shown.pk}/"]))
"""
BUTTON = "[data-copy]"


@pytest.fixture(scope="module")
def addresses(site: processes.Site) -> list[str]:
    """Of the page of a published picture, and the one that stays."""
    found: list[str] = json.loads(site.run(SEED).splitlines()[-1])
    return found


@pytest.mark.parametrize("locale", ["en", "zh-Hans"])
def test_the_button_copies_the_address_that_is_shown(
    locale: str, visit: Callable[..., Visitor], addresses: list[str]
) -> None:
    visitor = visit(locale=locale, permissions=["clipboard-read", "clipboard-write"])
    page = visitor.open(addresses[0])
    shown = page.locator("#address").inner_text()
    assert shown.endswith(addresses[1])
    page.locator(BUTTON).click()
    expect(page.locator("#toasts")).to_contain_text(page.get_attribute(BUTTON, "data-copied") or "")
    assert page.evaluate("navigator.clipboard.readText()") == shown
    found = Axe().run(page).response["violations"]
    assert [each["id"] for each in found] == []
    assert visitor.complaints == []


def test_where_there_is_no_clipboard_the_address_is_marked_and_copied_the_older_way(
    visit: Callable[..., Visitor], addresses: list[str]
) -> None:
    visitor = visit()
    visitor.page.add_init_script(
        "Object.defineProperty(navigator, 'clipboard', {value: undefined})"
    )
    page = visitor.open(addresses[0])
    page.locator(BUTTON).click()
    expect(page.locator("#toasts .message")).to_have_count(1)
    marked = page.evaluate("getSelection().toString()")
    assert marked == page.locator("#address").inner_text()
    assert visitor.complaints == []


def test_without_a_script_the_address_stands_there_and_no_button(
    visit: Callable[..., Visitor], addresses: list[str]
) -> None:
    page = visit(java_script_enabled=False, width=390).open(addresses[0])
    expect(page.locator("#address")).to_be_visible()
    expect(page.locator(BUTTON)).to_be_hidden()
    expect(page.locator("a[href^='mailto:photos@museum.example?subject=']")).to_be_visible()
