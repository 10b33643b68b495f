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
from small_panel import one_network

from feature_repo.outbreak.weekly import REPORTED, weekly_features
from models.outbreak import USE_CASE as outbreak
from yupana.core.errors import UsageError
from yupana.features import splits
from yupana.serving.training_ranges import TrainingRanges
from yupana.tasks.forecast.dataset import training_set
from yupana.tasks.forecast.endemic_channel import Channel
from yupana.tasks.forecast.model.store import Fitted
from yupana.tasks.forecast.serving.analysis import simulate, sources
from yupana.tasks.forecast.serving.analysis.explain import Explainer
from yupana.tasks.forecast.serving.analysis.simulate import Simulator

WEEKS = 260
HERE, SMALL = "160101", "160501"
RANGES = TrainingRanges({})
CHANNELS = {(HERE, h): Channel(20.0, 30.0, 45.0) for h in range(1, 9)}


def made_tables() -> dict[str, pl.DataFrame]:
    """Five districts and the weather of their department."""
    start = late_lake.FIRST - timedelta(weeks=12)
    weeks = np.arange(WEEKS + 12)
    return {
        REPORTED: outbreak.series(late_lake.vintage(late_lake.true_counts(WEEKS), WEEKS - 1)),
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
        training_set.with_targets(ROWS, 8), "event_timestamp", splits.Lengths(52, 52, 8, 52)
    )  # fmt: skip
    out = tmp_path_factory.mktemp("fitted")
    with one_network():
        outbreak.fit(frame, out, seed=1, say=lambda _: None)
    return out


@pytest.fixture(scope="module")
def fitted(folder: Path) -> Fitted:
    return outbreak.load(folder)


def run(fitted: Fitted, cases: Any, climate: Any = None, entity: str = HERE) -> dict[str, Any]:
    change = simulate.change_of(cases, climate)
    return simulator(fitted).run(entity, change, 8).answer


def simulator(fitted: Fitted, tables: Any = TABLES, ranges: TrainingRanges = RANGES) -> Simulator:
    return Simulator(outbreak, fitted, tables, CHANNELS, ranges)


def medians(weeks: list[dict[str, Any]]) -> list[float]:
    return [week["median"] for week in weeks]


def test_a_simulation_says_so_and_its_baseline_is_the_forecast(fitted: Fitted) -> None:
    answer = run(fitted, 3.0)
    assert answer["simulation"] is True
    assert {c["code"] for c in answer["caveats"]} >= {"simulation", "no_causal_effect"}
    newest = ROWS[ROWS["event_timestamp"] == ROWS["event_timestamp"].max()]
    row = newest[newest["entity"] == HERE].reset_index(drop=True)
    assert medians(answer["baseline"]) == fitted.quantiles(row, (0.5,))[0, :, 0].tolist()
    assert (np.array(medians(answer["simulated"])) > medians(answer["baseline"])).all()
    assert answer["simulated"][3]["alert"] == "epidemia"
    assert answer["simulated"][3]["exceedance"] > answer["baseline"][3]["exceedance"]
    assert json.dumps(answer, allow_nan=False)


def test_cases_of_weeks_are_put_in_their_place_and_the_log_gets_them(fitted: Fitted) -> None:
    change = simulate.change_of([5, 400], None)
    simulation = simulator(fitted).run(HERE, change, 2)
    assert simulation.features["cases_lag_0"] == 400 and simulation.features["cases_lag_1"] == 5
    assert len(simulation.answer["simulated"]) == len(simulation.answer["baseline"]) == 2
    assert simulation.answer["change"]["weeks"] == 2


def test_the_weather_moves_a_forecast_that_reads_it(fitted: Fitted) -> None:
    assert "temperature" in fitted.description.features
    answer = run(fitted, None, {"temperature": 8.0, "precipitation": 0.0})
    assert answer["simulated"] != answer["baseline"]
    assert answer["change"]["temperature"] == 8.0


def test_weather_that_the_model_does_not_read_is_refused(fitted: Fitted) -> None:
    change = simulate.change_of(None, {"temperature": 1.0})
    dry = {name: table for name, table in TABLES.items() if name != "climate_weekly"}
    with pytest.raises(UsageError, match="reads no weather"):
        simulator(fitted, dry).run(HERE, change, 8)


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
    with pytest.raises(UsageError) as refusal:
        simulate.change_of(cases, climate)
    assert where in refusal.value.where


def test_far_outside_the_training_nothing_is_simulated(fitted: Fitted) -> None:
    ranges = TrainingRanges.of_rows(ROWS[list(fitted.description.features)])
    change = simulate.change_of([90_000], None)
    with pytest.raises(UsageError, match="too far"):
        simulator(fitted, ranges=ranges).run(HERE, change, 8)
    largest = ROWS["cases_lag_0"].max()
    near = simulate.change_of([largest * 1.5], None)
    answer = simulator(fitted, ranges=ranges).run(HERE, near, 8)
    assert "outside_training" in {c["code"] for c in answer.answer["caveats"]}


def test_a_fitted_model_tells_the_ranges_that_it_was_trained_on(
    folder: Path, fitted: Fitted
) -> None:
    ranges = TrainingRanges.read(folder).of
    last = pd.Timestamp(fitted.description.trained_through).date()
    learned = ROWS[ROWS["event_timestamp"].dt.date <= last]
    assert len(learned) < len(ROWS) and set(ranges) == set(fitted.description.features)
    assert ranges == TrainingRanges.of_rows(learned[list(ranges)]).of


def explained(fitted: Fitted, entity: str, horizon: int = 8, scale: float = 1.0) -> dict[str, Any]:
    past = ROWS[ROWS["entity"] == entity].reset_index(drop=True)
    row = past.tail(1).reset_index(drop=True).copy()
    lags = [c for c in row if str(c).startswith("cases_lag_")]
    row[lags] *= scale
    cases = sources.cases(outbreak, TABLES, "16")
    return Explainer(outbreak, fitted).run(row, past, cases, horizon=horizon)


def test_an_explanation_sums_to_the_difference_from_the_usual(fitted: Fitted) -> None:
    for entity in late_lake.DISTRICTS:
        answer = explained(fitted, entity)
        added = sum(g["cases"] for g in answer["groups"])
        assert added == pytest.approx(answer["median"] - answer["usual"], abs=1e-3)
        logs = sum(g["log"] for g in answer["groups"])
        assert logs == pytest.approx(np.log1p(answer["median"]) - answer["usual_log"], abs=1e-5)
        assert {g["group"] for g in answer["groups"]} == {
            "recent_cases", "neighbours", "department", "season", "place", "climate"
        }  # fmt: skip
        assert answer["horizon"] == 4 and answer["background"]["weeks"] == 12


def test_the_sentences_say_what_moves_the_forecast_most(fitted: Fitted) -> None:
    answer = explained(fitted, HERE, scale=8.0)
    first = answer["groups"][0]
    assert first["group"] == "recent_cases" and first["cases"] > 0
    assert (
        "sube de" in answer["sentences"][1]["es"] and "rises from" in answer["sentences"][1]["en"]
    )
    assert f"a {answer['median']:g} casos" in answer["sentences"][1]["es"]
    assert len(answer["sentences"]) == 1 + len(answer["groups"]) + len(answer["seasons"])
    assert all(s["es"] and s["en"] for s in answer["sentences"])
    assert [c["code"] for c in answer["caveats"]] == ["no_causal_effect"]


def test_no_small_count_of_the_past_is_told(fitted: Fitted) -> None:
    answer = explained(fitted, SMALL)
    values = [c for season in answer["seasons"] for c in season["followed"]]
    assert len(answer["seasons"]) == 3 and None in values
    assert all(c is None or c == 0 or c >= 5 for c in values)


def test_a_shorter_question_is_explained_at_its_last_week(fitted: Fitted) -> None:
    answer = explained(fitted, HERE, horizon=2)
    ends = ROWS["event_timestamp"].max() + pd.Timedelta(weeks=2)
    assert answer["horizon"] == 2 and answer["week_ending"] == str(ends.date())


def test_a_past_of_less_than_a_year_explains_nothing(fitted: Fitted) -> None:
    past = ROWS[ROWS["entity"] == HERE].tail(50)
    with pytest.raises(UsageError, match="too short"):
        Explainer(outbreak, None).usual(past, past["event_timestamp"].max().date())
