"""A running site for each module, and people who are signed in to it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.people import PASSWORD
from tests.services import databases, processes

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

SECONDS = 10
HERE = Path(__file__).parent
# What `make test` opens a browser for; the rest waits for pages more than it computes, and is for
# `make test-slow` and CI.
EVERY_TIME = {"test_first_error", "test_pages_axe"}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Before `slow` is given its longer time, and before it is left out."""
    for item in items:
        if item.path.parent == HERE and item.path.stem not in EVERY_TIME:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="module")
def site(
    start_site: Callable[..., processes.Site], migrated_sqlite: str, tmp_path_factory: Any
) -> processes.Site:
    """The whole product over one SQLite file, without rows."""
    return start_site(databases.sqlite_database(tmp_path_factory.mktemp("rows"), migrated_sqlite))


@dataclass
class Visitor:
    """A browser of one person; what went wrong in it is in `complaints`."""

    context: BrowserContext
    page: Page
    url: str
    complaints: list[str] = field(default_factory=list)
    address: str = ""

    def open(self, address: str) -> Page:
        """Go to a page of the site."""
        self.page.goto(f"{self.url}{address}", wait_until="load")
        return self.page

    def another(self) -> Page:
        """A second tab."""
        return watched(self.context.new_page(), self.complaints)

    def sign_in(self, name: str) -> None:
        """By what the form sends; the form itself is filled in by the people of the journey."""
        door = f"{self.url}/account/login/"
        self.context.request.get(door)
        token = next(each for each in self.context.cookies() if each["name"] == "csrftoken")
        form = {"login": name, "password": PASSWORD, "csrfmiddlewaretoken": token["value"]}
        answer = self.context.request.post(door, form=form, max_redirects=0)
        assert answer.status == 302, answer.text()


def _told(said: ConsoleMessage) -> str:
    """With the address of what could not be loaded."""
    return f"{said.text} {said.location.get('url', '')}".strip()


def watched(page: Page, complaints: list[str]) -> Page:
    """Note whatever the page says is wrong: scripts, the content policy, missing files."""
    page.set_default_timeout(SECONDS * 1000)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.extend([_told(said)] * (said.type == "error")))
    return page


@pytest.fixture
def visit(browser: Browser, site: processes.Site) -> Iterator[Callable[..., Visitor]]:
    """Opens browsers: `visit("vera", width=390, locale="zh-Hans", ...)`; nobody is signed out."""
    with contextlib.ExitStack() as ends:

        def begin(name: str = "", *, width: int = 1440, **options: Any) -> Visitor:
            context = browser.new_context(viewport={"width": width, "height": 900}, **options)
            ends.callback(context.close)
            complaints: list[str] = []
            visitor = Visitor(
                context, watched(context.new_page(), complaints), site.url, complaints
            )
            if name:
                visitor.sign_in(name)
            return visitor

        yield begin


IN_HANDS = """
import json
from django.utils import timezone
from restoration.actions.claims import claim_photo
from tests import factories
from tests.people import person
image = factories.picture(4, height={height}, width={width})
photo = factories.photo(factories.collection(), image=image)
claim_photo(photo=photo, by=person("vera"), now=timezone.now())
print(json.dumps(f"/photos/{{photo.ref}}/"))
"""


def in_hands(site: processes.Site, *, height: int, width: int) -> str:
    """The address of a photo of that size in Vera's hands."""
    seed = IN_HANDS.format(height=height, width=width)
    return str(json.loads(site.run(seed).splitlines()[-1]))
