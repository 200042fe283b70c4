"""Whatever the engine can say has a sentence; nobody ever reads a bare code."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from restoration import drafting, failures, wording
from restoration.engine import catalog, colours
from tests.services.need import ROOT

ENGINE = ROOT / "restoration" / "engine"
RAISED = ("BadInput", "StepFailed", "Unfit", "OutOfMemory", "DeviceLost", "Cancelled")


def calls(*names: str) -> Iterator[str]:
    """The codes with which these are called, wherever they are written as they are."""
    for path in sorted(ENGINE.rglob("*.py")):
        yield from _codes(path, names)


def _codes(path: Path, names: tuple[str, ...]) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            first = node.args[0] if node.args else None
            if node.func.id in names and isinstance(first, ast.Constant):
                yield str(first.value)


def test_every_failure_has_a_sentence() -> None:
    assert set(calls(*RAISED)) - failures.PROBLEMS.keys() == set()


def test_every_note_has_a_sentence() -> None:
    assert set(calls("note")) - wording.NOTES.keys() == set()


def test_every_reason_of_the_assessment_has_a_sentence() -> None:
    from restoration.engine.steps import assess

    worst = {
        "white": 0.5,
        "black": 0.2,
        "cast_a": 30,
        "cast_b": 30,
        "monochrome": True,
        "sepia": True,
        "fading": 0.5,
        "tone": 0.7,
        "damage": "heavy",
        "damage_spots": 9,
        "damage_area": 0.1,
        "noise_sigma": 9.0,
        "grain_sigma": 9.0,
        "screen": 8.0,
        "width": 100,
        "height": 100,
    }
    rows = assess.suggest(worst) + assess.suggest(worst | {"fading": 0.0})
    assert {row["reason"] for row in rows} - wording.REASONS.keys() == set()
    assert "?" not in "".join(wording.reason(row["reason"], row["facts"]) for row in rows)


def test_every_step_and_setting_has_a_name() -> None:
    for step in catalog.CATALOG:
        assert step.name in wording.STEPS
        assert {setting.name for setting in step.settings} - wording.SETTINGS.keys() == set()
    assert {step.name for step in drafting.STEPS} - wording.STEP_HELP.keys() == set()


@pytest.mark.parametrize("table", [failures.PROBLEMS, wording.NOTES, wording.REASONS])
def test_a_sentence_can_be_said_without_its_facts(table: dict[str, wording.Sentence]) -> None:
    for code in table:
        for say in (wording.problem, wording.note, wording.reason):
            assert isinstance(say(code, {}), str)


def test_an_unknown_code_is_our_fault() -> None:
    assert wording.problem("never-heard-of") == str(failures.OUR_FAULT)
    assert wording.note("never-heard-of") == ""


def test_a_file_that_cannot_be_read_is_told_of_by_the_archive() -> None:
    assert "20 × 30 pixels" in wording.problem(
        "too-small", {"width": 20, "height": 30, "limit": 64}
    )
    ours = wording.problem("too-small", {"got": [20, 30], "expected": [200, 300]})
    assert "20 × 30 pixels for a photo of 200 × 300" in ours


def test_every_swatch_is_a_colour() -> None:
    for colour in wording.swatches().values():
        assert len(colours.parse(colour)) == 3
