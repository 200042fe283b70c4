"""For those who use keys and those who listen: the focus stays, and what happened is said."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Visitor
from tests.services import processes

SEED = """
import json
from django.urls import reverse
from django.utils import timezone
from archive.models import Batch
from exhibit.actions import publish_version
from exhibit.arranging import Words
from restoration.actions.claims import claim_photo
from restoration.actions.reviews import open_review
from restoration.actions.versions import scan_version
from restoration.models import Job
from tests import factories
from tests.people import appoint, cast
now, people, box = timezone.now(), cast(), factories.collection()
appoint(people.cora, box)
image = factories.picture(3, height=240, width=320)
held, sent = (factories.photo(box, image=image) for _ in range(2))
claim_photo(photo=held, by=people.vera, now=now)
Job.objects.create(photo=held, source=scan_version(photo=held, now=now), requested_by=people.vera,
                   requested_at=now, plan={"steps": [{"name": "tone"}]}, queue="of nobody")
review = open_review(version=factories.submitted(sent, people.victor, image=image),
                     by=people.cora, now=now)
room = factories.room(box)
for number in range(3):
    photo = factories.photo(box, image=image, title_en=f"Picture {number}")
    version, _review = factories.accepted(photo, people.vera, people.cora, image=image)
    publish_version(version=version, room=room, words=Words(), by=people.sten, now=now)
batch = Batch.objects.create(collection=box, state="taking", kind="folder", place="x", label="x",
                             by_command=True, begun_at=now, listed_at=now, beat_at=now)
print(json.dumps({
    "batch": reverse("archive:batch", args=[box.slug, batch.pk]),
    "bench": f"/photos/{held.ref}/",
    "review": f"/reviews/{review.pk}/",
    "photo": f"/exhibits/{room.exhibit.slug}/{photo.ref}/",
    "arrange": f"/curate/exhibits/{room.exhibit.slug}/",
}))
"""


@pytest.fixture(scope="module")
def pages(site: processes.Site) -> dict[str, str]:
    """Vera's bench with a run that waits, Cora's review, a public picture, and its exhibit."""
    found: dict[str, str] = json.loads(site.run(SEED).splitlines()[-1])
    return found


@pytest.fixture
def bench(visit: Callable[..., Visitor], pages: dict[str, str]) -> Page:
    page = visit("vera").open(pages["bench"])
    expect(page.locator(".bench[data-ready]")).to_be_attached()
    return page


def said(page: Page) -> Locator:
    return page.locator("#announce")


def test_undo_and_redo_say_what_they_did_and_keep_the_focus(bench: Page) -> None:
    undo, redo = bench.locator("[data-undo]"), bench.locator("[data-redo]")
    expect(undo).to_be_disabled()
    bench.locator("[data-viewer]").focus()
    for key in ("b", "Enter", "ArrowRight", "Enter"):
        bench.keyboard.press(key)
    expect(undo).to_be_enabled()
    undo.press("Enter")
    expect(said(bench)).to_have_text("Undone.")
    expect(undo).to_be_disabled()
    expect(undo).to_be_focused()
    redo.press("Enter")
    expect(said(bench)).to_have_text("Done again.")
    expect(redo).to_be_disabled()
    expect(redo).to_be_focused()
    bench.keyboard.press("Control+z")
    expect(said(bench)).to_have_text("Undone.")


def test_words_that_are_too_long_for_a_run_are_told_while_they_are_typed(bench: Page) -> None:
    words, problem = bench.get_by_label("Anything else"), bench.locator("#prompt-words-problem")
    words.fill("𠮷" * 2000)  # each is two to a browser
    expect(problem).to_be_hidden()
    words.press("End")
    words.press("x")
    expect(problem).to_have_text("“Anything else” is too long; it may have 2000 characters.")
    expect(said(bench)).to_have_text(problem.inner_text())
    expect(words).to_have_accessible_description(problem.inner_text())
    expect(bench.locator(".bench-saved")).to_have_attribute("data-state", "saved")
    assert len(words.input_value()) == 2001
    words.press("Backspace")
    expect(problem).to_be_hidden()
    expect(words).to_have_attribute("aria-invalid", "false")
    facts = bench.get_by_label("Known facts about colours")
    facts.fill("\n".join(["The badge was red."] * 200))
    expect(bench.locator("#prompt-colours-problem")).to_be_hidden()


def test_whoever_extends_is_led_to_what_stands_beside_it(bench: Page) -> None:
    bench.get_by_role("button", name="Extend").press("Enter")
    expect(bench.get_by_role("button", name="Extend")).to_be_hidden()
    expect(bench.get_by_role("button", name="Give back")).to_be_focused()


def test_whoever_cancels_a_run_is_led_to_the_next_one(bench: Page) -> None:
    bench.locator("#job-cancel").press("Enter")
    expect(bench.locator(".job[data-state=cancelled]")).to_be_visible()
    expect(bench.locator("[data-run]")).to_be_focused()


def test_a_flip_says_which_picture_is_shown_now(
    visit: Callable[..., Visitor], pages: dict[str, str]
) -> None:
    page = visit("").open(pages["photo"])
    flip = page.locator("[data-flip]")
    expect(flip).to_have_attribute("aria-pressed", "false")
    flip.press("Enter")
    expect(said(page)).to_have_text("Restored")
    flip.press("Enter")
    expect(said(page)).to_have_text("Original")
    expect(flip).to_have_attribute("aria-pressed", "true")
    page.locator("[value=right]").check(force=True)
    expect(flip).to_have_attribute("aria-pressed", "false")


def test_where_nobody_can_switch_letters_off_x_is_heard_in_the_figure_alone(
    visit: Callable[..., Visitor], pages: dict[str, str]
) -> None:
    page = visit("").open(pages["photo"])
    figure = page.locator("[data-compare][data-ready]")
    page.keyboard.press("x")
    page.get_by_role("link", name="Sign in").press("x")
    expect(figure).to_have_attribute("data-view", "curtain")
    page.locator("[data-cut]").press("x")
    expect(figure).to_have_attribute("data-view", "right")


def test_at_the_desk_x_is_heard_everywhere_and_the_stage_tells_its_keys(
    visit: Callable[..., Visitor], pages: dict[str, str]
) -> None:
    page = visit("cora").open(pages["review"])
    figure = page.locator("[data-compare][data-ready]")
    expect(figure).to_have_attribute("data-view", "curtain")
    page.keyboard.press("x")
    expect(figure).to_have_attribute("data-view", "right")
    stage = page.get_by_role("application")
    expect(stage).to_have_accessible_description(
        "Arrow keys move the picture, plus and minus zoom, 0 shows all of it."
    )


def test_whoever_moves_a_picture_or_a_room_stays_with_it(
    visit: Callable[..., Visitor], pages: dict[str, str]
) -> None:
    visitor = visit("cora")
    page = visitor.open(pages["arrange"])
    page.get_by_role("button", name="Later Picture 0").press("Enter")
    expect(said(page)).to_have_text("“Picture 0” is now 2 of 3.")
    moved = page.locator("li.card").nth(1)
    expect(moved).to_contain_text("Picture 0")
    expect(moved).to_be_focused()
    expect(moved).to_be_in_viewport()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(said(page)).to_have_text("“Picture 0” is now 3 of 3.")
    assert visitor.complaints == []


def test_whoever_stands_on_a_button_of_a_batch_at_work_stays_there(
    visit: Callable[..., Visitor], pages: dict[str, str]
) -> None:
    page = visit("cora").open(pages["batch"])
    stop = page.get_by_role("button", name="Stop for now")
    stop.focus()
    first = page.locator("#batch section").element_handle()
    page.wait_for_function("part => !part.isConnected", arg=first)  # it was fetched anew
    expect(stop).to_be_focused()
