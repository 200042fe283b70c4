"""Large files in a real browser over a line that breaks: paused, cut off, closed, and gone on."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Request, expect

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
