"""BentoML service: weekly dengue forecasts by district, with uncertainty and a trace.

The addresses are in `serving.routes`; what they answer is made at `serving.desk`.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable

import bentoml
from starlette.types import ASGIApp

from serving import routes
from serving.http import tracing
from serving.http.access import Access
from serving.http.front import front, split
from serving.http.guard import Guard
from serving.http.logs import Lines
from serving.http.refusal import OneShape
from serving.question import HOW_TO_ASK
from yupana.config.settings import settings
from yupana.core.errors import YupanaError
from yupana.features import store
from yupana.governance import deployments, oidc

USE_CASE = "outbreak"
APP = routes.application(USE_CASE)

SWITCH_SECONDS = 0.0005
"""Python's default of 5 ms lets the log's thread wait that long for a busy event loop, each call
into the database anew."""


def stack(rest: ASGIApp) -> ASGIApp:
    """Our layers, outermost last; `rest` is what BentoML answers itself."""
    chosen = settings()
    inside = OneShape(split(routes.quick(APP, USE_CASE), rest), HOW_TO_ASK)
    access = Access(inside, chosen.platform_db, chosen.require_keys, oidc.configured(chosen))
    return Guard(access, Lines(), chosen.behind_tls)


def _can_answer() -> None:
    deployments.champion(settings().platform_db, USE_CASE)
    store.online_ref(settings(), USE_CASE)


@bentoml.service(
    name=USE_CASE, workers=1, service_class=front(stack), metrics={"enabled": False},
    # Its log holds paths as they were sent.
    logging={"access": {"enabled": False}},
)  # fmt: skip
class Outbreak:
    """Pronóstico de casos de dengue por distrito / Dengue cases by district, 1-8 weeks ahead."""

    @bentoml.on_deployment
    def stop_early() -> None:
        """Refuse to start what cannot answer: BentoML restarts a failing worker for ever."""
        try:
            _can_answer()
        except YupanaError as error:
            sys.exit(f"yupana: {error}")

    def __init__(self) -> None:
        # Here, so that BentoML's supervising process does not load torch as well.
        from serving.desk import Desk
        from serving.study.desk import Study

        sys.setswitchinterval(SWITCH_SECONDS)
        chosen = settings()
        self.stop_traces: Callable[[], None] = lambda: None
        if chosen.otlp_endpoint:
            self.stop_traces = tracing.start(chosen.otlp_endpoint, USE_CASE, chosen.otlp_share)
        self.desk = APP.state.desk = Desk(chosen, USE_CASE)
        APP.state.study = Study(self.desk)
        # What is there now stays: looking through torch's and pandas' objects for garbage
        # would halt all requests for a tenth of a second each time.
        gc.collect()
        gc.freeze()

    def __is_ready__(self) -> bool:
        return self.desk.recorder.ready()

    @bentoml.on_shutdown
    def close(self) -> None:
        """Write what waits in the log."""
        self.desk.close()
        self.stop_traces()
