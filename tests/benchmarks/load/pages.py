"""CPU of each page as a ratio to the bare page, measured in turns so that noise hits both alike."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.load.site import Caller, milliseconds, serving
from tests.benchmarks.load.world import Museum

ROUNDS, EACH = 5, 20


@dataclass(frozen=True)
class Page:
    """A page, how it is asked for, and what it may cost beside the bare one (0: no bound)."""

    name: str
    paths: list[str]
    cookie: str = ""
    most: float = 0.0


def pages(museum: Museum) -> list[Page]:
    """Cold: made anew; repeat: asked for again by a stranger; signed in: never kept."""
    signed_in = f"sessionid={museum.sessions[0]}"
    room = f"/exhibits/{museum.exhibit}/"
    shown = [f"{room}{ref}/" for ref in museum.pictures]
    return [
        Page("home, repeat", ["/"], most=0.3),
        Page("exhibit, repeat", [room], most=0.3),
        Page("photo, repeat", [shown[0]], most=0.3),
        Page("zoom, repeat", [f"{shown[0]}zoom/"], most=0.3),
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
    bare_path = [f"/bare/{museum.pictures[0]}/"]
    with (
        serving("config.wsgi:application", environment, folder, "/health/live") as ours,
        serving(
            "tests.benchmarks.load.bare:application", environment, folder, bare_path[0]
        ) as bare,
    ):
        found = pages(museum)
        asking = {page.name: Caller(ours.url, page.cookie) for page in found}
        yard = Caller(bare.url)
        for _ in range(6):  # both processes have their templates and connections
            yard.get(bare_path[0])
            for page in found:
                asking[page.name].get(page.paths[0])
        costs: dict[str, list[tuple[float, float]]] = {page.name: [] for page in found}
        for _ in range(rounds):
            for page in found:
                paths = (page.paths * EACH)[:EACH]
                unit = milliseconds(bare, yard, bare_path * EACH)
                costs[page.name].append((milliseconds(ours, asking[page.name], paths), unit))
        return [
            (
                page,
                statistics.median(cost for cost, _unit in costs[page.name]),
                statistics.median(cost / unit for cost, unit in costs[page.name]),
            )
            for page in found
        ]
