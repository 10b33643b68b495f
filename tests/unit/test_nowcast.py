"""Reporting delays are learned from the versions, and newest weeks completed by them."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import late_lake
import numpy as np
import polars as pl
import pytest
from late_lake import HISTORY, KNOWN, NAME

from models.outbreak import USE_CASE as OUTBREAK
from yupana.config.settings import Settings
from yupana.data.lake import delta
from yupana.tasks.forecast.dataset import sources, training_set, vintage
from yupana.tasks.forecast.frequency import WEEK
from yupana.tasks.forecast.nowcast import delays as reporting
from yupana.tasks.forecast.nowcast import nowcast
from yupana.tasks.forecast.nowcast import table as nowcast_table
from yupana.tasks.forecast.usecases import REPORTING

VERSIONS = 40
LEVELS = (0.025, 0.1, 0.5, 0.9, 0.975)
COUNTS = late_lake.true_counts(HISTORY + VERSIONS)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return late_lake.make(tmp_path_factory.mktemp("late"), VERSIONS, COUNTS)


def learned(lake: Settings, version: int = VERSIONS - 1) -> nowcast.Delays:
    return reporting.learned(lake.table("published", NAME), version, OUTBREAK)


def test_the_completeness_is_recovered(lake: Settings) -> None:
    delays = learned(lake)
    assert delays.evidence and delays.weeks == VERSIONS - nowcast.LAST
    assert delays.completeness[:5] == pytest.approx(KNOWN, abs=0.02)
    assert delays.completeness[5:] == (1.0,) * 4
    assert delays.share(0) < delays.share(2) < delays.share(30) == 1.0


def test_a_past_version_learns_from_those_before_it_alone(lake: Settings) -> None:
    assert not learned(lake, 14).evidence, "16 publications follow 8 weeks to the end"
    early = learned(lake, 15)
    assert early.evidence and early != learned(lake)
    again = late_lake.make(lake.home / "again", 16, COUNTS)
    assert learned(again, 15) == early


def test_a_release_that_comes_late_teaches_only_those_after_it(tmp_path: Path) -> None:
    lake, missed = Settings(home=tmp_path), HISTORY + 12
    for week in range(HISTORY, HISTORY + 20):
        if week != missed:
            late_lake.publish(lake, late_lake.vintage(COUNTS, week), late_lake.known_on(week))
    before = learned(lake, 18)
    refs = (f"delta:published/{NAME}@18",)
    features = OUTBREAK.features(sources.at(lake, OUTBREAK, refs))
    late = late_lake.publish(lake, late_lake.vintage(COUNTS, missed), late_lake.known_on(missed))
    assert before.evidence and learned(lake, 18) == before
    assert OUTBREAK.features(sources.at(lake, OUTBREAK, refs)).equals(features)
    after = late_lake.vintage(COUNTS, HISTORY + 20), late_lake.known_on(HISTORY + 20)
    releases = reporting.regular(
        lake.table("published", NAME), late_lake.publish(lake, *after), WEEK
    )
    assert late in [p.version for p in releases]


def test_the_intervals_cover_what_came_later(lake: Settings) -> None:
    delays, inside, below, total = learned(lake), 0, 0, 0
    fresh = late_lake.true_counts(400, seed=9)
    for delay in range(4):
        now = fresh[..., : delay + 1].sum(axis=2).ravel()
        final = fresh.sum(axis=2).ravel()
        quantiles = nowcast.quantiles(now, delay, delays, LEVELS)
        assert (np.diff(quantiles, axis=1) >= 0).all() and (quantiles >= now[:, None]).all()
        inside += ((quantiles[:, 1] <= final) & (final <= quantiles[:, 3])).sum()
        below += (final <= quantiles[:, 2]).sum()
        total += len(final)
        big = now > 20
        assert quantiles[big, 2].sum() == pytest.approx(final[big].sum(), rel=0.06)
    # Counts are discrete and often zero, so that the interval holds more than its 80 %.
    assert 0.8 <= inside / total <= 0.95
    assert 0.5 <= below / total <= 0.75


def test_complete_weeks_are_told_as_they_are(lake: Settings) -> None:
    for delays, delay in ((learned(lake), 8), (nowcast.NO_EVIDENCE, 0)):
        assert (nowcast.quantiles([3, 0], delay, delays, LEVELS).T == [3, 0]).all()


def test_the_newest_lags_are_completed_and_the_old_ones_kept(lake: Settings) -> None:
    week = HISTORY + VERSIONS - 1
    past = vintage.on_day(lake, OUTBREAK, late_lake.known_on(week))
    with_shares = OUTBREAK.features(past.tables).sort("entity", "event_timestamp")
    plain = {k: v for k, v in past.tables.items() if k != REPORTING}
    without = OUTBREAK.features(plain).sort("entity", "event_timestamp")
    old = pl.col("event_timestamp").dt.date() < late_lake.known_on(week) - timedelta(weeks=6)
    assert with_shares.filter(old).equals(without.filter(old))
    newest = with_shares.filter(pl.col("event_timestamp") == pl.col("event_timestamp").max())
    share = newest["completeness"][0]
    assert share == pytest.approx(KNOWN[0], abs=0.02)
    reported = without.filter(pl.col("event_timestamp") == pl.col("event_timestamp").max())
    assert newest["department_lag_0"][0] == pytest.approx(reported["department_lag_0"][0] / share)
    final = COUNTS[:, week].sum()
    assert newest["department_lag_0"][0] == pytest.approx(final, rel=0.25)
    assert reported["department_lag_0"][0] < 0.6 * final


def test_a_partly_known_week_is_no_target_and_no_leak(lake: Settings) -> None:
    day = late_lake.known_on(HISTORY + VERSIONS - 1)
    tables = vintage.on_day(lake, OUTBREAK, day).tables
    rows = OUTBREAK.features(tables).to_pandas()
    vintage.check(rows, OUTBREAK.features, tables, seed=1)
    targets = training_set.with_targets(rows, 8)
    unknown = targets[targets["target_1"].isna()]["event_timestamp"].dt.date
    assert unknown.min() == day - timedelta(days=4, weeks=4), "delays 0 to 3 are below 95 %"


def test_hindsight_and_a_single_version_are_taken_as_complete(tmp_path: Path) -> None:
    lake = late_lake.make(tmp_path, 1, COUNTS)
    for day in (date(2018, 12, 1), date(2030, 1, 1)):
        past = vintage.on_day(lake, OUTBREAK, day)
        assert REPORTING not in past.tables
        assert past.hindsight == (day.year == 2018)
    assert sources.at(lake, OUTBREAK, (f"delta:published/{NAME}@0",)).keys() == {NAME}


def test_late_versions_of_old_weeks_alone_are_no_evidence(tmp_path: Path) -> None:
    lake = Settings(home=tmp_path)
    for week in range(HISTORY, HISTORY + 20):
        late_lake.publish(lake, late_lake.vintage(COUNTS, HISTORY), late_lake.known_on(week + 200))
    assert not learned(lake, 19).evidence


def test_a_version_whose_files_are_gone_is_passed_over(tmp_path: Path) -> None:
    lake = late_lake.make(tmp_path, 30, COUNTS)
    table = lake.table("published", NAME)
    whole = learned(lake, 29)
    before = set(table.glob("*.parquet"))
    assert len(before) == 30
    min(before, key=lambda p: p.stat().st_mtime_ns).unlink()
    assert learned(lake, 29).weeks == whole.weeks - 1
    assert delta.version_of(table) == 29


def test_the_table_of_a_day_is_replaced_by_a_re_run(lake: Settings) -> None:
    day = late_lake.known_on(HISTORY + VERSIONS - 1)
    first = nowcast_table.make(lake, "outbreak", OUTBREAK, day)
    earlier = nowcast_table.make(lake, "outbreak", OUTBREAK, day - timedelta(weeks=3))
    again = nowcast_table.make(lake, "outbreak", OUTBREAK, day)
    assert first["known_on"] == "2020-01-29" and earlier["known_on"] == "2020-01-08"
    assert first["weeks"] == again["weeks"] != earlier["weeks"]
    table = delta.read(lake.table("forecasts", "outbreak_nowcast"))
    keys = ["known_on", "ubigeo", "week_start"]
    assert len(table) == table.select(keys).n_unique() == 2 * 8 * len(late_lake.DISTRICTS)
    mine = table.filter((pl.col("known_on") == day) & (pl.col("delay") == 0)).sort("ubigeo")
    final = COUNTS[:, -1].sum(axis=1)
    assert (mine["reported"].to_numpy() == COUNTS[:, -1, 0]).all()
    assert ((mine["q0.025"].to_numpy() <= final) & (final <= mine["q0.975"].to_numpy())).all()
    assert mine["evidence"].all() and mine["completeness"].max() < 0.5


def test_without_evidence_what_is_reported_is_told(tmp_path: Path) -> None:
    lake = late_lake.make(tmp_path, 2, COUNTS)
    facts = nowcast_table.make(lake, "outbreak", OUTBREAK, date(2030, 1, 1))
    assert not facts["evidence"] and not facts["hindsight"]
    table = delta.read(lake.table("forecasts", "outbreak_nowcast"))
    assert (table["reported"] == table["q0.975"]).all() and (table["completeness"] == 1).all()
