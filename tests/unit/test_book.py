"""Forecasts are made once, name themselves by their content, and say what to be careful about."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

from models.channel import Channel
from serving import book, notes
from serving.book import Book, Forecast, Maker, Source
from yupana.core.forecast import QUANTILES

ORIGIN = date(2022, 1, 1)
FAR = notes.note("outside_training", "lejos", "far")


class Poisson:
    """Told counts rise by level; it knows one district."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def quantiles(self, rows: pd.DataFrame, levels: Any) -> np.ndarray[Any, Any]:
        self.asked += rows["ubigeo"].tolist()
        cases = rows["cases"].to_numpy()[:, None, None]
        return np.broadcast_to(cases + np.arange(len(levels)), (len(rows), 8, len(levels)))

    def knows(self, ubigeo: str) -> bool:
        return ubigeo == "160101"


def features(ubigeos: list[str]) -> pd.DataFrame:
    moment = pd.Timestamp(ORIGIN, tz="UTC") + pd.Timedelta(hours=23)
    rows = [
        {
            "ubigeo": u,
            "event_timestamp": pd.NaT if u == "999999" else moment,
            "cases": 900.0 if u == "160900" else 4.0,
            "completeness": 0.7 if u == "160201" else 1.0,
        }
        for u in ubigeos
    ]
    return pd.DataFrame(rows)


def beyond(row: Mapping[str, Any]) -> tuple[list[notes.Note], notes.Note | None]:
    return [], FAR if row["cases"] > 500 else None


@pytest.fixture
def made() -> Book:
    channels = {(u, h): Channel(1.0, 5.0, 10.0) for u in ("160101", "160201") for h in range(1, 9)}
    maker = Maker("outbreak", "3", "outbreak:3", "delta:features/outbreak_weekly@5")
    return Book(Source(maker, Poisson(), features, lambda _: channels, beyond))


def codes(found: Forecast | notes.Note) -> list[str]:
    assert isinstance(found, Forecast)
    return [note["code"] for note in found.told.caveats]


def test_what_to_be_careful_about_is_told(made: Book) -> None:
    good, late, short = made.of(["160101", "160201", "160301"])
    assert codes(good) == []
    assert codes(late) == ["pooled", "incomplete_reports"]
    assert codes(short) == ["pooled", "no_channel"]


def test_it_does_not_answer_what_would_be_a_guess(made: Book) -> None:
    assert made.of(["999999", "160900"]) == [notes.UNKNOWN, FAR]


def test_a_forecast_is_made_once_and_named_by_its_content(made: Book) -> None:
    (first,), (again,) = made.of(["160101"]), made.of(["160101"])
    assert first is again and made.source.forecaster.asked == ["160101"]
    (other,) = Book(made.source).of(["160101"])
    assert isinstance(first, Forecast) and isinstance(other, Forecast)
    assert first.told == other.told and first.told.features == {"cases": 4.0, "completeness": 1.0}
    newer = Maker("outbreak", "4", "outbreak:4", made.source.maker.features_ref)
    (changed,) = Book(Source(newer, Poisson(), features, lambda _: {}, beyond)).of(["160101"])
    assert isinstance(changed, Forecast) and changed.told.key != first.told.key


def test_the_body_is_the_answer_up_to_the_horizon(made: Book) -> None:
    (found,) = made.of(["160101"])
    assert isinstance(found, Forecast)
    told = json.loads(b'{"prediction_id":"x",' + found.body(2, 3))
    assert [week["horizon"] for week in told["weeks"]] == [1, 2]
    assert told["weeks"][0]["week_ending"] == "2022-01-08"
    assert told["alert"] == told["weeks"][1]["alert"] == "epidemia"
    assert told["weeks"][0]["median"] == 4 + QUANTILES.index(0.5)
    assert [note["code"] for note in told["caveats"]] == ["stale_data"]
    assert "3 semanas" in told["caveats"][0]["es"] and not found.told.caveats


def test_a_flood_of_unknown_codes_fills_no_memory(
    made: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(book, "MOST_UNKNOWN", 10)

    def nothing(ubigeos: list[str]) -> pd.DataFrame:
        return features(["999999"] * len(ubigeos)).assign(ubigeo=ubigeos)

    flooded = Book(Source(made.source.maker, Poisson(), nothing, lambda _: {}, beyond))
    for i in range(50):
        assert flooded.of([f"{i:06}"]) == [notes.UNKNOWN]
    assert sum(flooded.ready([f"{i:06}"]) for i in range(50)) == 10
