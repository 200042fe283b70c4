"""The guard lets honest work through and catches another nose."""

import json
from functools import lru_cache

import numpy as np
import pytest
from scipy import ndimage

from restoration.engine.errors import BadInput
from restoration.engine.fill import membrane
from restoration.engine.image import resize
from restoration.engine.plan import Plan, StepPlan
from restoration.engine.restore import Inputs, restore
from restoration.engine.steps import guard
from restoration.engine.steps.guard import judge
from restoration.training.ageing import age
from tests.engine import pictures

FACE = (0.16, 0.15, 0.3, 0.36)  # of pictures.astronaut(400)
HONEST = (
    StepPlan("tone", settings={"strength": 0.8}),
    StepPlan("repair"),
    StepPlan("denoise", settings={"strength": 0.8}),
)


def scan() -> np.ndarray:
    return pictures.noisy(pictures.grey(pictures.astronaut(400)), 6)


@lru_cache
def _restored(*more: str) -> np.ndarray:
    plan = Plan((*HONEST, *map(StepPlan, more)))
    return restore(scan(), plan, Inputs(), None, lambda *told: None).image


def honest(*scale: str) -> np.ndarray:
    return _restored(*scale).copy()


def verdict(result: np.ndarray, **known) -> str:
    meters, _ = judge(result, scan(), **{"repaired": None, "faces": [FACE], **known})
    return meters["verdict"]


def test_the_scan_itself_passes_without_a_change():
    meters, maps = judge(scan(), scan(), repaired=None, faces=[FACE])
    assert meters["verdict"] == "pass"
    assert meters["risk"] == 0
    assert meters["changed_area"] == 0
    assert maps["changed"].max() == 0


def test_an_honest_chain_passes():
    assert verdict(honest()) == "pass"


@pytest.mark.slow
def test_an_honest_chain_at_twice_the_size_passes():
    assert verdict(honest("upscale")) == "pass"


def test_colour_alone_changes_nothing_the_guard_measures():
    tinted = (scan() * np.array([1, 0.9, 0.7], np.float32)).astype(np.float32)
    meters, _ = judge(tinted, scan(), repaired=None, faces=[])
    assert meters["verdict"] == "pass"


@pytest.mark.parametrize("centre", [(115, 120), (130, 110)])
def test_a_feature_of_the_face_moved_by_5_pixels_fails(centre):
    assert verdict(pictures.moved(honest(), centre, by=5)) == "fail"


def test_the_map_shows_where_the_feature_was_moved():
    _, maps = judge(pictures.moved(scan(), (115, 120), by=5), scan(), repaired=None, faces=[])
    rows, columns = np.nonzero(maps["doubtful"])
    assert abs(np.median(rows) - 115) < 40
    assert abs(np.median(columns) - 120) < 40


def test_the_feature_is_named_and_placed():
    meters, _ = judge(
        pictures.moved(honest(), (115, 120), by=5), scan(), repaired=None, faces=[FACE]
    )
    assert {"moved", "face"} <= set(meters["reasons"])
    x, y = meters["places"]["moved"]
    assert abs(400 * x - 120) < 40
    assert abs(400 * y - 115) < 40


def test_the_perfect_restoration_of_an_aged_print_passes():
    clean = pictures.grey(pictures.astronaut(400))
    aged, mask = age(clean, seed=3, severity=0.5)
    meters, _ = judge(clean, aged, repaired=mask > 0, faces=[])
    assert meters["verdict"] == "pass"


def test_a_shifted_frame_fails_as_reframed_and_nothing_else():
    shifted = np.roll(honest(), 3, axis=1)
    meters, _ = judge(shifted, scan(), repaired=None, faces=[])
    assert (meters["verdict"], "reframed" in meters["reasons"]) == ("fail", True)
    assert "moved" not in meters["reasons"]


def test_a_face_is_held_to_tighter_gates():
    nearly = guard.GATES["moved"].passes * 0.9
    assert guard.GATES["moved"].verdict(nearly) == "pass"
    assert guard.GATES["moved"].verdict(nearly, guard.FACE_SHARE) == "review"


def test_a_face_too_small_to_verify_says_so():
    meters, _ = judge(scan(), scan(), repaired=None, faces=[(0.2, 0.2, 0.03, 0.03)])
    assert meters["faces"][0]["too_small"]


def test_another_face_in_the_place_of_this_one_fails():
    swapped = honest()
    other = resize(pictures.grey(pictures.camera(200))[60:160, 60:160], 90, 80)
    swapped[80:170, 80:160] = other
    assert verdict(np.clip(swapped, 0, 1)) == "fail"


@pytest.mark.parametrize("gamma", [0.7, 1.45])
def test_a_face_that_was_made_paler_or_darker_is_looked_at(gamma: float):
    """Softly, as a brush does it, and nothing else changed."""
    rows, columns = np.indices(scan().shape[:2])
    x, y, wide, high = (side * 400 for side in FACE)
    away = np.hypot((rows - y - high / 2) / (0.62 * high), (columns - x - wide / 2) / (0.52 * wide))
    amount = np.clip(2.2 * (1 - away), 0, 1)[..., None].astype(np.float32)
    shaded = scan() * (1 - amount) + scan() ** np.float32(gamma) * amount
    meters, _ = judge(shaded.astype(np.float32), scan(), repaired=None, faces=[FACE])
    assert "face-shade" in meters["reasons"]
    (face,) = meters["faces"]
    assert (face["shade"] > 0, face["verdict"] == "pass") == (gamma < 1, False)


def test_tones_that_change_everywhere_shade_no_face():
    for changed in (scan() ** np.float32(0.7), 0.2 + 0.6 * scan(), honest()):
        meters, _ = judge(changed.astype(np.float32), scan(), repaired=None, faces=[FACE])
        assert abs(meters["faces"][0]["shade"]) < 2
        assert "face-shade" not in meters["reasons"]


def test_a_face_that_fills_the_picture_has_nothing_to_be_compared_with():
    meters, _ = judge(scan(), scan(), repaired=None, faces=[(0.05, 0.05, 0.9, 0.9)])
    assert "shade" not in meters["faces"][0]


def test_another_face_on_a_panorama_fails_too():
    """The long side alone says little of how large a face is on it."""
    strip = np.concatenate([scan()[60:220, :280]] * 40, axis=1)
    swapped = strip.copy()
    swapped[20:110, 80:160] = resize(pictures.grey(pictures.camera(200))[60:160, 60:160], 90, 80)
    face = (70 / strip.shape[1], 0.1, 100 / strip.shape[1], 0.65)
    meters, _ = judge(np.clip(swapped, 0, 1), strip, repaired=None, faces=[face])
    assert (meters["verdict"], meters["faces"][0]["verdict"]) == ("fail", "fail")


def on_a_larger_scan(picture: np.ndarray) -> np.ndarray:
    """Among eight others, so that the whole is compared at a smaller size."""
    row = np.concatenate([scan(), scan()[:, ::-1], scan()], axis=1)
    middle = np.concatenate([scan()[::-1], picture, scan()[::-1]], axis=1)
    return np.concatenate([row, middle, row], axis=0)


IN_THE_MIDDLE = ((1 + FACE[0]) / 3, (1 + FACE[1]) / 3, FACE[2] / 3, FACE[3] / 3)


@pytest.fixture
def small_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A scan of 1,200 pixels is compared at 240, as one of 12,000 is at 2,400: a face has 24."""
    monkeypatch.setattr(guard, "LONG_SIDE", 240)


@pytest.mark.usefixtures("small_looks")
def test_another_face_on_a_scan_larger_than_what_is_compared_fails():
    swapped = scan()
    other = resize(pictures.grey(pictures.camera(200))[60:160, 60:160], 90, 80)
    swapped[80:170, 80:160] = np.clip(other, 0, 1)
    before, after = on_a_larger_scan(scan()), on_a_larger_scan(swapped)
    meters, _ = judge(after, before, repaired=None, faces=[IN_THE_MIDDLE])
    assert (meters["verdict"], meters["faces"][0]["verdict"]) == ("fail", "fail")


@pytest.mark.usefixtures("small_looks")
@pytest.mark.parametrize("shift", [0, 2])
def test_an_honest_face_on_a_larger_scan_stays_the_same_even_where_the_frame_lay_aside(shift):
    before, after = on_a_larger_scan(scan()), on_a_larger_scan(honest())
    meters, _ = judge(np.roll(after, shift, axis=1), before, repaired=None, faces=[IN_THE_MIDDLE])
    (face,) = meters["faces"]
    assert face["verdict"] == "pass"
    assert "too_small" not in face


@pytest.mark.usefixtures("small_looks")
def test_an_eye_moved_on_a_larger_scan_is_told_of_the_face():
    before = on_a_larger_scan(scan())
    after = on_a_larger_scan(pictures.moved(scan(), (115, 120), by=4))
    meters, _ = judge(after, before, repaired=None, faces=[IN_THE_MIDDLE])
    assert meters["faces"][0]["verdict"] != "pass"


def test_a_picture_that_was_blurred_all_over_is_looked_at_as_soft():
    """No place lost more than the rest, so that no other meter can see it."""
    for given in (scan(), pictures.grey(pictures.astronaut(400))):
        blurred = ndimage.gaussian_filter(given, (1.5, 1.5, 0))
        meters, _ = judge(blurred, given, repaired=None, faces=[])
        assert "soft" in meters["reasons"]
        assert meters["verdict"] != "pass"


def test_soft_alone_never_fails():
    meters = dict.fromkeys(guard.GATES, 0.0) | {"filled_area": 0.0, "gone": 0.0, "faces": []}
    said = guard.verdict(meters | {"detail_ratio": 0.0})
    assert said == {"verdict": "review", "reasons": ["soft"]}
    said = guard.verdict(meters | {"detail_ratio": 1.0, "gone": 300.0})
    assert said == {"verdict": "review", "reasons": ["gone"]}


@pytest.mark.parametrize("grain", [4, 10, 16])
def test_grain_that_was_taken_away_is_no_softness(grain: int):
    clean = pictures.grey(pictures.astronaut(400))
    plain = np.full_like(clean, 0.6)
    for picture in (clean, plain):
        meters, _ = judge(picture, pictures.noisy(picture, grain), repaired=None, faces=[])
        assert "soft" not in meters["reasons"]


def rubbed_out(picture: np.ndarray, at: tuple[int, int], reach: int) -> tuple[np.ndarray, ...]:
    rows, columns = np.indices(picture.shape[:2])
    hole = np.hypot(rows - at[0], columns - at[1]) < reach
    return np.clip(membrane(picture, hole), 0, 1).astype(np.float32), hole


def test_a_place_that_was_rubbed_out_and_not_declared_is_looked_at_and_shown():
    done, hole = rubbed_out(honest(), (260, 330), 18)
    meters, maps = judge(done, scan(), repaired=None, faces=[])
    assert "gone" in meters["reasons"]
    x, y = meters["places"]["gone"]
    assert np.hypot(400 * y - 260, 400 * x - 330) < 18
    assert maps["doubtful"][hole].max() == 255


def test_a_place_that_was_declared_and_filled_is_not_gone():
    done, hole = rubbed_out(honest(), (260, 330), 18)
    meters, _ = judge(done, scan(), repaired=hole, faces=[])
    assert (meters["gone"] < guard.GONE, meters["verdict"]) == (True, "pass")


def test_a_moved_feature_outside_every_face_is_at_least_reviewed():
    assert verdict(pictures.moved(honest(), (300, 200), by=6), faces=[]) != "pass"


def test_a_declared_fill_is_left_out_and_counted():
    filled = honest()
    area = np.zeros(filled.shape[:2], bool)
    area[200:260, 250:310] = True
    filled[area] = 0.5
    meters, maps = judge(filled, scan(), repaired=area, faces=[])
    assert meters["verdict"] == "pass"
    assert meters["filled_area"] == pytest.approx(100 * area.mean(), abs=0.01)
    assert np.array_equal(maps["repaired"] > 0, area)
    assert judge(filled, scan(), repaired=None, faces=[])[0]["verdict"] == "fail"


def test_much_declared_fill_is_reviewed():
    area = np.zeros((400, 400), bool)
    area[200:330, 200:330] = True
    meters, _ = judge(scan(), scan(), repaired=area, faces=[])
    assert meters["verdict"] == "review"
    assert meters["reasons"] == ["large-fill"]


def test_a_wide_hole_is_told_and_a_long_scratch_is_not():
    """A missing corner is no alteration; but nobody can vouch for what was filled in there."""
    hole, scratch = np.zeros((400, 400), bool), np.zeros((400, 400), bool)
    hole[250:280, 250:280] = True
    scratch[300:306, 20:380] = True
    told = [judge(scan(), scan(), repaired=area, faces=[])[0] for area in (hole, scratch)]
    assert [each["wide_fill"] for each in told] == [True, False]
    assert [each["verdict"] for each in told] == ["pass", "pass"]


def with_fill(*place: slice, tone: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    """The honest chain with a place of it filled, and where."""
    area = np.zeros((400, 400), bool)
    area[place] = True
    filled = honest()
    filled[area] = tone
    return filled, area


def test_a_face_that_was_declared_fill_is_never_passed_off_as_the_same():
    """It is left out of the comparison, so that nothing is known of it."""
    filled, area = with_fill(slice(60, 204), slice(64, 184))
    meters, _ = judge(filled, scan(), repaired=area, faces=[FACE])
    assert meters["verdict"] == "review"
    assert "face-filled" in meters["reasons"]
    assert meters["faces"][0]["filled_in"]


def test_an_eye_that_was_filled_in_is_looked_at_and_a_crease_across_the_face_is_not():
    eye, where = with_fill(slice(108, 118), slice(108, 128))
    assert judge(eye, scan(), repaired=where, faces=[FACE])[0]["reasons"] == ["face-filled"]
    crease = np.zeros((400, 400), bool)
    crease[118:121] = True
    meters, _ = judge(honest(), scan(), repaired=crease, faces=[FACE])
    assert meters["verdict"] == "pass"
    assert "filled_in" not in meters["faces"][0]


def test_a_fill_beside_the_face_is_not_the_faces():
    filled, area = with_fill(slice(200, 260), slice(250, 310))
    meters, _ = judge(filled, scan(), repaired=area, faces=[FACE, (0.0, 0.0, 0.1, 0.1)])
    assert meters["verdict"] == "pass"


def test_a_picture_of_another_shape_is_refused():
    with pytest.raises(BadInput):
        judge(scan()[:300], scan(), repaired=None, faces=[])


def test_the_meters_are_json():
    meters, _ = judge(scan(), scan(), repaired=None, faces=[FACE])
    assert json.loads(json.dumps(meters)) == meters


def on_a_scanners_bed(print_: np.ndarray) -> np.ndarray:
    return np.pad(print_, ((12, 12), (12, 12), (0, 0)))


@pytest.mark.slow
def test_the_scanners_black_bed_beside_a_faded_print_is_no_lost_detail():
    faded = 0.35 + 0.3 * pictures.grey(pictures.coffee())
    brought_back = (faded - 0.35) / 0.3 * 0.9
    meters, _ = judge(
        on_a_scanners_bed(brought_back), on_a_scanners_bed(faded), repaired=None, faces=[]
    )
    assert meters["verdict"] == "pass"


def test_what_is_put_onto_the_bed_is_seen():
    scan = on_a_scanners_bed(pictures.grey(pictures.coffee()))
    written = scan.copy()
    written[1:11, 40:140] = 0.9
    meters, _ = judge(written, scan, repaired=None, faces=[])
    assert meters["verdict"] != "pass"
