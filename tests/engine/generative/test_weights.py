"""Weights are known by their hashes, and a pinned folder that changed is not used."""

import hashlib

import pytest

from restoration.engine.errors import StepFailed
from restoration.engine.generative.weights import measured, pin, verified


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "unet").mkdir()
    (tmp_path / "unet" / "model.safetensors").write_bytes(b"weights")
    (tmp_path / "notes.txt").write_bytes(b"not weights")
    return tmp_path


def test_only_safetensors_count(folder):
    sha256 = hashlib.sha256(b"weights").hexdigest()
    assert measured(folder).files == {"unet/model.safetensors": sha256}


def test_the_digest_covers_names_and_bytes(folder):
    before = measured(folder).digest
    (folder / "unet" / "model.safetensors").rename(folder / "unet" / "other.safetensors")
    assert measured(folder).digest != before


def test_an_unpinned_folder_is_measured(folder):
    assert verified(folder) == measured(folder)


def test_a_pinned_folder_keeps_its_revision(folder):
    pin(folder, "abc123")
    assert verified(folder).revision == "abc123"


def test_changed_weights_are_refused(folder):
    pin(folder, "abc123")
    (folder / "unet" / "model.safetensors").write_bytes(b"other weights")
    with pytest.raises(StepFailed, match="weights-changed") as refusal:
        verified(folder)
    assert refusal.value.facts["file"] == "unet/model.safetensors"


def test_added_weights_are_refused(folder):
    pin(folder, "abc123")
    (folder / "extra.safetensors").write_bytes(b"more")
    with pytest.raises(StepFailed, match="weights-changed"):
        verified(folder)
