"""`python -m tests.benchmarks.ingest [--photos 10000] [--at-once 2]`: a table of an ingest.

Generated photos, each with its own grain, are taken in by the real command in a process of its
own, over SQLite in an empty folder: photos a second and the command's memory by step. Then the
search for what looks alike is asked among more and more fingerprints: flat, or not.
"""

from __future__ import annotations

import argparse
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyvips

ROOT = Path(__file__).resolve().parents[2]
STEPS = 10
SEARCHES = 200


def generate(folder: Path, photos: int, side: int) -> None:
    """So many different JPEGs, grey ground with light and dark places and grain."""
    rng = np.random.default_rng(1)
    for number in range(photos):
        coarse = pyvips.Image.new_from_array(rng.integers(30, 220, (9, 12), np.uint8))
        ground = coarse.resize(side / 12, vscale=side * 3 / 4 / 9, kernel="cubic")
        grain = pyvips.Image.gaussnoise(ground.width, ground.height, sigma=4, seed=number)
        picture = (ground + grain).cast("uchar").copy(interpretation="b-w")
        picture.jpegsave(str(folder / f"{number:06}.jpg"), Q=85)


def environment(folder: Path) -> dict[str, str]:
    """A site of its own in the folder."""
    mine = {"REKINDLE_VAR_DIR": str(folder / "var"), "DJANGO_SETTINGS_MODULE": "config.settings"}
    path = os.pathsep.join((str(ROOT / "platform"), str(ROOT)))
    return {**os.environ, **mine, "PYTHONPATH": path}


MAKE = """
from accounts.models import User
from archive.models import Collection
from archive.rights import RIGHTS
User.objects.create(username="sten", is_steward=True)
told = {"title_en": "Games", "institution_en": "Museum", "rights_uri": RIGHTS[7][0]}
Collection.objects.create(slug="games", **told)
"""


def settled(database: Path) -> int:
    """How many files have their outcome, read beside the command."""
    with sqlite3.connect(database, timeout=60) as rows:
        asked = "SELECT count(*) FROM archive_batchfile WHERE step = 'settled'"
        count: int = rows.execute(asked).fetchone()[0]
    return count


def memory(process: int) -> float:
    """The resident memory of a process now, in MB."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024**2


def run(folder: Path, photos: int, at_once: int) -> Iterator[tuple[int, float, float]]:
    """Photos done, seconds since the beginning and peak MB since the step before, ten times."""
    words = ["ingest", str(folder / "scans"), "--collection", "games", "--wait"]
    words += ["--at-once", str(at_once), "--report", str(folder / "report.csv")]
    log = (folder / "log").open("wb")
    command = [sys.executable, "manage.py", *words]
    running = subprocess.Popen(command, cwd=ROOT, env=environment(folder), stdout=log, stderr=log)
    began, peak, step = time.monotonic(), 0.0, max(1, photos // STEPS)
    goal = step
    while running.poll() is None:
        peak = max(peak, memory(running.pid))
        done = settled(folder / "var" / "rekindle.sqlite3")
        if done >= goal:
            yield done, time.monotonic() - began, peak
            peak, goal = 0.0, goal + step
        time.sleep(0.25)
    if running.returncode:
        raise SystemExit((folder / "log").read_text())


def searches(counts: list[int]) -> Iterator[tuple[int, float, float, int]]:
    """Milliseconds of a search among so many fingerprints, those of the processor among them, and
    how many candidates it read. A machine that others use too makes only the first ones longer."""
    import django

    django.setup()
    from django.utils import timezone

    from archive.models import Collection, Fingerprint, Photo
    from archive.pairing import _alike, _near
    from archive.twins import bands_of

    box, here = Collection.objects.get(), random.Random(1)
    Fingerprint.objects.all().delete()
    for count in counts:
        before = Fingerprint.objects.count()
        rows: list[Any] = [
            Photo(collection=box, sha256=f"{at:064x}", added_at=timezone.now())
            for at in range(before, count)
        ]
        photos = Photo.objects.bulk_create(rows, 5000)
        Fingerprint.objects.bulk_create(
            (
                Fingerprint(
                    photo=photo,
                    collection=box,
                    **dict(zip("abcd", bands_of(here.getrandbits(64)), strict=True)),
                )
                for photo in photos
            ),
            5000,
        )
        wanted = [here.getrandbits(64) for _ in range(SEARCHES)]
        began, worked = time.perf_counter(), time.process_time()
        for each in wanted:
            _alike(photos[0], each)
        spent = (time.perf_counter() - began) / SEARCHES * 1000
        own = (time.process_time() - worked) / SEARCHES * 1000
        bands = zip("abcd", bands_of(wanted[0]), strict=True)
        yield count, spent, own, sum(_near(box.pk, band, value).count() for band, value in bands)


def main() -> None:
    """Measure and print both tables."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--photos", type=int, default=10_000)
    asked.add_argument("--side", type=int, default=1600, help="pixels of the long side")
    asked.add_argument("--at-once", type=int, default=2)
    asked.add_argument("--fingerprints", default="1000,10000,100000")
    told = asked.parse_args()
    with tempfile.TemporaryDirectory(prefix="rekindle-ingest-") as name:
        folder = Path(name)
        (folder / "scans").mkdir()
        (folder / "var").mkdir()
        generate(folder / "scans", told.photos, told.side)
        for words in (["migrate", "--verbosity", "0"], ["shell", "--no-imports", "-c", MAKE]):
            command = [sys.executable, "manage.py", *words]
            subprocess.run(command, cwd=ROOT, env=environment(folder), check=True)
        print("| photos | seconds | photos a second since the start | peak MB of the command |")  # noqa: T201
        print("|---|---|---|---|")  # noqa: T201
        for done, seconds, peak in run(folder, told.photos, told.at_once):
            print(f"| {done} | {seconds:.0f} | {done / seconds:.2f} | {peak:.0f} |", flush=True)  # noqa: T201
        os.environ.update(environment(folder))
        print("\n| fingerprints | ms a search | of the processor | candidates read |")  # noqa: T201
        print("|---|---|---|---|")  # noqa: T201
        counts = [int(each) for each in told.fingerprints.split(",")]
        for count, spent, own, read in searches(counts):
            print(f"| {count} | {spent:.1f} | {own:.1f} | {read} |", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
