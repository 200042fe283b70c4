"""Hostile files by form, API and command: none crashes, hangs or is refused without a word."""

from __future__ import annotations

import pytest

from tests.archive.hostile import DOORS, Gate, Sent
from tests.archive.mutations import mutated, one, seeds
from tests.services.need import need, photos_folder

FEW = 240


@pytest.fixture
def gate(db: None, monkeypatch: pytest.MonkeyPatch) -> Gate:
    monkeypatch.setattr("archive.tasks._send", lambda _photo_id: None)
    return Gate()


def wrong(sent: list[Sent]) -> dict[str, list[str]]:
    return {f"{each.name} by {each.door}": each.wrong for each in sent if each.wrong}


def test_the_same_seed_makes_the_same_files() -> None:
    assert list(mutated(40, 1)) == list(mutated(40, 1))
    assert one(7, 1) != one(7, 2)
    assert len({content for _name, content in mutated(200, 1)}) > 190


def test_every_kind_is_whole_before_it_is_changed_and_goes_in_by_every_door(gate: Gate) -> None:
    kinds = ["jpeg-exif-profile", "tiff-16-lzw", "gif"]
    sent = [
        gate.send(kind, seeds()[kind], door, pages=True)
        for kind, door in zip(kinds, DOORS, strict=True)
    ]
    assert wrong(sent) == {}
    assert [each.outcome for each in sent] == ["taken", "taken", "refused at the door"]


@pytest.mark.slow
def test_a_few_hundred_changed_files_do_no_harm(gate: Gate) -> None:
    sent = [
        gate.send(name, content, DOORS[number % 3], pages=number % 10 == 0)
        for number, (name, content) in enumerate(mutated(FEW, 4))
    ]
    assert wrong(sent) == {}
    outcomes = {each.outcome for each in sent}
    assert outcomes >= {"taken", "damaged", "truncated", "not-a-picture", "kind-not-allowed"}


@pytest.mark.slow
def test_every_file_of_the_lent_folder_does_no_harm(gate: Gate) -> None:
    need("photos")
    files = sorted(each for each in (photos_folder() / "nasty").iterdir() if each.suffix != ".csv")
    sent = [
        gate.send(each.name, each.read_bytes(), DOORS[number % 3], pages=True)
        for number, each in enumerate(files)
    ]
    assert wrong(sent) == {}
    assert len(sent) == 115
