"""What every use case's forecaster offers: quantiles by row, horizon and level."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

# The 23 levels of the US and European forecast hubs (Cramer et al. 2022, Sci Data 9:462).
QUANTILES: tuple[float, ...] = (
    0.01, 0.025, 0.05, 0.10, 0.15, 0.20, 0.25, 0.30, 0.35, 0.40, 0.45, 0.50,
    0.55, 0.60, 0.65, 0.70, 0.75, 0.80, 0.85, 0.90, 0.95, 0.975, 0.99,
)  # fmt: skip

LEVELS = tuple(f"q{level:g}" for level in QUANTILES)
"""Names of the quantile columns in tables."""


class Forecaster(Protocol):
    """A fitted model. `horizons` are periods ahead, 1 = the first not yet seen."""

    horizons: Sequence[int]

    def quantiles(self, features: pd.DataFrame, levels: Sequence[float]) -> np.ndarray[Any, Any]:
        """Counts of shape (rows, horizons, levels), non-negative, rising along levels."""
        ...

    def knows(self, entity: str) -> bool:
        """Whether the series was in training; others get a pooled forecast."""
        ...


@runtime_checkable
class Totals(Protocol):
    """A forecaster that also forecasts the sum of all districts, from their joint samples."""

    def totals(self, features: pd.DataFrame, levels: Sequence[float]) -> np.ndarray[Any, Any]:
        """Counts of the sum over the rows, shape (horizons, levels), rising along levels.

        Args:
            features: one row a district, all of one origin.
        """
        ...


@runtime_checkable
class Pooled(Protocol):
    """A forecaster made of others, by name."""

    members: Mapping[str, Forecaster]
