"""The complete panel of a department, and what of it was known at a week."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from yupana.core.errors import UsageError
from yupana.data import codes
from yupana.evaluation.linelist import WeeklyCounts
from yupana.evaluation.origins import Origin
from yupana.features import splits, training

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

Features = Callable[[dict[str, "pl.DataFrame"]], "pl.DataFrame"]

VALIDATION, REACH = 52, training.HORIZONS
"""Weeks of origins that a fit is checked on, and weeks that a target reaches ahead."""

HISTORY = 52 + 52 + REACH + VALIDATION + REACH
"""Weeks before the first fit: a year behind the first features, a year to learn from, and the
two gaps around the validation weeks."""


@dataclass(frozen=True)
class Panel:
    """Weekly cases, a row a series and week, weeks without a report as 0.

    Attributes:
        rows: `ubigeo` (six digits, or the department's two), `week_start`, `cases`.
    """

    rows: pl.DataFrame

    def until(self, week: date) -> pl.DataFrame:
        """What was reported of the weeks up to this one."""
        import polars as pl

        return self.rows.filter(pl.col("week_start") <= week)

    def counts(self) -> pd.DataFrame:
        """Cases by week (index, the week's first day) and series (columns)."""
        wide = self.rows.pivot(on="ubigeo", index="week_start", values="cases").sort("week_start")
        found: pd.DataFrame = wide.to_pandas().set_index("week_start")
        return found


def build(found: WeeklyCounts, origins: Sequence[Origin]) -> tuple[Panel, Panel]:
    """The panel of the districts with a case before the first origin, and the whole department's.

    Weeks run from the department's first case to the last week that the files know of.

    Raises:
        UsageError: an origin lies beyond the data, or has too short a history.
    """
    import polars as pl

    first = found.counts["week_start"].min()
    assert isinstance(first, date)
    calendar = [
        day
        for _, _, day in codes.epiweek_starts(first.year - 1, found.last.year + 1)
        if first <= day <= found.last
    ]
    _check(origins, calendar)
    before = found.counts.filter(pl.col("week_start") < origins[0].start)
    districts = before.select(pl.col("ubigeo").unique().sort())
    weeks = pl.DataFrame({"week_start": calendar}, schema={"week_start": pl.Date})
    whole = found.counts.group_by("week_start").agg(pl.sum("cases"))
    code = str(found.counts["ubigeo"][0])[:2]
    own = whole.with_columns(pl.lit(code).alias("ubigeo"))
    return (
        Panel(_complete(districts.join(weeks, how="cross"), found.counts)),
        Panel(_complete(weeks.with_columns(pl.lit(code).alias("ubigeo")), own)),
    )


def _complete(grid: pl.DataFrame, counts: pl.DataFrame) -> pl.DataFrame:
    import polars as pl

    joined = grid.join(counts, on=["ubigeo", "week_start"], how="left")
    filled = joined.with_columns(pl.col("cases").fill_null(0).cast(pl.Int64))
    return filled.select("ubigeo", "week_start", "cases").sort("ubigeo", "week_start")


def _check(origins: Sequence[Origin], calendar: Sequence[date]) -> None:
    behind = sum(day <= origins[0].start for day in calendar)
    if behind < HISTORY:
        raise UsageError(
            f"The first origin, {origins[0]}, has {behind} weeks of data behind it.",
            where=f"--origins; the data begins on {calendar[0]}",
            fix=f"Start {HISTORY} weeks or more after the first case, or give earlier files too.",
        )
    if origins[-1].start >= calendar[-1]:
        raise UsageError(
            f"The origin {origins[-1]} has no week of data after it.",
            where=f"--origins; the data's last week begins on {calendar[-1]}",
            fix="End earlier, or give the files of the weeks that follow.",
        )


def training_rows(panel: Panel, cut: date, features: Features) -> pd.DataFrame:
    """What a model that is fitted after the week `cut` may learn from.

    Returns:
        `ubigeo`, `event_timestamp`, features, `target_1`..`target_8` (NaN beyond the cut) and
        `part`: the last 52 origins with all targets known are `validation`, the 8 before them
        and those after are `gap`, the others `train`.
    """
    rows = training.with_targets(_rows(panel.until(cut), features))
    weeks = splits.Weeks(test=0, validation=VALIDATION, gap=REACH)
    return splits.by_time(rows, "event_timestamp", weeks)


def origin_rows(panel: Panel, origin: Origin, features: Features) -> pd.DataFrame:
    """The features of every series at one origin, computed from the weeks up to it alone."""
    frame = _rows(panel.until(origin.start), features)
    newest = frame["event_timestamp"] == frame["event_timestamp"].max()
    found: pd.DataFrame = frame[newest].sort_values("ubigeo").reset_index(drop=True)
    return found


def _rows(cases: pl.DataFrame, features: Features) -> pd.DataFrame:
    made: pd.DataFrame = features({"dengue_linelist": cases}).to_pandas()
    return made
