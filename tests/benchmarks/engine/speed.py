"""Seconds a megapixel and peak memory of denoise, each size in a process of its own.

The scan lies in a file as float32 HxWx3, as a scan too large for the memory does; the network's
session is built before the clock starts, as in a worker. The processor's own seconds are in the
note: on a machine that does other things as well, the seconds of the wall tell of these.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tests.benchmarks.engine.table import Row, absent

NAME = "speed"
SIDES = {1: (1000, 1000), 4: (2000, 2000), 24: (4000, 6000), 100: (10_000, 10_000)}
QUICK = (1, 4)
SECONDS = 1.0  # a megapixel, on two cores
MEMORY = 1.5  # GiB, at 100 megapixels
FASTER = 50  # times than BM3D
ROOT = Path(__file__).resolve().parents[3]

ONE = """
import resource, sys, time
import numpy as np
from restoration.engine.image import let_go
from restoration.engine.step import StepContext
from restoration.engine.steps import denoise
settings = {"strength": 1.0, "grain": 0.0, "deblur": 0.0, "deblock": 1.0}
def clean(scan):
    return denoise.run(StepContext(image=scan, reference=scan), settings)
rng = np.random.default_rng(0)
def noise(high, wide):
    return np.clip(rng.normal(0.5, 0.05, (high, wide, 1)), 0, 1).repeat(3, 2).astype(np.float32)
clean(noise(64, 64))
high, wide = int(sys.argv[2]), int(sys.argv[3])
scan = np.memmap(sys.argv[1] + "/scan", np.float32, "w+", shape=(high, wide, 3))
for top in range(0, high, 500):
    scan[top : top + 500] = noise(min(500, high - top), wide)
    let_go(scan)
wall, own = time.perf_counter(), time.process_time()
done = clean(scan)
wall, own = time.perf_counter() - wall, time.process_time() - own
assert done.record, "nothing was cleaned"
print(wall, own, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20)
"""


def rows(photos: Path, *, quick: bool) -> Iterator[Row]:
    fastest = float("inf")
    for megapixels, (high, wide) in SIDES.items():
        if quick and megapixels not in QUICK:
            yield absent(NAME, f"denoise {megapixels} MP", "left out by --quick")
            continue
        wall, own, peak = _one(high, wide)
        load = f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
        note = f"{own / megapixels:.2f} s/MP of processor time; {load}"
        fastest = min(fastest, wall / megapixels)
        what = f"denoise {megapixels} MP"
        yield Row(NAME, what, wall / megapixels, "s/MP", SECONDS, "low", note)
        yield Row(NAME, f"{what}, peak", peak, "GiB", MEMORY, "low")
    yield _against_bm3d(fastest)


def _one(high: int, wide: int) -> tuple[float, float, float]:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", ONE, folder, str(high), str(wide)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    wall, own, peak = map(float, done.stdout.split())
    return wall, own, peak


def _against_bm3d(fastest: float) -> Row:
    try:
        import bm3d
    except ImportError:
        return absent(NAME, "times faster than BM3D", "bm3d is not installed (non-commercial)")
    noisy = np.random.default_rng(0).normal(0.5, 0.1, (512, 512))
    began = time.perf_counter()
    bm3d.bm3d(noisy, 0.1)
    seconds = (time.perf_counter() - began) / (noisy.size / 1e6)
    note = f"BM3D {seconds:.1f} s/MP"
    return Row(NAME, "times faster than BM3D", seconds / fastest, "x", FASTER, "high", note)
