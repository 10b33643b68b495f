"""uvicorn's reader of HTTP/1.1 with bounds on what no application sees.

uvicorn keeps all that comes before a request's body, whatever its size and for as long as it
comes, waits for ever for a first byte and for who does not read an answer, keeps any number of
connections and of requests that wait on one, and puts fields of a chunked body's trailer among the
headers that the application reads.
"""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

from uvicorn.protocols.http import auto
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from yupana.serving.http import bounds
from yupana.serving.http.guard import Guard
from yupana.serving.http.refusal import Problem

MOST_CONNECTIONS = 512
"""Of a worker. For a further one the one is closed that has been idle for longest."""

MOST_PIPELINED = 2
"""Requests that may wait on a connection for the answer to the one before."""

MOST_HEAD = 32 * 1024
"""Bytes that may come before the headers are complete: more than `bounds` lets any application
see."""

MOST_MESSAGE = 1024 * 1024
"""Bytes of a whole request with the frames of its chunks and its trailer."""

GRACE_SECONDS = 1.0
"""After a body's deadline, in which the application may say 408."""

LINGER_SECONDS = 2.0
"""How long a connection that is to be closed waits for who does not read the last answer."""


class BoundedProtocol(HttpToolsProtocol):
    """Cuts a connection that sends more than that, or too slowly, or does not read."""

    guard: ClassVar[Guard]
    """Knows the headers of every answer, and the log."""
    _idle: ClassVar[dict[BoundedProtocol, None]] = {}
    """Connections of this process on which nothing is being answered, longest idle first."""
    _in_head = True
    _bytes = 0
    """Received of this request."""
    _deadline: asyncio.TimerHandle | None = None
    """When the headers, or the body, must be complete."""
    _unread: asyncio.TimerHandle | None = None
    """When the caller must have read what is being sent."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A caller is there; where there are too many, the longest idle is closed."""
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            next(iter(self._idle), self)._cut(bounds.too_many_connections())
        if not transport.is_closing():
            self._idle[self] = None
            self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        """The caller, or who cut it, closed the connection."""
        self._idle.pop(self, None)
        self._no_deadline()
        self._all_read()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count what comes."""
        self._bytes += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._bytes > (MOST_HEAD if self._in_head else MOST_MESSAGE):
            self._cut(bounds.headers_too_large())
        elif self._in_head and not self._bytes:
            self._no_deadline()
        elif self._deadline is None:
            self._expect()

    def on_message_begin(self) -> None:
        """The first line of a request."""
        self._in_head = True
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """A field of the headers; a trailer's is none, and of too many one tells enough."""
        if self._in_head and len(self.headers) <= bounds.MOST_HEADERS:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """All headers are there."""
        if len(self.pipeline) >= MOST_PIPELINED:
            # The parser stops, whatever else it has.
            raise ValueError("too many requests wait on this connection")
        self._in_head, self._bytes = False, 0
        self._no_deadline()
        self._idle.pop(self, None)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """All of the request is there: what comes now is the next one's."""
        self._in_head, self._bytes = True, 0
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """The caller may ask again, or has what it gets."""
        super().on_response_complete()
        if self.transport.is_closing():
            self._linger()
        elif self.cycle.response_complete:
            # Of a body that nobody reads any more.
            self.cycle.body.clear()
            self._idle[self] = None

    def pause_writing(self) -> None:
        """The caller reads more slowly than it is answered."""
        super().pause_writing()
        self._unread = self.loop.call_later(bounds.REQUEST_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """The caller has read most of it."""
        self._all_read()
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:
        """What came is no HTTP."""
        self._cut(bounds.not_http())

    def _should_upgrade(self) -> bool:
        """Never: `bounds` refuses a WebSocket, and another protocol may be left unheeded."""
        return False

    def _unsupported_upgrade_warning(self) -> None:
        """The caller is told."""

    def timeout_keep_alive_handler(self) -> None:
        """The caller has not asked again."""
        self._cut()

    def _expect(self) -> None:
        seconds = bounds.BODY_SECONDS + (0.0 if self._in_head else GRACE_SECONDS)
        self._deadline = self.loop.call_later(seconds, self._late)

    def _late(self) -> None:
        self._deadline = None
        if self.flow.read_paused:
            # It is not the caller that keeps it waiting.
            self._expect()
        else:
            self._cut()

    def _cut(self, refusal: Problem | None = None) -> None:
        """Close, with a last word where no answer is under way."""
        if self.transport.is_closing():
            return
        if refusal and (self.cycle is None or self.cycle.response_complete):
            self.transport.write(self.guard.refuse_unread(refusal))
        self.transport.close()
        self._linger()

    def _linger(self) -> None:
        self._idle.pop(self, None)
        self._no_deadline()
        self._deadline = self.loop.call_later(LINGER_SECONDS, self.transport.abort)

    def _no_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _all_read(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None


def install(guard: Guard) -> None:
    """Let uvicorn read by it from now on: BentoML offers no setting for it."""
    BoundedProtocol.guard = guard
    bounded: Any = BoundedProtocol
    auto.AutoHTTPProtocol = bounded
