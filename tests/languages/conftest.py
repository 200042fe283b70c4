"""The catalogue of the tree, compiled once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from babel.messages.mofile import write_mo

from tests.languages.collect import catalogue


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Whatever was compiled before may be old, so it is compiled here."""
    root = tmp_path_factory.mktemp("locale")
    folder = root / "zh_Hans" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    with (folder / "django.mo").open("wb") as file:
        write_mo(file, catalogue())
    return root


@pytest.fixture
def in_chinese(compiled: Path, settings: Any) -> None:
    settings.LOCALE_PATHS = [compiled]
