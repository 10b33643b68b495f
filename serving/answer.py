"""What the outbreak endpoints answer, as their OpenAPI page tells it."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

Zone = Literal["exito", "seguridad", "alerta", "epidemia"]


class Note(BaseModel):
    """A caveat, or the reason why there is no answer; `code` is for programs."""

    code: str
    es: str
    en: str


class Week(BaseModel):
    """The forecast of one week: cases that the district will report for it."""

    horizon: int = Field(description="semanas después de los datos / weeks after the data, 1-8")
    week_ending: str = Field(description="sábado en que termina la semana / its Saturday")
    median: float = Field(description="casos / cases")
    interval_80: tuple[float, float] = Field(description="cuantiles 0.10 y 0.90 / quantiles")
    quantiles: dict[str, float] = Field(description="los 23 cuantiles / the 23 quantiles")
    alert: Zone | None = Field(
        description="zona del canal endémico en que cae la mediana / zone of the endemic channel "
        "that the median lies in; null: historia corta / short history"
    )
    exceedance: float | None = Field(
        description="probabilidad de superar el canal, 0-1 / probability to exceed the channel"
    )


class Prediction(BaseModel):
    """One district's forecast, with what is needed to trace it."""

    prediction_id: str
    ubigeo: str
    model: str = Field(description="modelo y versión / model and version", examples=["outbreak@3"])
    data_as_of: str = Field(description="último día con datos / last day with data")
    alert: Zone | None = Field(description="de la semana 4, o la última pedida / of week 4")
    weeks: list[Week]
    caveats: list[Note] = Field(description="advertencias / what to be careful about")
    model_card: str = Field(description="ficha del modelo / card of the model")
    notice: str = Field(description="aviso de transparencia / transparency notice")


class Abstention(Note):
    """A district that is not answered, and why."""

    ubigeo: str


class Answer(BaseModel):
    """Forecasts in the order in which the districts were asked for, and who is not answered."""

    as_of: str
    predictions: list[Prediction]
    abstentions: list[Abstention]


class Problem(BaseModel):
    """An error (RFC 9457), with the mend."""

    type: str
    title: str = Field(description="qué pasó / what happened")
    status: int
    where: str = Field(description="en qué parte de la solicitud / in which part of the request")
    fix: str = Field(description="cómo corregirlo / how to mend it")
    request_id: str = ""
