"""Evidently on rows and on samples: what is decided, and by how much a sample can be off."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy.spatial.distance import jensenshannon
from scipy.stats import wasserstein_distance

from yupana.config.settings import Settings
from yupana.monitoring import answers, report, slices
from yupana.monitoring.answers import PERIOD
from yupana.predictions import lake_table
from yupana.tasks.forecast.frequency import MONTH, WEEK
from yupana.tasks.forecast.monitoring import observe

NUMBERS = ["whole", "smooth", "far", "few", "constant"]
TEXTS = ["zone"]
MEASURES = answers.Measures((observe.MEDIAN,), observe.medians)


def table(rows: int, seed: int, shift: float = 0.0) -> pa.Table:
    rng = np.random.default_rng(seed)
    smooth = rng.gamma(2, 3, rows) + shift
    smooth[::17], smooth[5] = np.nan, np.inf
    return pa.table(
        {
            "whole": rng.negative_binomial(2, 0.1, rows) + int(10 * shift),
            "smooth": smooth,
            "far": 300 + rng.normal(0, 1, rows),
            "few": rng.integers(0, 4, rows),
            "constant": np.ones(rows),
            "zone": rng.choice(["coast", "jungle"], rows, p=[0.5 + shift / 3, 0.5 - shift / 3]),
        }
    )


@pytest.fixture(scope="module")
def large() -> tuple[pa.Table, pa.Table]:
    return table(60_000, 4), table(50_000, 5, 0.5)


def rows_of(of: pa.Table, column: str) -> pd.Series:
    values = of[column].to_pandas().dropna()
    return values if column in TEXTS else values[np.isfinite(values)]


def distance(first: pd.Series, second: pd.Series, column: str) -> float:
    """As Evidently's two methods define it, by scipy, on the rows that are given."""
    if column in (*TEXTS, "few", "constant"):
        kinds = sorted({*first, *second})
        shares = [[(side == k).mean() for k in kinds] for side in (first, second)]
        return float(jensenshannon(*shares))
    return float(wasserstein_distance(first, second) / first.std(ddof=0))


def test_a_sample_decides_as_all_rows_do_within_its_error(large, tmp_path: Path) -> None:
    compared = report.compare(large[0], large[1], NUMBERS, TEXTS, tmp_path / "drift.html")
    assert compared.how == "sample" and compared.threshold == report.DISTANCE
    for column, score in compared.scores.items():
        exact = distance(rows_of(large[0], column), rows_of(large[1], column), column)
        error = 1e-9 if column in compared.exact else 2 * compared.error
        assert score is not None and abs(score - exact) <= error, column
        assert (column in compared.drifted) == (exact >= report.DISTANCE), column
    assert compared.drifted == ["whole", "smooth", "zone"]
    assert 0.01 < compared.error < 0.05
    assert "<html" in (tmp_path / "drift.html").read_text()[:2000].lower()
    again = report.compare(large[0], large[1], NUMBERS, TEXTS, tmp_path / "drift.html")
    assert again.scores == compared.scores


@pytest.mark.parametrize("column", ["whole", "smooth", "few", "zone"])
def test_the_error_holds_on_average_over_draws(large, column: str) -> None:
    """Against the same table: a distance of samples is as far off as it ever is."""
    rng, every = np.random.default_rng(2), rows_of(large[0], column)
    off, errors = [], []
    for _ in range(12):
        pair = [every.sample(3_000, random_state=rng.integers(1 << 30)) for _ in range(2)]
        off.append(distance(pair[0], pair[1], column))
        errors.append(report.distance_error(pair, (True, True), column not in TEXTS))
    assert np.mean(off) <= np.mean(errors) <= 4 * np.mean(off)
    assert report.distance_error(pair, (False, False), True) == 0


def test_a_column_beside_the_threshold_is_scored_on_all_rows(tmp_path: Path) -> None:
    first = np.random.default_rng(3).normal(0, 1, 40_000)
    for shift, drifted in ((0.1002, ["x"]), (0.0998, [])):
        sides = [pa.table({"x": values, "far": values + 9 * n})
                 for n, values in enumerate((first, first + shift * first.std()))]  # fmt: skip
        compared = report.compare(*sides, ["x", "far"], [], tmp_path / "drift.html")
        assert compared.exact == ["x"] and compared.drifted == [*drifted, "far"]


def test_a_large_table_is_read_a_sample_at_a_time(tmp_path: Path) -> None:
    import pyarrow.dataset as ds
    import pyarrow.parquet as pq

    pq.write_table(table(60_000, 4), tmp_path / "a.parquet", row_group_size=5_000)
    source = ds.dataset(tmp_path / "a.parquet")
    compared = report.compare(source, source, ["whole"], [], tmp_path / "drift.html")
    assert compared.how == "sample" and compared.scores == {"whole": 0.0}


def test_groups_of_many_answers_are_compared_by_distances() -> None:
    sides = [pl.DataFrame({"x": np.random.default_rng(n).normal(0.2 * n, 1, 30_000)})
             for n in (0, 1)]  # fmt: skip
    (facts,) = slices.drift([slices.Slice("size", "large", *sides)], ["x"], [])
    assert facts.columns.threshold == report.DISTANCE and facts.columns.drifted == ["x"]
    assert facts.columns.scores["x"] == pytest.approx(0.2, abs=0.03)


def test_a_large_table_against_a_small_one_is_sampled_with_its_error(tmp_path: Path) -> None:
    small, large = table(200, 6), table(40_000, 7, 0.5)
    comparison = report.compare(large, small, ["smooth"], [], tmp_path / "drift.html")
    assert comparison.how == "sample" and comparison.drifted == ["smooth"]
    assert comparison.error == pytest.approx(0.0096, abs=1e-4)
    again = report.compare(large, small, ["smooth"], [], tmp_path / "drift.html")
    assert again.scores == comparison.scores


def test_the_stated_error_of_a_sample_holds() -> None:
    rng = np.random.default_rng(8)
    every = np.sort(rng.lognormal(0, 2, 50_000))
    place = np.arange(1, len(every) + 1) / len(every)
    over = 0
    for _ in range(200):
        some = np.sort(rng.choice(every, 1_000))
        shares = np.searchsorted(some, every, side="right") / len(some)
        over += np.abs(shares - place).max() > report.dkw(1_000)
    assert over <= 20


def test_answers_are_reduced_to_distinct_ones(tmp_path: Path) -> None:
    rows = pl.DataFrame(
        {
            "prediction_key": ["a", "a", "a", "b", "c", "d"],
            "kind": ["answer"] * 5 + ["shadow"],
            lake_table.ENTITY: "160101",
            "data_as_of": [date(2022, 1, 1)] * 4 + [date(2022, 2, 5), date(2022, 1, 1)],
            "model_version": "1",
            "features": ['{"x": 1, "zone": "coast"}'] * 3 + ['{"x": "?", "zone": null}'] * 3,
            lake_table.PAYLOAD: '{"weeks": [{"horizon": 2, "median": 9.0}, '
            '{"horizon": 1, "median": 4.5}]}',
        }
    )
    settings = Settings(home=tmp_path)
    table = settings.table("predictions", "outbreak")
    table.parent.mkdir(parents=True)
    rows.write_delta(str(table))
    until = date(2022, 1, 8)
    rows = answers.distinct(settings, "outbreak", ["x"], ["zone"], MEASURES, until)
    assert rows["times"].to_list() == [3, 1] and rows["entity"].to_list() == ["160101"] * 2
    assert rows[observe.MEDIAN].to_list() == [4.5, 4.5]
    assert rows["x"].to_list() == [1.0, None] and rows["zone"].to_list() == ["coast", None]
    assert answers.count(settings, "outbreak", until) == 4
    nothing = answers.distinct(Settings(home=tmp_path / "other"), "outbreak", ["x"], [], MEASURES,
                               until)  # fmt: skip
    assert nothing.is_empty() and nothing.columns == [
        "entity", "period", "model", "times", observe.MEDIAN, "x"
    ]  # fmt: skip


def test_empty_columns_are_told_apart(tmp_path: Path) -> None:
    first = table(30, 9).to_pandas().assign(smooth=np.nan)
    reference = pa.Table.from_pandas(pd.DataFrame(first), preserve_index=False)
    comparison = report.compare(
        reference, table(30, 10), ["smooth", "far"], [], tmp_path / "x.html"
    )
    assert comparison.empty == ["smooth"] and comparison.compared == ["far"]


def test_answers_of_a_week_compare_with_the_same_week_of_the_test_year() -> None:
    """A year with a season: its weeks differ from each other more than any drift."""
    first = pl.datetime(2020, 1, 4, 23, 59, 59, time_zone="UTC")
    last = pl.datetime(2021, 1, 2, 23, 59, 59, time_zone="UTC")
    test = pl.select(event_timestamp=pl.datetime_range(first, last, "1w"))
    answers = pl.DataFrame({PERIOD: [date(2022, 1, 1), date(2022, 3, 5)]})
    ends = observe.same_season(test, answers, WEEK)["event_timestamp"].dt.date().to_list()
    assert ends == [date(2020, 1, 4), date(2020, 3, 7), date(2021, 1, 2)]
    months = observe.same_season(test, answers, MONTH)["event_timestamp"].dt.month()
    assert set(months) == {1, 3}
