"""Traces: who asked, what was done for it, nothing personal; and nothing at all unless wanted."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from celery import Celery
from django.test import Client
from django.urls import resolve, reverse

from archive import tracing
from config import checks, logs, telemetry
from restoration import presence, runner
from restoration.models import Job
from tests.services import addresses
from tests.services.need import ROOT, need

from .conftest import Desk, recipe

Spans = Callable[[], list[Any]]
SECRET = "vera@example.org"


@pytest.fixture
def spans() -> Iterator[Spans]:
    """What a collector would be sent."""
    need("otel")
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    from config import traces

    kept = InMemorySpanExporter()
    traces.begin(kept)

    def told() -> list[Any]:
        assert traces._provider is not None
        traces._provider.force_flush()
        return list(kept.get_finished_spans())

    yield told
    traces.end()


def named(spans: list[Any], name: str) -> Any:
    [found] = [span for span in spans if span.name == name]
    return found


def start(folder: Path, code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A process of its own with these variables, once Django is set up."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("REKINDLE_", "OTEL_"))}
    clean |= {"DJANGO_SETTINGS_MODULE": "config.settings", "REKINDLE_VAR_DIR": str(folder)}
    clean["PYTHONPATH"] = os.pathsep.join([str(ROOT / "platform"), str(ROOT), *sys.path[1:]])
    return subprocess.run(
        [sys.executable, "-c", f"import django, sys; django.setup()\n{code}"],
        env=clean | environment,
        capture_output=True,
        text=True,
        check=True,
    )


@pytest.mark.slow
def test_unless_it_is_wanted_nothing_of_it_is_even_loaded(tmp_path: Path) -> None:
    loaded = "print([name for name in sys.modules if name.startswith('opentelemetry')])"
    assert start(tmp_path, loaded).stdout == "[]\n"


def test_a_switch_of_its_own_turns_it_off(settings: Any) -> None:
    settings.OTEL_ENDPOINT = "http://127.0.0.1:4318"
    assert telemetry.is_wanted()
    settings.OTEL_SDK_DISABLED = True
    assert not telemetry.is_wanted()


def test_where_it_is_wanted_and_not_installed_the_site_works_and_the_check_says_so(
    settings: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, db: None
) -> None:
    assert checks.traces_can_be_kept() == []
    settings.OTEL_ENDPOINT = "http://127.0.0.1:4318"
    monkeypatch.setattr(telemetry, "WANTED", ("opentelemetry.nowhere", "nothing.sdk"))
    [message] = checks.traces_can_be_kept()
    assert message.id == "config.W006"
    assert "nowhere is not installed" in message.msg
    assert "rekindle[otel]" in str(message.hint)
    telemetry.start()
    assert "nothing.sdk" in caplog.text
    assert tracing.here() == ""
    assert Client().get("/health/live").status_code == 200


def test_a_run_is_told_under_the_request_that_asked_for_it(vera: Desk, spans: Spans) -> None:
    vera.post("run", data=recipe())
    job = Job.objects.get()
    request = next(span for span in spans() if span.name.startswith("POST "))
    assert job.trace.split("-")[1:3] == ids(request)
    runner.run(job_id=job.pk, worker="test")
    attempt = named(spans(), "attempt")
    assert ids(attempt)[0] == ids(request)[0]
    assert attempt.parent.span_id == request.context.span_id
    facts = dict(attempt.attributes)
    assert facts["rekindle.job"] == job.pk
    assert (facts["rekindle.attempt"], facts["rekindle.kind"]) == (1, "restore")
    steps = [event.attributes["rekindle.step"] for event in attempt.events]
    assert steps[0] == "tone"
    assert "guard" in steps


def test_a_bell_that_was_rung_for_another_job_is_linked_and_no_parent(
    vera: Desk, spans: Spans
) -> None:
    from opentelemetry import trace

    from config import traces

    vera.post("run", data=recipe())
    job = Job.objects.get()
    presence.announce(
        name="w", queues=["cpu"], offers=["embedded"], models=[], now=job.requested_at
    )
    assert traces._provider is not None
    with traces._provider.get_tracer("test").start_as_current_span("bell") as bell:
        runner.answer(job_id=0, worker="w")
    attempt = named(spans(), "attempt")
    assert ids(attempt)[0] == job.trace.split("-")[1]
    [link] = attempt.links
    assert link.context.span_id == bell.get_span_context().span_id
    assert trace.get_current_span().get_span_context().is_valid is False


def test_a_job_that_nobody_asked_for_has_a_trace_of_its_own(vera: Desk, spans: Spans) -> None:
    vera.post("run", data=recipe())
    job = Job.objects.get()
    Job.objects.update(trace="")
    runner.run(job_id=job.pk, worker="test")
    assert named(spans(), "attempt").parent is None


def test_a_try_that_fails_says_why_by_its_code(
    vera: Desk, spans: Spans, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise ValueError(SECRET)

    vera.post("run", data=recipe())
    monkeypatch.setitem(runner.WORK, "restore", fails)
    runner.run(job_id=Job.objects.get().pk, worker="test")
    [event] = named(spans(), "attempt").events
    assert (event.name, event.attributes["rekindle.code"]) == ("failed", "our-fault")
    assert SECRET not in dump(spans())


def test_the_lines_of_the_log_carry_the_ids_of_the_trace(spans: Spans, db: None) -> None:
    record = logging.LogRecord("archive", logging.INFO, "", 0, "here", None, None)
    assert "trace" not in json.loads(logs.JsonLines().format(record))
    with tracing.span("attempt", parent="", job=1):
        line = json.loads(logs.JsonLines().format(record))
    assert [line["trace"], line["span"]] == ids(named(spans(), "attempt"))


def test_neither_address_nor_query_nor_error_is_told(spans: Spans, db: None) -> None:
    client = Client(headers={"User-Agent": SECRET}, raise_request_exception=False)
    client.get(reverse("account_login"), {"next": SECRET})
    client.get(f"/no/such/{SECRET}")
    with pytest.raises(ValueError, match="vera"), tracing.span("attempt", parent=""):
        raise ValueError(SECRET)
    told = spans()
    page = f"GET {resolve(reverse('account_login')).route}"
    assert {page, "GET", "attempt"} <= {span.name for span in told}
    assert SECRET not in dump(told)
    assert "exception.type" in dump(told)


def test_probes_and_scrapes_are_no_traces(spans: Spans, client: Client, db: None) -> None:
    client.get("/health/live")
    client.get("/metrics")
    assert spans() == []


def test_a_message_carries_the_trace_to_the_worker(spans: Spans) -> None:
    app = Celery("test", broker="memory://", set_as_current=False)

    @app.task(name="test.bell")
    def bell() -> None: ...

    with tracing.span("asked", parent=""):
        bell.apply_async(queue="bells")
    with app.connection_for_read() as link:
        [message] = [link.SimpleQueue("bells").get(timeout=5)]
    sent = named(spans(), "apply_async/test.bell")
    assert ids(sent)[0] == ids(named(spans(), "asked"))[0]
    assert message.headers["traceparent"].split("-")[1:3] == ids(sent)


def test_a_query_is_told_without_its_values_and_only_within_some_work(spans: Spans) -> None:
    need("postgres")
    for asked in ("SELECT %s || 'work'", "SELECT %s || 'heartbeat'"):
        link = psycopg2.connect(addresses.postgres())
        if "work" in asked:
            with tracing.span("attempt", parent=""), link.cursor() as cursor:
                cursor.execute(asked, [SECRET])
        else:
            with link.cursor() as cursor:
                cursor.execute(asked, [SECRET])
        link.close()
    told = dump(spans())
    assert "'work'" in told
    assert "'heartbeat'" not in told
    assert SECRET not in told


# What a worker does whose pool forks: the parent has begun, the child works.
FORKS = """
import os
from archive import tracing
from config import traces
with tracing.span("before the fork", parent=""):
    pass
child = os.fork()
if not child:
    with tracing.span("after the fork", parent=""):
        pass
    traces.end()
    os._exit(0)
os.waitpid(child, 0)
"""


@pytest.mark.slow
def test_a_collector_is_sent_what_a_process_did(tmp_path: Path) -> None:
    need("otel")
    heard: list[tuple[str, bytes]] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    try:
        start(
            tmp_path,
            FORKS,
            OTEL_EXPORTER_OTLP_ENDPOINT=address,
            OTEL_EXPORTER_OTLP_COMPRESSION="none",
            OTEL_SERVICE_NAME="museum",
        )
    finally:
        server.shutdown()
    assert {path for path, _ in heard} == {"/v1/traces"}
    assert all(b"museum" in body for _, body in heard)
    told = b"".join(body for _, body in heard)
    assert b"before the fork" in told
    assert b"after the fork" in told


def ids(span: Any) -> list[str]:
    return [f"{span.context.trace_id:032x}", f"{span.context.span_id:016x}"]


def dump(spans: list[Any]) -> str:
    return " ".join(span.to_json() for span in spans)
