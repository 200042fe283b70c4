"""Measures the engine: one command, one table.

    python -m tests.benchmarks.engine [PHOTOS] [--only NAME ...] [--quick] [--out FILE.md]

PHOTOS is a folder of photographs (default: REKINDLE_PHOTOS, or shared/photos beside the
repository). Exit code 1 when a bound was missed.
"""

import argparse
import importlib
import os
import pkgutil
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks import engine
from tests.benchmarks.engine.table import COLUMNS, NAN, Row, line, markdown

BESIDE = Path(__file__).resolve().parents[3].parent / "shared" / "photos"
NO_BENCHES = {"__main__", "table", "reference"}


def benches(only: list[str]) -> list[str]:
    """The modules here that measure something, by name; SystemExit for one that is not there."""
    known = sorted({found.name for found in pkgutil.iter_modules(engine.__path__)} - NO_BENCHES)
    if unknown := set(only) - set(known):
        raise SystemExit(f"no such bench: {', '.join(sorted(unknown))}; there are {known}")
    return [name for name in known if not only or name in only]


def measured(name: str, photos: Path, *, quick: bool) -> Iterator[Row]:
    """The bench's rows; a bench that breaks is a missed row, and the others still run."""
    try:
        module = importlib.import_module(f"{engine.__name__}.{name}")
        yield from module.rows(photos, quick=quick)
    except Exception as error:  # noqa: BLE001
        traceback.print_exc()
        said = f"{type(error).__name__}: {str(error)[:80]}"
        yield Row(name, "the bench itself", NAN, "", must=0, note=said)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", nargs="?", type=Path, default=_default())
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME")
    parser.add_argument("--quick", action="store_true", help="fewer pictures, small sizes")
    parser.add_argument("--out", type=Path, metavar="FILE.md")
    asked = parser.parse_args()
    rows = []
    _say(line(COLUMNS))
    for name in benches(asked.only):
        for row in measured(name, asked.photos, quick=asked.quick):
            rows.append(row)
            _say(line(row.cells()))
            if asked.out is not None:
                asked.out.write_text(markdown(rows), encoding="utf-8")
    return int(any(row.missed for row in rows))


def _default() -> Path:
    return Path(os.environ.get("REKINDLE_PHOTOS") or BESIDE)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
