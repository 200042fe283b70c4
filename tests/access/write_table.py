"""`python -m tests.access.write_table`: write the table anew from what the site answers now.

Read the difference before you commit it: every changed cell is a door that opened or closed.
"""

from __future__ import annotations

import os
import sys

import pytest

from tests.access.table import WRITE


def main() -> int:
    """Run the comparing test in its writing mode."""
    os.environ[WRITE] = "1"
    test = (
        "tests/access/test_every_door.py::test_every_door_answers_as_the_table_says[with-one-row]"
    )
    return int(pytest.main(["-q", "-p", "no:cacheprovider", test]))


if __name__ == "__main__":
    sys.exit(main())
