"""The addresses of the outbreak service, as OpenAPI tells them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

from fastapi import FastAPI, Path, Query, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from serving import shapes
from serving.http.refusal import refusal
from serving.question import EXAMPLE, HOW_TO_ASK, Feedback, Question, Simulated

PredictionId = Annotated[
    str, Path(pattern="^[0-9a-f]{32}$", description="de una respuesta / of an answer")
]
Department = Annotated[
    str, Query(pattern="^([0-9]{2})?$", description="dos dígitos INEI, como 16 / two digits")
]
Format = Annotated[Literal["json", "geojson", "csv"], Query(description="json, geojson, csv")]


def application(use_case: str) -> FastAPI:
    """The application; `app.state.desk` is set when the service starts."""
    app = FastAPI(
        title=f"yupana: {use_case}",
        version="1",
        description="Pronóstico semanal de casos por distrito, con incertidumbre y origen. / "
        "Weekly forecast of cases by district, with uncertainty and its origin.",
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        responses=shapes.PROBLEMS,
    )
    app.add_exception_handler(RequestValidationError, _wrong_address)
    _forecast(app, use_case)
    _alerts(app, use_case)
    _studies(app, use_case)
    _models(app)
    app.openapi = lambda: shapes.openapi(app)  # type: ignore[method-assign]
    return app


def quick(app: FastAPI, use_case: str) -> ASGIApp:
    """The application, with the address that is asked most answered before FastAPI looks for it.

    FastAPI's search for a route, its stacks and its dependencies cost more than the answer.
    """
    route = next(r for r in app.routes if getattr(r, "path", "") == _address(use_case))

    async def choose(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == _address(use_case) and scope["method"] == "POST":
            scope["route"] = route
            # The guard has read all of it, and hands it on in one piece.
            body = (await receive()).get("body", b"")
            told = await _answer(app, body, scope["state"])
            await told(scope, receive, send)
        elif scope["path"] == "/docs.json":
            # Where BentoML's page looks for it.
            await app({**scope, "path": "/openapi.json"}, receive, send)
        else:
            await app(scope, receive, send)

    return choose


def _address(use_case: str) -> str:
    return f"/v1/{use_case}/forecast"


async def _answer(app: FastAPI, body: bytes, state: dict[str, Any]) -> Response:
    question = read(Question, body)
    if isinstance(question, Response):
        return question
    told: Response = await app.state.desk.forecast(question, state["caller"], state["request_id"])
    return told


def _forecast(app: FastAPI, use_case: str) -> None:
    @app.post(
        _address(use_case),
        response_model=shapes.Answer,
        openapi_extra=shapes.body(Question, EXAMPLE),
        summary="Casos por semana con 23 cuantiles / cases by week with 23 quantiles",
    )
    async def forecast(request: Request) -> Response:
        return await _answer(app, await request.body(), request.scope["state"])


def _alerts(app: FastAPI, use_case: str) -> None:
    @app.get(
        f"/v1/{use_case}/alerts",
        response_model=shapes.Alerts,
        responses=shapes.FILES,
        summary="Nivel de alerta de los distritos / alert level of the districts",
    )
    async def alerts(
        request: Request, department: Department = "", format: Format = "json",
        as_of: date | None = None,
    ) -> Response:  # fmt: skip
        today = datetime.now(UTC).date()
        return await app.state.study.alerts(
            department, as_of or today, format, request.state.caller
        )


def _studies(app: FastAPI, use_case: str) -> None:
    @app.post(
        f"/v1/{use_case}/simulate",
        response_model=shapes.Simulation,
        openapi_extra=shapes.body(Simulated, {"ubigeo": "160101", "recent_cases": 2.0}),
        summary="Qué respondería con otros datos / what it would answer to other data",
    )
    async def simulate(request: Request) -> Response:
        asked = read(Simulated, await request.body())
        if isinstance(asked, Response):
            return asked
        state = request.state
        return await app.state.study.simulate(asked, state.caller, state.request_id)

    @app.get(
        f"/v1/{use_case}/explain/{{prediction_id}}",
        response_model=shapes.Explanation,
        responses=shapes.NOT_FOUND | shapes.CONFLICT,
        summary="En qué se apoya una respuesta / what an answer leans on",
    )
    async def explain(request: Request, prediction_id: PredictionId) -> Response:
        return await app.state.study.explain(prediction_id, request.state.caller)

    @app.post(
        "/v1/feedback/{prediction_id}",
        status_code=201,
        response_model=shapes.Received,
        responses=shapes.NOT_FOUND,
        openapi_extra=shapes.body(
            Feedback, {"kind": "observed", "week_ending": "2022-01-08", "cases": 4}
        ),
        summary="Lo que pasó, o un reclamo / what happened, or a complaint",
    )
    async def feedback(request: Request, prediction_id: PredictionId) -> Response:
        said = read(Feedback, await request.body())
        if isinstance(said, Response):
            return said
        return await app.state.study.feedback(prediction_id, said, request.state.caller)


def _models(app: FastAPI) -> None:
    @app.get(
        "/v1/models",
        response_model=shapes.Models,
        summary="Los modelos que sirven / the models that serve",
    )
    async def models() -> Response:
        return app.state.study.models()

    @app.get(
        "/v1/models/{name}/notice",
        response_class=Response,
        responses=shapes.CARD | shapes.NOT_FOUND,
        summary="El aviso de transparencia / the transparency notice",
    )
    async def notice(
        name: Annotated[str, Path(pattern="^[a-z][a-z0-9_-]{0,30}$")],
    ) -> Response:
        return app.state.study.notice(name)

    @app.get(
        "/v1/models/{name}/{version}/card",
        response_class=Response,
        responses=shapes.CARD | shapes.NOT_FOUND,
        summary="La ficha de un modelo / a model's card",
    )
    async def card(
        name: Annotated[str, Path(pattern="^[a-z][a-z0-9_-]{0,30}$")],
        version: Annotated[int, Path(ge=1, le=1_000_000)],
    ) -> Response:
        return app.state.study.card(name, version)


def read(kind: type[Any], body: bytes) -> Any:
    """The question in a body, or the refusal that says how to mend it."""
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        return _invalid(
            error.errors(include_url=False, include_context=False, include_input=False)[0]
        )


async def _wrong_address(_: Request, error: Exception) -> Response:
    """A part of the address that is not what it must be."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    return _invalid({**first, "loc": first["loc"][1:]})


def _invalid(error: Any) -> Response:
    loc = [part for part in error["loc"] if not str(part).startswith("function-")]
    field = str(loc[0]) if loc else ""
    return refusal(
        400,
        f"La solicitud no es válida. / The request is not valid: {error['msg']}.",
        where=".".join(map(str, loc)) or "cuerpo / body",
        fix=HOW_TO_ASK.get(field, HOW_TO_ASK[""]),
    )
