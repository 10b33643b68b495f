"""Champion and challenger on the rows that both were scored on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from models.malaria import USE_CASE as MALARIA
from yupana.core.evaluation import Paired
from yupana.core.spec import Metric
from yupana.tasks.forecast.scoring import intervals
from yupana.tracking.verdict import Standing, verdict

METRIC = Metric(name="wis", label="WIS", better="lower", baselines=("ar",))
CHAMPION = Standing(METRIC, 1.0, {"ar": 1.1}, "split:1", knows="2021-10-02")
OLD, NEW = "2021-10-02", "2021-10-30"


@pytest.mark.parametrize(
    ("ratio", "low", "high", "knows", "good", "says"),
    [
        (0.90, 0.85, 0.95, OLD, True, "better than the champion beyond chance"),
        (1.01, 0.97, 1.05, NEW, True, "as good as the champion and newer"),
        (0.99, 0.95, 1.03, OLD, False, "no newer"),
        (1.04, 0.98, 1.10, NEW, False, "above 1.02"),
        (1.01, 1.005, 1.015, NEW, False, "worse than the champion beyond chance"),
    ],
)
def test_it_must_be_better_beyond_chance_or_as_good_and_newer(
    ratio: float, low: float, high: float, knows: str, good: bool, says: str
) -> None:
    mine = Standing(METRIC, 1.05, {"ar": 1.2}, "split:2", knows=knows)
    alias, reason = verdict(mine, True, CHAMPION, Paired(n=800, ratio=ratio, low=low, high=high))
    assert alias is good and says in reason
    assert "800 shared rows" in reason


def test_one_that_a_baseline_beats_is_no_champion_whomever_it_beats() -> None:
    mine = Standing(METRIC, 1.2, {"ar": 1.1}, "split:2", knows=NEW)
    assert not verdict(mine, True, CHAMPION, Paired(n=800, ratio=0.5, low=0.4, high=0.6))[0]


NAMES = ["model", "ubigeo", "origin", "horizon", "observed", "wis"]


def scored(folder: Path, origins: range, factor: float) -> Path:
    """Scores by row of a candidate whose loss is `factor` times that of the same rows elsewhere."""
    folder.mkdir()
    days = pd.date_range("2020-01-04", periods=200, freq="7D").date
    draw = np.random.default_rng(0).gamma(2, 1, (200, 5, 2))
    rows = [
        ("pool", str(entity), days[origin], h + 1, 3.0, factor * draw[origin, entity, h])
        for origin in origins
        for entity in range(5)
        for h in range(2)
    ]
    table = pd.DataFrame(rows, columns=NAMES)
    table.to_parquet(folder / intervals.SCORES, index=False)
    return folder


def test_candidates_are_compared_on_the_rows_that_both_were_scored_on(tmp_path: Path) -> None:
    one = scored(tmp_path / "one", range(4, 56), 0.9)
    two = scored(tmp_path / "two", range(52), 1.0)
    paired = intervals.paired(one, two, "pool", "ubigeo", block=8, fewest=17)
    assert paired is not None and paired.n == 48 * 5 * 2
    assert [paired.low, paired.ratio, paired.high] == pytest.approx([0.9] * 3)


def test_rows_whose_count_was_corrected_in_between_are_left_out(tmp_path: Path) -> None:
    one = scored(tmp_path / "one", range(52), 1.0)
    two = scored(tmp_path / "two", range(52), 1.0)
    table = pd.read_parquet(one / intervals.SCORES)
    wrong = table["ubigeo"] == "3"
    table.loc[wrong, ["observed", "wis"]] *= 3
    table.to_parquet(one / intervals.SCORES, index=False)
    paired = intervals.paired(one, two, "pool", "ubigeo", block=8, fewest=17)
    assert paired is not None and paired.ratio == pytest.approx(1) and paired.n == 52 * 4 * 2


def test_a_year_of_months_is_enough(tmp_path: Path) -> None:
    one = scored(tmp_path / "one", range(12), 0.8)
    two = scored(tmp_path / "two", range(12), 1.0)
    for folder in (one, two):
        table = pd.read_parquet(folder / intervals.SCORES)
        table = table.rename(columns={"ubigeo": MALARIA.spec.entity.key})
        table.to_parquet(folder / intervals.SCORES, index=False)
    paired = MALARIA.paired(one, two)
    assert paired is not None and paired.high < 1


def test_candidates_with_few_rows_in_common_are_not_paired(tmp_path: Path) -> None:
    one = scored(tmp_path / "one", range(40, 92), 1.0)
    two = scored(tmp_path / "two", range(52), 1.0)
    assert intervals.paired(one, two, "pool", "ubigeo", block=8, fewest=17) is None
    assert intervals.paired(one, tmp_path, "pool", "ubigeo", block=8, fewest=17) is None
