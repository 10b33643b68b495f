"""OpenTelemetry spans of a request: its key, its forecast, its record. Off unless set up.

BentoML's own tracing would open three spans a message in each request, also when nothing is
exported, so requests do not pass it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

_OFF: AbstractContextManager[None] = nullcontext()
_tracer: Any = None


def start(endpoint: str, service: str, share: float) -> Callable[[], None]:
    """Send spans to `endpoint` (OTLP over HTTP, such as http://collector:4318).

    Args:
        endpoint: empty: none are sent.
        share: of the requests, 0-1.

    Returns:
        What sends the spans that wait, and stops.
    """
    if not endpoint:
        return lambda: None
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

    global _tracer
    resource = Resource.create({"service.name": f"yupana-{service}"})
    sampled = TraceIdRatioBased(share)
    # A caller's mark on its own trace does not decide: whoever asks could make all be traced.
    sampler = ParentBased(sampled, remote_parent_sampled=sampled)
    provider = TracerProvider(sampler=sampler, resource=resource)
    exporter = OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces", timeout=5)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    _tracer = provider.get_tracer("yupana")

    def stop() -> None:
        global _tracer
        _tracer = None
        provider.shutdown()

    return stop


def span(name: str, **about: Any) -> AbstractContextManager[Any]:
    """A part of the request, for a `with` block; costs next to nothing when traces are off."""
    if _tracer is None:
        return _OFF
    return _tracer.start_as_current_span(name, attributes=about)


def request_span(headers: Mapping[bytes, bytes], method: str, request_id: str) -> Any:
    """The span of a whole request, within the caller's trace if it sent one."""
    if _tracer is None:
        return _OFF
    from opentelemetry.trace import SpanKind
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carrier = {name.decode("latin-1"): value.decode("latin-1") for name, value in headers.items()}
    return _tracer.start_as_current_span(
        method,
        context=TraceContextTextMapPropagator().extract(carrier),
        kind=SpanKind.SERVER,
        attributes={"http.request.method": method, "yupana.request_id": request_id},
    )
