"""The answers of the outbreak service: from the question to the recorded answer.

An answer leaves only after it was recorded, so that no one can hold a forecast that the platform
does not know.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

import orjson
from anyio import to_thread
from starlette.responses import Response

from serving import notes
from serving.book import Forecast
from serving.http import metrics, tracing
from serving.http.refusal import refusal
from serving.notes import Note
from serving.question import HOW_TO_ASK, Question
from serving.recorded import REACH
from serving.slots import Slot, Slots
from serving.then import recorded_forecasts
from yupana.config.settings import Settings
from yupana.governance.predictions import Given, new_id
from yupana.governance.recorder import LogAwayError, Recorder
from yupana.governance.usage import Caller


class Made(NamedTuple):
    """One district's answer, and its row in the log."""

    given: Given
    body: bytes


class Desk:
    """What the routes share: the models in their slots, and the log."""

    def __init__(self, settings: Settings, use_case: str) -> None:
        self.settings, self.use_case = settings, use_case
        self.slots = Slots(settings, use_case)
        spool = settings.home / "spool" / f"{use_case}.jsonl"
        # People act on these answers: what cannot be recorded is not told.
        self.recorder = Recorder(
            settings.platform_db, durable=True, spool=spool, on_commit=metrics.COMMIT.observe
        )
        metrics.look.append(self._look)

    def _look(self) -> None:
        """Set the numbers that are known by looking alone."""
        metrics.WAITING.set(self.recorder.waiting())
        metrics.LOG_UP.set(self.recorder.ready())
        both = {"champion": self.slots.champion, "challenger": self.slots.challenger}
        for name, slot in both.items():
            version = int(slot.model.version) if slot else 0
            metrics.MODEL.labels(self.use_case, name).set(version)
        if newest := self.slots.champion.book.newest():
            age = datetime.now(UTC).date() - newest
            metrics.DATA_AGE.labels(self.use_case).set(age.days)

    def close(self) -> None:
        """Stop following and write what waits."""
        self.slots.close()
        self.recorder.close()

    async def forecast(self, question: Question, caller: Caller, request_id: str) -> Response:
        """Answer each district, or say why not; 503 when the answer cannot be recorded."""
        now = time.time()
        today = datetime.fromtimestamp(now, UTC).date()
        day = question.as_of or today
        if day > today:
            return _future(day, today)
        if halt := self.slots.halted:
            # Before anything else could answer in its place.
            return halt.refusal()
        slot = self._slot()
        caller.model = f"{self.use_case}@{slot.model.version}"
        caller.ubigeos = question.ubigeo
        with tracing.span("forecast", model=caller.model):
            found = await self._found(slot, question.ubigeo, day)
        made, abstained = [], []
        for ubigeo, forecast in zip(question.ubigeo, found, strict=True):
            why, stale = _stale(forecast, day)
            if why or not isinstance(forecast, Forecast):
                abstained.append({"ubigeo": ubigeo, **(why or {})})
                continue
            given = Given(
                new_id(now), now, forecast.told, question.horizon, str(day),
                caller.key_id, caller.agency, "answer", request_id,
            )  # fmt: skip
            made.append(Made(given, forecast.body(question.horizon, stale)))
        for said in abstained:
            metrics.ABSTAINED.labels(caller.model, said["code"]).inc()
        log = [m.given for m in made]
        if refused := await self.record(log + self._shadows(slot, log)):
            return refused
        return Response(_json(day, made, abstained), media_type="application/json")

    async def record(self, log: Sequence[Given]) -> Response | None:
        """Put answers into the log; the refusal to send when they cannot be kept."""
        if not log:
            return None
        try:
            with tracing.span("log"):
                await self.recorder.record(list(log))
        except LogAwayError:
            told = refusal(
                503,
                "La respuesta no se puede registrar ahora, por eso no se da. / "
                "The answer cannot be recorded now, so it is not given.",
                where="yupana",
                fix="Intente de nuevo en unos segundos. / Try again in a few seconds.",
                code="log_away",
            )
            told.headers["Retry-After"] = "5"
            return told
        return None

    def _slot(self) -> Slot:
        """The champion, or for its share of the requests the challenger."""
        challenger = self.slots.challenger
        if challenger and challenger.share and random.random() < challenger.share:
            return challenger
        return self.slots.champion

    async def _found(self, slot: Slot, ubigeos: list[str], day: date) -> list[Forecast | Note]:
        if slot.book.ready(ubigeos):
            found = slot.book.of(ubigeos)
        else:
            found = await to_thread.run_sync(slot.book.of, ubigeos)
        early = [f.told.ubigeo for f in found if isinstance(f, Forecast) and f.data_as_of > day]
        if not early:
            return found
        before = await to_thread.run_sync(
            recorded_forecasts, self.slots.recorded, self.use_case, early, day,
            self.slots.versions(),
        )  # fmt: skip
        return [
            before.get(f.told.ubigeo, notes.NOT_RECORDED)
            if isinstance(f, Forecast) and f.data_as_of > day
            else f
            for f in found
        ]

    def _shadows(self, slot: Slot, log: list[Given]) -> list[Given]:
        """What the shadow would have answered; only what it has ready, so that none waits."""
        shadow = self.slots.challenger
        if shadow is None or shadow.share or slot is shadow:
            return []
        # A recorded forecast of a past day has no rival.
        log = [given for given in log if given.told.deployment]
        asked = [given.told.ubigeo for given in log]
        if not shadow.book.ready(asked):
            return []
        return [
            given._replace(prediction_id=new_id(given.time), told=forecast.told, kind="shadow")
            for given, forecast in zip(log, shadow.book.of(asked), strict=True)
            if isinstance(forecast, Forecast)
        ]


def _stale(forecast: Forecast | Note, day: date) -> tuple[Note | None, int]:
    """Why a district is not answered, if so; and whole weeks between its data and the day."""
    if not isinstance(forecast, Forecast):
        return forecast, 0
    weeks = max(0, (day - forecast.data_as_of).days) // 7
    over = weeks >= REACH.days // 7
    return (notes.too_stale(forecast.data_as_of, weeks) if over else None), weeks


def _json(day: date, made: list[Made], abstained: list[dict[str, Any]]) -> bytes:
    predictions = b",".join(
        b'{"prediction_id":"%b",%b' % (m.given.prediction_id.encode(), m.body) for m in made
    )
    return b'{"as_of":"%b","predictions":[%b],"abstentions":%b}' % (
        str(day).encode(), predictions, orjson.dumps(abstained),
    )  # fmt: skip


def _future(day: date, today: date) -> Response:
    return refusal(
        400,
        f"{day} aún no llega: hoy es {today}. / {day} is yet to come: today is {today}.",
        where="as_of",
        fix=HOW_TO_ASK["as_of"],
        code="invalid_request",
    )
