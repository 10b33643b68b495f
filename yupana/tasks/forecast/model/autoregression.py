"""The baseline that hurts: one ridge regression a horizon over all districts, and its residuals.

Direct forecasts of log1p counts: the middle comes from the regression, the spread from what it
missed in the past at the same level of forecast.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from yupana.tasks.forecast.model.ridge import edges_of, solve

LAGS = 12
STRATA = 12
FEWEST = 60
"""Residuals that a stratum needs to tell its tails."""

DECIMALS = 6
YEAR_DAYS = 365.25
Array = np.ndarray[Any, np.dtype[np.float64]]


class Autoregression:
    """A `yupana.tasks.forecast.quantiles.Forecaster`, linear in the log counts of the last 12
    periods.

    Args:
        frame: training rows with `entity`, `event_timestamp`, `cases_lag_0`..`cases_lag_11` and
            `target_<h>` for every horizon (NaN where not known yet).
        horizons: periods ahead.
    """

    def __init__(self, frame: pd.DataFrame, horizons: Sequence[int]) -> None:
        self.horizons = horizons
        logs = np.log1p(frame["cases_lag_0"].to_numpy(dtype=float))
        means = pd.Series(logs).groupby(frame["entity"].astype(str).to_numpy()).mean()
        self._means = {str(u): float(v) for u, v in means.items()}
        self._pooled_mean = float(logs.mean())
        inputs = self._inputs(frame)
        targets = np.log1p(frame[[f"target_{h}" for h in horizons]].to_numpy(dtype=float))
        self._weights, self._edges, self._residuals = [], [], []
        for target in targets.T:
            finite = ~np.isnan(target)
            weights = solve(inputs[finite], target[finite])
            middle = inputs[finite] @ weights
            edges, residuals = _strata(middle, target[finite] - middle)
            self._weights.append(weights)
            self._edges.append(edges)
            self._residuals.append(residuals)

    def _inputs(self, rows: pd.DataFrame) -> Array:
        """Lags, district level and two harmonics of the year, with a constant."""
        lags = np.log1p(rows[[f"cases_lag_{k}" for k in range(LAGS)]].to_numpy(dtype=float))
        level = [self._means.get(str(u), self._pooled_mean) for u in rows["entity"]]
        day = pd.to_datetime(rows["event_timestamp"]).dt.dayofyear.to_numpy()
        angle = 2 * np.pi * day / YEAR_DAYS
        waves = [f(k * angle) for k in (1, 2) for f in (np.sin, np.cos)]
        return np.column_stack([np.ones(len(rows)), lags, level, *waves])

    def knows(self, entity: str) -> bool:
        """Whether the district has a level of its own; others get that of all."""
        return entity in self._means

    def quantiles(self, features: pd.DataFrame, levels: Sequence[float]) -> Array:
        """Counts of shape (rows, horizons, levels), non-negative, rising along levels.

        Args:
            features: rows with `entity`, `event_timestamp` and the twelve lags.
        """
        inputs, answers = self._inputs(features), []
        parts = zip(self._weights, self._edges, self._residuals, strict=True)
        for weights, edges, residuals in parts:
            middle = inputs @ weights
            spread = np.stack([np.quantile(r, levels) for r in residuals])
            answers.append(middle[:, None] + spread[np.searchsorted(edges, middle)])
        counts = np.maximum(np.expm1(np.stack(answers, axis=1)), 0.0)
        # Sums and logarithms differ in the last bit by the number of rows that are asked for.
        return np.asarray(np.round(counts, DECIMALS), dtype=np.float64)


def _strata(middle: Array, residuals: Array) -> tuple[Array, list[Array]]:
    """Edges between the strata of the forecast's level, and the residuals of each."""
    edges = edges_of(middle, STRATA, FEWEST)
    stratum = np.searchsorted(edges, middle)
    return edges, [residuals[stratum == s] for s in range(len(edges) + 1)]
