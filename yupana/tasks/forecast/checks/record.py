"""Forecasts of the periods before beside what came, aligned with a window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from yupana.tasks.forecast.checks.window import Array, Window
from yupana.tasks.forecast.quantiles import LEVELS

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Record:
    """What was forecast at each period of a window, and the counts that are fully reported.

    Attributes:
        quantiles: shape (periods, entities, horizons, levels), horizon 1 first; NaN not forecast.
        truth: cases, shape (periods, entities); NaN where not fully reported yet.
    """

    quantiles: Array
    truth: Array


def of(forecasts: pl.DataFrame, truth: pl.DataFrame | None, window: Window) -> Record:
    """Put tables in the order of a window.

    Args:
        forecasts: `entity`, `origin` (day that ends a period), `horizon`, `q0.01`…`q0.99`.
        truth: `entity`, `end` (likewise), `cases`.
    """
    import polars as pl

    horizons = forecasts["horizon"].max()
    assert isinstance(horizons, int)
    shape = (len(window), len(window.entities))
    quantiles = np.full((*shape, horizons, len(LEVELS)), np.nan)
    mine = _placed(forecasts, "origin", window)
    at = (mine["_period"].to_numpy(), mine["_place"].to_numpy(), mine["horizon"].to_numpy() - 1)
    quantiles[at] = mine.select(pl.col(list(LEVELS)).cast(pl.Float64)).to_numpy()
    counts = np.full(shape, np.nan)
    if truth is not None and len(truth):
        rows = _placed(truth, "end", window)
        counts[rows["_period"].to_numpy(), rows["_place"].to_numpy()] = rows["cases"].to_numpy()
    return Record(quantiles, counts)


def _placed(table: pl.DataFrame, day: str, window: Window) -> pl.DataFrame:
    """Rows of the window's periods and places, with their indices; none of later ones."""
    import polars as pl

    places = pl.DataFrame({"entity": window.entities, "_place": range(len(window.entities))})
    rows = table.filter(pl.col(day).cast(pl.Date) <= window.end)
    days, last = rows[day].cast(pl.Date), len(window) - 1
    index = {d: last - window.frequency.between(d, window.end) for d in days.unique()}
    periods = pl.Series("_period", [index[d] for d in days], dtype=pl.Int64)
    joined = rows.with_columns(periods).join(places, on="entity")
    return joined.filter(pl.col("_period") >= 0)
