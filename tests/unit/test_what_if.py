"""Changed weeks move every feature that is computed from them, and nothing else moves."""

from __future__ import annotations

from datetime import timedelta

import late_lake
import numpy as np
import polars as pl
import pytest

from feature_repo.outbreak.weekly import FEATURES, REPORTED, weekly_features
from yupana.core.errors import UsageError
from yupana.tasks.forecast import usecases
from yupana.tasks.forecast.frequency import WEEK
from yupana.tasks.forecast.serving.analysis.what_if import (
    Change,
    features,
)
from yupana.tasks.forecast.usecases import REPORTING

OUTBREAK = usecases.load("outbreak")
WEEKS = 260
NEWEST = late_lake.FIRST + timedelta(weeks=WEEKS - 1)
SILENT, HERE, NEIGHBOUR, PROVINCE_APART = "160501", "160101", "160112", "160201"


def tables(*, shares: bool = True, silent_for: int = 0) -> dict[str, pl.DataFrame]:
    """Cases of five districts, one of them silent at the end; late reports; the weather."""
    cases = OUTBREAK.series(late_lake.vintage(late_lake.true_counts(WEEKS), WEEKS - 1))
    quiet = (pl.col("entity") == SILENT) & (
        pl.col("week_start") > NEWEST - timedelta(weeks=silent_for)
    )
    start = late_lake.FIRST - timedelta(weeks=12)
    frames = {
        REPORTED: cases.filter(~quiet),
        "climate_weekly": pl.DataFrame(
            {
                "ubigeo": ["16"] * (WEEKS + 12),
                "week_start": [start + timedelta(weeks=w) for w in range(WEEKS + 12)],
                "temperature": 25 + np.sin(np.arange(WEEKS + 12.0)),
                "precipitation": np.arange(WEEKS + 12.0),
            }
        ),
    }
    if shares:
        weeks = [NEWEST - timedelta(weeks=k) for k in range(3)]
        frames[REPORTING] = pl.DataFrame({"week_start": weeks, "completeness": [0.4, 0.7, 0.85]})
    return frames


def newest(rows: pl.DataFrame, entity: str) -> np.ndarray:
    row = rows.filter(pl.col("entity") == entity).sort("event_timestamp").tail(1)
    return row.select(FEATURES).to_numpy()[0]


def changed(inputs: dict[str, pl.DataFrame], entity: str, change: Change) -> np.ndarray:
    return features(OUTBREAK, inputs, entity, change)[list(FEATURES)].to_numpy(dtype=float)[0]


@pytest.mark.parametrize("silent_for", [0, 60, OUTBREAK.layout().looks_back - 8,
OUTBREAK.layout().looks_back + 5])
def test_without_a_change_every_district_has_the_features_of_the_whole_history(
    silent_for: int,
) -> None:
    inputs = tables(silent_for=silent_for)
    whole = weekly_features(inputs)
    for entity in late_lake.DISTRICTS:
        np.testing.assert_allclose(
            changed(inputs, entity, Change()), newest(whole, entity), rtol=1e-9, err_msg=entity
        )


def test_changed_weeks_give_the_features_of_a_line_list_that_had_them() -> None:
    inputs = tables(shares=False)
    cases = (7.0, 0.0, 95.0)
    rows = inputs[REPORTED].filter(
        ~((pl.col("entity") == HERE) & (pl.col("week_start") > NEWEST - timedelta(weeks=3)))
    )
    new = pl.DataFrame(
        {
            "entity": [HERE] * 3,
            "week_start": [NEWEST - timedelta(weeks=k) for k in (2, 1, 0)],
            "cases": [int(c) for c in cases],
        }
    )
    expected = newest(weekly_features(inputs | {REPORTED: pl.concat([rows, new])}), HERE)
    values = changed(inputs, HERE, Change(cases=cases))
    np.testing.assert_allclose(values, expected, rtol=1e-9)
    by_feature = dict(zip(FEATURES, values, strict=True))
    assert [by_feature[f"cases_lag_{k}"] for k in range(3)] == [95, 0, 7]


def test_cases_are_taken_as_whole_where_the_week_is_known_in_part() -> None:
    by_feature = dict(
        zip(FEATURES, changed(tables(), HERE, Change(cases=(30.0, 50.0))), strict=True)
    )  # fmt: skip
    assert by_feature["cases_lag_0"] == pytest.approx(50) and by_feature[
        "cases_lag_1"
    ] == pytest.approx(30)


def test_a_factor_moves_the_sums_by_what_the_district_gained_and_no_older_week() -> None:
    inputs = tables()
    before, after = (
        dict(zip(FEATURES, changed(inputs, HERE, c), strict=True))
        for c in (Change(), Change(factor=3))
    )
    for k in range(12):
        times = 3 if k < WEEK.lead else 1
        assert after[f"cases_lag_{k}"] == pytest.approx(times * before[f"cases_lag_{k}"])
    for k in range(WEEK.lead):
        gained = after[f"cases_lag_{k}"] - before[f"cases_lag_{k}"]
        assert gained > 0
        for area in ("province", "department"):
            moved = after[f"{area}_lag_{k}"] - before[f"{area}_lag_{k}"]
            assert moved == pytest.approx(gained)
    gained = sum(after[f"cases_lag_{k}"] - before[f"cases_lag_{k}"] for k in range(WEEK.lead))
    for weeks in (8, 26, 52, 104):
        assert after[f"mean_{weeks}"] - before[f"mean_{weeks}"] == pytest.approx(gained / weeks)
    same = ("week_sin", "week_cos", "completeness", "temperature", "precipitation")
    assert all(after[name] == before[name] for name in same)


def test_no_more_cases_leave_the_weeks_since_the_last() -> None:
    inputs = tables()
    by_feature = dict(zip(FEATURES, changed(inputs, HERE, Change(cases=(0.0,) * 12)), strict=True))
    assert by_feature["weeks_without_case"] == 12


def test_the_weather_moves_its_own_features_alone() -> None:
    inputs = tables()
    before, after = (
        dict(zip(FEATURES, changed(inputs, HERE, c), strict=True))
        for c in (Change(), Change(temperature=1.5, precipitation=2))
    )
    assert after["temperature"] - before["temperature"] == pytest.approx(1.5)
    assert after["precipitation"] == pytest.approx(2 * before["precipitation"])
    assert {n for n in FEATURES if after[n] != before[n]} == {"temperature", "precipitation"}


def test_an_unknown_district_is_refused() -> None:
    with pytest.raises(UsageError, match="150101"):
        features(OUTBREAK, tables(), "150101", Change(factor=2))
    with pytest.raises(UsageError, match="160199"):
        features(OUTBREAK, tables(), "160199", Change(factor=2))
