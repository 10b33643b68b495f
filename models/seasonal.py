"""The baseline: what past years had at this time of the year, as a negative binomial.

The seasonal reference of the dengue challenges (Johansson et al. 2019, PNAS 116:24268): it
knows the district and the week of the year, and nothing of the weeks just seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

COUNT = "cases_lag_0"
AROUND = 3
"""Weeks before and after the same week of past years that are looked at."""

YEAR_DAYS = 365.25
WEEKS = 53
Array = np.ndarray[Any, np.dtype[np.float64]]


class Seasonal:
    """A `yupana.core.forecast.Forecaster` by district and week of the year.

    The mean leans on the district's mean over all weeks with the weight of one observation, so
    that a calm season is not told as certain. The size of the negative binomial is by moments
    where the district's window is overdispersed, else pooled over all districts.

    Args:
        frame: training rows with `ubigeo`, `event_timestamp` and `cases_lag_0`.
        horizons: weeks ahead.
    """

    def __init__(self, frame: pd.DataFrame, horizons: Sequence[int]) -> None:
        self.horizons = horizons
        counts = frame[COUNT].to_numpy(dtype=float)
        weeks = _week_of_year(frame["event_timestamp"])
        names = frame["ubigeo"].astype(str).to_numpy()
        tables = {u: _moments(counts[names == u], weeks[names == u]) for u in np.unique(names)}
        tables[""] = _moments(counts, weeks)
        self._pooled_size = _pooled_size(list(tables.values()))
        self._tables = {u: (mean, self._sizes(mean, var)) for u, (mean, var) in tables.items()}

    def _sizes(self, mean: Array, variance: Array) -> Array:
        """Size of the negative binomial by week: variance = mean + mean² / size."""
        excess = variance - mean
        by_moments = mean**2 / np.where(excess > 0, excess, 1.0)
        return np.where(excess > 0, np.clip(by_moments, 0.05, 1e4), self._pooled_size)

    def knows(self, ubigeo: str) -> bool:
        """Whether the district has past seasons of its own; others get those of all."""
        return bool(ubigeo) and ubigeo in self._tables

    def quantiles(self, features: pd.DataFrame, levels: Sequence[float]) -> Array:
        """Counts of shape (rows, horizons, levels), non-negative, rising along levels.

        Args:
            features: rows with `ubigeo` and `event_timestamp`.
        """
        from scipy.stats import nbinom

        names = features["ubigeo"].astype(str)
        known = [u if self.knows(u) else "" for u in names]
        rows = np.arange(len(known))
        mean = np.stack([self._tables[u][0] for u in known])
        size = np.stack([self._tables[u][1] for u in known])
        answers = []
        for horizon in self.horizons:
            ahead = features["event_timestamp"] + pd.Timedelta(weeks=horizon)
            week = _week_of_year(ahead)
            m, s = mean[rows, week][:, None], size[rows, week][:, None]
            answers.append(nbinom.ppf(np.asarray(levels), s, s / (s + m)))
        return np.stack(answers, axis=1).astype(float)


def _week_of_year(times: pd.Series[Any]) -> np.ndarray[Any, np.dtype[np.int64]]:
    """0-52, by the day of the year: a 53rd week shifts nothing."""
    days = pd.to_datetime(times).dt.dayofyear.to_numpy() - 1
    return np.asarray(days * WEEKS / YEAR_DAYS, dtype=np.int64).clip(0, WEEKS - 1)


def _moments(counts: Array, weeks: np.ndarray[Any, np.dtype[np.int64]]) -> tuple[Array, Array]:
    """Mean and variance of the counts around each week of the year, shape (53,) each."""
    overall, spread = counts.mean(), counts.var()
    means, variances = np.full(WEEKS, overall), np.full(WEEKS, spread)
    for week in range(WEEKS):
        apart = np.abs(weeks - week)
        near = counts[np.minimum(apart, WEEKS - apart) <= AROUND]
        if len(near):
            means[week] = (near.sum() + overall) / (len(near) + 1)
            variances[week] = near.var()
    # A district without any case still may have one: half a case in all weeks seen.
    return np.maximum(means, 0.5 / max(len(counts), 1)), variances


def _pooled_size(tables: Sequence[tuple[Array, Array]]) -> float:
    """One size for all, from the summed moments of every district and week."""
    squares = sum(float((mean**2).sum()) for mean, _ in tables)
    excess = sum(float((variance - mean).sum()) for mean, variance in tables)
    return float(np.clip(squares / excess, 0.05, 1e4)) if excess > 0 else 1e4
