"""The application of a service (routes, how errors read), and the worker that answers by it."""

from __future__ import annotations

import gc
import sys

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.responses import Response
from starlette.types import ASGIApp

from yupana.config.settings import settings
from yupana.core import field_words, spec
from yupana.core.spec import Spec
from yupana.serving import answer_listing, deprecation, openapi, parameters, routes, starter
from yupana.serving import kind as kinds
from yupana.serving.context import ServiceContext
from yupana.serving.http import asgi, tracing
from yupana.serving.http.guard import Guard
from yupana.serving.kind import Kind
from yupana.serving.requests import invalid
from yupana.serving.schemas import PROBLEMS

SWITCH_SECONDS = 0.0005
"""Python's default of 5 ms lets the log's thread wait that long for a busy event loop, each call
into the database anew."""

GARBAGE = 20_000
"""New objects after which garbage is looked for. Python's 700 are those of some requests at once:
each look passes over them all, and finds none."""


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


class Worker:
    """The application of a use case, and what it answers from once `start` was called."""

    context: ServiceContext

    def __init__(self, name: str) -> None:
        self._about = spec.load(name)
        self._kind = kinds.load(self._about.task)
        self.app = application(self._about, self._kind)

    def layers(self, rest: ASGIApp) -> Guard:
        """What is served: the application and its layers, before BentoML's own (`rest`)."""
        config, app = settings(), self.app
        if config.public_url:
            app.servers = [{"url": config.public_url}]
        folders = kinds.folders(self._kind, self._about)
        first = asgi.page(self._about)
        return asgi.layers(app, rest, app.state.how_to_ask, config, first, folders)

    def start(self) -> None:
        """Load the models and make their answers ready."""
        starter.follow()
        sys.setswitchinterval(SWITCH_SECONDS)
        config, name = settings(), self._about.name
        self._stop_traces = tracing.start(config.otlp_endpoint, name, config.otlp_share)
        preparation = self._kind.preparation(config, name)
        self.context = self.app.state.context = ServiceContext(config, name, preparation)
        self._kind.start(self.app, self.context, preparation)
        # What is there now stays: looking through the libraries' objects for garbage would
        # halt all requests for a tenth of a second each time.
        gc.collect()
        gc.freeze()
        gc.set_threshold(GARBAGE)

    def close(self) -> None:
        """Write what waits in the log."""
        self.context.close()
        self._stop_traces()
