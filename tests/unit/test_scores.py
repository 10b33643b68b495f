"""The scores against their definitions, written out a second time and more slowly."""

from __future__ import annotations

import numpy as np
import pytest

from yupana.core.errors import TerminalError
from yupana.tasks.forecast.quantiles import QUANTILES
from yupana.tasks.forecast.scoring.scores import score, weighted_interval_scores


def bracher(observed: float, forecast: np.ndarray) -> float:
    """WIS as Bracher et al. 2021 state it: eleven intervals and the median, one by one."""
    half = len(QUANTILES) // 2
    total = 0.5 * abs(observed - forecast[half])
    for k in range(half):
        alpha = 2 * QUANTILES[k]
        low, high = forecast[k], forecast[-1 - k]
        interval = high - low
        interval += 2 / alpha * max(low - observed, 0) + 2 / alpha * max(observed - high, 0)
        total += alpha / 2 * interval
    return total / (half + 0.5)


def pinball(observed: float, forecast: np.ndarray) -> float:
    """The same score as twice the mean quantile loss: a second, independent route."""
    levels = np.array(QUANTILES)
    return float(2 * ((observed <= forecast) - levels) @ (forecast - observed) / len(levels))


@pytest.fixture
def sample() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    forecast = np.sort(rng.gamma(2, 20, size=(40, 8, 23)), axis=2)
    return rng.poisson(35, size=(40, 8)).astype(float), forecast


def test_wis_is_brachers_and_twice_the_mean_quantile_loss(
    sample: tuple[np.ndarray, np.ndarray],
) -> None:
    observed, forecast = sample
    ours = weighted_interval_scores(observed, forecast)
    assert ours.shape == observed.shape
    for place in np.ndindex(observed.shape):
        assert ours[place] == pytest.approx(bracher(observed[place], forecast[place]))
        assert ours[place] == pytest.approx(pinball(observed[place], forecast[place]))


def test_a_certain_forecast_scores_its_absolute_error() -> None:
    observed, forecast = np.array([[7.0]]), np.full((1, 1, 23), 4.0)
    assert weighted_interval_scores(observed, forecast)[0, 0] == pytest.approx(3.0)
    assert score(observed, forecast)["mae"] == 3.0


def test_scores_are_means_over_the_counts_that_are_known(
    sample: tuple[np.ndarray, np.ndarray],
) -> None:
    observed, forecast = sample
    observed = observed.copy()
    observed[5:, 3:] = np.nan
    scores = score(observed, forecast)
    places = [p for p in np.ndindex(observed.shape) if not np.isnan(observed[p])]
    wis = np.mean([bracher(observed[p], forecast[p]) for p in places])
    logs = np.mean([bracher(np.log1p(observed[p]), np.log1p(forecast[p])) for p in places])
    assert scores["wis"] == pytest.approx(wis)
    assert scores["wis_log"] == pytest.approx(logs)
    assert scores["counts"] == len(places)


def test_coverage_counts_both_ends_as_inside() -> None:
    forecast = np.tile(np.array(QUANTILES) * 100, (5, 1, 1))
    observed = np.array([[25.0], [75.0], [90.0], [95.0], [99.0]])
    scores = score(observed, forecast)
    assert (scores["coverage_50"], scores["coverage_80"], scores["coverage_90"]) == (0.4, 0.6, 0.8)


def test_nothing_to_score_is_an_error_not_a_nan() -> None:
    with pytest.raises(TerminalError, match="nothing to score"):
        score(np.full((2, 1), np.nan), np.zeros((2, 1, 23)))
    with pytest.raises(TerminalError, match="nothing to score"):
        score(np.zeros((2, 1)), np.full((2, 1, 23), np.nan))
    with pytest.raises(TerminalError, match="does not fit"):
        score(np.zeros((2, 1)), np.zeros((2, 8, 23)))
