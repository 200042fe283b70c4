"""What one photo costs in bytes, rows, processor seconds and memory: for docs/operate.md, Sizing.

    python -m tests.benchmarks.footprint [--photos 5] [--megapixels 2] [--rows]

Made scans with grain (a grain that compresses badly, so that the bytes are an upper figure) are
received, read, looked at and restored once by the recipe that the look suggests, with tiles, each
by the functions that a worker calls, on a scratch site. Bytes are counted by folder and given for
a megapixel. With --rows a PostgreSQL database with 1,000 photos as the load tests make it is
measured too (REKINDLE_TEST_POSTGRES_URL).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg2

from tests.benchmarks.bytes_at_scale import MAKE
from tests.services import databases
from tests.services.need import ROOT

ONE = """
import json, os, resource, sys
import django
django.setup()
from django.core.management import call_command
from django.utils import timezone
from accounts.models import User
from archive import ingest, rendering, tasks, tiles
from archive.actions import receive_scan
from archive.models import Collection
from archive.rights import RIGHTS
from restoration import runner
from restoration import tasks as bells
from restoration.actions.versions import scan_version
from restoration.engine.plan import Plan, StepPlan
from restoration.lifecycle import JobKind, JobState
from restoration.models import Assessment, Job
def spent():
    both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in both)
tasks._send = tasks._send_for_rendition = bells._send = lambda *_words: None  # done here, in turn
call_command("migrate", verbosity=0)
steward = User.objects.create(username="sten", is_steward=True)
box = Collection.objects.create(slug="box", title_en="Box", rights_uri=RIGHTS[0][0])
seconds = {"read": 0.0, "look": 0.0, "run": 0.0, "tiles": 0.0}
def timed(name, work, *args, **words):
    before = spent()
    made = work(*args, **words)
    seconds[name] += spent() - before
    return made
def job(photo, kind, **words):
    row = Job.objects.create(photo=photo, kind=kind, requested_at=timezone.now(), **words)
    timed("look" if kind == JobKind.ASSESS else "run", runner.run, job_id=row.pk, worker="w")
    row.refresh_from_db()
    assert row.state == JobState.SUCCEEDED, (row.error_code, row.error_facts)
    return row
for name in sys.argv[1:]:
    with open(name, "rb") as stream:
        photo, _new = receive_scan(
            collection=box, chunks=iter(lambda: stream.read(65536), b""), filename="a.tif",
            by=steward, now=timezone.now(),
        )
    photo.refresh_from_db()
    while photo.state == "reading":
        timed("read", ingest.read_photo, photo_id=photo.pk)
        photo.refresh_from_db()
    timed("tiles", rendering.render, sha256=photo.working_sha256)
    job(photo, JobKind.ASSESS)
    rows = Assessment.objects.get(photo=photo).suggestions
    plan = Plan(tuple(StepPlan(row["step"], settings=row["settings"]) for row in rows))
    source = scan_version(photo=photo, now=timezone.now())
    made = job(photo, JobKind.RESTORE, source=source, plan=plan.to_json(), requested_by=steward)
    timed("tiles", rendering.render, sha256=made.version.sha256)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"seconds": seconds, "peak": peak, "steps": [row["step"] for row in rows]}))
"""


# The size in which a picture of the exhibit is looked at.
SHOWN = "1600.jpg"
WEIGH = """
SELECT sum(greatest(reltuples, 0)), pg_database_size(current_database()) FROM pg_class
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
"""


def scans(folder: Path, photos: int, megapixels: float) -> list[str]:
    """So many scans in 4:3, each with its own grain."""
    wide = round((megapixels * 1e6 * 4 / 3) ** 0.5 / 2) * 2
    high = round(wide * 3 / 8) * 2
    made = []
    for number in range(1, photos + 1):
        into = str(folder / f"{number}.tif")
        code = MAKE.replace("seed=1)", f"seed={number})").replace("seed=2)", f"seed={number + 50})")
        subprocess.run([sys.executable, "-c", code, str(wide), str(high), into], check=True)
        made.append(into)
    return made


def weights(bytes_dir: Path) -> dict[str, int]:
    """Bytes of all files by the folder at the top, tiles apart from the sizes."""
    found: dict[str, int] = {}
    for path in bytes_dir.rglob("*"):
        if path.is_file():
            kind = path.relative_to(bytes_dir).parts[0]
            kind = "tiles" if path.name.startswith("tiles-") else kind
            found[kind] = found.get(kind, 0) + path.stat().st_size
            if path.name == SHOWN:
                found[SHOWN] = found.get(SHOWN, 0) + path.stat().st_size
    return found


def measure(photos: int, megapixels: float) -> None:
    """Print what was seen, for a photo and for a megapixel of it."""
    with tempfile.TemporaryDirectory(prefix="rekindle-footprint-") as name:
        folder = Path(name)
        mine = {
            "REKINDLE_VAR_DIR": str(folder / "var"),
            "DJANGO_SETTINGS_MODULE": "config.settings",
        }
        roots = os.pathsep.join((str(ROOT / "platform"), str(ROOT)))
        done = subprocess.run(
            [sys.executable, "-c", ONE, *scans(folder, photos, megapixels)],
            cwd=ROOT,
            env=os.environ | mine | {"PYTHONPATH": roots, "REKINDLE_LOG_LEVEL": "WARNING"},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(done.stderr)
        told = json.loads(done.stdout.splitlines()[-1])
        size = photos * megapixels
        print(f"{photos} made scans of {megapixels} megapixels; steps: {', '.join(told['steps'])}")  # noqa: T201
        found = weights(folder / "var" / "bytes")
        shown = found.pop(SHOWN, 0) / (2 * photos)
        print(f"{SHOWN:12} {shown / 1000:7.0f} kB, of the scan or of the version")  # noqa: T201
        for kind, count in sorted(found.items()):
            print(f"{kind:12} {count / size / 1e6:7.3f} MB a megapixel")  # noqa: T201
        for kind, spent in told["seconds"].items():
            print(f"{kind:12} {spent / size:7.2f} s of the processor a megapixel")  # noqa: T201
        print(f"{'peak':12} {told['peak']:7.0f} MiB")  # noqa: T201


def rows(photos: int) -> None:
    """Print what PostgreSQL keeps for a photo, in rows and bytes, beside an empty database."""
    import django

    django.setup()
    from tests.benchmarks.load import world

    with databases.postgres_database() as url:
        databases.migrate(url)
        before = weigh(url)
        world.make(url, photos=photos, people=100)
        grown = [(now - then) / photos for now, then in zip(weigh(url), before, strict=True)]
    print(f"{grown[0]:.1f} rows and {grown[1] / 1000:.1f} kB a photo ({photos:,} photos)")  # noqa: T201


def weigh(url: str) -> tuple[int, int]:
    """The rows and the bytes of a database."""
    link = psycopg2.connect(url)
    link.autocommit = True
    with link.cursor() as cursor:
        cursor.execute("ANALYZE")
        cursor.execute(WEIGH)
        count, size = cursor.fetchone()
    link.close()
    return int(count), int(size)


def main() -> None:
    """Measure as the command line says."""
    asked = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    asked.add_argument("--photos", type=int, default=5)
    asked.add_argument("--megapixels", type=float, default=2.0)
    asked.add_argument("--rows", action="store_true", help="only the rows of 1,000 photos")
    told = asked.parse_args()
    if told.rows:
        rows(1000)
    else:
        measure(told.photos, told.megapixels)


if __name__ == "__main__":
    main()
