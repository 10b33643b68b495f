"""The FastAPI application of a service: the kind's routes, the shared ones, and how errors read."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from starlette.responses import Response

from yupana.core.spec import Spec
from yupana.serving import answer_listing, routes, schemas
from yupana.serving.kind import Kind
from yupana.serving.requests import invalid
from yupana.serving.schemas import PROBLEMS, ProblemSchema


def application(about: Spec, kind: Kind) -> FastAPI:
    """The application; `kind.start` fills its state when the service starts."""
    app = FastAPI(
        title=f"yupana: {about.name}",
        version="1",
        description=f"{about.title.es}. / {about.title.en}.",
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        responses=PROBLEMS,
        servers=[{"url": "/"}],
        # Names that generated clients show: `forecast`, not the address with its method.
        generate_unique_id_function=lambda route: route.name,
    )
    shared = {**routes.HOW_TO_ASK, **answer_listing.HOW_TO_ASK}
    app.state.how_to_ask = {**shared, **kind.how_to_ask(about)}
    app.add_exception_handler(RequestValidationError, _wrong_address)
    app.include_router(kind.router(about))
    app.include_router(routes.router(about, kind))
    app.include_router(answer_listing.router(about))
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    return app


async def _wrong_address(request: Request, error: Exception) -> Response:
    """A part of the address that is not what it must be."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    return invalid(first["loc"][1:], first["msg"], request.app.state.how_to_ask)


def _openapi(app: FastAPI) -> dict[str, Any]:
    """The page's text: FastAPI's, with the keys, and the errors as they are."""
    if app.openapi_schema is None:
        page = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes,
            servers=app.servers,
        )  # fmt: skip
        parts = page.setdefault("components", {})
        parts["securitySchemes"] = {
            "key": {"type": "http", "scheme": "bearer", "description": "yup_… o / or OIDC"},
            "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
        }
        page["security"] = [{"key": []}, {"header": []}]
        parts["headers"] = schemas.LIMIT_HEADERS
        shapes = parts.setdefault("schemas", {})
        shapes["Problem"] = ProblemSchema.model_json_schema()
        for path in page["paths"].values():
            for operation in path.values():
                # Every error has one shape; FastAPI's own list is never sent.
                operation["responses"].pop("422", None)
                for response in operation["responses"].values():
                    response["headers"] = {
                        name: {"$ref": f"#/components/headers/{name}"}
                        for name in schemas.LIMIT_HEADERS
                    }
        shapes.pop("HTTPValidationError", None)
        shapes.pop("ValidationError", None)
        app.openapi_schema = page
    return app.openapi_schema
