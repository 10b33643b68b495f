"""The addresses that every service has: models, cards, notices and feedback."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from yupana.core.spec import Spec
from yupana.core.types import MOST_VERSION
from yupana.serving import model_listing, schemas
from yupana.serving.context import ServiceContext
from yupana.serving.http.refusal import Problem
from yupana.serving.kind import Kind
from yupana.serving.requests import json_response, question

PredictionId = Annotated[
    str, Path(pattern=schemas.PREDICTION_ID, description="de una respuesta / of an answer")
]
UseCaseName = Annotated[str, Path(pattern="^[a-z][a-z0-9_-]{0,30}$")]
Version = Annotated[int, Path(ge=1, le=MOST_VERSION)]

HOW_TO_ASK = {
    "prediction_id": "Envíe el prediction_id de una respuesta. / Send the one of an answer.",
    "version": "Envíe un número. / Send a number: GET /v1/models.",
    "kind": "Envíe 'observed' o 'complaint'. / Send one of the two.",
    "comment": "Envíe hasta 1000 caracteres. / Send up to 1000 characters.",
}
"""How to mend the fields of these addresses."""


def router(about: Spec, kind: Kind) -> APIRouter:
    """The shared addresses of a use case's service."""
    api = APIRouter()
    body, outcome = kind.feedback(about), kind.outcome(about)

    @api.post(
        "/v1/feedback/{prediction_id}",
        status_code=201,
        response_model=schemas.Received,
        responses=schemas.NOT_FOUND,
        openapi_extra=schemas.body(body, body.model_json_schema()["examples"][0]),
        summary="Lo que pasó, o un reclamo / what happened, or a complaint",
    )
    async def feedback(request: Request, prediction_id: PredictionId) -> Response:
        sent = await question(request, body)
        if isinstance(sent, Problem):
            return sent
        feedback_id = await _context(request).add_feedback(
            prediction_id, sent.model_dump(), outcome, request.state.caller
        )
        if isinstance(feedback_id, Problem):
            return feedback_id
        return json_response({"feedback_id": feedback_id}, status=201)

    @api.get(
        "/v1/models",
        response_model=schemas.ModelListing,
        summary="Los modelos que sirven / the models that serve",
    )
    async def models(request: Request) -> Response:
        serving = model_listing.listing(about.name, _context(request).models)
        return json_response(serving)

    @api.get(
        "/v1/models/{name}/notice",
        response_class=Response,
        responses=schemas.MARKDOWN | schemas.NOT_FOUND,
        summary="El aviso de transparencia / the transparency notice",
    )
    async def notice(request: Request, name: UseCaseName) -> Response:
        return model_listing.notice(_context(request).settings, about.name, name)

    @api.get(
        "/v1/models/{name}/{version}/card",
        response_class=Response,
        responses=schemas.MARKDOWN | schemas.NOT_FOUND,
        summary="La ficha de un modelo / a model's card",
    )
    async def card(name: UseCaseName, version: Version) -> Response:
        return model_listing.card(name, version)

    return api


def _context(request: Request) -> ServiceContext:
    context: ServiceContext = request.app.state.context
    return context
