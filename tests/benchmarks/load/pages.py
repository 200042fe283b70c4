"""CPU of each page as a ratio to the bare page, measured in turns so that noise hits both alike.

Of a page for strangers three things are told apart. Cold: asked of a process that never showed it,
but kept ahead by the sweeper, as the first visitor after a start or a change finds it. Repeat:
asked again and again. Made anew: nobody has kept it, as who is quicker than the sweeper finds it.
"""

from __future__ import annotations

import contextlib
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

import psycopg2

from config.kept_pages import BELIEVED
from tests.benchmarks.load.site import Caller, Server, milliseconds, serving
from tests.benchmarks.load.world import Museum
from tests.services import databases

ROUNDS = 5
# Processes tell their CPU in hundredths of a second, so what is cheap is asked more often.
CHEAP, DEAR, ANEW = 400, 40, 20
# What visitors' browsers say.
PACKED = {"Accept-Encoding": "gzip, deflate, br"}


@dataclass(frozen=True)
class Page:
    """A page, how it is asked for, and what it may cost beside the bare one (0: no bound)."""

    name: str
    paths: list[str]
    cookie: str = ""
    most: float = 0.0
    # Each address once in a round.
    once: bool = False
    anew: bool = False

    def asked(self) -> list[str]:
        """The addresses of one round."""
        many = ANEW if self.anew else CHEAP if self.most else DEAR
        return self.paths if self.once else (self.paths * many)[:many]


def pages(museum: Museum) -> list[Page]:
    """Strangers' pages in the three ways, and what is never kept because somebody is signed in."""
    signed_in = f"sessionid={museum.sessions[0]}"
    room = f"/exhibits/{museum.exhibit}/"
    shown = [f"{room}{ref}/" for ref in museum.pictures]
    looks = [f"{each}zoom/" for each in shown]
    return [
        Page("home, repeat", ["/"], most=0.3),
        Page("exhibit, repeat", [room], most=0.3),
        Page("photo, cold", shown, most=1.3, once=True),
        Page("photo, repeat", [shown[0]], most=0.3),
        Page("zoom, cold", looks, most=1.3, once=True),
        Page("zoom, repeat", [looks[0]], most=0.3),
        Page("home, made anew", ["/"], anew=True),
        Page("exhibit, made anew", [room], anew=True),
        Page("photo, made anew", shown, anew=True),
        Page("zoom, made anew", looks, anew=True),
        Page("home, signed in", ["/"], signed_in),
        Page("exhibit, signed in", [room], signed_in),
        Page("photo, signed in", shown, signed_in),
        Page("wall, signed in", ["/wall/"], signed_in),
        Page("my work, signed in", ["/people/me/"], signed_in),
        Page("bench of another, signed in", [f"/photos/{museum.pictures[0]}/"], signed_in),
    ]


def measured(
    museum: Museum, environment: dict[str, str], folder: Path, *, rounds: int = ROUNDS
) -> list[tuple[Page, float, float]]:
    """Each page with its CPU milliseconds and its ratio to the bare page, medians over rounds."""
    bare_path = f"/bare/{museum.pictures[0]}/"
    found = pages(museum)
    with (
        serving("config.wsgi:application", environment, folder, "/health/live") as ours,
        serving("tests.benchmarks.load.bare:application", environment, folder, bare_path) as bare,
    ):
        database = environment["REKINDLE_DATABASE_URL"]
        costs: dict[str, list[tuple[float, float]]] = {page.name: [] for page in found}
        _warm(ours, bare, found, bare_path)
        for _round in range(rounds):
            _turn(database)
            _make_ahead(ours, environment)
            # What is asked once comes first, and last what empties the shelves.
            for page in sorted(found, key=lambda page: (not page.once, page.anew)):
                unit = milliseconds(bare, Caller(bare.url), [bare_path] * CHEAP)
                before = (lambda: _turn(database)) if page.anew else None
                cost = milliseconds(ours, _caller(ours, page), page.asked(), before=before)
                costs[page.name].append((cost, unit))
    return [
        (
            page,
            statistics.median(cost for cost, _unit in costs[page.name]),
            statistics.median(cost / unit for cost, unit in costs[page.name]),
        )
        for page in found
    ]


def _caller(ours: Server, page: Page) -> Caller:
    return Caller(ours.url, page.cookie, **PACKED)


def _warm(ours: Server, bare: Server, found: list[Page], bare_path: str) -> None:
    """Both have their code, templates and connections; no kept page was shown by any process."""
    yard = Caller(bare.url)
    for _each in range(8):
        yard.get(bare_path)
        for page in found:
            if page.cookie:
                _caller(ours, page).get(page.paths[0])


def _make_ahead(ours: Server, environment: dict[str, str]) -> None:
    """What the sweeper does after a change, until nothing is lacking."""
    told = environment | {"REKINDLE_SITE_URL": ours.url}
    kept = -1
    for _round in range(100):
        databases.manage("sweep", **told)
        before, kept = kept, _kept(environment["REKINDLE_DATABASE_URL"])
        if kept == before:
            return
    raise AssertionError("the sweeper did not end making public pages")


def _kept(database: str) -> int:
    with contextlib.closing(psycopg2.connect(database)) as link, link.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM exhibit_keptpage")
        return int(cursor.fetchone()[0])


def _turn(database: str) -> None:
    """What is public changed, and every process has heard of it."""
    with contextlib.closing(psycopg2.connect(database)) as link, link, link.cursor() as cursor:
        cursor.execute("UPDATE exhibit_edition SET number = number + 1")
    time.sleep(1.1 * BELIEVED)
