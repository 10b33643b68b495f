"""The addresses of a forecast service, as OpenAPI describes them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel
from starlette.responses import Response

from yupana.core.errors import UsageError
from yupana.core.spec import Bilingual
from yupana.serving import requests, schemas
from yupana.serving.http.refusal import Problem
from yupana.serving.requests import PlainRoute
from yupana.serving.routes import PredictionId
from yupana.tasks.forecast.serving import answer_schema, question
from yupana.tasks.forecast.serving.answer_schema import Answers
from yupana.tasks.forecast.serving.question import Questions
from yupana.tasks.forecast.usecases import ForecastUseCase

Format = Annotated[Literal["json", "geojson", "csv"], Query(description="json, geojson, csv")]
MissCost = Annotated[
    float | None,
    Query(
        ge=0.001,
        le=1000,
        description="lo que cuesta una alerta omitida, en avisos falsos: se avisa (`raised`) sobre "
        "la probabilidad 1 ÷ (1 + miss_cost) / what a missed alert costs, in false alarms: one is "
        "raised above that probability",
    ),
]
CSV = {"text/csv": {"schema": {"type": "string"}}}
LAYER = {"application/geo+json": {"schema": {"type": "object"}}}
FORECAST_FORMATS = ("json", "csv")
FORECAST_FORMAT = {
    "name": "format",
    "in": "query",
    "description": "json, csv",
    "schema": {"type": "string", "enum": [*FORECAST_FORMATS], "default": "json"},
}


def router(definition: ForecastUseCase) -> APIRouter:
    """The addresses of a use case, below /v1/<use case>/: one for each action of its spec.

    The application's state holds `predictions` and `analysis` once the service has started.

    Raises:
        UsageError: the spec names an action that forecasts do not have.
    """
    api = APIRouter(prefix=f"/v1/{definition.spec.name}")
    questions, answers = question.questions(definition), answer_schema.answers(definition)
    add = {
        "forecast": lambda: _forecast(api, questions, answers),
        "alerts": lambda: _alerts(api, definition, answers),
        "simulate": lambda: _simulate(api, questions, answers),
        "explain": lambda: _explain(api, answers),
    }
    if strange := sorted(set(definition.spec.actions) - set(add)):
        raise UsageError(
            f"Forecasts have no action '{strange[0]}'.",
            where=f"models/{definition.spec.name}/usecase.yaml, actions",
            fix=f"Use some of: {', '.join(add)}.",
        )
    for action in definition.spec.actions:
        add[action]()
    return api


async def _answer(
    request: Request, kind: type[BaseModel], answer: Callable[..., Awaitable[Response]]
) -> Response:
    """What answers the question in a body, or the refusal that says how to mend the body."""
    sent = await requests.question(request, kind)
    if isinstance(sent, Problem):
        return sent
    state = request.scope["state"]
    return await answer(sent, state["caller"], state["request_id"])


def _forecast(api: APIRouter, questions: Questions, answers: Answers) -> None:
    plain = APIRouter(prefix=api.prefix, route_class=PlainRoute)

    @plain.post(
        "/forecast",
        response_model=answers.forecast,
        responses={200: {"content": CSV, "headers": schemas.FILE_HEADERS}},
        openapi_extra={
            "parameters": [FORECAST_FORMAT],
            **schemas.body(questions.forecast, questions.forecast_example),
        },
        summary="Casos por período con 23 cuantiles / cases by period with 23 quantiles",
    )
    async def forecast(request: Request) -> Response:
        form = _format(request)
        if isinstance(form, Problem):
            return form
        answer = partial(request.app.state.predictions.forecast, form=form)
        return await _answer(request, questions.forecast, answer)

    api.routes.extend(plain.routes)


def _format(request: Request) -> str | Problem:
    """The format that is asked for: FastAPI reads no parameters of a plain route."""
    if not request.scope["query_string"]:
        return FORECAST_FORMATS[0]
    form = request.query_params.get("format", FORECAST_FORMATS[0])
    if form in FORECAST_FORMATS:
        return form
    choices = ", ".join(map(repr, FORECAST_FORMATS))
    what = Bilingual(es=f"debe ser uno de: {choices}", en=f"it must be one of: {choices}")
    return requests.invalid(("format",), what, request.app.state.how_to_ask)


def _alerts(api: APIRouter, definition: ForecastUseCase, answers: Answers) -> None:
    places = definition.places
    Area = Annotated[  # noqa: N806 (a type)
        str,
        Query(
            alias=places.area or "area",
            pattern=places.area_pattern,
            description=places.how_to_area,
            include_in_schema=bool(places.area),
        ),
    ]

    async def alerts(
        request: Request, area: str = "", format: Format = "json", as_of: question.Day = None,
        miss_cost: MissCost = None,
    ) -> Response:  # fmt: skip
        day = as_of or datetime.now(UTC).date()
        answer: Response = await request.app.state.analysis.alerts(
            area, day, format, miss_cost, request.state.caller
        )
        return answer

    # Its alias is the use case's, so that the annotation is made here.
    alerts.__annotations__["area"] = Area
    api.get(
        "/alerts",
        response_model=answers.alerts,
        responses={200: {"content": LAYER | CSV, "headers": schemas.FILE_HEADERS}},
        summary=f"Nivel de alerta de {places.noun.the_many} / alert level of the "
        f"{places.noun.en_many}",
    )(alerts)


def _simulate(api: APIRouter, questions: Questions, answers: Answers) -> None:
    @api.post(
        "/simulate",
        response_model=answers.simulation,
        openapi_extra=schemas.body(questions.simulation, questions.simulation_example),
        summary="Qué respondería con otros datos / what it would answer to other data",
    )
    async def simulate(request: Request) -> Response:
        return await _answer(request, questions.simulation, request.app.state.analysis.simulate)


def _explain(api: APIRouter, answers: Answers) -> None:
    @api.get(
        "/explain/{prediction_id}",
        response_model=answers.explanation,
        responses=schemas.NOT_FOUND | schemas.CONFLICT,
        summary="En qué se apoya una respuesta / what an answer leans on",
    )
    async def explain(request: Request, prediction_id: PredictionId) -> Response:
        answer: Response = await request.app.state.analysis.explain(
            prediction_id, request.state.caller
        )
        return answer
