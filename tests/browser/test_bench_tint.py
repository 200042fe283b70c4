"""Colours show themselves on the bench while they are placed, and only when they are wanted."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import expect
from scipy import ndimage

from restoration.engine.hints import Hints, confidence, gathered
from restoration.engine.image import shrink
from restoration.engine.luma import luma
from restoration.engine.plan import Dab, Region
from tests.browser.conftest import Visitor
from tests.engine import pictures
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

SEEN = 0.1  # below that no colour is shown, and the browser looks no farther
REACH = """async ({picture, said, carried, reach}) => {
  const bench = document.querySelector("script[src*='/bench.js'], script[src*='/bench.']").src;
  const { confidence } = await import(bench.replace(/bench[^/]*$/, "reach.js"));
  return [...confidence(picture, said, carried, reach)];
}"""


@pytest.fixture(scope="module")
def address(site: processes.Site) -> Iterator[str]:
    return itertools.repeat(f"/photos/{site.run(SEED).split()[-1]}/")


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
    eye = page.get_by_role("button", name="Show the mask and the colours")
    eye.click()  # bare, as a result is looked at: nothing of it is a preview
    expect(note).to_be_hidden()
    eye.click()
    expect(note).to_be_visible()
    page.get_by_label("Preview while I place colours").uncheck()
    expect(tint).to_be_hidden()
    page.get_by_label("Preview while I place colours").check()
    expect(note).to_be_visible()
    page.locator("[name=step-colourise]").uncheck()
    expect(tint).to_be_hidden()
    assert not visitor.complaints


def test_the_browser_reckons_how_far_a_colour_reaches_as_the_engine_does(
    address: Iterator[str], visit: Callable[..., Visitor]
) -> None:
    light = luma(shrink(pictures.astronaut(240), 96)).clip(0, 1)
    square = Region(((0.6, 0.6), (0.8, 0.6), (0.8, 0.8), (0.6, 0.8)), rgb=(40, 80, 170))
    hints = gathered(
        light, (Dab(0.3, 0.2, (200, 30, 40), 0.02), Dab(0.8, 0.3, (9, 9, 9))), (square,)
    )
    page: Any = visit("vera").open(next(address))
    carried = hints.chroma + np.float32(0.1) * light
    shown = {
        "picture": {"light": _flat(light), "height": light.shape[0], "width": light.shape[1]},
        "said": {
            "dabbed": _flat(hints.dabbed),
            "outlined": _flat(hints.outlined),
            "values": _flat(hints.chroma.transpose(1, 2, 0)),
        },
        "carried": _flat(carried.transpose(1, 2, 0)),
    }
    for reach in (0.1, 0.5, 0.9):
        found = np.reshape(page.evaluate(REACH, shown | {"reach": reach}), light.shape)
        seen = confidence(light, hints, carried, reach)
        apart = np.where(np.maximum(found, seen) > SEEN, np.abs(found - seen), 0)
        assert apart[~rim(hints)].max() < 1e-4


def _flat(plane: Any) -> list[float]:
    flat: list[float] = plane.ravel().tolist()
    return flat


def rim(hints: Hints) -> Any:
    """Around an outline the browser counts steps, and the engine measures as the crow flies."""
    wide: Any = ndimage.binary_dilation(hints.outlined, iterations=7)
    return wide & ~hints.outlined
