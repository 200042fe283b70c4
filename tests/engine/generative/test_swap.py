import shutil

import pytest

from restoration.engine.errors import StepFailed
from restoration.engine.generative.weights import lock
from restoration.engine.generative.workshop import Workshop

pytestmark = pytest.mark.generative


def swap(folder):
    shutil.copytree(folder, folder.with_name("new"))
    file = folder.with_name("new") / "unet" / "diffusion_pytorch_model.safetensors"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    lock(folder.with_name("new"))
    folder.rename(folder.with_name("old"))
    folder.with_name("new").rename(folder)


def test_a_folder_that_is_swapped_while_it_is_loaded_is_not_kept(models, tmp_path, monkeypatch):
    shutil.copytree(models / "sd15", tmp_path / "sd15")
    honest = Workshop._pipeline

    def swapped(self, info, *rest):
        swap(info.path)
        return honest(self, info, *rest)

    own = Workshop(tmp_path, device="cpu")
    with monkeypatch.context() as patch:
        patch.setattr(Workshop, "_pipeline", swapped)
        with pytest.raises(StepFailed, match="weights-swapped"), own.lend("redraw"):
            pass
    assert own.loaded() == []
    with own.lend("redraw") as tool:
        assert tool.weights.digest


def test_networks_of_an_older_version_are_not_shared(models, tmp_path):
    for name in ("sd15", "sd15-tile-controlnet"):
        shutil.copytree(models / name, tmp_path / name)
    own = Workshop(tmp_path, device="cpu")
    with own.lend("redraw", "sd15") as old:
        swap(tmp_path / "sd15")
        with own.lend("redraw", "sd15-tile") as new:
            assert new.pipeline.unet is not old.pipeline.unet
