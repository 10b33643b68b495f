"""GET and HEAD as the web has them: what a client has is not sent again, the rest compressed.

Forecasts and alerts change once a period and are asked for all day: an entity tag (RFC 9110, 8.8.3)
costs a hash of the answer, and saves its transfer.
"""

from __future__ import annotations

import re
from hashlib import sha256

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LEAST_BYTES = 1024
"""A shorter answer fits into the packets that it takes anyway."""

_CACHE = (("Cache-Control", "private, no-cache"), ("Vary", "Authorization, X-API-Key"))
"""Kept by the caller alone, and asked for again before each use."""


READING = frozenset({"GET", "HEAD"})
_REFUSED = re.compile(r"gzip\s*;\s*q=0(\.0*)?\s*(,|$)", re.IGNORECASE)


class Reads:
    """ASGI middleware: GET with entity tags and gzip, HEAD as GET without the body (RFC 9110,
    9.3.2); all else as it is.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.read = GZipMiddleware(_EntityTag(app), minimum_size=LEAST_BYTES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in READING:
            await self.app(scope, receive, send)
            return

        async def headers_alone(message: Message) -> None:
            whole = message["type"] != "http.response.body"
            await send(message if whole else {**message, "body": b""})

        headers = [header for header in scope["headers"] if not _refuses_gzip(*header)]
        inside = {**scope, "method": "GET", "headers": headers}
        try:
            await self.read(inside, receive, headers_alone if scope["method"] == "HEAD" else send)
        finally:
            # The log's line tells it.
            if "route" in inside:
                scope["route"] = inside["route"]


def _refuses_gzip(name: bytes, value: bytes) -> bool:
    """Whether a header says that gzip is not taken (RFC 9110, 12.5.3): Starlette looks for the
    word alone.
    """
    return name == b"accept-encoding" and bool(_REFUSED.search(value.decode("latin-1")))


class _EntityTag:
    """Gives each answer a weak tag, and 304 to who sent it in If-None-Match."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        start: Message = {}
        body = b""

        async def whole(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start" and message["status"] == 200:
                start = message
            elif not start:
                await send(message)
            else:
                body += message.get("body", b"")
                if not message.get("more_body"):
                    await _send(Headers(scope=scope), start, body, send)

        await self.app(scope, receive, whole)


async def _send(request: Headers, start: Message, body: bytes, send: Send) -> None:
    tag = f'W/"{sha256(body).hexdigest()[:32]}"'
    headers = MutableHeaders(raw=[*start["headers"]])
    headers["ETag"] = tag
    for name, value in _CACHE:
        headers.setdefault(name, value)
    held = {one.strip().removeprefix("W/") for one in request.get("if-none-match", "").split(",")}
    if tag.removeprefix("W/") in held or "*" in held:
        for name in ("content-length", "content-type"):
            del headers[name]
        start, body = {**start, "status": 304}, b""
    await send({**start, "headers": headers.raw})
    await send({"type": "http.response.body", "body": body})
