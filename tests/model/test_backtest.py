"""The backtest's protocol on a planted line list, against counts and scores made a second way."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import planted
import polars as pl
import pytest
from stand_in import Room

from feature_repo.outbreak.weekly import REPORTED, weekly_features
from models.outbreak import linelist
from yupana.config.settings import ROOT
from yupana.core.errors import UsageError
from yupana.tasks.forecast.backtest import areas, origins, panel, vintages
from yupana.tasks.forecast.backtest import report as backtest_report
from yupana.tasks.forecast.backtest.areas import Counts
from yupana.tasks.forecast.frequency import WEEK
from yupana.tasks.forecast.quantiles import LEVELS, QUANTILES

TODAY = date(2026, 11, 24)
SPAN = "2015-W46:2016-W30:6"
HORIZONS = range(1, 9)


def features_of(rows: pl.DataFrame) -> pl.DataFrame:
    return weekly_features({REPORTED: rows})


def silent(_: str) -> None:
    return None


def read(*files: Path) -> Counts:
    return linelist.read(files, "LORETO", ROOT, today=TODAY, say=silent)


def run(path: Path, span: str = SPAN, room: Room | None = None) -> pd.DataFrame:
    days = origins.parse(span, WEEK)
    panels = panel.build(read(path), days, WEEK, len(HORIZONS))
    return vintages.forecasts(
        room or Room(), panels, days, features_of, seed=1, say=silent
    ).rows


@pytest.fixture(scope="module")
def cases() -> planted.Weeks:
    return planted.weeks()


@pytest.fixture(scope="module")
def room() -> Room:
    return Room()


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory, cases: planted.Weeks, room: Room) -> Any:
    path = planted.write(tmp_path_factory.mktemp("planted") / "cases.csv", cases)
    return run(path, room=room)


def test_every_model_forecasts_every_series_origin_and_week(rows: pd.DataFrame) -> None:
    span = origins.parse(SPAN, WEEK)
    for series, places in (("district", set(planted.MEANS)), ("department", {"16"})):
        part = rows[rows["series"] == series]
        assert set(part["model"]) == {"last_value", "seasonal", "ar", "stand_in"}
        assert set(part["entity"]) == places
        assert len(part) == 4 * len(places) * len(span) * 8
    assert set(rows["origin"]) == {o.start + timedelta(days=6) for o in span}
    assert not rows.isna().any().any()
    quantiles = rows[[f"q{level:g}" for level in QUANTILES]].to_numpy()
    assert (quantiles >= 0).all() and (np.diff(quantiles, axis=1) >= 0).all()


def test_a_model_with_totals_tells_the_department_by_them(rows: pd.DataFrame) -> None:
    own = rows[rows["model"] == "stand_in"]
    names, key = list(LEVELS), ["origin", "horizon"]
    summed = own[own["series"] == "district"].groupby(key)[names].sum()
    totals = own[own["series"] == "department"].set_index(key).sort_index()[names]
    pd.testing.assert_frame_equal(totals, summed)


def test_what_came_is_counted_from_the_file_and_a_week_without_a_row_is_zero(
    rows: pd.DataFrame, cases: planted.Weeks
) -> None:
    starts = planted.starts()
    by_day = {(u, starts[year, week]): n for (u, year, week), n in cases.items()}
    for _, row in rows.sample(400, random_state=1).iterrows():
        day = row["origin"] - timedelta(days=6) + timedelta(weeks=row["horizon"])
        own = {u: n for (u, d), n in by_day.items() if d == day}
        # The department counts its late district too.
        expected = sum(own.values()) if row["entity"] == "16" else own[row["entity"]]
        assert row["observed"] == expected
    assert (rows[rows["series"] == "district"]["observed"] == 0).any()


def test_scores_are_those_of_the_rows(rows: pd.DataFrame) -> None:
    report = backtest_report.tables(rows, "ubigeo", lead=4, seed=1)
    levels = np.array(QUANTILES)
    names = [f"q{level:g}" for level in QUANTILES]

    def wis(part: pd.DataFrame, scale: Any = lambda x: x) -> float:
        observed = scale(part["observed"].to_numpy(dtype=float))[:, None]
        score = scale(part[names].to_numpy())
        return float(2 * np.mean(((observed <= score) - levels) * (score - observed)))

    assert len(report.scores) == 8
    for score in report.scores:
        part = rows[(rows["model"] == score["model"]) & (rows["series"] == score["series"])]
        assert score["wis"] == pytest.approx(wis(part))
        assert score["wis_log"] == pytest.approx(wis(part, np.log1p))
        assert score["mae"] == pytest.approx((part["observed"] - part["q0.5"]).abs().mean())
        inside = part["observed"].between(part["q0.025"], part["q0.975"])
        assert score["coverage"]["95"] == pytest.approx(inside.mean())
        assert score["n"] == len(part)
    for key, values in (("horizon", HORIZONS), ("season", (2015, 2016))):
        groups = getattr(report, f"by_{key}")
        assert {f[key] for f in groups} == set(values)
        assert sum(f["n"] for f in groups) == len(rows)
    assert {f["ubigeo"] for f in report.by_district} == set(planted.MEANS)
    for score in report.pit:
        assert sum(score["deciles"]) == pytest.approx(1)
    assert json.loads(json.dumps(vars(report))) == vars(report)


def test_a_fit_a_year_from_its_first_origin_with_nothing_later(
    rows: pd.DataFrame, room: Room
) -> None:
    span = origins.parse(SPAN, WEEK)
    firsts = [next(o for o in span if o.year == year) for year in (2015, 2016)]
    assert len(rows) and len(room.given) == 2
    for frame, first in zip(room.given, firsts, strict=True):
        cut = pd.Timestamp(first.end, tz="UTC") + pd.Timedelta(
            hours=23, minutes=59, seconds=59
        )
        assert frame["event_timestamp"].max() == cut
        for h in HORIZONS:
            beyond = frame["event_timestamp"] + pd.Timedelta(weeks=h) > cut
            assert (frame[f"target_{h}"].isna() == beyond).all()


def test_parts_share_no_week_that_is_scored(rows: pd.DataFrame, room: Room) -> None:
    frame = room.given[0]
    week = pd.Timedelta(weeks=1)
    of = {part: frame[frame["part"] == part]["event_timestamp"] for part in ("train", "validation")}
    assert of["validation"].nunique() == 52
    assert of["train"].max() + 8 * week < of["validation"].min() + week
    assert of["validation"].max() + 8 * week == frame["event_timestamp"].max()
    held_out = frame[frame["part"] == "validation"]
    assert not held_out[[f"target_{h}" for h in HORIZONS]].isna().any().any()


def test_no_case_after_an_origin_changes_its_forecasts(
    tmp_path: Path, cases: planted.Weeks, rows: pd.DataFrame
) -> None:
    span = origins.parse(SPAN, WEEK)
    last = span[2]
    changed = {
        (u, year, week): n * 7 + 3 if (year, week) > WEEK.number(last.start) else n
        for (u, year, week), n in cases.items()
    }
    other = run(planted.write(tmp_path / "changed.csv", changed))
    keys, levels = list(vintages.KEYS), list(LEVELS)
    before = rows["origin"] <= last.end
    same = other["origin"] <= last.end
    pd.testing.assert_frame_equal(rows[before][keys + levels], other[same][keys + levels])
    assert (rows[before]["observed"].to_numpy() != other[same]["observed"].to_numpy()).any()
    assert (rows[~before][levels].to_numpy() != other[~same][levels].to_numpy()).any()


@pytest.mark.parametrize(
    ("span", "what"), [("2013-W01:2013-W09:4", "weeks of data behind it"),
                       ("2016-W40:2016-W52:4", "no week of data after it")],
)  # fmt: skip
def test_origins_that_the_data_cannot_serve_are_refused(
    tmp_path: Path, cases: planted.Weeks, span: str, what: str
) -> None:
    counts = read(planted.write(tmp_path / "a.csv", cases))
    with pytest.raises(UsageError, match=what):
        panel.build(counts, origins.parse(span, WEEK), WEEK, len(HORIZONS))


def test_weeks_ahead_that_the_data_does_not_reach_are_not_scored(
    tmp_path: Path, cases: planted.Weeks
) -> None:
    past = {key: n for key, n in cases.items() if key[1:] <= (2015, 50)}
    report = run(planted.write(tmp_path / "a.csv", past), "2015-W47:2015-W47:1")
    assert set(report["horizon"]) == {1, 2, 3}


def test_the_command_writes_report_and_rows_and_does_nothing_twice(
    tmp_path: Path, cases: planted.Weeks, monkeypatch: pytest.MonkeyPatch
) -> None:
    import typer
    from typer.testing import CliRunner

    from yupana.config import settings
    from yupana.tasks.forecast.commands import backtest

    app = typer.Typer()
    app.callback()(lambda: None)
    backtest.register(app)

    monkeypatch.setenv("YUPANA_HOME", str(tmp_path / "home"))
    settings.settings.cache_clear()
    out = tmp_path / "out" / "report.json"
    parts = [
        str(
            planted.write(tmp_path / name, {k: n for k, n in cases.items() if old == (k[1] < 2015)})
        )
        for name, old in (("old.csv", True), ("new.csv", False))
    ]
    arguments = ["backtest", "outbreak", "--cases", *parts, "--origins", "2015-W46:2015-W50:4",
             "--out", str(out), "--json"]  # fmt: skip
    try:
        output = CliRunner().invoke(app, arguments, catch_exceptions=False)
        again = CliRunner().invoke(app, arguments, catch_exceptions=False)
        wrong = CliRunner().invoke(app, [*arguments[:2], "absent.csv"])
    finally:
        settings.settings.cache_clear()
    report = json.loads(out.read_text())
    assert report["source"] == [*json.loads(output.stdout.splitlines()[-1])["inputs"]]
    assert report["source"][0].startswith("file:old.csv@")
    content = json.loads(output.stdout.splitlines()[-1])
    assert content["scores"] == report["scores"]
    assert report["final"] in {s["model"] for s in report["scores"]}
    assert report["baselines"] == ["last_value", "seasonal", "ar"]
    models = {report["final"], *report["baselines"], *report["members"]}
    assert models == {s["model"] for s in report["scores"]}
    assert set(report["scores"][0]) == {"model", "series", "wis", "wis_log", "mae", "coverage", "n"}
    rows = pd.read_parquet(out.with_name("report.rows.parquet"))
    keys = ["model", "series", "ubigeo", "origin", "horizon"]
    assert list(rows.columns) == [*keys, "observed", *LEVELS, "channel_high", "channel_rate"]
    assert len(content["alerts"]["district"]["skill"]) == len(HORIZONS)
    assert {"district", "department"} == {s["series"] for s in report["alerts"]["scores"]}
    assert {"ubigeo", "n"} <= set(report["by_district"][0])
    assert json.loads(again.stdout.splitlines()[-1])["status"] == "unchanged"
    assert isinstance(wrong.exception, UsageError)


def test_a_model_learns_from_a_wider_area_and_the_baselines_do_not(
    tmp_path: Path, cases: planted.Weeks, rows: pd.DataFrame
) -> None:
    path = planted.write(tmp_path / "cases.csv", cases)
    area, days, room = read(path), origins.parse(SPAN, WEEK), Room()
    elsewhere = area.counts.with_columns(entity=pl.lit("250101"), cases=pl.col("cases") + 1)
    elsewhere = elsewhere.group_by("entity", "week_start").agg(pl.max("cases"))
    wider = replace(area, counts=pl.concat([area.counts, elsewhere.select(area.counts.columns)]))
    panels = panel.build(area, days, WEEK, len(HORIZONS))
    learned = vintages.forecasts(
        room, panels, days, features_of, seed=1, say=silent,
        learn_from=panel.districts(wider, days[0], WEEK, len(HORIZONS)),
    ).rows  # fmt: skip
    for frame in room.given:
        assert set(frame["entity"]) == {*planted.MEANS, "250101"}
    assert set(learned["entity"]) == {*planted.MEANS, "16"}
    for model in ("last_value", "seasonal", "ar"):
        same = [r[r["model"] == model].reset_index(drop=True) for r in (learned, rows)]
        pd.testing.assert_frame_equal(*same)


def test_an_area_is_a_department_or_the_country() -> None:
    assert areas.area("Perú", "--train-on") == ("", "PERU") == areas.area("peru", "--department")
    assert areas.area("Madre de Dios", "--department") == areas.department("MADRE DE DIOS")
    with pytest.raises(UsageError, match="no department 'Chile'"):
        areas.area("Chile", "--train-on")
