"""How large and how slow a request may be, and what is said of one that is larger or slower."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from itertools import chain

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from yupana.serving.http.refusal import Problem, refusal

MOST_BODY = 64 * 1024
MOST_HEADERS, MOST_HEADER_BYTES = 64, 16 * 1024
MOST_ADDRESS = 4 * 1024
BODY_SECONDS = 10.0
REQUEST_SECONDS = 30.0


class GoneError(Exception):
    """The caller went away before it had sent its request."""


class WholeBody:
    """ASGI middleware behind the keys: a body is whole before it is answered, and in bounds.

    Who lacks a key is refused before, so that what it sends is never gathered.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse a body that is too large or too slow.

        Raises:
            GoneError: the caller went away.
        """
        app = self.app
        if scope["type"] == "http" and _has_body(scope["headers"]):
            try:
                async with asyncio.timeout(BODY_SECONDS):
                    receive, problem = await _whole(receive)
            except TimeoutError:
                problem = too_slow()
            app = problem or app
        await app(scope, receive, send)


def _has_body(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether something comes after the headers."""
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value != b"0")
        for name, value in headers
    )


def out_of_bounds(scope: Scope, headers: dict[bytes, bytes]) -> Problem | None:
    """The refusal of a request that is too large, before any of its body is read."""
    pairs = scope["headers"]
    if len(pairs) > MOST_HEADERS or len(b"".join(chain.from_iterable(pairs))) > MOST_HEADER_BYTES:
        return headers_too_large()
    hosts = sum(name == b"host" for name, _ in pairs)
    if hosts > 1 or (not hosts and scope["http_version"] == "1.1"):
        return _hosts(hosts)
    if headers.get(b"upgrade", b"").lower() == b"websocket":
        return _websocket()
    if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > MOST_ADDRESS:
        return _closing(
            414,
            "La dirección es demasiado larga. / The address is too long.",
            where="URL",
            fix=f"Use a lo más {MOST_ADDRESS} bytes. / Use at most {MOST_ADDRESS} bytes.",
        )
    length = headers.get(b"content-length", b"0")
    return _too_large() if not length.isdigit() or int(length) > MOST_BODY else None


async def _whole(receive: Receive) -> tuple[Receive, Problem | None]:
    """The body as one message, or why it is not taken."""
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise GoneError
        body, more = body + message.get("body", b""), message.get("more_body", False)
        if len(body) > MOST_BODY:
            return receive, _too_large()
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return waiting.pop() if waiting else await receive()

    return again, None


def _closing(status: int, what: str, *, where: str, fix: str) -> Problem:
    """A refusal after which the rest of what is being sent is not read."""
    problem = refusal(status, what, where=where, fix=fix)
    problem.headers["connection"] = "close"
    return problem


def headers_too_large() -> Problem:
    """The refusal of headers that are too many or too long, or that never end."""
    return _closing(
        431,
        "Las cabeceras son demasiado grandes. / The headers are too large.",
        where="headers",
        fix=f"Envíe a lo más {MOST_HEADERS} cabeceras y {MOST_HEADER_BYTES} bytes. / "
        f"Send at most {MOST_HEADERS} headers and {MOST_HEADER_BYTES} bytes.",
    )


def not_http() -> Problem:
    """The refusal of bytes that no client library sends, and of pipelines that are too long."""
    return _closing(
        400,
        "Lo que llegó no es HTTP/1.1. / What came is not HTTP/1.1.",
        where="HTTP",
        fix="Use una biblioteca de HTTP. / Use an HTTP library.",
    )


def too_many_connections() -> Problem:
    """The refusal of a connection that is closed for a newer one, or that has no place."""
    return _closing(
        503,
        "Hay demasiadas conexiones abiertas. / Too many connections are open.",
        where="yupana",
        fix="Cierre las que no usa e intente de nuevo. / Close those that you do not use and try "
        "again.",
    )


def _hosts(count: int) -> Problem:
    """The refusal of a request that does not name one host (RFC 9112, 3.2)."""
    what = (
        "Hay más de una cabecera Host. / There is more than one Host header."
        if count
        else "Falta la cabecera Host. / The Host header is missing."
    )
    return _closing(400, what, where="Host", fix="Envíe una sola. / Send a single one.")


def _websocket() -> Problem:
    return _closing(
        400,
        "Aquí no hay WebSocket. / There is no WebSocket here.",
        where="Upgrade",
        fix="Pregunte con GET o POST, sin Upgrade. / Ask with GET or POST, without Upgrade.",
    )


def _too_large() -> Problem:
    return _closing(
        413,
        "La solicitud es demasiado grande. / The request is too large.",
        where="cuerpo / body",
        fix=f"Envíe a lo más {MOST_BODY} bytes; reparta las entidades en varias solicitudes. / "
        f"Send at most {MOST_BODY} bytes; spread the entities over several requests.",
    )


def too_slow() -> Problem:
    """The refusal of a request whose body did not come in time."""
    return _closing(
        408,
        "La solicitud tardó demasiado en llegar. / The request took too long to arrive.",
        where="cuerpo / body",
        fix=f"Envíela entera en {BODY_SECONDS:.0f} s. / Send all of it within "
        f"{BODY_SECONDS:.0f} s.",
    )


def out_of_time() -> Problem:
    """The refusal of a request whose answer was not ready in time."""
    return _closing(
        504,
        f"La respuesta tardó más de {REQUEST_SECONDS:.0f} s. / "
        f"The answer took more than {REQUEST_SECONDS:.0f} s.",
        where="yupana",
        fix="Pida menos entidades, o intente de nuevo más tarde. / "
        "Ask for fewer entities, or try again later.",
    )
