"""Colours show themselves on the bench while they are placed, and only when they are wanted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visitor
from tests.services import processes

SEED = """
from django.utils import timezone
from restoration.actions.claims import claim_photo
from tests import factories
from tests.people import person
photo = factories.photo(factories.collection(), image=factories.picture(3, height=240, width=320))
claim_photo(photo=photo, by=person("vera"), now=timezone.now())
print(photo.ref)
"""
CHROMA = """() => {
  const canvas = document.querySelector("canvas[data-tint]");
  const at = Math.round(canvas.width / 2), down = Math.round(canvas.height / 2);
  return [...canvas.getContext("2d").getImageData(at, down, 1, 1).data];
}"""


@pytest.fixture(scope="module")
def address(site: processes.Site) -> Iterator[str]:
    return iter([f"/photos/{site.run(SEED).split()[-1]}/"])


def test_a_placed_colour_is_previewed_until_the_preview_or_the_step_is_off(
    address: Iterator[str], visit: Callable[..., Visitor]
) -> None:
    visitor = visit("vera")
    page: Any = visitor.open(next(address))
    tint, note = page.locator("canvas[data-tint]"), page.get_by_text("Preview of the colours")
    expect(tint).to_be_hidden()
    page.get_by_label("Colour", exact=True).last.fill("#c8102e")
    page.get_by_role("button", name="Add in the middle").click()
    expect(tint).to_be_visible()
    expect(note).to_be_visible()
    red, green, blue, weight = page.evaluate(CHROMA)
    assert red > blue > green - 40
    assert red - green > 60
    assert weight > 150
    page.get_by_label("Preview while I place colours").uncheck()
    expect(tint).to_be_hidden()
    page.get_by_label("Preview while I place colours").check()
    expect(note).to_be_visible()
    page.locator("[name=step-colourise]").uncheck()
    expect(tint).to_be_hidden()
    assert not visitor.complaints
