"""A pooled autoregression on the root of the counts: the pool's plain and sturdy member.

One ridge regression a horizon over all districts. On the log scale (the baseline's) an outbreak
weighs as much as a few cases in a village; on a root scale large counts weigh more, as they do in
the interval score.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from yupana.tasks.forecast import frequency

Array = np.ndarray[Any, np.dtype[np.float64]]

LAGS = tuple(f"cases_lag_{k}" for k in range(12))
SHIFT = 0.25
PENALTY = 1.0
STRATA, FEWEST = 8, 60
"""Residuals are kept by stratum of the forecast's level, each of at least so many."""

LEVELS = np.arange(1, 400) / 400
"""Where the residuals' quantiles are kept; between them they are interpolated."""


class Ridge:
    """A `yupana.tasks.forecast.quantiles.Forecaster` for every district alike.

    Args:
        power: counts are raised to it (0.5: square root, 0.25: fourth root).
        weights: of the regressions, shape (horizons, inputs).
        edges: between the strata of the forecast's level, shape (horizons, strata - 1).
        spread: quantiles of the residuals at `LEVELS`, shape (horizons, strata, levels).
    """

    def __init__(self, power: float, weights: Array, edges: Array, spread: Array) -> None:
        self.power = power
        self.weights, self.edges, self.spread = weights, edges, spread
        self.horizons: Sequence[int] = tuple(range(1, len(weights) + 1))

    def knows(self, entity: str) -> bool:
        """Every district is answered alike."""
        return bool(entity)

    def arrays(self) -> dict[str, Array]:
        """What is saved; `Ridge(power, **arrays)` is the same model."""
        return {"weights": self.weights, "edges": self.edges, "spread": self.spread}

    def quantiles(self, features: pd.DataFrame, levels: Sequence[float]) -> Array:
        """Counts of shape (rows, horizons, levels), non-negative, rising along levels."""
        inputs, answers = _inputs(features, self.power), []
        for weights, edges, spread in zip(self.weights, self.edges, self.spread, strict=True):
            # Summed by row, not by BLAS: the same row gives the same numbers in any company.
            middle = (inputs * weights).sum(axis=1)
            around = np.stack([np.interp(levels, LEVELS, s) for s in spread])
            answers.append(middle[:, None] + around[np.searchsorted(edges, middle)])
        roots = np.maximum(np.stack(answers, axis=1), 0.0)
        return np.asarray(np.maximum(roots ** (1 / self.power) - SHIFT, 0.0), dtype=np.float64)


def fit(rows: pd.DataFrame, horizons: Sequence[int], power: float) -> Ridge:
    """Fit on rows with `LAGS`, yearly mean, season and `target_<h>` (NaN where not known)."""
    inputs = _inputs(rows, power)
    weights, edges, spread = [], [], []
    for horizon in horizons:
        counts = rows[f"target_{horizon}"].to_numpy(dtype=float)
        finite = ~np.isnan(counts)
        mine, target = inputs[finite], _root(counts[finite], power)
        solution = solve(mine, target)
        middle = (mine * solution).sum(axis=1)
        used = edges_of(middle, STRATA, FEWEST)
        # The edges of strata that are not used lie at infinity: the array keeps its shape.
        between = np.pad(used, (0, STRATA - 1 - len(used)), constant_values=np.inf)
        stratum, residuals = np.searchsorted(between, middle), target - middle
        weights.append(solution)
        edges.append(between)
        spread.append([_spread(residuals, stratum, s) for s in range(STRATA)])
    return Ridge(power, np.array(weights), np.array(edges), np.array(spread))


def _spread(residuals: Array, stratum: np.ndarray[Any, Any], number: int) -> Array:
    """Quantiles of one stratum's residuals; an unused stratum, never asked, gets those of all."""
    mine = residuals[stratum == number]
    return np.asarray(np.quantile(mine if len(mine) else residuals, LEVELS), dtype=np.float64)


def _root(counts: Array, power: float) -> Array:
    return np.asarray((np.maximum(counts, 0.0) + SHIFT) ** power, dtype=np.float64)


def _inputs(rows: pd.DataFrame, power: float) -> Array:
    """A constant, the roots of lags and yearly mean, and two harmonics of the year."""
    period = frequency.of(rows.columns)
    roots = _root(rows[[*LAGS, period.year_mean]].to_numpy(dtype=float), power)
    return np.column_stack([np.ones(len(rows)), roots, period.harmonics(rows)])


def solve(inputs: Array, target: Array) -> Array:
    """Weights of a ridge regression; the first input, the constant, is not shrunk."""
    penalty = PENALTY * np.eye(inputs.shape[1])
    penalty[0, 0] = 0.0
    weights = np.linalg.solve(inputs.T @ inputs + penalty, inputs.T @ target)
    return np.asarray(weights, dtype=np.float64)


def edges_of(middle: Array, strata: int, fewest: int) -> Array:
    """Edges between at most `strata` strata of the forecast's level, each of `fewest` or more.

    Half of the periods are near zero, so the strata get finer towards the outbreaks.
    """
    upper = 0.5 ** np.arange(1, strata)
    edges = np.quantile(middle, 1 - upper[len(middle) * upper >= fewest])
    return np.asarray(np.unique(edges), dtype=np.float64)
