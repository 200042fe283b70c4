"""`manage.py serve`: one command, every program, and at last a clean end. On both sizes."""

import os
import re
import signal
import subprocess
import sys
import urllib.request

import psutil
import pytest

from tests.services.need import ROOT
from tests.services.processes import Site, answers, wait_until

SOON = 20


def members(site: Site) -> list[psutil.Process]:
    return psutil.Process(site.running.pid).children(recursive=True)


def command(process: psutil.Process) -> str:
    """Its command line, nothing once it has ended."""
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def program(site: Site, words: str) -> psutil.Process:
    """The oldest process of the site whose command has these words."""
    found = [each for each in members(site) if words in command(each)]
    return min(found, key=psutil.Process.create_time)


def test_the_site_says_where_it_is_and_that_its_parts_answer(live_site: Site) -> None:
    wait_until(lambda: "Rekindle is ready: http://localhost" in live_site.printed(), "a greeting")
    assert answers(f"{live_site.url}/health/ready")


def test_a_worker_takes_what_is_sent_to_it(live_site: Site) -> None:
    alive = "from restoration.models import Worker; print(Worker.objects.count())"
    wait_until(
        lambda: live_site.run(alive).strip() == "1",
        "the worker said that it is here",
        log=live_site.printed,
    )


@pytest.mark.slow
@pytest.mark.parametrize("words", ["gunicorn config.wsgi", "celery", "manage.py sweep"])
def test_a_program_that_is_killed_comes_back(live_site: Site, words: str) -> None:
    wait_until(lambda: len(live_site.programs()) >= 3, "every program is started")
    before = program(live_site, words)
    before.kill()

    def is_back() -> bool:
        fresh = [p for p in members(live_site) if p.pid != before.pid]
        return any(words in command(each) for each in fresh)

    wait_until(is_back, f"{words} is back", seconds=SOON, log=live_site.printed)
    wait_until(lambda: answers(f"{live_site.url}/health/live"), "the site answers", seconds=SOON)


@pytest.mark.slow
def test_a_second_start_on_the_same_folder_is_refused(live_site: Site) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "serve", "--port", "0"],
        cwd=ROOT,
        env=os.environ | live_site.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "A site is already running on" in done.stderr


def test_the_process_of_the_site_stays_small(live_site: Site) -> None:
    for page in ("/", "/account/login/", "/health/live"):
        answers(f"{live_site.url}{page}")
    master = program(live_site, "gunicorn config.wsgi")
    for process in (master, *master.children()):
        assert process.memory_info().rss < 150 * 1024**2


def test_a_page_carries_the_strict_policy_and_hashed_names(live_site: Site) -> None:
    with urllib.request.urlopen(f"{live_site.url}/account/login/") as page:
        text, policy = page.read().decode(), page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert re.search(r"/static/[\w/.-]+\.[0-9a-f]{12}\.(css|js)", text)


def test_the_end_is_clean_and_leaves_nobody(live_site: Site) -> None:
    wait_until(lambda: len(live_site.programs()) >= 3, "every program is started")
    everybody = members(live_site)
    is_embedded = live_site.environment["REKINDLE_DATABASE_URL"].startswith("sqlite")
    live_site.running.send_signal(signal.SIGINT if is_embedded else signal.SIGTERM)
    assert live_site.running.wait(SOON) == 0
    assert not [each for each in everybody if each.is_running()]
    assert live_site.printed().rstrip().endswith("stopped")
