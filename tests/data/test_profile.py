"""The profile of a real Delta table: right numbers, small cells and persons left out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import small_lake
from small_lake import NAME, SECRET, day

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError, UsageError
from yupana.monitoring import profile as profiles
from yupana.monitoring.over_time import TimeSeries
from yupana.monitoring.profile import profile
from yupana.monitoring.profile_results import Profile


@pytest.fixture
def lake(tmp_path: Path) -> Settings:
    return small_lake.make(tmp_path)


def column(report: Profile, name: str) -> dict[str, Any]:
    return next(c.document() for c in report.columns if c.name == name)


def over_time(report: Profile) -> TimeSeries:
    assert report.time is not None
    return report.time


def test_statistics_equal_those_of_the_rows(lake: Settings) -> None:
    rows = small_lake.frame().with_columns(fever=pl.Series([36 + n % 9 / 2 for n in range(60)]))
    small_lake.publish(lake, rows, known_on="2024-04-01")
    fever = column(profile(lake, NAME), "fever")
    assert (fever["count"], fever["nulls"], fever["distinct"]) == (60, 0, 9)
    assert (fever["minimum"], fever["maximum"]) == (36, 40)
    assert fever["mean"] == pytest.approx(rows["fever"].mean(), rel=1e-5)
    assert fever["sd"] == pytest.approx(rows["fever"].std(), rel=1e-5)
    assert fever["percentiles"]["50"] == rows["fever"].median()
    assert sum(n for n in fever["histogram"]["counts"] if n) == 60
    assert column(profile(lake, NAME), "note")["nulls"] == 50


def test_rows_by_week_with_a_gap_and_the_unfinished_end(lake: Settings) -> None:
    rows = small_lake.frame().filter(pl.col("week") != 4)
    small_lake.publish(lake, rows, known_on="2024-03-10")
    time = over_time(profile(lake, NAME))
    assert time.step == "week"
    assert time.starts[:2] == [day("2023-12-31"), day("2024-01-07")]
    assert time.rows == [6, 6, 6, 0, 6, 6, 6, 6, 6, 6]
    assert time.incomplete_from == day("2024-02-25")
    assert time.measures == [], "a constant is no measure"


def test_the_step_is_coarser_where_weeks_are_too_small(lake: Settings) -> None:
    small_lake.publish(lake, small_lake.frame(each=2, weeks=range(1, 27)), known_on="2024-08-01")
    time = over_time(profile(lake, NAME))
    assert time.step == "month"
    assert sum(n for n in time.rows if n) <= 52


def test_small_categories_and_persons_are_in_neither_file(lake: Settings) -> None:
    small_lake.publish(lake, small_lake.frame(), known_on="2024-04-01")
    report = profile(lake, NAME)
    classes = column(report, "diagnosis_class")
    # C stands once: B goes with it, or the total would tell.
    assert [t["value"] for t in classes["top"]] == ["A"]
    assert classes["others"] == {"values": 2, "count": 11}
    assert report.left_out["patient"] == "personal"
    files = profiles.write(lake, report)
    for path in files:
        text = path.read_text("utf-8")
        assert SECRET not in text and "a" * 64 in text
    page = files.html.read_text("utf-8")
    assert page.count("<svg") >= 2 and "<script" not in page
    assert json.loads(files.json.read_text("utf-8")) == report.document()


def test_small_sums_of_a_count_are_hidden(tmp_path: Path) -> None:
    counting = small_lake.CONTRACT.replace("logicalType: number", "logicalType: integer")
    lake = small_lake.make(tmp_path, counting.replace("°C", "cases"))
    cases = pl.when(pl.col("week") == 2).then(pl.col("source_line") % 2).otherwise(1)
    rows = small_lake.frame().with_columns(fever=cases.cast(pl.Int32))
    small_lake.publish(lake, rows, known_on="2024-04-01")
    (measure,) = over_time(profile(lake, NAME)).measures
    assert (measure.name, measure.what) == ("fever", "sum")
    # The week beside it goes with it, or the total would tell.
    assert measure.values == [None, None, *[6] * 8]


def test_no_single_value_of_what_is_made_from_personal_data(tmp_path: Path) -> None:
    derived = small_lake.CONTRACT.replace(
        "physicalName: Temperatura",
        "transformLogic: age_years\n        transformSourceObjects: [patient]",
    )
    lake = small_lake.make(tmp_path, derived)
    rows = small_lake.frame().with_columns(fever=pl.Series([float(n) for n in range(60)]))
    small_lake.publish(lake, rows, known_on="2024-04-01")
    fever = column(profile(lake, NAME), "fever")
    assert fever["mean"] == 29.5 and "minimum" not in fever and "maximum" not in fever


def test_version_and_date_choose_the_rows(lake: Settings) -> None:
    small_lake.publish(lake, small_lake.frame(weeks=range(1, 3)), known_on="2024-02-01")
    small_lake.publish(lake, small_lake.frame(), known_on="2024-04-01", source="b")
    assert profile(lake, NAME).rows == 60
    assert profile(lake, NAME, version=0).rows == 12
    assert profile(lake, NAME, as_of=day("2024-03-31")).ref == f"delta:published/{NAME}@0"
    with pytest.raises(UsageError):
        profile(lake, NAME, version=0, as_of=day("2024-03-31"))
    with pytest.raises(UsageError):
        profile(lake, NAME, version=5)


def test_never_ingested_says_the_command(lake: Settings) -> None:
    with pytest.raises(TerminalError) as caught:
        profile(lake, NAME)
    assert "yupana ingest" in caught.value.fix
