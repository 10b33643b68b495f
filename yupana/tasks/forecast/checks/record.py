"""Forecasts of the weeks before beside what came, aligned with a window."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from yupana.tasks.forecast.checks.window import Array, Window
from yupana.tasks.forecast.quantiles import LEVELS

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Record:
    """What was forecast at each week of a window, and the counts that are fully reported.

    Attributes:
        quantiles: shape (weeks, entities, horizons, levels), horizon 1 first; NaN not forecast.
        truth: cases, shape (weeks, entities); NaN where not fully reported yet.
    """

    quantiles: Array
    truth: Array


def of(forecasts: pl.DataFrame, truth: pl.DataFrame | None, window: Window) -> Record:
    """Put tables in the order of a window.

    Args:
        forecasts: `entity`, `origin` (Saturday), `horizon`, `q0.01`…`q0.99`.
        truth: `entity`, `week` (Saturday), `cases`.
    """
    import polars as pl

    horizons = forecasts["horizon"].max()
    assert isinstance(horizons, int)
    shape = (len(window), len(window.entities))
    quantiles = np.full((*shape, horizons, len(LEVELS)), np.nan)
    mine = _placed(forecasts, "origin", window)
    at = (mine["_week"].to_numpy(), mine["_place"].to_numpy(), mine["horizon"].to_numpy() - 1)
    quantiles[at] = mine.select(pl.col(list(LEVELS)).cast(pl.Float64)).to_numpy()
    counts = np.full(shape, np.nan)
    if truth is not None and len(truth):
        came = _placed(truth, "week", window)
        counts[came["_week"].to_numpy(), came["_place"].to_numpy()] = came["cases"].to_numpy()
    return Record(quantiles, counts)


def _placed(table: pl.DataFrame, day: str, window: Window) -> pl.DataFrame:
    """Rows of the window's weeks and places, with their indices."""
    import polars as pl

    places = pl.DataFrame({"entity": window.entities, "_place": range(len(window.entities))})
    back = (pl.lit(window.week, dtype=pl.Date) - pl.col(day).cast(pl.Date)).dt.total_days() // 7
    rows = forecasts_in(table, day, window.week)
    joined = rows.with_columns((len(window) - 1 - back).alias("_week")).join(places, on="entity")
    return joined.filter(pl.col("_week").is_between(0, len(window) - 1))


def forecasts_in(table: pl.DataFrame, day: str, week: date) -> pl.DataFrame:
    """Rows up to a week: what was forecast later is not looked at."""
    import polars as pl

    return table.filter(pl.col(day).cast(pl.Date) <= week)
