"""Simulations, explanations and alerts: some tenths of a second each, so two at a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import lru_cache, partial
from typing import Any

import pandas as pd
from anyio import CapacityLimiter, to_thread
from starlette.responses import Response

from yupana.core.errors import YupanaError
from yupana.predictions.entry import Basis, LogEntry
from yupana.predictions.prediction_log import PredictionRecord, new_id
from yupana.predictions.usage import Caller
from yupana.serving import sandbox
from yupana.serving.context import ServiceContext, unknown
from yupana.serving.deployment import Model, load
from yupana.serving.http.refusal import from_error, refusal
from yupana.serving.notes import TRIAL, Note
from yupana.serving.requests import json_response
from yupana.serving.suspension_response import of_suspension
from yupana.tasks.forecast import payload, usecases
from yupana.tasks.forecast.entities import ENTITY
from yupana.tasks.forecast.serving import answer_files
from yupana.tasks.forecast.serving.analysis import (
    alerts,
    forecast_runs,
    simulate,
    sources,
)
from yupana.tasks.forecast.serving.analysis.explain import Explainer
from yupana.tasks.forecast.serving.forecast_cache import Forecast, forecast
from yupana.tasks.forecast.serving.question import SimulationQuestion

AT_ONCE = 2


class AnalysisService:
    """Looks closer than an answer does, beside those who ask for answers."""

    def __init__(self, context: ServiceContext) -> None:
        self._context = context
        self._definition = usecases.load(context.use_case)
        self._limiter: CapacityLimiter | None = None

    async def simulate(
        self, question: SimulationQuestion, caller: Caller, request_id: str
    ) -> Response:
        """What the champion would answer, had its data been others; recorded as a simulation."""
        models = self._context.models
        if models.suspension:
            return models.suspension.refusal()
        caller.model = f"{self._context.use_case}@{models.champion.model.version}"
        caller.entities = question.entities
        try:
            answer, simulated = await self._run(partial(self._simulated, question))
        except YupanaError as error:
            return from_error(error)
        now = time.time()
        today = datetime.fromtimestamp(now, UTC).date()
        record = PredictionRecord(
            new_id(now), now, simulated.prediction, payload.parameters(question.horizon, today),
            caller.key_id, caller.agency, sandbox.kind(caller, "simulation"), request_id,
        )  # fmt: skip
        if problem := await self._context.record([record]):
            return problem
        caveats = [*answer["caveats"], *sandbox.caveats(caller)]
        return json_response(
            {"prediction_id": record.prediction_id, **answer, "caveats": caveats}
        )

    async def explain(self, prediction_id: str, caller: Caller) -> Response:
        """What an answer leaned on; only those who may read it."""
        try:
            if (entry := await self._context.readable(prediction_id, caller)) is None:
                return unknown(prediction_id)
            work = self._explained if entry.features else self._rebuilt_explanation
            explanation = await self._run(partial(work, entry))
        except YupanaError as error:
            return from_error(error)
        if explanation is None:
            return refusal(
                409,
                "De este pronóstico guardado no se conserva en qué se apoyó. / "
                "What this recorded forecast rested on is not kept.",
                where="prediction_id",
                fix="Pida la explicación de un pronóstico de los datos más recientes. / Ask for "
                "the explanation of a forecast from the newest data.",
                code="no_features",
            )
        caveats = [*explanation["caveats"], *sandbox.caveats(caller)]
        return json_response(
            {"prediction_id": prediction_id, "model": caller.model, **explanation,
             "caveats": caveats}
        )  # fmt: skip

    async def alerts(
        self, area: str, day: date, form: str, miss_cost: float | None, caller: Caller
    ) -> Response:
        """Levels of the entities, as JSON, GeoJSON or CSV."""
        if suspension := self._context.models.suspension:
            return suspension.refusal()
        caller.model = self._context.use_case
        try:
            caveats = sandbox.caveats(caller)
            work = partial(self._alerts, area, day, form, miss_cost, caveats)
            answer: Response = await self._run(work)
        except YupanaError as error:
            return from_error(error)
        return answer

    async def _run(self, work: Callable[[], Any]) -> Any:
        if self._limiter is None:
            self._limiter = CapacityLimiter(AT_ONCE)
        return await to_thread.run_sync(work, limiter=self._limiter)

    def _alerts(
        self, area: str, day: date, form: str, miss_cost: float | None, caveats: list[Note]
    ) -> Response:
        settings, places = self._context.settings, self._definition.places
        answer = alerts.alerts(settings, self._definition, day, area, miss_cost)
        versions = self._context.models.versions()
        answering = {listed["model"].rsplit("@")[1] for listed in answer[places.listing]}
        if suspension := next(filter(None, map(versions.suspension_of, sorted(answering))), None):
            return of_suspension(suspension).refusal()
        if answering - versions.approved:
            answer["caveats"] = [TRIAL, *answer["caveats"]]
        answer["caveats"] = [*answer["caveats"], *caveats]
        if form == "geojson":
            layer = answer_files.alerts_geojson(answer, self._definition, settings.boundaries)
            return json_response(layer, kind="geo+json")
        if form == "csv":
            where = area or places.everywhere
            name = f"{self._context.use_case}-{where}-{answer['data_as_of']}.csv"
            text = answer_files.alerts_csv(answer, self._definition)
            return answer_files.response(text, name)
        return json_response(answer)

    def _simulated(self, question: SimulationQuestion) -> tuple[dict[str, Any], Forecast]:
        deployment = self._context.models.champion
        cache, basis = deployment.answers, deployment.answers.source.basis
        (entity,) = question.entities
        change = simulate.change_of(question.recent_cases, question.climate)
        tables = sources.tables(self._context.settings, self._definition, basis.features_ref)
        (present,) = cache.of([entity])
        origin = present.data_as_of if isinstance(present, Forecast) else None
        simulator = simulate.Simulator(
            self._definition, deployment.model.predictor, tables,
            cache.channels(origin) if origin else {}, deployment.model.ranges,
        )  # fmt: skip
        simulation = simulator.run(entity, change, question.horizon)
        answer = {"model": f"{basis.use_case}@{basis.model_version}", **simulation.answer}
        answer["caveats"] = [*cache.source.caveats, *answer["caveats"]]
        mine: Basis = basis._replace(data_as_of=str(simulation.origin))
        return answer, forecast(
            self._definition.frequency, mine, entity, simulation.features, answer["simulated"],
            answer["caveats"],
        )

    def _explained(self, entry: LogEntry) -> dict[str, Any]:
        settings, definition, ref = (
            self._context.settings, self._definition, entry.basis.features_ref,
        )  # fmt: skip
        past = sources.past_features(settings, definition, ref, entry.entity)
        tables = sources.tables(settings, definition, ref)
        area = sources.cases(definition, tables, definition.places.area_of(entry.entity))
        # A feature of the row is of the last second of its period, as in the table.
        moment = pd.Timestamp(entry.basis.data_as_of, tz="UTC") + pd.Timedelta(hours=23, minutes=59)
        row = pd.DataFrame([{ENTITY: entry.entity, "event_timestamp": moment, **entry.features}])
        explainer = Explainer(definition, self._model(entry.basis.deployment).predictor)
        return explainer.run(row, past, area, horizon=entry.parameters["horizon"])

    def _rebuilt_explanation(self, entry: LogEntry) -> dict[str, Any] | None:
        def forecaster() -> Any:
            return self._model(f"{entry.use_case}:{entry.basis.model_version}").predictor

        settings = self._context.settings
        return forecast_runs.explanation(settings, self._definition, entry, forecaster)

    def _model(self, tag: str) -> Model:
        return self._context.models.by_tag(tag) or _earlier(tag)


@lru_cache(maxsize=2)
def _earlier(tag: str) -> Model:
    """A model that no slot holds any more."""
    return load(tag)
