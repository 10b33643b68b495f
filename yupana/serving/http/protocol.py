"""uvicorn's reader of HTTP/1.1 with bounds: what it would gather before an application is asked.

uvicorn keeps all that comes before a request's body, whatever its size and for as long as it
comes, and puts fields of a chunked body's trailer among the headers that the application reads.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http import auto
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from yupana.serving.http import bounds

MOST_HEAD = 128 * 1024
"""Bytes that may come before the headers are complete: with the rest of a body before them, more
than `bounds` lets any application see."""

MOST_MESSAGE = 1024 * 1024
"""Bytes of a whole request with the frames of its chunks and its trailer."""


class BoundedProtocol(HttpToolsProtocol):
    """Cuts a connection that sends more than that, or headers too slowly, and drops trailers."""

    _in_head = True
    _bytes = 0
    """Received of this request."""
    _deadline: asyncio.TimerHandle | None = None
    """When headers that have begun must be complete."""

    def data_received(self, data: bytes) -> None:
        """Count what comes."""
        self._bytes += len(data)
        super().data_received(data)
        if not self._in_head or not self._bytes:
            self._no_deadline()
        elif self._deadline is None:
            self._deadline = self.loop.call_later(bounds.BODY_SECONDS, self.transport.close)
        most = MOST_HEAD if self._in_head else MOST_MESSAGE
        if self._bytes > most and not self.transport.is_closing():
            if self.cycle is None or self.cycle.response_complete:
                self.transport.write(bounds.HEADERS_TOO_LARGE)
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """The caller, or who cut it, closed the connection."""
        self._no_deadline()
        super().connection_lost(exc)

    def _no_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def on_message_begin(self) -> None:
        """The first line of a request."""
        self._in_head = True
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """A field of the headers; a trailer's is none."""
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """All headers are there."""
        self._in_head, self._bytes = False, 0
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """All of the request is there: what comes now is the next one's."""
        self._in_head, self._bytes = True, 0
        super().on_message_complete()


def install() -> None:
    """Let uvicorn read by it from now on: BentoML offers no setting for it."""
    bounded: Any = BoundedProtocol
    auto.AutoHTTPProtocol = bounded
