"""Who may become champion when an earlier season was tried as well."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from candidates import NAME, TAGS, candidate, empty_home, tags
from small_panel import panel

from yupana.core.spec import Metric
from yupana.tasks.forecast.backtest import split
from yupana.tasks.forecast.model.model import FINAL
from yupana.tracking import registry, runs
from yupana.tracking.verdict import Standing, verdict

METRIC = Metric(name="wis", label="WIS", better="lower", baselines=("ar",))


def standing(test: float, tried: float | None, key: str = "k") -> Standing:
    earlier = None if tried is None else Standing(METRIC, tried, {"ar": 3.0}, key)
    return Standing(METRIC, test, {"ar": 2.0}, "split:1", earlier)


@pytest.mark.parametrize(
    ("mine", "champion", "good", "says"),
    [
        (standing(1.0, 2.5), None, True, "2.500 on the backtest"),
        (standing(1.0, 3.1), None, False, "on the backtest is above ar's"),
        (standing(1.0, 2.5), standing(1.1, 2.6), True, ""),
        (standing(1.0, 2.5), standing(1.1, 2.5), True, ""),
        (standing(1.0, 2.5), standing(1.1, 2.4), False, "on the backtest, WIS 2.500"),
        # Other origins: compared by the baseline that both have.
        (standing(1.0, 2.5, "other"), standing(1.1, 2.4), False, "on the backtest, WIS 0.833 ×"),
        (standing(1.0, 2.5), standing(1.1, None), True, ""),
        (standing(1.0, None), standing(1.1, 2.4), True, ""),
        (standing(1.2, 1.0), standing(1.1, 2.4), False, "the champion's 1.100"),
    ],
)
def test_it_must_be_the_better_one_in_both_seasons(
    mine: Standing, champion: Standing | None, good: bool, says: str
) -> None:
    alias, reason = verdict(mine, champion is not None, champion)
    assert alias is good
    assert says in reason


def test_one_that_is_worse_on_the_backtest_stays_challenger(tmp_path: Path) -> None:
    home = empty_home(tmp_path)
    for name, wis, tried, alias in (("1", 1.5, 2.0, "champion"), ("2", 1.4, 2.1, "challenger")):
        folder = candidate(tmp_path / name, wis)
        others = {"wis_log": 1.0, "mae": 1.0}
        scores = {FINAL: {"wis": tried, **others}, "ar": {"wis": 3.0, **others}}
        report = {"origins": ["2018-01-06"], "scores": scores, "key": "k"}
        (folder / runs.BACKTEST).write_text(json.dumps(report))
        registration = registry.register(home, NAME, folder, tags(name) if name != "1" else TAGS)
        assert registration.alias == alias, registration.reason
    assert "backtest" in registration.reason
    assert registry.champion(home, NAME)[0] == 1


def test_a_short_history_is_told_as_such(tmp_path: Path) -> None:
    class Room:
        @staticmethod
        def past_forecasts(*_: object, **__: object) -> None:
            return None

    periods = split.of_members(Room, panel(), {}, seed=1)
    assert periods["scores"] == {} and periods["left_out"]
    (tmp_path / runs.BACKTEST).write_text(json.dumps(periods))
    assert runs.backtest(tmp_path) is None
