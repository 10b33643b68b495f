"""Answers for past days come from the table of forecasts, as it was told then."""

from __future__ import annotations

from datetime import date, timedelta

import pandas as pd
import pyarrow as pa
import pytest

from serving.recorded import Recorded
from serving.then import recorded_forecasts
from yupana.config.settings import Settings
from yupana.core.forecast import LEVELS
from yupana.data import delta

ORIGIN = date(2020, 6, 6)


def row(ubigeo: str, origin: date, version: int, horizon: int, high: float | None) -> dict:
    told = {name: float(version + i) for i, name in enumerate(LEVELS)}
    zone = {"channel_low": 1.0, "channel_middle": 5.0, "channel_high": high}
    return {
        "prediction_id": "x", "model": f"model:outbreak@{version}", "ubigeo": ubigeo,
        "origin": origin, "horizon": horizon, **told, "pooled": ubigeo == "160201", **zone,
        "alert": None, "exceedance": None,
    }  # fmt: skip


@pytest.fixture
def recorded(lake: Settings) -> Recorded:
    rows = [
        row("160101", ORIGIN, version, horizon, 9.0) for version in (1, 2) for horizon in (2, 1)
    ]
    rows += [row("160101", ORIGIN - timedelta(weeks=1), 10, 1, 9.0)]
    rows += [row("160201", ORIGIN, 2, horizon, float("nan")) for horizon in (1, 2)]
    table = pa.Table.from_pandas(pd.DataFrame(rows), preserve_index=False)
    delta.replace(lake.lake, "forecasts", "outbreak", table, "true", ())
    made = Recorded(lake, "outbreak")
    assert made.look() == 0
    return made


def test_the_newest_origin_and_model_of_the_day_answer(recorded: Recorded) -> None:
    found = recorded_forecasts(recorded, "outbreak", ["160101"], ORIGIN + timedelta(days=3))
    told = found["160101"].told
    assert (told.model_version, told.data_as_of) == ("2", "2020-06-06")
    assert told.features_ref == "delta:forecasts/outbreak@0"
    assert [week["horizon"] for week in told.answer] == [1, 2]
    assert told.answer[0]["median"] == 2.0 + LEVELS.index("q0.5")
    assert told.answer[0]["alert"] == "epidemia" and 0 < told.answer[0]["exceedance"] < 1
    assert [note["code"] for note in told.caveats] == ["recorded"]


def test_a_short_history_has_no_alert(recorded: Recorded) -> None:
    found = recorded_forecasts(recorded, "outbreak", ["160201"], ORIGIN)
    told = found["160201"].told
    assert told.answer[0]["alert"] is None and told.answer[0]["exceedance"] is None
    assert [note["code"] for note in told.caveats] == ["recorded", "pooled", "no_channel"]


@pytest.mark.parametrize("days", [-8, 8 * 7])
def test_a_day_without_a_forecast_has_none(recorded: Recorded, days: int) -> None:
    assert not recorded_forecasts(recorded, "outbreak", ["160101"], ORIGIN + timedelta(days=days))


def test_the_channel_is_of_the_origin(recorded: Recorded) -> None:
    found = recorded.channels(ORIGIN)
    assert set(found) == {("160101", 1), ("160101", 2)}
    assert found["160101", 1].high == 9.0
