"""What the pages and the code say of other pages is true."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.services.need import ROOT

# What is written by hand, and may name a page.
SUFFIXES = {".md", ".py", ".yaml", ".sh", ".toml", ".html", ""}


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [ROOT / name for name in listed.stdout.splitlines()]


def pages() -> list[Path]:
    return [path for path in tracked() if path.suffix == ".md"]


def test_every_page_that_is_named_anywhere_is_there() -> None:
    named = [
        (path, name)
        for path in tracked()
        if path.suffix in SUFFIXES and path.is_file()
        for name in re.findall(r"\bdocs/[\w./-]+\.md\b", path.read_text(encoding="utf-8"))
    ]
    assert len(named) > 20
    assert [(str(path), name) for path, name in named if not (ROOT / name).is_file()] == []


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
    ours = [link for link in links if "://" not in link and not link.startswith("mailto:")]
    assert [link for link in ours if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_within_a_page_leads_to_a_heading(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    headings = {anchor(each) for each in re.findall(r"^#+ (.+)$", text, re.MULTILINE)}
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= headings


def anchor(heading: str) -> str:
    """As the forges write it."""
    return re.sub(r"[^\w -]", "", heading.strip().lower()).replace(" ", "-")


COMMAND = re.compile(r"python -m (tests\.[\w.]+)|pytest (?:-m slow )?(tests/[\w/]+\.py)")


def test_every_command_of_the_operators_page_is_there() -> None:
    text = (ROOT / "docs" / "operate.md").read_text(encoding="utf-8")
    found = [module.replace(".", "/") or file for module, file in COMMAND.findall(text)]
    assert len(found) > 8
    for each in found:
        path = ROOT / each
        assert path.is_file() or path.with_suffix(".py").is_file() or path.is_dir(), each


def test_no_link_in_the_repository_leads_out_of_it() -> None:
    links = [path for path in tracked() if path.is_symlink()]
    assert [path for path in links if not path.resolve().is_relative_to(ROOT)] == []


def test_whoever_pastes_a_block_into_a_new_shell_works_on_the_site_itself() -> None:
    """Without its settings a command makes a new, empty site in var/ and works on that one."""
    text = (ROOT / "docs" / "operate.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    found = [block for block in blocks if re.search(r"\.venv/bin/python manage\.py", block)]
    assert sum("backup PLACE" in block for block in found) == 3
    for block in found:
        before, _manage, _rest = block.partition(".venv/bin/python manage.py")
        assert re.search(r"set -a( &&|;) \. /etc/rekindle\.env", before), block
    bare = [block for block in blocks if re.search(r"^manage\.py (backup|migrate)", block, re.M)]
    assert bare == []
