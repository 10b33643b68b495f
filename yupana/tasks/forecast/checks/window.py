"""The weeks before a week and the week itself, each as it was known then, as one array."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from yupana.core.errors import UsageError

if TYPE_CHECKING:
    import polars as pl

Array = np.ndarray[Any, np.dtype[np.float64]]
Places = np.ndarray[Any, np.dtype[np.bool_]]

WEEKS = 110
"""Weeks back that the longest mean asks for, and a few more."""


@dataclass(frozen=True)
class Window:
    """Features of consecutive weeks.

    Attributes:
        week: Saturday that ends the newest week.
        entities: rows, sorted.
        columns: features.
        values: shape (weeks, entities, columns), newest week last; NaN where there is no row.
    """

    week: date
    entities: tuple[str, ...]
    columns: tuple[str, ...]
    values: Array

    @cached_property
    def places(self) -> dict[str, int]:
        """Index of each column."""
        return {name: i for i, name in enumerate(self.columns)}

    @cached_property
    def present(self) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Whether a week has a row of a place, shape (weeks, entities)."""
        return np.asarray(~np.isnan(self.values).all(axis=2))

    def __len__(self) -> int:
        return len(self.values)

    def column(self, name: str, back: int = 0) -> Array:
        """One column, `back` weeks before the newest; a place without a row counts 0."""
        numbers = self.values[-1 - back, :, self.places[name]]
        return np.asarray(np.where(np.isfinite(numbers), numbers, 0.0))

    def total(self, name: str, weeks: int) -> Array:
        """Sum of a column over so many weeks before the newest, by place."""
        last = len(self) - 1
        numbers = self.values[last - weeks : last, :, self.places[name]]
        return np.asarray(np.where(np.isfinite(numbers), numbers, 0.0).sum(axis=0))

    def group(self, digits: int) -> np.ndarray[Any, np.dtype[np.str_]]:
        """The group of places that share so many first digits, by place; 0 digits: all."""
        return np.array([entity[:digits] for entity in self.entities])

    def now(self, values: Array) -> Window:
        """The same history with another newest week, shape (entities, columns)."""
        return replace(self, values=np.concatenate([self.values[:-1], values[None]]))


def of(features: pl.DataFrame, columns: Sequence[str], week: date) -> Window:
    """The window that ends with a week.

    Args:
        features: `entity`, `week` (Saturday) and `columns`.

    Raises:
        UsageError: the week has no row, or a column is missing.
    """
    import polars as pl

    if absent := [c for c in columns if c not in features.columns]:
        raise UsageError(
            f"The features lack {', '.join(absent)}.",
            where="tasks.forecast.checks.window.of",
            fix="Give all features that the use case declares invariants of.",
        )
    span = features.filter(
        (pl.col("week") <= week) & (pl.col("week") > week - timedelta(weeks=WEEKS))
    )
    if span.filter(pl.col("week") == week).is_empty():
        raise UsageError(
            f"There are no features of the week that ends on {week}.",
            where="tasks.forecast.checks.window.of",
            fix="Build the features first, or watch a week that they hold.",
        )
    first = span["week"].min()
    assert isinstance(first, date)
    entities = tuple(sorted(span["entity"].unique().to_list()))
    at = {u: i for i, u in enumerate(entities)}
    values = np.full(((week - first).days // 7 + 1, len(entities), len(columns)), np.nan)
    weeks = ((span["week"] - first).dt.total_days() // 7).to_numpy()
    rows = np.array([at[u] for u in span["entity"]])
    values[weeks, rows] = span.select(pl.col(list(columns)).cast(pl.Float64)).to_numpy()
    return Window(week, entities, tuple(columns), values)
