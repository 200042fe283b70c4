"""After a run: what is looked at, what is compared, what is told; and a version that came back."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Visitor
from tests.services import processes

VERAS = 5
SEED = f"""
import numpy as np
from django.utils import timezone
from restoration.actions.claims import claim_photo
from restoration.models import Assessment
from restoration.runner import _keep_sheet
from tests import factories
from tests.people import person
now, box, mask = timezone.now(), factories.collection(), np.zeros((240, 320), np.uint8)
mask[100:124, 100:140] = 255
for number in range({VERAS}):
    photo = factories.photo(box, image=factories.picture(3, height=240, width=320))
    row = {{"step": "repair", "settings": {{}}, "reason": "dust-and-scratches",
           "facts": {{"damage_spots": 50, "damage_area": 0.0125}}}}
    Assessment.objects.create(photo=photo, mask_sha256=_keep_sheet(mask), suggestions=[row],
                              made_at=now, report={{"faces": []}})
    claim_photo(photo=photo, by=person(f"vera{{number}}"), now=now)
    print(photo.ref)
"""
GIVEN_BACK = """
from django.utils import timezone
from archive.models import Photo
from restoration.actions.claims import claim_photo
from restoration.actions.reviews import open_review, return_version
from restoration.actions.versions import submit_version
from tests.people import appoint, person
now, photo = timezone.now(), Photo.objects.get(ref="{ref}")
made, cora = photo.versions.latest("number"), person("cora")
appoint(cora, photo.collection)
submit_version(version=made, by=made.made_by, note="", now=now)
told = dict(reason="lost", advice="Erase the lapel.", now=now)
return_version(review=open_review(version=made, by=cora, now=now), by=cora, **told)
claim_photo(photo=photo, by=made.made_by, now=now)
"""
PATIENCE = 60_000  # a real run on a busy machine


@pytest.fixture(scope="module")
def benches(site: processes.Site) -> Iterator[tuple[str, str]]:
    """Names and photos, each used by one test."""
    refs = site.run(SEED).split()[-VERAS:]
    return iter([(f"vera{number}", ref) for number, ref in enumerate(refs)])


@pytest.fixture
def bench(
    benches: Iterator[tuple[str, str]], visit: Callable[..., Visitor]
) -> Iterator[Callable[..., Page]]:
    """Opens a bench; at the end nothing was wrong with the page."""
    visitors = []

    def begin(**options: Any) -> Page:
        name, ref = next(benches)
        visitor = visit(name, **options)
        visitors.append(visitor)
        page = visitor.open(f"/photos/{ref}/")
        expect(page.locator(".step-fact[data-mask-share]")).not_to_be_empty()
        return page

    yield begin
    assert [visitor.complaints for visitor in visitors] == [[]] * len(visitors)


def run(page: Page) -> None:
    page.locator("[data-run]").click()
    expect(page.locator(".job[data-state=succeeded]")).to_be_visible(timeout=PATIENCE)


def paint(page: Page) -> None:
    page.locator("[name=tool][value=mask]").check()
    box = page.locator("[data-viewer]").bounding_box()
    assert box
    page.mouse.move(box["x"] + 0.4 * box["width"], box["y"] + 0.6 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.6 * box["height"])
    page.mouse.up()
    expect(page.locator(".bench-saved")).to_have_text("saved")


def veil(page: Page) -> Locator:
    return page.locator("canvas[data-mask]")


def test_a_result_is_looked_at_bare_and_compared_with_what_it_is_from(
    bench: Callable[..., Page],
) -> None:
    page = bench()
    page.locator("[data-compare-toggle]").click()
    expect(page.get_by_text("There is only one version to look at here.")).to_be_visible()
    paint(page)
    run(page)
    page.locator("[data-compare-toggle]").click()
    names = page.locator("[data-compare-panel] [data-stage]")
    expect(names).to_contain_text("scan")
    expect(names).to_contain_text("v1")
    page.locator("[data-compare-toggle]").click()
    page.get_by_role("link", name="See the result").click()
    expect(page).to_have_url(re.compile("base=1"))
    eye = page.get_by_role("button", name="Show the mask and the colours")
    expect(eye).to_have_attribute("aria-pressed", "false")
    expect(veil(page)).to_be_hidden()
    eye.click()
    expect(eye).to_have_attribute("aria-pressed", "true")
    expect(veil(page)).to_be_visible()


def test_a_stroke_on_a_result_brings_the_mask_back(bench: Callable[..., Page]) -> None:
    page = bench()
    paint(page)
    run(page)
    with page.expect_navigation():
        page.get_by_role("link", name="See the result").click()
    expect(page.locator(".bench[data-ready]")).to_be_attached()
    expect(veil(page)).to_be_hidden()
    page.get_by_role("button", name="Clear", exact=True).click()
    eye = page.get_by_role("button", name="Show the mask and the colours")
    expect(eye).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="Undo").click()
    expect(veil(page)).to_be_visible()


def test_what_is_told_beside_run_holds_once_the_run_has_ended(bench: Callable[..., Page]) -> None:
    page = bench()
    left = page.locator("[data-left]").inner_text()
    for name in ("estimate", "left"):  # as a page has them that was opened while a run was at work
        page.evaluate(f"document.querySelector('[data-{name}]').textContent = 'long ago'")
    run(page)
    expect(page.locator("[data-estimate]")).to_contain_text("nobody before you")
    told = page.locator("[data-left]").inner_text().strip()
    assert told.partition(":")[0] == left.partition(":")[0]
    expect(page.locator(".job")).to_contain_text(told)


def test_the_end_of_a_run_leaves_alone_what_somebody_does_on_the_strip(
    bench: Callable[..., Page],
) -> None:
    page = bench()
    page.locator("[name=step-tone]").check()
    page.locator("[data-run]").click()
    expect(page.locator(".job")).to_be_visible()
    scan = page.locator(".version").first
    scan.locator(".version-more summary").click()
    scan.get_by_label("Your retouched file").set_input_files(
        {"name": "healed.png", "mimeType": "image/png", "buffer": b"x"}
    )
    note = scan.get_by_label("What you did")
    note.press_sequentially("the crack")
    expect(page.locator(".job[data-state=succeeded]")).to_be_visible(timeout=PATIENCE)
    expect(page.locator(".version")).to_have_count(2)
    expect(page.locator(".strip-newest")).to_contain_text("v1")
    expect(note).to_be_focused()
    page.keyboard.type(", healed")
    expect(note).to_have_value("the crack, healed")
    chosen = "each => each.files.length"
    assert scan.get_by_label("Your retouched file").evaluate(chosen) == 1
    page.get_by_role("link", name="Submit or retouch it").click()
    expect(page.locator(".version").last.locator(".version-more summary")).to_be_focused()


def test_after_a_return_the_run_is_mended_from_where_it_began(
    bench: Callable[..., Page], site: processes.Site
) -> None:
    page = bench()
    paint(page)
    page.get_by_label("Anything else").fill("a sunny morning")
    page.locator("[name=step-denoise]").check()
    run(page)
    page.get_by_role("link", name="See the result").click()
    page.locator("[name=step-denoise]").uncheck()
    expect(page.locator(".bench-saved")).to_have_text("saved")
    address = page.url.partition("?")[0]
    site.run(GIVEN_BACK.format(ref=address.rstrip("/").rpartition("/")[2]))
    page.goto(address)
    expect(page.locator(".bench-returned")).to_contain_text("Something true was taken away")
    expect(page.locator(".bench-returned")).to_contain_text(
        "This begins from the scan again, with the steps of v1."
    )
    expect(page.locator(".version.is-current")).to_contain_text("scan")
    expect(page.locator(".step-fact[data-mask-share]")).to_contain_text("your mask")
    expect(veil(page)).to_be_visible()
    expect(page.locator("[name=step-denoise]")).to_be_checked()
    run(page)
    page.reload()
    expect(page.locator(".bench[data-ready]")).to_be_attached()
    expect(page.locator("[name=step-denoise]")).to_be_checked()
    expect(page.locator(".version").last).to_contain_text("from scan")
