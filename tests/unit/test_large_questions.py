"""Questions about all entities of the country leave room for others between them."""

from __future__ import annotations

import asyncio
import gc
import time
from types import SimpleNamespace
from typing import Any

from test_forecast_cache import beyond, features

from yupana.predictions.entry import Basis
from yupana.predictions.usage import Caller
from yupana.serving.kind import load as load_kind
from yupana.tasks.forecast import usecases
from yupana.tasks.forecast.serving.forecast_cache import ForecastCache, Source
from yupana.tasks.forecast.serving.notes import Notes
from yupana.tasks.forecast.serving.prediction_service import PredictionService
from yupana.tasks.forecast.serving.question import MOST_ENTITIES, questions

AT_ONCE = 20
LONGEST = 0.15
"""Processor seconds of the loop's thread between two turns of others: a busy machine adds none."""
OUTBREAK = usecases.load("outbreak")
ENTITIES = [f"{16_0000 + n}" for n in range(MOST_ENTITIES)]


class Forecaster:
    """Quantiles that cost nothing: what is measured is the answering."""

    def quantiles(self, rows: Any, levels: Any) -> Any:
        import numpy as np

        return np.ones((len(rows), 8, len(levels)))

    def knows(self, entity: str) -> bool:
        return True


def service() -> PredictionService:
    basis = Basis("outbreak", "1", "outbreak:1", "delta:features/outbreak_weekly@0", "")
    cache = ForecastCache(
        Source(basis, Forecaster(), features, lambda _: {}, beyond, Notes.of(OUTBREAK))
    )
    cache.of(ENTITIES)
    deployment = SimpleNamespace(answers=cache, model=SimpleNamespace(version="1"))
    models: Any = SimpleNamespace(
        suspension=None, challenger=None, deployment=lambda key_id: deployment
    )

    async def record(records: list[Any]) -> None:
        return None

    context: Any = SimpleNamespace(use_case="outbreak", models=models, record=record)
    historical: Any = None
    return PredictionService(context, historical)


def test_a_sign_of_life_does_not_wait_for_twenty_large_questions() -> None:
    assert load_kind("forecast")
    kind = questions(OUTBREAK).forecast
    body = {"ubigeo": ENTITIES, "as_of": "2022-01-05"}
    question, answering = kind.model_validate(body), service()
    waits: list[float] = []

    async def live() -> None:
        while True:
            before = time.thread_time()
            await asyncio.sleep(0.001)
            waits.append(time.thread_time() - before)

    async def flood() -> list[Any]:
        alive = asyncio.create_task(live())
        await asyncio.sleep(0.01)
        caller = Caller("0123456789ab", "A")
        replies = await asyncio.gather(
            *(answering.forecast(question, caller, "r") for _ in range(AT_ONCE))
        )
        await asyncio.sleep(0.01)
        alive.cancel()
        return replies

    # As a service does once it has started.
    gc.freeze()
    try:
        replies = asyncio.run(flood())
    finally:
        gc.unfreeze()
    assert {reply.status_code for reply in replies} == {200}
    assert max(waits) < LONGEST, f"{max(waits):.2f} s"
