"""Boxes around faces: suggested, put right by the volunteer, frozen into the plan."""

from __future__ import annotations

from typing import Any

import pytest

from restoration import drafting
from restoration.models import Assessment, Draft, Job

from .conftest import Desk, recipe
from .test_bench import assessed

FOUND = [[0.1, 0.2, 0.3, 0.25], [0.6, 0.2, 0.2, 0.2]]
BOX = {"x": 0.1, "y": 0.2, "width": 0.3, "height": 0.25}


def fields(number: int, kind: str = "face", **sides: float) -> dict[str, str]:
    """A row of the list as a page without a script sends it."""
    told = {"x": 10, "y": 20, "width": 30, "height": 25} | sides
    return {f"face-{number}-{name}": str(value) for name, value in told.items()} | {
        f"face-{number}-kind": kind
    }


def planned() -> Any:
    return Job.objects.get().plan["faces"]


@pytest.fixture
def seen(vera: Desk) -> Assessment:
    return assessed(vera, report={"faces": FOUND})


def test_what_was_found_is_suggested_and_can_be_put_right_without_a_script(
    vera: Desk, seen: Assessment
) -> None:
    page = vera.get("bench")
    assert [row["x"] for row in page.context["faces"]["rows"]] == ["10.0", "60.0"]
    assert 'name="face-1-width" value="20.0"' in page.text
    assert 'name="face-2-width" value=""' in page.text  # one more
    vera.post("run", data=recipe() | fields(0, "keep") | fields(1, "not") | fields(2, x=70))
    assert planned() == [
        BOX | {"keep": True},
        BOX | {"x": 0.7, "keep": False},
    ]
    kept = Draft.objects.get().body["faces"]
    assert [face["kind"] for face in kept] == ["keep", "not", "face"]


def test_where_nobody_touches_the_boxes_the_plan_carries_those_that_were_found(
    vera: Desk, seen: Assessment
) -> None:
    vera.post("run", data=recipe())
    assert planned()[0] == BOX | {"keep": False}
    assert len(planned()) == 2


def test_where_all_boxes_are_taken_away_the_plan_says_that_there_is_no_face(
    vera: Desk, seen: Assessment
) -> None:
    vera.post("run", data=recipe() | {"faces-known": "1"})
    assert planned() == []


def test_before_the_machine_has_looked_the_run_looks_by_itself(vera: Desk) -> None:
    page = vera.get("bench")
    assert page.context["faces"]["known"] is False
    vera.post("run", data=recipe())
    assert planned() is None


def test_a_box_over_the_edge_is_cut_and_an_empty_one_falls_away() -> None:
    rows = [BOX | {"x": -0.1, "kind": "keep"}, BOX | {"x": 0.9}, BOX | {"width": 0}, {"x": "a"}]
    kept = drafting.cleaned({"faces": [*rows, BOX | {"x": float("nan")}, 7]})["faces"]
    assert [(face["x"], face["width"], face["kind"]) for face in kept] == [
        (0.0, 0.2, "keep"),
        (0.9, 0.1, "face"),
    ]
    assert drafting.cleaned({"faces": "x"})["faces"] is None
