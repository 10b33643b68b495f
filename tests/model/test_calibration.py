"""The randomised transform: flat where forecasts are true, and telling where they are not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import nbinom

from yupana.tasks.forecast.quantiles import QUANTILES
from yupana.tasks.forecast.scoring.calibration import central_shares, deciles, randomised_pit

MEANS = np.array([0.05, 0.5, 2.0, 8.0, 60.0])


def drawn(size: float = 1.5, n: int = 20_000) -> tuple[np.ndarray, np.ndarray]:
    """Counts from negative binomials of many means, and the quantiles that they came from."""
    rng = np.random.default_rng(4)
    mean = rng.choice(MEANS, n)
    p = size / (size + mean)
    return rng.negative_binomial(size, p).astype(float), nbinom.ppf(
        np.array(QUANTILES), size, p[:, None]
    )


def test_true_forecasts_are_flat_though_most_counts_are_zero() -> None:
    observed, forecast = drawn()
    assert (observed == 0).mean() > 0.35
    pit = randomised_pit(observed, forecast, seed=1)
    assert deciles(pit) == pytest.approx([0.1] * 10, abs=0.012)
    inside = central_shares(pit)
    assert inside["50"] == pytest.approx(0.5, abs=0.015)
    assert inside["90"] == pytest.approx(0.9, abs=0.015)
    assert inside["95"] == pytest.approx(0.95, abs=0.015)


def test_a_low_forecast_piles_up_on_the_right_and_a_narrow_one_at_both_ends() -> None:
    observed, forecast = drawn()
    low = deciles(randomised_pit(observed, np.floor(forecast / 2), seed=1))
    assert low[-1] > 0.15 > 0.1 > low[1]
    middle = forecast[:, [QUANTILES.index(0.5)]]
    narrow = deciles(randomised_pit(observed, (forecast + 2 * middle) / 3, seed=1))
    assert narrow[-1] > 0.13
    assert narrow[0] > 0.11


def test_certain_zeros_are_flat_while_zero_comes_and_a_case_is_beyond_them() -> None:
    nothing = np.zeros((4000, len(QUANTILES)))
    flat = deciles(randomised_pit(np.zeros(4000), nothing, seed=1))
    assert flat == pytest.approx([0.1] * 10, abs=0.02)
    assert (randomised_pit(np.full(4000, 2.0), nothing, seed=1) == 1).all()


def test_whole_numbers_and_the_values_that_round_to_them_are_told_alike() -> None:
    observed, forecast = drawn()
    near = np.sort(forecast + np.random.default_rng(0).uniform(-0.3, 0.3, forecast.shape), axis=1)
    ours = deciles(randomised_pit(observed, np.maximum(near, 0), seed=1))
    assert ours == pytest.approx([0.1] * 10, abs=0.02)


def test_the_same_seed_gives_the_same_values() -> None:
    observed, forecast = drawn(n=200)
    first, again, other = (randomised_pit(observed, forecast, seed=s) for s in (1, 1, 2))
    assert (first == again).all() and (first != other).any()
    assert ((first >= 0) & (first <= 1)).all()
