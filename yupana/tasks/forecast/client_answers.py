"""What a forecast holds. Fields that a newer service adds are left out, not refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from yupana.client.answers import Abstention, Caveat
from yupana.tasks.forecast.frequency import MONTH, WEEK


@dataclass(frozen=True)
class Period:
    """One period ahead: cases that the entity will report for it.

    Attributes:
        ending: the day that ends it.
        median: cases.
        interval_80: cases, the quantiles 0.10 and 0.90.
        quantiles: cases by level, 23 levels from 0.01 to 0.99.
        alert: zone of the endemic channel (exito, seguridad, alerta, epidemia), or None.
        exceedance: probability of more cases than the channel's limit, 0-1, or None.
    """

    horizon: int
    ending: date
    median: float
    interval_80: tuple[float, float]
    quantiles: dict[float, float]
    alert: str | None
    exceedance: float | None


@dataclass(frozen=True)
class Prediction:
    """One entity's forecast, with what is needed to trace it.

    Attributes:
        entity: its code, such as a district's INEI code.
        model: name and version, such as outbreak@3.
        data_as_of: the last day with data.
        alert: zone of the period that alerts are of, or of the last when fewer were asked for.
        model_card: address of the model's card, below the service's.
    """

    prediction_id: str
    entity: str
    model: str
    data_as_of: date
    alert: str | None
    periods: tuple[Period, ...]
    caveats: tuple[Caveat, ...]
    model_card: str


@dataclass(frozen=True)
class Forecast:
    """Forecasts and abstentions, each in the order in which the entities were asked for.

    Attributes:
        as_of: the day that was asked for.
    """

    as_of: date
    predictions: tuple[Prediction, ...]
    abstentions: tuple[Abstention, ...]


def forecast(body: Mapping[str, Any], key: str) -> Forecast:
    """Read the body of an answer.

    Args:
        key: the field that names the entity.

    Raises:
        KeyError, TypeError, ValueError: it is not the answer of a forecast.
    """
    return Forecast(
        date.fromisoformat(body["as_of"]),
        tuple(_prediction(each, key) for each in body["predictions"]),
        tuple(
            Abstention(each[key], each["code"], each["es"], each["en"])
            for each in body["abstentions"]
        ),
    )


def _prediction(body: Mapping[str, Any], key: str) -> Prediction:
    frequency = MONTH if MONTH.listing in body else WEEK
    return Prediction(
        prediction_id=body["prediction_id"],
        entity=body[key],
        model=body["model"],
        data_as_of=date.fromisoformat(body["data_as_of"]),
        alert=body["alert"],
        periods=tuple(_period(each, frequency.ending) for each in body[frequency.listing]),
        caveats=tuple(Caveat(c["code"], c["es"], c["en"]) for c in body["caveats"]),
        model_card=body["model_card"],
    )


def _period(body: Mapping[str, Any], ending: str) -> Period:
    low, high = body["interval_80"]
    return Period(
        horizon=body["horizon"],
        ending=date.fromisoformat(body[ending]),
        median=body["median"],
        interval_80=(low, high),
        quantiles={float(level): cases for level, cases in body["quantiles"].items()},
        alert=body["alert"],
        exceedance=body["exceedance"],
    )
