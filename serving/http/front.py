"""A BentoML service with our own layers before its own.

BentoML 1.4 puts its middlewares (traces, metrics, access log, a task for the time limit) before
every application that is mounted in it, and they cost five times what answering does. They can be
configured only in part. `bentoml.service` takes the class of the service, so this one answers our
addresses first and leaves all others, and the life of the process, to BentoML.
"""

from __future__ import annotations

from collections.abc import Callable

import bentoml
from starlette.types import ASGIApp, Receive, Scope, Send

from serving.http import metrics

OURS = frozenset({"/openapi.json", "/docs.json"})
OUR_FOLDER = "/v1/"


def front(stack: Callable[[ASGIApp], ASGIApp]) -> type[bentoml.Service]:
    """The class of a service that answers by `stack`.

    Args:
        stack: is given BentoML's application and returns the one that is served; called once in
            each worker, before the service's `__init__`.

    Example: @bentoml.service(name="outbreak", service_class=front(stack))
    """

    class Front(bentoml.Service):  # type: ignore[type-arg]
        def to_asgi(self, is_main: bool = True) -> ASGIApp:
            return stack(super().to_asgi(is_main))

    return Front


def split(ours: ASGIApp, rest: ASGIApp) -> ASGIApp:
    """Our addresses go to `ours`; everything else, and the process's life, to `rest`."""

    async def choose(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"] if scope["type"] == "http" else ""
        if path.startswith(OUR_FOLDER) or path in OURS:
            await ours(scope, receive, send)
        elif path == "/metrics":
            await metrics.application(scope, receive, send)
        else:
            await rest(scope, receive, send)

    return choose
