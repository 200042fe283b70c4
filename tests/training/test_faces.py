"""What the face lesson learns from: cuts with boxes, turned and scaled with the picture."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from restoration.training import faces

SIDE = 96


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two labelled pictures, one with a bright square for a face, and one without a label."""
    held = tmp_path / "album"
    held.mkdir()
    peopled = np.full((200, 160, 3), 40, np.uint8)
    peopled[60:100, 40:80] = 250
    for name, pixels in (("one", peopled), ("empty", peopled * 0 + 90), ("unknown", peopled)):
        Pillow.fromarray(pixels).save(held / f"{name}.png")
    labels = {"album/one.png": [[0.25, 0.3, 0.25, 0.2]], "album/empty.png": []}
    (held / "faces.json").write_text(json.dumps(labels))
    return tmp_path


def test_only_labelled_pictures_are_learnt_from(folder: Path) -> None:
    shelf = faces.shelf([folder], seed=0, leaves=2)
    assert [name for name, _ in shelf.sources] == ["album/empty.png", "album/one.png"]
    assert (len(shelf.peopled), len(shelf.empty)) == (1, 3)
    assert shelf.peopled[0].boxes.tolist() == [[40, 60, 40, 40]]


def test_a_folder_without_labels_is_refused(folder: Path) -> None:
    (folder / "album" / "faces.json").unlink()
    with pytest.raises(faces.UnlabelledError):
        faces.shelf([folder], seed=0, leaves=0)


def test_a_box_lies_on_its_face_however_the_cut_is_turned(folder: Path) -> None:
    shelf = faces.shelf([folder], seed=0, leaves=0)
    seen = 0
    for seed in range(40):
        cut = faces.with_faces(np.random.default_rng(seed), shelf, SIDE)
        for x, y, wide, high in cut.boxes:
            row, column = int(y + high / 2), int(x + wide / 2)
            assert cut.pixels[row, column].mean() > 0.8
            seen += 1
    assert seen > 20


def test_a_crowd_is_drawn_by_the_root_of_its_faces(folder: Path) -> None:
    """Nine faces on one picture and one on another: three draws to one."""
    pixels = np.full((200, 160, 3), 40, np.uint8)
    Pillow.fromarray(pixels).save(folder / "album" / "crowd.png")
    crowd = [[0.05 + 0.1 * each, 0.1, 0.05, 0.05] for each in range(9)]
    labels = {"album/one.png": [[0.25, 0.3, 0.25, 0.2]], "album/crowd.png": crowd}
    (folder / "album" / "faces.json").write_text(json.dumps(labels))
    shelf = faces.shelf([folder], seed=0, leaves=0)
    rng = np.random.default_rng(0)
    drawn = [len(shelf.face(rng)[0].boxes) == 9 for _ in range(2000)]
    assert 0.71 < np.mean(drawn) < 0.79


def test_what_may_be_a_face_is_neither_learnt_nor_punished(folder: Path) -> None:
    from restoration.training.lessons.faces import COUNTED, HEAT, target

    labels = {"album/one.png": [[0.25, 0.3, 0.25, 0.2], [0.6, 0.3, 0.25, 0.2, 0]]}
    (folder / "album" / "faces.json").write_text(json.dumps(labels))
    shelf = faces.shelf([folder], seed=0, leaves=1)
    assert [len(each) for each in (shelf.peopled[0].boxes, shelf.peopled[0].unsure)] == [1, 1]
    seen = 0
    for seed in range(40):
        cut = faces.with_faces(np.random.default_rng(seed), shelf, SIDE)
        told = target(cut)
        for x, y, wide, high in cut.unsure:
            row, column = int((y + high / 2) / 8), int((x + wide / 2) / 8)
            if 0 <= row < told.shape[1] and 0 <= column < told.shape[2]:
                seen += told[HEAT, row, column] < 1 and told[COUNTED, row, column] == 0
    assert seen > 10


def test_a_small_face_is_not_blown_up(folder: Path) -> None:
    shelf = faces.shelf([folder], seed=0, leaves=0)
    drawn = [faces.with_faces(np.random.default_rng(seed), shelf, SIDE) for seed in range(60)]
    sizes = [float(each.boxes[:, 2:].max()) for each in drawn if len(each.boxes)]
    assert max(sizes) <= 40 * faces.ENLARGED + 1e-6
    assert min(sizes) < 20


def test_the_network_that_is_kept_answers_as_the_taught_one() -> None:
    import torch

    from restoration.training.lessons.faces import lesson

    taught = lesson().build()
    picture = torch.rand(2, 1, 64, 64)
    with torch.no_grad():
        for value in taught.parameters():
            value.add_(0.05 * torch.randn_like(value))
        for _ in range(20):  # its norms see what pictures are like
            taught(torch.rand(4, 1, 64, 64))
        said = taught.eval()(picture)
        kept = lesson().finish(taught).eval()
        assert not any("norm" in name for name in kept.state_dict())
        torch.testing.assert_close(kept(picture), said, rtol=1e-4, atol=1e-4)
        again = lesson().build().eval()
        again.load_state_dict(lesson().adopt(kept.state_dict()))
        torch.testing.assert_close(again(picture), said, rtol=1e-4, atol=1e-4)


def test_a_crowd_has_a_box_for_each_head(folder: Path) -> None:
    shelf = faces.shelf([folder], seed=0, leaves=0)
    cut = faces.crowd(np.random.default_rng(3), shelf, 2 * SIDE)
    assert len(cut.boxes) > 1
    middles = (cut.boxes[:, :2] + cut.boxes[:, 2:] / 2).astype(int)
    assert all(cut.pixels[y, x].mean() > 0.8 for x, y in middles if max(x, y) < 2 * SIDE)


def test_no_picture_is_both_learnt_from_and_measured_on() -> None:
    measured = Path(__file__).parents[1] / "benchmarks" / "engine" / "faces.json"
    assert not json.loads(measured.read_text()).keys() & json.loads(faces.LABELS.read_text()).keys()
