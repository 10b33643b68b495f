"""A whole run of the monitor on a small lake: what was known then, performance, page, history."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import late_lake
import numpy as np
import polars as pl
import pytest

from models.outbreak import USE_CASE as OUTBREAK
from yupana.config.settings import Settings
from yupana.monitoring import alerts, history, kind
from yupana.monitoring import run as monitor
from yupana.tasks.forecast.entities import outward
from yupana.tasks.forecast.frequency import WEEK
from yupana.tasks.forecast.monitoring import inputs, performance
from yupana.tasks.forecast.monitoring.observe import MEDIAN, in_batch, observe
from yupana.tasks.forecast.quantiles import LEVELS, QUANTILES
from yupana.tasks.forecast.scoring.scores import score as scored_by_evaluation

NAN = float("nan")
NOW = datetime(2019, 6, 1, tzinfo=UTC)
VERSIONS = 40
MODEL = "model:outbreak@1"
LAST = late_lake.HISTORY + VERSIONS - 1
DAY = late_lake.known_on(LAST)
END = late_lake.FIRST + timedelta(weeks=LAST, days=6)


def forecasts(counts: np.ndarray, narrow: float = 1.0) -> pl.DataFrame:
    """Quantiles about what came, of origins of the last year; `narrow` shrinks them."""
    rng = np.random.default_rng(1)
    totals = counts.sum(axis=2)
    rows = []
    for week in range(LAST - 30, LAST + 1):
        for i, entity in enumerate(late_lake.DISTRICTS):
            for horizon in (1, 2):
                ahead = min(week + horizon, totals.shape[1] - 1)
                middle = max(0.0, totals[i, ahead] + rng.normal(0, 4))
                spread = narrow * 16 * (np.array(QUANTILES) - 0.5)
                rows.append((entity, saturday(week), horizon, *np.maximum(0, middle + spread)))
    schema = ["entity", "origin", "horizon", *LEVELS]
    return pl.DataFrame(rows, schema=schema, orient="row").with_columns(
        model=pl.lit(MODEL),
        # A district without a channel, as where the history is too short.
        channel_high=pl.when(pl.col("entity") != late_lake.DISTRICTS[0]).then(5.0).otherwise(NAN),
        exceedance=pl.when(pl.col("horizon") == 1).then(0.75).otherwise(0.25),
    )


def saturday(week: int) -> date:
    return late_lake.FIRST + timedelta(weeks=week, days=6)


@pytest.fixture(scope="module")
def counts() -> np.ndarray:
    return late_lake.true_counts(LAST + 3)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory, counts: np.ndarray) -> Settings:
    """Weekly publications, features in two versions, and forecasts."""
    settings = late_lake.make(tmp_path_factory.mktemp("watched"), VERSIONS, counts)
    for week in (LAST - 1, LAST):
        known = OUTBREAK.series(late_lake.vintage(counts, week))
        rows = outward(OUTBREAK.features({OUTBREAK.counted: known}), "ubigeo")
        table = settings.table("features", OUTBREAK.spec.features.table)
        table.parent.mkdir(parents=True, exist_ok=True)
        rows.write_delta(str(table), mode="overwrite")
    settings.table("forecasts", "x").parent.mkdir(parents=True, exist_ok=True)
    outward(forecasts(counts), "ubigeo").write_delta(str(settings.table("forecasts", "outbreak")))
    return settings


@pytest.fixture(scope="module")
def read(lake: Settings) -> inputs.Snapshot:
    return inputs.read(lake, OUTBREAK, DAY, MODEL)


def test_a_week_is_looked_at_as_it_was_known_when_it_was_new(read, counts) -> None:
    assert read.end == END and read.as_known == 2
    before = read.features.filter(end=END - timedelta(weeks=1), entity="160101")
    assert before["cases_lag_0"][0] == counts[0, LAST - 1, :1].sum(), "not what came a week later"
    assert read.features.filter(end=END)["cases_lag_1"].to_list() == [
        counts[i, LAST - 1, :2].sum() for i in range(len(late_lake.DISTRICTS))
    ]


def test_weeks_that_are_still_reported_are_not_the_truth(read, counts) -> None:
    assert END in read.unfinished and len(read.unfinished) >= 3
    assert not set(read.truth["end"]) & set(read.unfinished)
    old = read.truth.filter(end=saturday(LAST - 12), entity="160101")
    assert old["cases"][0] == counts[0, LAST - 12].sum()


def test_an_earlier_day_sees_earlier_weeks_alone(lake: Settings, read) -> None:
    then = inputs.read(lake, OUTBREAK, late_lake.known_on(LAST - 1), MODEL)
    assert then.end == END - timedelta(weeks=1)
    assert then.features["end"].max() == then.end
    assert then.forecasts is not None and then.forecasts["origin"].max() <= then.end
    assert then.truth["end"].max() < read.truth["end"].max()


def test_scores_are_those_of_the_evaluation(read) -> None:
    scores = performance.score(read.forecasts, read.truth, {}, OUTBREAK).document(WEEK)
    due = read.forecasts.with_columns(end=pl.col("origin") + pl.duration(weeks=pl.col("horizon")))
    rows = due.join(read.truth, on=["entity", "end"])
    theirs = scored_by_evaluation(
        rows["cases"].to_numpy()[:, None], rows.select(LEVELS).to_numpy()[:, None, :]
    )
    assert scores["n"] == len(rows) == theirs["counts"] > 200
    assert scores["waiting"] == len(read.forecasts) - len(rows) > 0
    assert scores["all"]["wis"] == pytest.approx(theirs["wis"], abs=1e-5)
    for name in ("coverage_50", "coverage_90"):
        assert scores["all"][name] == pytest.approx(theirs[name], abs=1e-4)
    assert [g["of"] for g in scores["groups"] if g["by"] == "horizon"] == ["1", "2"]


def test_alerts_are_judged_where_there_was_a_channel(read) -> None:
    scores = performance.score(read.forecasts, read.truth, {}, OUTBREAK)
    due = read.forecasts.with_columns(end=pl.col("origin") + pl.duration(weeks=pl.col("horizon")))
    rows = due.join(read.truth, on=["entity", "end"])
    rows = rows.filter(pl.col("entity") != late_lake.DISTRICTS[0])
    came = (rows["cases"] > 5).to_numpy()
    chance = np.where(rows["horizon"].to_numpy() == 1, 0.75, 0.25)
    assert 0 < came.mean() < 1
    assert scores.all.exceeded == pytest.approx(came.mean(), abs=1e-4)
    assert scores.all.exceedance == pytest.approx(chance.mean(), abs=1e-4)
    assert scores.all.brier == pytest.approx(((chance - came) ** 2).mean(), abs=1e-4)
    without = read.forecasts.with_columns(channel_high=NAN)
    assert performance.score(without, read.truth, {}, OUTBREAK).all.brier is None


def test_a_group_of_few_cases_is_not_told(read) -> None:
    few = read.truth.with_columns(
        cases=pl.when(pl.col("entity").str.starts_with("1605"))
        .then((pl.col("end") == saturday(LAST - 20)).cast(float))
        .otherwise("cases")
    )
    groups = performance.score(read.forecasts, few, {}, OUTBREAK).document(WEEK)["groups"]
    province = {g["of"]: g for g in groups if g["by"] == "province"}
    assert province["1605"]["cases"] is None and province["1605"]["wis"] is None
    hidden = [of for of, g in province.items() if g["cases"] is None]
    assert len(hidden) == 2, "one alone could be found from the total"


@pytest.mark.parametrize(("narrow", "state"), [(1.0, "ok"), (0.05, "alarm")])
def test_intervals_that_miss_are_an_alarm(read, counts, narrow: float, state: str) -> None:
    scores = performance.score(forecasts(counts, narrow), read.truth, {}, OUTBREAK)
    coverage, _ = performance.checks(scores, None, END, WEEK)
    assert (coverage.check, coverage.state) == ("coverage", state)
    few = replace(scores, n=performance.FEWEST - 1)
    assert performance.checks(few, None, END, WEEK)[0].state == "unknown"


def test_doing_worse_than_in_the_test_weeks_is_an_alarm(read) -> None:
    scores = performance.score(read.forecasts, read.truth, {}, OUTBREAK)
    usual = scores.all.wis_relative
    assert performance.checks(scores, usual, END, WEEK)[1].state == "ok"
    worse = performance.checks(scores, usual / 2, END, WEEK)[1]
    assert (worse.state, worse.kind) == ("alarm", "performance") and worse.value == pytest.approx(2)
    assert performance.checks(scores, None, END, WEEK)[1].state == "unknown"


def observed(settings: Settings) -> kind.Observe:
    return lambda run: observe(settings, OUTBREAK, run)


def request_of(name: str, folder: Path) -> kind.Run:
    refs = (MODEL, "delta:features/outbreak_weekly@1")
    return kind.Run(name, MODEL, folder, 8, DAY, False, refs)


def test_what_was_forecast_in_batch_is_an_answer_with_its_features(read) -> None:
    rows = in_batch(read)
    features = {*OUTBREAK.layout().monitored}
    assert {"entity", "period", "model", "times", MEDIAN} | features <= {*rows.columns}
    assert set(rows["period"]) <= set(read.features["end"]) and rows["period"].max() == END
    newest = rows.filter(pl.col("period") == END)
    assert newest["entity"].n_unique() == len(newest) > 1
    assert set(rows["model"]) == {MODEL.rpartition("@")[2]}
    assert in_batch(replace(read, forecasts=None)) is None


def test_a_run_leaves_page_facts_history_and_no_answers_are_no_error(
    lake: Settings, tmp_path: Path
) -> None:
    lines: list[str] = []
    result = monitor.run(
        lake, "outbreak", request_of("aa11", tmp_path), observed(lake), NOW, lines.append
    )
    page, facts = Path(result.html), json.loads(Path(result.json).read_text())
    assert page.name == f"watch-{END}.html" and result.ref == "report:outbreak/aa11"
    text = page.read_text()
    told_in = ("¿Sigue valiendo el modelo?", "Does the model still hold?", "<svg", "Maynas")
    for part in (*told_in, str(END)):
        assert part in text
    assert "<script" not in text and "http://" not in text.replace("http://www.w3.org", "")
    assert facts["performance"]["n"] == result.scored > 200
    assert facts["checks"] and facts["id"] == "aa11" and facts["drift"] is None
    assert monitor.whole(result.json, "aa11") and not monitor.whole(result.json, "bb22")
    points = history.trend(lake.platform_db, "outbreak", "coverage", "90")
    assert [p.period for p in points] == [END] and points[0].value > 0.5


def test_what_answers_is_judged_and_another_champion_is_told(
    lake: Settings, counts: np.ndarray, tmp_path: Path
) -> None:
    """Version 2 was promoted and not deployed: its forecasts, made later, are not what answers."""
    own = Settings(home=shutil.copytree(lake.home, tmp_path / "home"))
    table = str(own.table("forecasts", "outbreak"))
    other = forecasts(counts, narrow=0.05).with_columns(model=pl.lit("model:outbreak@2"))
    outward(other, "ubigeo").write_delta(table, mode="append")
    difference = ("campeón del registro: outbreak@2", "champion of the registry: outbreak@2")
    request = replace(request_of("ee55", tmp_path), difference=difference)
    result = monitor.run(own, "outbreak", request, observed(own), NOW, lambda _: None)
    report = json.loads(Path(result.json).read_text())
    checks = {(c["check"], c["column"]): c for c in report["checks"]}
    assert checks["coverage", "90"]["state"] == "ok"
    said = checks["model", ""]
    assert (said["state"], said["severity"]) == ("alarm", "info") and difference[1] in said["en"]
    assert not [a for a in alerts.every(own.platform_db, "outbreak") if a.check == "model"]
    same = replace(request_of("ff66", tmp_path), model="model:outbreak@2")
    result = monitor.run(own, "outbreak", same, observed(own), NOW, lambda _: None)
    report = json.loads(Path(result.json).read_text())
    states = {(c["check"], c["column"]): c["state"] for c in report["checks"]}
    assert states["coverage", "90"] == "alarm" and ("model", "") not in states


def test_an_earlier_week_opens_and_closes_no_alert(
    lake: Settings, counts: np.ndarray, tmp_path: Path
) -> None:
    own = Settings(home=shutil.copytree(lake.home, tmp_path / "home"))
    table = str(own.table("forecasts", "outbreak"))
    outward(forecasts(counts, narrow=0.05), "ubigeo").write_delta(table, mode="overwrite")
    monitor.run(own, "outbreak", request_of("cc33", tmp_path), observed(own), NOW, lambda _: None)
    before = alerts.every(own.platform_db, "outbreak")
    assert "coverage" in {alert.check for alert in before}
    earlier = replace(request_of("dd44", tmp_path), day=late_lake.known_on(LAST - 1))
    result = monitor.run(
        own, "outbreak", earlier, observed(own), NOW + timedelta(hours=1), lambda _: None
    )
    assert result.checks["alarm"] and not result.alerts
    assert alerts.every(own.platform_db, "outbreak") == before
