"""The benchmark of skill on counts that were made up, without the peers' libraries."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from docs import scores as tables
from tests.benchmark import skill, skill_endemic, skill_peers, skill_scores
from tests.benchmark.skill_endemic import Endemic
from tests.benchmark.skill_past import Past, trailing_mean, whole
from tests.benchmark.skill_regression import LaggedRegression
from tests.benchmark.skill_series import Intermittent
from tests.benchmark.skill_trees import LightGBM
from yupana.tasks.forecast.backtest import origins, run
from yupana.tasks.forecast.backtest.panel import Panel
from yupana.tasks.forecast.frequency import FREQUENCIES
from yupana.tasks.forecast.quantiles import LEVELS, QUANTILES

WEEK = FREQUENCIES["week"]
DISTRICTS = ("160101", "160102", "160201", "160202")
SPAN, REACH = "2013-W49:2014-W08:4", 3


@pytest.fixture(scope="module")
def panel() -> Panel:
    """Four seasonal districts, 230 weeks."""
    rng = np.random.default_rng(3)
    days = WEEK.calendar(date(2010, 1, 3), date(2014, 5, 25))
    season = 1 + 0.8 * np.sin(2 * np.pi * np.arange(len(days)) / 52)
    rows = {
        "entity": np.repeat(DISTRICTS, len(days)),
        "week_start": list(days) * len(DISTRICTS),
        "cases": np.concatenate([rng.poisson(mean * season) for mean in (20, 3, 0.5, 0.1)]),
    }
    return Panel(pl.DataFrame(rows).with_columns(pl.col("cases").cast(pl.Int64)), WEEK, REACH)


@pytest.fixture(scope="module")
def past(panel: Panel) -> Past:
    return skill_peers.past_of(panel.counts().rename_axis("week").reset_index())


class Flat:
    """A peer that tells the last count, and keeps what it was handed."""

    def __init__(self) -> None:
        self.pasts: list[Past] = []
        self.fits: list[str] = []

    def fit(self, past: Past, horizons: int) -> None:
        self.horizons = horizons
        self.fits.append(str(past.days[-1]))

    def quantiles(self, past: Past, levels: Any) -> Any:
        self.pasts.append(past)
        spread = np.asarray(levels) - 0.5
        last = past.counts[-1][:, None, None] + spread
        return whole(np.repeat(last, self.horizons, axis=1))


def job(panel: Panel, folder: Path) -> skill_peers.Job:
    skill.hand_over(panel, SPAN, folder)
    return json.loads((folder / "job.json").read_text())


def test_a_peer_is_handed_the_weeks_up_to_each_origin(panel: Panel, tmp_path: Path) -> None:
    asked, peer = job(panel, tmp_path), Flat()
    everything = skill_peers.past_of(pd.read_parquet(tmp_path / "counts.parquet"))
    list(skill_peers.walk(peer, everything, asked["origins"], REACH, asked["levels"]))
    starts = [o.start.isoformat() for o in origins.parse(SPAN, WEEK)]
    assert [str(past.days[-1]) for past in peer.pasts] == starts
    assert all(len(past.counts) == len(past.days) for past in peer.pasts)
    assert peer.fits == [starts[0], starts[1]]


@pytest.mark.parametrize("make", [Endemic, LaggedRegression])
def test_a_regression_follows_level_and_season(make: Any, past: Past) -> None:
    peer = make()
    peer.fit(past.until(200), REACH)
    low, middle, high = peer.quantiles(past.until(212), (0.05, 0.5, 0.95)).transpose(2, 0, 1)
    assert low.shape == (4, REACH) and (low >= 0).all() and (low <= high).all()
    came = past.counts[213 : 213 + REACH].T
    assert np.mean((low <= came) & (came <= high)) > 0.7
    # The large district is told within its noise, the smallest as nearly always without a case.
    assert abs(middle[0].mean() / came[0].mean() - 1) < 0.4 and middle[3].max() <= 1


def test_the_endemic_regression_climbs_by_its_gradient(past: Past) -> None:
    from scipy.optimize import approx_fprime

    peer, few = Endemic(), past.until(100)
    peer._shapes = skill_endemic._shapes(len(DISTRICTS))
    point = np.random.default_rng(1).normal(0, 0.3, sum(peer._shapes.values()))
    data = few.counts[52:], peer._inputs(few, slice(52, None))
    numeric = approx_fprime(point, lambda x: peer._loss(x, *data)[0], 1e-6)
    assert peer._loss(point, *data)[1] == pytest.approx(numeric, rel=1e-3, abs=1e-2)


def test_trees_learn_from_the_weeks_before_their_targets(past: Past) -> None:
    trees = LightGBM()
    trees.fit(past, REACH)
    inputs, targets = trees._rows(past)
    assert len(inputs) == len(targets) == sum(4 * (len(past.counts) - 52 - h) for h in (1, 2, 3))
    # A target one week ahead is the newest lag of the next week's row.
    newest = np.expm1(inputs[4 : 4 * (len(past.counts) - 53), 0])
    assert newest == pytest.approx(targets[: len(newest)])
    later = Past(past.counts.copy(), past.days, past.districts)
    later.counts[-1] += 100
    assert np.array_equal(trees._features(later, 2)[:-1], trees._features(past, 2)[:-1])


def test_errors_of_the_past_spread_a_point_forecast(
    past: Past, monkeypatch: pytest.MonkeyPatch
) -> None:
    peer = Intermittent("CrostonOptimized")
    year = lambda before: np.log1p(trailing_mean(before.counts, 52)[-1])  # noqa: E731
    monkeypatch.setattr(peer, "_point", year)
    peer.fit(past, REACH)
    answers = peer.quantiles(past.until(210), (0.05, 0.5, 0.95))
    assert answers.shape == (4, REACH, 3) and (np.diff(answers, axis=-1) >= 0).all()
    assert answers[0, :, 0].max() < 20 < answers[0, :, 2].min() and answers[3].min() == 0


def rows_of(panel: Panel, folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A backtest's rows of two models, and a peer's forecasts."""
    asked = job(panel, folder)
    everything = skill_peers.past_of(pd.read_parquet(folder / "counts.parquet"))
    walk = skill_peers.walk(Flat(), everything, asked["origins"], REACH, asked["levels"])
    peer = skill_peers.rows(walk, everything, asked)
    peer.to_parquet(folder / "flat.parquet")
    read = skill.read("flat", folder)
    counts = panel.counts()
    ahead = pd.to_datetime(read["origin"]) + pd.to_timedelta(7 * read["horizon"] - 6, unit="D")
    places = pd.MultiIndex.from_arrays([ahead, read["entity"]])
    counts.index = pd.to_datetime(counts.index)
    rows = read.assign(observed=counts.stack().reindex(places).to_numpy(), series="district")
    better = rows.assign(model="pool", **dict.fromkeys(LEVELS, rows["observed"]))
    return pd.concat([better, rows.assign(model="ar")], ignore_index=True), read


def test_all_are_scored_on_the_same_counts(panel: Panel, tmp_path: Path) -> None:
    kept, peer = rows_of(panel, tmp_path)
    rows = skill_scores.joined(kept, {"flat": peer})
    report = skill_scores.report(rows, panel, "pool", ["flat"], step=4, seed=7)
    wis = {row["model"]: row["wis"] for row in report["scores"]}
    assert wis["pool"] == 0 < wis["ar"] == wis["flat"]
    (pair,) = (p for p in report["paired"] if p["model"] == "flat")
    assert pair["wis"]["difference"] == pytest.approx(-wis["flat"])
    assert pair["wis"]["low"] <= pair["wis"]["difference"] <= pair["wis"]["high"] < 0
    for by in ("horizon", "size", "phase"):
        groups = [g for g in report["groups"] if (g["by"], g["model"]) == (by, "flat")]
        assert sum(g["n"] for g in groups) == len(peer)
        whole_mean = sum(g["n"] * g["wis"] for g in groups) / len(peer)
        assert whole_mean == pytest.approx(wis["flat"])
    with pytest.raises(SystemExit, match="1 of"):
        skill_scores.joined(kept, {"flat": peer.iloc[1:]})


def test_phases_are_of_what_is_known_by_then() -> None:
    days = pd.date_range("2020-01-05", periods=12, freq="7D")
    counts = pd.DataFrame({"a": [0, 0, 0, 0, 5, 5, 5, 5, 0, 0, 0, 0], "b": [0] * 11 + [1]}, days)
    phases = skill_scores.phase(counts)
    assert phases["a"].tolist()[4:8] == ["rising"] * 4 and phases["a"].iloc[11] == "falling"
    assert (phases["b"] == "flat").all()
    counts.iloc[8:] = 99
    assert skill_scores.phase(counts).iloc[:8].equals(phases.iloc[:8])


def test_the_page_shows_peers_by_score_and_by_group(panel: Panel, tmp_path: Path) -> None:
    kept, _ = rows_of(panel, tmp_path)
    member = kept[kept["model"] == "ar"].assign(model="network")
    path, starts = tmp_path / "report.json", origins.parse(SPAN, WEEK)
    pd.concat([kept, member]).rename(columns={"entity": "ubigeo"}).to_parquet(run.rows_path(path))
    facts = {
        "final": "pool", "baselines": ["ar"], "members": ["network"], "department": "LORETO",
        "trained_on": "LORETO", "districts": 4, "origins": [str(o) for o in starts],
        "source": ["file:x"], "seconds": 1.0,
    }  # fmt: skip
    path.write_text(json.dumps(facts))
    assert origins.parse(skill._span(facts), WEEK) == starts
    text = tables.text(skill.scored(path, panel, tmp_path, {"flat": 2.0}, seed=7))
    first, second = (part.splitlines() for part in text.split("\n\n")[1:])
    names = [row.split(" | ")[0] for row in first[2:]]
    assert names == ["| **pool**", "| ar, a baseline", "| flat"]
    assert first[2].startswith("| **pool** | 0.000 | 0.000 |") and first[4].endswith("| 2 |")
    assert "1-3 weeks (36)" in second[0] and len(second) == 5
    for part in (first, second):
        assert len({row.count("|") for row in part}) == 1


def test_quantiles_become_whole_counts() -> None:
    assert whole(np.array([2.6, -1.0, 0.4])).tolist() == [0.0, 0.0, 3.0]
    assert len(QUANTILES) == len(LEVELS)
