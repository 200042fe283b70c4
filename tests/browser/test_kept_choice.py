"""A model that was chosen stays chosen on an open bench, whoever is there to run it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visitor
from tests.services import processes

CHOSEN = {"backend": "generative", "model": "z-image-turbo", "strength": 0.6}
SEED = f"""
import json
from django.utils import timezone
from restoration.actions.claims import claim_photo
from restoration.models import Draft
from tests import factories
from tests.people import person
box, image = factories.collection(), factories.picture(3, height=240, width=320)
for name in ("vera", "victor"):
    photo, who = factories.photo(box, image=image), person(name)
    claim_photo(photo=photo, by=who, now=timezone.now())
    if name == "vera":
        body = {{"steps": {{"repair": {{"on": True, "settings": {CHOSEN!r}}}}}}}
        Draft.objects.create(photo=photo, volunteer=who, rev=1, body=body, saved_at=timezone.now())
    print(json.dumps(f"/photos/{{photo.ref}}/"))
"""
KEPT = """
import json
from restoration.models import Draft
print(json.dumps(Draft.objects.get(volunteer__username="{name}").body["steps"]["repair"]))
"""


@pytest.fixture(scope="module")
def benches(site: processes.Site) -> list[str]:
    """The address of Vera's photo, whose draft has a model that nobody runs, and of Victor's."""
    return [json.loads(line) for line in site.run(SEED).splitlines()[-2:]]


def opened(visitor: Visitor, address: str) -> Page:
    page = visitor.open(address)
    expect(page.locator(".bench[data-ready]")).to_be_attached()
    return page


def saved_with(page: Page, site: processes.Site, name: str) -> dict[str, Any]:
    """The repair in the draft, once the page has saved itself after a word."""
    with page.expect_response(lambda answer: answer.request.method == "PUT"):
        page.get_by_label("Anything else").fill("a sunny morning")
    kept: dict[str, Any] = json.loads(site.run(KEPT.format(name=name)).splitlines()[-1])
    return kept


def test_the_draft_keeps_it_and_the_run_says_why_not(
    visit: Callable[..., Visitor], site: processes.Site, benches: list[str]
) -> None:
    page = opened(visit("vera"), benches[0])
    model = page.locator("[name=repair-model]")
    expect(model).to_have_value("z-image-turbo")
    expect(model.locator("option:checked")).to_contain_text("nobody can run this now")
    kept = saved_with(page, site, "vera")
    assert kept["on"]
    assert CHOSEN.items() <= kept["settings"].items()
    page.locator("[data-run]").click()
    expect(page.locator("#job")).to_contain_text("No machine that can run this step is on")


def test_what_another_tab_chose_is_kept_by_a_page_that_has_no_field_for_it(
    visit: Callable[..., Visitor], site: processes.Site, benches: list[str]
) -> None:
    page = opened(visit("victor"), benches[1])
    expect(page.locator("[name=repair-backend]")).to_have_count(0)
    redraw = {"on": False, "settings": {"model": "sdxl-tile", "strength": 0.45}}
    draft = {"steps": {"repair": {"on": True, "settings": CHOSEN}, "redraw": redraw}}
    page.evaluate("draft => document.querySelector('[data-bench]').bench.apply(draft)", draft)
    kept = saved_with(page, site, "victor")
    assert CHOSEN.items() <= kept["settings"].items()
    again = page.evaluate("Object.fromEntries(new FormData(document.getElementById('recipe')))")
    assert (again["repair-backend"], again["repair-model"]) == ("generative", "z-image-turbo")
    assert (again["redraw-model"], again["redraw-strength"]) == ("sdxl-tile", "0.45")
    assert "step-redraw" not in again


def test_what_another_tab_chose_can_be_sent_though_this_page_did_not_offer_it(
    visit: Callable[..., Visitor], site: processes.Site, benches: list[str]
) -> None:
    page = opened(visit("vera"), benches[0])
    other = page.locator("[name=repair-model] option[value=klein]")
    expect(other).to_be_disabled()
    draft = {"steps": {"repair": {"on": True, "settings": CHOSEN | {"model": "klein"}}}}
    page.evaluate("draft => document.querySelector('[data-bench]').bench.apply(draft)", draft)
    again = page.evaluate("Object.fromEntries(new FormData(document.getElementById('recipe')))")
    assert again["repair-model"] == "klein"
