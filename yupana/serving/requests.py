"""Bodies read into questions, refusals that say how to mend them, and answers as JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import orjson
from fastapi import Request
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from yupana.core import field_words, foreign_json
from yupana.core.spec import Bilingual
from yupana.serving.http.refusal import Problem, refusal

JSON = b"application/json"
TAKEN_AS_JSON = {JSON, b"application/x-www-form-urlencoded"}
"""The second is what `curl -d` says of any body, unasked."""

_TYPE_NAME = re.compile(r"function-|list\[|float$|constrained-")
"""What pydantic adds to the place of an error where a field takes several types."""

Body = TypeVar("Body", bound=BaseModel)


class PlainRoute(APIRoute):
    """A route whose endpoint takes the request alone and answers by itself.

    FastAPI solves dependencies, reads the body and opens stacks before each call, which costs as
    much as answering does.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **settings: Any) -> None:
        super().__init__(path, endpoint, **settings)
        self.app = self._answer

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        response: Response = await self.endpoint(Request(scope, receive))
        await response(scope, receive, send)


async def body_of(request: Request) -> bytes:
    """The body: the guard has read it, and hands it on in one message."""
    message = await request.receive()
    body: bytes = message.get("body", b"")
    return body


async def question(request: Request, kind: type[Body]) -> Body | Problem:
    """The question in a request's body, or the refusal that says how to mend it."""
    headers = request.scope["headers"]
    media = next((value for name, value in headers if name == b"content-type"), JSON)
    if media != JSON and media.partition(b";")[0].strip().lower() not in TAKEN_AS_JSON:
        return refusal(
            415,
            f"El cuerpo viene como '{media[:60].decode('latin-1')}', no como JSON. / "
            "The body is sent as that, and not as JSON.",
            where="Content-Type",
            fix="Envíe / Send: Content-Type: application/json",
        )
    body = await body_of(request)
    try:
        sent = kind.model_validate_json(body)
    except ValidationError as error:
        first = field_words.first(error.errors(include_url=False, include_input=False))
        return invalid(first["loc"], field_words.words(first), _how_to_ask(request))
    return _repeated(body) or sent


def _how_to_ask(request: Request) -> Mapping[str, str]:
    """How to mend each field; all others, and the body, by the example of the address."""
    how: Mapping[str, str] = request.app.state.how_to_ask
    described = (request.scope["route"].openapi_extra or {}).get("requestBody")
    if not described:
        return how
    example = json.dumps(described["content"][JSON.decode()]["example"], ensure_ascii=False)
    return {
        **how, "": f"Envíe un objeto JSON como este / Send a JSON object like this: {example}"
    }  # fmt: skip


class _RepeatedError(Exception):
    """A field stands twice in an object."""


def _unique(pairs: list[tuple[str, Any]]) -> None:
    if len(dict(pairs)) < len(pairs):
        raise _RepeatedError(foreign_json.repeated(pairs))


_UNIQUE = json.JSONDecoder(object_pairs_hook=_unique)


def _repeated(body: bytes) -> Problem | None:
    """The refusal of a body with a field twice: readers differ in which of them counts."""
    try:
        _UNIQUE.decode(body.decode())
    except _RepeatedError as error:
        name = error.args[0]
        return refusal(
            400,
            f"El campo '{name}' viene más de una vez. / The field is sent more than once.",
            where=name,
            fix="Envíelo una sola vez. / Send it once.",
        )
    return None


def invalid(loc: Sequence[Any], what: Bilingual, how_to_ask: Mapping[str, str]) -> Problem:
    """The refusal of a part of a request that is not what it must be.

    Args:
        how_to_ask: how to mend each field; the empty name is for all others.
    """
    parts = [str(part) for part in loc if not _TYPE_NAME.match(str(part))]
    return refusal(
        400,
        f"La solicitud no es válida: {what.es}. / The request is not valid: {what.en}.",
        where=".".join(parts) or "cuerpo / body",
        fix=how_to_ask.get(parts[0] if parts else "", how_to_ask[""]),
    )


def json_response(content: Any, status: int = 200, kind: str = "json") -> Response:
    """An answer as JSON; `kind` is the subtype of its media type."""
    return Response(orjson.dumps(content), status, media_type=f"application/{kind}")
