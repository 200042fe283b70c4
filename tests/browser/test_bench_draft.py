"""The bench under a person's hands: the mask, the draft, the line that breaks, the second tab."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Response, Route, expect

from tests.browser.conftest import Visitor
from tests.services import processes

# One Vera for each test, each with a photo in her hands on which damage was detected.
VERAS = 26
SEED = f"""
from django.utils import timezone
from restoration.models import Assessment
from restoration.actions.claims import claim_photo
from restoration.runner import _keep_sheet
from tests import factories
from tests.people import person
import numpy as np
box, mask = factories.collection(), np.zeros((240, 320), np.uint8)
mask[100:124, 100:140] = 255
sheet = _keep_sheet(mask)
row = {{"step": "repair", "settings": {{"sensitivity": 0.6}}, "reason": "dust-and-scratches",
       "facts": {{"damage_spots": 50, "damage_area": 0.0125}}}}
image = factories.picture(3, height=240, width=320)
for number in range({VERAS}):
    photo = factories.photo(box, image=image)
    Assessment.objects.create(photo=photo, mask_sha256=sheet, suggestions=[row], damage="heavy",
                              made_at=timezone.now())
    claim_photo(photo=photo, by=person(f"vera{{number}}"), now=timezone.now())
    print(photo.ref)
"""


@pytest.fixture(scope="module")
def benches(site: processes.Site) -> Iterator[tuple[str, str]]:
    """Names and addresses, each used by one test."""
    refs = site.run(SEED).split()[-VERAS:]
    return iter([(f"vera{number}", f"/photos/{ref}/") for number, ref in enumerate(refs)])


@pytest.fixture
def bench(
    benches: Iterator[tuple[str, str]], visit: Callable[..., Visitor]
) -> Callable[..., Visitor]:
    """Opens a bench."""

    def begin(**options: Any) -> Visitor:
        name, address = next(benches)
        visitor = visit(name, **options)
        visitor.address = address
        visitor.open(address)
        expect(visitor.page.locator(".step-fact[data-mask-share]")).not_to_be_empty()
        return visitor

    return begin


def share(page: Page) -> Locator:
    return page.locator(".step-fact[data-mask-share]")


def paint(page: Page, down: float = 0.7) -> None:
    """A stroke with the brush, so far down the picture."""
    page.locator("[name=tool][value=mask]").check()
    box = page.locator("[data-viewer]").bounding_box()
    assert box
    x, y = box["x"] + 0.3 * box["width"], box["y"] + down * box["height"]
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 60, y + 10)
    page.mouse.up()


def saved(page: Page) -> None:
    expect(page.locator(".bench-saved")).to_have_text("saved")


def kept_mask(page: Page) -> str | None:
    sha: str | None = page.evaluate("document.querySelector('[data-bench]').bench.draft.maskSha")
    return sha


def test_what_was_detected_is_shown_and_not_sent_until_it_is_edited(
    bench: Callable[..., Visitor],
) -> None:
    page = bench().page
    expect(share(page)).to_contain_text("detected: 1.3 %")
    expect(page.locator("canvas[data-mask]")).to_be_visible()
    page.get_by_label("Anything else").fill("a sunny morning")
    saved(page)
    assert kept_mask(page) is None
    paint(page)
    expect(share(page)).to_contain_text("your mask")
    saved(page)
    assert kept_mask(page)


@pytest.mark.slow
def test_back_to_what_was_detected_can_be_undone(bench: Callable[..., Visitor]) -> None:
    page = bench().page
    paint(page)
    page.get_by_role("button", name="Back to what was detected").click()
    expect(share(page)).to_contain_text("detected")
    saved(page)
    assert kept_mask(page) is None
    page.get_by_role("button", name="Undo").click()
    expect(share(page)).to_contain_text("your mask")


@pytest.mark.slow
def test_the_veil_lifts_when_the_repair_is_off(bench: Callable[..., Visitor]) -> None:
    page = bench().page
    page.locator("[name=step-repair]").uncheck()
    expect(page.locator("canvas[data-mask]")).to_be_hidden()
    page.get_by_role("button", name="Use the suggestion").click()
    expect(page.locator("[name=step-repair]")).to_be_checked()
    expect(page.locator("[name=repair-sensitivity]")).to_have_value("0.6")
    expect(page.locator("canvas[data-mask]")).to_be_visible()


@pytest.mark.slow
def test_a_reload_keeps_the_mask_the_colours_and_the_words(bench: Callable[..., Visitor]) -> None:
    page = bench().page
    paint(page)
    before = share(page).inner_text()
    page.get_by_role("button", name="Add in the middle").click()
    page.get_by_label("Period").fill("September 1974")
    saved(page)
    page.reload()
    expect(share(page)).to_have_text(before)
    expect(page.locator("[data-dab-list] li")).to_have_count(1)
    expect(page.get_by_label("Period")).to_have_value("September 1974")


@pytest.mark.slow
def test_without_a_line_the_work_is_kept_here_and_sent_later(
    bench: Callable[..., Visitor],
) -> None:
    visitor = bench()
    page = visitor.page
    visitor.context.set_offline(True)
    paint(page)
    expect(page.locator(".bench-saved")).to_contain_text("kept here")
    visitor.context.set_offline(False)
    saved(page)
    assert kept_mask(page)


def test_a_page_closed_without_a_line_finds_its_work_again(bench: Callable[..., Visitor]) -> None:
    visitor = bench()
    page = visitor.page
    visitor.context.set_offline(True)
    paint(page)
    before = share(page).inner_text()
    expect(page.locator(".bench-saved")).to_contain_text("kept here")
    page.close()
    visitor.context.set_offline(False)
    again = visitor.another()
    again.goto(visitor.url + visitor.address)
    expect(again.locator("#toasts")).to_contain_text("brought it back")
    expect(share(again)).to_have_text(before)
    saved(again)
    assert kept_mask(again)


@pytest.mark.slow
@pytest.mark.parametrize("answer", ["Keep what I have here", "Take the other tab's"])
def test_two_tabs_are_asked_whose_work_goes_on(bench: Callable[..., Visitor], answer: str) -> None:
    visitor = bench()
    page, other = visitor.page, visitor.another()
    other.goto(visitor.url + visitor.address)
    other.get_by_label("Place", exact=True).fill("Tehran")
    saved(other)
    page.bring_to_front()
    page.get_by_label("Place", exact=True).fill("Beijing")
    page.get_by_role("button", name=answer).click()
    saved(page)
    page.reload()
    theirs = answer.startswith("Take")
    expect(page.get_by_label("Place", exact=True)).to_have_value("Tehran" if theirs else "Beijing")


@pytest.mark.slow
def test_a_claim_that_ended_is_told_kindly_and_the_draft_is_kept(
    bench: Callable[..., Visitor], site: processes.Site
) -> None:
    visitor = bench()
    page = visitor.page
    ref = visitor.address.split("/")[2]
    site.run(f"""
from restoration.models import Claim
Claim.objects.filter(photo__ref="{ref}").update(state="expired")
""")
    page.get_by_label("Place", exact=True).fill("Tehran")
    expect(page.locator(".bench-saved")).to_contain_text("Your work is kept in this browser")
    page.evaluate("document.querySelector('[data-bench]').bench.beat.beat()")
    expect(page.locator("[data-clock]")).to_contain_text("What you did is kept")


HANDS = """
from django.utils import timezone
from archive.models import Photo
from restoration.actions.claims import claim_photo, release_claim
from restoration.models import Claim
now, photo = timezone.now(), Photo.objects.get(ref="{ref}")
claim = Claim.objects.filter(photo=photo).latest("pk")
"""
RELEASE = HANDS + "release_claim(claim=claim, by=claim.volunteer, now=now)"
TAKE_AGAIN = HANDS + "claim_photo(photo=photo, by=claim.volunteer, now=now)"


def ref_of(visitor: Visitor) -> str:
    return visitor.address.split("/")[2]


def place(page: Page) -> Locator:
    return page.get_by_label("Place", exact=True)


def choice(page: Page) -> Locator:
    return page.get_by_role("dialog", name="This photo is open in another tab")


def opened_again(visitor: Visitor) -> Page:
    page = visitor.another()
    page.goto(visitor.url + visitor.address)
    expect(page.locator(".step-fact[data-mask-share]")).not_to_be_empty()
    return page


def test_what_was_kept_under_one_claim_is_back_under_the_next(
    bench: Callable[..., Visitor], site: processes.Site
) -> None:
    visitor = bench()
    page = visitor.page
    site.run(RELEASE.format(ref=ref_of(visitor)))
    place(page).fill("Tehran")
    paint(page)
    before = share(page).inner_text()
    expect(page.locator(".bench-saved")).to_contain_text("Your work is kept in this browser")
    page.close()
    site.run(TAKE_AGAIN.format(ref=ref_of(visitor)))
    again = opened_again(visitor)
    expect(again.locator("#toasts")).to_contain_text("brought it back")
    expect(place(again)).to_have_value("Tehran")
    expect(share(again)).to_have_text(before)
    saved(again)
    assert kept_mask(again)


def test_what_was_typed_last_is_saved_before_the_photo_is_given_back(
    bench: Callable[..., Visitor], site: processes.Site
) -> None:
    visitor = bench()
    page = visitor.page
    page.on("dialog", lambda dialog: dialog.accept())
    place(page).fill("Tehran")
    page.get_by_role("button", name="Give back").click()
    expect(page.get_by_text("The photo is back on the wall.")).to_be_visible()
    page.evaluate("window.localStorage.clear()")
    site.run(TAKE_AGAIN.format(ref=ref_of(visitor)))
    expect(place(opened_again(visitor))).to_have_value("Tehran")


def test_the_choice_between_two_tabs_stays_until_it_is_made(
    bench: Callable[..., Visitor],
) -> None:
    visitor = bench()
    page, other = visitor.page, opened_again(visitor)
    place(other).fill("Tehran")
    saved(other)
    page.bring_to_front()
    place(page).press_sequentially("Beijing")
    expect(choice(page)).to_be_visible()
    for _ in range(4):  # a browser lets one of them be prevented
        page.keyboard.press("Escape")
        page.wait_for_timeout(100)
    expect(choice(page)).to_be_visible()
    page.get_by_role("button", name="Keep what I have here").click()
    saved(page)
    expect(choice(page)).to_be_hidden()


def test_a_tab_that_saves_throws_away_nothing_of_another(bench: Callable[..., Visitor]) -> None:
    visitor = bench()
    page, other = visitor.page, opened_again(visitor)
    page.route("**/draft?*", lambda route: route.abort())
    place(page).fill("Tehran")
    expect(page.locator(".bench-saved")).to_contain_text("kept here")
    page.close()
    other.get_by_label("Period").fill("September 1974")
    saved(other)
    again = opened_again(visitor)
    expect(place(again)).to_have_value("Tehran")
    expect(choice(again)).to_be_visible()
    again.get_by_role("button", name="Keep what I have here").click()
    saved(again)
    again.reload()
    expect(place(again)).to_have_value("Tehran")


def test_what_two_tabs_kept_comes_back_one_after_the_other(
    bench: Callable[..., Visitor],
) -> None:
    visitor = bench()
    for name, page in (("Tehran", visitor.page), ("Shiraz", opened_again(visitor))):
        page.route("**/draft?*", lambda route: route.abort())
        place(page).fill(name)
        expect(page.locator(".bench-saved")).to_contain_text("kept here")
    for page in visitor.context.pages:
        page.close()
    again = opened_again(visitor)
    expect(choice(again)).to_be_visible()
    expect(place(again)).to_have_value("Shiraz")
    again.get_by_role("button", name="Take the other tab's").click()
    expect(place(again)).to_have_value("Tehran")
    saved(again)
    assert again.evaluate("Object.keys(localStorage).filter((key) => key.includes('draft'))") == []


@pytest.mark.parametrize("more", ["", "September 1974"])
def test_an_answer_that_was_lost_is_not_told_as_another_tab(
    bench: Callable[..., Visitor], more: str
) -> None:
    visitor = bench()
    page = visitor.page
    page.get_by_label("Anything else").fill("a sunny morning")
    saved(page)
    reached: list[int] = []
    page.route("**/draft?*", lambda route: reached.append(route.fetch().status))
    place(page).fill("Tehran")
    while not reached:
        page.wait_for_timeout(100)
    page.get_by_label("Period").fill(more)
    page.goto(f"{visitor.url}/wall/")
    assert reached == [200]
    page.close()
    again = opened_again(visitor)
    expect(place(again)).to_have_value("Tehran")
    expect(again.get_by_label("Period")).to_have_value(more)
    saved(again)
    expect(choice(again)).to_be_hidden()


def test_a_mask_whose_answer_was_lost_is_not_told_as_another_tab(
    bench: Callable[..., Visitor],
) -> None:
    visitor = bench()
    page = visitor.page
    reached: list[int] = []
    page.route("**/draft?*", lambda route: reached.append(route.fetch().status))
    paint(page)
    before = share(page).inner_text()
    while not reached:
        page.wait_for_timeout(100)
    page.goto(f"{visitor.url}/wall/")
    page.close()
    again = opened_again(visitor)
    expect(share(again)).to_have_text(before)
    saved(again)
    expect(choice(again)).to_be_hidden()


def test_a_run_that_did_not_get_through_can_be_sent_again(bench: Callable[..., Visitor]) -> None:
    visitor = bench()
    page = visitor.page
    page.route("**/run?*", lambda route: route.abort("internetdisconnected"))
    button = page.get_by_role("button", name="Run", exact=True)
    button.click()
    expect(page.locator("#toasts")).to_contain_text("The run could not be sent.")
    expect(button).to_be_enabled()
    page.unroute("**/run?*")
    button.click()
    expect(page.locator("#job [data-job]")).to_be_visible()
    told = ("ERR_INTERNET_DISCONNECTED", "htmx:")
    assert [each for each in visitor.complaints if not any(word in each for word in told)] == []


def test_a_stroke_painted_while_a_mask_is_on_its_way_is_in_the_run(
    bench: Callable[..., Visitor],
) -> None:
    page = bench().page
    held: list[Route] = []
    answers: list[Response] = []
    page.on("response", lambda each: answers.extend([each] * ("/masks?" in each.url)))
    page.route("**/masks?*", lambda route: held.append(route), times=1)
    with page.expect_request("**/masks?*"):
        paint(page)
    paint(page, down=0.4)
    held[0].continue_()
    with page.expect_request("**/run?*") as sent:
        page.get_by_role("button", name="Run", exact=True).click()
    first, last = [each.json()["sha256"] for each in answers]
    assert first != last
    assert f"mask={last}&" in str(sent.value.post_data)


MANY_MASKS = (
    HANDS
    + """
from archive import trust
from restoration.models import Sheet
told = {{"photo": photo, "kept_by": claim.volunteer, "kept_at": now}}
many = range(trust.limits(claim.volunteer, now=now).masks)
Sheet.objects.bulk_create(Sheet(sha256=f"{{number:064x}}", **told) for number in many)
"""
)


def test_masks_that_are_too_many_are_told_as_the_server_tells_it(
    bench: Callable[..., Visitor], site: processes.Site
) -> None:
    visitor = bench()
    page, told = visitor.page, "You have painted more masks in the last hour"
    site.run(MANY_MASKS.format(ref=ref_of(visitor)))
    paint(page)
    expect(page.locator(".bench-saved")).to_contain_text(told)
    expect(page.locator(".bench-saved")).to_contain_text("Go on in 60 minutes")
    with page.expect_response("**/draft?*") as answer:
        place(page).fill("Tehran")
    assert answer.value.ok, "the words are saved all the same"
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.locator("#toasts")).to_contain_text(told)
    site.run("from restoration.models import Sheet; Sheet.objects.all().delete()")
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.locator("#job [data-job]")).to_be_visible()


READ_OUT = """
window.said = [];
for (const each of document.querySelectorAll("[role=status], [aria-live]")) {
  const note = () => { if (each.textContent.trim()) window.said.push(each.textContent.trim()); };
  new MutationObserver(note).observe(each, { childList: true, subtree: true, characterData: true });
}
"""


def test_read_out_is_what_goes_wrong_and_that_it_is_right_again_not_each_saving(
    bench: Callable[..., Visitor],
) -> None:
    visitor = bench()
    page = visitor.page
    page.evaluate(READ_OUT)
    for word in ("a", "sunny", "morning"):
        page.get_by_label("Anything else").press_sequentially(f"{word} ")
        saved(page)
    assert page.evaluate("window.said") == []
    visitor.context.set_offline(True)
    page.get_by_label("Anything else").press_sequentially("in May")
    expect(page.locator("#announce")).to_contain_text("not connected")
    visitor.context.set_offline(False)
    expect(page.locator("#announce")).to_have_text("saved")


@pytest.mark.slow
def test_more_time_is_given_once(bench: Callable[..., Visitor], site: processes.Site) -> None:
    visitor = bench()
    page = visitor.page
    site.run("""
from datetime import timedelta
from django.utils import timezone
from restoration.models import Claim
Claim.objects.update(ends_at=timezone.now() + timedelta(hours=1))
""")
    page.reload()
    page.get_by_role("button", name="Extend").click()
    expect(page.locator("#toasts")).to_contain_text("Extended")
    expect(page.get_by_role("button", name="Extend")).to_be_hidden()


@pytest.mark.slow
def test_the_introduction_is_closed_once_and_for_all(bench: Callable[..., Visitor]) -> None:
    page = bench().page
    steps = page.locator(".tour-steps li")
    expect(steps).to_have_count(5)
    page.get_by_role("button", name="Got it").press("Enter")
    expect(steps.first).to_be_hidden()
    page.reload()
    expect(page.locator("[data-ready]")).to_be_visible()
    expect(steps.first).to_be_hidden()
    page.get_by_text("How the bench works").press("Enter")
    expect(steps.first).to_be_visible()


@pytest.mark.slow
def test_on_a_phone_the_picture_stays_in_view(bench: Callable[..., Visitor]) -> None:
    page = bench(width=390, has_touch=True).page
    page.locator("[name=upscale-sharpen]").evaluate("each => each.scrollIntoView()")
    page.get_by_role("button", name=re.compile("^Run")).scroll_into_view_if_needed()
    box = page.locator("[data-viewer]").bounding_box()
    assert box
    assert box["y"] >= 0
    assert box["height"] <= 0.45 * 900
