"""A district's features as they would be, had its newest weeks been others.

The features' own code computes them from changed sources, so that lags, means, and the sums of
province and department move together, as they would have.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import pandas as pd
import polars as pl

from feature_repo import outbreak_context as context
from feature_repo import outbreak_weekly as weekly
from serving.study.sources import Tables
from yupana.core.errors import UsageError

RECENT_WEEKS = 4
"""Newest weeks that a factor multiplies: those whose mean the network corrects."""

MOST_FACTOR = 10.0
KEPT_WEEKS = max(*weekly.MEANS, weekly.MOST_WEEKS) + weekly.LAGS
"""Weeks before the newest that its features look back on, and some more."""


@dataclass(frozen=True)
class Change:
    """What would have been otherwise.

    Attributes:
        cases: of the newest weeks, the oldest first, counted as if all had been reported.
        factor: of the cases of the newest `RECENT_WEEKS`.
        temperature: °C added to every week.
        precipitation: factor of every week.
    """

    cases: tuple[float, ...] = ()
    factor: float = 1.0
    temperature: float = 0.0
    precipitation: float = 1.0


def features(tables: Tables, ubigeo: str, change: Change) -> pd.DataFrame:
    """The row of the newest week.

    Args:
        tables: as `serving.sources.tables` gives them.

    Returns:
        One row with `ubigeo`, `event_timestamp` and the features.

    Raises:
        UsageError: the district is not in the tables.
    """
    mine = _department(tables, ubigeo)
    newest = tables[weekly.REPORTED]["week_start"].max()
    assert isinstance(newest, date)
    made = weekly.weekly_features(_weather(_cases(mine, ubigeo, newest, change), change))
    return made.filter(pl.col("ubigeo") == ubigeo).sort("event_timestamp").tail(1).to_pandas()


def _department(tables: Tables, ubigeo: str) -> Tables:
    """The newest weeks of the district's department: no feature looks further."""
    everything = tables[weekly.REPORTED]
    mine = everything.filter(pl.col("ubigeo").str.starts_with(ubigeo[:2]))
    districts = mine["ubigeo"].unique()
    if ubigeo not in districts:
        raise UsageError(
            f"Sin datos del distrito {ubigeo}. / No data of district {ubigeo}.",
            where="ubigeo",
            fix="Use el código INEI de un distrito bajo vigilancia. / Use the INEI code of a "
            "district under surveillance.",
        )
    newest, oldest = everything["week_start"].max(), everything["week_start"].min()
    assert isinstance(newest, date) and isinstance(oldest, date)
    first = max(oldest, newest - timedelta(weeks=KEPT_WEEKS))
    # Every district, and the table's own first and last week: they span the panel.
    ends = pl.DataFrame({"week_start": [first, newest]}, schema={"week_start": pl.Date})
    span = districts.to_frame().join(ends, how="cross")
    kept = mine.filter(pl.col("week_start") >= first)
    cases = pl.concat(
        [
            kept.select("ubigeo", "week_start", pl.col("cases").cast(pl.Float64)),
            span.select("ubigeo", "week_start", cases=pl.lit(0.0)),
        ]
    ).group_by("ubigeo", "week_start").agg(pl.sum("cases"))  # fmt: skip
    return tables | {weekly.REPORTED: cases}


def _cases(tables: Tables, ubigeo: str, newest: date, change: Change) -> Tables:
    rows = tables[weekly.REPORTED]
    here = pl.col("ubigeo") == ubigeo
    if change.cases:
        weeks = [newest - timedelta(weeks=k) for k in reversed(range(len(change.cases)))]
        told = pl.DataFrame(
            {"ubigeo": ubigeo, "week_start": weeks, "cases": [float(c) for c in change.cases]},
            schema={"ubigeo": pl.String, "week_start": pl.Date, "cases": pl.Float64},
        )
        if weekly.REPORTING in tables:
            # The features divide reports by the share that is known of their week.
            told = told.join(tables[weekly.REPORTING], on="week_start", how="left").select(
                "ubigeo", "week_start", pl.col("cases") * pl.col("completeness").fill_null(1.0)
            )
        others = rows.filter(~(here & pl.col("week_start").is_in(weeks)))
        rows = pl.concat([others, told.select(others.columns)])
    recent = pl.col("week_start") > newest - timedelta(weeks=RECENT_WEEKS)
    factor = pl.when(here & recent).then(change.factor).otherwise(1.0)
    return tables | {weekly.REPORTED: rows.with_columns(pl.col("cases") * factor)}


def _weather(tables: Tables, change: Change) -> Tables:
    if context.CLIMATE not in tables:
        return tables
    moved = tables[context.CLIMATE].with_columns(
        pl.col("temperature") + change.temperature, pl.col("precipitation") * change.precipitation
    )
    return tables | {context.CLIMATE: moved}
