#!/usr/bin/env python
"""Run a Django command with platform/ on the path, so that a clone works before it is installed.

What an operator can put right comes as a sentence and exit code 1: a setting that cannot be used, a
database that does not answer. --traceback shows where it came from.
"""

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

    try:
        execute_from_command_line(sys.argv)
    except Exception as error:
        said = "" if "--traceback" in sys.argv else _said(error)
        if not said:
            raise
        sys.exit(said)


def _said(error: Exception) -> str:
    """The sentence for whoever runs this; nothing where the error is a fault of ours."""
    from django.core.exceptions import ImproperlyConfigured
    from django.db import InterfaceError, OperationalError

    if isinstance(error, ImproperlyConfigured):
        return str(error)
    if not isinstance(error, InterfaceError | OperationalError) or _database_answers():
        return ""
    why = " ".join(str(error).split())
    return f"The database of REKINDLE_DATABASE_URL does not answer: {why}"


def _database_answers() -> bool:
    """Whether the database lets us in: it does when it says that a table is missing or locked."""
    from django.db import Error, connection

    try:
        connection.ensure_connection()
    except Error:
        return False
    return True


if __name__ == "__main__":
    main()
