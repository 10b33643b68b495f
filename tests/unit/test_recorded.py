"""Answers for past days come from the table of forecasts, as it was told then."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pandas as pd
import pyarrow as pa
import pytest

from serving.notes import Note
from serving.recorded import Recorded
from serving.then import recorded_forecasts
from yupana.config.settings import Settings
from yupana.core.forecast import LEVELS
from yupana.data import delta
from yupana.governance.gate import Versions
from yupana.governance.suspension import Suspension

ORIGIN = date(2020, 6, 6)
APPROVED = Versions("outbreak", frozenset({"1", "2", "10"}), {})


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
    day = ORIGIN + timedelta(days=3)
    found = recorded_forecasts(recorded, "outbreak", ["160101"], day, APPROVED)
    told = found["160101"].told
    assert (told.model_version, told.data_as_of) == ("2", "2020-06-06")
    assert told.features_ref == "delta:forecasts/outbreak@0"
    assert [week["horizon"] for week in told.answer] == [1, 2]
    assert told.answer[0]["median"] == 2.0 + LEVELS.index("q0.5")
    assert told.answer[0]["alert"] == "epidemia" and 0 < told.answer[0]["exceedance"] < 1
    assert [note["code"] for note in told.caveats] == ["recorded"]


def test_a_short_history_has_no_alert(recorded: Recorded) -> None:
    found = recorded_forecasts(recorded, "outbreak", ["160201"], ORIGIN, APPROVED)
    told = found["160201"].told
    assert told.answer[0]["alert"] is None and told.answer[0]["exceedance"] is None
    assert [note["code"] for note in told.caveats] == ["recorded", "pooled", "no_channel"]


@pytest.mark.parametrize("days", [-8, 8 * 7])
def test_a_day_without_a_forecast_has_none(recorded: Recorded, days: int) -> None:
    day = ORIGIN + timedelta(days=days)
    assert not recorded_forecasts(recorded, "outbreak", ["160101"], day, APPROVED)


@pytest.mark.parametrize("subject", ["outbreak", "outbreak@2"])
def test_what_a_suspended_model_told_is_not_told_again(recorded: Recorded, subject: str) -> None:
    held = Suspension(subject, datetime(2026, 1, 2, tzinfo=UTC), "supervisor", "en revisión", "")
    versions = Versions("outbreak", frozenset({"2"}), {subject: held})
    found = recorded_forecasts(recorded, "outbreak", ["160101"], ORIGIN, versions)
    told: Note = found["160101"]
    assert told["code"] == "suspended" and "en revisión" in told["es"]


def test_what_no_one_approved_is_told_as_a_trial(recorded: Recorded) -> None:
    none = Versions("outbreak", frozenset(), {})
    told = recorded_forecasts(recorded, "outbreak", ["160101"], ORIGIN, none)["160101"].told
    assert [note["code"] for note in told.caveats] == ["trial", "recorded"]


def test_the_channel_is_of_the_origin(recorded: Recorded) -> None:
    found = recorded.channels(ORIGIN)
    assert set(found) == {("160101", 1), ("160101", 2)}
    assert found["160101", 1].high == 9.0
