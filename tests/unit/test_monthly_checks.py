"""The checks and their norms on months: a small past of made-up counts and climate."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from yupana.core.errors import TerminalError
from yupana.core.usecase import Tables
from yupana.monitoring.check import Check
from yupana.tasks.forecast import usecases
from yupana.tasks.forecast.checks import judge, learn, norms, past, watch, window
from yupana.tasks.forecast.checks.norms import Norms
from yupana.tasks.forecast.checks.past import PromptPast
from yupana.tasks.forecast.frequency import MONTH
from yupana.tasks.forecast.quantiles import LEVELS

MALARIA = usecases.load("malaria")
FIRST, YEARS, BEFORE = date(2006, 1, 1), 11, 2016
ENTITIES = tuple(f"160{place}0{n}-vivax" for place in (1, 2) for n in range(1, 4))
END = date(2016, 6, 30)


@pytest.fixture(scope="module")
def tables() -> Tables:
    rng = np.random.default_rng(6)
    months = [MONTH.shift(FIRST, n) for n in range(12 * YEARS)]
    season = np.array([np.cos(2 * np.pi * m.month / 12) for m in months])
    parts = []
    for n, entity in enumerate(ENTITIES):
        mean = (8 + 6 * n) * np.exp(0.4 * season)
        cases = rng.negative_binomial(6, 6 / (6 + mean))
        weather = {"temperature": 26 + season + rng.normal(0, 0.3, len(months)),
                   "precipitation": rng.gamma(4, 50, len(months))}  # fmt: skip
        parts.append(pl.DataFrame({"entity": entity, "month_start": months, "cases": cases,
                                   **weather}))  # fmt: skip
    return {MALARIA.counted: pl.concat(parts)}


@pytest.fixture(scope="module")
def prompt(tables: Tables) -> PromptPast:
    return past.of(MALARIA, tables, BEFORE)


@pytest.fixture(scope="module")
def usual(prompt: PromptPast) -> Norms:
    return learn.learn([prompt], MALARIA.invariants())


def features(tables: Tables) -> pl.DataFrame:
    ends = pl.col("event_timestamp").dt.date().alias("end")
    return MALARIA.features(tables).with_columns(ends).drop("event_timestamp")


def watched(
    tables: Tables, usual: Norms, folder: Path, rows: pl.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> list[Check]:
    norms.save(usual, folder / "norms.json")
    monkeypatch.setattr(norms, "path_of", lambda _: folder / "norms.json")
    return watch.watch(rows, None, None, END, definition=MALARIA)


def test_a_window_counts_months(tables: Tables) -> None:
    rows = features(tables)
    recent = window.of(rows, MALARIA.invariants(), END, MONTH)
    assert len(recent) == 30, "the longest mean is of two years"
    assert not np.isnan(recent.values).any(), "no month is skipped, however long it is"
    newest = rows.filter(end=END).sort("entity")["cases_lag_0"].to_list()
    assert recent.column("cases_lag_0").tolist() == newest
    assert recent.column("cases_lag_1").tolist() == recent.column("cases_lag_0", 1).tolist()


def test_nothing_later_than_the_year_is_learned(prompt: PromptPast, tables: Tables) -> None:
    assert prompt.whole.end == date(2015, 12, 31)
    later = pl.col("month_start") >= date(BEFORE, 1, 1)
    changed = tables[MALARIA.counted].with_columns(
        pl.when(later).then(999).otherwise("cases").alias("cases")
    )
    again = past.of(MALARIA, {MALARIA.counted: changed}, BEFORE)
    assert np.array_equal(again.quantiles, prompt.quantiles, equal_nan=True)
    assert np.array_equal(again.whole.values, prompt.whole.values, equal_nan=True)
    period = prompt.periods[-5]
    assert prompt.window(period).end == date(2015, 8, 31) and len(prompt.window(period)) == 30
    truth = prompt.record(period).truth
    assert truth[-1].tolist() == prompt.window(period).column("cases_lag_0").tolist()


def test_a_year_with_too_little_before_it_is_refused(tables: Tables) -> None:
    with pytest.raises(TerminalError, match="months of features before 2010"):
        past.of(MALARIA, tables, 2010)


def test_norms_of_months_know_every_check(usual: Norms) -> None:
    assert usual.periods > 100 and usual.span[1] == "2015-12-31"
    assert {"identity", "level", "revision", "resent", "shift", "still", "score", "coverage",
            "forecast", "multiple", "order"} <= set(usual.limits)  # fmt: skip
    learned = [limit for check, limit in usual.limits.items() if check not in judge.RULES]
    assert all(norms.LEAST_LIMIT <= limit < np.inf for limit in learned)
    # Reports of a month move for two months more, not for eight.
    assert {k for k in usual.usual if k.startswith("revision|")} == {
        "revision|cases_lag_1|", "revision|cases_lag_2|",
    }  # fmt: skip


def test_a_month_without_a_fault_is_quiet_and_a_frozen_column_is_named(
    tables: Tables, usual: Norms, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = features(tables)
    quiet = watched(tables, usual, tmp_path, rows, monkeypatch)
    assert [c for c in quiet if c.state == "alarm"] == []
    assert {c.check for c in quiet if c.state == "unknown"} == {"forecast", "score", "coverage"}
    before = rows.filter(end=MONTH.ahead(END, -1)).select("entity", still="cases_lag_3")
    frozen = rows.join(before, on="entity", how="left").with_columns(
        pl.when(pl.col("end") == END).then("still").otherwise("cases_lag_3").alias("cases_lag_3")
    )
    alarms = [c for c in watched(tables, usual, tmp_path, frozen.drop("still"), monkeypatch)
              if c.state == "alarm"]  # fmt: skip
    assert alarms[0].kind == "frozen" and alarms[0].period == END
    assert "cases_lag_3: repite los valores del mes anterior." in alarms[0].es
    assert "the month before" in alarms[0].en


def test_forecasts_of_months_are_put_at_their_month(tables: Tables) -> None:
    from yupana.tasks.forecast.checks import record

    recent = window.of(features(tables), MALARIA.invariants(), END, MONTH)
    origins = [MONTH.ahead(END, -n) for n in range(3)] + [MONTH.ahead(END, 1)]
    rows = [(ENTITIES[0], day, 1, *([float(n)] * len(LEVELS))) for n, day in enumerate(origins)]
    table = pl.DataFrame(rows, schema=["entity", "origin", "horizon", *LEVELS], orient="row")
    medians = record.of(table, None, recent).quantiles[:, 0, 0, 0]
    assert medians[-3:].tolist() == [2.0, 1.0, 0.0], "and none of a later month"
    assert np.isnan(medians[:-3]).all()
