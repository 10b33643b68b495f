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

from feature_repo import outbreak_weekly as room
from feature_repo.outbreak_traits import TRAITS
from yupana.config.settings import ROOT
from yupana.core.errors import TerminalError, UsageError
from yupana.core.forecast import LEVELS
from yupana.monitoring.checks import (
    forecasts,
    identities,
    judge,
    measures,
    norms,
    places,
    record,
    watch,
    window,
    words,
)
from yupana.monitoring.checks.check import KINDS
from yupana.monitoring.checks.statistic import Statistic

WEEKS = 20
LAST = 140
COUNTS = late_lake.true_counts(LAST + 1)
END = late_lake.FIRST + timedelta(weeks=LAST, days=6)


FREE = {"cases_lag_0", "mean_52", "mean_104", "temperature", "precipitation"}
"""Columns that follow from no other, or from more weeks than there are here."""


@pytest.fixture(scope="module")
def features() -> pl.DataFrame:
    """The last weeks of five districts, each as it was known then."""
    made = []
    for week in range(LAST - WEEKS + 1, LAST + 1):
        rows = room.weekly_features({room.REPORTED: late_lake.known(COUNTS, week)})
        rows = rows.with_columns(week=pl.col("event_timestamp").dt.date())
        made.append(rows.filter(pl.col("week") == rows["week"].max()).drop("event_timestamp"))
    return pl.concat(made)


@pytest.fixture(scope="module")
def seen(features: pl.DataFrame) -> window.Window:
    return window.of(features, list(TRAITS), END)


def test_the_window_holds_each_week_and_a_place_without_a_row_counts_nothing(features) -> None:
    less = features.filter(~((pl.col("ubigeo") == "160112") & (pl.col("week") == END)))
    made = window.of(less, list(TRAITS), END)
    assert made.ubigeos == late_lake.DISTRICTS and len(made) == WEEKS
    assert not made.present[-1, 1] and made.present[:-1].all()
    assert made.column("cases_lag_0")[1] == 0 and made.column("cases_lag_0")[0] > 0
    assert places.vanished(made) == ["160112"]
    vanished = next(c for c in judge.facts(made, None) if c.check == "vanished")
    assert (vanished.state, vanished.kind, vanished.runbook) == (
        "alarm", "places", "docs/runbooks.md#places",
    )  # fmt: skip
    assert "160112" in vanished.es


def test_a_week_without_rows_or_a_table_without_a_column_is_told(features) -> None:
    with pytest.raises(UsageError, match="no features of the week"):
        window.of(features, list(TRAITS), END + timedelta(weeks=1))
    with pytest.raises(UsageError, match="mean_8"):
        window.of(features.drop("mean_8"), list(TRAITS), END)
    (lost,) = watch.watch(features.drop("mean_8"), None, None, END)
    assert (lost.check, lost.state, lost.kind, lost.severity) == (
        "missing", "alarm", "broken", "critical",
    )  # fmt: skip
    assert "mean_8" in lost.es and "mean_8" in lost.en


def test_a_number_that_is_none_is_told(features) -> None:
    gone = features.with_columns(
        pl.when((pl.col("week") == END) & (pl.col("ubigeo") == "160101"))
        .then(None)
        .otherwise("mean_26")
        .alias("mean_26")
    )
    assert measures.missing(window.of(gone, list(TRAITS), END)) == ["mean_26"]
    found = watch.watch(gone, None, None, END)
    assert found[0].state == "alarm" and found[0].severity == "critical"
    assert any("mean_26" in c.en for c in found if c.check == "missing")


def test_the_first_weeks_are_unknown_and_no_error(features) -> None:
    first = features["week"].min()
    found = watch.watch(features.filter(pl.col("week") == first), None, None, first)
    assert not [c for c in found if c.state == "alarm"]
    unknown = {c.check for c in found if c.state == "unknown"}
    assert {"multiple", "level", "revision", "shift", "still", "score", "forecast"} <= unknown
    assert all(c.runbook == words.UNKNOWN for c in found if c.state == "unknown")
    # What holds within a week is known from the first one on.
    assert "identity" not in unknown


@pytest.mark.parametrize("lacking", ["traits", "norms"])
def test_a_use_case_without_traits_or_norms_is_unknown(
    features, monkeypatch, tmp_path: Path, lacking: str
) -> None:
    if lacking == "norms":
        monkeypatch.setattr(watch, "norms_path", lambda _: tmp_path / "outbreak.norms.json")
    use_case = "outbreak" if lacking == "norms" else "outbreak_past"
    (found,) = watch.watch(features, None, None, END, use_case=use_case)
    assert (found.check, found.state, found.severity) == ("norms", "unknown", "info")
    assert f"{use_case}" in found.es and lacking in found.en


def test_identities_hold_exactly_but_for_late_reports(seen: window.Window) -> None:
    found = {s.column: s.value for s in identities.measure(seen, TRAITS)}
    assert set(found) == set(TRAITS) - FREE
    late = {f"cases_lag_{k}" for k in range(1, 5)}
    exact = {c for c, v in found.items() if v == pytest.approx(np.log(identities.TINY), abs=1e-3)}
    assert exact == set(found) - late, "late reports move the newest weeks alone"


@pytest.mark.parametrize("column", sorted(set(TRAITS) - FREE))
def test_each_identity_fails_when_its_column_is_off(seen: window.Window, column: str) -> None:
    values = seen.values[-1].copy()
    values[0, seen.places[column]] += 200
    before = identities.of(seen, TRAITS, column)
    after = identities.of(seen.now(values), TRAITS, column)
    assert before and after and after.value > before.value + 0.5


def test_forecasts_that_fall_or_are_no_number_are_told(seen: window.Window) -> None:
    rows = [(u, END, h, *np.linspace(0, 9, 23)) for u in late_lake.DISTRICTS for h in (1, 2)]
    table = pl.DataFrame(rows, schema=["ubigeo", "origin", "horizon", *LEVELS], orient="row")
    good = record.of(table, None, seen)
    assert forecasts.faults(seen, good) == []
    wrong = good.quantiles.copy()
    wrong[-1, 1, 0, 3], wrong[-1, 2, 1, 5], wrong[-1, 4, 0, 0] = np.nan, 8.9, -1.0
    assert forecasts.faults(seen, replace(good, quantiles=wrong)) == ["160112", "160201", "160501"]
    late = table.with_columns(origin=pl.lit(END + timedelta(weeks=1)))
    both = record.of(pl.concat([table, late]), None, seen)
    assert np.array_equal(both.quantiles, good.quantiles, equal_nan=True), "no look ahead"


def weeks(values: np.ndarray, check: str = "level") -> list[list[Statistic]]:
    return [[Statistic(check, "", g, float(v)) for g, v in enumerate_groups(row)] for row in values]


def enumerate_groups(row: np.ndarray) -> list[tuple[str, float]]:
    return [(f"{n}", v) for n, v in enumerate(np.atleast_1d(row))]


def test_norms_alarm_as_seldom_as_they_promise() -> None:
    """Thresholds of six years, tried on 400: at most one crossing in ten years or so."""
    rng = np.random.default_rng(4)
    learned = norms.learn([weeks(rng.gumbel(0, 1, (312, 5)))], ("a", "b"), {"rule": 1.5})
    fresh = rng.gumbel(0, 1, (400 * 52, 5))
    usual = [learned.usual[f"level||{g}"] for g in range(5)]
    highest = np.max([(fresh[:, g] - m) / s for g, (m, s) in enumerate(usual)], axis=0)
    a_year = (highest > learned.limits["level"]).sum() / 400
    assert a_year < 0.1
    assert learned.limits["rule"] == 1.5 and learned.usual["rule"] == (0.0, 1.0)
    assert learned.knows("rule") and not learned.knows("other")


def test_a_column_without_a_past_goes_by_all_of_its_check() -> None:
    rng = np.random.default_rng(4)
    learned = norms.learn([weeks(rng.normal(5, 1, (300, 2)))], ("a", "b"), {})
    new = Statistic("level", "", "never seen", 5.0)
    assert abs(learned.standard(new)) < 0.2


def test_peaks_that_belong_together_count_once() -> None:
    run = [0.0] * 52
    run[10:13] = [5.0, 7.0, 6.0]
    assert norms.return_level([run] * 4, 20) == pytest.approx(10.0), "too few peaks: well above all"
    assert norms.return_level([[-np.inf] * 60], 20) == np.inf


def test_norms_come_back_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "x.norms.json"
    made = norms.Norms({"level": (0.5, 1.25)}, {"level": 4.0}, 99, ("2011-01-01", "2016-12-31"),
                       {"2016-12-31": 12.5})  # fmt: skip
    norms.save(made, path)
    assert norms.load(path) == made
    with pytest.raises(TerminalError, match="no norms"):
        norms.load(tmp_path / "y.norms.json")


def test_the_shipped_norms_never_saw_the_years_that_are_reported() -> None:
    shipped = norms.load(watch.norms_path("outbreak"))
    assert shipped.span[1] < "2017-01-01" and shipped.weeks > 800
    assert all(np.isfinite(v) for v in shipped.limits.values())


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_sentence_a_weight_and_a_runbook(kind: str) -> None:
    es, en = words.sentences(kind, ["cases_lag_0"], "1601")
    assert "1601" in es and "1601" in en and es != en
    assert words.sentences(kind, [], "")[0] and kind in words.WEIGHTS
    assert f"\n## {kind}\n" in (ROOT / "docs" / "runbooks.md").read_text("utf-8")


def test_every_runbook_that_an_alarm_names_is_there() -> None:
    code = [p.read_text("utf-8") for p in (ROOT / "yupana" / "monitoring").rglob("*.py")]
    named = {m for text in code for m in re.findall(r"docs/(\w+)\.md#([\w-]+)", text)}
    assert ("monitoring", "drift") in named
    anchors = {("runbooks", words.UNKNOWN.split("#")[1]), ("runbooks", words.USUAL.split("#")[1])}
    for page, anchor in named | anchors:
        text = (ROOT / "docs" / f"{page}.md").read_text("utf-8")
        found = {h.strip("# ").lower().replace(" ", "-") for h in re.findall(r"^#+ .*", text, re.M)}
        assert anchor in found, f"docs/{page}.md has no section '{anchor}'"


def test_a_new_code_is_told_when_its_cases_miss_elsewhere(features) -> None:
    """Half of a district's cases under a new code; a place that reports by itself is not told."""
    part = late_lake.known(COUNTS, LAST).with_columns(cases=pl.col("cases").cast(pl.Float64))
    since = late_lake.FIRST + timedelta(weeks=LAST - 1)
    halves = part.filter((pl.col("ubigeo") == "160101") & (pl.col("week_start") >= since))
    new = halves.with_columns(ubigeo=pl.lit("160199"), cases=(pl.col("cases") // 2) + 0.0)
    for lost in (True, False):
        old = part.with_columns(
            cases=pl.when((pl.col("ubigeo") == "160101") & (pl.col("week_start") >= since) & lost)
            .then(pl.col("cases") - pl.col("cases") // 2)
            .otherwise("cases")
        )
        rows = room.weekly_features({room.REPORTED: pl.concat([old, new])})
        newest = rows.with_columns(week=pl.col("event_timestamp").dt.date()).filter(
            pl.col("week") == END
        )
        history = features.filter(pl.col("week") < END)
        both = pl.concat([history, newest.drop("event_timestamp")])
        found = places.measure(window.of(both, list(TRAITS), END), TRAITS)
        assert [s.group for s in found] == ["160199"]
        values = found[0].value
        if lost:
            split = values
    assert split > values


def test_dates_are_weeks(seen: window.Window) -> None:
    assert seen.week == END and isinstance(END, date) and END.weekday() == 5
