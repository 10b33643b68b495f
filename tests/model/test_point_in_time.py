"""No feature knows what came after its origin, and a past day is answered from its own data."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import small_lake

from feature_repo.outbreak_weekly import weekly_features
from yupana.core.errors import TerminalError
from yupana.features import as_known, given

FIRST = date(2018, 12, 30)
WEEKS = 120


def cases() -> pl.DataFrame:
    draw = np.random.default_rng(3)
    return pl.DataFrame(
        [
            {
                "ubigeo": u,
                "week_start": FIRST + timedelta(weeks=w),
                "cases": int(draw.poisson(6)) + 1,
            }
            for u in ("160101", "160102", "160201")
            for w in range(WEEKS)
        ]
    )


def test_the_shipped_features_know_only_the_past() -> None:
    given = {"dengue_linelist": cases()}
    rows = weekly_features(given).to_pandas()
    as_known.check(rows, weekly_features, given, seed=1)


def test_a_planted_leak_is_caught_and_named() -> None:
    def leaky(tables: dict[str, pl.DataFrame]) -> pl.DataFrame:
        rows = weekly_features(tables).sort("ubigeo", "event_timestamp")
        ahead = pl.col("cases_lag_0").shift(-1, fill_value=0).over("ubigeo")
        return rows.with_columns(mean_52=(pl.col("mean_52") + ahead))

    given = {"dengue_linelist": cases()}
    with pytest.raises(TerminalError, match="knows the future") as error:
        as_known.check(leaky(given).to_pandas(), leaky, given, seed=1)
    assert "column mean_52" in str(error.value)


def test_a_late_report_is_not_in_the_past(tmp_path: Path) -> None:
    lake = small_lake.make(tmp_path)
    rows = small_lake.frame()
    for version, day in enumerate(("2024-04-01", "2024-05-01")):
        assert small_lake.publish(lake, rows, known_on=day, source="ab"[version]) == version
    name = (small_lake.NAME,)
    then = as_known.tables(lake, name, date(2024, 4, 20))
    assert then.refs == (f"delta:published/{small_lake.NAME}@0",) and not then.hindsight
    later = as_known.tables(lake, name, date(2024, 6, 1))
    assert later.refs == (f"delta:published/{small_lake.NAME}@1",)
    before = as_known.tables(lake, name, date(2024, 1, 1))
    assert before.hindsight and before.refs == then.refs


def test_a_week_counts_only_once_it_has_ended() -> None:
    saturday = FIRST + timedelta(days=6)
    assert given.until(cases(), saturday)["week_start"].unique().to_list() == [FIRST]
    assert given.until(cases(), saturday - timedelta(days=1)).is_empty()
