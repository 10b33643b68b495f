"""A use case's BentoML service: as little as its parent process needs to start the workers.

Parent and workers import it alike, and the parent answers nothing: what a worker needs
(`yupana.serving.worker`) is imported in it alone, so that a service is back sooner.
"""

from __future__ import annotations

import sys
from functools import cache
from typing import TYPE_CHECKING, Any

import bentoml

from yupana.config.settings import settings
from yupana.core import private_file, spec, usecase
from yupana.core.errors import YupanaError
from yupana.serving import starter
from yupana.serving.http.front import front

if TYPE_CHECKING:
    from yupana.serving.worker import Worker


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
        from yupana.serving.worker import Worker

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
