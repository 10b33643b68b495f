"""How a use case's endpoints answer, for their OpenAPI page; the answers are made elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, create_model

from yupana.serving.schemas import PREDICTION_ID, Note
from yupana.tasks.forecast.frequency import Frequency
from yupana.tasks.forecast.serving.question import MOST_ENTITIES
from yupana.tasks.forecast.usecases import ForecastUseCase

Zone = Literal["exito", "seguridad", "alerta", "epidemia"]
Cases = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=0)]
Probability = Annotated[float, Field(ge=0, le=1)]
Id = Annotated[str, Field(pattern=PREDICTION_ID)]
_ALERT = Field(
    description="zona del canal endémico en que cae la mediana / zone of the endemic channel that "
    "the median lies in; null: historia corta / short history"
)

_BY_COST = Field(None, description="solo si se pide con `miss_cost` / only where it is asked for")
_RAISED = Field(
    None,
    description="si `exceedance` supera `threshold`; solo con `miss_cost` / whether it is above "
    "the threshold; only with `miss_cost`",
)


class Level(BaseModel):
    """The level of one period: cases that will be reported for it."""

    horizon: int = Field(ge=1, description="períodos después de los datos / periods after the data")
    median: Cases = Field(description="casos / cases")
    interval_80: tuple[Cases, Cases] = Field(description="cuantiles 0.10 y 0.90 / quantiles")
    alert: Zone | None = _ALERT
    exceedance: Probability | None = Field(
        description="probabilidad de superar el canal / probability to exceed the channel"
    )


class GroupPart(BaseModel):
    """What a group of features adds to the median: cases, and log1p of cases."""

    group: str
    es: str
    en: str
    cases: float
    log: float
    without: float
    median: float


class Sentence(BaseModel):
    es: str
    en: str


@dataclass(frozen=True)
class Answers:
    """The answers of a use case's endpoints."""

    forecast: type[BaseModel]
    alerts: type[BaseModel]
    simulation: type[BaseModel]
    explanation: type[BaseModel]


def answers(definition: ForecastUseCase) -> Answers:
    """The answers of a use case: its key, its lists and its names are fields of its own."""
    key, places, frequency = definition.spec.entity.key, definition.places, definition.frequency
    ending: dict[str, Any] = {frequency.ending: (date, Field(description="último día / last day"))}
    name = frequency.name.capitalize()
    level: Any = _model(f"Alert{name}", ending, base=Level)
    period: Any = _model(name, {"quantiles": (dict[str, Cases], ...)}, base=level)
    model = Field(description="modelo y versión / model and version")
    about: dict[str, Any] = {key: (str, ...), "model": (str, model), "data_as_of": (date, ...)}
    caveats: dict[str, Any] = {"caveats": (list[Note], ...)}
    prediction: Any = _model(
        "Prediction",
        {"prediction_id": (Id, ...), **about, "alert": (Zone | None, _ALERT),
         frequency.listing: (list[period], ...), **caveats,
         "model_card": (str, ...), "notice": (str, ...)},
    )  # fmt: skip
    abstention: Any = _model("Abstention", {key: (str, ...)}, base=Note)
    listed: Any = _model(
        "Listed",
        {**about, **dict.fromkeys(places.names_of, (str, ...)), **ending,
         "alert": (Zone | None, ...), "exceedance": (Probability | None, ...),
         "median": (Cases, ...), "interval_80": (tuple[Cases, Cases], ...), "pooled": (bool, ...),
         "prediction_id": (Id, ...), frequency.listing: (list[level], ...),
         "raised": (bool | None, _RAISED)},
    )  # fmt: skip
    area: dict[str, Any] = {places.area: (dict[str, str] | None, ...)} if places.area else {}
    return Answers(
        forecast=_model(
            "Answer",
            {"as_of": (date, ...), "predictions": (_at_most(prediction), ...),
             "abstentions": (_at_most(abstention), ...)},
        ),
        alerts=_model(
            "Alerts",
            {"use_case": (str, ...), "as_of": (date, ...), "data_as_of": (date, ...), **area,
             "lead": (Count, ...), **ending, "counts": (dict[str, Count], ...),
             places.listing: (list[listed], ...), **caveats,
             "miss_cost": (float | None, _BY_COST), "threshold": (Probability | None, _BY_COST)},
        ),
        simulation=_model(
            "Simulation",
            {"simulation": (Literal[True], ...), "prediction_id": (Id, ...), **about,
             "change": (dict[str, Any], ...), "baseline": (list[period], ...),
             "simulated": (list[period], ...), **caveats},
        ),
        explanation=_explanation(key, frequency, ending, caveats),
    )  # fmt: skip


def _at_most(kind: Any) -> Any:
    """A list of one for each entity that may be asked for."""
    return Annotated[list[kind], Field(max_length=MOST_ENTITIES)]


def _explanation(
    key: str, frequency: Frequency, ending: dict[str, Any], caveats: dict[str, Any]
) -> type[BaseModel]:
    counted: dict[str, Any] = {frequency.listing: (Count, ...)}
    background: Any = create_model(
        "Background", __base__=Sentence, __doc__="The periods that a forecast is compared with.",
        **counted,
    )  # fmt: skip
    season: Any = _model(
        "Season", {"year": (int, ...), **ending, "followed": (list[Count | None], ...)}
    )
    return _model(
        "Explanation",
        {"prediction_id": (Id, ...), "model": (str, ...), key: (str, ...),
         "horizon": (Count, ...), **ending, "median": (Cases, ...), "usual": (Cases, ...),
         "usual_log": (float, ...), "groups": (list[GroupPart], ...),
         "background": (background, ...), "seasons": (list[season], ...),
         "sentences": (list[Sentence], ...), **caveats},
    )  # fmt: skip


def _model(
    name: str, fields: dict[str, Any], base: type[BaseModel] = BaseModel
) -> type[BaseModel]:
    model: type[BaseModel] = create_model(name, __base__=base, **fields)
    return model
