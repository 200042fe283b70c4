"""A whole plan with generative steps runs through the engine's one door."""

import numpy as np
import pytest

from restoration.engine.catalog import GENERATIVE
from restoration.engine.errors import Cancelled
from restoration.engine.plan import Plan, Prompt, StepPlan
from restoration.engine.restore import Inputs, restore

pytestmark = [pytest.mark.generative, pytest.mark.slow]

PLAN = Plan(
    steps=(
        StepPlan("repair", GENERATIVE, {"strength": 0.6, "model": "sdxl-inpaint"}),
        StepPlan("redraw", GENERATIVE, {"strength": 0.3, "passes": 4, "model": "sdxl"}),
    ),
    prompt=Prompt(words="a tabby cat"),
    seed=11,
)


def quiet(step, fraction, preview=None):
    """Nobody listens."""


@pytest.fixture(scope="module")
def done(piece, hole, workshop):
    return restore(piece, PLAN, Inputs(mask=hole), workshop, quiet)


def test_repair_redraw_and_guard_run_to_the_end(done, piece, hole):
    assert [record["step"] for record in done.records] == ["repair", "redraw", "guard"]
    assert done.records[0]["model"]["name"] == "sdxl-inpaint"
    assert done.records[1]["model"]["name"] == "sdxl"
    assert done.image.shape == piece.shape
    assert np.array_equal(done.maps["repaired"] > 0, hole > 0)


@pytest.mark.slow
def test_the_same_plan_gives_the_same_bytes(done, piece, hole, workshop):
    again = restore(piece, PLAN, Inputs(mask=hole), workshop, quiet)
    assert np.array_equal(done.image, again.image)


@pytest.mark.slow
def test_a_cancel_in_the_middle_of_a_step_stops_the_plan(piece, hole, workshop):
    def cancelling(step, fraction, preview=None):
        if step == "redraw" and preview is not None:
            raise Cancelled

    with pytest.raises(Cancelled):
        restore(piece, PLAN, Inputs(mask=hole), workshop, cancelling)
