"""A BentoML service with our own layers before its own.

BentoML 1.4 puts its middlewares (traces, metrics, access log, a task for the time limit) before
every application that is mounted in it, and they cost five times what answering does. They can be
configured only in part. `bentoml.service` takes the class of the service, so this one answers our
addresses first and leaves all others, and the life of the process, to BentoML.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import bentoml

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from yupana.serving.http.guard import Guard


def front(stack: Callable[[ASGIApp], Guard], target: str = "") -> type[bentoml.Service]:
    """The class of a service that answers by `stack`.

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
