"""What pages cost: one command, one table for each size of the museum.

    python -m tests.benchmarks.load [--photos 1000 10000 100000] [--rounds 5]

Makes a PostgreSQL database for each size, starts the site as docs/operate.md says and the bare
page beside it, and asks both in turns. Exit code 1 when a page cost more than it may.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

import tests.environment  # a world of its own, before the settings are read

os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"

import django

django.setup()

from tests.benchmarks.load import pages, site, world  # noqa: E402
from tests.services import addresses, databases  # noqa: E402

__all__ = ["tests"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", nargs="+", type=int, default=[1000, 10_000, 100_000])
    parser.add_argument("--rounds", type=int, default=pages.ROUNDS)
    asked = parser.parse_args()
    return int(bool(sum(_size(photos, asked.rounds) for photos in asked.photos)))


def _size(photos: int, rounds: int) -> int:
    """How many pages of a museum of this size cost more than they may."""
    redis = addresses.redis()
    with databases.postgres_database() as url, tempfile.TemporaryDirectory() as folder:
        databases.migrate(url)
        museum = world.make(url, photos=photos, people=100)
        here = Path(folder)
        with site.parts(url, here / "site", broker=f"{redis}/1", cache=f"{redis}/2") as told:
            _say(f"\n{photos} photos: CPU of the site for a page, and beside a bare page\n")
            return sum(_told(*row) for row in pages.measured(museum, told, here, rounds=rounds))


def _told(page: pages.Page, cost: float, ratio: float) -> bool:
    missed = bool(page.most) and ratio > page.most
    bound = f"at most {page.most} {'MISSED' if missed else 'ok'}" if page.most else ""
    _say(f"{page.name:30} {cost:8.2f} ms {ratio:7.2f}  {bound}".rstrip())
    return missed


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
