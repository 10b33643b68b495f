"""Answers for past days come from the table of forecasts, as it was told then."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pandas as pd
import pyarrow as pa
import pytest

from yupana.config.settings import Settings
from yupana.core.errors import ContentError
from yupana.data.lake import delta
from yupana.gate.gate import Versions
from yupana.gate.suspension import Suspension
from yupana.lineage import events
from yupana.predictions.prediction_log import Prediction
from yupana.serving.notes import Note
from yupana.tasks.forecast import payload, usecases
from yupana.tasks.forecast.frequency import WEEK
from yupana.tasks.forecast.quantiles import LEVELS
from yupana.tasks.forecast.serving.forecast_cache import Forecast
from yupana.tasks.forecast.serving.historical_forecasts import HistoricalForecasts

ORIGIN = date(2020, 6, 6)
APPROVED = Versions("outbreak", frozenset({"1", "2", "10"}), {})


def row(ubigeo: str, origin: date, version: int, horizon: int, high: float | None) -> dict:
    quantiles = {name: float(version + i) for i, name in enumerate(LEVELS)}
    zone = {"channel_low": 1.0, "channel_middle": 5.0, "channel_high": high}
    return {
        "prediction_id": "x", "model": f"model:outbreak@{version}", "ubigeo": ubigeo,
        "origin": origin, "horizon": horizon, **quantiles, "pooled": ubigeo == "160201", **zone,
        "alert": None, "exceedance": None,
    }  # fmt: skip


def _forecast(answer: Forecast | Note) -> Prediction:
    assert isinstance(answer, Forecast)
    return answer.prediction


@pytest.fixture
def recorded(lake: Settings) -> HistoricalForecasts:
    rows = [
        row("160101", ORIGIN, version, horizon, 9.0) for version in (1, 2) for horizon in (2, 1)
    ]
    rows += [row("160101", ORIGIN - timedelta(weeks=1), 10, 1, 9.0)]
    rows += [row("160201", ORIGIN, 2, horizon, float("nan")) for horizon in (1, 2)]
    table = pa.Table.from_pandas(pd.DataFrame(rows), preserve_index=False)
    ref = delta.replace(lake.lake, "forecasts", "outbreak", table, "true", ()).ref
    events.append(lake, "forecast", "outbreak", status="done", outputs=(ref,))
    forecasts = HistoricalForecasts(lake, usecases.load("outbreak"))
    assert forecasts.look() == 0
    return forecasts


def test_the_newest_origin_and_model_of_the_day_answer(recorded: HistoricalForecasts) -> None:
    day = ORIGIN + timedelta(days=3)
    answers = recorded.of(["160101"], day, APPROVED)
    forecast = _forecast(answers["160101"])
    assert (forecast.basis.model_version, forecast.basis.data_as_of) == ("2", "2020-06-06")
    assert forecast.basis.features_ref == "delta:forecasts/outbreak@0"
    weeks = forecast.payload["weeks"]
    assert [week["horizon"] for week in weeks] == [1, 2]
    assert weeks[0]["median"] == 2.0 + LEVELS.index("q0.5")
    assert weeks[0]["alert"] == "epidemia" and 0 < weeks[0]["exceedance"] < 1
    assert [note["code"] for note in forecast.caveats] == ["recorded"]


def test_a_short_history_has_no_alert(recorded: HistoricalForecasts) -> None:
    answers = recorded.of(["160201"], ORIGIN, APPROVED)
    forecast = _forecast(answers["160201"])
    week = forecast.payload["weeks"][0]
    assert week["alert"] is None and week["exceedance"] is None
    assert [note["code"] for note in forecast.caveats] == ["recorded", "pooled", "no_channel"]


@pytest.mark.parametrize("days", [-8, 8 * 7])
def test_a_day_without_a_forecast_has_none(recorded: HistoricalForecasts, days: int) -> None:
    day = ORIGIN + timedelta(days=days)
    assert not recorded.of(["160101"], day, APPROVED)


@pytest.mark.parametrize("subject", ["outbreak", "outbreak@2"])
def test_what_a_suspended_model_told_is_not_told_again(
    recorded: HistoricalForecasts, subject: str
) -> None:
    suspension = Suspension(
        subject, datetime(2026, 1, 2, tzinfo=UTC), "supervisor", "en revisión", ""
    )
    versions = Versions("outbreak", frozenset({"2"}), {subject: suspension})
    answers = recorded.of(["160101"], ORIGIN, versions)
    reason = answers["160101"]
    assert isinstance(reason, dict)
    assert reason["code"] == "suspended" and "en revisión" in reason["es"]


def test_what_no_one_approved_is_told_as_a_trial(recorded: HistoricalForecasts) -> None:
    none = Versions("outbreak", frozenset(), {})
    forecast = _forecast(recorded.of(["160101"], ORIGIN, none)["160101"])
    assert [note["code"] for note in forecast.caveats] == ["trial", "recorded"]


def test_the_channel_is_of_the_origin(recorded: HistoricalForecasts) -> None:
    channels = recorded.channels(ORIGIN)
    assert set(channels) == {("160101", 1), ("160101", 2)}
    assert channels["160101", 1].high == 9.0


def test_a_forecast_is_found_by_its_id_as_the_log_would_have_it(lake: Settings) -> None:
    rows = [
        {**row("160101", ORIGIN, version, horizon, 9.0), "prediction_id": f"id{version}"}
        for version in (1, 2) for horizon in (2, 1)
    ]  # fmt: skip
    table = pa.Table.from_pandas(pd.DataFrame(rows), preserve_index=False)
    ref = delta.replace(lake.lake, "forecasts", "outbreak", table, "true", ()).ref
    forecasts = HistoricalForecasts(lake, usecases.load("outbreak"))
    with pytest.raises(ContentError):
        forecasts.entry("id2")
    events.append(lake, "forecast", "outbreak", status="done", outputs=(ref,))
    entry = forecasts.entry("id2")
    assert entry and (entry.entity, entry.kind, entry.agency) == ("160101", "forecast", "")
    assert entry.basis == ("outbreak", "2", "", ref, str(ORIGIN))
    assert [week["horizon"] for week in payload.periods(entry, WEEK)] == [1, 2]
    assert forecasts.entry("0" * 32) is None


def test_nothing_is_found_before_the_first_forecast(lake: Settings) -> None:
    assert HistoricalForecasts(lake, usecases.load("outbreak")).entry("0" * 32) is None
