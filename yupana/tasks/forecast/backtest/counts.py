"""The counts of an area that a backtest is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Counts:
    """Counts of the entities of one area.

    Attributes:
        counts: `entity`, the period's first day, `cases`; periods without a case are absent.
        last: first day of the last period that the files know of, in any area.
        left_out: rows of the area without an entity or a period that exists.
    """

    counts: pl.DataFrame
    last: date
    left_out: int
