"""Every error of a service in one shape: problem+json (RFC 9457), Spanish first.

FastAPI answers a failed validation with Pydantic's English list and an unknown path with a list
of one word; BentoML answers with plain text. A client should have to read one shape.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

import orjson
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from yupana.core import field_words
from yupana.core.errors import ContentError, UsageError, YupanaError

PROBLEM = "application/problem+json"
_CODES = {
    400: "invalid_request", 401: "unauthorised", 403: "forbidden", 404: "not_found",
    405: "method_not_allowed", 408: "slow_request", 409: "conflict", 413: "too_large",
    414: "address_too_long", 415: "not_json", 422: "invalid_request", 429: "limit_reached",
    431: "headers_too_large", 503: "unavailable", 504: "out_of_time",
}  # fmt: skip
_TEXT_BY_STATUS = {
    404: (
        "No hay nada en esta dirección. / Nothing is at this address.",
        "Mire la página / del servicio. / Look at the page / of the service.",
    ),
    405: (
        "Método no admitido. / Method not allowed.",
        "Mire qué método pide la dirección en la página /. / See on the page / which method "
        "the address takes.",
    ),
    503: (
        "El servicio no está disponible. / The service is not available.",
        "Intente de nuevo en unos segundos. / Try again in a few seconds.",
    ),
}
OWN_ERRORS = "own_errors"
"""Set in a request's state by an address whose errors have the form of another standard."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_FAILED = (
    "El servicio no pudo responder. / The service could not answer.",
    "Intente de nuevo; si se repite, avise con el request_id de esta respuesta. / "
    "Try again; if it happens again, report this answer's request_id.",
)


class Problem(Response):
    """A problem that names the request when it is sent; `content` is its fields."""

    media_type = PROBLEM

    def __init__(self, content: dict[str, Any], status_code: int) -> None:
        self.fields = content
        super().__init__(orjson.dumps(content), status_code)

    def on_the_wire(self, request_id: str, more: Iterable[tuple[bytes, bytes]]) -> bytes:
        """The whole answer in HTTP/1.1, where no application is asked.

        Args:
            more: headers beside its own.
        """
        self._name(request_id)
        line = f"HTTP/1.1 {self.status_code} {HTTPStatus(self.status_code).phrase}\r\n".encode()
        headers = [*self.raw_headers, *more]
        fields = b"".join(name + b": " + value + b"\r\n" for name, value in headers)
        return line + fields + b"\r\n" + bytes(self.body)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, with the request's id in it."""
        self._name(scope.get("state", {}).get("request_id", ""))
        await super().__call__(scope, receive, send)

    def _name(self, request_id: str) -> None:
        self.body = orjson.dumps({**self.fields, "request_id": request_id})
        self.headers["content-length"] = str(len(self.body))


def refusal(status: int, what: str, *, where: str, fix: str, code: str = "") -> Problem:
    """An error for the caller: what happened, in which part of the request, how to mend it.

    Args:
        what: Spanish first, then English.
        code: for programs, in the `type` of the problem; by default what the status says.
    """
    kind = f"urn:yupana:problem:{code or _CODES.get(status, 'failed')}"
    fields = {"type": kind, "title": what, "status": status, "where": where, "fix": fix}
    return Problem(fields, status)


def from_error(error: YupanaError) -> Problem:
    """What the platform says of the request: wrong use is the caller's, all else is not."""
    if isinstance(error, ContentError):
        return _not_vouched_for()
    if not isinstance(error, UsageError):
        return failed("yupana")
    return refusal(400, error.what, where=error.where, fix=error.fix)


def _not_vouched_for() -> Problem:
    """Which file it is, only the operator is told: `yupana audit verify`."""
    return refusal(
        503,
        "Lo guardado no es lo que dejó su proceso, por eso no se da. / "
        "What is stored is not what its step left, so it is not given.",
        where="yupana",
        fix="Avise a quien opera el servicio: yupana audit verify. / Tell who runs the service: "
        "yupana audit verify.",
        code="content_changed",
    )


def failed(where: str) -> Problem:
    """The service broke: nothing of the inside is said."""
    what, fix = _FAILED
    return refusal(500, what, where=where, fix=fix)


class OneShape:
    """ASGI middleware that rewrites the errors that FastAPI and BentoML answer by themselves.

    Args:
        how_to_ask: how to mend each field of the request; the name "" is for all others.
    """

    def __init__(self, app: ASGIApp, how_to_ask: Mapping[str, str]) -> None:
        self.app, self.how_to_ask = app, how_to_ask

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        start: Message = {}
        body = b""

        async def rewrite(message: Message) -> None:
            nonlocal start, body
            own = scope.get("state", {}).get(OWN_ERRORS)
            if message["type"] == "http.response.start" and not own and _foreign(message):
                start = _no_redirect(message)
            elif not start:
                await send(message)
            else:
                body += message.get("body", b"")
                if not message.get("more_body"):
                    problem = self._problem(start["status"], body, scope["path"])
                    problem.raw_headers += [
                        h for h in start["headers"] if not h[0].lower().startswith(b"content")
                    ]
                    await problem(scope, receive, send)

        await self.app(scope, receive, rewrite)

    def _problem(self, status: int, body: bytes, path: str) -> Problem:
        answer: Any
        try:
            answer = json.loads(body)
        except ValueError:
            answer = {}
        if isinstance(answer, dict) and isinstance(answer.get("detail"), list) and answer["detail"]:
            first = answer["detail"][0]
            words = field_words.words(first)
            # FastAPI says first which part of the request it was.
            loc = [str(part) for part in first["loc"]]
            field = loc[-1] if loc else ""
            return refusal(
                400,
                f"La solicitud no es válida: {words.es}. / The request is not valid: {words.en}.",
                where=".".join(loc) or "cuerpo / body",
                fix=self.how_to_ask.get(field, self.how_to_ask[""]),
            )
        what, fix = _TEXT_BY_STATUS.get(status, _FAILED)
        return refusal(status, what, where=path, fix=fix)


def _foreign(start: Message) -> bool:
    """Whether an answer is an error that another made."""
    if start["status"] in _REDIRECTS:
        return True
    if start["status"] < 400:
        return False
    types = (value for name, value in start["headers"] if name.lower() == b"content-type")
    return not next(types, b"").startswith(PROBLEM.encode())


def _no_redirect(start: Message) -> Message:
    """A redirect would name the host and scheme that this process sees: nothing is there."""
    if start["status"] not in _REDIRECTS:
        return start
    headers = [h for h in start["headers"] if h[0].lower() != b"location"]
    return {**start, "status": 404, "headers": headers}
