"""A network is taught, stopped, gone on with, and written for ONNX Runtime."""

import io
import math
from pathlib import Path

import numpy as np
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from restoration.training.leaves import leaf_picture
from restoration.training.pictures import Shelf
from tests.services.need import need


@pytest.fixture(autouse=True)
def _torch() -> None:
    need("torch")


@pytest.fixture(scope="module")
def shelf() -> Shelf:
    rng = np.random.default_rng(5)
    pictures = tuple(leaf_picture(rng, 104) for _ in range(3))
    return Shelf(pictures, pictures[:1], (("own/leaf.png", "0" * 64),))


def lesson(stop_at: int = 0):
    """The grey cleaner on a network of a few hundred weights; Ctrl-C at that example."""
    from dataclasses import replace

    from restoration.training.lessons import clean
    from restoration.training.networks import Network, Shape

    whole = clean.grey()
    calls = iter(range(1, 100))

    def batch(shelf, rng):
        if next(calls) == stop_at:
            raise KeyboardInterrupt
        return whole.batch(shelf, rng)

    shape = Shape(1, 4, 1, (4, 4, 4), (1, 1, 1))
    return replace(whole, build=lambda: Network(shape), batch=batch)


def taught(what, shelf: Shelf, checkpoint: Path):
    from restoration.training.school import Term, teach

    network, _ = teach(what, shelf, Term(seed=3, steps=4, quick=False), checkpoint)
    return np.concatenate([value.detach().numpy().ravel() for value in network.parameters()])


@pytest.mark.slow
def test_a_stopped_run_goes_on_to_what_an_unbroken_one_gives(shelf, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        taught(lesson(stop_at=3), shelf, tmp_path / "broken")
    gone_on = taught(lesson(), shelf, tmp_path / "broken")
    unbroken = taught(lesson(), shelf, tmp_path / "whole")
    assert np.array_equal(gone_on, unbroken)


def test_a_checkpoint_of_another_seed_is_not_gone_on_with(shelf, tmp_path):
    from restoration.training.school import OtherRunError, Term, teach

    taught(lesson(), shelf, tmp_path / "kept")
    with pytest.raises(OtherRunError, match="seed 3"):
        teach(lesson(), shelf, Term(seed=4, steps=4), tmp_path / "kept")


def test_the_rate_warms_up_and_falls_to_almost_nothing():
    from restoration.training.school import rate

    assert rate(1.0, 0, 0.0) < 0.02 < rate(1.0, 500, 0.1)
    assert rate(1.0, 500, 1.0) < 0.01


def test_a_run_can_learn_at_a_rate_of_its_own(shelf, tmp_path):
    from restoration.training.school import Term, teach

    def moved(rate: float) -> float:
        term = Term(seed=3, steps=1, quick=False, rate=rate)
        before = lesson().build().state_dict()["leave.bias"]
        network, _ = teach(lesson(), shelf, term, tmp_path / str(rate))
        return float((network.state_dict()["leave.bias"] - before).abs().max())

    assert moved(1e-5) < 0.05 * moved(0.0)


@pytest.mark.parametrize(("bits", "bytes_a_weight"), [(16, 2.2), (8, 1.25)])
def test_the_file_answers_as_the_network_does(tmp_path, bits, bytes_a_weight):
    import onnxruntime
    import torch

    from restoration.training.export import export, weights

    network = lesson().build()
    torch.nn.init.normal_(network.leave.weight, std=0.05)
    file = tmp_path / "small.onnx"
    export(network, {"picture": (1, 1), "conditions": (4, 2)}, file, bits)
    numbers = sum(each.numel() for each in network.parameters())
    assert file.stat().st_size < bytes_a_weight * numbers + 20_000
    picture, told = torch.rand(2, 1, 40, 24), torch.rand(2, 4, 20, 12)
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    given = session.run(None, {"picture": picture.numpy(), "conditions": told.numpy()})[0]
    with torch.inference_mode():
        assert np.abs(given - network(picture, told).numpy()).max() < 1e-4
    begun = lesson().build()
    begun.load_state_dict(weights(file))
    assert torch.equal(begun.leave.weight, network.leave.weight)


def test_a_colour_network_begins_with_what_the_grey_one_knows():
    import torch

    from restoration.training.lessons import clean
    from restoration.training.networks import Network, Shape

    small = ((4, 4, 4), (1, 1, 1))
    grey, colour = Network(Shape(1, 4, 1, *small)), Network(Shape(3, 4, 3, *small))
    torch.nn.init.normal_(grey.leave.weight, std=0.05)
    colour.load_state_dict(clean.widened(grey.state_dict(), 3))
    seen, told = torch.rand(1, 1, 16, 16), torch.rand(1, 4, 8, 8)
    with torch.inference_mode():
        answer = colour(seen.repeat(1, 3, 1, 1), told)
        assert torch.allclose(answer, grey(seen, told).repeat(1, 3, 1, 1), atol=1e-5)


def test_a_file_that_answers_otherwise_is_not_written(tmp_path):
    import torch

    from restoration.training.export import UnlikeError, export

    class Unsteady(torch.nn.Module):
        """Says at a large picture what it did not say at the small one it was traced with."""

        def forward(self, picture):
            return picture * (2.0 if picture.shape[2] > 64 else 1.0)

    with pytest.raises(UnlikeError):
        export(Unsteady(), {"picture": (1, 1)}, tmp_path / "wrong.onnx")
    assert not (tmp_path / "wrong.onnx").exists()


@pytest.mark.parametrize(("took", "expected"), [(0.4, True), (0.95, False), (4.0, False)])
def test_halves_are_used_only_where_they_are_clearly_quicker(monkeypatch, took, expected):
    import torch

    from restoration.training import school

    seconds = {torch.bfloat16: took, torch.float32: 1.0}
    monkeypatch.setattr(school, "_seconds", seconds.__getitem__)
    school.halves.cache_clear()
    assert school.halves("cpu") is expected
    assert school.halves("cuda:0")
    school.halves.cache_clear()


def test_an_arithmetic_is_timed_on_a_layer_and_its_gradient():
    import torch

    from restoration.training import school

    assert 0 < school._seconds(torch.float32) < 60


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    from PIL import Image

    folder = tmp_path / "clean" / "own"
    folder.mkdir(parents=True)
    rng = np.random.default_rng(8)
    for number in range(9):
        Image.fromarray(leaf_picture(rng, 136)).save(folder / f"leaf{number}.png")
    rows = "".join(f"own/leaf{number}.png,CC0 1.0\n" for number in range(9))
    (folder.parent / "manifest.csv").write_text(f"file,licence\n{rows}")
    return folder.parent


@pytest.mark.slow
def test_the_command_writes_the_file_and_its_card(pictures, tmp_path):
    said = io.StringIO()
    order = ["clean-grey", "--photos", str(pictures), "--steps", "1", "--leaves", "1"]
    call_command("train", *order, "--threads", "1", "--out", str(tmp_path), stdout=said)
    card = (tmp_path / "clean-grey.md").read_text()
    assert "sha256" in said.getvalue()
    assert "| CC0 1.0 | 9 |" in card
    assert "own/leaf4.png" in card
    assert "psnr_25" in card
    assert "1 steps" in card
    assert "| rate | 0.001 |" in card


@pytest.mark.parametrize(
    ("order", "sentence"),
    [
        (["clean-grey"], "how long"),
        (["clean-grey", "--steps", "1", "--photos", "/nowhere"], "no folder"),
        (["clean-grey", "--steps", "1", "--leaves", "0"], "procedural"),
        (["clean-grey", "--steps", "1", "--from", "/nowhere.onnx"], "no file"),
        (["clean-grey", "--steps", "1", "--rate", "-1"], "rate of learning"),
        (["clean-grey", "--steps", "1", "--rate", "nan"], "rate of learning"),
        (["clean-grey", "--steps", "1", "--rate", "inf"], "rate of learning"),
        (["clean-grey", "--steps", "1", "--rate", "0"], "rate of learning"),
        (["clean-grey", "--minutes", "nan"], "how long"),
        (["clean-grey", "--minutes", "1", "--steps", "-1"], "how long"),
        (["clean-grey", "--steps", "1", "--threads", "-1"], "--threads is a number from 0"),
        (["clean-grey", "--steps", "1", "--seed", "-1"], "--seed is a number from 0"),
        (["clean-grey", "--steps", "1", "--leaves", "-5"], "--leaves is a number from 0"),
        (["damage", "--steps", "1", "--sound", "/nowhere"], "no folder"),
        (["clean-grey", "--steps", "1", "--sound", "."], "does not learn"),
        (["clean-grey", "--steps", "1", "--device", "abacus"], "no device"),
        (["clean-grey", "--steps", "1", "--device", "cpu:9"], "cpu:9 is no device"),
        (["clean-grey", "--steps", "1", "--out", __file__], "There can be no folder"),
        (["poetry", "--steps", "1"], "poetry"),
    ],
)
def test_an_order_that_cannot_be_carried_out_is_answered_with_a_sentence(order, sentence):
    with pytest.raises(CommandError, match=sentence):
        call_command("train", *order)


@pytest.fixture
def unfit(tmp_path: Path) -> Path:
    """A folder with a file that is no network, one of no picture, and one without any."""
    for name in ("no.onnx", "broken/a.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("neither a network nor a picture")
    (tmp_path / "empty.onnx").write_bytes(b"")
    (tmp_path / "none").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("order", "sentence"),
    [
        (["clean-grey", "--leaves", "1", "--from", "{0}/no.onnx"], "no.onnx is no network"),
        (["damage", "--leaves", "1", "--from", "{0}/empty.onnx"], "empty.onnx is no network"),
        (["damage", "--leaves", "1", "--from", "{shipped}/clean-grey.onnx"], "network of damage"),
        (["clean-grey", "--leaves", "0", "--photos", "{0}/none"], "no picture there"),
        (["clean-grey", "--photos", "{0}/broken"], "a.jpg cannot be read as a picture"),
        (["faces", "--photos", "{0}/none"], "faces.json"),
    ],
)
def test_what_cannot_be_learnt_from_is_named(unfit, order, sentence):
    from restoration.training.teaching import SHIPPED

    words = [word.format(unfit, shipped=SHIPPED) for word in order]
    with pytest.raises(CommandError, match=sentence) as refusal:
        call_command("train", *words, "--steps", "1", "--out", str(unfit / "out"))
    assert str(refusal.value).startswith("Not taught: ")


def test_a_run_that_diverges_keeps_what_it_had_and_says_so(shelf, tmp_path):
    from restoration.training.school import DivergedError, Term, teach

    taught(lesson(), shelf, tmp_path / "kept")
    before = (tmp_path / "kept").read_bytes()
    with pytest.raises(DivergedError, match="lower --rate"):
        teach(lesson(), shelf, Term(seed=3, steps=8, quick=False, rate=math.inf), tmp_path / "kept")
    assert (tmp_path / "kept").read_bytes() == before


def test_a_network_of_no_numbers_is_neither_written_nor_shipped(tmp_path, monkeypatch):
    import torch

    from restoration.training import export, teaching
    from restoration.training.school import DivergedError, Progress, Term

    network = lesson().build()
    torch.nn.init.constant_(network.leave.weight, math.nan)
    order = teaching.Order(
        "clean-grey", (), Term(steps=1), tmp_path / "kept", tmp_path / "taught.onnx"
    )
    none = Shelf((), (), ())
    with pytest.raises(DivergedError):
        teaching.finish(order, lesson(), network, Progress(1, 1.0, 1.0, 0.0), none)
    with pytest.raises(export.UnlikeError):
        export.export(network, lesson().inputs, order.file)
    assert not order.file.exists()
    monkeypatch.setattr(export, "_compare", lambda *_: None)
    export.export(network, lesson().inputs, order.file)
    monkeypatch.setattr(teaching, "SHIPPED", tmp_path / "shipped")
    with pytest.raises(DivergedError):
        teaching.ship("clean-grey", order.file)
    assert not (tmp_path / "shipped").exists()


def test_a_box_that_is_none_is_told_before_anything_is_loaded(tmp_path):
    (tmp_path / "looked_at.csv").write_text("file,left,top,right,bottom\nwall.png,0,0,1,1\n")
    with pytest.raises(CommandError, match="line 2"):
        call_command("train", "damage", "--steps", "1", "--sound", str(tmp_path))


def test_every_shipped_network_is_pinned_and_has_a_card():
    import hashlib

    from restoration.training.teaching import CARDS, SHIPPED

    pins = dict(line.split()[::-1] for line in (SHIPPED / "SHA256SUMS").read_text().splitlines())
    files = {file.name: file for file in SHIPPED.glob("*.onnx")}
    assert set(pins) == set(files)
    for name, file in files.items():
        assert hashlib.sha256(file.read_bytes()).hexdigest() == pins[name]
        assert pins[name] in (CARDS / name).with_suffix(".md").read_text()
    assert sum(file.stat().st_size for file in files.values()) <= 12_000_000
