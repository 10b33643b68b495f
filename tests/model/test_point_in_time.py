"""No feature knows what came after its origin, and a past day is answered from its own data."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
import small_lake

from feature_repo.outbreak.weekly import weekly_features
from yupana.config.settings import Settings
from yupana.core import spec
from yupana.core.errors import TerminalError
from yupana.data.lake import delta
from yupana.tasks.forecast import predict
from yupana.tasks.forecast.dataset import sources, vintage
from yupana.tasks.forecast.frequency import WEEK
from yupana.tracking import facts

FIRST = date(2018, 12, 30)
WEEKS = 120


def cases() -> pl.DataFrame:
    draw = np.random.default_rng(3)
    return pl.DataFrame(
        [
            {
                "entity": u,
                "week_start": FIRST + timedelta(weeks=w),
                "cases": int(draw.poisson(6)) + 1,
            }
            for u in ("160101", "160102", "160201")
            for w in range(WEEKS)
        ]
    )


def test_the_shipped_features_know_only_the_past() -> None:
    tables = {"dengue_linelist": cases()}
    rows = weekly_features(tables).to_pandas()
    vintage.check(rows, weekly_features, tables, seed=1)


def test_a_planted_leak_is_caught_and_named() -> None:
    def leaky(tables: dict[str, pl.DataFrame]) -> pl.DataFrame:
        rows = weekly_features(tables).sort("entity", "event_timestamp")
        ahead = pl.col("cases_lag_0").shift(-1, fill_value=0).over("entity")
        return rows.with_columns(mean_52=(pl.col("mean_52") + ahead))

    tables = {"dengue_linelist": cases()}
    with pytest.raises(TerminalError, match="knows the future") as error:
        vintage.check(leaky(tables).to_pandas(), leaky, tables, seed=1)
    assert "column mean_52" in str(error.value)


def test_a_late_report_is_not_in_the_past(tmp_path: Path) -> None:
    lake = small_lake.make(tmp_path)
    rows = small_lake.frame()
    for version, day in enumerate(("2024-04-01", "2024-05-01")):
        assert small_lake.publish(lake, rows, known_on=day, source="ab"[version]) == version
    name = (small_lake.NAME,)
    then = vintage.tables(lake, ROOM, name, date(2024, 4, 20))
    assert then.refs == (f"delta:published/{small_lake.NAME}@0",) and not then.hindsight
    later = vintage.tables(lake, ROOM, name, date(2024, 6, 1))
    assert later.refs == (f"delta:published/{small_lake.NAME}@1",)
    before = vintage.tables(lake, ROOM, name, date(2024, 1, 1))
    assert before.hindsight and before.refs == then.refs


DATA = spec.Data(trigger="cases", required=("cases",), optional=("people",), late="cases")
ROOM = SimpleNamespace(
    spec=SimpleNamespace(data=DATA), counted="cases", series=lambda table: table, frequency=WEEK
)


def published(lake: Settings, name: str, rows: pl.DataFrame, *days: str) -> None:
    table = lake.table("published", name)
    table.parent.mkdir(parents=True, exist_ok=True)
    for number, day in enumerate(days):
        facts = delta.commit_metadata(source_sha256=str(number) * 64, known_on=day)
        small_lake.commit(table, rows, facts)


def test_an_optional_table_is_there_from_the_day_it_was_published(lake: Settings) -> None:
    published(lake, "cases", cases(), "2021-05-05", "2021-05-12")
    published(lake, "people", pl.DataFrame({"place": ["a"]}), "2021-05-10")
    old, new = "delta:published/cases@0", "delta:published/cases@1"
    people = "delta:published/people@0"

    def versions(day: str, *needed: str) -> tuple[tuple[str, ...], bool]:
        refs = vintage.versions(lake, ROOM, date.fromisoformat(day), needed)
        return refs.refs, refs.hindsight

    assert versions("2021-05-06") == ((old,), False), "it does not make the day hindsight"
    assert versions("2021-05-11") == ((old, people), False)
    assert versions("2021-05-12") == ((new, people), False)
    assert versions("2021-05-04") == ((old, people), True)
    assert versions("2021-05-06", "people") == ((old, people), False)
    then = vintage.on_day(lake, ROOM, date(2021, 5, 6))
    assert then.tables.keys() == {"cases"} and not then.hindsight
    more = vintage.on_day(lake, ROOM, date(2021, 5, 6), ["people"])
    assert more.tables.keys() == {"cases", "people"}


def test_a_model_that_has_learned_from_a_later_table_is_given_it(
    lake: Settings, tmp_path: Path
) -> None:
    published(lake, "cases", cases(), "2021-05-05")
    published(lake, "people", pl.DataFrame({"place": ["a"]}), "2021-05-10")
    then = vintage.on_day(lake, ROOM, date(2021, 5, 6))
    data = {"sources": ["delta:published/cases@0", "delta:published/people@0"]}
    (tmp_path / facts.NAME).write_text(json.dumps({"data": data}))
    assert predict.published_later(ROOM, tmp_path, then) == ("people",)
    now = vintage.on_day(lake, ROOM, date(2021, 5, 10))
    assert predict.published_later(ROOM, tmp_path, now) == ()
    assert predict.published_later(ROOM, tmp_path / "none", then) == ()


def test_what_had_not_ended_at_a_release_is_in_no_later_day(lake: Settings) -> None:
    last = cases()["week_start"].max()
    tuesday = last + timedelta(days=2)
    published(lake, "cases", cases(), str(tuesday))
    for day in (tuesday, tuesday + timedelta(weeks=3)):
        for found in (
            vintage.on_day(lake, ROOM, day).tables,
            vintage.tables(lake, ROOM, ["cases"], day).tables,
            sources.at(lake, ROOM, ["delta:published/cases@0"]),
        ):
            assert found["cases"]["week_start"].max() == last - timedelta(weeks=1), day


def test_a_week_counts_only_once_it_has_ended() -> None:
    saturday = FIRST + timedelta(days=6)
    assert sources.until(cases(), saturday)["week_start"].unique().to_list() == [FIRST]
    assert sources.until(cases(), saturday - timedelta(days=1)).is_empty()
