"""The addresses of a classifier, as OpenAPI describes them; those of cases are `cases.routes`."""

from __future__ import annotations

from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from yupana.core.errors import UsageError
from yupana.core.hashing import value_sha256
from yupana.core.spec import SUBMIT, Spec
from yupana.privacy.mask import mask
from yupana.serving import requests, schemas
from yupana.serving.context import unknown
from yupana.serving.http.refusal import Problem
from yupana.serving.requests import json_response
from yupana.serving.routes import PredictionId
from yupana.tasks.classify.cases import routes as case_routes
from yupana.tasks.classify.cases import rule_files
from yupana.tasks.classify.cases.intake import cleaned
from yupana.tasks.classify.cases.open311 import routes as open311_routes
from yupana.tasks.classify.result import Text
from yupana.tasks.classify.serving import payload

MOST_TEXTS = 50
LONGEST = 5000
REVIEW, OPEN311 = "review", "open311"
"""Actions of cases: clerks' addresses come with those of `submit`, Open311's on their own."""

HOW_TO_ASK = {
    "texts": f"Envíe de 1 a {MOST_TEXTS} textos de hasta {LONGEST} caracteres. / Send 1 to "
    f"{MOST_TEXTS} texts of up to {LONGEST} characters.",
    "label": "Envíe el nombre de una etiqueta. / Send the name of a label.",
}


class AskedText(BaseModel):
    """One text; personal data in it is masked before anything is kept."""

    model_config = ConfigDict(extra="forbid")

    title: str = Field("", max_length=300, description="asunto / heading")
    text: Annotated[str, Field(min_length=1, max_length=LONGEST)]


class Question(BaseModel):
    """Texts to be classified; a misspelt field is refused, never ignored."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"texts": [{"text": "No recogen la basura de mi calle hace días."}]}]
        },
    )

    texts: list[AskedText] = Field(min_length=1, max_length=MOST_TEXTS)


class Word(BaseModel):
    word: str
    weight: float = Field(description="lo que suma a la etiqueta / what it adds to the label")


class Answer(BaseModel):
    """A text's label, or why a person must give it."""

    prediction_id: str = Field(pattern=schemas.PREDICTION_ID)
    label: str
    confidence: float = Field(description="con qué frecuencia acierta / how often it is right")
    probabilities: dict[str, float]
    language: str = Field(description="ISO 639, o vacío / or empty")
    abstention: str = Field(description="por qué decide una persona / why a person decides")
    words: list[Word]
    model: str
    caveats: list[schemas.Note]


class Classified(BaseModel):
    predictions: list[Answer]


class Explanation(BaseModel):
    """Which words counted, by the student; the encoder reads the text as a whole."""

    prediction_id: str
    label: str | None
    confidence: float | None
    probabilities: dict[str, float]
    abstention: str
    words: list[Word]


def router(about: Spec) -> APIRouter:
    """The addresses of a use case, below /v1/<use case>: one for each action of its spec.

    The application's state holds `classifier` and, with the action `submit`, `cases` once the
    service has started.

    Raises:
        UsageError: the spec names an action that classifiers do not have.
    """
    api = APIRouter()
    add = {"classify": _classify, "explain": _explain, SUBMIT: _cases, OPEN311: _open311}
    if strange := sorted(set(about.actions) - {*add, REVIEW}):
        raise UsageError(
            f"Classifiers have no action '{strange[0]}'.",
            where=f"models/{about.name}/usecase.yaml, actions",
            fix=f"Use some of: {', '.join(add)}.",
        )
    # Receipts last: the first address that fits answers.
    for action in sorted(about.actions, key=lambda name: name == SUBMIT):
        if action in add:
            add[action](api, about)
    return api


def _cases(api: APIRouter, about: Spec) -> None:
    api.include_router(case_routes.router(about, rule_files.of_spec(about.name)))


def _open311(api: APIRouter, about: Spec) -> None:
    api.include_router(open311_routes.router())


def _classify(api: APIRouter, about: Spec) -> None:
    @api.post(
        f"/v1/{about.name}/classify",
        response_model=Classified,
        openapi_extra=schemas.body(Question, Question.model_json_schema()["examples"][0]),
        summary="Etiqueta de cada texto, con su confianza / a label of each text, with its "
        "confidence",
    )
    async def classify(request: Request) -> Response:
        sent = await requests.question(request, Question)
        if isinstance(sent, Problem):
            return sent
        state, context = request.app.state, request.app.state.context
        if context.models.suspension:
            refused: Response = context.models.suspension.refusal()
            return refused
        asked = [_masked(one) for one in sent.texts]
        caller = request.state.caller
        said, records = await to_thread.run_sync(
            state.classifier.answer, asked, caller, request.state.request_id
        )
        if problem := await context.record(records):
            return problem
        predictions = [
            {
                "prediction_id": record.prediction_id, **record.prediction.payload,
                "model": one.model, "caveats": record.prediction.caveats,
            }
            for one, record in zip(said, records, strict=True)
        ]  # fmt: skip
        return json_response({"predictions": predictions})


def _masked(one: AskedText) -> tuple[str, Text]:
    """Masked, under a name that its content gives it: the text itself is not kept."""
    text = Text(mask(cleaned(one.title)).text, mask(cleaned(one.text)).text)
    return f"text-{value_sha256([text.title, text.text])[:16]}", text


def _explain(api: APIRouter, about: Spec) -> None:
    @api.get(
        f"/v1/{about.name}/explain/{{prediction_id}}",
        response_model=Explanation,
        responses=schemas.NOT_FOUND,
        summary="Qué palabras pesaron / which words counted",
    )
    async def explain(request: Request, prediction_id: PredictionId) -> Any:
        context = request.app.state.context
        entry = await context.readable(prediction_id, request.state.caller)
        if entry is None:
            return unknown(prediction_id)
        return json_response(payload.explained(entry))
