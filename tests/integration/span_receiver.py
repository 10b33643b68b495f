"""Takes spans as an OpenTelemetry collector does."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, ClassVar


class Receiver(BaseHTTPRequestHandler):
    """Keeps the path and the body of each request in `got`."""

    got: ClassVar[list[tuple[str, bytes]]] = []

    def do_POST(self) -> None:
        self.got.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        return None


@contextmanager
def receiving() -> Iterator[str]:
    """A receiver that runs meanwhile; yields its address."""
    server = HTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def spans_of(trace: str) -> dict[str, Any]:
    """The spans of a trace (hexadecimal) that have come, by name."""
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    exports = [ExportTraceServiceRequest.FromString(body) for _, body in Receiver.got]
    every = (s for x in exports for r in x.resource_spans for y in r.scope_spans for s in y.spans)
    return {s.name: s for s in every if s.trace_id.hex() == trace}
