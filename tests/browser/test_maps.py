"""Maps over a version, at the bench and at the desk: by hand, by keys, without a script; and the
way from a run that ended to what it made."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Visitor
from tests.services import processes

NAMES = ("coloured_guess", "changed", "coloured_evidence", "doubtful", "repaired")
SEED = """
import json
import numpy as np
from django.utils import timezone
from restoration import leases
from restoration.actions.claims import claim_photo
from restoration.actions.reviews import open_review
from restoration.actions.versions import scan_version, submit_version
from restoration.models import Job
from restoration.heard import glimpse
from restoration.runner import _keep_map
from tests import factories
from tests.people import appoint, person
now, vera, cora = timezone.now(), person("vera"), person("cora")
box = factories.collection()
appoint(cora, box)
shares = {"changed": .3, "repaired": .1, "doubtful": .15, "coloured_guess": .4,
          "coloured_evidence": .2}
sheets = {}
for name, share in shares.items():
    sheet = np.zeros((240, 320), np.uint8)
    sheet[:, :round(320 * share)] = 200
    sheets[name] = _keep_map(sheet)
guard = {"verdict": "review", "reasons": ["moved"], "moved": .8, "changed_area": 30.0,
         "filled_area": 10.0, "doubtful_area": 15.0, "coloured_guess_area": .4,
         "coloured_evidence_area": .2,
         "faces": [{"verdict": "review", "too_small": True, "filled_in": True}]}
photo = factories.photo(box, image=factories.picture(3, height=240, width=320))
image = factories.picture(4, height=240, width=320)
made = [factories.version(photo, vera, image=image, maps=sheets, meters={"guard": guard})
        for _ in range(3)]
submit_version(version=made[0], by=vera, note="", now=now)
review = open_review(version=made[0], by=cora, now=now)
claim_photo(photo=photo, by=vera, now=now)  # what was sent in had ended her claim
job = Job.objects.create(photo=photo, source=scan_version(photo=photo, now=now), requested_by=vera,
                         requested_at=now, plan={"steps": [{"name": "tone"}]}, queue="of nobody")
print(json.dumps({"ref": photo.ref, "review": review.pk, "job": job.pk}))
"""
BEGIN = """
import numpy as np
from django.utils import timezone
from restoration import leases
from restoration.models import Job
from restoration.heard import glimpse
job = leases.start(job_id={job}, worker="w", now=timezone.now())
shown = glimpse(np.full((60, 80, 3), 120, np.uint8))
leases.beat(job=job, now=timezone.now(), glimpse=shown, step="tone", progress=0.5)
"""
END = """
from django.utils import timezone
from restoration import leases
from restoration.models import Job, Version
job = Job.objects.get(pk={job})
like = Version.objects.filter(photo=job.photo).latest("number")
made = leases.NewVersion(kind="machine", sha256=like.sha256, width=320, height=240,
                         frame=like.frame, records=like.records, meters=like.meters)
leases.finish(job=job, made=made, now=timezone.now())
"""


@pytest.fixture(scope="module")
def seeded(site: processes.Site) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(site.run(SEED).splitlines()[-1])
    return found


def unfold(page: Page) -> None:
    page.locator(".maps > details:not([open]) > summary").press("Enter")
    expect(page.locator("[data-map]").first).to_be_visible()


def layer(page: Page, name: str) -> Locator:
    return page.locator(f".map-layer-{name}")


def compared(visitor: Visitor, seeded: dict[str, Any], query: str = "") -> Page:
    return visitor.open(f"/photos/{seeded['ref']}/compare/?left=0&right=2{query}")


def violations(page: Page) -> list[str]:
    return [each["id"] for each in Axe().run(page).response["violations"]]


def colour_at(page: Page, across: float) -> bytes:
    """A small cut of the later picture's screen."""
    box = page.locator("[data-maps]").bounding_box()
    assert box
    x, y = box["x"] + across * box["width"], box["y"] + box["height"] / 2
    return page.screenshot(clip={"x": x, "y": y, "width": 24, "height": 24})


@pytest.mark.parametrize("width", [1440, pytest.param(390, marks=pytest.mark.slow)])
def test_at_the_bench_each_map_is_laid_over_and_lifted_by_keys(
    visit: Callable[..., Visitor], seeded: dict[str, Any], width: int
) -> None:
    visitor = visit("vera", width=width)
    page = visitor.open(f"/photos/{seeded['ref']}/?base=2")
    page.locator("[data-compare-toggle]").click()
    unfold(page)
    boxes = page.locator("[data-map]")
    assert [box.get_attribute("value") for box in boxes.all()] == list(NAMES)
    shares = page.locator(".map-choice .count").all_inner_texts()
    assert shares == [f"{share}.0\N{NO-BREAK SPACE}%" for share in (40, 30, 20, 15, 10)]
    for name in NAMES:
        box = page.locator(f"[data-map][value={name}]")
        expect(layer(page, name)).to_be_hidden()
        box.press("Space")
        expect(layer(page, name)).to_be_visible()
        box.press("Space")
        expect(layer(page, name)).to_be_hidden()
    page.get_by_role("button", name="All or none").press("Enter")
    assert [layer(page, name).is_visible() for name in NAMES] == [True] * 5
    page.get_by_text("What the maps say").press("Enter")
    expect(page.get_by_text("The colour here is guessed")).to_be_visible()
    assert violations(page) == []
    assert visitor.complaints == []


@pytest.mark.slow
def test_the_five_maps_look_different_and_the_picture_shows_between_their_lines(
    visit: Callable[..., Visitor], seeded: dict[str, Any]
) -> None:
    page = compared(visit("vera"), seeded)
    unfold(page)
    page.locator("[value=right]").check()
    bare, seen = colour_at(page, 0.01), set()
    for name in NAMES:
        box = page.locator(f"[data-map][value={name}]")
        box.check()
        seen.add(colour_at(page, 0.01))
        box.uncheck()
    assert colour_at(page, 0.01) == bare
    assert len(seen | {bare}) == 6


@pytest.mark.slow
def test_the_lines_keep_their_distance_however_near_one_looks(
    visit: Callable[..., Visitor], seeded: dict[str, Any]
) -> None:
    page = compared(visit("vera"), seeded, "&layer=changed")

    def distance() -> float:
        pattern = page.locator("[data-hatch]").first.get_attribute("patternTransform") or ""
        (unit,) = re.findall(r"[\d.]+", pattern)
        box = page.locator("[data-maps]").bounding_box()
        assert box
        return float(unit) * box["width"] / 320

    page.locator("[data-zoom=fit]").click()
    assert distance() == pytest.approx(1, abs=0.01)
    page.locator("[data-zoom=in]").click()
    page.locator("[data-zoom=in]").click()
    assert distance() == pytest.approx(1, abs=0.01)


@pytest.mark.slow
def test_a_map_brings_the_picture_that_it_lies_over(
    visit: Callable[..., Visitor], seeded: dict[str, Any]
) -> None:
    page = compared(visit("vera"), seeded)
    unfold(page)
    page.locator("[value=left]").check()
    page.locator("[data-map][value=changed]").check()
    expect(page.locator("[value=right]")).to_be_checked()
    expect(layer(page, "changed")).to_be_visible()
    page.locator("[value=difference]").check()
    expect(layer(page, "changed")).to_be_hidden()


@pytest.mark.slow
def test_without_a_script_the_boxes_work_and_an_address_chooses(
    visit: Callable[..., Visitor], seeded: dict[str, Any]
) -> None:
    page = compared(visit("vera", java_script_enabled=False), seeded, "&layer=changed")
    expect(layer(page, "changed")).to_be_visible()
    expect(layer(page, "repaired")).to_be_hidden()
    page.locator("[data-map][value=repaired]").check()
    expect(layer(page, "repaired")).to_be_visible()
    over, under = (page.locator(each).bounding_box() for each in
                   ("[data-maps]", ".compare-right img"))  # fmt: skip
    assert over == pytest.approx(under, abs=1)


@pytest.mark.slow
@pytest.mark.parametrize("width", [1440, 390])
def test_at_the_desk_all_maps_are_at_hand(
    visit: Callable[..., Visitor], seeded: dict[str, Any], width: int
) -> None:
    visitor = visit("cora", width=width)
    page = visitor.open(f"/reviews/{seeded['review']}/")
    page.locator("[data-map][value=coloured_guess]").check()
    expect(layer(page, "coloured_guess")).to_be_visible()
    page.get_by_label("Pale picture").check()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert visitor.complaints == []


HIDDEN = """() => {
  const stage = document.querySelector("[data-stage]").getBoundingClientRect();
  const held = document.activeElement.getBoundingClientRect();
  return held.top >= stage.top && held.bottom <= stage.bottom && held.left < stage.right;
}"""


@pytest.mark.parametrize(("who", "width"), [("cora", 1440), ("cora", 390), ("vera", 390)])
def test_what_is_reached_backwards_comes_out_from_under_the_picture(
    visit: Callable[..., Visitor], seeded: dict[str, Any], who: str, width: int
) -> None:
    visitor = visit(who, width=width)
    if who == "cora":
        page = visitor.open(f"/reviews/{seeded['review']}/")
    else:
        page = compared(visitor, seeded, "&layer=changed")
    expect(page.locator("[data-stage][role=application]")).to_be_visible()
    page.locator(".site-footer a").last.focus()
    reached, hidden = [], []
    while not page.evaluate("document.activeElement.matches('[data-cut]')"):
        page.keyboard.press("Shift+Tab")
        name = page.evaluate(
            "(document.activeElement.labels?.[0] ?? document.activeElement).innerText"
        )
        reached.append(name.strip())
        hidden += [name] if page.evaluate(HIDDEN) else []
    assert {"All or none", "Flip X"} <= {" ".join(each.split()) for each in reached}
    assert hidden == []


def test_beside_a_long_answer_of_the_check_its_question_keeps_more_than_half_the_line(
    visit: Callable[..., Visitor], seeded: dict[str, Any]
) -> None:
    page = visit("cora").open(f"/reviews/{seeded['review']}/")
    card = page.locator(".guard-card dl")
    expect(card).to_contain_text("1 too small to verify; 1 partly filled in")
    whole, asked = (each.bounding_box() for each in (card, card.locator("dt").first))
    assert whole
    assert asked
    assert asked["width"] > 0.5 * whole["width"]
    over = card.evaluate("each => each.scrollWidth - each.clientWidth")
    assert over <= 0


def test_on_paper_a_badge_is_as_dark_as_the_words_beside_it(
    visit: Callable[..., Visitor], seeded: dict[str, Any]
) -> None:
    page = visit("cora").open(f"/reviews/{seeded['review']}/")
    page.emulate_media(media="print")
    colours = "all => [...new Set(all.map(each => getComputedStyle(each).color))]"
    badges = page.locator(".guard-card .badge")
    assert badges.count() > 3
    assert badges.evaluate_all(colours) == ["rgb(0, 0, 0)"]


@pytest.mark.slow
def test_a_run_shows_its_picture_once_and_ends_with_a_way_to_what_it_made(
    visit: Callable[..., Visitor], seeded: dict[str, Any], site: processes.Site
) -> None:
    visitor = visit("vera")
    page, asked = visitor.page, []
    page.on("request", lambda each: asked.append(each.url) if "preview" in each.url else None)
    site.run(BEGIN.format(**seeded))
    visitor.open(f"/photos/{seeded['ref']}/?base=0")
    picture = page.get_by_alt_text("The picture as far as the run has come")
    expect(picture).to_be_visible()
    for _ in range(2):
        with page.expect_response(re.compile(rf"/jobs/{seeded['job']}/$")):
            pass
    assert picture.evaluate("each => each.naturalWidth") == 80
    assert len(asked) == 1, "the same picture is not fetched with every poll"
    assert violations(page) == []
    site.run(END.format(**seeded))
    expect(page.locator("#announce")).to_contain_text("Submit or retouch it")
    expect(picture).to_be_hidden()
    page.locator("#job").get_by_role("link", name="Submit or retouch it").press("Enter")
    expect(page.locator("#version-4-menu")).to_be_focused()
    strip = page.locator("#strip").get_by_role("link", name="Go to the newest version, v4")
    strip.focus()
    expect(strip).to_be_in_viewport()
    strip.press("Enter")
    expect(page.locator("#version-4-menu")).to_be_focused()
    assert visitor.complaints == []
