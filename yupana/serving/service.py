"""A use case's BentoML service: its kind's routes behind the layers that all services share."""

from __future__ import annotations

import gc
import sys
from typing import Any

import bentoml
from starlette.types import ASGIApp

from yupana.config.settings import settings
from yupana.core import private_file, spec, usecase
from yupana.core.errors import YupanaError
from yupana.features import store
from yupana.serving import kind as kinds
from yupana.serving import starter
from yupana.serving.application import application
from yupana.serving.context import ServiceContext
from yupana.serving.http import asgi, tracing
from yupana.serving.http.guard import Guard
from yupana.tracking import slots

SWITCH_SECONDS = 0.0005
"""Python's default of 5 ms lets the log's thread wait that long for a busy event loop, each call
into the database anew."""

GARBAGE = 20_000
"""New objects after which garbage is looked for. Python's 700 are those of some requests at once:
each look passes over them all, and finds none."""


def prediction_service(name: str) -> bentoml.Service[Any]:
    """The service of a use case, to be named by its title in `serving/<use case>/service.py`.

    Example: `Name = prediction_service("name")`, served as
    `bentoml serve serving.name.service:Name`.

    Raises:
        UsageError: there is no such use case.
    """
    private_file.by_default()
    about = spec.load(name)
    kind = kinds.load(about.task)
    app = application(about, kind)

    def stack(rest: ASGIApp) -> Guard:
        config = settings()
        if config.public_url:
            app.servers = [{"url": config.public_url}]
        return asgi.layers(app, rest, app.state.how_to_ask, config, asgi.page(about))

    class Worker:
        """One worker."""

        @bentoml.on_deployment
        def stop_early() -> None:
            """Refuse to start what cannot answer: BentoML restarts a failing worker for ever."""
            starter.restart_soon()
            try:
                slots.champion(settings().platform_db, name)
                store.online_ref(settings(), name)
            except YupanaError as error:
                sys.exit(f"yupana: {error}")

        def __init__(self) -> None:
            starter.follow()
            sys.setswitchinterval(SWITCH_SECONDS)
            config = settings()
            self.stop_traces = tracing.start(config.otlp_endpoint, name, config.otlp_share)
            preparation = kind.preparation(config, name)
            self.context = app.state.context = ServiceContext(config, name, preparation)
            kind.start(app, self.context, preparation)
            # What is there now stays: looking through the libraries' objects for garbage would
            # halt all requests for a tenth of a second each time.
            gc.collect()
            gc.freeze()
            gc.set_threshold(GARBAGE)

        def __is_ready__(self) -> bool:
            return self.context.recorder.ready()

        @bentoml.on_shutdown
        def close(self) -> None:
            """Write what waits in the log."""
            self.context.close()
            self.stop_traces()

    Worker.__name__ = usecase.class_name(name)
    Worker.__doc__ = f"{about.title.es} / {about.title.en}."
    decorate = bentoml.service(
        name=name,
        workers=settings().serve_workers,
        service_class=asgi.front(stack, usecase.service(name)),
        metrics={"enabled": False},
        # Its log holds paths as they were sent.
        logging={"access": {"enabled": False}},
    )
    service: bentoml.Service[Any] = decorate(Worker)
    return service
