"""Who may import whom: the contracts of pyproject.toml, and what the site must never load."""

import os
import subprocess
import sys
from pathlib import Path

from tests.services.need import ROOT

# The libraries of pixels and networks belong to the workers.
HEAVY = ("torch", "onnxruntime", "diffusers", "transformers", "numpy", "scipy", "pyvips", "PIL")
LOAD_ALL = f"""
import django, sys
django.setup()
from importlib import import_module
from django.conf import settings
from django.urls import get_resolver
import config.wsgi
get_resolver().url_patterns
from django.template.loader import get_template
for app in settings.INSTALLED_APPS:
    try:
        import_module(app + ".admin")
    except ModuleNotFoundError:
        pass
print(*sorted(set({HEAVY!r}) & sys.modules.keys()))
"""


def test_the_import_contracts_are_kept() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_site_loads_no_library_of_pixels() -> None:
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings"}
    words = [sys.executable, "-c", LOAD_ALL]
    done = subprocess.run(
        words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []


def test_torchvision_is_absent_or_whole() -> None:
    # One built for another torch breaks every diffusers pipeline, with a misleading message.
    code = (
        "import importlib.util as u\nif u.find_spec('torchvision'):\n    import torch, torchvision"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
