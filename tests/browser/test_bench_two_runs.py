"""Several runs on one photo, begun in other tabs: the page tells of all, and stops each."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visitor
from tests.services import processes

# Runs that no worker here takes up: they wait elsewhere.
SEED = """
import json
from datetime import timedelta
from django.utils import timezone
from restoration.actions.claims import claim_photo
from restoration.actions.versions import scan_version
from restoration.lifecycle import JobKind
from restoration.models import Job
from tests import factories
from tests.people import person
now, box, refs = timezone.now(), factories.collection(), {}
for name in ("vera", "victor"):
    somebody = person(name)
    photo = factories.photo(box, image=factories.picture(6, height=240, width=320))
    claim_photo(photo=photo, by=somebody, now=now)
    scan, refs[name] = scan_version(photo=photo, now=now), photo.ref
    for ago in (120, 60, 1):
        Job.objects.create(photo=photo, kind=JobKind.RESTORE, source=scan, requested_by=somebody,
                           queue="elsewhere", needs=["embedded"],
                           requested_at=now - timedelta(seconds=ago))
print(json.dumps(refs))
"""
SUCCEEDED = """
from django.utils import timezone
from restoration.lifecycle import JobState
from restoration.models import Job
from tests import factories
first = Job.objects.filter(photo__ref="{ref}").earliest("requested_at")
image = factories.picture(7, height=240, width=320)
made = factories.version(first.photo, first.requested_by, image=image)
ended = {{"state": JobState.SUCCEEDED, "version": made, "ended_at": timezone.now()}}
Job.objects.filter(pk=first.pk).update(**ended)
"""


@pytest.fixture(scope="module")
def refs(site: processes.Site) -> dict[str, str]:
    """The photo of each."""
    found: dict[str, str] = json.loads(site.run(SEED).splitlines()[-1])
    return found


def expect_lines(page: Page, count: int) -> None:
    expect(page.locator("#other-runs > ul > li")).to_have_count(count)


def test_the_others_stand_in_lines_each_stopped_or_followed_to_its_result(
    visit: Callable[..., Visitor], site: processes.Site, refs: dict[str, str]
) -> None:
    ref = refs["vera"]
    visitor = visit("vera")
    page = visitor.open(f"/photos/{ref}/")
    expect(page.locator(".bench[data-ready]")).to_be_attached()
    expect_lines(page, 2)
    newer, older = page.locator("#other-runs > ul > li").all()
    newer.get_by_role("button", name="Cancel").click()
    expect(newer).to_contain_text("nothing of this run was kept")
    expect(newer).to_be_focused()
    expect(page.locator("#job .job")).to_have_attribute("data-state", "queued")
    site.run(SUCCEEDED.format(ref=ref))
    expect(older.get_by_role("link", name="See the result")).to_be_visible(timeout=20_000)
    expect(page.locator("#strip .version")).to_have_count(2)
    expect(page.locator("#job .job")).to_have_attribute("data-state", "queued")
    page.locator("#job").get_by_role("button", name="Cancel").click()
    expect(page.locator("#job .job")).to_have_attribute("data-state", "cancelled")
    expect_lines(page, 2)
    assert visitor.complaints == []


def test_without_a_script_each_is_stopped_too_also_once_the_photo_was_given_back(
    visit: Callable[..., Visitor], refs: dict[str, str]
) -> None:
    ref = refs["victor"]
    visitor = visit("victor", java_script_enabled=False)
    page = visitor.open(f"/photos/{ref}/")
    page.locator("#other-runs").get_by_role("button", name="Cancel").last.click()
    expect_lines(page, 1)
    page.get_by_role("button", name="Give back").click()
    visitor.open(f"/photos/{ref}/")
    expect_lines(page, 1)
    page.locator("#job").get_by_role("button", name="Cancel").click()
    expect_lines(page, 0)
    visitor.open("/people/me/")
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("nothing of this run was kept")).to_be_visible()
    expect(page.get_by_role("button", name="Cancel")).to_have_count(0)
