"""The FastAPI application of a service: the kind's routes, the shared ones, and how errors read."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.responses import Response

from yupana.core import field_words
from yupana.core.spec import Spec
from yupana.serving import answer_listing, deprecation, openapi, parameters, routes
from yupana.serving.kind import Kind
from yupana.serving.requests import invalid
from yupana.serving.schemas import PROBLEMS


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
        # A redirect would name the host and the scheme that this process sees, not the public ones.
        redirect_slashes=False,
    )
    shared = {**routes.HOW_TO_ASK, **answer_listing.HOW_TO_ASK}
    app.state.how_to_ask = {**shared, **kind.how_to_ask(about)}
    app.add_exception_handler(RequestValidationError, _wrong_address)
    app.include_router(kind.router(about))
    app.include_router(routes.router(about, kind))
    app.include_router(answer_listing.router(about))
    parameters.apply(app.routes)
    deprecation.apply(app.routes)
    app.openapi = lambda: openapi.page(app)  # type: ignore[method-assign]
    return app


async def _wrong_address(request: Request, error: Exception) -> Response:
    """A part of the address that is not what it must be."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    return invalid(first["loc"][1:], field_words.words(first), request.app.state.how_to_ask)
