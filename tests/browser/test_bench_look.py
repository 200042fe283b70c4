"""The machine looks at a photo while somebody is at work on it already."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.conftest import Visitor
from tests.services import processes

# A look that no worker here takes up: it is at work elsewhere.
SEED = """
from django.utils import timezone
from restoration.actions.claims import claim_photo
from restoration.lifecycle import JobKind, JobState
from restoration.models import Job
from tests import factories
from tests.people import person
photo = factories.photo(factories.collection(), image=factories.picture(6, height=240, width=320))
Job.objects.create(photo=photo, kind=JobKind.ASSESS, state=JobState.RUNNING, queue="elsewhere",
                   requested_at=timezone.now())
claim_photo(photo=photo, by=person("vera"), now=timezone.now())
print(photo.ref)
"""
SEEN = """
from django.utils import timezone
from archive.models import Photo
from restoration.lifecycle import JobState
from restoration.models import Assessment, Job
photo = Photo.objects.get(ref="{ref}")
row = {{"step": "tone", "settings": {{"strength": 0.4, "cast": 0.1}}, "reason": "faded",
       "facts": {{"black": 0.2, "white": 0.8}}}}
Assessment.objects.create(photo=photo, suggestions=[row], made_at=timezone.now(),
                          report={{"faces": [[0.45, 0.45, 0.1, 0.1], [0.1, 0.1, 0.1, 0.1]]}})
Job.objects.filter(photo=photo).update(state=JobState.SUCCEEDED)
"""


def test_the_suggestion_is_offered_when_it_is_there_and_what_was_set_by_then_stays(
    visit: Callable[..., Visitor], site: processes.Site
) -> None:
    ref = site.run(SEED).split()[-1]
    visitor = visit("vera")
    page = visitor.open(f"/photos/{ref}/")
    expect(page.locator(".bench[data-ready]")).to_be_attached()
    expect(page.locator("#look")).to_contain_text("The machine is looking at this photo")
    page.locator("[name=step-denoise]").check()
    page.locator("[name=prompt-words]").fill("a sunny morning")
    expect(page.locator(".bench-saved")).to_have_attribute("data-state", "saved")
    page.get_by_role("button", name="Box in the middle").click()
    expect(page.locator("[data-face-list] > li")).to_have_count(1)
    site.run(SEEN.format(ref=ref))
    offer = page.get_by_role("link", name="Show the suggestion")
    expect(offer).to_be_visible(timeout=20_000)
    expect(page.locator("[data-face-list] > li")).to_have_count(2)  # and the one that was found
    expect(page.locator("[data-faces-said=unknown]")).to_be_hidden()
    expect(page.locator(".bench-saved")).to_have_attribute("data-state", "saved")
    expect(page.locator("[name=step-denoise]")).to_be_checked()
    expect(page.locator("[name=step-tone]")).not_to_be_checked()
    offer.click()
    expect(page.get_by_role("button", name="Use the suggestion")).to_be_visible()
    expect(page.locator("[name=step-denoise]")).to_be_checked()
    expect(page.locator("[name=step-tone]")).not_to_be_checked()
    expect(page.locator("[name=prompt-words]")).to_have_value("a sunny morning")
    assert visitor.complaints == []
