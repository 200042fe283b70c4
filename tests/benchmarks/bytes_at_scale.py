"""From an upload of 80 megapixels to its sizes and tiles, against libvips alone doing the same.

    .venv/bin/python -m tests.benchmarks.bytes_at_scale [--rounds 3] [--photo FILE]

Each round runs, one after the other and each in processes of its own, with everything on one disk:

* **Rekindle**: `receive_scan` (streamed and hashed), `read_photo` (decoded in its locked cell into
  the working file, kept, hashed, four sizes and the full one), `render` (tiles, one archive), with
  the rows in SQLite. What a user waits for, without the queue.
* **libvips**: a script that knows nothing of us does the same work on the same bytes: hash, decode
  into an sRGB TIFF, hash it, the same sizes, `dzsave` into a stored zip, and what it leaves out.

Both keep what must not be lost with fsync. The table has the medians of the rounds: seconds on the
wall, seconds of processor time (children included), and the largest memory of all processes
together (sampled PSS, 20 times a second), and the ratio of each. On a machine that others use
trust the processor time and the memory: the wall measures the others.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import psutil

from tests.services.need import ROOT

MOST = 1.15
EVERY = 0.05
MIB = 1024**2

MAKE = """
import sys, pyvips
width, height, into = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
# A photograph's worth of detail: grain over soft shapes, so that compression has real work.
noise = pyvips.Image.gaussnoise(width // 2, height // 2, sigma=12, mean=0, seed=1)
shapes = pyvips.Image.perlin(width // 2, height // 2, cell_size=256, seed=2) * 90 + 120
grey = (shapes + noise).resize(2)
image = grey.bandjoin([grey * 0.97, grey * 0.9]).cast("uchar").copy(interpretation="srgb")
image.tiffsave(into, compression="lzw", predictor="horizontal", xres=600 / 25.4, yres=600 / 25.4)
"""

OURS = """
import json, os, resource, sys, time
def spent():
    both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in both)
sys.path[:0] = [os.path.join(os.getcwd(), "platform"), os.getcwd()]
import django
django.setup()
from django.utils import timezone
from accounts.models import User
from archive import ingest, rendering, tasks
from archive.actions import receive_scan
from archive.models import Collection
from archive.rights import RIGHTS
tasks._send = tasks._send_for_rendition = lambda *_words: None  # no queue: done here, in turn
steward = User.objects.create(username="sten", is_steward=True)
box = Collection.objects.create(slug="box", title_en="Box", rights_uri=RIGHTS[0][0])
print("ready", flush=True)
sys.stdin.readline()
def chunks():
    with open(sys.argv[1], "rb") as stream:
        while block := stream.read(64 * 1024):
            yield block
before, marks = spent(), [time.monotonic()]
now = timezone.now()
photo, _new = receive_scan(
    collection=box, chunks=chunks(), filename="a.tif", by=steward, now=now
)
marks.append(time.monotonic())
photo.refresh_from_db()
while photo.state == "reading":  # as the sweep would call again, on a machine that is too busy
    ingest.read_photo(photo_id=photo.pk)
    photo.refresh_from_db()
marks.append(time.monotonic())
assert photo.state == "ready", (photo.quarantine_code, photo.quarantine_facts)
rendering.render(sha256=photo.working_sha256)
marks.append(time.monotonic())
from archive.models import Rendition
assert Rendition.objects.get().tiles, "no tiles"
steps = [b - a for a, b in zip(marks, marks[1:])]
print(json.dumps({"steps": steps, "processor": spent() - before}), flush=True)
"""

PLAIN = """
import hashlib, json, os, resource, shutil, sys, time, zipfile
import pyvips
def spent():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
def keep(path):
    with open(path, "rb+") as stream:
        os.fsync(stream.fileno())
print("ready", flush=True)
sys.stdin.readline()
source, folder = sys.argv[1:3]
def digest(path):
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
before, marks = spent(), [time.monotonic()]
kept = os.path.join(folder, "original")
shutil.copyfile(source, kept)
keep(kept)
digest(kept)
marks.append(time.monotonic())
image = pyvips.Image.new_from_file(kept, access="sequential").autorot().colourspace("srgb")
working = os.path.join(folder, "working.tif")
image.tiffsave(working, compression="deflate", predictor="horizontal", keep="none")
keep(working)
digest(working)
full = pyvips.Image.new_from_file(working, access="sequential")
full = full.thumbnail_image(8192, height=8192, size="down").copy_memory()
full.jpegsave(os.path.join(folder, "full.jpg"), Q=90, optimize_coding=True, keep="none")
larger = full
for side in (2560, 1600, 800, 400):
    larger = larger.thumbnail_image(side, height=side, size="down").copy_memory()
    larger.jpegsave(os.path.join(folder, f"{side}.jpg"), Q=85, optimize_coding=True, keep="none")
marks.append(time.monotonic())
cut = os.path.join(folder, "cut.zip")
image = pyvips.Image.new_from_file(working, access="sequential")
image.dzsave(cut, imagename="cut", layout="iiif3", suffix=".jpg[Q=85,optimize_coding=true]",
             tile_size=512, container="zip", compression=0, keep="none")
with zipfile.ZipFile(cut, "a") as archive:
    archive.write(os.path.join(folder, "full.jpg"), "cut/full/max/0/default.jpg")
    for factor in (4, 8, 16):
        width, height = -(-image.width // factor), -(-image.height // factor)
        small = pyvips.Image.thumbnail(
            os.path.join(folder, "full.jpg"), width, height=height, size="force"
        )
        if f"cut/full/{width},{height}/0/default.jpg" in archive.namelist():
            continue
        jpeg = small.jpegsave_buffer(Q=85, optimize_coding=True, keep="none")
        archive.writestr(f"cut/full/{width},{height}/0/default.jpg", jpeg)
marks.append(time.monotonic())
steps = [b - a for a, b in zip(marks, marks[1:])]
print(json.dumps({"steps": steps, "processor": spent() - before}), flush=True)
"""


class Run(NamedTuple):
    """Seconds of receiving, reading and tiling, of the processor, and the largest memory in MiB."""

    steps: list[float]
    processor: float
    memory: float

    @property
    def seconds(self) -> float:
        """All of it."""
        return sum(self.steps)


def measured(words: list[str], environment: dict[str, str]) -> Run:
    """Let a script get ready, then time it and watch the memory of it and of its children."""
    program = subprocess.Popen(
        words,
        cwd=ROOT,
        env=os.environ | environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert program.stdin is not None
    assert program.stdout is not None
    if program.stdout.readline().strip() != "ready":
        raise SystemExit(f"{words} did not start")
    program.stdin.write("go\n")
    program.stdin.flush()
    most = 0.0
    while program.poll() is None:
        most = max(most, memory_of(program.pid))
        time.sleep(EVERY)
    if program.returncode:
        raise SystemExit(f"{words[:3]} failed")
    return Run(**json.loads(program.stdout.read().splitlines()[-1]), memory=most)


def memory_of(pid: int) -> float:
    """Proportional memory of a process and all below it, in MiB; what is shared counts once."""
    total = 0
    try:
        first = psutil.Process(pid)
        family = [first, *first.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0.0
    for each in family:
        try:
            total += each.memory_full_info().pss
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return total / MIB


def ours(scan: Path, folder: Path) -> Run:
    """The product, over a new SQLite file and a new folder of bytes."""
    var = folder / "var"
    var.mkdir()
    environment = {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "REKINDLE_VAR_DIR": str(var),
        "TMPDIR": str(folder),
    }
    migrate = [sys.executable, "manage.py", "migrate", "--no-input", "--verbosity", "0"]
    subprocess.run(migrate, cwd=ROOT, env=os.environ | environment, check=True)
    return measured([sys.executable, "-c", OURS, str(scan)], environment)


def plain(scan: Path, folder: Path) -> Run:
    """libvips alone."""
    return measured([sys.executable, "-c", PLAIN, str(scan), str(folder)], {"TMPDIR": str(folder)})


def rounds(scan: Path, number: int) -> dict[str, list[Run]]:
    """Both in turn, so many times, each in a folder that is gone afterwards."""
    found: dict[str, list[Run]] = {"Rekindle": [], "libvips": []}
    for _round in range(number):
        for name, run in (("libvips", plain), ("Rekindle", ours)):
            with tempfile.TemporaryDirectory(dir=scan.parent) as folder:
                found[name].append(run(scan, Path(folder)))
                sys.stderr.write(f"{name}: {found[name][-1].seconds:.1f} s\n")
    return found


def table(found: dict[str, list[Run]]) -> tuple[str, bool]:
    """The medians side by side, and whether both ratios keep the bound."""
    heads = ("", "receive s", "read s", "tiles s", "all s", "processor s", "peak MiB")
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    medians: dict[str, list[float]] = {}
    for name, runs in found.items():
        steps = [statistics.median(run.steps[step] for run in runs) for step in range(3)]
        whole = statistics.median(run.seconds for run in runs)
        processor = statistics.median(run.processor for run in runs)
        memory = statistics.median(run.memory for run in runs)
        medians[name] = [*steps, whole, processor, memory]
        lines.append(f"| {name} | " + " | ".join(f"{each:.2f}" for each in medians[name]) + " |")
    ratios = [a / b for a, b in zip(medians["Rekindle"], medians["libvips"], strict=True)]
    lines.append("| ratio | " + " | ".join(f"{each:.2f}" for each in ratios) + " |")
    return "\n".join(lines), max(ratios[3:]) <= MOST


def main() -> None:
    """Make the scan unless one is given, run the rounds, print the table."""
    asked = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    asked.add_argument("--rounds", type=int, default=3)
    asked.add_argument("--photo", type=Path, help="a scan of yours instead of a made one")
    asked.add_argument("--width", type=int, default=10_000)
    asked.add_argument("--height", type=int, default=8_000)
    words = asked.parse_args()
    with tempfile.TemporaryDirectory(prefix="bytes-at-scale-") as folder:
        scan = Path(folder) / "scan.tif"
        if words.photo:
            scan.write_bytes(words.photo.read_bytes())
        else:
            size = [str(words.width), str(words.height), str(scan)]
            subprocess.run([sys.executable, "-c", MAKE, *size], check=True)
        sys.stdout.write(f"{scan.stat().st_size / MIB:.0f} MiB, {words.rounds} rounds\n\n")
        text, kept = table(rounds(scan, words.rounds))
    sys.stdout.write(f"{text}\n\nAt most {MOST} of libvips alone in all three: {kept}\n")
    raise SystemExit(not kept)


if __name__ == "__main__":
    main()
