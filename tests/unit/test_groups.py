"""What each group of features adds to a forecast: exact, complete, and nothing from the unread."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from small_panel import panel

from feature_repo.outbreak_weekly import FEATURES
from models.autoregression import Autoregression
from models.outbreak import HORIZONS, feature_names
from models.seasonal import Seasonal
from serving.study.groups import GROUPS, OTHER, group_of, parts, shapley

PANEL = panel()
NAMES = feature_names(PANEL)


def test_every_feature_belongs_to_one_group() -> None:
    for feature in FEATURES:
        assert sum(feature.startswith(g.starts) for g in GROUPS) == 1, feature
    assert group_of("rainfall_of_tomorrow") is OTHER


@given(st.lists(st.floats(-1e3, 1e3), min_size=16, max_size=16))
def test_shapley_values_are_the_mean_over_all_orders(worth: list[float]) -> None:
    orders = list(permutations(range(4)))
    expected = np.zeros(4)
    for order in orders:
        subset = 0
        for player in order:
            expected[player] += worth[subset | 1 << player] - worth[subset]
            subset |= 1 << player
    found = shapley(np.array(worth))
    np.testing.assert_allclose(found, expected / len(orders), atol=1e-9)
    np.testing.assert_allclose(found.sum(), worth[-1] - worth[0], atol=1e-8)


def origin_and_past(ubigeo: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    mine = PANEL[PANEL["ubigeo"] == ubigeo]
    return mine.tail(1).reset_index(drop=True), mine.iloc[:-1:13].reset_index(drop=True)


def test_parts_sum_to_the_difference_from_the_usual_forecast() -> None:
    model = Autoregression(PANEL, HORIZONS)
    for ubigeo in ("160101", "160201"):
        row, past = origin_and_past(ubigeo)
        found = parts(model, row, past, NAMES, 4)
        medians = model.quantiles(past, (0.5,))[:, 3, 0]
        now = model.quantiles(row, (0.5,))[0, 3, 0]
        np.testing.assert_allclose(found.median, now)
        np.testing.assert_allclose(found.usual, medians.mean())
        np.testing.assert_allclose(found.cases.sum(), now - medians.mean())
        np.testing.assert_allclose(found.logs.sum(), np.log1p(now) - np.log1p(medians).mean())
        assert np.abs(found.cases).max() > 0.1


def test_what_a_model_does_not_read_adds_nothing() -> None:
    row, past = origin_and_past("160101")
    found = parts(Seasonal(PANEL, HORIZONS), row, past, NAMES, 1)
    added = dict(zip((g.code for g in found.groups), found.cases, strict=True))
    assert added["season"] != 0
    assert added["recent_cases"] == added["department"] == added["place"] == 0


def test_the_forecast_without_a_group_has_the_usual_in_its_place() -> None:
    model = Autoregression(PANEL, HORIZONS)
    row, past = origin_and_past("160101")
    found = parts(model, row, past, NAMES, 2)
    codes = [g.code for g in found.groups]
    for code in ("recent_cases", "season"):
        mixed = pd.concat([row] * len(past), ignore_index=True)
        for column in (c for c in mixed if group_of(str(c)).code == code):
            mixed[column] = past[column]
        expected = model.quantiles(mixed, (0.5,))[:, 1, 0].mean()
        np.testing.assert_allclose(found.without[codes.index(code)], expected)
    assert found.without[codes.index("recent_cases")] != found.without[codes.index("season")]
