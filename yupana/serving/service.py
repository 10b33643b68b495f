"""A use case's BentoML service: as little as its parent process needs to start the workers.

Parent and workers import it alike, and the parent answers nothing: what a worker needs
(`yupana.serving.application`) is imported in it alone, so that a service is back sooner.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

import bentoml

from yupana.config.settings import settings
from yupana.core import private_file, spec, usecase
from yupana.core.errors import YupanaError
from yupana.serving import starter

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from yupana.serving.application import Worker
    from yupana.serving.http.guard import Guard


def prediction_service(name: str) -> bentoml.Service[Any]:
    """The service of a use case, to be named by its title in `serving/<use case>/service.py`.

    Example: `Name = prediction_service("name")`, served as
    `bentoml serve serving.name.service:Name`.

    Raises:
        UsageError: there is no such use case.
    """
    private_file.by_default()
    title = spec.load(name).title

    @cache
    def worker() -> Worker:
        from yupana.serving.application import Worker

        return Worker(name)

    class Service:
        """One worker."""

        @bentoml.on_deployment
        def stop_early() -> None:
            """Refuse to start what cannot answer: BentoML restarts a failing worker for ever."""
            from yupana.features import store
            from yupana.tracking import slots

            starter.restart_soon()
            try:
                slots.champion(settings().platform_db, name)
                store.online_ref(settings(), name)
            except YupanaError as error:
                sys.exit(f"yupana: {error}")

        def __init__(self) -> None:
            worker().start()

        def __is_ready__(self) -> bool:
            return worker().context.recorder.ready()

        @bentoml.on_shutdown
        def close(self) -> None:
            """Write what waits in the log."""
            worker().close()

    Service.__name__ = usecase.class_name(name)
    Service.__doc__ = f"{title.es} / {title.en}."
    decorate = bentoml.service(
        name=name,
        workers=settings().serve_workers,
        service_class=front(lambda rest: worker().layers(rest), usecase.service(name)),
        metrics={"enabled": False},
        # Its log holds paths as they were sent.
        logging={"access": {"enabled": False}},
    )
    service: bentoml.Service[Any] = decorate(Service)
    return service


def front(stack: Callable[[ASGIApp], Guard], target: str = "") -> type[bentoml.Service]:
    """The class of a service that answers our addresses by `stack`, and leaves others to BentoML.

    BentoML 1.4 puts its middlewares (traces, metrics, access log, a task for the time limit) before
    every application that is mounted in it, and they cost five times what answering does. They can
    be configured only in part, and `bentoml.service` takes the class of the service.

    Args:
        stack: receives BentoML's application and returns the one that is served; called once in
            each worker, before the service's `__init__`, and never in the workers' parent.
        target: where BentoML finds the service, `module:name`; empty: where it is defined.

    Example: @bentoml.service(service_class=front(stack))
    """

    class Front(bentoml.Service):
        def to_asgi(self, is_main: bool = True) -> ASGIApp:
            from yupana.serving.http import protocol

            guard = stack(super().to_asgi(is_main))
            # After this the worker starts its server.
            protocol.install(guard)
            return guard

        @property
        def import_string(self) -> str:
            # BentoML looks for it where `bentoml.service` was called.
            return target or super().import_string

    return Front
