"""A regression in the manner of WHO's EWARS-csd, on what this data has.

EWARS-csd fits a negative binomial regression with a cyclic effect of the week, an effect of each
district in each year and lags of climate, in R-INLA (github.com/Laith-hk/AUTO-EWARS-csd). There is
no climate in this data: its place is taken by lagged counts of the district, its province and its
department. One regression a week ahead, so that nothing unknown enters; what a district's year has
beside the others comes from its mean of 52 weeks, and district effects are shrunk as random ones.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tests.benchmark.skill_past import YEAR, Array, Past, lagged, trailing_mean, whole

LAGS, STEPS = 8, 12
PENALTY, PENALTY_DISTRICT = 1.0, 4.0


class LaggedRegression:
    """Negative binomial with a log link, fitted at each year's first origin."""

    def fit(self, past: Past, horizons: int) -> None:
        self._fits = []
        for horizon in range(1, horizons + 1):
            inputs = self._inputs(past, horizon)[YEAR:-horizon]
            targets = past.counts[YEAR + horizon :]
            flat = inputs.reshape(-1, inputs.shape[-1])
            self._fits.append(_fit(flat, targets.reshape(-1), len(past.districts)))

    def _inputs(self, past: Past, horizon: int) -> Array:
        """Shape (weeks, districts, inputs): constant, lags, season of the week ahead, district."""
        counts = past.counts
        recent = [lagged(counts, k) for k in range(LAGS)]
        means = [trailing_mean(counts, weeks) for weeks in (13, YEAR)]
        others = [trailing_mean(past.others(digits), 4) for digits in (4, 2)]
        logs = [np.log1p(x) for x in (*recent, *means, *others)]
        waves = [np.broadcast_to(w[:, None], counts.shape) for w in past.season(horizon).T]
        plain = np.stack([np.ones(counts.shape), *logs, *waves], axis=-1)
        number = len(past.districts)
        district = np.broadcast_to(np.eye(number), (len(counts), number, number))
        return np.concatenate([plain, district], axis=-1)

    def quantiles(self, past: Past, levels: Sequence[float]) -> Array:
        """By district and week ahead."""
        from scipy.stats import nbinom

        answers = []
        for horizon, (weights, size) in enumerate(self._fits, start=1):
            mean = np.exp(np.clip(self._inputs(past, horizon)[-1] @ weights, -12, 9))[:, None]
            answers.append(nbinom.ppf(np.asarray(levels), size, size / (size + mean)))
        return whole(np.stack(answers, axis=1))


def _fit(inputs: Array, counts: Array, districts: int) -> tuple[Array, float]:
    """Weights by penalised scoring, and the size by likelihood, in turns."""
    penalty = np.full(inputs.shape[1], PENALTY)
    penalty[0], penalty[-districts:] = 0.0, PENALTY_DISTRICT
    weights, size = np.zeros(inputs.shape[1]), 1.0
    weights[0] = np.log(counts.mean() + 1e-3)
    for step in range(STEPS):
        line = np.clip(inputs @ weights, -12, 9)
        mean = np.exp(line)
        if step % 3 == 2:
            size = _size(counts, mean)
        each = mean * size / (size + mean)
        working = line + (counts - mean) / mean
        left = inputs.T @ (each[:, None] * inputs) + np.diag(penalty)
        weights = np.linalg.solve(left, inputs.T @ (each * working))
    return weights, _size(counts, np.exp(np.clip(inputs @ weights, -12, 9)))


def _size(counts: Array, mean: Array) -> float:
    """The negative binomial's size of the highest likelihood."""
    from scipy.optimize import minimize_scalar
    from scipy.stats import nbinom

    def loss(log: float) -> float:
        size = np.exp(log)
        return -float(nbinom.logpmf(counts, size, size / (size + mean)).sum())

    return float(np.exp(minimize_scalar(loss, bounds=(-3, 5), method="bounded").x))
