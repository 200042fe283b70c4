"""Writes a network's card from its run: what it takes and gives, recipe, data, figures."""

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from restoration.training.lesson import Lesson
from restoration.training.school import Progress, Term


@dataclass(frozen=True)
class Run:
    """What happened, for the card."""

    lesson: Lesson
    term: Term
    end: Progress
    parameters: int
    size: int  # bytes of the file
    sha256: str
    figures: Mapping[str, float]
    sources: Sequence[tuple[str, str]]
    leaves: int
    began_from: str = ""
    device: str = "cpu"


def card(run: Run, folders: Sequence[Path]) -> str:
    """Markdown."""
    lesson = run.lesson
    parts = [f"# {lesson.name}", lesson.title + ".", _inputs(run), _recipe(run)]
    parts += [_figures(run), *lesson.notes, _data(run, folders), _list(run)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _inputs(run: Run) -> str:
    rows = [
        f"| `{name}` | {channels} | {'full' if share == 1 else f'1/{share}'} |"
        for name, (channels, share) in run.lesson.inputs.items()
    ]
    return "\n".join(["| input | planes | size |", "|---|---|---|", *rows])


def _recipe(run: Run) -> str:
    kind = "bfloat16 where the processor has it" if run.term.quick else "single precision"
    rows = [
        ("command", f"`manage.py train {run.lesson.name}`"),
        ("seed", run.term.seed),
        ("began from", run.began_from or "fresh weights"),
        ("taught", f"{run.end.steps} steps in {run.end.seconds / 60:.0f} minutes, {run.device}"),
        ("rate", f"{run.term.rate or run.lesson.rate:g}"),
        ("arithmetic", kind),
        ("last loss", f"{run.end.loss:.5f}"),
        ("parameters", f"{run.parameters:,}"),
        ("file", f"{run.size:,} bytes, {run.lesson.bits} bits a weight"),
        ("sha256", f"`{run.sha256}`"),
    ]
    return "\n".join(
        ["## Recipe", "", "| | |", "|---|---|", *(f"| {name} | {told} |" for name, told in rows)]
    )


def _figures(run: Run) -> str:
    rows = [f"| {name} | {number} |" for name, number in run.figures.items()]
    heading = "On pictures set aside (every twentieth, at half size), never learnt from:"
    return "\n".join(["## Figures", "", heading, "", "| | |", "|---|---|", *rows])


def _data(run: Run, folders: Sequence[Path]) -> str:
    counted = Counter(
        _licences(folders).get(name, "the institution's own") for name, _ in run.sources
    )
    rows = [f"| {licence} | {count} |" for licence, count in counted.most_common()]
    rows.append(
        f"| procedural pictures (restoration/training/leaves.py), no rights | {run.leaves} |"
    )
    return "\n".join(["## Data", "", "| licence | pictures |", "|---|---|", *rows])


def _licences(folders: Sequence[Path]) -> dict[str, str]:
    """From the manifest.csv in a folder or above it: "folder/file" to licence."""
    found = {}
    places = {place for folder in folders for place in (folder, folder.resolve().parent)}
    for manifest in [place / "manifest.csv" for place in sorted(places)]:
        if manifest.exists():
            with manifest.open(newline="", encoding="utf-8") as opened:
                for row in csv.DictReader(opened):
                    file = Path(manifest.parent / row["file"])
                    found[f"{file.parent.name}/{file.name}"] = row["licence"]
    return found


def _list(run: Run) -> str:
    rows = [f"{digest}  {name}" for name, digest in run.sources]
    return "\n".join(["<details><summary>Every picture, by sha256</summary>", "", "```", *rows,
                      "```", "", "</details>"])  # fmt: skip
