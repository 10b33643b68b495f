"""The answers of a forecast service: from the question to the recorded answer.

An answer leaves only after it was recorded, so that no one can hold a forecast that the platform
does not know (where the spec says `log: best-effort`, it is recorded soon after).
"""

from __future__ import annotations

import asyncio
import time
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from anyio import to_thread
from starlette.responses import Response

from yupana.core.errors import ContentError
from yupana.predictions.prediction_log import SANDBOX, PredictionRecord, new_id
from yupana.predictions.usage import Caller
from yupana.serving import sandbox
from yupana.serving.context import SHADOW, ServiceContext
from yupana.serving.deployment import Deployment
from yupana.serving.http import metrics, tracing
from yupana.serving.http.refusal import Problem, from_error, refusal
from yupana.serving.notes import Note
from yupana.serving.requests import json_response
from yupana.tasks.forecast import payload, usecases
from yupana.tasks.forecast.serving import answer_files, notes
from yupana.tasks.forecast.serving.forecast_cache import Forecast
from yupana.tasks.forecast.serving.historical_forecasts import HistoricalForecasts
from yupana.tasks.forecast.serving.notes import Notes
from yupana.tasks.forecast.serving.question import ForecastQuestion

_CHUNK = 50
"""Entities that are answered in one go."""


@dataclass(frozen=True)
class _Reply:
    """What a question is answered, and the records of it."""

    records: list[PredictionRecord]
    predictions: list[dict[str, Any]]
    abstentions: list[dict[str, Any]]


class PredictionService:
    """Answers questions about entities by forecasts that are ready, or were recorded."""

    def __init__(self, context: ServiceContext, historical: HistoricalForecasts) -> None:
        self._context, self._historical = context, historical
        definition = self._definition = usecases.load(context.use_case)
        self._key, self._frequency = definition.spec.entity.key, definition.frequency
        self._notes = Notes.of(definition)
        self._large = asyncio.Lock()

    async def forecast(
        self, question: ForecastQuestion, caller: Caller, request_id: str, form: str = "json"
    ) -> Response:
        """Answer each entity, or say why not; 503 when the answer cannot be recorded.

        Args:
            form: json or csv.
        """
        now, models = time.time(), self._context.models
        today = datetime.fromtimestamp(now, UTC).date()
        day, entities = question.as_of or today, question.entities
        if day > today:
            return _future(day, today)
        if models.suspension:
            # Before anything else could answer in its place.
            return models.suspension.refusal()
        deployment = models.deployment(caller.key_id)
        caller.model = f"{self._context.use_case}@{deployment.model.version}"
        caller.entities = entities
        try:
            with tracing.span("forecast", model=caller.model):
                forecasts = await self._forecasts(deployment, entities, day)
        except ContentError as error:
            return from_error(error)
        whose = (question.horizon, day, caller, request_id)
        async with self._turn(entities):
            reply = await self._reply(entities, forecasts, now, *whose)
        for abstention in reply.abstentions:
            metrics.ABSTAINED.labels(caller.model, abstention["code"]).inc()
        records = reply.records
        if problem := await self._context.record(records + self._shadows(deployment, records)):
            return problem
        async with self._turn(entities):
            if form == "csv":
                text = await to_thread.run_sync(self._spreadsheet, reply, question.horizon, day)
                return answer_files.response(text, f"{self._context.use_case}-forecast-{day}.csv")
            return json_response(
                {
                    "as_of": str(day),
                    "predictions": reply.predictions,
                    "abstentions": reply.abstentions,
                }
            )

    def _spreadsheet(self, reply: _Reply, horizon: int, day: date) -> str:
        listing = self._frequency.listing
        # In the answer the periods stand as JSON already.
        predictions = [
            {**answer, listing: record.prediction.payload[listing][:horizon]}
            for answer, record in zip(reply.predictions, reply.records, strict=True)
        ]
        answer = {"as_of": day, "predictions": predictions, "abstentions": reply.abstentions}
        return answer_files.forecast_csv(answer, self._definition)

    def _turn(self, entities: list[str]) -> AbstractAsyncContextManager[None]:
        """Large questions are answered one at a time: else each would do its share in between."""
        return self._large if len(entities) > _CHUNK else nullcontext()

    async def _reply(
        self, entities: list[str], forecasts: list[Forecast | Note], now: float, horizon: int,
        day: date, caller: Caller, request_id: str,
    ) -> _Reply:  # fmt: skip
        reply, ended = _Reply([], [], []), self._notes.frequency.ended(day)
        for number, (entity, forecast) in enumerate(zip(entities, forecasts, strict=True), 1):
            if number % _CHUNK == 0:
                # Whoever asks for one entity, or for a sign of life, comes in between.
                await asyncio.sleep(0)
            reason, caveats = self._age(forecast, ended)
            if reason or not isinstance(forecast, Forecast):
                reply.abstentions.append({self._key: entity, **(reason or {})})
                continue
            record = PredictionRecord(
                new_id(now), now, forecast.prediction, payload.parameters(horizon, day),
                caller.key_id, caller.agency, sandbox.kind(caller, "answer"), request_id,
            )  # fmt: skip
            reply.records.append(record)
            caveats = [*caveats, *sandbox.caveats(caller)]
            answer = forecast.answer(self._key, self._frequency, horizon, caveats)
            reply.predictions.append({"prediction_id": record.prediction_id, **answer})
        return reply

    async def _forecasts(
        self, deployment: Deployment, entities: list[str], day: date
    ) -> list[Forecast | Note]:
        cache = deployment.answers
        ready = cache.ready(entities)
        forecasts: list[Forecast | Note] = (
            cache.of(entities) if ready else await to_thread.run_sync(cache.of, entities)
        )
        later = [f.entity for f in forecasts if isinstance(f, Forecast) and f.data_as_of > day]
        if not later:
            return forecasts
        versions = self._context.models.versions()
        before = await to_thread.run_sync(self._historical.of, later, day, versions)
        return [
            before.get(f.entity, self._notes.not_recorded)
            if isinstance(f, Forecast) and f.data_as_of > day
            else f
            for f in forecasts
        ]

    def _age(self, forecast: Forecast | Note, ended: date) -> tuple[Note | None, list[Note]]:
        """Why an entity is not answered, if so; and the caveats of data that are old.

        Args:
            ended: first day of the newest period that is over.
        """
        if not isinstance(forecast, Forecast):
            return forecast, []
        data_as_of = forecast.data_as_of
        passed = max(0, self._notes.frequency.between(data_as_of, ended))
        if passed >= self._notes.horizons:
            return self._notes.too_stale(data_as_of, passed), []
        stale = passed >= notes.STALE_PERIODS
        return None, [self._notes.stale(data_as_of, passed)] if stale else []

    def _shadows(
        self, deployment: Deployment, records: list[PredictionRecord]
    ) -> list[PredictionRecord]:
        """What the shadow would have answered; only what it has ready, so that none waits."""
        shadow = self._context.models.challenger
        if shadow is None or shadow.share or deployment is shadow:
            return []
        # A recorded forecast of a past day has no rival, and what is tried out needs none.
        current = [
            record for record in records
            if record.prediction.basis.deployment and record.kind != SANDBOX
        ]  # fmt: skip
        entities = [record.prediction.entity for record in current]
        if not shadow.answers.ready(entities):
            return []
        return [
            record._replace(
                prediction_id=new_id(record.time), prediction=forecast.prediction, kind=SHADOW
            )
            for record, forecast in zip(current, shadow.answers.of(entities), strict=True)
            if isinstance(forecast, Forecast)
        ]


def _future(day: date, today: date) -> Problem:
    return refusal(
        400,
        f"{day} aún no llega: hoy es {today}. / {day} is yet to come: today is {today}.",
        where="as_of",
        fix="Envíe un día como '2022-01-05', no futuro. / Send a day such as '2022-01-05', not in "
        "the future.",
        code="invalid_request",
    )
