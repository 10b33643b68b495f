"""The outermost layer of a service: the name of a request, its limits, its headers, its line.

A pure ASGI middleware that costs some microseconds. Whatever happens inside, the caller gets an
answer in one shape, and the operator one line in the log and one count in the metrics.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import time
import traceback
from itertools import count
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from yupana.serving.http import bounds, metrics, tracing
from yupana.serving.http.access_log import AccessLog, AccessRecord
from yupana.serving.http.refusal import Problem, failed

HEALTH = frozenset({"/livez", "/readyz", "/healthz", "/metrics"})
_PROCESS, _COUNT = secrets.token_hex(8), count(1)
_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}", re.ASCII)
_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
]
_NOTHING = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
# Scripts of others, and in the page, do not run.
_PAGE = (
    b"content-security-policy",
    b"default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' "
    b"data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
)
_NO_STORE = (b"cache-control", b"no-store")
_HSTS = (b"strict-transport-security", b"max-age=31536000")


class Guard:
    """ASGI middleware; `request.state.request_id` names the request.

    Args:
        log: where the line of each request goes.
        behind_tls: callers reach the service by TLS alone, so browsers may be told to.
        folders: beginnings of the addresses whose answers nobody may keep.
    """

    def __init__(
        self, app: ASGIApp, log: AccessLog, behind_tls: bool, folders: tuple[str, ...] = ("/v1/",)
    ) -> None:
        self.app, self.log, self.running, self.folders = app, log, 0, folders
        always = [*_HEADERS, *([_HSTS] if behind_tls else [])]
        self.other, self.page = [*always, _NOTHING], [*always, _PAGE]
        self.api = [*self.other, _NO_STORE]
        metrics.look.append(lambda: metrics.RUNNING.set(self.running))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        request_id = _request_id(headers.get(b"x-request-id", b""))
        scope.setdefault("state", {})["request_id"] = request_id
        header = (b"x-request-id", request_id.encode())
        sender = _Sender(send, [header, *self._extra(scope["path"])])
        began, now = time.perf_counter(), time.time()
        self.running += 1
        try:
            with tracing.request_span(headers, scope["method"], request_id) as span:
                await self._answer(scope, receive, sender, headers)
                if span is not None:
                    _mark(span, scope, sender.status)
        finally:
            self.running -= 1
            if scope["path"] not in HEALTH:
                route, seconds = scope.get("route"), time.perf_counter() - began
                where = route.path if route is not None else "-"
                caller = scope["state"].get("caller")
                method = scope["method"]
                self.log.add(
                    AccessRecord(now, seconds, request_id, method, where, sender.status, caller)
                )

    def refuse_unread(self, problem: Problem) -> bytes:
        """The bytes of a refusal where what came is no request that an application could get."""
        request_id = _request_id(b"")
        self.log.add(
            AccessRecord(time.time(), 0.0, request_id, "-", "-", problem.status_code, None)
        )
        header = (b"x-request-id", request_id.encode())
        return problem.on_the_wire(request_id, [header, *self.api])

    async def _answer(
        self, scope: Scope, receive: Receive, sender: _Sender, headers: dict[bytes, bytes]
    ) -> None:
        limit = asyncio.timeout(bounds.REQUEST_SECONDS)
        try:
            async with limit:
                problem = bounds.out_of_bounds(scope, headers)
                await (problem or self.app)(scope, receive, sender)
        except bounds.GoneError:
            sender.status = 499
        except Exception as error:
            if limit.expired():
                await self._instead(bounds.out_of_time(), scope, receive, sender)
            else:
                self._explain(scope, error)
                await self._instead(failed("yupana"), scope, receive, sender)

    async def _instead(
        self, problem: Problem, scope: Scope, receive: Receive, sender: _Sender
    ) -> None:
        """Say that it failed; an answer that has begun can only be cut off."""
        if not sender.status:
            await problem(scope, receive, sender)
        elif not sender.ended:
            raise ConnectionAbortedError("the answer was cut off") from None

    def _explain(self, scope: Scope, error: Exception) -> None:
        # Without the error's own words: they may hold what the caller sent.
        frames = [
            f"{f.filename}:{f.lineno} {f.name}" for f in traceback.extract_tb(error.__traceback__)
        ]
        self.log.add(
            {
                "time": time.time(),
                "event": "error",
                "request_id": scope["state"]["request_id"],
                "error": type(error).__name__,
                "frames": frames[-12:],
            }
        )

    def _extra(self, path: str) -> list[tuple[bytes, bytes]]:
        if path.startswith(self.folders):
            return self.api
        page = path == "/" or path.startswith("/static_content/")
        return self.page if page else self.other


class _Sender:
    """`send`, with our headers; knows how far the answer is."""

    __slots__ = ("ended", "extra", "send", "status")

    def __init__(self, send: Send, extra: list[tuple[bytes, bytes]]) -> None:
        self.send, self.extra = send, extra
        self.status, self.ended = 0, False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            theirs, extra = message["headers"], self.extra
            if any(name == b"cache-control" for name, _ in theirs):
                extra = [header for header in extra if header is not _NO_STORE]
            message = {**message, "headers": [*theirs, *extra]}
        elif not message.get("more_body"):
            self.ended = True
        await self.send(message)


def _request_id(header: bytes) -> str:
    """The name that the caller gave its request, if it is one; else a new one."""
    return header.decode() if _ID.fullmatch(header) else f"{_PROCESS}{next(_COUNT):016x}"


def _mark(span: Any, scope: Scope, status: int) -> None:
    route = scope.get("route")
    if route is not None:
        span.update_name(f"{scope['method']} {route.path}")
        span.set_attribute("http.route", route.path)
    span.set_attribute("http.response.status_code", status)
