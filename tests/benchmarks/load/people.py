"""Volunteers and visitors as Locust has them; started by tests.benchmarks.load.crowd.

CROWD names a file that says who they are; OUT is where the figures go. Imports nothing of ours:
Locust changes how Python waits, and lives in a process of its own.
"""

from __future__ import annotations

import json
import os
import random
import re
import time
from itertools import count
from pathlib import Path
from typing import Any

import gevent
from locust import constant_pacing, events, task
from locust.contrib.fasthttp import FastHttpUser

CROWD: dict[str, Any] = json.loads(Path(os.environ["CROWD"]).read_text(encoding="utf-8"))
EXHIBIT, PICTURES, SESSIONS = CROWD["exhibit"], CROWD["pictures"], CROWD["sessions"]
DICE = random.Random(7)
TOKEN = "a" * 32  # a form's token and the cookie's are the same to Django when they are equal
BEAT, POLL, PATIENCE = 60.0, 2.0, 180.0
# One visit: the first page, the exhibit, three pictures, one of them looked at closely.
A_VISIT = 16.0
DRAFT = {"base": 0, "steps": {"tone": {"on": True, "settings": {"strength": 0.5}}}}
FORM = "base=0&rev={rev}&mask=&dabs=[]&regions=[]&step-tone=on&tone-strength=0.5"
_numbers = count()


class Visitor(FastHttpUser):
    """A stranger who walks through the exhibit; 67 of them make 15,000 visits an hour."""

    fixed_count = int(os.environ.get("VISITORS", "0"))
    wait_time = constant_pacing(A_VISIT)
    default_headers = {"Accept-Encoding": "gzip", "Accept-Language": "en"}

    def on_start(self) -> None:
        """They do not all come in the same second."""
        gevent.sleep(DICE.uniform(0, A_VISIT))

    @task
    def visit(self) -> None:
        """Six pages, two seconds each."""
        room = f"/exhibits/{EXHIBIT}/"
        self._see("/", "visitor: home")
        self._see(room, "visitor: exhibit")
        for ref in DICE.sample(PICTURES, 3):
            self._see(f"{room}{ref}/", "visitor: photo")
        self._see(f"{room}{ref}/zoom/", "visitor: zoom")

    def _see(self, path: str, name: str) -> None:
        self.client.get(path, name=name)
        gevent.sleep(DICE.uniform(1, 3))


class Volunteer(FastHttpUser):
    """Ten minutes a photo: takes one, looks, runs a recipe twice, submits, and takes the next.

    Four of five have a photo in hand when the run begins, each somewhere in the middle of it, so
    that it is from the first minute as it is all day.
    """

    fixed_count = int(os.environ.get("VOLUNTEERS", "0"))

    def on_start(self) -> None:
        """Signed in before, as most are."""
        number = next(_numbers) % len(SESSIONS)
        self.said = {
            "Cookie": f"sessionid={SESSIONS[number]}; csrftoken={TOKEN}",
            "X-CSRFToken": TOKEN,
            "Accept-Encoding": "gzip",
        }
        self.beats, self.beaten = "", 0.0
        self.in_hand: tuple[str, int] | None = None
        if CROWD["held"][number][0]:
            self.in_hand = CROWD["held"][number]

    @task
    def restore(self) -> None:
        """One photo from the wall to review, or the one in hand from wherever its work stands."""
        if self.in_hand:
            (ref, claim), self.in_hand = self.in_hand, None
            return self._restore(f"/photos/{ref}/", f"claim={claim}", rev=0, begun=DICE.random())
        if not self.beaten:  # at the beginning: they do not come in the same second
            self._think(0, 100)
        bench = self._take(self._ask("GET", "/wall/", "wall").text or "")
        page = self._ask("GET", bench, "bench").text or ""
        found = re.search(r"/beat\?claim=(\d+)", page)
        if found is None:
            return self._think(5, 10)  # another hand was quicker: as a person, back to the wall
        self._restore(bench, f"claim={found.group(1)}", rev=_revision(page), begun=0.0)

    def _restore(self, bench: str, fence: str, *, rev: int, begun: float) -> None:
        self.beats = f"{bench}beat?{fence}"
        self.beaten = time.monotonic() - DICE.uniform(0, BEAT) * (begun > 0)
        number = ""
        for run in range(1 if begun > 0.5 else 2):
            # Two minutes for each look; who began before has a part of them behind.
            self._think(60 * (1 - begun), 180 * (1 - begun))
            if begun:  # the page was opened before this program began, and is looked at anew
                rev = _revision(self._ask("GET", bench, "bench").text or "")
                begun = 0.0
            draft = {"rev": rev + run, "draft": DRAFT}
            self._ask("PUT", f"{bench}draft?{fence}", "draft", json=draft)
            number = self._run(bench, fence, rev + run + 1) or number
            self._ask("GET", f"{bench}strip?base=0", "strip", headers={"HX-Request": "true"})
        self._think(60, 180)
        if number:
            self._post(f"{bench}versions/{number}/submit?{fence}", "submit", "note=")
        self.beats = ""
        self._think(5, 30)

    def _take(self, wall: str) -> str:
        """Mostly what the site gives; sometimes one that was seen on the wall."""
        seen = re.findall(r'action="(/photos/\w+/claim)"', wall)
        self._think(5, 15)
        wanted = DICE.choice(seen) if seen and DICE.random() < 0.2 else "/wall/one"
        name = "give me one" if wanted == "/wall/one" else "claim"
        return str(self._post(wanted, name).headers.get("Location", "/wall/")).partition("?")[0]

    def _run(self, bench: str, fence: str, rev: int) -> str:
        """Ask for a run and look at it until it ends; the number of what it made."""
        form, htmx = FORM.format(rev=rev), {"HX-Request": "true"}
        page = self._post(f"{bench}run?{fence}", "run", form, headers=htmx).text or ""
        until = time.monotonic() + PATIENCE
        while 'data-state="queued"' in page or 'data-state="running"' in page:
            job = re.search(r'data-job="(\d+)"', page)
            if job is None or time.monotonic() > until:
                break
            self._think(POLL, POLL)
            page = self._ask("GET", f"/jobs/{job.group(1)}/", "poll", headers=htmx).text or ""
        made = re.search(r"\?base=(\d+)", page)
        return made.group(1) if made and 'data-state="succeeded"' in page else ""

    def _think(self, least: float, most: float) -> None:
        """Wait as a person does, while the open page says every minute that somebody is there."""
        until = time.monotonic() + DICE.uniform(least, most)
        while (left := until - time.monotonic()) > 0:
            if self.beats and time.monotonic() - self.beaten >= BEAT:
                self.beaten = time.monotonic()
                self._post(self.beats, "heartbeat")
            gevent.sleep(min(left, 5.0))

    def _post(self, path: str, name: str, data: str = "", **more: Any) -> Any:
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        headers = {**kind, **more.pop("headers", {})}
        return self._ask("POST", path, name, data=data, headers=headers, **more)

    def _ask(self, method: str, path: str, name: str, **more: Any) -> Any:
        headers = {**self.said, **more.pop("headers", {})}
        return self.client.request(
            method, path, name=name, headers=headers, allow_redirects=False, **more
        )


def _revision(page: str) -> int:
    """How often the draft on the bench was saved."""
    found = re.search(r'name="rev" value="(\d+)"', page)
    return int(found.group(1)) if found else 0


def _figures(each: Any) -> dict[str, Any]:
    shares = {f"p{share}": each.get_response_time_percentile(share / 100) for share in (50, 95, 99)}
    return {
        "name": each.name,
        "requests": each.num_requests,
        "errors": each.num_failures,
        **shares,
    }


@events.quitting.add_listener
def tell(environment: Any, **_more: Any) -> None:
    """Write the figures down."""
    figures = [_figures(each) for each in environment.stats.entries.values()]
    errors = [f"{e.name}: {e.error} ({e.occurrences})" for e in environment.stats.errors.values()]
    told = {"figures": figures, "errors": errors}
    Path(os.environ["OUT"]).write_text(json.dumps(told), encoding="utf-8")
