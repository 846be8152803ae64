"""Spans on their way out. Imported only where OpenTelemetry is."""

from __future__ import annotations

from collections.abc import Sequence

from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import Status

from site_config.observing.redaction import redacted
from site_config.observing.tracing import scrubbed, without_values


class Scrubbing(SpanExporter):
    """Hands on what may be sent of each span, and nothing else."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return self._exporter.export([_sent(span) for span in spans])

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)


def _sent(span: ReadableSpan) -> ReadableSpan:
    """Messages of exceptions quote what they choke on: of an exception its type is sent, and the moment."""
    return ReadableSpan(
        name=redacted(without_values(span.name)),
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=scrubbed(span.attributes),
        events=[
            Event(event.name, scrubbed(event.attributes), event.timestamp) for event in span.events
        ],
        links=(),
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )
