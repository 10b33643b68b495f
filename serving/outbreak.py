"""BentoML service: weekly dengue forecasts by district, with uncertainty and a trace.

The addresses are in `serving.routes`; what they answer is made at `serving.desk`.
"""

from __future__ import annotations

import sys

import bentoml

from serving import routes
from serving.access import Access
from serving.question import HOW_TO_ASK
from serving.refusal import OneShape
from yupana.config.settings import settings
from yupana.core.errors import TerminalError, YupanaError
from yupana.features import store
from yupana.governance import deployments

USE_CASE = "outbreak"
APP = routes.application(USE_CASE)


def _can_answer() -> None:
    store.online_ref(settings(), USE_CASE)
    if deployments.CHAMPION not in deployments.current(settings().platform_db, USE_CASE):
        raise TerminalError(
            "No model is deployed.",
            where="the platform database",
            fix=f"Run `yupana train {USE_CASE}` and `yupana deploy {USE_CASE}`.",
        )


@bentoml.service(name=USE_CASE, workers=1, traffic={"timeout": 30})
@bentoml.asgi_app(APP, path="/")
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

        self.desk = APP.state.desk = Desk(settings(), USE_CASE)

    @bentoml.on_shutdown
    def close(self) -> None:
        """Write what waits in the log."""
        self.desk.close()


Outbreak.add_asgi_middleware(
    Access, url=settings().platform_db, require_keys=settings().require_keys
)
Outbreak.add_asgi_middleware(OneShape, how_to_ask=HOW_TO_ASK)
