"""The engine is pure, and its plans are light enough for the web process."""

import subprocess
import sys

import pytest


def loaded(statement: str) -> set[str]:
    """The top packages a fresh interpreter has after that statement."""
    code = f"import sys; {statement}; print(' '.join({{m.split('.')[0] for m in sys.modules}}))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(found.stdout.split())


def test_plans_catalog_and_colours_load_no_arrays():
    heavy = loaded("import restoration.engine.plan, restoration.engine.catalog")
    assert not heavy & {"numpy", "scipy", "skimage", "pyvips", "torch", "django", "celery"}


def test_the_whole_embedded_engine_loads_no_django_celery_torch_or_opencv():
    steps = ("assess", "tone", "repair", "denoise", "colourise", "upscale", "guard")
    names = ", ".join(f"restoration.engine.steps.{step}" for step in steps)
    heavy = loaded(f"import restoration.engine.restore, restoration.training.ageing, {names}")
    assert not heavy & {"torch", "django", "celery", "onnxruntime", "cv2", "diffusers", "requests"}


@pytest.mark.parametrize("name", ["restoration", "restoration.engine"])
def test_importing_the_packages_themselves_loads_nothing(name: str):
    assert not loaded(f"import {name}") & {"numpy", "django"}
