"""A run that a gate stopped: what to try instead, by hand and by keys, in both languages."""

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
from restoration.actions.claims import claim_photo
from restoration.actions.versions import scan_version
from restoration.engine.plan import Plan, StepPlan
from restoration.models import Job
from tests import factories
from tests.people import person
now, box, refs = timezone.now(), factories.collection(), {}
plan = Plan((StepPlan("tone", settings={"strength": 0.8}), StepPlan("repair")))
for name in ("wide", "small"):
    somebody = person(name)
    photo = factories.photo(box, image=factories.picture(3, height=240, width=320))
    claim_photo(photo=photo, by=somebody, now=now)
    Job.objects.create(photo=photo, kind="restore", source=scan_version(photo=photo, now=now),
                       requested_by=somebody, requested_at=now, plan=plan.to_json(),
                       plan_sha256=plan.digest(), state="failed", error_code="reframed",
                       error_facts={}, needs=["embedded"], queue="cpu")
    refs[name] = photo.ref
print(json.dumps(refs))
"""

# On a phone the picture and its tools stay on top, whatever is scrolled to below them.
BELOW_THE_TOOLS = """() => {
  const job = document.getElementById("job").getBoundingClientRect();
  const tools = document.querySelector(".bench-tools").getBoundingClientRect();
  return innerWidth > 1000 || (job.top >= tools.bottom - 1 && job.top < innerHeight);
}"""


@pytest.fixture(scope="module")
def refs(site: processes.Site) -> dict[str, str]:
    """A photo for each name, whose run was stopped."""
    found: dict[str, str] = json.loads(site.run(SEED).splitlines()[-1])
    return found


@pytest.mark.parametrize(
    ("name", "width", "locale"), [("wide", 1440, "en"), ("small", 390, "zh-Hans")]
)
def test_a_stopped_run_offers_less_risk_and_the_new_run_takes_its_place(
    visit: Callable[..., Visitor], refs: dict[str, str], name: str, width: int, locale: str
) -> None:
    visitor = visit(name, width=width, locale=locale)
    page = visitor.open(f"/photos/{refs[name]}/#job")
    page.wait_for_function(BELOW_THE_TOOLS)
    stopped = page.locator("[data-job][data-state=failed]")
    rung = stopped.locator("button[name=rung]").last
    expect(rung).to_be_visible()
    assert [each["id"] for each in Axe().run(page).response["violations"]] == []
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0
    rung.press("Enter")
    expect(page.locator("[data-job][data-state=queued]")).to_be_visible()
    expect(stopped).to_have_count(0)
    expect(page.locator("#job-cancel")).to_be_focused()
    assert visitor.complaints == []
