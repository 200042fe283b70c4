"""Traces by OpenTelemetry: requests, messages, queries, and each try at a job under who asked.

What leaves the site is chosen by form, as in the log: of a span's attributes only those named here,
of an error its class, never an address, a query, a value or a message. The standard OTEL_ variables
are read by the library itself: headers, sampler, limits, names of the resource.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.celery import CeleryInstrumentor
from opentelemetry.instrumentation.django import DjangoInstrumentor
from opentelemetry.instrumentation.psycopg2 import Psycopg2Instrumentor
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Link, SpanKind, Status
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from archive import tracing

OURS = "rekindle."
# Neither old nor new names of a convention say whose page it was or what was filled into a query.
TOLD = {
    "http.method",
    "http.request.method",
    "http.route",
    "http.status_code",
    "http.response.status_code",
    "error.type",
    "exception.type",
    "db.system",
    "db.system.name",
    "db.name",
    "db.namespace",
    "db.statement",
    "db.query.text",
    "messaging.destination",
    "messaging.destination.name",
    "messaging.message.id",
    "messaging.message_id",
    "celery.action",
    "celery.state",
    "celery.task_name",
}
# Asked every few seconds by machines.
UNTOLD_PAGES = "/health/,/metrics"
W3C = TraceContextTextMapPropagator()


class Discreet(SpanExporter):  # type: ignore[misc]
    """Passes on what may be told."""

    def __init__(self, inner: SpanExporter) -> None:
        self.inner = inner

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send all but what belongs to nothing: the queries of heartbeats and sweeps."""
        return self.inner.export([_told(each) for each in spans if not _is_stray(each)])

    def shutdown(self) -> None:
        """Close the door behind it."""
        self.inner.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Send what is there."""
        return bool(self.inner.force_flush(timeout_millis))


def _is_stray(span: ReadableSpan) -> bool:
    return span.parent is None and span.kind is SpanKind.CLIENT


def _told(span: ReadableSpan) -> ReadableSpan:
    return ReadableSpan(
        name=span.name,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=_allowed(span.attributes),
        events=[
            Event(each.name, _allowed(each.attributes), each.timestamp) for each in span.events
        ],
        links=span.links,
        kind=span.kind,
        status=Status(span.status.status_code),  # its words are the error's message
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _allowed(attributes: Mapping[str, Any] | None) -> dict[str, Any]:
    given = attributes or {}
    return {key: given[key] for key in given if key in TOLD or key.startswith(OURS)}


class Tracer:
    """archive.tracing's words in OpenTelemetry's."""

    def __init__(self, provider: TracerProvider) -> None:
        self.tracer = provider.get_tracer("rekindle")

    @contextmanager
    def span(self, name: str, parent: str, facts: Mapping[str, str | int]) -> Iterator[None]:
        """Under who asked, also where the bell that woke us was rung for somebody else."""
        bell = trace.get_current_span().get_span_context()
        asked = W3C.extract({"traceparent": parent}, context=Context())
        with self.tracer.start_as_current_span(
            name,
            context=asked,
            kind=SpanKind.CONSUMER,
            links=[Link(bell)] if bell.is_valid else [],
            attributes=_ours(facts),
        ):
            yield

    def note(self, name: str, facts: Mapping[str, str | int]) -> None:
        """An event of the current span."""
        trace.get_current_span().add_event(name, _ours(facts))

    def here(self) -> str:
        """The current span as a header would carry it."""
        carrier: dict[str, str] = {}
        W3C.inject(carrier)
        return carrier.get("traceparent", "")

    def ids(self) -> Mapping[str, str]:
        """In the letters in which every viewer shows them."""
        context = trace.get_current_span().get_span_context()
        if not context.is_valid:
            return {}
        return {
            "trace": trace.format_trace_id(context.trace_id),
            "span": trace.format_span_id(context.span_id),
        }


def _ours(facts: Mapping[str, str | int]) -> dict[str, str | int]:
    return {f"{OURS}{name}": value for name, value in facts.items()}


_instruments = (DjangoInstrumentor, CeleryInstrumentor, Psycopg2Instrumentor)
_provider: TracerProvider | None = None


def begin(exporter: SpanExporter | None = None) -> None:
    """Keep traces from now on and send them in the background, also from processes forked later."""
    global _provider
    if _provider is not None:
        return
    resource = Resource.create({SERVICE_NAME: settings.OTEL_SERVICE_NAME})
    _provider = TracerProvider(resource=resource)
    _provider.add_span_processor(BatchSpanProcessor(Discreet(exporter or OTLPSpanExporter())))
    for instrument in _instruments:
        # psycopg2 is there under another name, which their check of names does not know.
        instrument().instrument(
            tracer_provider=_provider, excluded_urls=UNTOLD_PAGES, skip_dep_check=True
        )
    tracing.use(Tracer(_provider))


def end() -> None:
    """Send what is left and keep no more."""
    global _provider
    if _provider is None:
        return
    tracing.use(None)
    for instrument in _instruments:
        instrument().uninstrument()
    _provider.shutdown()
    _provider = None
