"""What a peer of the forecaster sees: weekly counts up to an origin. Needs NumPy alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float64]]
YEAR, YEAR_DAYS = 52, 365.25


@dataclass(frozen=True)
class Past:
    """Counts up to an origin, the last week that is seen.

    Attributes:
        counts: shape (weeks, districts).
        days: first day of each week, ISO 8601, rising.
        districts: their codes, in the order of the columns; the first four digits are the
            province's.
    """

    counts: Array
    days: np.ndarray[Any, np.dtype[np.datetime64]]
    districts: tuple[str, ...]

    def until(self, week: int) -> Past:
        """Nothing after this week (its index)."""
        return Past(self.counts[: week + 1], self.days[: week + 1], self.districts)

    def season(self, ahead: int = 0) -> Array:
        """Two harmonics of the year so many weeks after each week, shape (weeks, 4)."""
        days = self.days + np.timedelta64(7 * ahead, "D")
        of_year = (days - days.astype("datetime64[Y]")).astype(float)
        angle = 2 * np.pi * of_year / YEAR_DAYS
        return np.stack([f(k * angle) for k in (1, 2) for f in (np.sin, np.cos)], axis=1)

    def others(self, digits: int) -> Array:
        """Mean of the other districts whose codes begin alike, shape (weeks, districts); 0
        without one."""
        areas = np.array([code[:digits] for code in self.districts])
        alike = (areas[:, None] == areas[None, :]).astype(float) - np.eye(len(areas))
        return np.asarray(self.counts @ (alike / np.maximum(alike.sum(axis=0), 1)))


class Peer(Protocol):
    """A way to forecast that is held against the pool."""

    def fit(self, past: Past, horizons: int) -> None:
        """Learn, at each year's first origin; nothing where the way learns at every origin."""

    def quantiles(self, past: Past, levels: Sequence[float]) -> Array:
        """Forecasts of the weeks after `past`, shape (districts, horizons, levels), in cases."""
        ...


def whole(quantiles: Array) -> Array:
    """Whole counts, not negative, rising along levels, as the pool's are."""
    return np.asarray(np.round(np.maximum(np.sort(quantiles, axis=-1), 0.0)))


def lagged(counts: Array, lag: int) -> Array:
    """The counts so many weeks before each week, in the same shape; 0 before the first."""
    return np.asarray(np.concatenate([np.zeros((lag, counts.shape[1])), counts])[: len(counts)])


def trailing_mean(counts: Array, weeks: int) -> Array:
    """Mean of each week and those before it, so many or as many as there are."""
    sums = np.cumsum(np.concatenate([np.zeros((1, counts.shape[1])), counts]), axis=0)
    ends = np.arange(1, len(counts) + 1)
    starts = np.maximum(ends - weeks, 0)
    return np.asarray((sums[ends] - sums[starts]) / (ends - starts)[:, None])
