"""Simulations and explanations by a fitted pool that reads cases and the weather."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import late_lake
import numpy as np
import pandas as pd
import polars as pl
import pytest

from feature_repo.outbreak_weekly import REPORTED, weekly_features
from models import outbreak
from models.channel import Channel
from models.store import Fitted
from serving.ranges import Ranges
from serving.study import explain, simulate, sources
from yupana.core.errors import UsageError
from yupana.features import splits, training

WEEKS = 260
HERE, SMALL = "160101", "160501"
RANGES = Ranges({})
CHANNELS = {(HERE, h): Channel(20.0, 30.0, 45.0) for h in range(1, 9)}


def made_tables() -> dict[str, pl.DataFrame]:
    """Five districts and the weather of their department."""
    start = late_lake.FIRST - timedelta(weeks=12)
    weeks = np.arange(WEEKS + 12)
    return {
        REPORTED: late_lake.known(late_lake.true_counts(WEEKS), WEEKS - 1),
        "climate_weekly": pl.DataFrame(
            {
                "ubigeo": ["16"] * len(weeks),
                "week_start": [start + timedelta(weeks=int(w)) for w in weeks],
                "temperature": 26 + np.sin(2 * np.pi * weeks / 52),
                "precipitation": np.random.default_rng(3).gamma(2, 20, len(weeks)),
            }
        ),
    }


TABLES = made_tables()
ROWS = weekly_features(TABLES).to_pandas()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    frame = splits.by_time(
        training.with_targets(ROWS), "event_timestamp", splits.Weeks(gap=training.HORIZONS)
    )  # fmt: skip
    out = tmp_path_factory.mktemp("fitted")
    outbreak.fit(frame, out, seed=1, say=lambda _: None)
    return out


@pytest.fixture(scope="module")
def fitted(folder: Path) -> Fitted:
    return outbreak.load(folder)


def run(fitted: Fitted, cases: Any, climate: Any = None, ubigeo: str = HERE) -> dict[str, Any]:
    change = simulate.change_of(cases, climate)
    return simulate.simulate(
        fitted, TABLES, ubigeo, change, horizon=8, channels=CHANNELS, ranges=RANGES
    ).answer


def medians(weeks: list[dict[str, Any]]) -> list[float]:
    return [week["median"] for week in weeks]


def test_a_simulation_says_so_and_its_baseline_is_the_forecast(fitted: Fitted) -> None:
    told = run(fitted, 3.0)
    assert told["simulation"] is True
    assert {c["code"] for c in told["caveats"]} >= {"simulation", "no_causal_effect"}
    newest = ROWS[ROWS["event_timestamp"] == ROWS["event_timestamp"].max()]
    row = newest[newest["ubigeo"] == HERE].reset_index(drop=True)
    assert medians(told["baseline"]) == fitted.quantiles(row, (0.5,))[0, :, 0].tolist()
    assert (np.array(medians(told["simulated"])) > medians(told["baseline"])).all()
    assert told["simulated"][3]["alert"] == "epidemia"
    assert told["simulated"][3]["exceedance"] > told["baseline"][3]["exceedance"]
    assert json.dumps(told, allow_nan=False)


def test_cases_of_weeks_are_put_in_their_place_and_the_log_gets_them(fitted: Fitted) -> None:
    change = simulate.change_of([5, 400], None)
    made = simulate.simulate(
        fitted, TABLES, HERE, change, horizon=2, channels=CHANNELS, ranges=RANGES
    )
    assert made.features["cases_lag_0"] == 400 and made.features["cases_lag_1"] == 5
    assert len(made.answer["simulated"]) == len(made.answer["baseline"]) == 2
    assert made.answer["change"]["weeks"] == 2


def test_the_weather_moves_a_forecast_that_reads_it(fitted: Fitted) -> None:
    assert "temperature" in fitted.description.features
    told = run(fitted, None, {"temperature": 8.0, "precipitation": 0.0})
    assert told["simulated"] != told["baseline"]
    assert told["change"]["temperature"] == 8.0


def test_weather_that_the_model_does_not_read_is_refused(fitted: Fitted) -> None:
    change = simulate.change_of(None, {"temperature": 1.0})
    dry = {name: table for name, table in TABLES.items() if name != "climate_weekly"}
    with pytest.raises(UsageError, match="reads no weather"):
        simulate.simulate(fitted, dry, HERE, change, horizon=8, channels={}, ranges=RANGES)


@pytest.mark.parametrize(
    ("cases", "climate", "where"),
    [
        (None, None, "recent_cases"),
        (None, {}, "recent_cases"),
        (1.0, {"temperature": 0.0, "precipitation": 1.0}, "recent_cases"),
        (10.5, None, "recent_cases"),
        (-1, None, "recent_cases"),
        (float("nan"), None, "recent_cases"),
        ([], None, "recent_cases"),
        ([1.0] * 13, None, "recent_cases"),
        ([1, float("inf")], None, "recent_cases"),
        ([-1], None, "recent_cases"),
        (None, {"temperature": 11}, "temperature"),
        (None, {"temperature": float("nan")}, "temperature"),
        (None, {"precipitation": -0.1}, "precipitation"),
        (None, {"wind": 3}, "wind"),
    ],
)
def test_what_cannot_be_simulated_is_refused(cases: Any, climate: Any, where: str) -> None:
    with pytest.raises(UsageError) as told:
        simulate.change_of(cases, climate)
    assert where in told.value.where


def test_far_outside_the_training_nothing_is_simulated(fitted: Fitted) -> None:
    seen = Ranges.seen(ROWS[list(fitted.description.features)])
    change = simulate.change_of([90_000], None)
    with pytest.raises(UsageError, match="too far"):
        simulate.simulate(fitted, TABLES, HERE, change, horizon=8, channels={}, ranges=seen)
    largest = ROWS["cases_lag_0"].max()
    near = simulate.change_of([largest * 1.5], None)
    told = simulate.simulate(fitted, TABLES, HERE, near, horizon=8, channels={}, ranges=seen)
    assert "outside_training" in {c["code"] for c in told.answer["caveats"]}


def test_a_fitted_model_tells_the_ranges_that_it_was_trained_on(
    folder: Path, fitted: Fitted
) -> None:
    told = Ranges.read(folder).of
    last = pd.Timestamp(fitted.description.trained_through).date()
    learned = ROWS[ROWS["event_timestamp"].dt.date <= last]
    assert len(learned) < len(ROWS) and set(told) == set(fitted.description.features)
    assert told == Ranges.seen(learned[list(told)]).of


def explained(fitted: Fitted, ubigeo: str, horizon: int = 8, scale: float = 1.0) -> dict[str, Any]:
    past = ROWS[ROWS["ubigeo"] == ubigeo].reset_index(drop=True)
    row = past.tail(1).reset_index(drop=True).copy()
    lags = [c for c in row if str(c).startswith("cases_lag_")]
    row[lags] *= scale
    return explain.explain(fitted, row, past, sources.cases(TABLES, "16"), horizon=horizon)


def test_an_explanation_sums_to_the_difference_from_the_usual(fitted: Fitted) -> None:
    for ubigeo in late_lake.DISTRICTS:
        told = explained(fitted, ubigeo)
        added = sum(g["cases"] for g in told["groups"])
        assert added == pytest.approx(told["median"] - told["usual"], abs=1e-3)
        logs = sum(g["log"] for g in told["groups"])
        assert logs == pytest.approx(np.log1p(told["median"]) - told["usual_log"], abs=1e-5)
        assert {g["group"] for g in told["groups"]} == {
            "recent_cases", "neighbours", "department", "season", "place", "climate"
        }  # fmt: skip
        assert told["horizon"] == 4 and told["background"]["weeks"] == 12


def test_the_sentences_say_what_moves_the_forecast_most(fitted: Fitted) -> None:
    told = explained(fitted, HERE, scale=8.0)
    first = told["groups"][0]
    assert first["group"] == "recent_cases" and first["cases"] > 0
    assert "sube de" in told["sentences"][1]["es"] and "rises from" in told["sentences"][1]["en"]
    assert f"a {told['median']:g} casos" in told["sentences"][1]["es"]
    assert len(told["sentences"]) == 1 + len(told["groups"]) + len(told["seasons"])
    assert all(s["es"] and s["en"] for s in told["sentences"])
    assert [c["code"] for c in told["caveats"]] == ["no_causal_effect"]


def test_no_small_count_of_the_past_is_told(fitted: Fitted) -> None:
    told = explained(fitted, SMALL)
    shown = [c for season in told["seasons"] for c in season["followed"]]
    assert len(told["seasons"]) == 3 and None in shown
    assert all(c is None or c == 0 or c >= 5 for c in shown)


def test_a_shorter_question_is_explained_at_its_last_week(fitted: Fitted) -> None:
    told = explained(fitted, HERE, horizon=2)
    ends = ROWS["event_timestamp"].max() + pd.Timedelta(weeks=2)
    assert told["horizon"] == 2 and told["week_ending"] == str(ends.date())


def test_a_past_of_less_than_a_year_explains_nothing(fitted: Fitted) -> None:
    past = ROWS[ROWS["ubigeo"] == HERE].tail(50)
    with pytest.raises(UsageError, match="too short"):
        explain.usual(past, past["event_timestamp"].max().date())
