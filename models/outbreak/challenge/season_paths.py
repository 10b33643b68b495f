"""Seasons simulated week by week: a seasonal negative binomial with autoregression.

The log mean of a week depends on the last week, the last month, quarter and half year, and on
the week of the season (two harmonics). The half year lets an epidemic end: after many cases few
are left to infect. Coefficients are those of ridge regressions on randomly weighted seasons (the
Bayesian bootstrap, Rubin 1981), so that paths carry what few seasons leave unknown.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from models.outbreak.challenge.season_analog import nb_log_pmf
from models.outbreak.challenge.season_targets import WEEKS, Array, City, Counts, of_paths

PATHS = 4000
_FITS = 64
_SPANS = (1, 4, 12, 26)  # weeks whose mean log count is a regressor
_REACH = max(_SPANS)
_OFFSET = 0.5  # log(count + offset)
# Ridge towards an autoregression that forgets slowly; intercept nearly free.
_CENTRE = np.array([0.0, 0.5, 0.4, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0])
_RIDGE = np.array([0.03, 0.3, 0.3, 9.0, 9.0, 3.0, 3.0, 3.0, 3.0])
_SIZES = np.exp(np.linspace(-1.0, 4.0, 26))
_ROUNDS = 8
_MOST = 3  # a week is expected to have at most this many times the most ever seen


def _regressors(sums: Array, week: Any) -> Array:
    """Regressors of the week that follows: an intercept, mean log counts, two harmonics.

    Args:
        sums: running sums of the log counts, the newest last, shape (27, rows): a mean of any
            span is one difference.
        week: week of the season, one or one a row.

    Returns:
        Shape (9, rows).
    """
    angle = 2 * np.pi * np.asarray(week) / WEEKS + np.zeros(sums.shape[1])
    season = [np.sin(angle), np.cos(angle), np.sin(2 * angle), np.cos(2 * angle)]
    means = [(sums[-1] - sums[-1 - span]) / span for span in _SPANS]
    return np.stack([np.ones_like(angle), *means, *season])


class Paths:
    """The path simulator.

    Args:
        city: the official bins.
        past: ended seasons in order, shape (seasons, 52); they must follow each other.
        rng: draws the weights of the bootstrap.
    """

    def __init__(self, city: City, past: Counts, rng: np.random.Generator) -> None:
        self._city = city
        series = past.ravel().astype(float)
        self._logs = np.log(series + _OFFSET)
        self._cap = np.log(_MOST * series.max() + 10)
        sums = np.append(0.0, np.cumsum(self._logs))
        windows = np.lib.stride_tricks.sliding_window_view(sums[:-1], _REACH + 1)
        weeks = np.arange(_REACH, len(series))
        self._x, self._y = _regressors(windows.T, weeks % WEEKS).T, series[_REACH:]
        self._size, start = 3.0, _CENTRE
        for _ in range(3):
            start = self._fit(np.ones(len(weeks)), start)
            mean = self._mean(self._x @ start)
            fits = [nb_log_pmf(self._y, mean, size).sum() for size in _SIZES]
            self._size = float(_SIZES[int(np.argmax(fits))])
        shares = rng.dirichlet(np.full(len(past), 2.0), _FITS) * len(past)
        self._fits = np.array([self._fit(share[weeks // WEEKS], start) for share in shares])

    def _mean(self, log_mean: Array) -> Array:
        return np.asarray(np.exp(np.clip(log_mean, -5.0, self._cap)))

    def _fit(self, weight: Array, start: Array) -> Array:
        """Coefficients by iterated weighted ridge regression, shape (9,)."""
        solution = start
        for _ in range(_ROUNDS):
            line = np.clip(self._x @ solution, -5.0, self._cap)
            mean = np.exp(line)
            weighted = self._x * (weight * mean / (1 + mean / self._size))[:, None]
            right = weighted.T @ (line + (self._y - mean) / mean) + _RIDGE * _CENTRE
            solution = np.linalg.solve(weighted.T @ self._x + np.diag(_RIDGE), right)
        return solution

    def forecast(self, so_far: Counts, rng: np.random.Generator) -> dict[str, Array]:
        """Probabilities of every bin, by target.

        Args:
            so_far: counts of the season's first weeks, shape (0..51,).
        """
        weeks_past = len(so_far)
        logs = np.concatenate([self._logs, np.log(so_far + _OFFSET)])[-_REACH:]
        sums = np.zeros((_REACH + 1 + WEEKS - weeks_past, PATHS))
        sums[1 : _REACH + 1] = np.cumsum(logs)[:, None]
        paths = np.zeros((WEEKS, PATHS), dtype=int)
        paths[:weeks_past] = so_far[:, None]
        fits = self._fits[rng.integers(0, _FITS, PATHS)].T
        for newest, week in enumerate(range(weeks_past, WEEKS), start=_REACH):
            rows = _regressors(sums[newest - _REACH : newest + 1], week)
            mean = self._mean((rows * fits).sum(axis=0))
            paths[week] = rng.poisson(mean * rng.gamma(self._size, 1 / self._size, PATHS))
            sums[newest + 1] = sums[newest] + np.log(paths[week] + _OFFSET)
        return of_paths(self._city, paths.T)
