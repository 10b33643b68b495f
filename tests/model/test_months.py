"""The kit on months: baselines, what was known, and the protocol of a backtest."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from stand_in import Room

from yupana.tasks.forecast import endemic_channel
from yupana.tasks.forecast.backtest import by_department, origins, panel, vintages
from yupana.tasks.forecast.backtest.areas import Counts
from yupana.tasks.forecast.dataset import panel_features
from yupana.tasks.forecast.dataset.cutoff import YEARS, known_at, past_years
from yupana.tasks.forecast.dataset.panel_features import Layout
from yupana.tasks.forecast.dataset.training_set import knows_through, with_targets
from yupana.tasks.forecast.frequency import MONTH
from yupana.tasks.forecast.model import areas, ridge
from yupana.tasks.forecast.model.seasonal import Seasonal

FIRST, MONTHS, REACH = date(2005, 1, 1), 132, 3
KEYS = ("160101-a", "160101-b", "160201-a")
LAYOUT = Layout(MONTH, means=(3, 12, 24), groups={"province": 4, "department": 2})


def mean(month: int) -> float:
    return 20 + 15 * np.cos(2 * np.pi * (month - 3) / 12)


def counts() -> pl.DataFrame:
    rng = np.random.default_rng(4)
    starts = [MONTH.shift(FIRST, n) for n in range(MONTHS)]
    rows = [
        {"entity": key, "month_start": start, "cases": int(rng.poisson(mean(start.month)))}
        for key in KEYS
        for start in starts
    ]
    return pl.DataFrame(rows)


def features(table: pl.DataFrame) -> pl.DataFrame:
    rows = panel_features.build(LAYOUT, table, None, "published/cases")
    return rows.select("entity", "event_timestamp", *LAYOUT.features)


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return with_targets(features(counts()).to_pandas(), REACH)


def test_the_seasonal_baseline_knows_the_month(frame: pd.DataFrame) -> None:
    fitted = Seasonal(frame, range(1, REACH + 1))
    rows = frame[frame["entity"] == KEYS[0]].tail(12)
    median = fitted.quantiles(rows, (0.5,))[:, :, 0]
    for i, end in enumerate(rows["event_timestamp"]):
        for h in range(1, REACH + 1):
            month = MONTH.ahead(end.date(), h).month
            around = np.mean([mean(month + k) for k in (-1, 0, 1)])
            assert median[i, h - 1] == pytest.approx(around, abs=4)


def test_a_target_is_known_once_its_month_is_over(frame: pd.DataFrame) -> None:
    moment = pd.Timestamp("2012-03-01", tz="UTC")
    rows = known_at(frame, moment, range(1, REACH + 1))
    assert rows["event_timestamp"].max().date() == date(2012, 2, 29)
    by = rows.groupby(rows["event_timestamp"].dt.date)
    hidden = {h: by[f"target_{h}"].apply(lambda t: t.isna().all()) for h in (1, 2, 3)}
    newest = {h: max(day for day, gone in facts.items() if not gone) for h, facts in hidden.items()}
    assert newest == {1: date(2012, 1, 31), 2: date(2011, 12, 31), 3: date(2011, 11, 30)}
    learned = frame.assign(part="train")
    assert knows_through(learned) == "2015-12-31"


def test_past_years_are_of_twelve_months(frame: pd.DataFrame) -> None:
    last = frame["event_timestamp"].max()
    years = list(past_years(frame, last, range(1, REACH + 1), 50))
    assert len(years) == YEARS
    for rows, mine in years:
        assert mine["event_timestamp"].nunique() == 12
        assert rows["event_timestamp"].max() < mine["event_timestamp"].min()


def test_sums_of_areas_and_regressions_read_the_year_of_months(frame: pd.DataFrame) -> None:
    summed = areas.sums(frame, areas.DEPARTMENT)
    newest = frame[frame["event_timestamp"] == frame["event_timestamp"].max()]
    assert summed.iloc[-1]["cases_lag_0"] == newest["cases_lag_0"].sum()
    fitted = ridge.fit(frame, range(1, REACH + 1), 0.5)
    median = fitted.quantiles(newest, (0.5,))[:, 0, 0]
    assert median == pytest.approx(mean(1), abs=8)


def test_the_channel_is_of_the_same_months() -> None:
    ends = pd.DatetimeIndex([MONTH.end(MONTH.shift(FIRST, n)) for n in range(MONTHS)])
    flat = pd.Series(np.where(ends.month == 7, 100.0, 1.0), index=ends)
    july = endemic_channel.channel(flat, date(2016, 7, 31), MONTH)
    january = endemic_channel.channel(flat, date(2016, 1, 31), MONTH)
    assert july is not None and january is not None
    # Of June, July and August each third count is of July.
    assert (july.low, july.middle, july.high) == (1.0, 1.0, 100.0)
    assert january.high == 1.0


def test_a_backtest_sees_ended_months_alone() -> None:
    history = Counts(counts(), MONTH.shift(FIRST, MONTHS - 1), 0)
    days = origins.parse("2010-02:2014-11:3", MONTH)
    own, whole = panel.build(history, days, MONTH, REACH)
    rows = panel.training_rows(own, days[0].start, features)
    assert rows["event_timestamp"].max().date() == date(2010, 2, 28)
    parts: dict[str, Any] = rows.drop_duplicates("event_timestamp")["part"].value_counts().to_dict()
    assert (parts["validation"], parts["gap"]) == (12, 2 * REACH)
    newest = panel.origin_rows(own, days[-1], features).rows
    assert set(newest["entity"]) == set(KEYS)
    assert set(newest["event_timestamp"].dt.date) == {date(2014, 11, 30)}
    total = whole.counts()["16"].loc[pd.Timestamp(MONTH.shift(FIRST, 10))]
    assert total == counts().filter(month_start=MONTH.shift(FIRST, 10))["cases"].sum()


def test_departments_of_monthly_series_are_backtested_apart() -> None:
    elsewhere = counts().filter(entity="160101-a").with_columns(entity=pl.lit("250101-a"))
    history = Counts(pl.concat([counts(), elsewhere]), MONTH.shift(FIRST, MONTHS - 1), 0)
    days = origins.parse("2010-02:2010-11:3", MONTH)
    panels = panel.build(history, days, MONTH, REACH)
    rows = vintages.forecasts(
        Room(range(1, REACH + 1)), panels, days, features, seed=1, say=lambda _: None
    ).rows  # type: ignore[arg-type]  # fmt: skip
    sums = rows[rows["series"] == "department"]
    assert set(sums["entity"]) == {"16", "25"}
    whole, loreto, other = by_department.of(rows, "stand_in", ["ar", "seasonal"], MONTH, seed=1)
    assert (whole.districts, loreto.districts, other.districts) == (4, 3, 1)
    # Every third month tells three: each of twelve once.
    assert (other.counts, other.above_zero) == (12, 12)
    # One series is its department's sum.
    assert other.sums_wis["ar"] == pytest.approx(other.wis["ar"])
