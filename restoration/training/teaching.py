"""One whole run: pictures, lesson, school, file, card. `manage.py train` is its door."""

import hashlib
import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from restoration.training import export, pictures
from restoration.training.card import Run, card
from restoration.training.lesson import Lesson
from restoration.training.lessons import LESSONS
from restoration.training.school import Progress, Term, require_numbers, teach

SHIPPED = Path(__file__).parents[1] / "engine" / "shipped"
CARDS = Path(__file__).parents[2] / "docs" / "networks"


class FirstError(Exception):
    """The file to begin from is no network of this lesson; says so."""


@dataclass(frozen=True)
class Order:
    """What to teach, on what, and where it goes.

    folders: clean pictures. sound: old scans without damage, where the lesson takes them.
    checkpoint: kept there, gone on from. file: the ONNX to write, the
    card beside it. first: an exported network of the same lesson, or a sister's, whose weights
    begin the run.
    """

    name: str
    folders: tuple[Path, ...]
    term: Term
    checkpoint: Path
    file: Path
    first: Path | None = None
    device: str = "cpu"
    leaves: int = pictures.LEAVES
    sound: tuple[Path, ...] = ()


def lesson(name: str) -> Lesson:
    """The lesson of that name; KeyError when there is none."""
    module, function = LESSONS[name].split(":")
    found: Lesson = getattr(importlib.import_module(module), function)()
    return found


def run(order: Order, tell: Callable[[Progress], None]) -> Run:
    """Teaches, exports, and writes the card beside the file (`NAME.md`).

    Raises FirstError, UnfitError, OtherRunError, DivergedError and UnlikeError.
    """
    what = lesson(order.name)
    first = _first(order, what)
    shelf = what.shelf(order.folders, seed=order.term.seed, leaves=order.leaves)
    if what.sound and order.sound:
        shelf = what.sound(shelf, order.sound)
    network, end = teach(
        what, shelf, order.term, order.checkpoint,
        first=first, device=order.device, tell=tell,
    )  # fmt: skip
    done = finish(order, what, what.finish(network.cpu()).eval(), end, shelf)
    order.file.with_suffix(".md").write_text(
        card(done, order.folders + order.sound), encoding="utf-8"
    )
    return done


def finish(
    order: Order, what: Lesson, network: nn.Module, end: Progress, shelf: pictures.Shelf
) -> Run:
    """Exports the network and measures what the file holds; DivergedError before it writes one."""
    require_numbers(network.state_dict())
    order.file.parent.mkdir(parents=True, exist_ok=True)
    digest = export.export(network, what.inputs, order.file, what.bits)
    return Run(
        lesson=what,
        term=order.term,
        end=end,
        parameters=sum(each.numel() for each in network.parameters()),
        size=order.file.stat().st_size,
        sha256=digest,
        figures=what.figures(network, shelf) if shelf.kept else {},
        sources=shelf.sources,
        leaves=order.leaves,
        began_from=f"{order.first.stem} {_digest(order.first)[:12]}" if order.first else "",
        device=_device(order.device),
    )


def ship(name: str, file: Path) -> None:
    """Puts a file and its card where the package keeps them, and pins it; DivergedError when what
    it holds are no numbers."""
    require_numbers(export.weights(file))
    SHIPPED.mkdir(exist_ok=True)
    CARDS.mkdir(parents=True, exist_ok=True)
    (SHIPPED / f"{name}.onnx").write_bytes(file.read_bytes())
    (CARDS / f"{name}.md").write_bytes(file.with_suffix(".md").read_bytes())
    _pin(SHIPPED)


def _pin(folder: Path) -> None:
    """In the form that `sha256sum --check` reads."""
    lines = [f"{_digest(each)}  {each.name}\n" for each in sorted(folder.glob("*.onnx"))]
    (folder / "SHA256SUMS").write_text("".join(lines), encoding="ascii")


def _first(order: Order, what: Lesson) -> dict[str, Tensor] | None:
    """The weights to begin from, tried on a network of the lesson: nothing is missing or over."""
    if order.first is None:
        return None
    try:
        held = export.weights(order.first)
        weights = what.adopt(held)
        what.build().load_state_dict(weights)
    except (KeyError, ValueError, RuntimeError) as error:
        raise FirstError(f"{order.first} is no network of {order.name}") from error
    if not held:  # a file of nothing is read without a complaint
        raise FirstError(f"{order.first} is no network")
    return weights


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _device(device: str) -> str:
    if device == "cpu":
        return f"on {torch.get_num_threads()} processor thread(s)"
    return f"on {torch.cuda.get_device_name(device)}"


def names() -> Sequence[str]:
    return sorted(LESSONS)
