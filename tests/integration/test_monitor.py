"""Drift of what the endpoint was asked, and of what it answered."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from answers import NOON, given, told

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError, UsageError
from yupana.core.progress import Silent
from yupana.data import prediction_export
from yupana.governance import prediction_rows
from yupana.governance.predictions import Given, new_id
from yupana.monitoring.report import FORECAST, monitor

FEATURES = ["rain_mm", "cases_lag_1", "region"]


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
            FORECAST: cases * 1.1 + rng.normal(0, 1, rows),
            "target_1": cases,
        }
    )


def _log(settings: Settings, window: pd.DataFrame, without: str = "") -> None:
    def answer(row: dict[str, Any]) -> Given:
        weeks = [{"horizon": h, "median": row[FORECAST] + h - 1} for h in (2, 1)]
        features = {c: row[c] for c in FEATURES if c != without}
        fresh = {"key": new_id(NOON), "features": features, "answer": weeks}
        return given(told(model="1")._replace(**fresh), horizon=2)

    answers = [answer(row) for row in window.to_dict("records")]
    prediction_rows.record(settings.platform_db, answers)
    shadows = [one._replace(prediction_id=new_id(NOON), kind="shadow") for one in answers]
    prediction_rows.record(settings.platform_db, shadows)
    prediction_export.export(settings, "outbreak", Silent())


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


def test_shifted_feature_has_drifted_and_others_have_not(
    settings: Settings, reference: Path
) -> None:
    _log(settings, _window(120, seed=2, rain=180.0))
    said: list[str] = []
    found = monitor(settings, "outbreak", reference, FEATURES, said.append)
    assert found["drifted"] == ["rain_mm"]
    assert found["compared"] == [*FEATURES, FORECAST]
    assert found["share_drifted"] == 0.25
    assert (found["rows_reference"], found["rows_current"]) == (2000, 120)
    assert found["models"] == ["1"]
    page, facts = Path(found["html"]), Path(found["json"])
    assert found["ref"] == f"report:outbreak/{page.stem.removeprefix('drift-')}"
    assert 1e6 < page.stat().st_size < 8e6
    evidently = json.loads(facts.read_text())["evidently"]
    assert evidently["metrics"][0]["value"]["count"] == 1, "Evidently counts the same"
    assert "120" in said[0]

    before = page.stat().st_mtime_ns
    assert monitor(settings, "outbreak", reference, FEATURES, said.append) == found
    assert page.stat().st_mtime_ns == before, "the same answers give the report that is there"


@pytest.mark.parametrize("rows", [20, 60, 1500])
def test_same_distribution_has_not_drifted(settings: Settings, reference: Path, rows: int) -> None:
    _log(settings, _window(rows, seed=3))
    found = monitor(settings, "outbreak", reference, FEATURES, lambda _: None)
    assert found["drifted"] == []


def test_large_shift_is_seen_among_many_answers(settings: Settings, reference: Path) -> None:
    _log(settings, _window(1500, seed=4, rain=180.0))
    found = monitor(settings, "outbreak", reference, FEATURES, lambda _: None)
    assert found["drifted"] == ["rain_mm"]


def test_feature_that_answers_lack_is_told_not_compared(
    settings: Settings, reference: Path
) -> None:
    _log(settings, _window(40, seed=5), without="rain_mm")
    found = monitor(settings, "outbreak", reference, FEATURES, lambda _: None)
    assert found["empty"] == ["rain_mm"]
    assert "rain_mm" not in found["compared"]


def test_too_few_answers_say_how_many_and_how_to_get_more(
    settings: Settings, reference: Path
) -> None:
    _log(settings, _window(19, seed=6))
    with pytest.raises(TerminalError, match="19 answers") as caught:
        monitor(settings, "outbreak", reference, FEATURES, lambda _: None)
    assert "at least 1 more" in caught.value.fix


def test_missing_reference_and_missing_column_are_told(
    settings: Settings, reference: Path, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="test window"):
        monitor(settings, "outbreak", tmp_path / "none", FEATURES, lambda _: None)
    with pytest.raises(TerminalError, match="lacks the columns wind"):
        monitor(settings, "outbreak", reference, ["wind"], lambda _: None)
