"""What the rounds on each broker came to: a table, what is wrong, and the same as JSON."""

from __future__ import annotations

import json
import statistics
from dataclasses import asdict, dataclass
from pathlib import Path

HEAD = ("rounds", "struck", "lost tries", "median s", "max s")


@dataclass(frozen=True)
class Told:
    """One round, without what only its judge needs."""

    number: int
    fault: str
    struck: bool
    seconds: float | None
    lost_tries: int
    why: str


@dataclass(frozen=True)
class Part:
    """The rounds on one broker, and the oracle's verdict over them."""

    broker: str
    seed: int
    took: float
    load: list[float]  # of the machine, before and after
    rounds: list[Told]
    jobs: int
    lost: list[str]
    doubled: list[str]
    changed: list[str]
    illegal: list[str]
    attempts: dict[str, int]
    originals: int
    files: int
    compared: int

    def unstruck(self) -> list[str]:
        """The rounds whose fault did not do what it is there for."""
        return [f"round {each.number}: {each.fault}" for each in self.rounds if not each.struck]

    def unsettled(self) -> list[str]:
        """The rounds after which something never came to its end."""
        late = [each for each in self.rounds if each.seconds is None]
        return [f"round {each.number} ({each.fault}): {each.why}" for each in late]

    def is_good(self) -> bool:
        """Whether every fault struck, every job came to its end, and nothing at all is wrong."""
        wrong = (self.lost, self.doubled, self.changed, self.illegal)
        return bool(self.rounds) and not any((*wrong, self.unstruck(), self.unsettled()))


def to_json(parts: list[Part]) -> str:
    """All of it."""
    return json.dumps([asdict(part) for part in parts], indent=1)


def from_json(file: Path) -> list[Part]:
    """What `to_json` wrote."""
    found = json.loads(file.read_text())
    return [Part(**each | {"rounds": [Told(**one) for one in each["rounds"]]}) for each in found]


def text(parts: list[Part]) -> str:
    """The table as Markdown, a line of totals for each broker, and what is wrong."""
    names = sorted({each.fault for part in parts for each in part.rounds})
    lines = ["", f"| fault |{''.join(f' {part.broker}: {h} |' for part in parts for h in HEAD)}"]
    lines.append("|---" * (1 + len(HEAD) * len(parts)) + "|")
    for name in names:
        cells = [cell for part in parts for cell in _row(part, name)]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", *(line for part in parts for line in _totals(part))])


def _row(part: Part, fault: str) -> list[str]:
    rounds = [each for each in part.rounds if each.fault == fault]
    times = [each.seconds for each in rounds if each.seconds is not None]
    struck = sum(each.struck for each in rounds)
    lost = sum(each.lost_tries for each in rounds)
    return [str(len(rounds)), str(struck), str(lost), *_middle_and_most(times)]


def _middle_and_most(times: list[float]) -> list[str]:
    return [f"{statistics.median(times):.1f}", f"{max(times):.1f}"] if times else ["-", "-"]


def _totals(part: Part) -> list[str]:
    times = [each.seconds for each in part.rounds if each.seconds is not None]
    middle, most = _middle_and_most(times)
    struck = sum(each.struck for each in part.rounds)
    load = " to ".join(f"{each:.0f}" for each in part.load)
    tries = ", ".join(f"{name or 'open'} {n}" for name, n in sorted(part.attempts.items()))
    wrong = {"not struck": part.unstruck(), "unsettled": part.unsettled()} | {
        name: getattr(part, name) for name in ("lost", "doubled", "changed", "illegal")
    }
    return [
        f"PostgreSQL + {part.broker}, seed {part.seed}: {len(part.rounds)} rounds in "
        f"{part.took / 60:.1f} min, machine's load {load}; struck {struck}; to recovery "
        f"{middle} s in the median, {most} s at most; {part.jobs} jobs, tries: {tries};",
        f"jobs lost {len(part.lost)}, versions doubled {len(part.doubled)}, originals or other "
        f"bytes changed {len(part.changed)} (of {part.files} files, {part.originals} originals), "
        f"rows in an illegal state {len(part.illegal)}, rounds unsettled {len(part.unsettled())}, "
        f"results computed again and the same {part.compared}",
        *(f"  WRONG, {name}: {line}" for name, lines in wrong.items() for line in lines),
        "",
    ]
