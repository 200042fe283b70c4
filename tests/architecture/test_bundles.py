"""The bundle: one list in two languages, and a page that does without it."""

import re

from django.apps import apps
from django.contrib.staticfiles.finders import get_finders
from django.test import override_settings

from config.management.commands.bundle import DIST, npm_command
from config.static_files import BUNDLES, ManifestStorage
from tests.services.need import ROOT, need


def test_python_and_javascript_name_the_same_bundles() -> None:
    text = (ROOT / "platform" / "config" / "bundle.mjs").read_text(encoding="utf-8")
    [names] = re.findall(r"const entries = \[(.*?)\]", text)
    assert tuple(re.findall(r'"(.+?)"', names)) == BUNDLES


def test_the_bundle_is_built_with_node() -> None:
    need("node")
    assert npm_command()
    for name in BUNDLES:
        if (ROOT / "platform" / "config" / "static" / "js" / name).exists():
            assert (ROOT / DIST / name).stat().st_size > 1000, "run make test, which builds it"


def test_the_source_of_a_bundle_is_not_collected() -> None:
    patterns = apps.get_app_config("staticfiles").ignore_patterns
    found = {path for finder in get_finders() for path, _ in finder.list(patterns)}
    assert not found & {f"js/{name}" for name in BUNDLES}


@override_settings(STATIC_URL="/static/")
def test_a_missing_bundle_does_not_fail_its_page() -> None:
    storage = ManifestStorage()
    storage.hashed_files = {}
    assert storage.stored_name("dist/zoom.js") == "dist/zoom.js"
