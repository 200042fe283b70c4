"""The guard's card says the engine's own gates."""

from __future__ import annotations

from restoration import guarding
from restoration.engine.steps import guard


def test_the_gates_on_the_card_are_the_engines() -> None:
    assert guard.PICTURE.pass_changed == guarding.PASS_CHANGED
    assert guard.PICTURE.fail_changed == guarding.FAIL_CHANGED
    assert guard.PICTURE.pass_block == guarding.PASS_BLOCK
    assert guard.PICTURE.fail_block == guarding.FAIL_BLOCK
    assert guard.MOST_DETAIL == guarding.MOST_DETAIL
    assert guard.MOST_FILLED == guarding.MOST_FILLED


def test_each_meter_is_toned_as_it_was_judged() -> None:
    meters = {"changed_area": 6.0, "worst_block": 0.8, "detail_ratio": 1.0, "filled_area": 9.0}
    tones = [meter.tone for meter in guarding.told(meters).meters]
    assert tones == ["failed", "review", "passed", "review"]


def test_a_version_that_was_never_measured_says_so() -> None:
    card = guarding.card({})
    assert (str(card.badge.label), card.meters) == ("not measured", [])
