"""Every error of a service in one shape: {"what", "where", "fix"}, Spanish first.

BentoML 1.4 answers a failed validation with Pydantic's English list, a `NotFound` with a list
of one object, and an unknown path with plain text. A client should have to read one shape.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_TOLD_BY_STATUS = {
    404: (
        "No hay nada en esta dirección. / Nothing is at this address.",
        "Mire la página / del servicio. / Look at the page / of the service.",
    ),
    405: (
        "Método no admitido. / Method not allowed.",
        "Envíe la solicitud con POST. / Send the request by POST.",
    ),
}
_TOLD = (
    "El servicio no pudo responder. / The service could not answer.",
    "Intente de nuevo; si se repite, avise con el X-BentoML-Request-ID de esta respuesta. / "
    "Try again; if it happens again, report this answer's X-BentoML-Request-ID.",
)


def refusal(status: int, what: str, *, where: str, fix: str) -> JSONResponse:
    """An error for the caller: what happened, in which part of the request, how to mend it."""
    return JSONResponse({"what": what, "where": where, "fix": fix}, status_code=status)


class OneShape:
    """ASGI middleware that rewrites the errors that BentoML answers by itself.

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
            if message["type"] == "http.response.start" and message["status"] >= 400:
                start = message
            elif not start:
                await send(message)
            else:
                body += message.get("body", b"")
                if not message.get("more_body"):
                    told = self._tell(start["status"], body, scope["path"])
                    replaced = {name for name, _ in told.raw_headers}
                    others = [h for h in start["headers"] if h[0].lower() not in replaced]
                    await send({**start, "headers": [*others, *told.raw_headers]})
                    await send({"type": "http.response.body", "body": told.body})

        await self.app(scope, receive, rewrite)

    def _tell(self, status: int, body: bytes, path: str) -> JSONResponse:
        said: Any
        try:
            said = json.loads(body)
        except ValueError:
            said = {}
        if isinstance(said, dict) and "what" in said:
            return JSONResponse(said, status_code=status)
        if isinstance(said, dict) and said.get("detail"):
            first = said["detail"][0]
            field = str(first["loc"][0]) if first["loc"] else ""
            return refusal(
                status,
                f"La solicitud no es válida. / The request is not valid: {first['msg']}.",
                where=".".join(map(str, first["loc"])) or "cuerpo / body",
                fix=self.how_to_ask.get(field, self.how_to_ask[""]),
            )
        what, fix = _TOLD_BY_STATUS.get(status, _TOLD)
        return refusal(status, what, where=path, fix=fix)
