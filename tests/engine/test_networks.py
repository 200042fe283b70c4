"""Our own networks answer the same whole or in tiles, from memory or from the disk, or refuse."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from restoration.engine import networks
from restoration.engine.errors import BadInput, Cancelled, StepFailed
from tests.engine import pictures
from tests.engine import tiny as tiny_networks

TOLD = (25 / 255, 0.0, 0.0, 0.0)  # what a test tells clean-grey: noise, and nothing else
ROOT = Path(networks.__file__).parents[2]


def grey(side: int = 152) -> NDArray[np.float32]:
    return pictures.noisy(pictures.camera(side), 25)[..., 0]


@pytest.fixture
def tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(networks, "TILE", 128)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as `shipped`, with `double` in it: three bands in, three of twice the size out."""
    folder = tmp_path_factory.mktemp("shipped")
    tiny_networks.ship(folder, "double", channels=3, scale=2)
    return folder


def test_tiles_leave_no_seam(tiles: None, monkeypatch: pytest.MonkeyPatch):
    tiled = networks.answer("clean-grey", grey(), TOLD)
    monkeypatch.setattr(networks, "TILE", 1056)
    whole = networks.answer("clean-grey", grey(), TOLD)
    assert np.abs(tiled - whole).max() < 1e-3
    assert np.abs(whole[..., 0] - grey()).max() > 0.05


def test_a_network_that_doubles_is_tiled_alike(
    tiny: Path, tiles: None, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(networks, "SHIPPED", tiny)
    picture = pictures.astronaut(203)[:, :171]
    tiled = networks.answer("double", picture)
    monkeypatch.setattr(networks, "TILE", 1056)
    whole = networks.answer("double", picture)
    assert tiled.shape == (406, 342, 3)
    assert np.abs(tiled - whole).max() < 1e-3
    assert np.ptp(whole) > 0.05


@pytest.mark.parametrize("network", ["clean-grey", "damage"])
@pytest.mark.parametrize("side", [1, 7, 95, 104, 105, 137, 1000, 10_007])
def test_every_pixel_is_answered_once(side: int, network: str, tiles: None):
    spans = networks._spans(side, networks.multiple(network))
    counted = np.zeros(2 * (spans.starts[-1] + spans.size), np.float32)
    for number, start in enumerate(spans.starts):
        counted[2 * start : 2 * (start + spans.size)] += spans.weights(number, 2)
    assert np.allclose(counted, 1, atol=1e-6)
    assert len(counted) >= 2 * (side + 2 * networks.RIM)
    assert spans.size <= networks.TILE
    multiple = networks.multiple(network)
    assert not any(place % multiple for place in (*spans.starts, spans.size))


def test_the_same_bytes_come_from_one_thread_and_from_many(tiles: None):
    answers = [networks.answer("clean-grey", grey(), TOLD, threads=n) for n in (1, 2, 3, 1)]
    assert all(np.array_equal(answers[0], other) for other in answers[1:])


def test_sixteen_bits_go_through_from_disk_to_disk(tiles: None, tmp_path: Path):
    levels = np.rint(grey() * 65535).astype(np.uint16)
    scan = np.memmap(tmp_path / "scan", np.uint16, "w+", shape=levels.shape)
    scan[:] = levels
    kept = np.memmap(tmp_path / "kept", np.uint16, "w+", shape=levels.shape)
    networks.answer("clean-grey", scan, TOLD, out=kept)
    wanted = networks.answer("clean-grey", levels.astype(np.float32) / 65535, TOLD)[..., 0]
    assert np.abs(kept / 65535 - np.clip(wanted, 0, 1)).max() < 1 / 65535
    assert len(np.unique(kept)) > 2000
    assert np.array_equal(scan, levels)


def flat(tile: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.broadcast_to(np.array(TOLD, np.float32), (len(tile) // 2, tile.shape[1] // 2, 4))


def test_conditions_may_be_numbers_a_map_or_made_for_each_tile(tiles: None):
    told = np.broadcast_to(np.array(TOLD, np.float32), (76, 76, 4))
    numbers = networks.answer("clean-grey", grey(), TOLD)
    mapped = networks.answer("clean-grey", grey(), told)
    made = networks.answer("clean-grey", grey(), flat)
    assert np.array_equal(numbers, mapped)
    assert np.array_equal(numbers, made)


def test_progress_is_told_after_each_tile_and_may_cancel(tiles: None):
    told: list[float] = []

    def until_half(fraction: float, preview: Any) -> None:
        told.append(fraction)
        if fraction >= 0.5:
            raise Cancelled

    with pytest.raises(Cancelled):
        networks.answer("clean-grey", grey(200), TOLD, progress=until_half)
    assert len(told) > 3
    assert told == sorted(told)
    assert told[-1] < 0.7


@pytest.mark.parametrize(
    ("picture", "code"),
    [
        (np.zeros((64, 64), np.float64), "image-dtype"),
        (np.zeros((64, 64, 3), np.float32), "image-shape"),
        (np.zeros((0, 64), np.float32), "image-shape"),
    ],
)
def test_what_is_no_picture_is_refused(picture: NDArray[Any], code: str):
    with pytest.raises(BadInput) as refused:
        networks.answer("clean-grey", picture, TOLD)
    assert refused.value.code == code


def test_an_altered_file_is_refused_and_a_missing_one_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    shutil.copytree(networks.SHIPPED, tmp_path / "shipped")
    monkeypatch.setattr(networks, "SHIPPED", tmp_path / "shipped")
    model = tmp_path / "shipped" / "clean-grey.onnx"
    model.write_bytes(model.read_bytes()[:-1] + b"x")
    with pytest.raises(StepFailed, match="network-altered"):
        networks.answer("clean-grey", grey(64), TOLD)
    model.unlink()
    for name in ("clean-grey", "no-such"):
        with pytest.raises(StepFailed, match="network-missing"):
            networks.answer(name, grey(64), TOLD)


def test_an_answer_that_is_no_number_fails():
    holed = grey(64).copy()
    holed[30, 30] = np.nan
    with pytest.raises(StepFailed, match="network-answer"):
        networks.answer("clean-grey", holed, TOLD)


def in_a_process(code: str, *arguments: str) -> str:
    """What a fresh interpreter prints that cannot load torch."""
    code = f"import sys\nsys.modules['torch'] = None\n{code}"
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def test_the_networks_run_where_torch_is_not_installed():
    code = """
import numpy as np
from restoration.engine import networks
assert "onnxruntime" not in sys.modules
print(networks.answer("clean-grey", np.full((48, 56), 0.5, np.float32), (0, 0, 0, 0)).shape)
"""
    assert in_a_process(code) == "(48, 56, 1)\n"


HUNDRED_MEGAPIXELS = """
from pathlib import Path
import numpy as np
from restoration.engine import networks
from tests.engine.memory import own_memory
networks.SHIPPED = Path(sys.argv[1])
scan = np.memmap(sys.argv[2] + "/scan", np.uint16, "w+", shape=(10_000, 10_000, 3))
kept = np.memmap(sys.argv[2] + "/kept", np.uint16, "w+", shape=(20_000, 20_000, 3))
with own_memory() as held:
    networks.answer("double", scan, out=kept)
print(held.most)
"""


@pytest.mark.slow
def test_a_hundred_megapixels_need_no_more_memory_than_a_strip(tiny: Path, tmp_path: Path):
    assert int(in_a_process(HUNDRED_MEGAPIXELS, str(tiny), str(tmp_path))) < 1.5 * 2**20
