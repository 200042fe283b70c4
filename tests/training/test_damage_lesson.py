"""What the damage network learns from: old photographs whose damage is known to the pixel."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from restoration.engine import damage as finder
from restoration.engine.damage import PLANES
from restoration.engine.luma import luma
from restoration.training import ageing, emulsion, folds, layers, lookalikes, marks, pictures, sound
from restoration.training.layers import Layer, Sheet
from tests.engine import pictures as samples
from tests.services.need import need

SIDE = 192


def sheet(severity: float = 0.8) -> Sheet:
    return Sheet((SIDE, SIDE), (900, 1200), (300, 500), severity, density=4)


def crop() -> np.ndarray:
    return samples.coffee()[:SIDE, :SIDE]


@pytest.fixture(scope="module")
def stamps(tmp_path_factory) -> Path:
    """Ten stamps: a stroke each, opaque, where a scratch would be."""
    folder = tmp_path_factory.mktemp("stamps")
    (folder / "scratches").mkdir()
    for number in range(10):
        pixels = np.full((400, 400, 4), 255, np.uint8)
        pixels[..., 3] = 0
        pixels[100:300, 100 + 10 * number : 104 + 10 * number, 3] = 255
        Pillow.fromarray(pixels).save(folder / "scratches" / f"{number:03}.png")
    return folder


def test_a_mark_that_nobody_sees_is_no_damage():
    image = np.full((20, 20, 3), 0.5, np.float32)
    truth = layers.untouched(image.shape)
    opacity = np.zeros((20, 20), np.float32)
    opacity[5:10, 5:10] = 1
    layers.laid(image, truth, Layer(opacity, np.full(3, 0.51, np.float32), "dust"))
    assert not truth.any()
    layers.laid(image, truth, Layer(opacity, np.full(3, 0.6, np.float32), "dust"))
    assert np.array_equal(truth[..., PLANES.index("damage")], opacity > 0)
    layers.laid(image, truth, Layer(opacity * 0.1, np.zeros(3, np.float32), "scratch"))
    assert not truth[..., PLANES.index("line")].any()


def test_a_stain_tints_and_hides_nothing():
    image = np.full((20, 20, 3), 0.5, np.float32)
    truth = layers.untouched(image.shape)
    layers.dimmed(image, truth, np.full((20, 20), 0.2, np.float32), np.ones(3, np.float32))
    assert [bool(truth[..., plane].all()) for plane in range(4)] == [False, False, False, True]


@pytest.mark.parametrize("fold", [folds.creased, folds.torn, folds.flaked])
def test_where_the_truth_is_silent_the_picture_is_whole(fold):
    """Outside are a fold's shading and the soft rim of a mark, no more."""
    hidden = 0
    for seed in range(6):
        truth = layers.untouched(crop().shape)
        found = fold(crop(), truth, np.random.default_rng(seed), sheet())
        outside = ~truth[..., PLANES.index("damage")]
        assert np.abs(found - crop())[outside].max(initial=0) < 0.22
        hidden += int((~outside).sum())
    assert hidden > 100


def test_a_spot_hides_what_the_truth_says_and_nothing_else():
    hidden = 0
    for seed in range(6):
        truth = layers.untouched(crop().shape)
        found = marks.spotted(crop(), truth, np.random.default_rng(seed))
        outside = ~truth[..., PLANES.index("damage")]
        assert np.abs(found - crop())[outside].max() < 0.12
        hidden += int((~outside).sum())
    assert 100 < hidden < 0.2 * 6 * SIDE * SIDE


def test_a_mark_on_a_grey_scan_can_be_as_grey_as_the_scan():
    grey = np.repeat(crop()[..., :1], 3, axis=2)
    brown = grey.copy()
    brown[40:50, 60:70] = (0.4, 0.2, 0.1)
    found = layers.toned(brown, grey)
    assert np.ptp(found, axis=2).max() < 1e-6
    assert np.allclose(luma(found), luma(brown), atol=1e-6)


def test_stamps_that_measure_never_teach(stamps: Path):
    taught, kept = marks.stamps(stamps), marks.stamps(stamps, kept=True)
    assert len(taught.planes) == 8
    assert len(kept.planes) == 2
    pixels = {stamp.sizes[0].tobytes() for stamp in taught.planes}
    assert not pixels & {stamp.sizes[0].tobytes() for stamp in kept.planes}
    assert len(marks.sources(stamps)) == 8
    assert marks.holds_stamps(stamps)
    assert not marks.holds_stamps(stamps / "scratches")


def test_a_stamp_is_laid_where_the_truth_says(stamps: Path):
    held = marks.stamps(stamps)
    for seed in range(5):
        layer = marks.stamped(np.random.default_rng(seed), sheet(), held)
        assert layer.kind == "scratch"
        assert layer.opacity.shape == (SIDE, SIDE)
        assert layer.opacity.max() > 0.3


def test_stamps_add_to_the_damage_of_an_aged_picture(stamps: Path):
    picture = samples.coffee()
    without = ageing.age(picture, seed=3, severity=0.6)[1]
    held = marks.stamps(stamps)
    assert (ageing.age(picture, seed=3, severity=0.6, stamps=held)[1] > 0).sum() > (
        without > 0
    ).sum()


def test_wires_beads_lace_eyes_letters_and_twigs_are_drawn_into_the_picture():
    for draw in lookalikes.KINDS:
        drawn = [np.asarray(draw(SIDE, np.random.default_rng(seed))) for seed in range(4)]
        assert max((plane > 0).mean() for plane in drawn) > 0.001
    decorated = lookalikes.decorated(crop(), np.random.default_rng(1))
    assert decorated.shape == crop().shape
    assert not np.array_equal(decorated, crop())


def test_the_frame_of_a_negative_wipes_what_was_true_beneath():
    everywhere = np.ones((SIDE, SIDE, len(PLANES)), bool)
    _, truth = lookalikes.framed(crop(), everywhere, np.random.default_rng(2))
    wiped = ~truth.any(axis=2)
    assert 0.05 < wiped.mean() < 0.41
    assert wiped.any(axis=1).all() != wiped.any(axis=0).all() or wiped.all(axis=1).any()


def test_each_fault_of_a_print_changes_it_and_keeps_it_a_picture():
    faults = (emulsion.faded, emulsion.toned, emulsion.yellowed, emulsion.screened)
    for fault in (*faults, emulsion.grained, emulsion.softened):
        found = fault(crop(), np.random.default_rng(1), sheet())
        assert found.shape == crop().shape
        assert np.abs(found - crop()).mean() > 0.002
    dark = np.full((SIDE, SIDE, 3), 0.05, np.float32)
    edge = Sheet((SIDE, SIDE), (900, 1200), (0, 0), 1.0)
    shining = emulsion.silvered(dark, np.random.default_rng(1), edge)
    assert shining.mean() > dark.mean() + 0.02
    assert shining[..., 2].mean() > shining[..., 0].mean()


def test_examples_are_repeatable_and_some_are_sound(stamps: Path):
    need("torch")
    from restoration.training.lessons import damage

    held = marks.stamps(stamps)
    pairs = [damage.example(crop(), np.random.default_rng(seed), held) for seed in range(14)]
    for seed, made in enumerate(pairs[:6]):
        again = damage.example(crop(), np.random.default_rng(seed), held)
        assert all(np.array_equal(*each) for each in zip(made, again, strict=True))
    for image, truth, counts in pairs:
        assert image.shape == (SIDE, SIDE, 3)
        assert counts.shape == truth.shape[:2]
        assert (counts > 0).all()
    share = [truth[..., 0].any() for _, truth, _ in pairs]
    assert 0.4 < np.mean(share) < 1


def test_a_mark_lost_in_leaves_counts_little_and_a_clear_one_whole():
    need("torch")
    from restoration.training.lessons import damage

    leaves = np.random.default_rng(1).uniform(0.2, 0.8, (SIDE, SIDE, 1)).astype(np.float32)
    sound = np.repeat(leaves, 3, axis=2)
    sound[:, 64:] = 0.4
    truth = layers.untouched(sound.shape)
    line = np.zeros((SIDE, SIDE), np.float32)
    line[60:63] = 0.5
    paint = np.full((1, 1, 3), 0.6, np.float32)
    marked = layers.laid(sound, truth, layers.Layer(line, paint, "scratch"))
    counts = damage._counts(sound, marked, truth)
    assert (counts[61, 80:] == 1).all()
    assert counts[61, :60][truth[61, :60, 0]].mean() < 0.5
    assert (counts[59, 80:] == damage.RIM).all()
    assert (counts[20] == 1).all()


@pytest.mark.slow
def test_the_shelf_takes_stamps_from_a_folder_of_them(stamps: Path):
    need("torch")
    from restoration.training.lessons import damage

    shelf = damage.shelf([stamps], seed=1, leaves=2)
    assert len(shelf.pictures) == 2
    assert (len(shelf.stamps.planes), len(shelf.stamps_kept.planes)) == (8, 2)
    lesson = damage.lesson()
    image, truth = lesson.batch(shelf, np.random.default_rng(1))
    assert image.shape == (damage.EXAMPLES, 3, damage.SIDE, damage.SIDE)
    told = len(PLANES) + 1  # and how much each pixel counts
    assert truth.shape == (damage.EXAMPLES, told, damage.SIDE, damage.SIDE)
    plain = pictures.shelf([], seed=1, leaves=1, least=damage.SIDE)
    assert lesson.batch(plain, np.random.default_rng(1))[0].shape == image.shape


@pytest.fixture(scope="module")
def scan(tmp_path_factory) -> Path:
    """A sound picture with one clear fleck of dust."""
    folder = tmp_path_factory.mktemp("sound")
    wall = samples.noisy(np.full((272, 320, 3), 0.45, np.float32), 3)
    wall[121:124, 161:164] = 1
    Pillow.fromarray((wall * 255).astype(np.uint8)).save(folder / "wall.png")
    return folder


@pytest.mark.slow
def test_in_a_sound_scan_a_clear_fleck_does_not_count(scan: Path):
    (found,) = sound.scans([scan], SIDE)
    assert found.doubled
    assert not found.counts[120:125, 160:165].any()
    assert found.counts.mean() > 0.99
    assert not len(found.alarms)
    assert sound.scans([scan], 400) == ()


def test_on_a_sound_scan_a_doubt_counts_only_where_a_person_looked(
    scan: Path, tmp_path, monkeypatch
):
    def unsure(image: np.ndarray) -> np.ndarray:
        planes = np.zeros((*image.shape[:2], 4), np.uint8)
        planes[60:64, 40:44] = planes[60:64, 240:244] = 200
        return planes

    monkeypatch.setattr(finder, "answered", unsure)
    monkeypatch.setattr(finder, "kept", lambda planes, *rest: np.zeros(planes.shape[:2], bool))
    shutil.copy(scan / "wall.png", tmp_path)
    (tmp_path / sound.LOOKED_AT).write_text("file,left,top,right,bottom\nwall.png,0,0,0.5,1\n")
    (found,) = sound.scans([tmp_path], SIDE)
    assert found.counts[60, 40]
    assert not found.counts[60, 240]
    assert found.alarms[:, 1].max() < 160


@pytest.mark.parametrize(
    "line",
    [
        "wall.png,0.5,0,0.2,1",
        "wall.png,0,0,1.5,1",
        "wall.png,a,0,1,1",
        "wall.png,0,0",
        "other.png,0,0,1,1",
    ],
)
def test_a_line_that_names_no_box_or_no_picture_is_refused(scan: Path, tmp_path, line: str):
    shutil.copy(scan / "wall.png", tmp_path)
    (tmp_path / sound.LOOKED_AT).write_text(
        f"file,left,top,right,bottom\nwall.png,0,0,1,1\n{line}\n", encoding="utf-8-sig"
    )
    with pytest.raises(ValueError, match=r"looked_at\.csv, line 3"):
        sound.looked_at([tmp_path])


def test_half_of_the_windows_of_a_scan_lie_where_a_false_alarm_is():
    picture = np.zeros((400, 400, 3), np.uint8)
    alarms = np.array([[300, 350]], np.int32)
    scan = sound.Scan(picture, np.ones((400, 400), bool), alarms, doubled=True)
    scan.picture[300, 350] = 255
    rng = np.random.default_rng(1)
    hit = np.mean([scan.window(rng, 64)[0].any() for _ in range(120)])
    assert 0.42 < hit < 0.66


def test_a_lone_speck_on_a_calm_ground_is_all_that_is_true():
    ground = np.full((SIDE, SIDE, 3), 0.4, np.float32)
    for seed in range(8):
        image, truth = marks.lone(ground, np.random.default_rng(seed))
        changed = np.abs(image - ground).max(axis=2) > 0.1
        assert 1 <= truth[..., PLANES.index("damage")].sum() < 200
        assert not (
            truth[..., PLANES.index("damage")] & ~(np.abs(image - ground).max(axis=2) > 0)
        ).any()
        assert not (changed & ~truth[..., PLANES.index("damage")]).any()


def test_half_of_the_windows_of_clean_pictures_lie_where_a_false_alarm_is(
    stamps: Path, monkeypatch
):
    need("torch")
    from restoration.training.lessons import damage

    def asked(image: np.ndarray) -> np.ndarray:
        return (image[..., :1] == 1).astype(np.uint8) * 255

    monkeypatch.setattr(finder, "asked", asked)
    dark = np.zeros((400, 400, 3), np.uint8)
    beaded = dark.copy()
    beaded[300, 350] = 255
    too_large = np.full((100, sound.LONGEST + 16, 3), 255, np.uint8)
    alarmed = sound.alarmed([dark, beaded, too_large])
    assert [(picture is beaded, places.tolist()) for picture, places in alarmed] == [
        (True, [[300, 350]])
    ]
    shelf = damage.DamageShelf((dark,), (), (), marks.Stamps(), marks.Stamps(), alarmed=alarmed)
    rng = np.random.default_rng(1)
    hit = np.mean([shelf.crop(rng, 64).any() for _ in range(120)])
    assert 0.4 < hit < 0.66


@pytest.mark.slow
def test_on_a_sound_scan_only_what_was_put_there_is_damage(stamps: Path, scan: Path):
    need("torch")
    from restoration.training.lessons import damage

    held = marks.stamps(stamps)
    (old,) = sound.scans([scan], damage.SIDE)
    made = [damage.on_scan(old, np.random.default_rng(seed), held) for seed in range(12)]
    for image, truth, counts in made:
        assert image.shape == (damage.SIDE, damage.SIDE, 3)
        assert truth.shape[:2] == counts.shape == image.shape[:2]
    assert {bool(truth.any()) for _, truth, _ in made} == {True, False}
    shelf = damage.with_scans(damage.shelf([stamps], seed=1, leaves=2), [scan])
    assert shelf.sources[-1][0].endswith("wall.png")
    assert len(shelf.scans) == 1


@pytest.mark.slow
def test_a_deeper_network_begins_where_a_shallower_one_ended():
    need("torch")
    import torch

    from restoration.training.lessons import damage

    shallow = damage.Finder().state_dict()
    for name in list(shallow):
        if any(new in name for new in (".coarse.2.", ".coarse.3.", ".below.")):
            del shallow[name]
    deep = damage.Finder()
    deep.load_state_dict(damage.deepened(shallow))
    seen = torch.rand(1, 3, 32, 32)
    before = deep(seen)
    for name, value in deep.named_parameters():
        if ".coarse.3.first" in name or ".below.blocks." in name:
            value.data.zero_()
    assert torch.equal(before, deep(seen))
