"""How the addresses answer, for their OpenAPI page; the answers are made elsewhere."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel, Field

from serving.answer import Answer, Note, Problem, Week, Zone

__all__ = ["Answer", "Note", "Problem", "Week"]
_PROBLEM = "application/problem+json"


class AlertWeek(BaseModel):
    """A district's week."""

    horizon: int
    week_ending: str
    alert: Zone | None
    exceedance: float | None
    median: float
    interval_80: tuple[float, float]


class District(BaseModel):
    """A district's level, in the week `lead` and in every week ahead."""

    ubigeo: str
    department: str
    province: str
    district: str
    week_ending: str
    alert: Zone | None
    exceedance: float | None
    median: float
    interval_80: tuple[float, float]
    pooled: bool
    model: str
    data_as_of: str
    prediction_id: str
    weeks: list[AlertWeek]


class Alerts(BaseModel):
    """Levels of a department or of the country; the highest first."""

    use_case: str
    as_of: str
    data_as_of: str
    department: dict[str, str] | None
    lead: int
    week_ending: str
    counts: dict[str, int]
    districts: list[District]
    caveats: list[Note]


class Simulation(BaseModel):
    """What the model would tell; never a forecast."""

    simulation: Literal[True]
    prediction_id: str
    model: str
    ubigeo: str
    data_as_of: str
    change: dict[str, Any]
    baseline: list[Week]
    simulated: list[Week]
    caveats: list[Note]


class GroupPart(BaseModel):
    """What a group of features adds to the median: cases, and log1p of cases."""

    group: str
    es: str
    en: str
    cases: float
    log: float
    without: float
    median: float


class Season(BaseModel):
    """A past year like this one; a count that is hidden is null."""

    year: int
    week_ending: str
    followed: list[int | None]


class Sentence(BaseModel):
    es: str
    en: str


class Background(Sentence):
    """The weeks that a forecast is compared with."""

    weeks: int


class Explanation(BaseModel):
    """What an answer leans on; the groups sum to the difference from the usual."""

    prediction_id: str
    model: str
    ubigeo: str
    horizon: int
    week_ending: str
    median: float
    usual: float
    usual_log: float
    groups: list[GroupPart]
    background: Background
    seasons: list[Season]
    sentences: list[Sentence]
    caveats: list[Note]


class Received(BaseModel):
    feedback_id: str


class Model(BaseModel):
    """A model that serves, in its slot."""

    model: str
    slot: Literal["champion", "challenger"]
    state: Literal["serves", "canary", "shadow", "suspended", "not_admitted"]
    why: Note | None = Field(description="por qué no responde / why it does not answer")
    stage: Literal["trial", "service"] = Field(
        description="trial: a prueba, no aprobado para decidir / not approved for decisions"
    )
    expired: bool = Field(description="su aprobación venció / its approval is over")
    share: float
    feature_service: str
    features: str
    trained_through: str
    districts: int
    horizons: list[int]
    model_card: str
    notice: str


class Refused(BaseModel):
    """A model that was placed, and failed its own test or did not pass the gate."""

    model: str
    state: Literal["refused"]
    why: str


class Models(BaseModel):
    models: list[Model]
    refused: list[Refused]


def _problem(text: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": text, "content": {_PROBLEM: {"schema": schema}}}


PROBLEMS: dict[int | str, dict[str, Any]] = {
    400: _problem("La solicitud no es válida / The request is not valid"),
    401: _problem("Falta la clave, o no es válida / The key is missing or not valid"),
    403: _problem("La clave no abre esta dirección / The key does not open this address"),
    408: _problem("La solicitud llegó demasiado lento / The request came too slowly"),
    413: _problem("La solicitud es demasiado grande / The request is too large"),
    415: _problem("El cuerpo no es JSON / The body is not JSON"),
    429: _problem("Se alcanzó un límite / A limit is reached"),
    503: _problem(
        "No se puede registrar, o está suspendido / It cannot be recorded, or it is suspended"
    ),
}
NOT_FOUND: dict[int | str, dict[str, Any]] = {404: _problem("No está / It is not there")}
CONFLICT: dict[int | str, dict[str, Any]] = {409: _problem("No se puede explicar / No features")}
FILES: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            "application/geo+json": {"schema": {"type": "object"}},
            "text/csv": {"schema": {"type": "string"}},
        }
    }
}
CARD: dict[int | str, dict[str, Any]] = {
    200: {"description": "Markdown", "content": {"text/markdown": {"schema": {"type": "string"}}}}
}


def body(kind: type[BaseModel], example: Any) -> dict[str, Any]:
    """The body of a request, for an address that reads it itself."""
    schema = kind.model_json_schema(ref_template="#/components/schemas/{model}")
    schema.pop("$defs", None)
    content = {"schema": schema, "example": example}
    return {"requestBody": {"required": True, "content": {"application/json": content}}}


def openapi(app: FastAPI) -> dict[str, Any]:
    """The page's text: FastAPI's, with the keys, and the errors as they are."""
    if app.openapi_schema is None:
        from serving.question import Climate

        made = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes
        )
        parts = made.setdefault("components", {})
        parts["securitySchemes"] = {
            "key": {"type": "http", "scheme": "bearer", "description": "yup_… o / or OIDC"},
            "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
        }
        made["security"] = [{"key": []}, {"header": []}]
        schemas = parts.setdefault("schemas", {})
        schemas["Problem"] = Problem.model_json_schema()
        schemas["Climate"] = Climate.model_json_schema()
        for path in made["paths"].values():
            for operation in path.values():
                # Every error has one shape; FastAPI's own list is never sent.
                operation["responses"].pop("422", None)
        schemas.pop("HTTPValidationError", None)
        schemas.pop("ValidationError", None)
        app.openapi_schema = made
    return app.openapi_schema
