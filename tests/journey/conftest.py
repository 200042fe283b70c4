"""The people of the journey, the site they meet on, and the scans they work on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser

from restoration.engine import image as pictures
from tests.journey.people import Person
from tests.services.need import photos_folder
from tests.services.processes import Site

SETTING = """
from django.utils import timezone
from accounts.actions import appoint_curator
from archive.actions import create_collection
from tests.people import person
sten = person("sten", is_steward=True)
made = create_collection(by=sten, now=timezone.now(), fields={
    "slug": "box-one", "institution_en": "Museum of the Games", "institution_zh": "运动会博物馆",
    "title_en": "Box one", "title_zh": "第一盒", "two_person": True,
    "rights_uri": "http://creativecommons.org/publicdomain/mark/1.0/",
    "instructions_en": "Keep every face as it is.", "instructions_zh": "请保持每一张脸的原样。"})
for name in ("cora", "ada"):
    appoint_curator(collection=made, person=person(name), by=sten, now=timezone.now())
"""
SCANS = ("old/deoldify_1890sPingPong.jpg", "old/deoldify_BoulevardDuTemple1838.jpg")


@pytest.fixture(scope="module")
def site(live_site: Site) -> Site:
    """A running site with a steward, two curators and an empty collection."""
    live_site.run(SETTING)
    return live_site


@pytest.fixture(scope="module")
def come_in(browser: Browser, site: Site) -> Callable[[str], Person]:
    """Signs people in by the form, and the next day by what their browser has kept."""
    kept: dict[str, Any] = {}

    def begin(name: str) -> Person:
        person = Person(browser, site, state=kept.get(name))
        if name not in kept:
            person.sign_in(name)
            kept[name] = person.context.storage_state()
        return person

    return begin


@pytest.fixture
def cora(come_in: Callable[[str], Person]) -> Iterator[Person]:
    yield from _to_the_end(come_in("cora"))


@pytest.fixture
def ada(come_in: Callable[[str], Person]) -> Iterator[Person]:
    yield from _to_the_end(come_in("ada"))


@pytest.fixture
def vera(come_in: Callable[[str], Person]) -> Iterator[Person]:
    yield from _to_the_end(come_in("vera"))


@pytest.fixture
def stan(browser: Browser, site: Site) -> Iterator[Person]:
    """A stranger."""
    yield from _to_the_end(Person(browser, site))


def _to_the_end(person: Person) -> Iterator[Person]:
    yield person
    person.leave()


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two real scans where they are lent, else two pictures aged by our own code; small ones."""
    real, folder = [photos_folder() / name for name in SCANS], tmp_path_factory.mktemp("scans")
    if all(path.is_file() for path in real):
        return [_small(path, folder) for path in real]
    return _aged(folder)


def _small(path: Path, folder: Path) -> Path:
    """Half of its width: four runs on it take a quarter of the time."""
    with Image.open(path) as scan:
        scan.reduce(2).save(folder / path.name, quality=95)
    return folder / path.name


def _aged(folder: Path) -> list[Path]:
    from skimage import data

    from restoration.training.ageing import age

    paths = []
    for number, source in enumerate((data.astronaut(), data.coffee())):
        aged, _ = age(source.astype(np.float32) / 255, seed=number, severity=0.6)
        paths.append(folder / f"aged-{number}.tif")
        pictures.save(aged, paths[-1], bits=8)
    return paths
