"""The main job: scan, wall, claim, run, retouch, return, answer, review, publish, and a visitor.

Three people and a stranger, in a browser. Each test is the next chapter, so they run in order and
share the site.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from playwright.sync_api import Browser, expect

from restoration.engine import image as pictures
from tests.journey.moves import (
    assessed,
    bench,
    bring_back,
    look_at_it,
    open_version,
    paint,
    path,
    run,
    submit,
    tick,
    version,
)
from tests.journey.people import PATIENCE, Person
from tests.services.processes import Site


class Journey:
    """The chapters; a subclass says on which site."""

    def test_cora_sends_scans_and_a_file_that_is_none(
        self, cora: Person, scans: list[Path], tmp_path: Path
    ) -> None:
        letter = tmp_path / "letter.jpg"
        letter.write_text("Dear museum, here are the photographs.")
        page = cora.open("/collections/box-one/upload")
        page.set_input_files("input[type=file]", [*scans, letter])
        rows = page.locator("[data-uploads] > *")
        expect(rows).to_have_count(3)
        expect(rows.filter(has_text="ready")).to_have_count(2)
        expect(rows.filter(has_text="letter.jpg")).to_contain_text("quarantine")
        cora.leave_pictures("upload")
        page = cora.open("/collections/box-one/")
        cora.leave_pictures("collection")
        page.get_by_role("link", name=re.compile("pingpong|aged-0", re.I)).first.click()
        page.fill("[name=title_en]", "Ping-pong behind the shed")
        page.fill("[name=title_zh]", "棚屋后的乒乓球")
        page.fill("[name=date_edtf]", "189X")
        page.locator("main form button.button-main").first.click()
        expect(page.locator("body")).to_contain_text("Ping-pong behind the shed")

    def test_vera_signs_up_claims_and_runs_the_suggestion(
        self, browser: Browser, site: Site
    ) -> None:
        vera = Person(browser, site)
        vera.open("/")
        vera.leave_pictures("home")
        vera.sign_up("vera")
        page = vera.open("/wall/")
        expect(page.get_by_text("Ping-pong behind the shed").first).to_be_visible()
        vera.leave_pictures("wall")
        card = page.locator("li", has_text="Ping-pong behind the shed")
        card.get_by_role("button", name=re.compile("Take it")).click()
        expect(page).to_have_url(re.compile(r"/photos/\w+/"))
        assessed(vera)
        tick(page, "tone")
        tick(page, "repair")
        page.fill("[name=prompt-period]", "1890s")
        page.fill("[name=prompt-keep]", "the handwriting along the upper edge")
        paint(page)
        expect(page.locator(".bench-saved, [data-saved]").first).to_contain_text("saved")
        page.reload()
        expect(page.locator("[name=prompt-period]")).to_have_value("1890s")
        expect(page.locator("[name=step-repair]")).to_be_checked()
        run(page, "v1")
        vera.leave_pictures("bench")
        vera.leave()

    def test_vera_places_a_colour_she_knows_and_compares(self, vera: Person) -> None:
        page = bench(vera)
        page.get_by_role("link", name="Work on this v1").click()
        for step in ("tone", "repair", "denoise"):
            tick(page, step, on=False)
        tick(page, "colourise")
        page.locator("#dab-word").fill("army green")
        page.locator("#dab-word").press("Tab")
        page.get_by_role("button", name="Add in the middle").click()
        expect(page.locator("[data-dab-list] > li")).to_have_count(1)
        run(page, "v2")
        page.get_by_role("link", name="Compare v2").click()
        figure = page.locator("figure").first
        expect(figure).to_be_visible()
        slider = page.locator("input[type=range][aria-valuetext]").first
        slider.focus()
        slider.press("Home")
        expect(slider).to_have_attribute("aria-valuetext", re.compile("0"))
        vera.leave_pictures("compare")

    def test_vera_retouches_by_hand_and_is_told_when_a_file_is_another_picture(
        self, vera: Person, scans: list[Path], tmp_path: Path
    ) -> None:
        page = bench(vera)
        details = open_version(page, "v2")
        with page.expect_download() as caught:
            details.get_by_role("link", name=re.compile("TIFF")).click()
        working = tmp_path / "working.tif"
        caught.value.save_as(working)
        image = pictures.load(working)
        assert image.dtype == np.float32
        bring_back(page, "v2", scans[1])
        expect(page.locator("body")).to_contain_text(
            re.compile("another picture|another photo", re.I)
        )
        page = bench(vera)
        retouched = tmp_path / "retouched.tif"
        pictures.save(np.clip(image * 0.97 + 0.015, 0, 1).astype(np.float32), retouched)
        bring_back(page, "v2", retouched)
        expect(version(page, "v3")).to_contain_text("by hand", timeout=PATIENCE)
        submit(page, "v3", "Scratches out, one colour that I know, contrast by hand.")
        vera.leave_pictures("submitted")

    def test_cora_returns_it_with_advice(self, cora: Person) -> None:
        page = cora.open("/desk/")
        expect(page.get_by_text("Ping-pong behind the shed").first).to_be_visible()
        cora.leave_pictures("desk")
        look_at_it(page)
        cora.leave_pictures("review")
        page.locator("details.decide-return > summary").click()
        page.locator("details.decide-return input[type=radio]").first.check()
        page.fill("details.decide-return textarea", "Lovely. Clean the grain a little, please.")
        page.locator("details.decide-return button[type=submit]").click()
        expect(page.locator("body")).not_to_contain_text("yours for")

    def test_vera_reads_the_advice_and_answers_it(self, vera: Person) -> None:
        page = vera.open("/people/me/")
        expect(page.locator("main")).to_contain_text("Clean the grain a little, please.")
        vera.leave_pictures("my-work")
        page = bench(vera)
        take = page.get_by_role("button", name="Take this photo")
        if take.is_visible():
            take.click()
        page.get_by_role("link", name="Work on this v3").click()
        for step in ("tone", "repair", "colourise"):
            tick(page, step, on=False)
        tick(page, "denoise")
        run(page, "v4")
        submit(page, "v4", "Cleaned as you said.")

    def test_cora_accepts_and_may_not_publish_what_she_accepted(self, cora: Person) -> None:
        page = cora.open("/desk/")
        look_at_it(page)
        page.locator("details.decide-accept > summary").click()
        page.locator("details.decide-accept button[type=submit]").click()
        expect(page.locator("body")).not_to_contain_text("yours for")
        page = cora.open("/curate/exhibits/new/")
        page.fill("[name=title_en]", "The first ball")
        page.fill("[name=title_zh]", "第一球")
        page.fill("[name=slug]", "first-ball")
        page.locator("main form button.button-main").click()
        page.get_by_text("Add a room").click()
        page.locator("form[action$='/rooms'] [name$=title_en]").fill("Behind the shed")
        page.locator("form[action$='/rooms'] [name$=title_zh]").fill("棚屋之后")
        page.get_by_role("button", name="Add the room").click()
        page.get_by_role("button", name="Open it to everybody").click()
        cora.leave_pictures("arrange")

    def test_ada_publishes_it(self, ada: Person) -> None:
        page = ada.open("/curate/exhibits/")
        page.get_by_role("link", name=re.compile("Publish")).first.click()
        ada.leave_pictures("publish")
        page.select_option("select[name=room]", label="The first ball: Behind the shed")
        page.fill("[name=caption_en]", "A game in the yard")
        page.fill("[name=caption_zh]", "院子里的一局")
        page.fill("[name=story_en]", "The players stopped for the camera.")
        page.fill("[name=story_zh]", "球员们为镜头停了下来。")
        page.locator("main form button.button-main").last.click()
        expect(page.locator("body")).to_contain_text(re.compile("public|hangs", re.I))

    def test_a_stranger_sees_it_and_nothing_else(self, stan: Person) -> None:
        page = stan.open("/exhibits/")
        page.get_by_text("The first ball").first.click()
        stan.leave_pictures("exhibit")
        page.locator("main a[href^='/exhibits/first-ball/']").first.click()
        expect(page.locator("main")).to_contain_text("The players stopped for the camera.")
        expect(page.locator("main")).to_contain_text("How this picture was made")
        # Vera's words to a model stay with her and the curator: here no model read them.
        expect(page.locator("main")).not_to_contain_text("the handwriting along the upper edge")
        expect(page.locator("figure").first).to_contain_text(re.compile("machine|AI", re.I))
        stan.leave_pictures("photo")
        shown = [stan.status(path(page, image)) for image in page.locator("figure img").all()]
        assert set(shown) == {200}
        ref = page.url.rstrip("/").rsplit("/", 1)[-1]
        for hidden in (
            f"/photos/{ref}/versions/1/1600.jpg",
            f"/photos/{ref}/versions/4/working.tif",
            f"/photos/{ref}/scan/full.jpg",
            f"/scans/{ref}/original",
            f"/scans/{ref}/full.jpg",
        ):
            answer = stan.context.request.get(stan.site.url + hidden, max_redirects=0)
            assert answer.status in (302, 403, 404), hidden
        with page.expect_download() as caught:
            page.get_by_role("link", name=re.compile("Download")).first.click()
        content = Path(caught.value.path()).read_bytes()
        assert content.startswith(b"\xff\xd8\xff")
        assert b"DigitalSourceType" in content

    def test_the_page_tells_the_same_without_a_script(self, browser: Browser, site: Site) -> None:
        stan = Person(browser, site, javascript=False)
        page = stan.open("/exhibits/first-ball/")
        page.locator("main a[href^='/exhibits/first-ball/']").first.click()
        expect(page.locator("figure img")).not_to_have_count(0)
        for image in page.locator("figure img").all()[:2]:
            expect(image).to_be_visible()
        stan.leave()
