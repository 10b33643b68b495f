"""The nearest past years: the right ones, nothing from the future, and no small count."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from models.outbreak import USE_CASE as OUTBREAK
from yupana.tasks.forecast.serving.analysis.past_seasons import CURVE, nearest

WEEKS, HERE = 320, "160101"
AHEAD = len(OUTBREAK.horizons)
DAYS = pd.date_range("2015-01-10", periods=WEEKS, freq="7D")
ORIGIN = DAYS[-1].date()


def cases(seed: int = 1, mean: float = 60.0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        rng.poisson(mean, (WEEKS, 3)), index=DAYS, columns=[HERE, "160102", "160201"]
    ).astype(float)


def test_the_year_with_the_same_curve_is_the_nearest_and_tells_what_followed() -> None:
    table = cases()
    then = WEEKS - 1 - round(365.25 * 3 / 7)
    curve = np.arange(CURVE) * 40.0 + 10
    table.iloc[-CURVE:, 0] = curve
    table.iloc[then + 1 - CURVE : then + 1, 0] = curve * 1.05
    table.iloc[then + 1 : then + 1 + AHEAD, 0] = np.arange(AHEAD) * 10.0 + 500
    seasons = nearest(table, HERE, ORIGIN, OUTBREAK)
    assert len(seasons) == 3
    assert seasons[0]["week_ending"] == str(DAYS[then].date())
    assert seasons[0]["year"] == DAYS[then].year
    assert seasons[0]["followed"] == [500 + 10 * k for k in range(AHEAD)]


def test_a_season_that_came_a_week_later_is_found() -> None:
    table = cases()
    then = WEEKS - 1 - round(365.25 * 2 / 7) + 1
    table.iloc[-CURVE:, 0] = table.iloc[then + 1 - CURVE : then + 1, 0] = np.arange(CURVE) * 30.0
    assert nearest(table, HERE, ORIGIN, OUTBREAK)[0]["week_ending"] == str(DAYS[then].date())


def test_nothing_after_the_origin_is_looked_at() -> None:
    table = cases()
    origin = DAYS[-60].date()
    before = nearest(table, HERE, origin, OUTBREAK)
    table.iloc[-59:] = 9_999
    assert nearest(table, HERE, origin, OUTBREAK) == before


def test_a_short_or_unknown_past_has_no_years() -> None:
    assert nearest(cases().tail(40), HERE, ORIGIN, OUTBREAK) == []
    assert nearest(cases(), "250101", ORIGIN, OUTBREAK) == []


@given(st.integers(0, 2000), st.floats(0.2, 8))
def test_no_small_count_is_told_nor_found_from_the_department(seed: int, mean: float) -> None:
    table = cases(seed, mean)
    answers = {
        u: {s["week_ending"]: s["followed"] for s in nearest(table, u, ORIGIN, OUTBREAK)}
        for u in table
    }
    for entity, seasons in answers.items():
        for week, followed in seasons.items():
            after = table[table.index > week].head(AHEAD)
            for count, (_, row) in zip(followed, after.iterrows(), strict=True):
                assert count is None or count == row[entity]
                assert count is None or count == 0 or count >= 5
    for week in set.intersection(*(set(t) for t in answers.values())):
        after = table[table.index > week].head(AHEAD)
        for k, (_, row) in enumerate(after.iterrows()):
            hidden = [u for u in table if answers[u][week][k] is None]
            # A total under five is not shown anywhere either.
            if hidden and row.sum() >= 5:
                assert len(hidden) > 1 and row[hidden].sum() >= 5
