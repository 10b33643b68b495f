"""The address that lists what an agency was answered."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Annotated, Any, Literal

from anyio import to_thread
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from yupana.core.errors import UsageError
from yupana.core.field_words import NO_DAY
from yupana.core.spec import Spec
from yupana.predictions import agency_answers
from yupana.predictions.agency_answers import AgencyAnswer, Selection
from yupana.predictions.prediction_log import SANDBOX, SENT
from yupana.serving import sandbox
from yupana.serving.context import ServiceContext
from yupana.serving.http.refusal import from_error
from yupana.serving.requests import invalid, json_response

HOW_TO_ASK: Mapping[str, str] = {
    "since": "Envíe un día como 2026-01-31. / Send a day such as 2026-01-31.",
    "until": "Envíe un día como 2026-01-31. / Send a day such as 2026-01-31.",
    "entity": "Envíe el código de una entidad. / Send the code of an entity.",
    "after": "Envíe el `next` de la página anterior. / Send the `next` of the page before.",
    "limit": f"Envíe un entero de 1 a {agency_answers.MOST}. / Send a whole number from 1 to "
    f"{agency_answers.MOST}.",
}
"""How to mend the fields of this address."""

_DAY = "^(19|20|21)[0-9]{2}-[0-9]{2}-[0-9]{2}$"


def _day(description: str) -> Any:
    return Query(pattern=_DAY, json_schema_extra={"format": "date"}, description=description)


class OwnAnswer(BaseModel):
    """An answer that this agency received; its numbers are what they were then."""

    prediction_id: str
    time: datetime = Field(description="UTC")
    kind: Literal["answer", "simulation", "sandbox"]
    entity: str
    parameters: dict[str, Any] = Field(description="lo que se pidió / what was asked for")
    model: str
    data_as_of: date
    prediction_key: str = Field(
        description="hash del contenido: pronósticos iguales tienen el mismo / hash of the "
        "content: equal predictions have the same"
    )


class OwnAnswers(BaseModel):
    predictions: list[OwnAnswer]
    next: str | None = Field(
        description="envíelo como `after` / send it as `after`; null: no hay más / no more"
    )
    archived_through: date | None = Field(
        description="las respuestas hasta este día pasaron al archivo / answers up to this day "
        "have moved to the archive"
    )


def router(about: Spec) -> APIRouter:
    """The listing of a use case's service: its own answers alone, to any agency those it got."""
    api = APIRouter()

    @api.get(
        "/v1/predictions",
        response_model=OwnAnswers,
        summary="Las respuestas que recibió su entidad / the answers that your agency received",
    )
    async def predictions(
        request: Request,
        since: Annotated[str | None, _day("desde este día, UTC / from this day on")] = None,
        until: Annotated[str | None, _day("hasta este día, UTC / up to this day")] = None,
        entity: Annotated[str, Query(max_length=200)] = "",
        after: Annotated[str | None, Query(pattern="^[0-9a-f]{32}$")] = None,
        limit: Annotated[int, Query(ge=1, le=agency_answers.MOST)] = 50,
    ) -> Response:
        days: dict[str, datetime | None] = {}
        for name, text, more in (("since", since, 0), ("until", until, 1)):
            try:
                days[name] = _midnight(text, more)
            except ValueError:
                return invalid([name], NO_DAY, request.app.state.how_to_ask)
        context: ServiceContext = request.app.state.context
        caller = request.state.caller
        kinds = (SANDBOX,) if sandbox.is_sandbox(caller) else SENT
        look = partial(
            _listing, context.settings.platform_db, about.name, caller.agency,
            Selection(days["since"], days["until"], entity, kinds), after or "", limit,
        )  # fmt: skip
        try:
            return json_response(await to_thread.run_sync(look))
        except UsageError as error:
            return from_error(error)

    return api


def _listing(
    url: str, use_case: str, agency: str, selection: Selection, after: str, limit: int
) -> dict[str, Any]:
    page = agency_answers.page(url, use_case, agency, selection, after=after, limit=limit)
    return {
        "predictions": [_fields(use_case, answer) for answer in page.answers],
        "next": page.after or None,
        "archived_through": agency_answers.archived_through(url, use_case) or None,
    }


def _fields(use_case: str, answer: AgencyAnswer) -> dict[str, Any]:
    return {
        "prediction_id": answer.prediction_id,
        "time": answer.time.isoformat(timespec="milliseconds"),
        "kind": answer.kind,
        "entity": answer.entity,
        "parameters": answer.parameters,
        "model": f"{use_case}@{answer.model_version}",
        "data_as_of": answer.data_as_of,
        "prediction_key": answer.prediction_key,
    }


def _midnight(text: str | None, more: int) -> datetime | None:
    """The beginning of a day (UTC), or of the one so many after it."""
    if text is None:
        return None
    day = datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC)
    return day + timedelta(days=more)
