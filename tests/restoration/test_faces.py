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


def drew_before_the_look(vera: Desk) -> None:
    box = {"x": 0.65, "y": 0.2, "width": 0.1, "height": 0.2}
    sent = {"rev": 0, "draft": {"faces": [box], "find_faces": True}}
    vera.client.put(vera.url("draft"), sent, content_type="application/json")


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
    rows = fields(0, "keep") | fields(1, "not") | fields(2, x=70)
    vera.post("run", data=recipe() | rows | {"faces-known": "1"})
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


def test_a_box_that_is_drawn_before_the_machine_has_looked_leaves_the_others_protected(
    vera: Desk,
) -> None:
    page = vera.get("bench").text
    assert "What it finds will be protected besides" in page
    vera.post("run", data=recipe() | fields(0, x=65))
    plan = Job.objects.get().plan
    assert [face["x"] for face in plan["faces"]] == [0.65]
    assert plan["find_faces"] is True


def test_what_the_machine_finds_later_joins_the_boxes_that_were_drawn(vera: Desk) -> None:
    drew_before_the_look(vera)
    assessed(vera, report={"faces": FOUND})
    listed = vera.get("bench").context["faces"]
    assert [row["x"] for row in listed["rows"]] == ["65.0", "10.0"]  # at 60 lies the drawn one
    assert listed["known"]
    sent = {"rev": 1, "faces-known": "1"} | fields(0, x=65) | fields(1)
    vera.post("run", data=recipe() | sent)
    plan = Job.objects.get().plan
    assert [face["x"] for face in plan["faces"]] == [0.65, 0.1]
    assert "find_faces" not in plan


def test_a_run_by_the_draft_that_was_kept_before_the_look_has_what_was_found(
    vera: Desk,
) -> None:
    drew_before_the_look(vera)
    assessed(vera, report={"faces": FOUND})
    vera.post("run", data=recipe() | {"rev": 1} | fields(0, x=65, width=10, height=20))
    assert [face["x"] for face in planned()] == [0.65, 0.1]


def test_a_box_over_the_edge_is_cut_and_an_empty_one_falls_away() -> None:
    rows = [BOX | {"x": -0.1, "kind": "keep"}, BOX | {"x": 0.9}, BOX | {"width": 0}, {"x": "a"}]
    kept = drafting.cleaned({"faces": [*rows, BOX | {"x": float("nan")}, 7]})["faces"]
    assert [(face["x"], face["width"], face["kind"]) for face in kept] == [
        (0.0, 0.2, "keep"),
        (0.9, 0.1, "face"),
    ]
    assert drafting.cleaned({"faces": "x"})["faces"] is None
