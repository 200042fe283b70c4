"""Small functions and files: the measure of the code that this project admires."""

import ast
import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.services.need import ROOT

MEDIAN, NINE_OF_TEN, FILE = 8, 30, 500
PARTS = ("platform", "restoration", "archive")
NOT_WRITTEN_FOR_READING = {"migrations", "locale"}


def sources(*folders: str) -> list[Path]:
    return [
        path
        for folder in folders
        for path in sorted((ROOT / folder).rglob("*.py"))
        if not NOT_WRITTEN_FOR_READING & set(path.parts)
    ]


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Name and length in lines of each function, its docstring not counted."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            start = node.body[0].end_lineno if ast.get_docstring(node) else node.lineno
            yield f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", node.end_lineno - start + 1


def test_functions_are_short() -> None:
    lengths = sorted(length for path in sources(*PARTS) for _, length in functions(path))
    assert statistics.median(lengths) <= MEDIAN
    assert lengths[int(len(lengths) * 0.9)] < NINE_OF_TEN


def test_no_function_is_longer_than_a_page() -> None:
    long = [
        each for path in sources(*PARTS) for each in functions(path) if each[1] > 2 * NINE_OF_TEN
    ]
    assert long == []


@pytest.mark.parametrize("folder", [*PARTS, "tests"])
def test_no_file_is_longer_than_five_hundred_lines(folder: str) -> None:
    counts = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in sources(folder)}
    assert {str(path): count for path, count in counts.items() if count > FILE} == {}


def test_nor_is_what_the_browser_gets() -> None:
    written = [
        path
        for folder, ending in (("css", "*.css"), ("js", "*.js"))
        for path in (ROOT / "platform/config/static" / folder).glob(ending)
    ]
    counts = {
        path.name: len(path.read_text(encoding="utf-8").splitlines())
        for path in [*written, *(ROOT / "templates").rglob("*.html")]
    }
    assert len(counts) > 100
    assert {name: count for name, count in counts.items() if count > FILE} == {}


def test_no_module_is_a_drawer_for_everything() -> None:
    drawers = {"utils", "helpers", "helper", "common", "misc", "managers", "services"}
    assert [path for path in sources(*PARTS) if path.stem in drawers] == []
