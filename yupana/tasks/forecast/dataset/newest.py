"""The newest known period of each entity, and forecasts from it as of the newest of all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

from yupana.tasks.forecast.frequency import Frequency

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray[Any, np.dtype[np.float64]]
Ints = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class Newest:
    """A row of features an entity, that of its newest known period.

    Attributes:
        features: all periods, as a use case's `features` gives them.
        rows: the newest, sorted by entity.
        behind: periods that each lies before the newest of all; shape (rows,).
        frequency: of the periods.
    """

    features: pd.DataFrame
    rows: pd.DataFrame
    behind: Ints
    frequency: Frequency

    def within(self, reach: int) -> Newest:
        """The entities of whose forecast, so many periods long, something lies ahead."""
        near = self.behind < reach
        rows = self.rows[near].reset_index(drop=True)
        return Newest(self.features, rows, self.behind[near], self.frequency)

    def together(self, entities: Sequence[str]) -> tuple[pd.DataFrame, int]:
        """Rows of some entities of one period, for sums, and how far it lies behind: the newest
        that is known of all of them."""
        mine = self.rows["entity"].isin(entities).to_numpy()
        behind = int(self.behind[mine].max())
        if not behind:
            return self.rows[mine].reset_index(drop=True), 0
        last = self.rows["event_timestamp"][mine].min()
        before = self.features[
            self.features["entity"].isin(entities) & (self.features["event_timestamp"] <= last)
        ]
        rows = before.sort_values("event_timestamp").groupby("entity", sort=True).tail(1)
        # Of one moment: a place that was silent then as well counts as it was before.
        rows = rows.sort_values("entity", ignore_index=True).assign(event_timestamp=last)
        return rows, behind


def of(features: pd.DataFrame, end: date, frequency: Frequency) -> Newest:
    """The newest row of each entity.

    Args:
        end: day that ends the newest period of all.
    """
    ordered = features.sort_values(["entity", "event_timestamp"])
    rows = ordered.groupby("entity", sort=True).tail(1).reset_index(drop=True)
    behind = [frequency.between(day.date(), end) for day in rows["event_timestamp"]]
    return Newest(features, rows, np.array(behind, dtype=np.int64), frequency)


def ahead(quantiles: Array, behind: Sequence[int] | Ints) -> Array:
    """Forecasts as of the newest period of all; NaN beyond what was forecast.

    Args:
        quantiles: shape (rows, horizons, levels), each row from its own newest period.
        behind: periods that it lies behind; shape (rows,).
    """
    shifted = np.full(quantiles.shape, np.nan)
    for row, periods in enumerate(behind):
        reach = max(quantiles.shape[1] - int(periods), 0)
        shifted[row, :reach] = quantiles[row, quantiles.shape[1] - reach :]
    return shifted
