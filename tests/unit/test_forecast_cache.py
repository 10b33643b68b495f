"""Forecasts are made once, name themselves by their content, and say what to be careful about."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np
import orjson
import pandas as pd
import pytest

from yupana.predictions.entry import Basis
from yupana.serving.notes import Note, note
from yupana.tasks.forecast import usecases
from yupana.tasks.forecast.endemic_channel import Channel
from yupana.tasks.forecast.frequency import WEEK
from yupana.tasks.forecast.quantiles import QUANTILES
from yupana.tasks.forecast.serving import forecast_cache
from yupana.tasks.forecast.serving.forecast_cache import Forecast, ForecastCache, Source
from yupana.tasks.forecast.serving.notes import Notes

NOTES = Notes.of(usecases.load("outbreak"))
ORIGIN = date(2022, 1, 1)
FAR = note("outside_training", "lejos", "far")


class Poisson:
    """Counts rise by level; it knows one district."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def quantiles(self, rows: pd.DataFrame, levels: Any) -> np.ndarray[Any, Any]:
        self.asked += rows["entity"].tolist()
        cases = rows["cases"].to_numpy()[:, None, None]
        return np.broadcast_to(cases + np.arange(len(levels)), (len(rows), 8, len(levels)))

    def knows(self, entity: str) -> bool:
        return entity == "160101"


def features(entities: list[str]) -> pd.DataFrame:
    moment = pd.Timestamp(ORIGIN, tz="UTC") + pd.Timedelta(hours=23)
    rows = [
        {
            "entity": u,
            "event_timestamp": pd.NaT if u == "999999" else moment,
            "cases": 900.0 if u == "160900" else 4.0,
            "completeness": 0.7 if u == "160201" else 1.0,
        }
        for u in entities
    ]
    return pd.DataFrame(rows)


def beyond(row: Mapping[str, Any]) -> tuple[list[Note], Note | None]:
    return [], FAR if row["cases"] > 500 else None


@pytest.fixture
def forecasts() -> ForecastCache:
    channels = {(u, h): Channel(1.0, 5.0, 10.0) for u in ("160101", "160201") for h in range(1, 9)}
    basis = Basis("outbreak", "3", "outbreak:3", "delta:features/outbreak_weekly@5", "")
    return cache(basis, features, lambda _: channels)


def cache(basis: Basis, read: Any, channels: Any) -> ForecastCache:
    return ForecastCache(Source(basis, Poisson(), read, channels, beyond, NOTES))


def codes(forecast: Forecast | Note) -> list[str]:
    assert isinstance(forecast, Forecast)
    return [caveat["code"] for caveat in forecast.prediction.caveats]


def test_what_to_be_careful_about_is_told(forecasts: ForecastCache) -> None:
    good, late, short = forecasts.of(["160101", "160201", "160301"])
    assert codes(good) == []
    assert codes(late) == ["pooled", "incomplete_reports"]
    assert codes(short) == ["pooled", "no_channel"]


def test_it_does_not_answer_what_would_be_a_guess(forecasts: ForecastCache) -> None:
    assert forecasts.of(["999999", "160900"]) == [NOTES.unknown, FAR]


def test_a_forecast_is_made_once_and_named_by_its_content(forecasts: ForecastCache) -> None:
    (first,), (again,) = forecasts.of(["160101"]), forecasts.of(["160101"])
    assert first is again and forecasts.source.forecaster.asked == ["160101"]
    (other,) = ForecastCache(forecasts.source).of(["160101"])
    assert isinstance(first, Forecast) and isinstance(other, Forecast)
    assert first.prediction == other.prediction
    assert first.prediction.features == {"cases": 4.0, "completeness": 1.0}
    newer = forecasts.source.basis._replace(model_version="4", deployment="outbreak:4")
    (changed,) = cache(newer, features, lambda _: {}).of(["160101"])
    assert isinstance(changed, Forecast) and changed.prediction.key != first.prediction.key


def test_the_body_is_the_answer_up_to_the_horizon(forecasts: ForecastCache) -> None:
    (forecast,) = forecasts.of(["160101"])
    assert isinstance(forecast, Forecast)
    stale = NOTES.stale(ORIGIN, 3)
    answer = json.loads(orjson.dumps(forecast.answer("ubigeo", WEEK, 2, [stale])))
    assert [week["horizon"] for week in answer["weeks"]] == [1, 2]
    assert answer["weeks"][0]["week_ending"] == "2022-01-08"
    assert answer["alert"] == answer["weeks"][1]["alert"] == "epidemia"
    assert answer["weeks"][0]["median"] == 4 + QUANTILES.index(0.5)
    assert [caveat["code"] for caveat in answer["caveats"]] == ["stale_data"]
    assert "3 semanas" in answer["caveats"][0]["es"] and not forecast.prediction.caveats


def test_a_flood_of_unknown_codes_fills_no_memory(
    forecasts: ForecastCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forecast_cache, "MOST_UNKNOWN", 10)

    def nothing(entities: list[str]) -> pd.DataFrame:
        return features(["999999"] * len(entities)).assign(entity=entities)

    flooded = cache(forecasts.source.basis, nothing, lambda _: {})
    for i in range(50):
        assert flooded.of([f"{i:06}"]) == [NOTES.unknown]
    assert sum(flooded.ready([f"{i:06}"]) for i in range(50)) == 10
