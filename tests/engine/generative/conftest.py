"""Tiny models on disk, made once for all tests here; without torch these tests say so and rest."""

import gc
from pathlib import Path

import numpy as np
import pytest

from restoration.engine.plan import Prompt
from restoration.engine.step import StepContext
from tests.benchmarks.registration import picture
from tests.services.need import need


def pytest_configure(config):
    config.addinivalue_line("markers", "generative: runs tiny diffusion models; needs torch")


def pytest_runtest_setup(item):
    """Before any fixture loads torch: left out without it, a failure where all is required."""
    if item.get_closest_marker("generative"):
        need("torch")


@pytest.fixture(scope="session")
def models(tmp_path_factory) -> Path:
    """A models directory with a faithful tiny model under every name in the registry."""
    import torch

    from tests.engine.generative import tiny

    torch.set_num_threads(1)  # so small a network only loses time when two cores share it
    folder = tmp_path_factory.mktemp("models")
    tiny.save_all(folder, faithful=True)
    # The engine looks for what nobody refers to after each failure; half a million objects of
    # libraries, which stay anyway, would be looked through every time.
    gc.collect()
    gc.freeze()
    return folder


@pytest.fixture(scope="session")
def workshop(models):
    from restoration.engine.generative.workshop import Workshop

    return Workshop(models, device="cpu", most_pixels=16_000)


@pytest.fixture(autouse=True)
def _nothing_is_learnt_for_the_next(request):
    """What one test let run out of memory, another may draw at its full size."""
    yield
    if "workshop" in request.fixturenames:
        request.getfixturevalue("workshop").worked.clear()


@pytest.fixture(scope="session")
def cat() -> np.ndarray:
    """A real picture of an odd size, 301 wide and 203 high."""
    return np.ascontiguousarray(picture("chelsea")[:203, :301])


@pytest.fixture(scope="session")
def piece(cat) -> np.ndarray:
    """A part of the cat, 129 wide and 96 high, for what must be quick."""
    return np.ascontiguousarray(cat[60:156, 100:229])


@pytest.fixture(scope="session")
def hole(piece) -> np.ndarray:
    """Where the piece is damaged, uint8, 255 on forty by ten pixels."""
    drawn = np.zeros(piece.shape[:2], dtype=np.uint8)
    drawn[50:60, 40:80] = 255
    return drawn


@pytest.fixture(scope="session")
def context(cat, workshop):
    """Build a step's context around the cat; what is given by name replaces the default."""

    def build(**given):
        image = given.get("image", cat)
        filled = {
            "image": image,
            "reference": image,
            "prompt": Prompt(words="a tabby cat", facts=("the eyes are green",)),
            "seed": 5,
            "workshop": workshop,
        }
        return StepContext(**{**filled, **given})

    return build
