"""Files in a real browser over a line that breaks: paused, cut off, closed, and gone on."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Request, Route, expect

from tests.browser.conftest import Visitor
from tests.services import addresses, buckets, databases, processes
from tests.services.need import need

expect.set_options(timeout=30_000)
MIB = 1024**2
SIZE = 18 * MIB  # three pieces of at most eight
SEED = """
from tests import factories
from tests.people import appoint, person
box = factories.collection(slug="box")
for number in range(4):
    appoint(person(f"cora{number}"), box)
"""
TAKEN = """
from archive.models import Photo, Upload
from archive import storage
for photo in Photo.objects.order_by("pk"):
    print(photo.filename, photo.sha256, photo.state, photo.quarantine_code)
"""
PAGES = """
from archive.models import Photo
for photo in Photo.objects.all():
    print(photo.filename, photo.pages_are)
"""
PAGE = "/collections/box/upload"
# Big, and no picture: that it came whole is what counts, and the archive says so in a sentence.
SAID = "This is not a picture."


@pytest.fixture(scope="module")
def seeded(site: processes.Site) -> processes.Site:
    site.run(SEED)
    return site


@pytest.fixture(scope="module")
def in_a_bucket(
    start_site: Callable[..., processes.Site],
    migrated_sqlite: str,
    tmp_path_factory: Any,
    a_bucket: dict[str, str],
) -> processes.Site:
    """The same site with its bytes in a real S3 service."""
    rows = databases.sqlite_database(tmp_path_factory.mktemp("rows"), migrated_sqlite)
    made = start_site(rows, **a_bucket)
    made.run(SEED)
    return made


@pytest.fixture(scope="module")
def a_bucket() -> Any:
    need("s3")
    with buckets.bucket(addresses.s3()) as environment:
        yield environment


def scan(folder: Path, name: str) -> tuple[Path, str]:
    """A large file of its own and its sha256."""
    path = folder / name
    content = os.urandom(SIZE)
    path.write_bytes(content)
    return path, hashlib.sha256(content).hexdigest()


def choose(page: Page, path: Path) -> None:
    page.set_default_timeout(60_000)  # eighteen megabytes, on a busy machine too
    page.locator("#upload-files").set_input_files(path)


def choose_many(page: Page, folder: Path, many: int) -> Any:
    """So many small files, each its own; gives their rows."""
    paths = [folder / f"{number:02}.tif" for number in range(many)]
    for path in paths:
        path.write_bytes(os.urandom(1000))
    page.locator("#upload-files").set_input_files(paths)
    rows = page.locator("[data-uploads] .upload")
    expect(rows).to_have_count(many)
    return rows


def row(page: Page) -> Any:
    return page.locator("[data-uploads] .upload").first


SLOW, FAST = 3 * MIB, -1


class Line:
    """The way between one page and the world: slow, fast, or cut in the middle of a request."""

    def __init__(self, page: Page) -> None:
        self.session = page.context.new_cdp_session(page)
        self.session.send("Network.enable")

    def set(self, *, offline: bool = False, upload: int = FAST) -> None:
        told = {"offline": offline, "latency": 0, "downloadThroughput": -1}
        self.session.send("Network.emulateNetworkConditions", told | {"uploadThroughput": upload})


def wait_for_share(page: Page, percent: int) -> None:
    """Until so much of the file has been sent; the site's policy lets no test wait in the page."""
    bar = row(page).locator("[data-part=bar]")
    for _ in range(600):
        if float(bar.evaluate("bar => bar.value")) >= percent:
            return
        page.wait_for_timeout(100)
    pytest.fail(f"{percent} % did not come: {row(page).inner_text()}")


def whole(site: processes.Site, name: str, sha256: str) -> bool:
    return f"{name} {sha256} quarantined not-a-picture" in site.run(TAKEN)


def offsets(page: Page) -> list[int]:
    """Where each request that sends bytes begins, from now on."""
    seen: list[int] = []

    def note(request: Request) -> None:
        if request.method == "PATCH":
            seen.append(int(request.headers["upload-offset"]))

    page.on("request", note)
    return seen


@pytest.mark.slow
def test_a_file_goes_on_after_a_broken_line_and_after_a_reload(
    seeded: processes.Site, visit: Callable[..., Visitor], tmp_path: Path
) -> None:
    path, sha256 = scan(tmp_path, "broken.tif")
    page = visit("cora0").open(PAGE)
    page.get_by_label("front and back").check()
    line = Line(page)
    line.set(upload=SLOW)
    choose(page, path)
    wait_for_share(page, 20)
    line.set(offline=True)
    page.wait_for_timeout(1500)
    line.set(upload=SLOW)
    wait_for_share(page, 60)  # it went on by itself
    line.set(offline=True)
    page.wait_for_timeout(500)
    line.set()
    page.reload()
    expect(page.get_by_text("Not all of it is here yet")).to_be_visible()
    expect(page.get_by_text("% of 18.0")).to_be_visible()
    sent = offsets(page)
    choose(page, path)
    expect(page.get_by_text("Not all of it is here yet")).to_be_hidden()
    expect(row(page)).to_contain_text(SAID, timeout=90_000)
    assert sent[0] > SIZE // 3, "it began anew"
    assert whole(seeded, "broken.tif", sha256)
    assert "broken.tif sides" in seeded.run(PAGES)


@pytest.mark.slow
def test_a_pause_lasts_until_it_is_ended_and_a_file_can_be_given_up(
    seeded: processes.Site, visit: Callable[..., Visitor], tmp_path: Path
) -> None:
    path, sha256 = scan(tmp_path, "paused.tif")
    visitor = visit("cora1", locale="zh-Hans")
    page = visitor.open(PAGE)
    line = Line(page)
    line.set(upload=SLOW)
    choose(page, path)
    wait_for_share(page, 20)
    row(page).get_by_role("button", name="暂停").click()
    expect(row(page)).to_have_attribute("data-state", "paused")
    line.set()
    sent = offsets(page)
    row(page).get_by_role("button", name="继续").click()
    expect(row(page)).to_contain_text("这不是图片", timeout=90_000)
    assert sent[0] > 0
    assert whole(seeded, "paused.tif", sha256)
    other, _sha256 = scan(tmp_path, "given-up.tif")
    page.reload()
    line.set(upload=SLOW)
    choose(page, other)
    wait_for_share(page, 20)
    row(page).get_by_role("button", name="暂停").click()
    line.set()
    row(page).get_by_role("button", name="放弃").click()
    expect(row(page)).to_contain_text("未保留任何内容")
    assert "given-up" not in seeded.run(TAKEN)
    assert "given-up" not in page.request.get(visitor.url + PAGE).text()


@pytest.mark.slow
def test_parts_go_to_the_bucket_over_a_line_that_breaks_and_after_a_reload(
    in_a_bucket: processes.Site, browser: Any, tmp_path: Path
) -> None:
    path, sha256 = scan(tmp_path, "parts.tif")
    context = browser.new_context()
    visitor = Visitor(context, context.new_page(), in_a_bucket.url)
    visitor.sign_in("cora2")
    page, line = visitor.open(PAGE), Line(visitor.page)
    page.get_by_label("one photo each").check()
    line.set(upload=SLOW)
    choose(page, path)
    wait_for_share(page, 10)
    line.set(offline=True)
    expect(row(page)).to_contain_text("it goes on by itself when the line is back")
    row(page).get_by_role("button", name="Pause").click()  # and again while it waits its turn
    row(page).get_by_role("button", name="Go on").click()
    line.set(upload=SLOW)
    wait_for_share(page, 60)
    line.set(offline=True)
    page.goto("about:blank")  # or the page goes on by itself before it is loaded anew
    line.set()
    visitor.open(PAGE)
    told = page.get_by_text("% of 18.0")
    expect(told).to_be_visible()
    parts_left = {"44": 2, "88": 1}[told.inner_text().rpartition(" · ")[2].partition(" ")[0]]
    put: list[str] = []
    page.on("request", lambda each: put.append(each.url) if each.method == "PUT" else None)
    choose(page, path)
    expect(row(page)).to_contain_text(SAID, timeout=90_000)
    assert len(put) <= parts_left, "what was there was sent again"
    assert all(url.startswith(addresses.s3()) for url in put)
    assert whole(in_a_bucket, "parts.tif", sha256)
    assert "parts.tif photos" in in_a_bucket.run(PAGES)
    context.close()


def test_a_small_file_takes_along_what_was_said_when_it_was_chosen(
    seeded: processes.Site, visit: Callable[..., Visitor], tmp_path: Path
) -> None:
    page = visit("cora3").open(PAGE)
    for name, said in (("one.tif", "front and back"), ("two.tif", "Ask me about each")):
        (tmp_path / name).write_bytes(os.urandom(1000))
        page.get_by_label(said).check()
        choose(page, tmp_path / name)
    expect(page.locator("[data-uploads] .upload").last).to_contain_text(SAID)
    told = seeded.run(PAGES).splitlines()
    assert {"one.tif sides", "two.tif"} <= {each.strip() for each in told}


def test_while_the_line_is_down_small_files_wait_and_then_go_on_by_themselves(
    seeded: processes.Site, visit: Callable[..., Visitor], tmp_path: Path
) -> None:
    page = visit("cora3").open(PAGE)
    page.context.set_offline(True)
    rows = choose_many(page, tmp_path, 5)
    expect(rows.first).to_contain_text("it goes on by itself when the line is back")
    page.wait_for_timeout(2500)  # the next tries too
    states = rows.evaluate_all("rows => rows.map(row => row.dataset.state)")
    assert set(states) <= {"waiting", "sending"}, states
    page.context.set_offline(False)
    expect(rows.filter(has_text=SAID)).to_have_count(5)
    expect(page.get_by_role("button", name="Send all again")).to_be_hidden()


def test_what_the_site_could_not_take_is_sent_again_by_one_press(
    seeded: processes.Site, visit: Callable[..., Visitor], tmp_path: Path
) -> None:
    page = visit("cora3").open(PAGE)
    page.route("**/scans", lambda route: route.fulfill(status=500, body=""))
    rows = choose_many(page, tmp_path, 3)
    expect(rows.filter(has_text="not sent")).to_have_count(3)
    page.unroute("**/scans")
    again = page.get_by_role("button", name="Send all again")
    again.click()
    expect(again).to_be_hidden()
    expect(rows.filter(has_text=SAID)).to_have_count(3)


def test_a_page_with_files_still_to_be_sent_is_not_left_without_a_word(
    seeded: processes.Site, visit: Callable[..., Visitor], tmp_path: Path
) -> None:
    page = visit("cora3").open(PAGE)
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.get_by_label("front and back").check()  # a page that nobody touched is left in silence
    page.route("**/scans", lambda _route: None)  # on its way, and without an answer
    rows = choose_many(page, tmp_path, 2)
    page.reload()
    assert asked == ["beforeunload"]
    page.unroute("**/scans")
    page.get_by_label("front and back").check()
    choose_many(page, tmp_path, 2)
    expect(rows.filter(has_text=SAID)).to_have_count(2)
    page.reload()
    assert asked == ["beforeunload"], "nothing waits any more"


def still_reading(route: Route) -> None:
    """As when the readers have much to do."""
    route.fulfill(json={"done": False, "state": "reading", "label": "waits"})


def test_what_becomes_of_many_scans_is_asked_in_moderation_and_not_while_signed_out(
    seeded: processes.Site, visit: Callable[..., Visitor], tmp_path: Path
) -> None:
    visitor = visit("cora3")
    page = visitor.open(PAGE)
    asked: list[str] = []
    page.on("request", lambda each: asked.append(each.url) if "/state" in each.url else None)
    page.route("**/scans/*/state", still_reading)
    rows = choose_many(page, tmp_path, 12)
    expect(rows.filter(has_text="being read").or_(rows.filter(has_text="waits"))).to_have_count(12)
    asked.clear()
    page.wait_for_timeout(6000)
    assert 0 < len(asked) <= 16, "more than a few at a time"
    visitor.context.clear_cookies(name="sessionid")
    page.unroute("**/scans/*/state")
    told = page.get_by_role("alert").filter(has_text="You are signed out.")
    expect(told).to_be_visible()
    expect(told.get_by_role("link")).to_have_attribute("href", f"/account/login/?next={PAGE}")
    asked.clear()
    page.wait_for_timeout(4000)
    assert asked == []
    visitor.sign_in("cora3")
    page.evaluate("window.dispatchEvent(new Event('focus'))")
    expect(rows.filter(has_text=SAID)).to_have_count(12)
    expect(told).to_be_hidden()


def test_files_wait_for_who_is_signed_out_and_go_on_when_they_are_back(
    seeded: processes.Site, visit: Callable[..., Visitor], tmp_path: Path
) -> None:
    visitor = visit("cora3")
    page = visitor.open(PAGE)
    visitor.context.clear_cookies(name="sessionid")
    rows = choose_many(page, tmp_path, 3)
    told = page.get_by_role("alert").filter(has_text="You are signed out.")
    expect(told).to_be_visible()
    expect(page.locator("[data-state=waiting]")).to_have_count(3)
    visitor.sign_in("cora3")
    page.evaluate("window.dispatchEvent(new Event('focus'))")
    expect(rows.filter(has_text=SAID)).to_have_count(3)
    expect(told).to_be_hidden()


def drop(page: Page, path: Path) -> None:
    """As from the desktop: only the browser itself can hand over a folder."""
    box = page.locator("[data-drop]").bounding_box()
    assert box is not None
    session = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(path)], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        told = {"type": kind, "x": box["x"] + 50, "y": box["y"] + 20, "data": data}
        session.send("Input.dispatchDragEvent", told)


def test_of_a_dropped_folder_the_scans_are_sent_and_one_without_any_is_named(
    seeded: processes.Site, visit: Callable[..., Visitor], tmp_path: Path
) -> None:
    page = visit("cora3").open(PAGE)
    inner = tmp_path / "box" / "inner"
    inner.mkdir(parents=True)
    for path in (inner / "deep.TIF", tmp_path / "box" / "flat.png", tmp_path / "box" / "notes.txt"):
        path.write_bytes(os.urandom(1000))
    drop(page, tmp_path / "box")
    rows = page.locator("[data-uploads] .upload")
    expect(rows.filter(has_text=SAID)).to_have_count(2)
    names = rows.locator("[data-part=name]").all_inner_texts()
    assert sorted(names) == ["deep.TIF", "flat.png"]
    (tmp_path / "bare").mkdir()
    drop(page, tmp_path / "bare")
    expect(page.locator("#toasts")).to_contain_text("no scan in the folder “bare”")
    expect(rows).to_have_count(2)


@pytest.mark.slow
def test_without_a_script_the_form_takes_a_large_file_too(
    seeded: processes.Site, visit: Callable[..., Visitor], tmp_path: Path
) -> None:
    path, sha256 = scan(tmp_path, "plain.tif")
    page = visit("cora3", java_script_enabled=False).open(PAGE)
    choose(page, path)
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("1 scan is being read.")).to_be_visible()
    processes.wait_until(lambda: whole(seeded, "plain.tif", sha256), "it was read")
