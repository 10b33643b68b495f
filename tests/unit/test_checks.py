"""Weekly checks on small tables: what is unknown, what always holds, norms and their file."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import late_lake
import numpy as np
import polars as pl
import pytest

from feature_repo.outbreak import weekly
from yupana.config.settings import ROOT
from yupana.core.errors import TerminalError, UsageError
from yupana.tasks.forecast import usecases
from yupana.tasks.forecast.checks import (
    identities,
    judge,
    measures,
    norms,
    performance,
    places,
    record,
    watch,
    window,
)
from yupana.tasks.forecast.checks import text as words
from yupana.tasks.forecast.checks.statistic import Statistic
from yupana.tasks.forecast.checks.text import KINDS
from yupana.tasks.forecast.frequency import MONTH, WEEK
from yupana.tasks.forecast.quantiles import LEVELS

WEEKS = 20
LAST = 140
INVARIANTS = weekly.LAYOUT.invariants
COUNTS = late_lake.true_counts(LAST + 1)
OUTBREAK = usecases.load("outbreak")
END = late_lake.FIRST + timedelta(weeks=LAST, days=6)


FREE = {"cases_lag_0", "mean_52", "mean_104", "temperature", "precipitation"}
"""Columns that follow from no other, or from more weeks than there are here."""


@pytest.fixture(scope="module")
def features() -> pl.DataFrame:
    """The last weeks of five districts, each as it was known then."""
    frames = []
    for week in range(LAST - WEEKS + 1, LAST + 1):
        counts = OUTBREAK.series(late_lake.vintage(COUNTS, week))
        rows = weekly.weekly_features({weekly.REPORTED: counts})
        rows = rows.with_columns(end=pl.col("event_timestamp").dt.date())
        frames.append(rows.filter(pl.col("end") == rows["end"].max()).drop("event_timestamp"))
    return pl.concat(frames)


@pytest.fixture(scope="module")
def current(features: pl.DataFrame) -> window.Window:
    return window.of(features, INVARIANTS, END, WEEK)


def test_the_window_holds_each_week_and_a_place_without_a_row_counts_nothing(features) -> None:
    less = features.filter(~((pl.col("entity") == "160112") & (pl.col("end") == END)))
    recent = window.of(less, INVARIANTS, END, WEEK)
    assert recent.entities == late_lake.DISTRICTS and len(recent) == WEEKS
    assert not recent.present[-1, 1] and recent.present[:-1].all()
    assert recent.column("cases_lag_0")[1] == 0 and recent.column("cases_lag_0")[0] > 0
    assert places.vanished(recent) == ["160112"]
    vanished = next(c for c in judge.facts(recent, None) if c.check == "vanished")
    assert (vanished.state, vanished.kind, vanished.runbook) == (
        "alarm", "places", "docs/runbooks.md#places",
    )  # fmt: skip
    assert "160112" in vanished.es


def test_a_week_without_rows_or_a_table_without_a_column_is_told(features) -> None:
    with pytest.raises(UsageError, match="no features of the week"):
        window.of(features, INVARIANTS, END + timedelta(weeks=1), WEEK)
    with pytest.raises(UsageError, match="mean_8"):
        window.of(features.drop("mean_8"), INVARIANTS, END, WEEK)
    (check,) = watch.watch(features.drop("mean_8"), None, None, END, definition=OUTBREAK)
    assert (check.check, check.state, check.kind, check.severity) == (
        "missing", "alarm", "broken", "critical",
    )  # fmt: skip
    assert "mean_8" in check.es and "mean_8" in check.en


def test_a_number_that_is_none_is_told(features) -> None:
    holes = features.with_columns(
        pl.when((pl.col("end") == END) & (pl.col("entity") == "160101"))
        .then(None)
        .otherwise("mean_26")
        .alias("mean_26")
    )
    assert measures.missing(window.of(holes, INVARIANTS, END, WEEK)) == ["mean_26"]
    checks = watch.watch(holes, None, None, END, definition=OUTBREAK)
    assert checks[0].state == "alarm" and checks[0].severity == "critical"
    assert any("mean_26" in c.en for c in checks if c.check == "missing")


def test_the_first_weeks_are_unknown_and_no_error(features) -> None:
    first = features["end"].min()
    checks = watch.watch(
        features.filter(pl.col("end") == first), None, None, first, definition=OUTBREAK
    )
    assert not [c for c in checks if c.state == "alarm"]
    unknown = {c.check for c in checks if c.state == "unknown"}
    assert {"multiple", "level", "revision", "shift", "still", "score", "forecast"} <= unknown
    assert all(c.runbook == words.UNKNOWN for c in checks if c.state == "unknown")
    # What holds within a week is known from the first one on.
    assert "identity" not in unknown


@pytest.mark.parametrize("lacking", ["invariants", "norms"])
def test_a_use_case_without_traits_or_norms_is_unknown(
    features, monkeypatch, tmp_path: Path, lacking: str
) -> None:
    if lacking == "norms":
        monkeypatch.setattr(norms, "path_of", lambda _: tmp_path / "outbreak/norms.json")
    if lacking == "invariants":
        monkeypatch.setattr(type(OUTBREAK), "invariants", lambda _: {})
    (check,) = watch.watch(features, None, None, END, definition=OUTBREAK)
    assert (check.check, check.state, check.severity) == ("norms", "unknown", "info")
    assert lacking in check.en


def test_identities_hold_exactly_but_for_late_reports(current: window.Window) -> None:
    values = {s.column: s.value for s in identities.measure(current, INVARIANTS)}
    assert set(values) == set(INVARIANTS) - FREE
    late = {f"cases_lag_{k}" for k in range(1, 5)}
    exact = {c for c, v in values.items() if v == pytest.approx(np.log(identities.TINY), abs=1e-3)}
    assert exact == set(values) - late, "late reports move the newest weeks alone"


@pytest.mark.parametrize("column", sorted(set(INVARIANTS) - FREE))
def test_each_identity_fails_when_its_column_is_off(current: window.Window, column: str) -> None:
    values = current.values[-1].copy()
    values[0, current.places[column]] += 200
    before = identities.of(current, INVARIANTS, column)
    after = identities.of(current.now(values), INVARIANTS, column)
    assert before and after and after.value > before.value + 0.5


def test_forecasts_that_fall_or_are_no_number_are_told(current: window.Window) -> None:
    rows = [(u, END, h, *np.linspace(0, 9, 23)) for u in late_lake.DISTRICTS for h in (1, 2)]
    table = pl.DataFrame(rows, schema=["entity", "origin", "horizon", *LEVELS], orient="row")
    good = record.of(table, None, current)
    assert performance.faults(current, good) == []
    wrong = good.quantiles.copy()
    wrong[-1, 1, 0, 3], wrong[-1, 2, 1, 5], wrong[-1, 4, 0, 0] = np.nan, 8.9, -1.0
    assert performance.faults(current, replace(good, quantiles=wrong)) == [
        "160112",
        "160201",
        "160501",
    ]
    late = table.with_columns(origin=pl.lit(END + timedelta(weeks=1)))
    both = record.of(pl.concat([table, late]), None, current)
    assert np.array_equal(both.quantiles, good.quantiles, equal_nan=True), "no look ahead"


def weeks(values: np.ndarray, check: str = "level") -> list[list[Statistic]]:
    return [[Statistic(check, "", g, float(v)) for g, v in enumerate_groups(row)] for row in values]


def enumerate_groups(row: np.ndarray) -> list[tuple[str, float]]:
    return [(f"{n}", v) for n, v in enumerate(np.atleast_1d(row))]


def test_norms_alarm_as_seldom_as_they_promise() -> None:
    """Thresholds of six years, tried on 400: at most one crossing in ten years or so."""
    rng = np.random.default_rng(4)
    learned = norms.learn([weeks(rng.gumbel(0, 1, (312, 5)))], ("a", "b"), {"rule": 1.5}, WEEK)
    fresh = rng.gumbel(0, 1, (400 * 52, 5))
    usual = [learned.usual[f"level||{g}"] for g in range(5)]
    highest = np.max([(fresh[:, g] - m) / s for g, (m, s) in enumerate(usual)], axis=0)
    a_year = (highest > learned.limits["level"]).sum() / 400
    assert a_year < 0.1
    assert learned.limits["rule"] == 1.5 and learned.usual["rule"] == (0.0, 1.0)
    assert learned.knows("rule") and not learned.knows("other")


def test_a_column_without_a_past_goes_by_all_of_its_check() -> None:
    rng = np.random.default_rng(4)
    learned = norms.learn([weeks(rng.normal(5, 1, (300, 2)))], ("a", "b"), {}, WEEK)
    new = Statistic("level", "", "never seen", 5.0)
    assert abs(learned.standard(new)) < 0.2


def test_peaks_that_belong_together_count_once() -> None:
    run = [0.0] * 52
    run[10:13] = [5.0, 7.0, 6.0]
    few = norms.return_level([run] * 4, 20, WEEK)
    assert few == pytest.approx(10.0), "too few peaks: well above all"
    assert norms.return_level([[-np.inf] * 60], 20, WEEK) == np.inf


def test_norms_come_back_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "x_norms.json"
    usual = norms.Norms({"level": (0.5, 1.25)}, {"level": 4.0}, 99, ("2011-01-01", "2016-12-31"),
                       {"2016-12-31": 12.5})  # fmt: skip
    norms.save(usual, path)
    assert norms.load(path) == usual
    with pytest.raises(TerminalError, match="no norms"):
        norms.load(tmp_path / "y_norms.json")


def test_the_shipped_norms_never_saw_the_years_that_are_reported() -> None:
    shipped = norms.load(norms.path_of("outbreak"))
    assert shipped.span[1] < "2017-01-01" and shipped.periods > 800
    assert all(np.isfinite(v) for v in shipped.limits.values())


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_sentence_a_weight_and_a_runbook(kind: str) -> None:
    es, en = words.sentences(kind, ["cases_lag_0"], "1601", WEEK)
    assert "1601" in es and "1601" in en and es != en
    assert words.sentences(kind, [], "", MONTH)[0] and kind in words.WEIGHTS
    assert f"\n## {kind}\n" in (ROOT / "docs" / "runbooks.md").read_text("utf-8")


def test_every_runbook_that_an_alarm_names_is_there() -> None:
    code = [p.read_text("utf-8") for p in (ROOT / "yupana").rglob("*.py")]
    references = {m for text in code for m in re.findall(r"docs/(\w+)\.md#([\w-]+)", text)}
    assert {("monitoring", "drift"), ("runbooks", "queue")} <= references
    anchors = {("runbooks", words.UNKNOWN.split("#")[1]), ("runbooks", words.USUAL.split("#")[1])}
    for page, anchor in references | anchors:
        text = (ROOT / "docs" / f"{page}.md").read_text("utf-8")
        headings = {
            h.strip("# ").lower().replace(" ", "-") for h in re.findall(r"^#+ .*", text, re.M)
        }
        assert anchor in headings, f"docs/{page}.md has no section '{anchor}'"


def test_a_new_code_is_told_when_its_cases_miss_elsewhere(features) -> None:
    """Half of a district's cases under a new code; a place that reports by itself is not told."""
    part = OUTBREAK.series(late_lake.vintage(COUNTS, LAST))
    part = part.with_columns(pl.col("cases").cast(float))
    since = late_lake.FIRST + timedelta(weeks=LAST - 1)
    halves = part.filter((pl.col("entity") == "160101") & (pl.col("week_start") >= since))
    new = halves.with_columns(entity=pl.lit("160199"), cases=(pl.col("cases") // 2) + 0.0)
    for missing in (True, False):
        old = part.with_columns(
            cases=pl.when(
                (pl.col("entity") == "160101") & (pl.col("week_start") >= since) & missing
            )
            .then(pl.col("cases") - pl.col("cases") // 2)
            .otherwise("cases")
        )
        rows = weekly.weekly_features({weekly.REPORTED: pl.concat([old, new])})
        newest = rows.with_columns(end=pl.col("event_timestamp").dt.date()).filter(
            pl.col("end") == END
        )
        history = features.filter(pl.col("end") < END)
        both = pl.concat([history, newest.drop("event_timestamp")])
        shifts = places.measure(window.of(both, INVARIANTS, END, WEEK), INVARIANTS)
        assert [s.group for s in shifts] == ["160199"]
        values = shifts[0].value
        if missing:
            split = values
    assert split > values


def test_dates_are_weeks(current: window.Window) -> None:
    assert current.end == END and isinstance(END, date) and END.weekday() == 5


def test_a_place_that_fell_silent_is_told_and_contradicts_no_sum() -> None:
    """Its weeks have no row, and in the sums of its groups stands what it reported before."""
    frames = []
    for week in range(LAST - 8, LAST + 1):
        counts = OUTBREAK.series(late_lake.vintage(COUNTS, week))
        silent = (pl.col("entity") == "160101") & (
            pl.col("week_start") > late_lake.FIRST + timedelta(weeks=LAST - 2)
        )
        rows = weekly.weekly_features({weekly.REPORTED: counts.filter(~silent)})
        rows = rows.with_columns(end=pl.col("event_timestamp").dt.date())
        frames.append(rows.filter(pl.col("end") == rows["end"].max()).drop("event_timestamp"))
    recent = window.of(pl.concat(frames), INVARIANTS, END, WEEK)
    assert places.vanished(recent) == ["160101"], "also in the second week"
    assert recent.column("province_lag_0")[1] > recent.column("cases_lag_0").sum()
    for name in ("province_lag_0", "department_lag_0", "department_lag_3"):
        statistic = identities.of(recent, INVARIANTS, name)
        assert statistic is not None and statistic.value < -10, name
