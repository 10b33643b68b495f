"""How the addresses that every service has answer, for their OpenAPI page."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

_PROBLEM = "application/problem+json"


class NoteSchema(BaseModel):
    """A caveat, or the reason why there is no answer; `code` is for programs."""

    model_config = ConfigDict(title="Note")

    code: str
    es: str
    en: str


class ProblemSchema(BaseModel):
    """An error (RFC 9457), with the mend."""

    model_config = ConfigDict(title="Problem")

    type: str
    title: str = Field(description="qué pasó / what happened")
    status: int
    where: str = Field(description="en qué parte de la solicitud / in which part of the request")
    fix: str = Field(description="cómo corregirlo / how to mend it")
    request_id: str = ""


class Received(BaseModel):
    feedback_id: str


class ServingModel(BaseModel):
    """A model that serves, in its slot; the kind adds what its answers are about."""

    model_config = ConfigDict(extra="allow")

    model: str
    slot: Literal["champion", "challenger"]
    state: Literal["serves", "canary", "shadow", "suspended", "not_admitted"]
    why: NoteSchema | None = Field(description="por qué no responde / why it does not answer")
    stage: Literal["trial", "service"] = Field(
        description="trial: a prueba, no aprobado para decidir / not approved for decisions"
    )
    expired: bool = Field(description="su aprobación venció / its approval is over")
    share: float
    features: str
    model_card: str
    notice: str


class RefusedModel(BaseModel):
    """A model that was placed, and failed its own test or did not pass the gate."""

    model: str
    state: Literal["refused"]
    why: str


class Models(BaseModel):
    models: list[ServingModel]
    refused: list[RefusedModel]


def _problem(text: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": text, "content": {_PROBLEM: {"schema": schema}}}


PROBLEMS: dict[int | str, dict[str, Any]] = {
    400: _problem("La solicitud no es válida / The request is not valid"),
    401: _problem("Falta la clave, o no es válida / The key is missing or not valid"),
    403: _problem("La clave no abre esta dirección / The key does not open this address"),
    408: _problem("La solicitud llegó demasiado lento / The request came too slowly"),
    413: _problem("La solicitud es demasiado grande / The request is too large"),
    415: _problem("El cuerpo no es JSON / The body is not JSON"),
    429: _problem("Se alcanzó un límite / A limit is reached"),
    503: _problem(
        "No se puede registrar, o está suspendido / It cannot be recorded, or it is suspended"
    ),
}
LIMIT_HEADERS: dict[str, Any] = {
    "RateLimit-Policy": {
        "description": "Límites de la clave / the key's limits: "
        '"rate";q=60;w=60, "quota";q=10000;w=86400',
        "schema": {"type": "string"},
    },
    "RateLimit": {
        "description": "Lo que queda y en cuántos segundos se renueva / what is left, and the "
        'seconds until it is renewed: "rate";r=59;t=42',
        "schema": {"type": "string"},
    },
}
"""Which answers to a key with limits carry (draft-ietf-httpapi-ratelimit-headers-10)."""

NOT_FOUND: dict[int | str, dict[str, Any]] = {404: _problem("No está / It is not there")}
CONFLICT: dict[int | str, dict[str, Any]] = {409: _problem("No se puede explicar / No features")}
MARKDOWN: dict[int | str, dict[str, Any]] = {
    200: {"description": "Markdown", "content": {"text/markdown": {"schema": {"type": "string"}}}}
}


def body(kind: type[BaseModel], example: Any) -> dict[str, Any]:
    """The body of a request, for an address that reads it itself; inner models stand in place."""
    schema = _inline(kind.model_json_schema())
    content = {"schema": schema, "example": example}
    return {"requestBody": {"required": True, "content": {"application/json": content}}}


def _inline(schema: Any, definitions: Any = None) -> Any:
    if isinstance(schema, list):
        return [_inline(part, definitions) for part in schema]
    if not isinstance(schema, dict):
        return schema
    definitions = schema.get("$defs", definitions)
    if reference := schema.get("$ref"):
        return _inline(definitions[reference.rsplit("/")[-1]], definitions)
    return {name: _inline(part, definitions) for name, part in schema.items() if name != "$defs"}
