"""The baseline: what past years had at this time of the year, as a negative binomial.

The seasonal reference of the dengue challenges (Johansson et al. 2019, PNAS 116:24268): it
knows the district and the time of the year, and nothing of the periods just seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from yupana.tasks.forecast import frequency, negative_binomial

COUNT = "cases_lag_0"
Array = np.ndarray[Any, np.dtype[np.float64]]
Index = np.ndarray[Any, np.dtype[np.int64]]


class Seasonal:
    """A `yupana.tasks.forecast.quantiles.Forecaster` by district and time of the year.

    The mean leans on the district's mean over all periods with the weight of one observation, so
    that a calm season is not told as certain. The size of the negative binomial is by moments
    where the district's window is overdispersed, else pooled over all districts.

    Args:
        frame: training rows with `entity`, `event_timestamp` and `cases_lag_0`.
        horizons: periods ahead.
    """

    def __init__(self, frame: pd.DataFrame, horizons: Sequence[int]) -> None:
        self.horizons = horizons
        counts = frame[COUNT].to_numpy(dtype=float)
        self._frequency = frequency.of(frame.columns)
        slots = self._frequency.slot(frame["event_timestamp"])
        names = frame["entity"].astype(str).to_numpy()
        tables = {u: self._moments(counts[names == u], slots[names == u]) for u in np.unique(names)}
        tables[""] = self._moments(counts, slots)
        self._pooled_size = _pooled_size(list(tables.values()))
        self._tables = {u: (mean, self._sizes(mean, var)) for u, (mean, var) in tables.items()}

    def _sizes(self, mean: Array, variance: Array) -> Array:
        """Size of the negative binomial by slot: variance = mean + mean² / size."""
        excess = variance - mean
        by_moments = mean**2 / np.where(excess > 0, excess, 1.0)
        return np.where(excess > 0, np.clip(by_moments, 0.05, 1e4), self._pooled_size)

    def _moments(self, counts: Array, slots: Index) -> tuple[Array, Array]:
        """Mean and variance of the counts around each slot of the year, shape (slots,) each."""
        several = self._frequency.slots
        overall, spread = counts.mean(), counts.var()
        means, variances = np.full(several, overall), np.full(several, spread)
        for slot in range(several):
            apart = np.abs(slots - slot)
            near = counts[np.minimum(apart, several - apart) <= self._frequency.around]
            if len(near):
                means[slot] = (near.sum() + overall) / (len(near) + 1)
                variances[slot] = near.var()
        # A district without any case still may have one: half a case in all periods seen.
        return np.maximum(means, 0.5 / max(len(counts), 1)), variances

    def knows(self, entity: str) -> bool:
        """Whether the district has past seasons of its own; others get those of all."""
        return bool(entity) and entity in self._tables

    def quantiles(self, features: pd.DataFrame, levels: Sequence[float]) -> Array:
        """Counts of shape (rows, horizons, levels), non-negative, rising along levels.

        Args:
            features: rows with `entity` and `event_timestamp`.
        """
        names = features["entity"].astype(str)
        tables = [u if self.knows(u) else "" for u in names]
        rows = np.arange(len(tables))
        mean = np.stack([self._tables[u][0] for u in tables])
        size = np.stack([self._tables[u][1] for u in tables])
        answers = []
        for horizon in self.horizons:
            ahead = features["event_timestamp"] + self._frequency.offset(horizon)
            slot = self._frequency.slot(ahead)
            m, s = mean[rows, slot][:, None], size[rows, slot][:, None]
            answers.append(negative_binomial.quantiles(levels, s, s / (s + m)))
        return np.stack(answers, axis=1)


def _pooled_size(tables: Sequence[tuple[Array, Array]]) -> float:
    """One size for all, from the summed moments of every district and slot."""
    squares = sum(float((mean**2).sum()) for mean, _ in tables)
    excess = sum(float((variance - mean).sum()) for mean, variance in tables)
    return float(np.clip(squares / excess, 0.05, 1e4)) if excess > 0 else 1e4
