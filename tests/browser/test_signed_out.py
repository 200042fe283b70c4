"""Signed out in another tab, or after too long a pause: the page says so, and keeps the work."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Visitor
from tests.services import processes

# One Vera for each test, each with a photo in her hands and a version that she could hand in; and
# Wanda, at whose photo a machine elsewhere looks for as long as the tests last.
VERAS = 11
SEED = f"""
from django.utils import timezone
from restoration.actions.claims import claim_photo
from restoration.actions.versions import scan_version
from restoration.models import Job
from tests import factories
from tests.people import person
box, image = factories.collection(), factories.picture(3, height=240, width=320)
photo = factories.photo(box, image=image)
Job.objects.create(photo=photo, kind="assess", state="running", queue="elsewhere",
                   requested_at=timezone.now())
claim_photo(photo=photo, by=person("wanda"), now=timezone.now())
print(photo.ref)
for number in range({VERAS}):
    photo, vera = factories.photo(box, image=image), person(f"vera{{number}}")
    scan_version(photo=photo, now=timezone.now())
    factories.version(photo, vera, image=image)
    claim_photo(photo=photo, by=vera, now=timezone.now())
    print(photo.ref)
"""
KEPT = "window.sessionStorage.getItem('rekindle-typed')"


@pytest.fixture(scope="module")
def addresses(site: processes.Site) -> list[str]:
    """Wanda's bench, and those of the Veras."""
    refs = site.run(SEED).split()[-VERAS - 1 :]
    return [f"/photos/{ref}/?base=0" for ref in refs]


@pytest.fixture(scope="module")
def benches(addresses: list[str]) -> Iterator[tuple[str, str]]:
    """Names and addresses, each used by one test."""
    return iter([(f"vera{number}", each) for number, each in enumerate(addresses[1:])])


@pytest.fixture
def bench(
    benches: Iterator[tuple[str, str]], visit: Callable[..., Visitor]
) -> Callable[..., tuple[Visitor, str]]:
    """Opens a bench; gives also the name of its Vera."""

    def begin(**options: Any) -> tuple[Visitor, str]:
        name, address = next(benches)
        visitor = visit(name, **options)
        visitor.address = address
        visitor.open(address)
        expect(visitor.page.locator("[data-bench][data-ready]")).to_be_visible()
        return visitor, name

    return begin


def sign_out(visitor: Visitor) -> None:
    """As in another tab: this page is not told."""
    visitor.context.clear_cookies(name="sessionid")


def signed_out(bench: Callable[..., tuple[Visitor, str]]) -> tuple[Visitor, str, Page]:
    """On a bench that does not know yet that its Vera is signed out."""
    visitor, name = bench()
    sign_out(visitor)
    return visitor, name, visitor.page


def come_back(page: Page) -> None:
    """From the other tab, where she has signed in."""
    page.evaluate("window.dispatchEvent(new Event('focus'))")


def words(page: Page) -> Locator:
    return page.get_by_label("Anything else")


def status(page: Page) -> Locator:
    return page.locator(".bench-saved")


def note(page: Page) -> Locator:
    return page.locator("#strip textarea[name=note]").last


def write_note(page: Page, text: str) -> None:
    page.locator(".version-more summary").last.click()
    note(page).fill(text)


def test_the_status_says_that_nothing_is_saved_and_how_to_sign_in(
    bench: Callable[..., tuple[Visitor, str]],
) -> None:
    visitor, name, page = signed_out(bench)
    words(page).fill("a sunny morning")
    expect(status(page)).to_contain_text("not saved yet, but kept in this browser")
    status(page).get_by_role("link", name="Sign in and come back here").click()
    page.get_by_label("Name or e-mail").fill(name)
    page.get_by_label("Password", exact=True).fill("a-long-enough-pass-phrase")
    page.locator("main").get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(visitor.url + visitor.address)
    expect(words(page)).to_have_value("a sunny morning")
    expect(status(page)).to_have_text("saved")
    page.evaluate("window.localStorage.clear()")
    page.reload()
    expect(words(page)).to_have_value("a sunny morning")


def test_signed_in_again_in_another_tab_the_page_saves_what_was_kept(
    bench: Callable[..., tuple[Visitor, str]],
) -> None:
    visitor, name, page = signed_out(bench)
    page.locator("[name=step-tone]").check()  # the suggestion may not be there yet
    words(page).fill("a sunny morning")
    expect(status(page)).to_contain_text("kept in this browser")
    visitor.sign_in(name)  # which also makes the token of this page's forms an old one
    come_back(page)
    expect(status(page)).to_have_text("saved")
    page.get_by_role("button", name="Run").click()
    expect(page.locator("#job [data-job]")).to_be_visible()


@pytest.mark.slow
def test_a_reload_while_signed_out_leads_to_the_door_and_loses_nothing(
    bench: Callable[..., tuple[Visitor, str]],
) -> None:
    visitor, name, page = signed_out(bench)
    words(page).fill("a sunny morning")
    expect(status(page)).to_contain_text("kept in this browser")
    page.reload()
    visitor.sign_in(name)
    visitor.open(visitor.address)
    expect(words(page)).to_have_value("a sunny morning")
    expect(page.locator("#toasts")).to_contain_text("brought it back")
    expect(status(page)).to_have_text("saved")


@pytest.mark.parametrize("typed", ["", "a sunny morning"])
def test_run_says_so_in_the_panel_and_swaps_nothing_else(
    bench: Callable[..., tuple[Visitor, str]], typed: str
) -> None:
    visitor, _name, page = signed_out(bench)
    if typed:
        words(page).fill(typed)
    page.get_by_role("button", name="Run").click()
    panel = page.locator("#job")
    expect(panel).to_contain_text("You are signed out, so nothing was sent.")
    expect(panel.get_by_label("Password")).to_have_count(0)
    expect(page.locator("header.site-header")).to_have_count(1)
    expect(page.get_by_role("button", name="Run")).to_be_enabled()
    panel.get_by_role("link", name="Sign in and come back here").click()
    back = visitor.address.replace("?base=0", "%3Fbase%3D0")
    expect(page).to_have_url(f"{visitor.url}/account/login/?next={back}")


def test_compare_says_so_on_the_stage_and_leads_back_in(
    bench: Callable[..., tuple[Visitor, str]],
) -> None:
    _visitor, _name, page = signed_out(bench)
    toggle = page.get_by_role("button", name="Compare")
    toggle.click()
    panel = page.locator("[data-compare-panel]")
    expect(panel).to_have_text(re.compile(r"You are signed out\.\s+Sign in and come back here"))
    expect(panel.locator(".signed-out")).to_be_focused()
    toggle.click()
    expect(panel).to_be_hidden()
    expect(page.locator(".viewer")).to_be_visible()


def test_whoever_types_while_the_machine_looks_is_told_once_and_goes_on_typing(
    visit: Callable[..., Visitor], addresses: list[str]
) -> None:
    visitor = visit("wanda")
    page = visitor.open(addresses[0])
    expect(page.locator("[data-bench][data-ready]")).to_be_visible()
    look = page.locator("#look")
    expect(look).to_contain_text("The machine is looking at this photo")
    sign_out(visitor)
    polls: list[str] = []
    page.on("request", lambda asked: polls.extend([asked.url] * ("hx-request" in asked.headers)))
    words(page).focus()
    expect(look).to_contain_text("You are signed out.", timeout=20_000)
    expect(words(page)).to_be_focused()
    page.keyboard.type("a sunny morning")
    expect(words(page)).to_have_value("a sunny morning")
    page.wait_for_timeout(6_000)  # longer than it polled
    assert len(polls) == 1
    expect(words(page)).to_be_focused()


def test_a_note_that_could_not_be_handed_in_is_in_its_field_again(
    bench: Callable[..., tuple[Visitor, str]],
) -> None:
    visitor, name = bench()
    page = visitor.page
    write_note(page, "See the left edge.")
    sign_out(visitor)
    page.get_by_role("button", name="Submit this version").click()
    expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()
    expect(page.get_by_label("Text 1 of the form")).to_have_value("See the left edge.")
    visitor.sign_in(name)
    visitor.open(visitor.address)
    expect(note(page)).to_be_visible()
    expect(note(page)).to_have_value("See the left edge.")
    expect(page.locator("#toasts")).to_contain_text("is back in its field")
    page.get_by_role("button", name="Submit this version").click()
    expect(page.get_by_text("Your version waits for a curator.")).to_be_visible()
    page.get_by_role("button", name="Take this photo again").click()
    expect(page.locator("[data-bench][data-ready]")).to_be_visible()
    assert page.evaluate(KEPT) == "{}"


@pytest.mark.parametrize("way", ["back", "address"])
def test_a_note_sent_while_the_line_was_down_is_kept_until_there_is_an_answer(
    bench: Callable[..., tuple[Visitor, str]], way: str
) -> None:
    visitor, _name = bench()
    page = visitor.page
    write_note(page, "See the left edge.")
    visitor.context.set_offline(True)
    page.get_by_role("button", name="Submit this version").click()
    page.wait_for_url("chrome-error://**")
    visitor.context.set_offline(False)
    if way == "back":
        page.go_back()
    visitor.open(visitor.address)
    expect(note(page)).to_have_value("See the left edge.")
    page.get_by_role("button", name="Submit this version").click()
    expect(page.get_by_text("Your version waits for a curator.")).to_be_visible()
    assert page.evaluate(KEPT) == "{}"


@pytest.mark.slow
def test_what_one_person_wrote_is_not_shown_to_another(
    bench: Callable[..., tuple[Visitor, str]],
) -> None:
    visitor, _name = bench()
    page = visitor.page
    write_note(page, "See the left edge.")
    page.reload()
    expect(note(page)).to_have_value("See the left edge.")
    another = f"{KEPT}.replace(/\\d+ /, '0 ')"
    page.evaluate(f"window.sessionStorage.setItem('rekindle-typed', {another})")
    page.reload()
    expect(page.locator("[data-bench][data-ready]")).to_be_visible()
    expect(note(page)).to_have_value("")
