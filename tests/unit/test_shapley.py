"""What each group of features adds to a forecast: exact, complete, and nothing from the unread."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from small_panel import HORIZONS, panel

from feature_repo.outbreak.weekly import FEATURES
from models.outbreak.feature_groups import GROUPS
from yupana.tasks.forecast.feature_groups import OTHER, group_of
from yupana.tasks.forecast.model.autoregression import Autoregression
from yupana.tasks.forecast.model.seasonal import Seasonal
from yupana.tasks.forecast.model.training_rows import feature_names
from yupana.tasks.forecast.serving.analysis.shapley import parts, shapley

PANEL = panel()
NAMES = ("entity", "event_timestamp", *feature_names(PANEL))


def test_every_feature_belongs_to_one_group() -> None:
    for feature in FEATURES:
        assert sum(feature.startswith(g.starts) for g in GROUPS) == 1, feature
    assert group_of(GROUPS, "rainfall_of_tomorrow") is OTHER


@given(st.lists(st.floats(-1e3, 1e3), min_size=16, max_size=16))
def test_shapley_values_are_the_mean_over_all_orders(worth: list[float]) -> None:
    orders = list(permutations(range(4)))
    expected = np.zeros(4)
    for order in orders:
        subset = 0
        for player in order:
            expected[player] += worth[subset | 1 << player] - worth[subset]
            subset |= 1 << player
    values = shapley(np.array(worth))
    np.testing.assert_allclose(values, expected / len(orders), atol=1e-9)
    np.testing.assert_allclose(values.sum(), worth[-1] - worth[0], atol=1e-8)


def origin_and_past(entity: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    mine = PANEL[PANEL["entity"] == entity]
    return mine.tail(1).reset_index(drop=True), mine.iloc[:-1:13].reset_index(drop=True)


def test_parts_sum_to_the_difference_from_the_usual_forecast() -> None:
    model = Autoregression(PANEL, HORIZONS)
    for entity in ("160101", "160201"):
        row, past = origin_and_past(entity)
        attribution = parts(model, GROUPS, row, past, NAMES, 4)
        medians = model.quantiles(past, (0.5,))[:, 3, 0]
        now = model.quantiles(row, (0.5,))[0, 3, 0]
        np.testing.assert_allclose(attribution.median, now)
        np.testing.assert_allclose(attribution.usual, medians.mean())
        np.testing.assert_allclose(attribution.cases.sum(), now - medians.mean())
        np.testing.assert_allclose(attribution.logs.sum(), np.log1p(now) - np.log1p(medians).mean())
        assert np.abs(attribution.cases).max() > 0.1


def test_what_a_model_does_not_read_adds_nothing() -> None:
    row, past = origin_and_past("160101")
    attribution = parts(Seasonal(PANEL, HORIZONS), GROUPS, row, past, NAMES, 1)
    added = dict(zip((g.code for g in attribution.groups), attribution.cases, strict=True))
    assert added["season"] != 0
    assert added["recent_cases"] == added["department"] == added["place"] == 0


def test_the_forecast_without_a_group_has_the_usual_in_its_place() -> None:
    model = Autoregression(PANEL, HORIZONS)
    row, past = origin_and_past("160101")
    attribution = parts(model, GROUPS, row, past, NAMES, 2)
    codes = [g.code for g in attribution.groups]
    for code in ("recent_cases", "season"):
        mixed = pd.concat([row] * len(past), ignore_index=True)
        for column in (c for c in mixed if group_of(GROUPS, str(c)).code == code):
            mixed[column] = past[column]
        expected = model.quantiles(mixed, (0.5,))[:, 1, 0].mean()
        np.testing.assert_allclose(attribution.without[codes.index(code)], expected)
    assert (
        attribution.without[codes.index("recent_cases")]
        != attribution.without[codes.index("season")]
    )
