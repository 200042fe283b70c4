"""A thousand volunteers and 15,000 visits an hour, by Locust; a table for each size of the museum.

    python -m tests.benchmarks.load.crowd [--photos 1000 10000 100000] [--volunteers 1000]
        [--seconds 120] [--ramp 2000 4000]

Makes a PostgreSQL database of each size, starts the site, the sweeper and stand-ins for machines
(machines.py) as docs/operate.md says, all on the loopback, and sends the crowd (people.py). Then
it reads the rows: nobody may hold what another holds. With --ramp it sends more and more people
until the site breaks: an answer is an error, or one page in twenty takes longer than two seconds.

Exit code 1 after an error, a double claim, or a public page of more than five questions.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import tests.environment  # a world of its own, before the settings are read

os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"

import django

django.setup()

import psycopg2  # noqa: E402

from tests.benchmarks.load import questions, site, world  # noqa: E402
from tests.services import addresses, databases, processes  # noqa: E402
from tests.services.need import ROOT  # noqa: E402

__all__ = ["tests"]

# 15,000 visits an hour, each of sixteen seconds.
VISITORS = 67
COLD_SECONDS = 30
MADE_SECONDS = 180
BROKEN_MS = 2000
Told = dict[str, Any]

DOUBLES = {
    "open twice": """
SELECT count(*) FROM (SELECT 1 FROM restoration_claim WHERE state = 'open'
  GROUP BY photo_id, slot HAVING count(*) > 1) each""",
    # A second: the clock is read before the row is written.
    "held by two at once": """
SELECT count(*) FROM restoration_claim a JOIN restoration_claim b
  ON a.photo_id = b.photo_id AND a.slot = b.slot AND a.id < b.id
  AND b.opened_at < coalesce(a.closed_at, 'infinity') - interval '1 second'""",
    "more hands than slots": """
SELECT count(*) FROM (SELECT 1 FROM restoration_claim c JOIN archive_photo p ON p.id = c.photo_id
  WHERE c.state = 'open' GROUP BY p.id, p.slots HAVING count(*) > p.slots) each""",
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", nargs="+", type=int, default=[1000, 10_000, 100_000])
    parser.add_argument("--volunteers", type=int, default=1000)
    parser.add_argument("--seconds", type=int, default=120)
    parser.add_argument("--ramp", nargs="*", type=int, default=[])
    asked = parser.parse_args()
    _say(f"load of the machine before: {os.getloadavg()[0]:.1f}")
    return int(sum([_size(photos, asked) for photos in asked.photos]) > 0)


def _size(photos: int, asked: argparse.Namespace) -> bool:
    """Whether anything went wrong in a museum of this size."""
    redis = addresses.redis()
    most = max([asked.volunteers, *asked.ramp])
    with databases.postgres_database() as url, tempfile.TemporaryDirectory() as folder:
        databases.migrate(url)
        museum = world.make(url, photos=photos, people=most)
        here = Path(folder)
        world.keep(museum, here / "crowd.json")
        with site.parts(url, here / "site", broker=f"{redis}/1", cache=f"{redis}/2") as told:
            with site.serving("config.wsgi:application", told, here, "/health/live") as ours:
                _say(f"\n{photos} photos")
                wrong = _sent(ours, told, here, asked)
            wrong |= _counted(url, museum)
    return wrong


def _sent(
    ours: site.Server, told: Mapping[str, str], here: Path, asked: argparse.Namespace
) -> bool:
    """The crowd comes: strangers to a site just started, then everybody, then more and more."""
    wrong = False
    cold = _locust(ours, here, volunteers=0, visitors=VISITORS, seconds=COLD_SECONDS)
    wrong |= _table("visitors, nothing kept when they came", cold["figures"])
    with _parts(ours, told, here):
        warm = _locust(ours, here, volunteers=0, visitors=VISITORS, seconds=COLD_SECONDS)
        wrong |= _table("visitors, pages made ahead", warm["figures"])
        title = f"{asked.volunteers} volunteers and {VISITORS} visitors, {asked.seconds} s"
        began = ours.cpu()
        all_ = _locust(
            ours, here, volunteers=asked.volunteers, visitors=VISITORS, seconds=asked.seconds
        )
        wrong |= _table(title, all_["figures"])
        _say(f"CPU of the site: {(ours.cpu() - began) / asked.seconds:.2f} cores")
        _say("\n".join(all_["errors"]))
        for many in asked.ramp:
            more = _locust(ours, here, volunteers=many, visitors=VISITORS, seconds=asked.seconds)
            _table(f"ramp: {many} volunteers", more["figures"])
            if _is_broken(more["figures"]):
                _say(f"it breaks between the last step and {many} volunteers")
                break
    return wrong | _doubles(told["REKINDLE_DATABASE_URL"])


@contextlib.contextmanager
def _parts(ours: site.Server, told: Mapping[str, str], here: Path) -> Iterator[None]:
    """The sweeper, which makes the public pages before anybody comes, and the machines."""
    environment = {**told, "PYTHONPATH": site.SOURCES, "REKINDLE_SITE_URL": ours.url}
    sweeper = [sys.executable, str(ROOT / "manage.py"), "sweep", "--every", "5"]
    machines = [sys.executable, "-m", "tests.benchmarks.load.machines"]
    running = []
    for name, words in (("sweeper", sweeper), ("machines", machines)):
        log = here / f"{name}.log"
        running.append(processes.Process(processes.start(words, log, environment), log))
    try:
        crowd = json.loads((here / "crowd.json").read_text(encoding="utf-8"))
        _until_made(told["REKINDLE_DATABASE_URL"], len(crowd["pictures"]))
        yield
    finally:
        for each in running:
            if not each.is_running():
                _say(f"ended by itself:\n{each.printed()[-2000:]}")
            each.kill()


def _until_made(url: str, pictures: int) -> None:
    """Wait for two pages of each picture, in both languages; on a busy machine not for all."""
    wanted, began = 4 * pictures, time.monotonic()
    query = (
        "SELECT count(*) FROM exhibit_keptpage page JOIN exhibit_edition now "
        "ON page.edition = now.number"
    )
    while (made := _one(url, query)) < wanted and time.monotonic() - began < MADE_SECONDS:
        time.sleep(1)
    _say(f"\n{made} pages were made ahead in {time.monotonic() - began:.0f} s")


def _locust(ours: site.Server, here: Path, *, volunteers: int, visitors: int, seconds: int) -> Told:
    """One crowd for so long; its figures."""
    out = here / "figures.json"
    out.unlink(missing_ok=True)
    environment = os.environ | {
        "CROWD": str(here / "crowd.json"),
        "OUT": str(out),
        "VOLUNTEERS": str(volunteers),
        "VISITORS": str(visitors),
    }
    command = [sys.executable, "-m", "locust", "--headless", "--only-summary"]
    command += ["--loglevel", "ERROR", "--locustfile", str(Path(__file__).with_name("people.py"))]
    command += ["--host", ours.url, "--users", str(volunteers + visitors), "--spawn-rate", "200"]
    command += ["--run-time", f"{seconds}s", "--stop-timeout", "5", "--exit-code-on-error", "0"]
    command += [name for name, many in (("Visitor", visitors), ("Volunteer", volunteers)) if many]
    with (here / "locust.log").open("wb") as log:
        limit = seconds + 120
        subprocess.run(command, env=environment, stdout=log, stderr=log, timeout=limit, check=False)
    if not out.exists():
        raise AssertionError((here / "locust.log").read_text(encoding="utf-8")[-3000:])
    told: Told = json.loads(out.read_text(encoding="utf-8"))
    return told


def _table(title: str, figures: Iterable[Told]) -> bool:
    """Print it; whether there was an error, or nothing at all."""
    rows = sorted(figures, key=lambda row: str(row["name"]))
    _say(f"\n{title}\n{'':20} {'requests':>9} {'p50':>7} {'p95':>7} {'p99':>7} ms {'errors':>7}")
    for row in rows:
        _say(
            f"{row['name']:20} {row['requests']:9} {row['p50']:7.0f} {row['p95']:7.0f} "
            f"{row['p99']:7.0f}    {row['errors']:7}"
        )
    return not rows or any(row["errors"] for row in rows)


def _is_broken(figures: Iterable[Told]) -> bool:
    return any(row["errors"] or row["p95"] > BROKEN_MS for row in figures)


def _doubles(url: str) -> bool:
    found = {what: _one(url, query) for what, query in DOUBLES.items()}
    claims = _one(url, "SELECT count(*) FROM restoration_claim")
    made = _one(url, "SELECT count(*) FROM restoration_claim WHERE state = 'fulfilled'")
    told = ", ".join(f"{what} {count}" for what, count in found.items())
    _say(f"\nclaims {claims}, of them submitted {made}; {told}")
    return any(found.values())


def _counted(url: str, museum: world.Museum) -> bool:
    """Questions to the database for each page, asked in this process on the same rows."""
    counts = questions.of_pages(url, museum)
    _say("\nquestions a page: " + ", ".join(f"{name} {many}" for name, many in counts.items()))
    return any(many > 5 for name, many in counts.items() if name.startswith("stranger"))


def _one(url: str, query: str) -> int:
    with contextlib.closing(psycopg2.connect(url)) as link, link.cursor() as cursor:
        cursor.execute(query)
        return int(cursor.fetchone()[0])


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
