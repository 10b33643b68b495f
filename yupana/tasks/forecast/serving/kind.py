"""What forecasts bring to a prediction service."""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from yupana.config.settings import Settings
from yupana.core.errors import ContentError
from yupana.core.spec import Spec
from yupana.tasks.forecast import payload, usecases
from yupana.tasks.forecast.entities import inward
from yupana.tasks.forecast.feature_groups import group_of
from yupana.tasks.forecast.serving import question

if TYPE_CHECKING:
    from fastapi import APIRouter, FastAPI
    from pydantic import BaseModel

    from yupana.predictions.feedback import OutcomeSchema
    from yupana.serving.context import ServiceContext
    from yupana.serving.deployment import Model
    from yupana.serving.notes import Note
    from yupana.tasks.forecast.serving.forecast_cache import ForecastCache

_LOG = logging.getLogger(__name__)


class Preparation:
    """Fills a cache with the forecasts of all entities that a model knows."""

    def __init__(self, settings: Settings, use_case: str) -> None:
        from yupana.tasks.forecast.serving.historical_forecasts import HistoricalForecasts

        self._settings, self._definition = settings, usecases.load(use_case)
        self.recorded_answers = HistoricalForecasts(settings, self._definition)

    def version(self) -> Hashable:
        """The version of the recorded forecasts, which hold the endemic channels."""
        return self.recorded_answers.look()

    def prepare(
        self, model: Model, features_ref: str, caveats: tuple[Note, ...]
    ) -> ForecastCache:
        """The forecasts of a model; see `yupana.serving.kind.Preparation`."""
        from yupana.predictions.entry import Basis
        from yupana.tasks.forecast.serving.forecast_cache import ForecastCache, Source
        from yupana.tasks.forecast.serving.notes import Notes

        spec, groups = self._definition.spec, self._definition.feature_groups
        cache = ForecastCache(
            Source(
                basis=Basis(spec.name, model.version, model.tag, features_ref, ""),
                forecaster=model.predictor,
                features=self._features(model.predictor.description.feature_service, features_ref),
                channels=self.recorded_answers.channels,
                beyond=partial(model.ranges.check, label=lambda f: group_of(groups, f).words),
                notes=Notes.of(self._definition),
                caveats=caveats,
            )
        )
        try:
            cache.of(list(model.predictor.description.districts))
        except ContentError as error:
            # Each answer that rests on it says so (503); all others are given.
            _LOG.error("the forecasts of %s are not ready: %s", model.tag, error)
        return cache

    def _features(self, service: str, ref: str) -> Callable[[list[str]], Any]:
        from yupana.features import store

        settings, key = self._settings, self._definition.spec.entity.key

        def read(entities: list[str]) -> Any:
            online = store.online_features(settings, service, entities)
            return inward(store.demand_online(settings, ref, online), key)

        return read


class ForecastServing:
    """See `yupana.serving.kind.Kind`; nothing of a model is imported before a service starts."""

    def outcome(self, about: Spec) -> OutcomeSchema:
        """The cases of one of the forecast's periods."""
        return payload.outcome(usecases.load(about.name).frequency)

    def feedback(self, about: Spec) -> type[BaseModel]:
        """The cases that came, or a complaint."""
        return question.feedback(usecases.load(about.name).frequency)

    def router(self, about: Spec) -> APIRouter:
        """Forecast, alerts, simulation and explanation."""
        from yupana.tasks.forecast.serving import routes

        return routes.router(usecases.load(about.name))

    def how_to_ask(self, about: Spec) -> Mapping[str, str]:
        """How to mend each field of a question."""
        return question.questions(usecases.load(about.name)).how_to_ask

    def preparation(self, settings: Settings, use_case: str) -> Preparation:
        """What fills the forecast cache."""
        return Preparation(settings, use_case)

    def start(self, app: FastAPI, context: ServiceContext, preparation: Any) -> None:
        """The services behind the routes."""
        from yupana.tasks.forecast.serving.analysis.analysis_service import AnalysisService
        from yupana.tasks.forecast.serving.prediction_service import PredictionService

        app.state.predictions = PredictionService(context, preparation.recorded_answers)
        app.state.analysis = AnalysisService(context)
