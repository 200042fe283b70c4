"""People at a browser: sign in, press, look, and leave pictures of every page on request."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect

from tests.people import PASSWORD
from tests.services.processes import Site

PATIENCE = 90_000
WIDTHS = (1440, 390)


class Person:
    """One person with a browser of their own."""

    def __init__(
        self, browser: Browser, site: Site, *, javascript: bool = True, state: Any = None
    ) -> None:
        self.site = site
        self.context = browser.new_context(
            viewport={"width": 1440, "height": 900},
            java_script_enabled=javascript,
            storage_state=state,
            accept_downloads=True,
        )
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.complaints: list[str] = []
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _hear(self, message: Any) -> None:
        # A refused address is told by the test itself; a policy that is broken is not.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.complaints.append(message.text)

    def open(self, path: str) -> Page:
        """Go to an address of the site."""
        self.page.goto(path if path.startswith("http") else self.site.url + path)
        return self.page

    def sign_in(self, name: str) -> None:
        """Sign in with the password of the cast."""
        self.open("/account/login/")
        self.page.fill("input[name=login]", name)
        self.page.fill("input[name=password]", PASSWORD)
        self.page.locator("main form button").first.click()
        expect(self.page).not_to_have_url(f"{self.site.url}/account/login/")

    def sign_up(self, name: str) -> None:
        """Make an account with a name and a password, nothing more."""
        self.open("/account/signup/")
        self.page.fill("input[name=username]", name)
        self.page.fill("input[name=password1]", PASSWORD)
        self.page.fill("input[name=password2]", PASSWORD)
        self.page.locator("main form button").first.click()
        expect(self.page).not_to_have_url(f"{self.site.url}/account/signup/")

    def status(self, path: str) -> int:
        """What the site answers to this person's browser."""
        return int(self.context.request.get(self.site.url + path).status)

    def leave_pictures(self, name: str) -> None:
        """With REKINDLE_TEST_SHOTS=folder: this page at both widths in both languages."""
        folder = os.environ.get("REKINDLE_TEST_SHOTS")
        if not folder:
            return
        for language in ("zh-hans", "en"):
            self._speak(language)
            for width in WIDTHS:
                self.page.set_viewport_size({"width": width, "height": 900})
                self.page.wait_for_timeout(400)
                path = Path(folder) / f"{name}-{language}-{width}.png"
                self.page.screenshot(path=path, full_page=True)
        self.page.set_viewport_size({"width": 1440, "height": 900})

    def _speak(self, language: str) -> None:
        cookie = {"name": "django_language", "value": language, "url": self.site.url}
        self.context.add_cookies([cookie])  # type: ignore[list-item]
        self.page.reload()

    def leave(self) -> None:
        """Close the browser; nothing may have gone wrong on any page."""
        self.context.close()
        assert not self.complaints, self.complaints
