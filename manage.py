#!/usr/bin/env python
"""Run a Django command with platform/ on the path, so that a clone works before it is installed."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent


def main() -> None:
    """Point Django at config.settings and hand it the command line."""
    # Append, never insert: platform/ must not stand before the standard library.
    sys.path.extend(str(p) for p in (ROOT / "platform", ROOT) if str(p) not in sys.path)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
