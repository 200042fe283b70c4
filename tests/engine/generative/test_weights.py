"""A model's folder is known by its lock: what is not in it, or not as it says, is not loaded."""

import errno
import hashlib
import json
import os
import shutil
import threading

import pytest

from restoration.engine.errors import StepFailed
from restoration.engine.generative import weights
from restoration.engine.generative.weights import (
    LOCK,
    Swapped,
    held,
    lock,
    looked_over,
    parameters,
    read_lock,
    swapping,
    unready,
    verified,
)

NETWORK = "unet/model.safetensors"
HEADER = json.dumps({"a": {"dtype": "F16", "shape": [3, 4], "data_offsets": [0, 24]}}).encode()
TENSORS = len(HEADER).to_bytes(8, "little") + HEADER + bytes(24)


@pytest.fixture
def folder(tmp_path):
    """A locked model of two files."""
    tmp_path = tmp_path / "model"
    tmp_path.mkdir()
    (tmp_path / "unet").mkdir()
    (tmp_path / "unet" / "model.safetensors").write_bytes(TENSORS)
    (tmp_path / "model_index.json").write_text("{}")
    lock(tmp_path, repository="somebody/model", revision="abc123")
    return tmp_path


def refusal(folder):
    with pytest.raises(StepFailed) as refused:
        verified(folder)
    return refused.value.code, refused.value.facts.get("file")


def test_the_lock_lists_every_file_with_size_and_sha256(folder):
    content = json.loads((folder / LOCK).read_text())
    assert content["files"].keys() == {NETWORK, "model_index.json"}
    sha256 = hashlib.sha256(TENSORS).hexdigest()
    assert content["files"][NETWORK] == {"size": len(TENSORS), "sha256": sha256}
    assert (content["repository"], content["revision"]) == ("somebody/model", "abc123")
    assert content["trust"] == "first-use"


def test_only_networks_count_as_weights(folder):
    assert verified(folder).files == {NETWORK: hashlib.sha256(TENSORS).hexdigest()}
    assert verified(folder).revision == "abc123"
    assert verified(folder).size == len(TENSORS)


def test_parameters_are_counted_from_the_header(folder):
    assert verified(folder).numbers == 12
    assert parameters(folder / "model_index.json") == 0


def test_the_digest_covers_names_and_bytes(folder):
    before = verified(folder).digest
    (folder / "unet" / "model.safetensors").rename(folder / "unet" / "other.safetensors")
    lock(folder)
    assert verified(folder).digest != before


def test_a_folder_without_a_lock_is_refused(folder):
    (folder / LOCK).unlink()
    assert refusal(folder) == ("weights-unlocked", None)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"format": 2}', "no json", "[" * 100_000])
def test_a_lock_that_cannot_be_read_is_none(folder, content):
    (folder / LOCK).write_text(content)
    assert refusal(folder) == ("weights-unlocked", None)


@pytest.mark.parametrize("path", [NETWORK, "model_index.json"])
def test_an_altered_file_of_the_same_size_is_refused_by_name(folder, path):
    before = (folder / path).read_bytes()
    (folder / path).write_bytes(before[:-1] + b"!")
    assert refusal(folder) == ("weights-changed", path)


def test_another_size_is_seen_without_reading_the_file(folder):
    (folder / NETWORK).write_bytes(TENSORS + b"more")
    with pytest.raises(StepFailed, match="weights-changed"):
        looked_over(folder)


@pytest.mark.parametrize("path", ["extra.safetensors", "unet/config.json", "README.md"])
def test_an_unlisted_file_is_refused_by_name(folder, path):
    (folder / path).write_bytes(b"more")
    assert refusal(folder) == ("weights-unlisted", path)


def test_a_missing_file_is_named(folder):
    (folder / NETWORK).unlink()
    assert refusal(folder) == ("weights-missing", NETWORK)


@pytest.mark.parametrize("suffix", [".bin", ".pt", ".ckpt", ".PTH"])
def test_a_pickle_is_refused_and_cannot_be_locked(folder, suffix):
    (folder / f"model{suffix}").write_bytes(b"pickle")
    assert refusal(folder) == ("weights-pickled", f"model{suffix}")
    with pytest.raises(StepFailed, match="weights-pickled"):
        lock(folder)


def test_hidden_files_are_nobodys(folder):
    (folder / ".DS_Store").write_bytes(b"a file manager was here")
    (folder / ".cache" / "huggingface").mkdir(parents=True)
    (folder / ".cache" / "huggingface" / "left.safetensors").write_bytes(b"half")
    assert unready(folder) == ""
    assert verified(folder).files.keys() == {NETWORK}


def test_a_link_to_a_folder_is_refused_and_cannot_be_locked(folder, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "unet"
    (folder / "unet").rename(elsewhere)
    (folder / "unet").symlink_to(elsewhere)
    assert refusal(folder) == ("weights-linked", "unet")
    assert unready(folder) == "weights-linked"
    with pytest.raises(StepFailed, match="weights-linked"):
        lock(folder)


def test_files_that_are_links_as_in_the_hubs_cache_are_held_by_their_bytes(
    folder, tmp_path_factory
):
    blob = tmp_path_factory.mktemp("blobs") / hashlib.sha256(TENSORS).hexdigest()
    (folder / NETWORK).rename(blob)
    (folder / NETWORK).symlink_to(blob)
    lock(folder)
    assert verified(folder).files == {NETWORK: blob.name}
    blob.write_bytes(TENSORS[:-1] + b"!")
    assert refusal(folder) == ("weights-changed", NETWORK)


def swap(folder):
    """Put a copy of the folder in its place, as a fetch does on a share that knows no locks."""
    shutil.copytree(folder, folder.with_name("new"))
    lock(folder.with_name("new"), revision="def456")
    folder.rename(folder.with_name("old"))
    folder.with_name("new").rename(folder)


def test_what_was_swapped_while_it_was_loaded_is_refused_and_tried_again(folder):
    with pytest.raises(Swapped, match="weights-swapped") as refused, held([folder]):
        swap(folder)
    assert not refused.value.permanent


def test_a_swap_explains_whatever_else_went_wrong(folder):
    def lost():
        folder.rename(folder.with_name("old"))
        verified(folder)

    with pytest.raises(Swapped, match="weights-swapped"), held([folder]):
        lost()


def test_several_load_at_once_and_a_swap_waits_for_them_all(folder):
    waits, swapped = [], threading.Event()

    def swap_later():
        with swapping(folder.parent, lambda: waits.append(1)):
            swapped.set()

    with held([folder]), held([folder]):
        later = threading.Thread(target=swap_later)
        later.start()
        assert not swapped.wait(0.2)
    later.join(10)
    assert waits == [1]
    assert swapped.is_set()


def test_a_share_that_knows_no_locks_is_loaded_from_all_the_same(folder, monkeypatch):
    def unknown(*_):
        raise OSError(errno.ENOLCK, "no locks")

    monkeypatch.setattr(weights.fcntl, "flock", unknown)
    with held([folder]):
        assert verified(folder)


def test_a_file_is_read_once_until_it_is_touched(folder):
    read = []
    verified(folder, read.append)
    assert sum(read) == read_lock(folder).size
    verified(folder, read.append)
    assert sum(read) == read_lock(folder).size
    later = (folder / NETWORK).stat().st_mtime_ns + 1
    os.utime(folder / NETWORK, ns=(later, later))
    verified(folder, read.append)
    assert sum(read) == read_lock(folder).size + len(TENSORS)


def test_asked_afresh_every_byte_is_read_again(folder):
    verified(folder)
    read = []
    verified(folder, read.append, afresh=True)
    assert sum(read) == read_lock(folder).size


def test_a_lock_half_written_is_never_seen(folder, monkeypatch):
    before = (folder / LOCK).read_bytes()
    monkeypatch.setattr(weights.json, "dumps", lambda *_, **__: "\ud800")  # cannot be encoded
    with pytest.raises(UnicodeEncodeError):
        lock(folder)
    assert (folder / LOCK).read_bytes() == before
