"""The tables of docs/operate.md, Sizing, follow from their inputs."""

from __future__ import annotations

import re

import pytest

from tests.benchmarks import sizing
from tests.services.need import ROOT


def test_the_page_has_what_is_worked_out() -> None:
    text = (ROOT / "docs" / "operate.md").read_text(encoding="utf-8")
    for table in (sizing.inputs(), sizing.answers(sizing.EXAMPLES)):
        assert "\n".join(table) in text, "python -m tests.benchmarks.sizing prints it"


@pytest.mark.parametrize(
    ("source", "heading"), [(sizing.FOOTPRINT, "What a photo costs"), (sizing.LOAD, "Load")]
)
def test_every_input_that_was_measured_is_in_the_figures(source: str, heading: str) -> None:
    figures = (ROOT / "docs" / "figures.md").read_text(encoding="utf-8")
    [section] = re.findall(rf"^## {heading}\n(.*?)(?=^## |\Z)", figures, re.M | re.S)
    ours = [each for each in sizing.MEASURED.values() if each.source.startswith(source)]
    assert len(ours) >= 3
    for each in ours:
        told = rf"\b{re.escape(f'{each.value:g}')}(\.0)? {each.unit}"
        assert re.search(told, section), each.name


@pytest.mark.parametrize("field", ["photos", "megapixels", "volunteers", "at_once", "visitors"])
def test_more_of_anything_never_asks_for_less(field: str) -> None:
    small = sizing.EXAMPLES[1]
    large = sizing.Archive(**(vars(small) | {field: 10 * getattr(small, field)}))
    grown = [each.of(large) - each.of(small) for each in sizing.ANSWERS]
    assert min(grown) >= 0
    assert max(grown) > 0


def test_an_archive_without_anybody_still_has_a_site_and_a_worker() -> None:
    empty = sizing.Archive("empty", 0, 0, 0, 0, 0)
    assert (sizing.workers(empty), sizing.site_processes(empty)) == (1, 2)


@pytest.mark.parametrize(
    ("value", "words"),
    [(0, "0"), (0.0321, "0.032"), (1.84, "1.8"), (9.96, "10"), (15.8, "16"), (18300, "18,000")],
)
def test_figures_have_no_more_digits_than_they_deserve(value: float, words: str) -> None:
    assert sizing.said(value) == words
