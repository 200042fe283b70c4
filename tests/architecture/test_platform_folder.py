"""platform/ is a source root: as a package it would shadow the standard library's module."""

import platform
import subprocess
import sys

from tests.services.need import ROOT


def test_the_platform_folder_never_shadows_the_standard_library() -> None:
    assert not (ROOT / "platform" / "__init__.py").exists()
    assert platform.__file__.endswith("platform.py")


def test_nothing_in_the_platform_folder_has_a_name_of_the_standard_library() -> None:
    assert not {path.stem for path in (ROOT / "platform").iterdir()} & sys.stdlib_module_names


def test_python_started_in_the_root_finds_its_own_platform() -> None:
    words = [sys.executable, "-c", "import platform; print(platform.system())"]
    assert subprocess.check_output(words, cwd=ROOT, text=True).strip()
