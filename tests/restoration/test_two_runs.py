"""Two runs of one person on one photo: both are to be seen, and both can be stopped."""

from __future__ import annotations

from datetime import datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from restoration import runner
from restoration.actions.claims import release_claim
from restoration.actions.jobs import cancel_job
from restoration.lifecycle import JobState
from restoration.models import Job

from .conftest import Desk, recipe

HTMX = {"HX-Request": "true"}


def asked(desk: Desk, strength: str) -> Job:
    """Another run, as a second tab or a page without a script begins it."""
    rev = desk.get("bench").context["config"]["draft"]["rev"]
    sent = recipe(rev=rev, **{"step-tone": "on", "tone-strength": strength})
    assert desk.post("run", data=sent).status_code == 302
    return Job.objects.latest("pk")


@pytest.fixture
def older(vera: Desk, worker_on: None) -> Job:
    return asked(vera, "0.3")


@pytest.fixture
def newer(vera: Desk, older: Job) -> Job:
    return asked(vera, "0.6")


def shown(desk: Desk) -> tuple[int | None, list[str]]:
    """The run that the page tells of at length, and the lines of the others."""
    context = desk.get("bench").context
    job = context["job"]
    return job and job["id"], [each["name"] for each in context["other_runs"]]


def line(desk: Desk, job: Job, **how: Any) -> Any:
    """What the line of a run asks for every few seconds."""
    headers = HTMX | {"HX-Target": f"run-{job.pk}"}
    return desk.client.get(reverse("restoration:job", args=[job.pk]), how, headers=headers)


def cancel(desk: Desk, job: Job, data: Any = None, **headers: str) -> Any:
    url = reverse("restoration:cancel", args=[job.pk])
    return desk.client.post(url, data or {}, headers=headers)


class Buttons(HTMLParser):
    """The buttons of a page that send something, each with the token of its form."""

    def __init__(self) -> None:
        super().__init__()
        self.form: list[str] = []
        self.sent: list[tuple[str, list[str]]] = []
        self.action = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = dict(attrs)
        if tag == "form":
            self.form, self.action = [""], has.get("action") or ""
        elif tag == "input" and has.get("name") == "csrfmiddlewaretoken":
            self.form[0] = has.get("value") or ""
        elif tag == "button" and (has.get("formaction") or self.form):
            self.sent.append((has.get("formaction") or self.action, self.form))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.form, self.action = [], ""

    def dead(self) -> list[str]:
        return [where for where, form in self.sent if not any(form)]


def buttons(page: str) -> Buttons:
    found = Buttons()
    found.feed(page)
    return found


def test_the_newest_is_told_at_length_and_the_other_in_a_line(
    vera: Desk, older: Job, newer: Job
) -> None:
    assert shown(vera) == (newer.pk, [f"run-{older.pk}"])
    stops = [where for where, _form in buttons(vera.get("bench").text).sent if "cancel" in where]
    assert stops == [reverse("restoration:cancel", args=[job.pk]) for job in (newer, older)]


def test_one_that_lives_is_told_before_a_newer_one_that_was_cancelled(
    vera: Desk, older: Job, newer: Job
) -> None:
    cancel_job(job=newer, by=vera.user, now=timezone.now())
    assert shown(vera) == (older.pk, [])


def test_one_that_lives_is_told_before_a_newer_one_that_has_succeeded(
    vera: Desk, older: Job, newer: Job
) -> None:
    runner.run(job_id=newer.pk, worker="w")
    assert shown(vera) == (older.pk, [])
    runner.run(job_id=older.pk, worker="w")
    assert shown(vera) == (None, [])
    assert [each["id"] for each in vera.get("bench").context["versions"]] == [0, 1, 2]


def test_of_two_that_have_ended_the_last_end_is_told(vera: Desk, older: Job, newer: Job) -> None:
    cancel_job(job=newer, by=vera.user, now=timezone.now())
    ended = {"ended_at": timezone.now() + timedelta(seconds=1), "error_code": "out-of-memory"}
    older.move(JobState.FAILED, by=None, at=timezone.now(), set_=ended)
    assert shown(vera) == (older.pk, [])
    assert "ran out of memory" in vera.get("bench").text


def test_a_line_keeps_still_until_its_run_has_another_state(
    vera: Desk, older: Job, newer: Job
) -> None:
    page = vera.get("bench").text
    assert f'hx-get="{reverse("restoration:job", args=[older.pk])}?seen=queued"' in page
    assert line(vera, older, seen="queued").status_code == 204
    answer = line(vera, older, seen="running")
    assert "in the queue" not in answer.text
    assert answer.text.count("<li") == 1
    assert "<html" not in answer.text


def test_when_its_run_has_succeeded_the_line_leads_to_the_result_and_the_strip_is_fetched(
    vera: Desk, older: Job, newer: Job
) -> None:
    runner.run(job_id=older.pk, worker="w")
    answer = line(vera, older, seen="queued")
    assert "See the result" in answer.text
    assert "hx-trigger" not in answer.text
    assert "versions-changed" in answer["HX-Trigger"]
    bench = reverse("restoration:bench", args=[vera.photo.ref])
    assert f'href="{bench}?base=1"' in answer.text


def test_stopped_in_its_line_it_says_so_there_and_takes_the_focus(
    vera: Desk, older: Job, newer: Job
) -> None:
    answer = cancel(vera, older, **HTMX, **{"HX-Target": f"run-{older.pk}"})
    assert "nothing of this run was kept" in answer.text
    assert "autofocus" in answer.text
    assert "data-job" not in answer.text
    assert Job.objects.get(pk=older.pk).state == JobState.CANCELLED


def test_the_answer_to_run_brings_the_lines_of_the_others(vera: Desk, older: Job) -> None:
    draft = recipe(**{"step-tone": "on", "tone-strength": "0.9"})
    page = vera.htmx("run", data=draft).text
    assert 'id="other-runs" aria-live="polite" hx-swap-oob="true"' in page
    assert f'id="run-{older.pk}"' in page
    refused = vera.htmx("run", data=recipe(**{"prompt-place": "Tehran"}))
    assert refused.status_code == 422
    assert refused.text.count("<li class") == 2


def test_nobody_else_sees_the_lines(vera: Desk, older: Job, newer: Job, victor: Desk) -> None:
    assert shown(victor) == (None, [])
    assert line(victor, older).status_code == 404


class TestAfterThePhotoWasGivenBack:
    @pytest.fixture(autouse=True)
    def _given_back(self, vera: Desk, older: Job, newer: Job, now: datetime) -> None:
        assert vera.claim is not None
        release_claim(claim=vera.claim, by=vera.user, now=now)

    def test_its_page_tells_of_both(self, vera: Desk, older: Job, newer: Job) -> None:
        assert vera.get("bench").templates[0].name == "restoration/photo.html"
        assert shown(vera) == (newer.pk, [f"run-{older.pk}"])

    def test_every_button_of_it_can_be_pressed_without_a_script(self, vera: Desk) -> None:
        found = buttons(vera.get("bench").text)
        assert sum("cancel" in where for where, _form in found.sent) == 2
        assert found.dead() == []

    def test_a_browser_that_is_asked_for_the_token_has_it(self, vera: Desk, newer: Job) -> None:
        client = Client(enforce_csrf_checks=True)
        client.force_login(vera.user)
        page = client.get(reverse("restoration:bench", args=[vera.photo.ref]))
        url = reverse("restoration:cancel", args=[newer.pk])
        [token] = dict(buttons(page.text).sent)[url]
        assert client.post(url, {"csrfmiddlewaretoken": token}).status_code == 302
        newer.refresh_from_db()
        assert newer.state == JobState.CANCELLED


def test_every_button_of_the_bench_can_be_pressed_without_a_script(
    vera: Desk, older: Job, newer: Job
) -> None:
    compare = ""  # the form that chooses with what to compare: the script's alone
    assert set(buttons(vera.get("bench").text).dead()) <= {compare}


class TestMyWork:
    def page(self, vera: Desk) -> Any:
        return vera.client.get(reverse("people:work"))

    def test_it_tells_of_both_and_stops_each(self, vera: Desk, older: Job, newer: Job) -> None:
        [held] = self.page(vera).context["work"].held
        assert held.jobs == [older, newer]
        found = buttons(self.page(vera).text)
        stops = [where for where, _form in found.sent if "cancel" in where]
        assert stops == [reverse("restoration:cancel", args=[job.pk]) for job in (older, newer)]
        assert found.dead() == []

    def test_what_was_stopped_there_leads_back_there(self, vera: Desk, older: Job) -> None:
        answer = cancel(vera, older, {"back": "work"})
        assert answer["Location"] == reverse("people:work")
        assert "nothing of this run was kept" in self.page(vera).text

    def test_a_run_on_a_photo_that_was_given_back_is_stopped_there_too(
        self, vera: Desk, older: Job, now: datetime
    ) -> None:
        assert vera.claim is not None
        release_claim(claim=vera.claim, by=vera.user, now=now)
        assert reverse("restoration:cancel", args=[older.pk]) in self.page(vera).text


def test_the_pages_cost_the_same_with_two_and_with_six(vera: Desk, older: Job, newer: Job) -> None:
    def cost(url: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert vera.client.get(url).status_code == 200
        return len(queries)

    pages = (reverse("restoration:bench", args=[vera.photo.ref]), reverse("people:work"))
    few = [cost(url) for url in pages]
    for _each in range(4):
        again = Job.objects.get(pk=older.pk)
        again.pk = None
        again.save(force_insert=True)
    assert [cost(url) for url in pages] == few
