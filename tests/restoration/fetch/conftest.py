"""An empty models folder, and a hub of our own with one repository."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.restoration.fetch.repositories import ROW, lay
from tests.services.hub_server import Hub, serving
from tests.services.need import need


@pytest.fixture
def models(tmp_path: Path, settings: Any) -> Path:
    settings.MODELS_DIR = tmp_path / "models"
    return tmp_path / "models"


@pytest.fixture
def online(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests before this one may have loaded the hub's library as jobs do, which is offline."""
    need("torch")  # it comes with the same extra
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)


@pytest.fixture
def hub(tmp_path: Path, settings: Any, online: None) -> Iterator[Hub]:
    lay(tmp_path / "hub" / ROW.source.repository)
    with serving(tmp_path / "hub") as (address, served):
        settings.MODELS_HUB = address
        yield served
