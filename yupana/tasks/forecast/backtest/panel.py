"""The complete panel of an area, and what of it was known at a week."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from yupana.core.errors import UsageError
from yupana.data.national import areas
from yupana.features import splits
from yupana.tasks.forecast.backtest.areas import Counts
from yupana.tasks.forecast.backtest.origins import Origin
from yupana.tasks.forecast.dataset import newest, training_set
from yupana.tasks.forecast.dataset.newest import Newest
from yupana.tasks.forecast.frequency import Frequency

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

Features = Callable[["pl.DataFrame"], "pl.DataFrame"]
"""From a panel's rows to features."""


def lengths(frequency: Frequency, reach: int) -> splits.Lengths:
    """A year of origins that a fit is checked on, a year to learn from, and no test."""
    return splits.Lengths(
        test=0, validation=frequency.year, gap=reach, train_at_least=frequency.year
    )


def history(frequency: Frequency, reach: int) -> int:
    """Periods before the first fit: a year behind the first features, a year to learn from, a
    year that the fit is checked on, and a gap of the longest horizon on either side of it."""
    return 3 * frequency.year + 2 * reach


@dataclass(frozen=True)
class Panel:
    """Cases, a row a series and period, periods without a report as 0.

    Attributes:
        rows: `entity` (its code, or the department's), the period's first day,
            `cases`.
        frequency: of the counts.
        reach: periods that the longest target lies ahead.
    """

    rows: pl.DataFrame
    frequency: Frequency
    reach: int

    def until(self, start: date) -> pl.DataFrame:
        """What was reported of the periods up to the one that begins on this day."""
        import polars as pl

        return self.rows.filter(pl.col(self.frequency.column) <= start)

    def counts(self) -> pd.DataFrame:
        """Cases by period (index, its first day) and series (columns)."""
        column = self.frequency.column
        wide = self.rows.pivot(on="entity", index=column, values="cases").sort(column)
        table: pd.DataFrame = wide.to_pandas().set_index(column)
        return table


def build(
    area: Counts, origins: Sequence[Origin], frequency: Frequency, reach: int
) -> tuple[Panel, Panel]:
    """The panel of the districts with a case before the first origin, and that of the sums of
    their departments, to which the other districts count too.

    Periods run from the area's first case to the last that the files know of.

    Raises:
        UsageError: an origin lies beyond the data, or has too short a history.
    """
    import polars as pl

    column = frequency.column
    calendar = _calendar(area, frequency)
    _check(origins, calendar, frequency, reach)
    own = districts(area, origins[0], frequency, reach)
    department = pl.col("entity").str.slice(0, areas.DIGITS["department"])
    grid = own.rows.select(department, column).unique()
    counts = area.counts.group_by(department, column).agg(pl.sum("cases"))
    return own, Panel(_complete(grid, counts, column), frequency, reach)


def districts(area: Counts, origin: Origin, frequency: Frequency, reach: int) -> Panel:
    """The panel of the districts of an area with a case before an origin."""
    import polars as pl

    column = frequency.column
    before = area.counts.filter(pl.col(column) < origin.start)
    names = before.select(pl.col("entity").unique().sort())
    calendar = _calendar(area, frequency)
    periods = pl.DataFrame({column: calendar}, schema={column: pl.Date})
    rows = _complete(names.join(periods, how="cross"), area.counts, column)
    return Panel(rows, frequency, reach)


def _calendar(area: Counts, frequency: Frequency) -> list[date]:
    """First days of all periods from an area's first case to the last that the files know of."""
    first = area.counts[frequency.column].min()
    assert isinstance(first, date)
    return list(frequency.calendar(first, area.last))


def _complete(grid: pl.DataFrame, counts: pl.DataFrame, column: str) -> pl.DataFrame:
    import polars as pl

    joined = grid.join(counts, on=["entity", column], how="left")
    filled = joined.with_columns(pl.col("cases").fill_null(0).cast(pl.Int64))
    return filled.select("entity", column, "cases").sort("entity", column)


def _check(
    origins: Sequence[Origin], calendar: Sequence[date], frequency: Frequency, reach: int
) -> None:
    behind = sum(day <= origins[0].start for day in calendar)
    name, least = frequency.name, history(frequency, reach)
    if behind < least:
        raise UsageError(
            f"The first origin, {origins[0]}, has {behind} {name}s of data behind it.",
            where=f"--origins; the data begins on {calendar[0]}",
            fix=f"Start {least} {name}s or more after the first case, or give earlier files too.",
        )
    if origins[-1].start >= calendar[-1]:
        raise UsageError(
            f"The origin {origins[-1]} has no {name} of data after it.",
            where=f"--origins; the data's last {name} begins on {calendar[-1]}",
            fix=f"End earlier, or give the files of the {name}s that follow.",
        )


def training_rows(panel: Panel, cut: date, features: Features) -> pd.DataFrame:
    """What a model that is fitted after the period that begins on `cut` may learn from.

    Returns:
        `entity`, `event_timestamp`, features, `target_1`… (NaN beyond the cut) and `part`: the
        last year of origins with all targets known are `validation`, as many as the longest
        horizon before them and those after are `gap`, the others `train`.
    """
    rows = training_set.with_targets(features(panel.until(cut)).to_pandas(), panel.reach)
    return splits.by_time(rows, "event_timestamp", lengths(panel.frequency, panel.reach))


def origin_rows(panel: Panel, origin: Origin, features: Features) -> Newest:
    """The newest known features of every series at one origin, computed from the periods up to it
    alone."""
    frame = features(panel.until(origin.start)).to_pandas()
    return newest.of(frame, origin.end, panel.frequency)
