"""A steward's page of workers, the line and failed runs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from archive.lifecycle import PhotoState
from archive.models import Event, Photo
from restoration import presence
from restoration.actions.jobs import look_at_new_photos, request_look
from restoration.lifecycle import JobKind, JobState
from restoration.models import Assessment, Job
from tests import factories
from tests.people import Cast, cast, signed_in

pytestmark = pytest.mark.django_db
URL = "restoration:machines"


@pytest.fixture
def people() -> Cast:
    return cast()


def worker(name: str, *, ago: int = 0, **told: Any) -> None:
    model = {"name": "sd15", "label": "Stable Diffusion 1.5", "offers": ["redraw:sd15"]}
    said = {"queues": ["cpu"], "offers": ["redraw:sd15"], "models": [model]} | told
    presence.announce(name=name, now=timezone.now() - timedelta(seconds=ago), **said)


def job(state: str, **fields: Any) -> Job:
    photo = fields.pop("photo", None) or factories.photo(factories.collection())
    asked = {"kind": JobKind.ASSESS, "requested_at": timezone.now()} | fields
    return Job.objects.create(photo=photo, state=state, **asked)


def failed(**fields: Any) -> Job:
    told = {"ended_at": timezone.now(), "error_code": "worker-lost"} | fields
    return job(JobState.FAILED, **told)


def test_it_shows_the_workers_that_are_on_and_what_they_can_run(people: Cast) -> None:
    worker("cpu-1@here")
    worker("gone@there", ago=3600)
    page = signed_in(people.sten).get(reverse(URL)).text
    assert "cpu-1@here" in page
    assert "Stable Diffusion 1.5" in page
    assert "gone@there" not in page


def test_it_says_that_no_worker_is_on(people: Cast) -> None:
    assert "No worker is on." in signed_in(people.sten).get(reverse(URL)).text


def test_it_counts_what_waits_and_runs_by_kind_of_machine(people: Cast) -> None:
    old = timezone.now() - timedelta(hours=3)
    job(JobState.QUEUED, requested_at=old)
    job(JobState.QUEUED)
    job(JobState.RUNNING, queue="generative")
    worker("cpu-1@here")
    lines = signed_in(people.sten).get(reverse(URL)).context["lines"]
    found = {row.queue: (row.waiting, row.running, row.workers, row.oldest) for _name, row in lines}
    assert found == {"cpu": (2, 0, 1, old), "generative": (0, 1, 0, None)}


def test_it_tells_why_the_runs_of_a_day_failed(people: Cast) -> None:
    failed(requested_by=people.vera, kind=JobKind.RESTORE, error_code="out-of-memory")
    failed(ended_at=timezone.now() - timedelta(days=2), error_code="old-one")
    answer = signed_in(people.sten).get(reverse(URL))
    assert [each.job.error_code for each in answer.context["failures"]] == ["out-of-memory"]
    assert answer.context["failures"][0].why in answer.text
    assert "vera" in answer.text
    assert "Run again" not in answer.text


def test_a_failed_look_is_asked_for_again_once(people: Cast) -> None:
    lost, client = failed(), signed_in(people.sten)
    assert "Run again" in client.get(reverse(URL)).text
    url = reverse("restoration:look-again", args=[lost.pk])
    assert "Asked for again." in client.post(url, follow=True).text
    assert "It waits or runs already." in client.post(url, follow=True).text
    again = Job.objects.get(photo=lost.photo, state=JobState.QUEUED)
    event = Event.objects.get(verb="job.requested", facts__id=again.pk)
    assert (event.actor, again.requested_by) == (people.sten, None)


def test_a_look_that_a_steward_stopped_is_asked_for_again_here(people: Cast) -> None:
    photo, client = factories.photo(factories.collection()), signed_in(people.sten)
    request_look(photo=photo, now=timezone.now())
    stopped = Job.objects.get()
    client.post(reverse("restoration:cancel", args=[stopped.pk]))
    assert look_at_new_photos(now=timezone.now()) == 0  # the steward's word stands
    page = client.get(reverse(URL))
    assert [each.job for each in page.context["failures"]] == [stopped]
    assert "The run was cancelled." in page.text
    answer = client.post(reverse("restoration:look-again", args=[stopped.pk]), follow=True)
    assert "Asked for again." in answer.text
    assert Job.objects.filter(photo=photo, state=JobState.QUEUED).count() == 1


def test_what_was_stopped_is_not_listed_where_nothing_is_left_to_ask_for(people: Cast) -> None:
    seen, on_hold = (job(JobState.CANCELLED, ended_at=timezone.now()) for _ in range(2))
    Assessment.objects.create(photo=seen.photo, made_at=timezone.now())
    Photo.objects.filter(pk=on_hold.photo_id).update(state=PhotoState.ON_HOLD)
    job(
        JobState.CANCELLED,
        ended_at=timezone.now(),
        kind=JobKind.RESTORE,
        requested_by=people.vera,
    )
    client = signed_in(people.sten)
    assert client.get(reverse(URL)).context["failures"] == []
    for each in Job.objects.all():
        client.post(reverse("restoration:look-again", args=[each.pk]))
    assert not Job.objects.filter(state=JobState.QUEUED).exists()


def test_a_photo_on_hold_is_not_looked_at_again(people: Cast) -> None:
    lost = failed()
    Photo.objects.filter(pk=lost.photo_id).update(state=PhotoState.ON_HOLD)
    assert "Run again" not in signed_in(people.sten).get(reverse(URL)).text


def test_the_run_of_a_person_is_theirs_to_ask_for(people: Cast) -> None:
    run = failed(kind=JobKind.RESTORE, requested_by=people.vera)
    url = reverse("restoration:look-again", args=[run.pk])
    answer = signed_in(people.sten).post(url, headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (409, "not-again")


def test_it_is_for_stewards(people: Cast) -> None:
    lost = failed()
    assert signed_in(people.cora).get(reverse(URL)).status_code == 403
    signed_in(people.cora).post(reverse("restoration:look-again", args=[lost.pk]))
    assert not Job.objects.filter(state=JobState.QUEUED).exists()
    assert reverse(URL) in signed_in(people.sten).get(reverse("people:list")).text


def test_it_asks_no_more_for_more(people: Cast) -> None:
    client = signed_in(people.sten)

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            client.get(reverse(URL))
        return len(queries)

    worker("cpu-1@here")
    failed(requested_by=people.vera)
    job(JobState.QUEUED)
    before = asked()
    for number in range(6):
        worker(f"cpu-{number}@there")
        failed(requested_by=people.victor)
        job(JobState.QUEUED)
    assert asked() == before
