"""What a person does on the bench, the desk and the strip, in one word each."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from tests.journey.people import PATIENCE, Person


def path(page: Page, image: Locator) -> str:
    """The address of a picture, below the site's own."""
    source = str(image.evaluate("element => element.currentSrc || element.src"))
    return source[len(page.url.split("/exhibits/")[0]) :]


def assessed(person: Person) -> None:
    """Wait, reloading as a person would, until a worker has looked at the scan."""
    for _ in range(40):
        if person.page.get_by_role("button", name="Use the suggestion").count():
            return
        person.page.wait_for_timeout(1000)
        person.page.reload()
    raise AssertionError("nobody looked at the scan")


def bench(person: Person) -> Page:
    """The bench of the photo, by way of My work."""
    page = person.open("/people/me/")
    page.locator("main a[href^='/photos/']").first.click()
    expect(page.locator("li.version").first).to_be_visible()
    return page


def tick(page: Page, step: str, *, on: bool = True) -> None:
    """Switch a step on or off."""
    page.locator(f"[name=step-{step}]").set_checked(on, force=True)


def paint(page: Page) -> None:
    """A stroke of the brush across the sky."""
    page.locator("label", has=page.locator("input[name=tool][value=mask]")).click()
    box = page.locator(".viewer, [data-viewer]").first.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] * 0.4, box["y"] + box["height"] * 0.4
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 60, y + 4, steps=6)
    page.mouse.up()


def run(page: Page, label: str) -> None:
    """Press Run and wait for the version it makes."""
    page.get_by_role("button", name="Run", exact=True).click()
    try:
        expect(version(page, label)).to_be_visible(timeout=PATIENCE)
    except AssertionError as late:
        raise AssertionError(page.locator("#job").inner_text()) from late


def version(page: Page, label: str) -> Locator:
    """A version on the strip."""
    return page.locator("li.version", has=page.locator(f"strong:text-is('{label}')"))


def open_version(page: Page, label: str) -> Locator:
    """Unfold what can be done with a version."""
    details = version(page, label).locator("details")
    if details.get_attribute("open") is None:
        details.locator("summary").click()
    return details


def bring_back(page: Page, label: str, file: Path) -> None:
    """Upload a retouched file under a version."""
    details = open_version(page, label)
    details.locator("input[type=file]").set_input_files(file)
    details.get_by_role("button", name="Bring it back").click()


def submit(page: Page, label: str, note: str) -> None:
    """Send a version to review."""
    details = open_version(page, label)
    details.locator("textarea[name=note]").fill(note)
    details.get_by_role("button", name="Submit this version").click()
    expect(version(page, label)).to_contain_text("in review")


def look_at_it(page: Page) -> None:
    """Lease the first version that waits."""
    page.locator("main form[action$='/open'] button").first.click()
    expect(page.locator("body")).to_contain_text("yours for")
