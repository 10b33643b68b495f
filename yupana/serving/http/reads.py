"""GET as the web has it: what a client has already is not sent again, and the rest compressed.

Forecasts and alerts change once a period and are asked for all day: an entity tag (RFC 9110, 8.8.3)
costs a hash of the answer, and saves its transfer.
"""

from __future__ import annotations

from hashlib import sha256

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LEAST_BYTES = 1024
"""A shorter answer fits into the packets that it takes anyway."""

_CACHE = (("Cache-Control", "private, no-cache"), ("Vary", "Authorization, X-API-Key"))
"""Kept by the caller alone, and asked for again before each use."""


class Reads:
    """ASGI middleware: GET with entity tags and gzip; all else as it is."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.read = GZipMiddleware(_EntityTag(app), minimum_size=LEAST_BYTES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self.read if scope["type"] == "http" and scope["method"] == "GET" else self.app
        await app(scope, receive, send)


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
