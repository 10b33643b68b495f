"""The features of a panel of counts, against counts made by hand, of weeks and of months."""

from __future__ import annotations

import math
from datetime import date

import numpy as np
import polars as pl
import pytest

from yupana.core.errors import TerminalError
from yupana.tasks.forecast import new
from yupana.tasks.forecast.checks.invariants import Lag, Season
from yupana.tasks.forecast.dataset import panel_features
from yupana.tasks.forecast.dataset.panel_features import Layout
from yupana.tasks.forecast.frequency import MONTH, WEEK, Frequency

KEYS = ("150101-a", "150101-b", "150201-a", "160101-a")
CUTS = {WEEK: date(2015, 1, 4), MONTH: date(2010, 1, 1)}


def layout(frequency: Frequency, **more: object) -> Layout:
    groups = {"province": 4, "kind": "kind"}
    return Layout(frequency, means=(3, frequency.year, 2 * frequency.year), groups=groups, **more)


def counts(frequency: Frequency, periods: int = 150) -> pl.DataFrame:
    first, rng = CUTS[frequency], np.random.default_rng(1)
    rows = [
        {
            "entity": key, frequency.column: frequency.shift(first, n), "kind": key[-1],
            "cases": int(rng.poisson(3)), "rain": float(n),
        }
        for key in KEYS
        for n in range(periods)
    ]  # fmt: skip
    return pl.DataFrame(rows)


def features_of(
    table: pl.DataFrame, of: Layout, reporting: pl.DataFrame | None = None
) -> pl.DataFrame:
    return panel_features.build(of, table, reporting, "published/cases")


@pytest.mark.parametrize("frequency", [WEEK, MONTH])
def test_lags_groups_and_means_are_those_of_the_counts(frequency: Frequency) -> None:
    table, form = counts(frequency), layout(frequency, measures={"rain": (2, 3)})
    rows = features_of(table, form)
    cases = {key: table.filter(entity=key)["cases"].to_list() for key in KEYS}
    own = rows.filter(entity="150101-a").sort("event_timestamp")
    assert len(own) == 150 - frequency.year + 1, "the first year has none behind it"
    row, at = own.row(-1, named=True), 149
    for k in range(12):
        assert row[f"cases_lag_{k}"] == cases["150101-a"][at - k]
    for k in range(4):
        assert row[f"province_lag_{k}"] == cases["150101-a"][at - k] + cases["150101-b"][at - k]
        same = sum(cases[key][at - k] for key in KEYS if key.endswith("a"))
        assert row[f"kind_lag_{k}"] == same, "a group by a column"
    assert row["mean_3"] == pytest.approx(np.mean(cases["150101-a"][-3:]))
    assert row["rain"] == pytest.approx(np.mean([at - 4, at - 3, at - 2]))
    start = frequency.shift(CUTS[frequency], at)
    assert row["event_timestamp"].date() == frequency.end(start)
    angle = 2 * math.pi * start.timetuple().tm_yday / 365.25
    assert [row[c] for c in frequency.season] == pytest.approx([math.sin(angle), math.cos(angle)])
    assert set(form.features) <= set(rows.columns)


@pytest.mark.parametrize("frequency", [WEEK, MONTH])
def test_absent_rows_are_no_cases_and_parts_are_completed(frequency: Frequency) -> None:
    table = counts(frequency)
    last = table[frequency.column].max()
    silent = table.filter(
        ~((pl.col("entity") == KEYS[0]) & (pl.col(frequency.column) > frequency.shift(last, -5)))
    )
    share = pl.DataFrame({frequency.column: [last], "completeness": [0.5]})
    rows = features_of(silent, layout(frequency), share).sort("entity", "event_timestamp")
    silent_row, there = (rows.filter(entity=key).row(-1, named=True) for key in KEYS[:2])
    assert [silent_row[f"cases_lag_{k}"] for k in range(5)] == [0.0] * 5
    assert silent_row[f"{frequency.name}s_without_case"] >= 5
    assert there["cases_lag_0"] == 2 * table.filter(entity=KEYS[1])["cases"][-1]
    assert there["completeness"] == 0.5 and rows["completeness"].max() == 1.0


@pytest.mark.parametrize("frequency", [WEEK, MONTH])
def test_a_row_knows_nothing_later(frequency: Frequency) -> None:
    table, form = counts(frequency), layout(frequency, measures={"rain": (1, 2)})
    cut = frequency.shift(CUTS[frequency], 120)
    before = features_of(table.filter(pl.col(frequency.column) <= cut), form)
    whole = features_of(table, form).filter(
        pl.col("event_timestamp") <= before["event_timestamp"].max()
    )
    keys = ["entity", "event_timestamp"]
    assert whole.sort(keys).equals(before.sort(keys))


def test_a_measure_that_is_not_there_is_zero_and_one_with_a_gap_is_refused() -> None:
    form = layout(MONTH, measures={"rain": (1, 2)})
    assert features_of(counts(MONTH).drop("rain"), form)["rain"].unique().to_list() == [0.0]
    hole = counts(MONTH).with_columns(
        pl.when(pl.col("rain") != 7).then(pl.col("rain")), entity=pl.col("entity")
    )
    with pytest.raises(TerminalError, match="no rain") as caught:
        features_of(hole, form)
    assert "2010-08-01" in str(caught.value.where)


def test_too_short_a_history_is_refused() -> None:
    with pytest.raises(TerminalError, match="span 20 months"):
        features_of(counts(MONTH, 20), layout(MONTH))


def test_what_must_hold_follows_from_the_layout() -> None:
    form = layout(MONTH)
    invariants = form.invariants
    assert set(form.features) - set(invariants) == {f"kind_lag_{k}" for k in range(4)}
    assert invariants["cases_lag_3"] == Lag(3) and invariants["province_lag_1"] == Lag(
        1, 4
    )
    season = invariants["month_sin"]
    assert isinstance(season, Season)
    assert season.of(date(2020, 2, 29)) == pytest.approx(math.sin(2 * math.pi * 32 / 365.25))


@pytest.mark.parametrize("frequency", [WEEK, MONTH])
def test_a_count_of_a_day_that_begins_no_period_is_refused(frequency: Frequency) -> None:
    """It would be a period without a case, and no one would see it."""
    late = counts(frequency).with_columns(pl.col(frequency.column).dt.offset_by("1d"))
    mixed = pl.concat([counts(frequency), late.tail(3)])
    with pytest.raises(TerminalError, match=f"3 counts are of days that begin no {frequency.name}"):
        features_of(mixed, layout(frequency))


@pytest.mark.parametrize("frequency", [WEEK, MONTH])
def test_any_day_of_a_period_stands_for_it_in_a_new_use_case(frequency: Frequency) -> None:
    days = pl.date_range(date(2019, 12, 1), date(2021, 2, 1), eager=True).alias("day")
    truncated = new.TRUNCATED[frequency.name]
    starts = eval(f"pl.DataFrame(days).select(pl.col('day'){truncated}.alias('start'))")
    assert starts["start"].to_list() == [frequency.start(day) for day in days]
