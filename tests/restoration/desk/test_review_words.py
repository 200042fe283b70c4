"""The guard's card says the engine's own gates."""

from __future__ import annotations

from restoration import guarding, wording
from restoration.engine.steps import guard


def test_the_gates_on_the_card_are_the_engines() -> None:
    gates = {name: (gate.passes, gate.fails) for name, gate in guard.GATES.items()}
    assert gates == guarding.GATES
    assert guard.MOST_FILLED == guarding.MOST_FILLED


def test_each_meter_is_toned_as_it_was_judged() -> None:
    meters = {"reframed": 0.1, "moved": 0.8, "invented": 0.95, "filled_area": 9.0}
    tones = [meter.tone for meter in guarding.told(meters).meters]
    assert tones == ["passed", "review", "failed", "review"]


def test_what_runs_against_the_scan_is_told_as_all_of_it_and_not_as_more() -> None:
    (meter,) = guarding.told({"invented": 1.314}).meters
    assert (meter.value, meter.tone) == ("100.0\N{NO-BREAK SPACE}%", "failed")
    assert meter.gate == "passes up to 70.0\N{NO-BREAK SPACE}%, fails above 90.0\N{NO-BREAK SPACE}%"


def test_what_the_first_check_measured_keeps_its_own_words_and_gates() -> None:
    meters = {"changed_area": 6.2, "worst_block": 0.8, "detail_ratio": 1.7, "filled_area": 0.3}
    reasons = ["changed-area", "worst-block", "too-much-detail", "face"]
    card = guarding.told(meters | {"verdict": "fail", "reasons": reasons})
    assert card.earlier
    assert [(meter.value, meter.tone) for meter in card.meters] == [
        ("6.2\N{NO-BREAK SPACE}%", "failed"),
        ("0.80", "review"),
        ("1.70 ×", "review"),
        ("0.3\N{NO-BREAK SPACE}%", "passed"),
    ]
    assert "passes from 0.85, fails below 0.70" in card.meters[1].gate
    assert card.reasons == [wording.doubt(code) for code in reasons]
    assert all(" " in reason for reason in card.reasons)


def test_what_todays_check_measured_is_not_called_earlier() -> None:
    card = guarding.told({"gate_version": 3, "moved": 0.1, "changed_area": 6.2})
    assert not card.earlier
    assert [meter.tone for meter in card.meters] == ["passed", ""]


def test_a_version_is_told_the_gates_that_it_was_held_against() -> None:
    for version, tone, gate in ((2, "passed", "0.60"), (3, "review", "0.30")):
        (meter,) = guarding.told({"gate_version": version, "moved": 0.5}).meters
        assert meter.tone == tone
        assert gate in meter.gate


def test_a_version_that_was_never_measured_says_so() -> None:
    card = guarding.card({})
    assert (str(card.badge.label), card.meters) == ("not measured", [])


def test_where_all_faces_are_too_small_no_share_is_told_and_a_doubt_keeps_its_colour() -> None:
    for face, tone in (({}, ""), ({"filled_in": True}, "review"), ({"verdict": "fail"}, "failed")):
        faces = [{"verdict": "pass", "too_small": True} | face]
        (meter,) = guarding.told({"faces": faces}).meters
        assert meter.tone == tone
        assert "1 too small to verify" in meter.value


def test_a_face_too_small_to_verify_is_not_counted_as_the_same() -> None:
    faces = [{"verdict": "pass"}, {"verdict": "pass", "too_small": True}]
    (meter,) = guarding.told({"faces": faces}).meters
    assert (meter.value, meter.gate) == ("1 of 2", "1 too small to verify")


def test_a_face_that_was_partly_filled_in_is_not_counted_as_the_same() -> None:
    faces = [
        {"verdict": "pass"},
        {"verdict": "pass", "filled_in": True},
        {"verdict": "pass", "too_small": True},
    ]
    (meter,) = guarding.told({"faces": faces}).meters
    assert meter.value == "1 of 3"
    assert meter.gate == "1 too small to verify; 1 partly filled in"
    assert meter.tone == "review"


def test_a_wide_hole_colours_the_meter_of_what_was_filled() -> None:
    (plain,) = guarding.told({"filled_area": 1.0}).meters
    (wide,) = guarding.told({"filled_area": 1.0, "wide_fill": True}).meters
    assert (plain.tone, wide.tone) == ("passed", "review")
    assert "its middle is guesswork" in wide.gate


def test_every_gate_and_every_doubt_has_words() -> None:
    assert set(wording.METERS) == set(guard.GATES)
    others = {"gone", "soft", "large-fill", "face", "face-filled", "face-shade"}
    assert {*guard.GATES, *others} == set(wording.DOUBTS)


def test_every_map_says_what_it_shows() -> None:
    maps = ("doubtful", "changed", "repaired", "coloured_evidence", "coloured_guess")
    found = guarding.layers(dict.fromkeys(maps, "a" * 64), {})
    assert {layer.name for layer in found} == set(maps) == set(wording.MAP_HELP)
