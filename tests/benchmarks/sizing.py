"""From volunteers and photos to machines: the tables of docs/operate.md, Sizing, worked out.

    python -m tests.benchmarks.sizing [--photos N --megapixels N --volunteers N --at-once N
                                       --visitors N --tries N]

Without words it prints what the page has; a test compares the two. With words: for your archive.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields

from archive.trust import LIMITS, Trust

HOUR = 3600


@dataclass(frozen=True)
class Figure:
    """One input: what it is, how much, and where it comes from."""

    name: str
    value: float
    unit: str
    source: str


FOOTPRINT = "`tests.benchmarks.footprint`"
LOAD = "docs/figures.md, Load"
MEASURED = {
    "run": Figure("a run, processor time", 4.6, "s a megapixel", FOOTPRINT),
    "first": Figure("reading, looking at it, tiles", 1.7, "s a megapixel", FOOTPRINT),
    "kept": Figure("a working file: TIFF, sizes, tiles", 4.2, "MB a megapixel", FOOTPRINT),
    "tiff": Figure("of it the TIFF, read again for fixity", 3.1, "MB a megapixel", FOOTPRINT),
    "scan": Figure("a scan as it came, LZW in 8 bits", 1.5, "MB a megapixel", FOOTPRINT),
    "shown": Figure("a picture of the exhibit, 1,600 pixels", 330, "kB", FOOTPRINT),
    "row": Figure("rows of a photo", 5.4, "kB", f"{FOOTPRINT} `--rows`"),
    "poll": Figure("a look at a run, every 2 s", 4.7, "ms", LOAD),
    "beat": Figure("a heartbeat, every minute", 4.4, "ms", LOAD),
    "page": Figure("a page, signed in", 17, "ms", f"the wall, {LOAD}"),
    "glance": Figure("a page for a stranger, made ahead", 0.75, "ms", LOAD),
}
ASSUMED = {
    "tries": Figure("runs a photo, each kept as a version", 3, "", "our guess"),
    "pace": Figure("a photo at the bench takes", 10, "minutes", "the goal"),
    "looks": Figure("looks at a run", 15, "", "half a minute"),
    "visits": Figure("pages and saves for a photo", 15, "", "our guess"),
    "pages": Figure("pages of a visitor, a picture each", 5, "", "our guess"),
    "run_row": Figure("rows of a run", 10, "kB", "reckoned"),
    "busy": Figure("how busy a core may be", 0.7, "", "usual"),
    "day": Figure("hours of a launch day", 8, "h", "usual"),
}
GIVEN = {name: each.value for name, each in (MEASURED | ASSUMED).items()}
ALLOWANCE = LIMITS[Trust.NEW].cpu_seconds


@dataclass(frozen=True)
class Archive:
    """What is planned for."""

    name: str
    photos: int
    megapixels: float
    volunteers: int
    at_once: int
    visitors: int
    tries: float = GIVEN["tries"]


EXAMPLES = (
    Archive("village", 1_000, 6, 20, 5, 100),
    Archive("city museum", 10_000, 12, 200, 40, 1_000),
    Archive("national campaign", 100_000, 12, 1_000, 1_000, 15_000),
)


def stored_gb(of: Archive) -> float:
    each = GIVEN["scan"] + (1 + of.tries) * GIVEN["kept"]
    return of.photos * of.megapixels * each / 1000


def rows_gb(of: Archive) -> float:
    return of.photos * (GIVEN["row"] + of.tries * GIVEN["run_row"]) / 1e6


def first_hours(of: Archive) -> float:
    return of.photos * of.megapixels * GIVEN["first"] / HOUR


def worker_cores(of: Archive) -> float:
    """So that nobody waits longer than a run takes."""
    photos_an_hour = of.at_once * 60 / GIVEN["pace"]
    return photos_an_hour * of.tries * of.megapixels * GIVEN["run"] / HOUR / GIVEN["busy"]


def allowed_workers(of: Archive) -> float:
    """What all of them may use in a day if they are new, spread over the day."""
    return of.volunteers * ALLOWANCE / (GIVEN["day"] * HOUR) / GIVEN["busy"]


def workers(of: Archive) -> int:
    """Of two cores each, and one at least."""
    return max(1, math.ceil(min(worker_cores(of) / 2, allowed_workers(of))))


def bench_ms(of: Archive) -> float:
    """What the site computes while somebody restores one photo."""
    looks = of.tries * GIVEN["looks"] * GIVEN["poll"]
    return looks + GIVEN["pace"] * GIVEN["beat"] + GIVEN["visits"] * GIVEN["page"]


def site_cores(of: Archive) -> float:
    volunteers = of.at_once * 60 / GIVEN["pace"] * bench_ms(of)
    visitors = of.visitors * GIVEN["pages"] * GIVEN["glance"]
    return (volunteers + visitors) / 1000 / HOUR / GIVEN["busy"]


def site_processes(of: Archive) -> int:
    """One a core, and two at least: one may be busy or down."""
    return max(2, math.ceil(site_cores(of)))


def line_mbit(of: Archive) -> float:
    return of.visitors * GIVEN["pages"] * GIVEN["shown"] * 8 / 1000 / HOUR


def fixity_mb_an_hour(of: Archive) -> float:
    each = GIVEN["scan"] + (1 + of.tries) * GIVEN["tiff"]
    return of.photos * of.megapixels * each / (30 * 24)


@dataclass(frozen=True)
class Answer:
    """One line of the table."""

    name: str
    formula: str
    of: Callable[[Archive], float]
    unit: str


ANSWERS = (
    Answer(
        "bytes",
        "photos x MP x ({scan:g} + (1 + tries) x {kept:g} MB)",
        stored_gb,
        "GB",
    ),
    Answer("database", "photos x ({row:g} + tries x {run_row:g} kB)", rows_gb, "GB"),
    Answer("first reading of all", "photos x MP x {first:g} s", first_hours, "core hours"),
    Answer(
        "workers' cores, nobody waits",
        "at once x 60 / {pace:g} x tries x MP x {run:g} s / 3,600 s / {busy:g}",
        worker_cores,
        "cores",
    ),
    Answer(
        "workers that new accounts' allowance keeps busy",
        f"volunteers x {ALLOWANCE:,} s / {{day:g}} h / {{busy:g}}",
        allowed_workers,
        "",
    ),
    Answer("workers of two cores", "the lesser of both, one at least", workers, ""),
    Answer(
        "site, for one photo at the bench",
        "tries x {looks:g} x {poll:g} + {pace:g} x {beat:g} + {visits:g} x {page:g} ms",
        bench_ms,
        "ms",
    ),
    Answer(
        "site's cores",
        "(at once x 60 / {pace:g} x the line above + visitors x {pages:g} x {glance:g} ms)"
        " / 3,600 s / {busy:g}",
        site_cores,
        "cores",
    ),
    Answer("site's processes of 8 threads", "one a core, two at least", site_processes, ""),
    Answer(
        "line to visitors", "visitors x {pages:g} x {shown:g} kB x 8 / 3,600 s", line_mbit, "Mbit/s"
    ),
    Answer(
        "`REKINDLE_FIXITY_MB_PER_HOUR`",
        "photos x MP x ({scan:g} + (1 + tries) x {tiff:g} MB) / 720 h",
        fixity_mb_an_hour,
        "MB",
    ),
)


def said(value: float) -> str:
    """Two digits that count; whole numbers from ten on."""
    if value >= 10:
        digits = max(0, len(str(int(value))) - 2)
        return f"{round(value, -digits):,.0f}"
    return f"{value:.2g}"


def inputs() -> list[str]:
    """The table of what goes in."""
    rows = [
        f"| {each.name} | {each.value:g} {each.unit}".rstrip() + f" | {each.source} |"
        for each in (MEASURED | ASSUMED).values()
    ]
    return ["| What goes in | How much | From |", "|---|---|---|", *rows]


def answers(archives: Iterable[Archive]) -> list[str]:
    """The table of what comes out."""
    planned = list(archives)
    names = " | ".join(each.name for each in planned)
    asked = [
        (label, " | ".join(f"{getattr(each, field):,g}" for each in planned))
        for label, field in (
            ("photos", "photos"),
            ("megapixels of a scan (MP)", "megapixels"),
            ("volunteers", "volunteers"),
            ("of them at once", "at_once"),
            ("visitors an hour", "visitors"),
        )
    ]
    head = [f"| | Formula | {names} |", "|---|---|" + "---|" * len(planned)]
    given = [f"| {label} | | {values} |" for label, values in asked]
    worked = [
        f"| {each.name} | {each.formula.format(**GIVEN)} | "
        + " | ".join(f"{said(each.of(one))} {each.unit}".rstrip() for one in planned)
        + " |"
        for each in ANSWERS
    ]
    return [*head, *given, *worked]


def main() -> None:
    """Print the page's tables, or one for the archive that the command line tells of."""
    asked = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    usual = EXAMPLES[1]
    for field in fields(Archive):
        if field.name != "name":
            words = "--" + field.name.replace("_", "-")
            asked.add_argument(words, type=float, default=None)
    told = {name: value for name, value in vars(asked.parse_args()).items() if value is not None}
    mine = [Archive(**(vars(usual) | told | {"name": "yours"}))] if told else EXAMPLES
    print("\n".join([*inputs(), "", *answers(mine)]))  # noqa: T201


if __name__ == "__main__":
    main()
