"""How the addresses that every service has answer, for their OpenAPI page."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

_PROBLEM = "application/problem+json"
PREDICTION_ID = "^[0-9a-f]{32}$"


class Note(BaseModel):
    """A caveat, or the reason why there is no answer; `code` is for programs."""

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
    why: Note | None = Field(description="por qué no responde / why it does not answer")
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


class ModelListing(BaseModel):
    models: list[ServingModel]
    refused: list[RefusedModel]


def _problem(text: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": text, "content": {_PROBLEM: {"schema": schema}}}


PROBLEMS: dict[int | str, dict[str, Any]] = {
    400: _problem(
        "La solicitud no es válida, o trae un campo o parámetro que no existe o se repite / The "
        "request is not valid, or has a field or parameter that does not exist or is repeated"
    ),
    401: _problem("Falta la clave, o no es válida / The key is missing or not valid"),
    403: _problem("La clave no abre esta dirección / The key does not open this address"),
    408: _problem("La solicitud llegó demasiado lento / The request came too slowly"),
    413: _problem("La solicitud es demasiado grande / The request is too large"),
    414: _problem("La dirección es demasiado larga / The address is too long"),
    415: _problem("El cuerpo no es JSON / The body is not JSON"),
    429: _problem("Se alcanzó un límite / A limit is reached"),
    431: _problem("Las cabeceras son demasiado grandes / The headers are too large"),
    500: _problem("El servicio falló / The service failed"),
    503: _problem(
        "No se puede registrar, o está suspendido / It cannot be recorded, or it is suspended"
    ),
    504: _problem("Tardó demasiado / It took too long"),
}
UNCHANGED = {"description": "No cambió / It has not changed: If-None-Match (RFC 9110)"}


def _header(text: str, **schema: Any) -> dict[str, Any]:
    return {"description": text, "schema": {"type": "string", **schema}}


HEADERS: dict[str, Any] = {
    "X-Request-ID": _header(
        "El nombre de la solicitud, como en el registro / the request's name, as in the log",
        pattern="^[A-Za-z0-9._-]{1,64}$",
    ),
    "RateLimit-Policy": _header(
        'Límites de la clave / limits of the key: "rate";q=60;w=60, "quota";q=10000;w=86400'
    ),
    "RateLimit": _header(
        "Lo que queda y en cuántos segundos se renueva / what is left, and the "
        'seconds until it is renewed: "rate";r=59;t=42'
    ),
    "Retry-After": _header("Segundos de espera / seconds to wait", pattern="^[0-9]+$"),
    "WWW-Authenticate": _header("Qué falta a la clave o token / what the key or token lacks"),
    "ETag": _header("La versión de la respuesta / the answer's version", pattern='^W/"'),
    "Cache-Control": _header("Quién puede guardarla / who may keep it"),
    "Vary": _header("De qué depende / what it depends on"),
    "Content-Disposition": _header("El nombre del archivo / the file's name"),
    "Deprecation": _header("Desde cuándo (RFC 9745) / since when", pattern="^@[0-9]+$"),
    "Sunset": _header("Desde cuándo puede faltar (RFC 8594) / from when it may be gone"),
    "Link": _header("Lo que la reemplaza (RFC 5829) / what takes its place"),
}
LIMIT_HEADERS = ("RateLimit-Policy", "RateLimit")
"""Of a key with limits (draft-ietf-httpapi-ratelimit-headers-10)."""

CACHE_HEADERS = ("ETag", "Cache-Control", "Vary")
DEPRECATION_HEADERS = ("Deprecation", "Sunset", "Link")
HEADERS_OF = {
    "401": ("WWW-Authenticate",),
    "403": ("WWW-Authenticate",),
    "429": ("Retry-After",),
    "503": ("Retry-After",),
}
FILE_HEADERS = {"Content-Disposition": {"$ref": "#/components/headers/Content-Disposition"}}
"""Of an answer that is saved as a file."""

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
