"""Spans through OpenTelemetry's SDK, exported over OTLP/HTTP. Only imported where tracing is on.

The SDK's queue is bounded and its exporter has a thread of its own: a collector that is away costs spans, never events.
"""

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Final

from opentelemetry.context import Context as Where
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    TraceFlags,
    format_span_id,
    format_trace_id,
    set_span_in_context,
)

from services.runtime.tracing.traces import Context

EXPORT_S: Final = 2.0
"""How long a collector may take; at the stop a process waits for two or three times that at most."""
BATCH: Final = 512
QUEUE: Final = 2 * BATCH


class Spans:
    """Begins spans of one process. endpoint: the collector's base address, as OTEL_EXPORTER_OTLP_ENDPOINT has it."""

    def __init__(self, service: str, instance: str, endpoint: str) -> None:
        resource = Resource.create(
            {
                "service.namespace": "tidegate",
                "service.name": service,
                "service.instance.id": instance,
                "service.version": version("tidegate"),
            }
        )
        # What is begun is recorded: who begins has chosen already.
        provider = TracerProvider(sampler=ALWAYS_ON, resource=resource)
        exporter = OTLPSpanExporter(f"{endpoint}/v1/traces", timeout=EXPORT_S)
        provider.add_span_processor(BatchSpanProcessor(exporter, max_queue_size=QUEUE, max_export_batch_size=BATCH))
        self._tracer = provider.get_tracer("tidegate")

    def begin(
        self,
        name: str,
        kind: str,
        parents: Sequence[Context],
        attributes: Mapping[str, str | int | Sequence[str]],
        since_ns: int | None,
    ) -> tuple[Context, Span]:
        """A span below the first of the parents and linked to the others; without any a trace begins."""
        where = Where()
        if parents:
            where = set_span_in_context(NonRecordingSpan(_named(parents[0])), where)
        links = [Link(_named(each)) for each in parents[1:]]
        span = self._tracer.start_span(name, where, SpanKind[kind.upper()], dict(attributes), links, since_ns)
        found = span.get_span_context()
        return Context(format_trace_id(found.trace_id), format_span_id(found.span_id)), span


def _named(context: Context) -> SpanContext:
    flags = TraceFlags(TraceFlags.SAMPLED)
    return SpanContext(int(context.trace_id, 16), int(context.span_id, 16), is_remote=True, trace_flags=flags)
