"""What a forecast holds. Fields that a newer service adds are left out, not refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any


@dataclass(frozen=True)
class Caveat:
    """What to be careful about, in Spanish and English."""

    code: str
    es: str
    en: str


@dataclass(frozen=True)
class Abstention:
    """A district that the service does not forecast, and why."""

    ubigeo: str
    code: str
    es: str
    en: str


@dataclass(frozen=True)
class Week:
    """One week ahead: cases that the district will report for it.

    Attributes:
        week_ending: the Saturday that ends it.
        median: cases.
        interval_80: cases, the quantiles 0.10 and 0.90.
        quantiles: cases by level, 23 levels from 0.01 to 0.99.
        alert: zone of the endemic channel (exito, seguridad, alerta, epidemia), or None.
        exceedance: probability of more cases than the channel's limit, 0-1, or None.
    """

    horizon: int
    week_ending: date
    median: float
    interval_80: tuple[float, float]
    quantiles: dict[float, float]
    alert: str | None
    exceedance: float | None


@dataclass(frozen=True)
class Prediction:
    """One district's forecast, with what is needed to trace it.

    Attributes:
        model: name and version, such as outbreak@3.
        data_as_of: the last day with data.
        alert: zone of week 4, or of the last week when fewer were asked for.
        model_card: address of the model's card, below the service's.
    """

    prediction_id: str
    ubigeo: str
    model: str
    data_as_of: date
    alert: str | None
    weeks: tuple[Week, ...]
    caveats: tuple[Caveat, ...]
    model_card: str


@dataclass(frozen=True)
class Forecast:
    """Forecasts and abstentions, each in the order in which the districts were asked for.

    Attributes:
        as_of: the day that was asked for.
    """

    as_of: date
    predictions: tuple[Prediction, ...]
    abstentions: tuple[Abstention, ...]


def forecast(told: Mapping[str, Any]) -> Forecast:
    """Read the body of an answer.

    Raises:
        KeyError, TypeError, ValueError: it is not the answer of a forecast.
    """
    return Forecast(
        date.fromisoformat(told["as_of"]),
        tuple(_prediction(each) for each in told["predictions"]),
        tuple(
            Abstention(each["ubigeo"], each["code"], each["es"], each["en"])
            for each in told["abstentions"]
        ),
    )


def _prediction(told: Mapping[str, Any]) -> Prediction:
    return Prediction(
        prediction_id=told["prediction_id"],
        ubigeo=told["ubigeo"],
        model=told["model"],
        data_as_of=date.fromisoformat(told["data_as_of"]),
        alert=told["alert"],
        weeks=tuple(_week(each) for each in told["weeks"]),
        caveats=tuple(Caveat(c["code"], c["es"], c["en"]) for c in told["caveats"]),
        model_card=told["model_card"],
    )


def _week(told: Mapping[str, Any]) -> Week:
    low, high = told["interval_80"]
    return Week(
        horizon=told["horizon"],
        week_ending=date.fromisoformat(told["week_ending"]),
        median=told["median"],
        interval_80=(low, high),
        quantiles={float(level): cases for level, cases in told["quantiles"].items()},
        alert=told["alert"],
        exceedance=told["exceedance"],
    )
