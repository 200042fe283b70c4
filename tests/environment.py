"""Loaded by pytest before the settings are: gives every test process a world of its own.

The operator's own REKINDLE_ and OTEL_ variables are put aside; only those for the tests stay.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

STAY = ("REKINDLE_TEST_", "REKINDLE_REQUIRE_SERVICES", "REKINDLE_PHOTOS", "REKINDLE_CHROMIUM")


def _own_world() -> Path:
    for name in list(os.environ):
        if name.startswith(("REKINDLE_", "OTEL_")) and not name.startswith(STAY):
            del os.environ[name]
    folder = Path(tempfile.mkdtemp(prefix="rekindle-tests-"))
    (folder / "static").mkdir()  # nothing is collected here, but it is looked for
    os.environ |= {
        "REKINDLE_VAR_DIR": str(folder),
        "REKINDLE_MODELS_DIR": str(folder / "models"),
        "REKINDLE_SECRET_KEY": "only-for-tests",
        "REKINDLE_LOG_LEVEL": "WARNING",
        # Playwright's synchronous face runs a loop in this thread, which Django takes for async.
        "DJANGO_ALLOW_ASYNC_UNSAFE": "true",
        "HF_HUB_OFFLINE": "1",
    }
    if "PYTEST_XDIST_WORKER" in os.environ:  # two processes with two threads each are slower
        os.environ |= {"OMP_NUM_THREADS": "1", "VIPS_CONCURRENCY": "1"}
    database = os.environ.get("REKINDLE_TEST_DATABASE_URL")
    if database:
        os.environ["REKINDLE_DATABASE_URL"] = database
    return folder


VAR_DIR = _own_world()
atexit.register(shutil.rmtree, VAR_DIR, ignore_errors=True)
