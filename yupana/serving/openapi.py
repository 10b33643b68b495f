"""The description of a service (OpenAPI 3.1): what FastAPI knows, and what our layers add to it."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from yupana.serving import schemas
from yupana.serving.schemas import ProblemSchema

_SECURITY = {
    "key": {"type": "http", "scheme": "bearer", "description": "yup_… o / or OIDC"},
    "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}
_BEFORE_LIMITS = frozenset({"401", "403", "408", "413", "414", "431"})
"""Refused before the key's limits are looked at."""


def page(app: FastAPI) -> dict[str, Any]:
    """The description of an application, made once."""
    if app.openapi_schema is None:
        app.openapi_schema = _page(app)
    return app.openapi_schema


def _page(app: FastAPI) -> dict[str, Any]:
    described = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes,
        servers=app.servers,
    )  # fmt: skip
    parts = described.setdefault("components", {})
    parts["securitySchemes"] = _SECURITY
    described["security"] = [{name: []} for name in _SECURITY]
    parts["headers"] = schemas.HEADERS
    shapes = parts.setdefault("schemas", {})
    shapes["Problem"] = ProblemSchema.model_json_schema()
    # Every error has one shape; FastAPI's own list is never sent.
    shapes.pop("HTTPValidationError", None)
    shapes.pop("ValidationError", None)
    for path in described["paths"].values():
        for method, operation in path.items():
            _complete(method, operation)
    return described


def _complete(method: str, operation: dict[str, Any]) -> None:
    """The answers that our layers give for any endpoint, and the headers of each."""
    responses = operation["responses"]
    responses.pop("422", None)
    if "requestBody" not in operation:
        responses.pop("415", None)
    if method == "get":
        responses["304"] = schemas.UNCHANGED
    for status, response in responses.items():
        names = ["X-Request-ID", *schemas.HEADERS_OF.get(status, ())]
        if status not in _BEFORE_LIMITS:
            names += schemas.LIMIT_HEADERS
            names += schemas.DEPRECATION_HEADERS if operation.get("deprecated") else ()
        if method == "get" and status in ("200", "304"):
            names += schemas.CACHE_HEADERS
        refs = {name: {"$ref": f"#/components/headers/{name}"} for name in names}
        responses[status] = {**response, "headers": {**response.get("headers", {}), **refs}}
