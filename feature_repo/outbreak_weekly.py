"""The weekly district table: a complete panel of cases with lags, totals, season and context."""

from __future__ import annotations

from datetime import date

import polars as pl

from feature_repo import outbreak_context as context
from yupana.core.errors import TerminalError
from yupana.data.codes import epiweek_starts

REPORTED = "dengue_linelist"
"""The table whose newest weeks are reported late."""

SOURCES = (REPORTED,)
OPTIONAL = (context.POPULATION, context.CLIMATE)
"""Tables that are used where they are published; without them their columns are 0."""

REPORTING = "reporting"
"""Under this name the builder is given the share known of the newest weeks, where there is
evidence of it: `week_start`, `completeness` (0-1)."""

TABLE = "outbreak_weekly"
LAGS = 12
WIDER_LAGS = 4
YEAR_WEEKS = 52
MEANS = (8, 26, YEAR_WEEKS, 104)
MOST_WEEKS = 104
FEATURES = (
    *(f"cases_lag_{k}" for k in range(LAGS)),
    *(f"province_lag_{k}" for k in range(WIDER_LAGS)),
    *(f"department_lag_{k}" for k in range(WIDER_LAGS)),
    *(f"mean_{weeks}" for weeks in MEANS),
    "weeks_without_case",
    "week_sin",
    "week_cos",
    "completeness",
    *context.COLUMNS,
)

# What one week's answers can be compared by: season and department totals are the same for
# all districts of a week, so that they would always look like drift.
MONITORED = (*(f"cases_lag_{k}" for k in range(LAGS)), f"mean_{YEAR_WEEKS}")


def weekly_features(tables: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """One row a district and week that has ended, from the published line list.

    Lag 0 is the week that ends at `event_timestamp` (its Saturday, 23:59:59 UTC). A week
    without a report counts 0 cases; a week that is known to be reported in part counts what
    was reported, divided by its completeness. The first 51 weeks have no full year behind them
    and are left out.

    Args:
        tables: `SOURCES`, those of `OPTIONAL` that there are, and `REPORTING` or not.

    Returns:
        Columns `ubigeo` (six digits), `event_timestamp` (UTC) and `FEATURES` (counts of cases
        a week; `week_sin`/`week_cos` in -1..1; `completeness` of the week, 0-1; persons, °C
        and mm a week of `outbreak_context`).

    Raises:
        TerminalError: less than a year and a half of weeks, or a gap in an optional table.
    """
    panel = _completed(_panel(tables[REPORTED]), tables.get(REPORTING))
    weeks = panel["week_start"].n_unique()
    if weeks < YEAR_WEEKS + LAGS + WIDER_LAGS:
        raise TerminalError(
            f"The line list spans {weeks} weeks; features need {YEAR_WEEKS + LAGS} or more.",
            where="published/dengue_linelist",
            fix="Publish a file with a longer history.",
        )
    rows = panel.sort("ubigeo", "week_start").with_columns(
        pl.col("cases").sum().over(pl.col("ubigeo").str.head(digits), "week_start").alias(area)
        for area, digits in (("province", 4), ("department", 2))
    )
    angle = 2 * 3.141592653589793 * pl.col("week_start").dt.ordinal_day() / 365.25
    lagged = rows.with_columns(
        *(_lag("cases", k).alias(f"cases_lag_{k}") for k in range(LAGS)),
        *(
            _lag(area, k).alias(f"{area}_lag_{k}")
            for area in ("province", "department")
            for k in range(WIDER_LAGS)
        ),
        *(_mean(weeks).alias(f"mean_{weeks}") for weeks in MEANS),
        _weeks_without_case().alias("weeks_without_case"),
        angle.sin().alias("week_sin"),
        angle.cos().alias("week_cos"),
        _saturday().alias("event_timestamp"),
    )
    made = context.add(lagged.drop_nulls(), tables)
    return made.select("ubigeo", "event_timestamp", *FEATURES)


def _panel(cases: pl.DataFrame) -> pl.DataFrame:
    """Every district with every week from the first to the last one in the file."""
    counts = cases.group_by("ubigeo", "week_start").agg(pl.sum("cases"))
    first, last = counts["week_start"].min(), counts["week_start"].max()
    assert isinstance(first, date) and isinstance(last, date)
    # A week that begins in the last days of December is the first one of the next year.
    years = epiweek_starts(first.year, last.year + 1)
    calendar = [d for _, _, d in years if first <= d <= last]
    weeks = pl.DataFrame({"week_start": calendar}, schema={"week_start": pl.Date})
    grid = counts.select(pl.col("ubigeo").unique()).join(weeks, how="cross")
    return grid.join(counts, on=["ubigeo", "week_start"], how="left").with_columns(
        pl.col("cases").fill_null(0).cast(pl.Float64)
    )


def _completed(panel: pl.DataFrame, reporting: pl.DataFrame | None) -> pl.DataFrame:
    """Add `completeness`, and count what the newest weeks will hold once all is reported."""
    if reporting is None:
        return panel.with_columns(completeness=pl.lit(1.0))
    share = pl.col("completeness").fill_null(1.0)
    return panel.join(reporting, on="week_start", how="left").with_columns(
        share, cases=pl.col("cases") / share
    )


def _lag(column: str, weeks: int) -> pl.Expr:
    return pl.col(column).shift(weeks).over("ubigeo")


def _mean(weeks: int) -> pl.Expr:
    """The longest window reaches past the first year; there it holds the weeks there are."""
    fewest = min(weeks, YEAR_WEEKS)
    return pl.col("cases").rolling_mean(weeks, min_samples=fewest).over("ubigeo")


def _weeks_without_case() -> pl.Expr:
    """Weeks since the last one with a case, at most two years; 0 if this week has one."""
    week = pl.int_range(pl.len()).over("ubigeo")
    last = pl.when(pl.col("cases") > 0).then(week).forward_fill().over("ubigeo")
    return (week - last).fill_null(MOST_WEEKS).clip(0, MOST_WEEKS).cast(pl.Float64)


def _saturday() -> pl.Expr:
    end = pl.col("week_start").cast(pl.Datetime("us")) + pl.duration(days=7, seconds=-1)
    return end.dt.replace_time_zone("UTC")
