"""The baseline: last week's count, spread by how much counts moved before.

The baseline of the forecast hubs (Cramer et al. 2022, PNAS 119:e2113561119): the median is the
last value; the spread is the district's past h-week changes, taken with both signs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

LAST = "cases_lag_0"


class LastValue:
    """A `yupana.core.forecast.Forecaster` that learns past changes only.

    Args:
        frame: training rows with `ubigeo`, `cases_lag_0` and `target_<h>` for every horizon.
        horizons: weeks ahead.
    """

    def __init__(self, frame: pd.DataFrame, horizons: Sequence[int]) -> None:
        self.horizons = horizons
        targets = frame[[f"target_{h}" for h in horizons]].to_numpy(dtype=float)
        changes = targets - frame[[LAST]].to_numpy(dtype=float)
        self._all = np.concatenate([changes, -changes])
        ubigeos = frame["ubigeo"].astype(str).to_numpy()
        self._by_district = {
            str(u): np.concatenate([changes[ubigeos == u], -changes[ubigeos == u]])
            for u in np.unique(ubigeos)
        }

    def knows(self, ubigeo: str) -> bool:
        """Whether the district has past changes of its own; others get those of all."""
        return ubigeo in self._by_district

    def quantiles(
        self, features: pd.DataFrame, levels: Sequence[float]
    ) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Counts of shape (rows, horizons, levels), non-negative, rising along levels."""
        ubigeos = features["ubigeo"].astype(str)
        spread = {
            u: np.nanquantile(self._by_district.get(u, self._all), levels, axis=0).T
            for u in ubigeos.unique()
        }
        last = features[LAST].to_numpy(dtype=float)[:, None, None]
        return np.maximum(last + np.stack([spread[u] for u in ubigeos]), 0.0)
