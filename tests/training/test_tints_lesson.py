"""The finder learns that tints do not count, and keeps what it knows."""

import numpy as np
import pytest
from django.core.management import call_command

from restoration.engine import damage as finder
from restoration.engine import measure, networks
from restoration.engine.luma import chroma, luma
from restoration.training.pictures import Shelf
from tests.engine import pictures as samples
from tests.services.need import need


@pytest.fixture(autouse=True)
def _torch() -> None:
    need("torch")


@pytest.fixture(scope="module")
def shelf() -> Shelf:
    return Shelf(((samples.coffee()[:300, :300] * 255).astype(np.uint8),), (), ())


def test_a_print_in_any_tint_is_as_bright_as_it_was():
    from restoration.training.lessons.tints import printed

    light = luma(samples.coffee())
    tints = [printed(light, np.random.default_rng(seed)) for seed in range(8)]
    for print_ in tints:
        assert np.abs(luma(print_) - light).max() < 0.5 / 255
        assert measure.cast(print_, np.ones(light.shape, bool)).stray < measure.GREY_STRAY
    blues = [chroma(print_)[..., 2].mean() for print_ in tints]
    assert min(blues) < -0.02
    assert max(blues) > 0.02


def test_hues_turn_together_and_what_has_none_gets_none():
    from restoration.training.lessons.tints import turned

    warm = np.array([0.06, 0, -0.08], np.float32)
    sepia = np.clip(samples.coffee().mean(axis=2, keepdims=True) + warm, 0, 1)
    sepia[40:50, 40:50] = 0.9
    found = turned(sepia, np.random.default_rng(1))
    assert np.abs(luma(found) - luma(sepia)).max() < 0.5 / 255
    assert np.abs(chroma(found)[40:50, 40:50]).max() < 1 / 255
    before, after = (chroma(each)[100:200, 100:200].mean(axis=(0, 1)) for each in (sepia, found))
    assert before @ after < 0.9 * np.linalg.norm(before) * np.linalg.norm(after)


def test_the_answer_is_what_the_network_in_the_package_says_of_the_print_untinted(shelf):
    from restoration.training.lessons import tints

    shipped = tints._Pool().shipped
    for seed in range(6):
        picture, said = tints._asked(shipped, shelf, np.random.default_rng(seed))
        window = picture.astype(np.float32) / np.float32(255)
        engine = 255 * networks.at_once(finder.NETWORK, window)  # as it is, without a rim
        assert np.abs(said - engine).max() < 1
        shown, answer = tints._shown(picture, said, np.random.default_rng(seed))
        assert answer is said
        assert np.abs(luma(shown) - luma(picture / np.float32(255))).max() < 1 / 255


@pytest.mark.slow
def test_what_was_taught_takes_the_place_of_the_finder(tmp_path, monkeypatch):
    from restoration.training import teaching

    shipped = tmp_path / "shipped"
    shipped.mkdir()
    monkeypatch.setattr(teaching, "CARDS", tmp_path / "cards")
    first = teaching.SHIPPED / "damage.onnx"
    monkeypatch.setattr(teaching, "SHIPPED", shipped)
    call_command(
        "train", "damage-tints", "--steps", "2", "--leaves", "2", "--from", str(first),
        "--threads", "1", "--out", str(tmp_path), "--ship",
    )  # fmt: skip
    assert (shipped / "damage.onnx").stat().st_size == first.stat().st_size
    assert "manage.py train damage-tints" in (tmp_path / "cards" / "damage.md").read_text()
