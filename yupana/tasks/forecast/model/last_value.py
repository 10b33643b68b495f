"""The baseline: the last count, spread by how much counts moved before.

The baseline of the forecast hubs (Cramer et al. 2022, PNAS 119:e2113561119): the median is the
last value; the spread is the district's past changes over h periods, taken with both signs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

LAST = "cases_lag_0"


class LastValue:
    """A `yupana.tasks.forecast.quantiles.Forecaster` that learns past changes only.

    Args:
        frame: training rows with `entity`, `cases_lag_0` and `target_<h>` for every horizon.
        horizons: periods ahead.
    """

    def __init__(self, frame: pd.DataFrame, horizons: Sequence[int]) -> None:
        self.horizons = horizons
        targets = frame[[f"target_{h}" for h in horizons]].to_numpy(dtype=float)
        changes = targets - frame[[LAST]].to_numpy(dtype=float)
        self._all = np.concatenate([changes, -changes])
        entities = frame["entity"].astype(str).to_numpy()
        self._by_district = {
            str(u): np.concatenate([changes[entities == u], -changes[entities == u]])
            for u in np.unique(entities)
        }

    def knows(self, entity: str) -> bool:
        """Whether the district has past changes of its own; others get those of all."""
        return entity in self._by_district

    def quantiles(
        self, features: pd.DataFrame, levels: Sequence[float]
    ) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Counts of shape (rows, horizons, levels), non-negative, rising along levels."""
        entities = features["entity"].astype(str)
        spread = {
            u: np.nanquantile(self._by_district.get(u, self._all), levels, axis=0).T
            for u in entities.unique()
        }
        last = features[LAST].to_numpy(dtype=float)[:, None, None]
        return np.maximum(last + np.stack([spread[u] for u in entities]), 0.0)
