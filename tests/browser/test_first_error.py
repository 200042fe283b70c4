"""Where the cursor stands after a form was not accepted, with a script and without one."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visitor
from tests.services import processes

SEED = """
import json
from django.utils import timezone
from restoration.actions.claims import claim_photo
from tests import factories
from tests.people import appoint, cast
people, box = cast(), factories.collection(slug="box")
appoint(people.cora, box)
held = factories.photo(box, image=factories.picture(2))
claim_photo(photo=held, by=people.vera, now=timezone.now())
print(json.dumps(f"/photos/{held.ref}/"))
"""

expect.set_options(timeout=20_000)  # on a busy machine too


@pytest.fixture(scope="module")
def bench(site: processes.Site) -> str:
    """The address of a photo in Vera's hands."""
    return str(json.loads(site.run(SEED).splitlines()[-1]))


@pytest.mark.slow
@pytest.mark.parametrize("script", [True, False])
def test_the_first_field_that_is_wrong(visit: Callable[..., Visitor], script: bool) -> None:
    page = visit(java_script_enabled=script).open("/account/signup/")
    page.locator("[name=username]").fill("nina")
    page.locator("main form button").click()
    expect(page.locator("[name=password1]")).to_be_focused()
    expect(page.locator("[name=password1]")).to_have_attribute("aria-invalid", "true")


@pytest.mark.slow
@pytest.mark.parametrize("script", [True, False])
def test_what_is_wrong_with_the_whole_form(visit: Callable[..., Visitor], script: bool) -> None:
    page = visit(java_script_enabled=script).open("/account/login/")
    page.locator("[name=login]").fill("nobody")
    page.locator("[name=password]").fill("no word of theirs")
    page.locator("main form button").click()
    expect(page.locator(".form-errors")).to_be_focused()


@pytest.mark.parametrize("script", [True, False])
def test_a_run_that_is_refused(visit: Callable[..., Visitor], bench: str, script: bool) -> None:
    page = visit("vera", java_script_enabled=script).open(bench)
    for step in page.locator("[name^=step-]:checked").all():
        step.uncheck()  # what the machine has suggested meanwhile
    page.locator("[data-run]").click()
    expect(page.locator(".form-errors").first).to_be_focused()
