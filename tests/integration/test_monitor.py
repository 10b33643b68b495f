"""Drift of what the endpoint answered, and a whole run of the monitor without a service."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from answers import NOON, prediction, record

from models.outbreak import USE_CASE as OUTBREAK
from yupana.config.settings import Settings
from yupana.core.errors import TerminalError, UsageError
from yupana.core.progress import Silent
from yupana.monitoring import drift
from yupana.monitoring.answers import Measures
from yupana.predictions import export, log_writer
from yupana.predictions.prediction_log import PredictionRecord, new_id
from yupana.tasks.forecast.monitoring import observe
from yupana.tasks.forecast.monitoring.observe import MEDIAN

FEATURES = ["rain_mm", "cases_lag_1", "region"]
WEEK = date(2022, 1, 1)


def _window(rows: int, seed: int, rain: float = 100.0) -> pd.DataFrame:
    """Rows of a test window; `rain` is the mean rain in mm."""
    rng = np.random.default_rng(seed)
    cases = rng.negative_binomial(2, 0.2, rows)
    return pd.DataFrame(
        {
            "ubigeo": "160101",
            "event_timestamp": pd.Timestamp("2021-01-03", tz="UTC"),
            "rain_mm": rng.gamma(4, rain / 4, rows),
            "cases_lag_1": cases,
            "region": rng.choice(["coast", "jungle"], rows),
            MEDIAN: cases * 1.1 + rng.normal(0, 1, rows),
            "target_1": cases,
        }
    )


def _log(settings: Settings, window: pd.DataFrame, without: str = "", name: str = "") -> None:
    def answer(row: dict[str, Any]) -> PredictionRecord:
        weeks = [{"horizon": h, "median": row[MEDIAN] + h - 1} for h in (2, 1)]
        features = {c: row[c] for c in FEATURES if c != without}
        fresh = {"key": name or new_id(NOON), "features": features, "payload": {"weeks": weeks}}
        return record(prediction(model="1")._replace(**fresh), horizon=2)

    answers = [answer(row) for row in window.to_dict("records")]
    log_writer.record(settings.platform_db, answers)
    shadows = [one._replace(prediction_id=new_id(NOON), kind="shadow") for one in answers]
    log_writer.record(settings.platform_db, shadows)
    export.export(settings, "outbreak", Silent())


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    home = tmp_path / "var"
    home.mkdir()
    return Settings(home=home)


@pytest.fixture
def reference(tmp_path: Path) -> Path:
    path = tmp_path / "reference.parquet"
    _window(2000, seed=1).to_parquet(path)
    return path


def compare(
    settings: Settings, reference: Path, columns: list[str] = FEATURES, week: date = WEEK
) -> drift.AnswerDrift:
    page = settings.reports / "drift.html"
    request = drift.Request(
        reference, "ubigeo", columns, Measures((MEDIAN,), observe.medians),
        lambda rows: observe.groups_of(OUTBREAK, rows), week, 8, page,
    )  # fmt: skip
    return drift.compare(settings, "outbreak", request, lambda _: None)


def test_shifted_feature_has_drifted_and_others_have_not(
    settings: Settings, reference: Path
) -> None:
    _log(settings, _window(120, seed=2, rain=180.0))
    comparison = compare(settings, reference)
    document = comparison.document()
    assert document["drifted"] == ["rain_mm"]
    assert document["compared"] == ["rain_mm", "cases_lag_1", MEDIAN, "region"]
    assert document["share_drifted"] == 0.25
    assert (comparison.rows_reference, comparison.rows_current, comparison.answers) == (
        2000,
        120,
        120,
    )
    assert comparison.models == ["1"] and document["how"] == "rows"
    assert 1e6 < (settings.reports / "drift.html").stat().st_size < 8e6
    assert document["evidently"]["metrics"][0]["value"]["count"] == 1, "Evidently counts the same"
    checks = {(c.check, c.column, c.group): c for c in drift.checks(comparison, WEEK, 0.5)}
    assert checks["drift", "", ""].state == "ok" and checks["drift", "", ""].value == 0.25
    assert checks["drift_column", "rain_mm", ""].state == "alarm"
    assert {c.severity for c in checks.values() if c.column} == {"info"}
    worse = drift.checks(comparison, WEEK, 0.25)[0]
    assert (worse.state, worse.severity, worse.kind) == ("alarm", "warning", "drift")


@pytest.mark.parametrize("rows", [20, 60, 1500])
def test_same_distribution_has_not_drifted(settings: Settings, reference: Path, rows: int) -> None:
    _log(settings, _window(rows, seed=3))
    assert compare(settings, reference).facts()["drifted"] == []


def test_large_shift_is_seen_among_many_answers(settings: Settings, reference: Path) -> None:
    _log(settings, _window(1500, seed=4, rain=180.0))
    assert compare(settings, reference).facts()["drifted"] == ["rain_mm"]


def test_one_forecast_told_all_day_is_not_drift(settings: Settings, reference: Path) -> None:
    """An agency that asks for one district every minute changes nothing in the world."""
    usual = _window(40, seed=7)
    _log(settings, usual)
    extreme = usual.head(1).assign(rain_mm=900.0)
    for _ in range(30):
        _log(settings, extreme, name="asked-again")
    comparison = compare(settings, reference)
    assert (comparison.rows_current, comparison.answers) == (41, 70)
    assert comparison.whole and comparison.whole.drifted == []


def test_feature_that_answers_lack_is_told_not_compared(
    settings: Settings, reference: Path
) -> None:
    _log(settings, _window(40, seed=5), without="rain_mm")
    comparison = compare(settings, reference)
    assert comparison.whole and comparison.whole.empty == ["rain_mm"]
    assert "rain_mm" not in comparison.whole.compared


def test_too_few_answers_are_told_and_no_error(settings: Settings, reference: Path) -> None:
    _log(settings, _window(19, seed=6))
    comparison = compare(settings, reference)
    assert not comparison.document()["enough"] and comparison.rows_current == 19
    (check,) = drift.checks(comparison, WEEK, 0.5)
    assert check.state == "unknown" and "19" in check.es and "20" in check.es
    assert drift.checks(None, WEEK, 0.5)[0].state == "unknown"


def test_groups_and_periods_are_compared_where_there_is_enough(
    settings: Settings, reference: Path
) -> None:
    _log(settings, _window(60, seed=8, rain=180.0))
    slices = {(s["by"], s["of"]): s for s in compare(settings, reference).document()["slices"]}
    assert slices["department", "16"]["drifted"] == ["rain_mm"]
    assert slices["province", "1601"]["drifted"] == ["rain_mm"]
    assert not slices["period", "before"]["enough"]
    # Nine weeks later the same answers are those of the window before.
    later = compare(settings, reference, week=WEEK + timedelta(weeks=9))
    assert not later.whole, "nothing was answered in the last eight weeks"


def test_missing_reference_and_missing_column_are_told(
    settings: Settings, reference: Path, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="test window"):
        compare(settings, tmp_path / "none")
    with pytest.raises(TerminalError, match="lacks the columns wind"):
        compare(settings, reference, ["wind"])
