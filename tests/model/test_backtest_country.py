"""A whole country in one backtest: two made-up departments beside a run of each alone."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import planted
import polars as pl
import pytest
import typer
from stand_in import Room
from typer.testing import CliRunner

from feature_repo.outbreak.weekly import REPORTED, weekly_features
from models.outbreak import USE_CASE as outbreak
from models.outbreak import linelist
from yupana.config import settings
from yupana.config.settings import ROOT, Settings
from yupana.tasks.forecast import usecases
from yupana.tasks.forecast.backtest import by_department, origins, page_numbers, panel, vintages
from yupana.tasks.forecast.backtest.areas import Counts
from yupana.tasks.forecast.backtest.by_department import DepartmentScores
from yupana.tasks.forecast.commands import backtest
from yupana.tasks.forecast.frequency import WEEK
from yupana.tasks.forecast.quantiles import LEVELS, QUANTILES

TODAY = date(2026, 11, 24)
SPAN = "2015-W46:2016-W30:6"
BASELINES = ("last_value", "seasonal", "ar")
DISTRICTS = {"16": planted.MEANS, "25": planted.ELSEWHERE}
FIELDS = [
    "scores", "final", "baselines", "members", "seconds", "frequency", "department", "trained_on",
    "districts", "origins", "source", "left_out_rows", "by_horizon", "by_season", "by_district",
    "pit", "alerts", "missed",
]  # fmt: skip


def read(path: Path, area: str) -> Counts:
    return linelist.read([path], area, ROOT, today=TODAY, say=lambda _: None)


def forecast(counts: Counts, room: Room) -> pd.DataFrame:
    days = origins.parse(SPAN, WEEK)
    panels = panel.build(counts, days, WEEK, 8)
    return vintages.forecasts(
        room, panels, days, lambda rows: weekly_features({REPORTED: rows}), seed=1,
        say=lambda _: None,
    ).rows  # type: ignore[arg-type]  # fmt: skip


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return planted.write(tmp_path_factory.mktemp("country") / "cases.csv", planted.country())


@pytest.fixture(scope="module")
def room() -> Room:
    return Room()


@pytest.fixture(scope="module")
def rows(path: Path, room: Room) -> pd.DataFrame:
    counts = read(path, "PERU")
    # Nobody forecasts a department whose first case comes after the first origin.
    late = pl.DataFrame({"entity": ["040101"], "week_start": [date(2016, 5, 1)], "cases": [3]})
    late = late.cast(counts.counts.schema)  # type: ignore[arg-type]
    return forecast(Counts(pl.concat([counts.counts, late]), counts.last, 0), room)


def of(rows: pd.DataFrame, code: str) -> pd.DataFrame:
    return rows[rows["entity"].str.startswith(code)].reset_index(drop=True)


def test_every_department_is_forecast_by_every_model(rows: pd.DataFrame) -> None:
    places = {*planted.MEANS, *planted.ELSEWHERE}
    for series, expected in (("district", places), ("department", {"16", "25"})):
        part = rows[rows["series"] == series]
        for model in ("stand_in", *BASELINES):
            assert set(part[part["model"] == model]["entity"]) == expected
    assert not rows.duplicated(list(vintages.KEYS)).any()


def test_the_model_learns_from_the_country(rows: pd.DataFrame, room: Room) -> None:
    assert len(rows) and len(room.given) == 2
    for frame in room.given:
        assert set(frame["entity"]) == {*planted.MEANS, *planted.ELSEWHERE}


@pytest.mark.parametrize("code", ["16", "25"])
def test_the_baselines_are_those_of_a_run_of_the_department_alone(
    rows: pd.DataFrame, path: Path, code: str
) -> None:
    alone = forecast(read(path, planted.DEPARTMENTS[code]), Room())
    for model in BASELINES:
        mine, same = (of(r[r["model"] == model], code) for r in (rows, alone))
        assert len(mine) > 0
        pd.testing.assert_frame_equal(mine, same)
    sums = (r[(r["model"] == "stand_in") & (r["entity"] == code)] for r in (rows, alone))
    pd.testing.assert_series_equal(*(s["observed"].reset_index(drop=True) for s in sums))


@pytest.mark.parametrize("code", ["16", "25"])
def test_the_sums_of_a_department_are_told_by_its_own_rows(rows: pd.DataFrame, code: str) -> None:
    own, key = of(rows[rows["model"] == "stand_in"], code), ["origin", "horizon"]
    summed = own[own["series"] == "district"].groupby(key)[list(LEVELS)].sum()
    totals = own[own["series"] == "department"].set_index(key).sort_index()[list(LEVELS)]
    pd.testing.assert_frame_equal(totals, summed)


def wis(rows: pd.DataFrame, log: bool = False) -> float:
    scale = np.log1p if log else np.asarray
    observed = scale(rows["observed"].to_numpy(dtype=float))[:, None]
    quantiles = scale(rows[list(LEVELS)].to_numpy())
    over = (observed <= quantiles) - np.array(QUANTILES)
    return float(2 * np.mean(over * (quantiles - observed)))


def test_scores_are_those_of_each_departments_rows(rows: pd.DataFrame) -> None:
    scores = by_department.of(rows, "stand_in", BASELINES, WEEK, seed=1)
    assert [s.department for s in scores] == ["", "16", "25"]
    assert [s.name for s in scores] == ["PERU", "Loreto", "Ucayali"]
    for one in scores:
        part = of(rows, one.department)
        districts, sums = (part[part["series"] == s] for s in ("district", "department"))
        own = districts[districts["model"] == "stand_in"]
        assert (one.districts, one.counts) == (own["entity"].nunique(), len(own))
        ends = pd.to_datetime(own["origin"]) + pd.to_timedelta(7 * own["horizon"], unit="D")
        cases = own.assign(end=ends)[own["observed"] > 0]
        assert one.above_zero == len(cases.drop_duplicates(["entity", "end"])) < len(cases)
        assert one.enough is (one.above_zero >= by_department.FEWEST)
        by = {m: districts[districts["model"] == m] for m in ("stand_in", *BASELINES)}
        total = {m: wis(sums[sums["model"] == m]) for m in by}
        for m in by:
            assert one.wis[m] == pytest.approx(wis(by[m]))
            assert one.sums_wis[m] == pytest.approx(total[m])
        for b in BASELINES:
            assert one.ratios[b] == pytest.approx(wis(own) / wis(by[b]))
            assert one.log_ratios[b] == pytest.approx(wis(own, True) / wis(by[b], True))
        assert one.best_baseline == min(BASELINES, key=lambda b: total[b])
        assert one.sums_ratio == pytest.approx(total["stand_in"] / total[one.best_baseline])


def test_numbers_that_are_too_few_are_shown_and_said_to_be(rows: pd.DataFrame) -> None:
    quiet = of(rows, "25").assign(observed=0.0)
    quiet.loc[quiet["model"] == "ar", list(LEVELS)] = 0.0
    none = by_department.of(quiet, "stand_in", BASELINES, WEEK, seed=1)[1]
    assert (none.above_zero, none.enough, none.ratios["ar"]) == (0, False, None)
    assert none.wis["stand_in"] > 0 and none.counts > 0
    # A few periods with a case would tell how few cases there were.
    few = quiet.assign(observed=((quiet["entity"] == "250101") & (quiet["horizon"] == 1)) * 1.0)
    few["observed"] *= few["origin"] < sorted(set(few["origin"]))[3]
    assert by_department.of(few, "stand_in", BASELINES, WEEK, seed=1)[1].above_zero is None


def test_a_department_of_few_counts_cannot_be_found_from_the_country_and_the_others(
    rows: pd.DataFrame,
) -> None:
    few = rows.assign(observed=0.0)
    first, *_ = sorted(set(few["origin"]))
    for department, periods in (("16", 8), ("25", 2)):
        mine = (few["entity"] == f"{department}0101") & (few["origin"] == first)
        few.loc[mine & (few["horizon"] <= periods), "observed"] = 1.0
    whole, *departments = by_department.of(few, "stand_in", BASELINES, WEEK, seed=1)
    assert whole.above_zero == 10
    assert [d.above_zero for d in departments] == [None, None]


def test_departments_whose_final_model_has_no_sums_have_no_ratio_of_them(
    rows: pd.DataFrame,
) -> None:
    own = rows[(rows["model"] != "stand_in") | (rows["series"] == "district")]
    one = by_department.of(own, "stand_in", BASELINES, WEEK, seed=1)[1]
    assert (one.best_baseline, one.sums_ratio) == ("", None)


def test_a_small_count_takes_one_of_its_own_total_with_it() -> None:
    counts = {"160101": 10, "160113": 3, "250101": 6, "250105": 7, "16": 13, "25": 3, "20": 40}
    rows = pd.DataFrame({"entity": list(counts), "observed": map(float, counts.values())})
    series = rows["entity"].str.len().map({6: "district", 2: "department"})
    week = date(2016, 1, 9)
    cells = page_numbers.visible_counts(rows.assign(series=series, model="m", week=week), "m")
    hidden = {"160101", "160113", "16", "25"}
    assert {entity: of_week[week] for entity, of_week in cells.items()} == {
        entity: None if entity in hidden else count for entity, count in counts.items()
    }


class Quick(Room, type(outbreak)):  # type: ignore[misc]
    """Dengue with the stand-in."""

    def __init__(self) -> None:
        Room.__init__(self)
        self.spec = outbreak.spec


def run(folder: Path, path: Path, *options: str) -> tuple[dict[str, Any], str]:
    """The report and the closing lines."""
    app, out = typer.Typer(), folder / "report.json"
    app.callback()(lambda: None)
    backtest.register(app)
    arguments = ["backtest", "outbreak", "--cases", str(path), "--origins", SPAN]
    settings.settings.cache_clear()
    try:
        output = CliRunner().invoke(
            app, [*arguments, "--out", str(out), *options], catch_exceptions=False
        )
    finally:
        settings.settings.cache_clear()
    return json.loads(out.read_text("utf-8")), output.stdout


def test_the_command_scores_the_country_or_one_department(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: pd.DataFrame
) -> None:
    monkeypatch.setenv("YUPANA_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(usecases, "load", lambda name: Quick())
    report, output = run(tmp_path / "all", path, "--department", "Perú")
    page = (tmp_path / "all" / "report" / "backtest.html").read_text("utf-8")
    assert list(report) == [*FIELDS, "by_department"]
    assert (report["department"], report["trained_on"], report["districts"]) == ("PERU", "PERU", 7)
    scores, seed = [DepartmentScores(**row) for row in report["by_department"]], Settings().seed
    assert scores == by_department.of(rows, "stand_in", BASELINES, WEEK, seed)
    for one in scores[1:]:
        row = page[page.index(f"<tr><td>{one.name}") :].split("</tr>")[0]
        ratios = (one.ratios["ar"], one.ratios["last_value"], one.log_ratios["ar"])
        for ratio in ratios:
            assert f">{ratio:.3f}<" in row
        assert (" *</td>" in row) is not one.enough
        line = next(line for line in output.splitlines() if line.strip().startswith(one.name))
        assert (f"{one.name} *" in line) is not one.enough
        assert f"{one.ratios['ar']:.3f}" in line and f"{one.sums_ratio:.3f}" in line
    assert len({one.enough for one in scores}) == 2 and "Muy pocos casos para decir" in page
    assert "Iquitos, Loreto" in page and "fan-16.png" in page and "fan-25.png" in page

    report, output = run(tmp_path / "one", path, "--department", "Loreto", "--no-pages")
    assert list(report) == FIELDS and report["districts"] == 4 and "÷" not in output
