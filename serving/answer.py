"""What the outbreak endpoint is asked and what it answers."""

from __future__ import annotations

from pydantic import BaseModel, Field


class Week(BaseModel):
    """The forecast of one week: cases that the district will report for it."""

    horizon: int = Field(description="semanas hacia adelante / weeks ahead, 1-8")
    week_ending: str = Field(description="sábado en que termina la semana / its Saturday")
    median: float = Field(description="casos / cases")
    interval_80: tuple[float, float] = Field(description="cuantiles 0.10 y 0.90 / quantiles")
    quantiles: dict[str, float] = Field(description="los 23 cuantiles / the 23 quantiles")


class Prediction(BaseModel):
    """One district's forecast, with what is needed to trace it."""

    prediction_id: str
    ubigeo: str
    model: str
    data_as_of: str = Field(description="último día con datos / last day with data")
    weeks: list[Week]
    caveats: list[str] = Field(description="advertencias / what to be careful about")


class Answer(BaseModel):
    """Forecasts in the order in which the districts were asked for."""

    predictions: list[Prediction]
