"""The rows of the benchmark table, and how they are shown."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

COLUMNS = ("bench", "what", "measured", "unit", "must reach", "reached", "note")
WIDTHS = (10, 44, 10, 6, 10, 7, 0)
NAN = float("nan")


@dataclass(frozen=True)
class Row:
    """One measurement. `must` is the bound, None where there is none; `better` says which side of
    it is the right one. A bench that could not run gives `absent`."""

    bench: str
    what: str
    measured: float
    unit: str
    must: float | None = None
    better: Literal["high", "low"] = "high"
    note: str = ""

    @property
    def missed(self) -> bool:
        """A bound that is there and not kept; a measurement that failed (NaN) keeps none."""
        if self.must is None:
            return False
        high, low = self.measured >= self.must, self.measured <= self.must
        return not (high if self.better == "high" else low)

    def cells(self) -> tuple[str, ...]:
        bound = "-" if self.must is None else f"{'>=' if self.better == 'high' else '<='} "
        number = "" if self.must is None else _number(self.must)
        reached = "-" if self.must is None else "NO" if self.missed else "yes"
        measured = "-" if self.measured != self.measured else _number(self.measured)
        return (self.bench, self.what, measured, self.unit, bound + number, reached, self.note)


def absent(bench: str, what: str, why: str) -> Row:
    """A row that says what was not measured and why."""
    return Row(bench, what, NAN, "", note=why)


def _number(value: float) -> str:
    return f"{value:.0f}" if value == int(value) and abs(value) >= 100 else f"{value:.4g}"


def line(cells: Iterable[str]) -> str:
    """One line for a terminal."""
    return " ".join(cell.ljust(width) for cell, width in zip(cells, WIDTHS, strict=True)).rstrip()


def markdown(rows: Iterable[Row]) -> str:
    """The whole table."""
    lines = [COLUMNS, ("---",) * len(COLUMNS), *(row.cells() for row in rows)]
    return "".join(f"| {' | '.join(_safe(cell) for cell in cells)} |\n" for cells in lines)


def _safe(cell: str) -> str:
    return cell.replace("|", "/").replace("\n", " ")
