"""One worker of a service: its kind's routes behind the layers that all services share."""

from __future__ import annotations

import gc
import sys

from starlette.types import ASGIApp

from yupana.config.settings import settings
from yupana.core import spec
from yupana.serving import kind as kinds
from yupana.serving import starter
from yupana.serving.application import application
from yupana.serving.context import ServiceContext
from yupana.serving.http import asgi, tracing
from yupana.serving.http.guard import Guard

SWITCH_SECONDS = 0.0005
"""Python's default of 5 ms lets the log's thread wait that long for a busy event loop, each call
into the database anew."""

GARBAGE = 20_000
"""New objects after which garbage is looked for. Python's 700 are those of some requests at once:
each look passes over them all, and finds none."""


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
        return asgi.layers(app, rest, app.state.how_to_ask, config, asgi.page(self._about))

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
