"""The weekly checks on past years of the sample: faults are flagged and named, quiet is kept.

The weeks are of 2014-2016, before the years that docs/replay.md reports on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from feature_repo.outbreak.weekly import LAYOUT
from models.outbreak import USE_CASE as OUTBREAK
from models.outbreak import linelist
from models.outbreak.replay import faults, history, lateness, pasts, plant, run, score
from models.outbreak.replay.fault import LOOKS, Fault
from models.outbreak.replay.history import Counts, History
from yupana.cli.main import app
from yupana.config.settings import ROOT
from yupana.tasks.forecast.checks import judge, learn, norms, watch
from yupana.tasks.forecast.checks.norms import Norms
from yupana.tasks.forecast.checks.past import by_year
from yupana.tasks.forecast.quantiles import LEVELS

INVARIANTS = LAYOUT.invariants
SAMPLE = ROOT / "samples" / "dengue_loreto_2010_2021.csv.gz"
FIRST, LAST = date(2014, 5, 4), date(2014, 11, 2)
Model = pasts.Model


def silent(_: str) -> None:
    return None


@pytest.fixture(scope="module")
def table() -> pl.DataFrame:
    history = linelist.read([SAMPLE], "LORETO", ROOT, today=date(2026, 1, 1), say=silent)
    return history.counts


@pytest.fixture(scope="module")
def counts(table: pl.DataFrame) -> Counts:
    return history.before(history.counts_of(table), week_of(table, 2017))


@pytest.fixture(scope="module")
def usual() -> Norms:
    return norms.load(norms.path_of("outbreak"))


@pytest.fixture(scope="module")
def model(counts: Counts) -> Model:
    return by_year(OUTBREAK, history.final(counts, OUTBREAK), 2017)


@pytest.fixture(scope="module")
def past(counts: Counts, model: Model) -> History:
    """Weeks up to November 2014, reported late and slower around holidays."""
    return small_past(counts, model, lateness.HOLIDAYS)


def small_past(
    counts: Counts, model: Model, late: lateness.Lateness, since: date = FIRST
) -> History:
    """Weeks that can be watched since a day."""
    first, last = counts.weeks.index(since), counts.weeks.index(LAST)
    span = range(first - run.MARGIN, last + 3)
    return pasts.build(counts, OUTBREAK, model, [late], seed=77, span=span, say=silent)[0]


def week_of(table: pl.DataFrame, year: int) -> int:
    return history.first_week(history.counts_of(table), year)


def alarms_of(past: History, weeks: Iterator[int] | range, usual: Norms) -> list[score.Alarm]:
    return [alarm for week in weeks for alarm in run.loud(past, week, INVARIANTS, usual)]


FAULTS = [
    ("swapped", "swapped columns", ("cases_lag_2", "cases_lag_5"), "", 0.0),
    ("swapped", "swapped columns", ("mean_52", "temperature"), "", 0.0),
    ("swapped", "swapped columns, one province", ("cases_lag_0", "mean_104"), "1602", 0.0),
    ("swapped", "climate columns swapped in the source", (), "", 0.0),
    ("frozen", "frozen column", ("cases_lag_3",), "", 0.0),
    ("frozen", "frozen column", ("temperature",), "", 0.0),
    ("frozen", "frozen column, one province", ("cases_lag_10",), "1601", 0.0),
    ("frozen", "whole table not renewed", (), "", 0.0),
    ("frozen", "source repeats a week's counts", (), "", 0.0),
    ("split", "new code for a part", (), "160101", 0.5),
    ("split", "new code for a part, past as well", (), "160201", 0.5),
    ("split", "renamed", (), "160113", 1.0),
    ("unit", "scaled column", ("cases_lag_8",), "", 10.0),
    ("unit", "scaled column", ("completeness",), "", 100.0),
    ("unit", "scaled column, one province", ("province_population",), "1601", 0.001),
    ("unit", "counts in another unit in the source", (), "16", 0.1),
    ("unit", "counts in another unit in the source, one province", (), "1601", 10.0),
    ("unit", "climate in another unit in the source", (), "", 0.0),
    ("doubled", "new weeks", (), "16", 2.0),
    ("doubled", "whole file twice", (), "16", 2.0),
    ("doubled", "whole file twice, one province", (), "1602", 2.0),
    ("doubled", "last four weeks sent twice", (), "16", 2.0),
    ("doubled", "feature rows joined twice", (), "16", 2.0),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "way", "columns", "group", "number"), FAULTS)
def test_a_fault_is_flagged_within_two_weeks_and_named(
    past: History, model: Model, usual: Norms, kind: str, way: str,
    columns: tuple[str, ...], group: str, number: float,
) -> None:  # fmt: skip
    week = past.counts.weeks.index(date(2014, 10, 5))
    fault = Fault(kind, way, week, columns, group, number, seed=3)
    faulty = plant.plant(past, fault, INVARIANTS, model, LOOKS)
    for now in range(week, week + LOOKS):
        look = range(now, now + 1)
        quiet = {a.key for a in alarms_of(past, look, usual)}
        alarms = [a for a in alarms_of(faulty, look, usual) if a.key not in quiet]
        if alarms:
            break
    assert alarms and alarms[0].kind == kind
    assert len([a for a in alarms if a.kind == kind]) == 1, "one alarm a finding"
    if columns and way != "scaled column":
        assert all(c in alarms[0].en for c in columns)
    if group and columns:
        assert group in alarms[0].en


def test_half_a_year_without_a_fault_is_quiet(past: History, usual: Norms) -> None:
    first, last = past.counts.weeks.index(FIRST), past.counts.weeks.index(LAST)
    assert alarms_of(past, range(first, last), usual) == []


@pytest.mark.parametrize("late", [lateness.SLOWING, lateness.ERRATIC, lateness.PROMPT])
def test_late_reports_alone_raise_nothing(
    counts: Counts, model: Model, usual: Norms, late: lateness.Lateness
) -> None:
    since = date(2014, 9, 7)
    lately = small_past(counts, model, late, since)
    weeks = range(counts.weeks.index(since), counts.weeks.index(LAST))
    assert alarms_of(lately, weeks, usual) == []


def test_norms_are_those_that_code_and_data_give(
    counts: Counts, model: Model, usual: Norms
) -> None:
    until = len(counts.weeks)
    span = range(until - run.MARGIN, until)
    seed = 3 + pasts.LEARNED
    newest = pasts.build(
        counts, OUTBREAK, model, pasts.LATE[:1], seed=seed, span=span, say=silent
    )[0]
    ((week, total),) = usual.probe.items()
    assert usual.span[1] == week == str(newest.saturday(until - 1)) == "2016-12-31"
    norms = learn.one_period(newest, until - 1, INVARIANTS)
    assert sum(s.value for s in norms) == pytest.approx(total, abs=0.002), (
        "the checks or the features changed: run `yupana outbreak replay --out DIR` and copy "
        "DIR/norms.json to models/outbreak/norms.json"
    )
    assert {s.check for s in norms} <= set(usual.limits)
    assert all(usual.limits[check] == limit for check, limit in judge.RULES.items())


def test_names_of_districts_do_not_matter(past: History, model: Model, usual: Norms) -> None:
    """Other entities in the same order within the same provinces: the same checks."""
    week = past.counts.weeks.index(date(2014, 10, 5))
    other = {u: f"{u[:4]}{50 + int(u[4:])}" for u in past.counts.entities}
    renamed = replace(
        past, counts=replace(past.counts, entities=tuple(other[u] for u in past.counts.entities))
    )
    fault = Fault("doubled", "whole file twice, one province", week, (), "1602", 2.0)
    for one in (past, renamed):
        assert alarms_of(one, range(week - 3, week), usual) == []
    both = [plant.plant(one, fault, INVARIANTS, model, 1) for one in (past, renamed)]
    first, second = (
        [(a.kind, a.key[:2]) for a in alarms_of(one, range(week, week + 1), usual)] for one in both
    )
    assert first == second and first[0][0] == "doubled"


def test_the_order_of_rows_does_not_matter(past: History, usual: Norms) -> None:
    """What `watch` is given as tables is judged as the replay judges its arrays."""
    week = past.counts.weeks.index(date(2014, 10, 5))
    features, forecasts, truth = tables(past, week)
    day = past.saturday(week)
    outcome = watch.watch(
        features.sample(fraction=1, shuffle=True, seed=1), forecasts, truth, day,
        definition=OUTBREAK,
    )
    same = watch.watch(features, forecasts, truth, day, definition=OUTBREAK)
    assert outcome == same and not [c for c in outcome if c.state == "alarm"]
    assert {c.check for c in outcome if c.state == "ok"} >= {"identity", "multiple", "score"}
    without = watch.watch(features, None, None, day, definition=OUTBREAK)
    assert {c.check for c in without if c.state == "unknown"} == {"forecast", "score", "coverage"}


def test_alarms_come_first_with_a_runbook(past: History, model: Model) -> None:
    week = past.counts.weeks.index(date(2014, 10, 5))
    fault = Fault("frozen", "frozen column", week, ("cases_lag_3",))
    faulty = plant.plant(past, fault, INVARIANTS, model, 1)
    features, forecasts, truth = tables(faulty, week)
    outcome = watch.watch(features, forecasts, truth, past.saturday(week), definition=OUTBREAK)
    loud = [c for c in outcome if c.state == "alarm"]
    assert outcome[: len(loud)] == loud and loud[0].severity == "critical"
    assert loud[0].kind == "frozen" and loud[0].runbook == "docs/runbooks.md#frozen"
    assert "cases_lag_3" in loud[0].es and "repite" in loud[0].es
    assert {c.severity for c in loud[1:]} == {"info"}, "said once"


def tables(past: History, week: int) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """What `known.read` gives of a past."""
    rows, ahead, truth = [], [], []
    counts = past.reported(week)
    for w in range(week - run.MARGIN + 1, week + 1):
        for i in np.flatnonzero(~np.isnan(past.values[w]).all(axis=1)):
            entity, day = past.counts.entities[i], past.saturday(w)
            rows.append((entity, day, *past.values[w, i]))
            for h, quantiles in enumerate(past.quantiles[w, i], 1):
                ahead.append((entity, day, h, *quantiles))
        if w <= week - 8:
            truth += [
                (u, past.saturday(w), counts[i, w]) for i, u in enumerate(past.counts.entities)
            ]
    return (
        pl.DataFrame(rows, schema=["entity", "end", *past.columns], orient="row"),
        pl.DataFrame(ahead, schema=["entity", "origin", "horizon", *LEVELS], orient="row"),
        pl.DataFrame(truth, schema=["entity", "end", "cases"], orient="row"),
    )


def test_faults_are_drawn_alike_by_seed_and_kept_to_the_rules(past: History) -> None:
    span = range(past.counts.weeks.index(FIRST), past.counts.weeks.index(LAST))
    cases = [
        list(faults.sample([past], INVARIANTS, span, each=2, small=1, seed=seed)) for seed in (5,
        5, 6)
    ]
    assert cases[0] == cases[1] != cases[2]
    for _, fault in cases[0]:
        assert fault.week in span
        if fault.kind == "doubled" and fault.variant == "new weeks" and fault.visible:
            newest = [past.reported(w)[:, w] for w in range(fault.week, fault.week + 2)]
            assert (np.array(newest) > 0).sum() >= faults.COUNTED


def test_a_part_that_moves_is_neither_lost_nor_doubled(past: History) -> None:
    week = past.counts.weeks.index(date(2014, 10, 5))
    fault = Fault("split", "new code for a part", week, (), "160101", 0.5, seed=3)
    for now in (week, week + 1):
        old, moved = plant.altered(past, fault, now)
        assert np.array_equal(old + moved, past.reported(now))
        assert moved[:, :week].sum() == 0 < moved[:, week:].sum()
    earlier = plant.altered(past, fault, week)[1]
    assert (plant.altered(past, fault, week + 1)[1][:, : week + 1] >= earlier).all()


def test_the_command_learns_watches_and_writes(
    table: pl.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, usual: Norms
) -> None:
    """A short replay: norms are given, since learning them takes a minute."""
    monkeypatch.setattr(run, "usual", lambda *_: usual)
    monkeypatch.setattr(run, "UNSEEN", ())
    monkeypatch.setattr(pasts, "LATE", pasts.LATE[:1])
    ways = {"frozen": faults.VARIANTS["frozen"][2:3], "doubled": faults.VARIANTS["doubled"][2:3]}
    for module in (faults, score):
        monkeypatch.setattr(module, "VARIANTS", ways)
    monkeypatch.setattr(run, "Plan", lambda *a, each: run_plan(*a, repeats=1, each=each, hidden=1))
    arguments = ["outbreak", "replay", "--from", "2015", "--to", "2015", "--each", "2"]
    result = CliRunner().invoke(app, [*arguments, "--cases", str(SAMPLE), "--out", str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert "targets" in result.output and "planted" in result.output
    text = (tmp_path / "confusion.html").read_text()
    for part in ("<svg", "¿Se dan cuenta", "Do the checks notice", "2 / 2"):
        assert part in text
    report = (tmp_path / "confusion.md").read_text()
    assert "| frozen | 2 | 0 | 0 | 2/2 | 2 |" in report
    assert (tmp_path / "confusion.json").exists() and (tmp_path / "norms.json").exists()


run_plan = run.Plan
