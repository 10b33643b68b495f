"""The Dengue Forecasting Project: targets, bins, honest forecasts, and skill."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from models.outbreak.challenge import run, season_file, seasons
from models.outbreak.challenge.season_targets import (
    CITIES,
    ORIGINS,
    TARGETS,
    WEEKS,
    outcome,
    possible,
)
from models.outbreak.commands import challenge
from yupana.config.settings import ROOT
from yupana.core.errors import TerminalError, UsageError
from yupana.core.progress import Silent

SAMPLE = ROOT / "samples" / "iquitos_weekly_2000_2009.csv"
IQUITOS = CITIES["iquitos"]
Rows = list[dict[str, str]]


def _rows() -> Rows:
    with SAMPLE.open(newline="") as file:
        return list(csv.DictReader(file))


def _write(path: Path, rows: Rows) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), quoting=csv.QUOTE_NONNUMERIC)
        writer.writeheader()
        writer.writerows(rows)
    return path


def _run(*words: str | Path) -> dict[str, object]:
    app = typer.Typer()
    app.callback()(lambda: None)
    challenge.register(app)
    result = CliRunner().invoke(app, ["challenge", *map(str, words), "--json"])
    if result.exception:
        raise result.exception
    report: dict[str, object] = json.loads(result.stdout.splitlines()[-1])
    return report


@pytest.fixture(scope="module")
def counts() -> np.ndarray:
    """Shape (9, 52)."""
    return np.stack(list(season_file.read(SAMPLE)[0].values()))


def test_targets_and_bins_of_a_planted_season() -> None:
    season = np.zeros(WEEKS, dtype=int)
    season[[9, 29]] = 30  # a tie, on an edge of the Iquitos bins (15 wide); 100 in all
    season[[0, 1]] = 20
    hit = outcome(IQUITOS, season)
    assert np.flatnonzero(hit["peak_week"]).tolist() == [9, 29]
    assert np.flatnonzero(hit["peak_incidence"]).tolist() == [2]
    assert np.flatnonzero(hit["season_total"]).tolist() == [1]
    forecasts = outcome(CITIES["san_juan"], season * 100)
    assert (
        forecasts["peak_incidence"].argmax() == forecasts["season_total"].argmax() == 10
    )  # open bins
    assert len(forecasts["peak_incidence"]) == len(forecasts["season_total"]) == 11
    bins = possible(IQUITOS, season[:12])
    assert np.flatnonzero(bins["peak_week"]).tolist() == [9, *range(12, WEEKS)]
    assert np.flatnonzero(bins["peak_incidence"])[0] == 2
    assert np.flatnonzero(bins["season_total"])[0] == 0  # 70 so far


@pytest.mark.parametrize("week", [0, 4, 24, 48])
def test_every_distribution_sums_to_one_and_no_bin_is_zero(counts: np.ndarray, week: int) -> None:
    forecasts = seasons.Seasons(IQUITOS, counts[:6], seed=1).forecasts(counts[6, :week])
    forecasts["pool"] = seasons.pool(forecasts, {t: np.array([0.2, 0.5, 0.3]) for t in TARGETS})
    for name, forecast in forecasts.items():
        for target in TARGETS:
            assert forecast[target].sum() == pytest.approx(1), (name, target)
            # The uniform forecast alone rules out what cannot come true any more.
            assert (forecast[target] > 0).all() or name == "uniform", (name, target)


def test_a_flat_past_and_an_empty_season_still_give_forecasts() -> None:
    past = np.zeros((3, WEEKS), dtype=int)
    for week in ORIGINS:
        forecasts = seasons.Seasons(IQUITOS, past, seed=1).forecasts(np.zeros(week, dtype=int))
        assert all(np.isfinite(t).all() for f in forecasts.values() for t in f.values())


def test_a_season_beyond_all_past_ones_is_not_ruled_out(counts: np.ndarray) -> None:
    forecasts = seasons.Seasons(IQUITOS, counts[:4], seed=1).forecasts(np.array([], dtype=int))
    assert forecasts["analog"]["season_total"][10] > 0.02  # the largest of the four had 490 cases
    grown = seasons.Seasons(IQUITOS, counts[:4], seed=1).forecasts(np.full(12, 60))
    assert grown["analog"]["season_total"][10] > 0.5


def test_later_weeks_and_later_seasons_change_nothing() -> None:
    before = dict(list(season_file.read(SAMPLE)[0].items())[:6])
    labels = list(before)
    # Turned round, the weeks after the fortieth leave the season's peak and total as they were:
    # only a forecast that saw them can score otherwise.
    turned = np.append(before[labels[4]][:40], before[labels[4]][:39:-1])
    first = run.rolling(IQUITOS, before, 7, Silent())
    second = run.rolling(IQUITOS, before | {labels[4]: turned}, 7, Silent())
    early = np.array(ORIGINS) <= 40
    for name, scores in first[labels[3]].items():
        assert (scores == second[labels[3]][name]).all()
    for name, scores in first[labels[4]].items():
        assert (scores[early] == second[labels[4]][name][early]).all()
    # Forecasts that may see them do.
    assert (first[labels[4]]["trend"][~early] != second[labels[4]]["trend"][~early]).any()
    assert (first[labels[5]]["trend"][0] != second[labels[5]]["trend"][0]).any()


def test_better_members_get_more_weight_and_none_is_dropped() -> None:
    likelihoods = np.tile([0.6, 0.1, 0.1], (26, 1))
    weights = seasons.weights(likelihoods)
    assert weights.sum() == pytest.approx(1)
    assert weights[0] > 0.5 > weights[1] > 0.05
    assert weights[1] == pytest.approx(weights[2])
    assert seasons.weights(np.empty((0, 3))) == pytest.approx(np.full(3, 1 / 3))


def test_a_test_file_with_or_without_the_training_seasons_scores_alike(tmp_path: Path) -> None:
    rows = _rows()
    train = _write(tmp_path / "train.csv", rows[: 4 * WEEKS])
    later = _write(tmp_path / "later.csv", rows[4 * WEEKS : 6 * WEEKS])
    whole = _write(tmp_path / "whole.csv", rows[: 6 * WEEKS])
    first = _run("--train", train, "--test", later, "--out", tmp_path / "a.json")
    _run("--train", train, "--test", whole, "--out", tmp_path / "b.json")
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    report = json.loads((tmp_path / "a.json").read_text())
    assert set(report) == {"mean_log_score", "sum", "n"}
    assert report["n"] == {"0-24": 14, "0-48": 26}
    for span in ("0-24", "0-48"):
        parts = [report["mean_log_score"][target][span] for target in TARGETS]
        assert report["sum"][span] == pytest.approx(sum(parts))
    assert first["seasons"] == ["2004/2005", "2005/2006"]
    assert first["city"] == "iquitos"


def test_iquitos_left_out_beats_uniform_and_plain_analogs(tmp_path: Path) -> None:
    _beats(_run("--train", SAMPLE, "--out", tmp_path / "scores.json"))


@pytest.mark.long
def test_san_juan_left_out_beats_uniform_and_plain_analogs(
    shared: Callable[[str], Path], tmp_path: Path
) -> None:
    path = shared("iquitos_challenge/Dengue_data/san_juan_training_data.csv")
    report = _run("--train", path, "--out", tmp_path / "scores.json")
    assert report["city"] == "san_juan"
    _beats(report)


def _beats(results: dict[str, object]) -> None:
    every = results["all"]
    assert isinstance(every, dict)
    for span in ("0-24", "0-48"):
        pool = every["pool"]["sum"][span]
        assert pool > every["uniform"]["sum"][span] + 0.6
        assert pool > every["plain_analog"]["sum"][span] + 0.2


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda r: r[10].update(total_cases="-3"), "row 12, column total_cases"),
        (lambda r: r[10].update(total_cases="2.5"), "row 12, column total_cases"),
        (lambda r: r[10].update(season="2000"), "row 12, column season"),
        (lambda r: r[10].update(season_week="53"), "row 12, column season_week"),
        (lambda r: r[10].update(season_week="10"), "row 12, column season_week"),
        (lambda r: r[10].update(week_start_date="1/7/2000"), "row 12, column week_start_date"),
        (lambda r: r.pop(10), "no week 11"),
        (lambda r: r.__delitem__(slice(3 * WEEKS, 4 * WEEKS)), "column season"),
        (lambda r: r.__delitem__(slice(3 * WEEKS, None)), "the training file"),
        (lambda r: [row.pop("total_cases") for row in r], "row 1"),
    ],
)
def test_a_bad_file_says_where_and_what_to_do(
    tmp_path: Path, change: Callable[[Rows], object], said: str
) -> None:
    rows = _rows()
    change(rows)
    path = _write(tmp_path / "bad.csv", rows)
    with pytest.raises(TerminalError) as error:
        _run("--train", path, "--out", tmp_path / "scores.json")
    assert said in str(error.value)
    assert "fix:" in str(error.value)
    assert not (tmp_path / "scores.json").exists()


def test_files_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    rows = _rows()
    train = _write(tmp_path / "train.csv", rows[: 7 * WEEKS])
    changed = [dict(row) for row in rows]
    changed[3]["total_cases"] = "5"
    other = _write(tmp_path / "other.csv", changed)
    out = tmp_path / "scores.json"
    for test, said in ((other, "disagree"), (train, "only training seasons")):
        with pytest.raises(TerminalError, match=said):
            _run("--train", train, "--test", test, "--out", out)
    with pytest.raises(UsageError, match="no such file"):
        _run("--train", tmp_path / "none.csv", "--out", out)
    with pytest.raises(UsageError, match="no official bins"):
        _run("--train", train, "--city", "lima", "--out", out)
