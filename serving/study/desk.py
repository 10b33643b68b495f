"""Simulations and explanations: what takes a model some tenths of a second, two at a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import lru_cache, partial
from typing import Any

import orjson
import pandas as pd
from anyio import CapacityLimiter, to_thread
from starlette.responses import Response

from serving import models_told, notes
from serving.book import Forecast, forecast
from serving.desk import Desk
from serving.halt import of_suspension
from serving.http.refusal import from_error, refusal
from serving.question import Feedback, Simulated
from serving.slots import Model, load
from serving.study import alerts, alerts_files, explain, simulate, sources
from yupana.core.errors import YupanaError
from yupana.governance import feedback, predictions, roles
from yupana.governance.predictions import Given, new_id
from yupana.governance.usage import Caller

AT_ONCE = 2
Found = dict[str, Any]


def unknown(prediction_id: str) -> Response:
    """The same words whether it does not exist or is another agency's."""
    return refusal(
        404,
        f"No hay una predicción {prediction_id} suya. / "
        f"There is no prediction {prediction_id} of yours.",
        where="prediction_id",
        fix="Envíe el prediction_id de una respuesta que recibió. / Send the prediction_id of an "
        "answer that you were given.",
        code="unknown_prediction",
    )


class Study:
    """Looks closer than an answer does, beside those who ask for answers."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._limiter: CapacityLimiter | None = None

    async def simulate(self, asked: Simulated, caller: Caller, request_id: str) -> Response:
        """What the champion would tell, had its data been others; recorded as a simulation."""
        if halt := self._desk.slots.halted:
            return halt.refusal()
        caller.model = f"{self._desk.use_case}@{self._desk.slots.champion.model.version}"
        caller.ubigeos = [asked.ubigeo]
        try:
            answer, told = await self._run(partial(self._simulated, asked))
        except YupanaError as error:
            return from_error(error)
        now = time.time()
        today = datetime.fromtimestamp(now, UTC).date()
        given = Given(
            new_id(now), now, told.told, asked.horizon, str(today),
            caller.key_id, caller.agency, "simulation", request_id,
        )  # fmt: skip
        if refused := await self._desk.record([given]):
            return refused
        return _json({"prediction_id": given.prediction_id, **answer})

    async def explain(self, prediction_id: str, caller: Caller) -> Response:
        """What an answer leaned on; only those who may read it."""
        row = await self.readable(prediction_id, caller)
        if row is None:
            return unknown(prediction_id)
        caller.model = f"{row['use_case']}@{row['model_version']}"
        if not row["features"]:
            return refusal(
                409,
                "De un pronóstico guardado de un día pasado no se conservan las variables. / "
                "Of a recorded forecast of a past day the features are not kept.",
                where="prediction_id",
                fix="Pida la explicación de un pronóstico de los datos más recientes. / Ask for "
                "the explanation of a forecast from the newest data.",
                code="no_features",
            )
        try:
            told = await self._run(partial(self._explained, row))
        except YupanaError as error:
            return from_error(error)
        return _json({"prediction_id": prediction_id, "model": caller.model, **told})

    async def alerts(self, department: str, day: date, form: str, caller: Caller) -> Response:
        """Levels of the districts, as JSON, GeoJSON or CSV."""
        if halt := self._desk.slots.halted:
            return halt.refusal()
        caller.model = self._desk.use_case
        try:
            return await self._run(partial(self._alerts, department, day, form))
        except YupanaError as error:
            return from_error(error)

    async def feedback(self, prediction_id: str, said: Feedback, caller: Caller) -> Response:
        """Keep what a caller says of an answer that it may read."""
        row = await self.readable(prediction_id, caller)
        if row is None:
            return unknown(prediction_id)
        caller.model = f"{row['use_case']}@{row['model_version']}"
        try:
            kept = await to_thread.run_sync(
                feedback.add, self._desk.settings.platform_db, prediction_id, said.kind,
                said.week_ending, said.cases, said.comment, caller.key_id, caller.agency,
                datetime.now(UTC),
            )  # fmt: skip
        except YupanaError as error:
            return from_error(error)
        return _json({"feedback_id": kept}, status=201)

    def models(self) -> Response:
        """What serves now."""
        return _json(models_told.listing(self._desk.use_case, self._desk.slots))

    def notice(self, name: str) -> Response:
        """A use case's transparency notice."""
        return models_told.notice(self._desk.settings, self._desk.use_case, name)

    def card(self, name: str, version: int) -> Response:
        """A model's card."""
        return models_told.card(name, version)

    async def readable(self, prediction_id: str, caller: Caller) -> Found | None:
        """The log's row of an answer, if the caller may read it."""
        url = self._desk.settings.platform_db
        row = await to_thread.run_sync(predictions.found, url, prediction_id)
        if row is None or row["kind"] == "shadow":
            return None
        mine = roles.may_read(caller.role, caller.agency, row["agency"])
        return row if mine or not self._desk.settings.require_keys else None

    async def _run(self, work: Callable[[], Any]) -> Any:
        if self._limiter is None:
            self._limiter = CapacityLimiter(AT_ONCE)
        return await to_thread.run_sync(work, limiter=self._limiter)

    def _alerts(self, department: str, day: date, form: str) -> Response:
        settings, use_case = self._desk.settings, self._desk.use_case
        told = alerts.alerts(settings, use_case, day, department)
        versions = self._desk.slots.versions()
        gave = {district["model"].rsplit("@")[1] for district in told["districts"]}
        if held := next(filter(None, map(versions.held, sorted(gave))), None):
            return of_suspension(held).refusal()
        if gave - versions.approved:
            told["caveats"] = [notes.TRIAL, *told["caveats"]]
        if form == "geojson":
            return _json(alerts_files.geojson(told, settings.boundaries), kind="geo+json")
        if form == "csv":
            name = f"{use_case}-{department or 'peru'}-{told['data_as_of']}.csv"
            kept = {"Content-Disposition": f'attachment; filename="{name}"'}
            text = alerts_files.spreadsheet(told)
            return Response(text, media_type="text/csv; charset=utf-8", headers=kept)
        return _json(told)

    def _simulated(self, asked: Simulated) -> tuple[Found, Forecast]:
        slot = self._desk.slots.champion
        maker = slot.book.source.maker
        change = simulate.change_of(asked.recent_cases, asked.climate)
        tables = sources.tables(self._desk.settings, maker.features_ref)
        origin = _origin(slot.book.of([asked.ubigeo])[0])
        made = simulate.simulate(
            slot.model.forecaster, tables, asked.ubigeo, change, horizon=asked.horizon,
            channels=slot.book.source.channels(origin) if origin else {},
            ranges=slot.model.ranges,
        )  # fmt: skip
        answer = {"model": f"{maker.use_case}@{maker.version}", **made.answer}
        answer["caveats"] = [*slot.book.source.always, *answer["caveats"]]
        weeks, caveats = answer["simulated"], answer["caveats"]
        told = forecast(maker, asked.ubigeo, made.origin, made.features, weeks, caveats)
        return answer, told

    def _explained(self, row: Found) -> Found:
        settings, ubigeo = self._desk.settings, row["ubigeo"]
        forecaster = self._model(row["deployment"]).forecaster
        past = sources.past_features(settings, row["features_ref"], ubigeo)
        department = sources.cases(sources.tables(settings, row["features_ref"]), ubigeo[:2])
        # A feature of the row is of the last second of its week, as in the table.
        moment = pd.Timestamp(row["data_as_of"], tz="UTC") + pd.Timedelta(hours=23, minutes=59)
        asked = pd.DataFrame([{"ubigeo": ubigeo, "event_timestamp": moment, **row["features"]}])
        return explain.explain(forecaster, asked, past, department, horizon=row["horizon"])

    def _model(self, tag: str) -> Model:
        for slot in (self._desk.slots.champion, self._desk.slots.challenger):
            if slot and slot.model.tag == tag:
                return slot.model
        return _earlier(tag)


def _json(told: Found, status: int = 200, kind: str = "json") -> Response:
    return Response(orjson.dumps(told), status, media_type=f"application/{kind}")


def _origin(made: Any) -> date | None:
    return made.data_as_of if isinstance(made, Forecast) else None


@lru_cache(maxsize=2)
def _earlier(tag: str) -> Model:
    """A model that no slot holds any more."""
    return load(tag)
