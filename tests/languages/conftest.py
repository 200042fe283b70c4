"""The catalogue of the tree, compiled for each test."""

from __future__ import annotations

from typing import Any

import pytest
from babel.messages.mofile import write_mo

from tests.languages.collect import catalogue


@pytest.fixture
def in_chinese(tmp_path: Any, settings: Any) -> None:
    """Whatever was compiled before may be old, so it is compiled here."""
    folder = tmp_path / "zh_Hans" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    with (folder / "django.mo").open("wb") as file:
        write_mo(file, catalogue())
    settings.LOCALE_PATHS = [tmp_path]
