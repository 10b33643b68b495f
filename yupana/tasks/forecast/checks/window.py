"""The periods before one and the period itself, each as it was known then, as one array."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from yupana.core.errors import UsageError
from yupana.tasks.forecast.checks.invariants import Invariants, reach
from yupana.tasks.forecast.frequency import MONTH, WEEK, Frequency

if TYPE_CHECKING:
    import polars as pl

Array = np.ndarray[Any, np.dtype[np.float64]]
Places = np.ndarray[Any, np.dtype[np.bool_]]


@dataclass(frozen=True)
class Window:
    """Features of consecutive periods.

    Attributes:
        frequency: what a period is.
        end: day that ends the newest period.
        entities: rows, sorted.
        columns: features.
        values: shape (periods, entities, columns), newest period last; NaN where there is no row.
    """

    frequency: Frequency
    end: date
    entities: tuple[str, ...]
    columns: tuple[str, ...]
    values: Array

    @property
    def scale(self) -> Scale:
        """What the checks count in these periods."""
        return SCALES[self.frequency.name]

    @property
    def final(self) -> int:
        """Lags from here on no longer moved a period ago."""
        return self.scale.late + 1

    @cached_property
    def places(self) -> dict[str, int]:
        """Index of each column."""
        return {name: i for i, name in enumerate(self.columns)}

    @cached_property
    def present(self) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Whether a period has a row of a place, shape (periods, entities)."""
        return np.asarray(~np.isnan(self.values).all(axis=2))

    @cached_property
    def gone(self) -> Places:
        """Whether a place had a row lately, while its counts still moved, and has none now."""
        lately = self.present[-1 - self.scale.late : -1].any(axis=0)
        return np.asarray(lately & ~self.present[-1])

    def __len__(self) -> int:
        return len(self.values)

    def column(self, name: str, back: int = 0) -> Array:
        """One column, `back` periods before the newest; a place without a row counts 0."""
        numbers = self.values[-1 - back, :, self.places[name]]
        return np.asarray(np.where(np.isfinite(numbers), numbers, 0.0))

    def total(self, name: str, periods: int) -> Array:
        """Sum of a column over so many periods before the newest, by place."""
        last = len(self) - 1
        numbers = self.values[last - periods : last, :, self.places[name]]
        return np.asarray(np.where(np.isfinite(numbers), numbers, 0.0).sum(axis=0))

    def group(self, digits: int) -> np.ndarray[Any, np.dtype[np.str_]]:
        """The group of places that share so many first digits, by place; 0 digits: all."""
        return np.array([entity[:digits] for entity in self.entities])

    def now(self, values: Array) -> Window:
        """The same history with another newest period, shape (entities, columns)."""
        return replace(self, values=np.concatenate([self.values[:-1], values[None]]))


def of(
    features: pl.DataFrame, invariants: Invariants, end: date, frequency: Frequency
) -> Window:
    """The window that ends with a period.

    Args:
        features: `entity`, `end` (day that ends the period) and the columns of `invariants`.

    Raises:
        UsageError: the period has no row, or a column is missing.
    """
    import polars as pl

    columns = tuple(invariants)
    if absent := [c for c in columns if c not in features.columns]:
        raise UsageError(
            f"The features lack {', '.join(absent)}.",
            where="tasks.forecast.checks.window.of",
            fix="Give all features that the use case declares invariants of.",
        )
    before = frequency.ahead(end, -reach(invariants))
    span = features.filter(pl.col("end").is_between(before, end, closed="right"))
    if span.filter(pl.col("end") == end).is_empty():
        raise UsageError(
            f"There are no features of the {frequency.name} that ends on {end}.",
            where="tasks.forecast.checks.window.of",
            fix=f"Build the features first, or watch a {frequency.name} that they hold.",
        )
    first = span["end"].min()
    assert isinstance(first, date)
    entities = tuple(sorted(span["entity"].unique().to_list()))
    at = {u: i for i, u in enumerate(entities)}
    index = {day: frequency.between(first, day) for day in span["end"].unique()}
    values = np.full((index[end] + 1, len(entities), len(columns)), np.nan)
    periods = np.array([index[day] for day in span["end"]])
    rows = np.array([at[u] for u in span["entity"]])
    values[periods, rows] = span.select(pl.col(columns).cast(pl.Float64)).to_numpy()
    return Window(frequency, end, entities, columns, values)


@dataclass(frozen=True)
class Scale:
    """Numbers of one kind of period.

    Attributes:
        late: periods after which a count no longer moves.
        fresh: periods ago of which most was known a period ago, and which still show if they
            were sent twice.
        recent: newest periods that performance is taken over.
        fewest: of these, that must be there.
        apart: quiet periods between two peaks that are counted apart.
        year: mean periods of a year.
    """

    late: int
    fresh: tuple[int, ...]
    recent: int
    fewest: int
    apart: int
    year: float


SCALES = {
    WEEK.name: Scale(late=8, fresh=(2, 3), recent=26, fewest=12, apart=4, year=52.18),
    MONTH.name: Scale(late=2, fresh=(1, 2), recent=12, fewest=6, apart=1, year=12.0),
}
