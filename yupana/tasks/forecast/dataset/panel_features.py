"""Features of counts: a complete panel with lags, sums of groups, means, season and completeness.

A use case says by a `Layout` which of them it takes; the same layout gives the feature table, the
names that Feast serves, and what must hold between them whatever the counts do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from math import cos, pi, sin

import polars as pl

from yupana.core.errors import TerminalError
from yupana.tasks.forecast.checks.invariants import (
    Invariant,
    Lag,
    Mean,
    Measure,
    Season,
    Share,
    Since,
)
from yupana.tasks.forecast.dataset import silence
from yupana.tasks.forecast.entities import ENTITY
from yupana.tasks.forecast.frequency import YEAR_DAYS, Frequency


@dataclass(frozen=True)
class Layout:
    """Which features a panel of counts has.

    Attributes:
        frequency: of the counts.
        means: periods that means are taken over; the year must be among them, the model reads it.
        groups: sums beside the entity's own counts: by name the leading digits of its code that
            a group shares, or a column of the counts that names it.
        measures: columns beside the counts that are measured (weather): by name, how many
            periods before the newest the mean starts, and over how many it goes.
        lags, group_lags: newest counts of the entity, and of each group.
        others: features that the use case adds by itself, and what must hold of them.
    """

    frequency: Frequency
    means: tuple[int, ...]
    groups: Mapping[str, int | str] = field(default_factory=dict)
    measures: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    lags: int = 12
    group_lags: int = 4
    others: Mapping[str, Invariant] = field(default_factory=dict)

    @property
    def silence(self) -> str:
        """Feature column of the periods without a case."""
        return f"{self.frequency.name}s_without_case"

    @property
    def beside(self) -> tuple[str, ...]:
        """Columns beside the counts that are read: what names a group, and what is measured."""
        return (*(of for of in self.groups.values() if isinstance(of, str)), *self.measures)

    @property
    def own(self) -> tuple[str, ...]:
        """What `build` computes."""
        return (
            *(f"cases_lag_{k}" for k in range(self.lags)),
            *(f"{group}_lag_{k}" for group in self.groups for k in range(self.group_lags)),
            *(f"mean_{periods}" for periods in self.means),
            self.silence, *self.frequency.season, "completeness", *self.measures,
        )  # fmt: skip

    @property
    def features(self) -> tuple[str, ...]:
        """All feature columns, in the order of the table."""
        return (*self.own, *self.others)

    @property
    def longest(self) -> int:
        """Periods that the longest mean goes over, at which silence is no longer counted."""
        return max(self.means)

    @property
    def monitored(self) -> tuple[str, ...]:
        """Features whose answers are compared with the model's test window.

        Season and sums of groups are the same for all entities of a period: they would always
        look like drift.
        """
        return (*(f"cases_lag_{k}" for k in range(self.lags)), self.frequency.year_mean)

    @property
    def looks_back(self) -> int:
        """Periods before the newest that features look back on, and some more."""
        return self.longest + self.lags

    @property
    def history(self) -> int:
        """Periods that a panel must span."""
        return self.frequency.year + self.lags + self.group_lags

    @property
    def invariants(self) -> Mapping[str, Invariant]:
        """What must be true of each column; groups by a column are not told by the code alone, and
        are left out."""

        def wave(of: Callable[[float], float]) -> Season:
            return Season(lambda end: of(self.frequency.angle(self.frequency.start(end))))

        prefixes = {g: digits for g, digits in self.groups.items() if isinstance(digits, int)}
        return {
            **{f"cases_lag_{k}": Lag(k) for k in range(self.lags)},
            **{
                f"{group}_lag_{k}": Lag(k, digits)
                for group, digits in prefixes.items()
                for k in range(self.group_lags)
            },
            **{f"mean_{periods}": Mean(periods) for periods in self.means},
            self.silence: Since(self.longest),
            **dict(zip(self.frequency.season, (wave(sin), wave(cos)), strict=True)),
            "completeness": Share(),
            **dict.fromkeys(self.measures, Measure()),
            **self.others,
        }


def build(
    layout: Layout, counts: pl.DataFrame, reporting: pl.DataFrame | None, where: str
) -> pl.DataFrame:
    """One row an entity and period that has ended.

    Lag 0 is the period that ends at `event_timestamp` (its last second, UTC). A period without a
    report counts 0 cases; a period that is known to be reported in part counts what was
    reported, divided by its completeness. The newest periods of an entity that fell silent all at
    once (`silence`) are not known: they have no row, and in sums of groups stands what it reported
    before. The first year has none behind it and is left out.

    Args:
        counts: `ENTITY`, the period's first day, `cases`, and the columns of groups and measures;
            a measure whose column is absent is 0 throughout, which models leave out.
        reporting: the period's first day and `completeness` (0-1) of those known in part.
        where: name of the table of counts, for errors.

    Returns:
        `ENTITY`, `event_timestamp`, `layout.own`, and the period's first day for what the use
        case adds.

    Raises:
        TerminalError: less than a year and a half, a count of a day that begins no period, or a
            measure lacks a value.
    """
    period = layout.frequency.column
    panel = _completed(_panel(layout, counts, where), reporting, period)
    periods, name = panel[period].n_unique(), layout.frequency.name
    if periods < layout.history:
        raise TerminalError(
            f"The counts span {periods} {name}s; features need {layout.history} or more.",
            where=where,
            fix="Publish a file with a longer history.",
        )
    groups = {name: _group(of) for name, of in layout.groups.items()}
    rows = silence.mark(panel.sort(ENTITY, period), groups.values(), layout.frequency)
    rows = rows.with_columns(
        pl.col("expected").sum().over(group, period).alias(name) for name, group in groups.items()
    )
    angle = 2 * pi * pl.col(period).dt.ordinal_day() / YEAR_DAYS
    sine, cosine = layout.frequency.season
    table = rows.with_columns(
        *(_lag("cases", k).alias(f"cases_lag_{k}") for k in range(layout.lags)),
        *(
            _lag(group, k).alias(f"{group}_lag_{k}")
            for group in layout.groups
            for k in range(layout.group_lags)
        ),
        *(_mean(layout, periods).alias(f"mean_{periods}") for periods in layout.means),
        _silence(layout).alias(layout.silence),
        angle.sin().alias(sine),
        angle.cos().alias(cosine),
        layout.frequency.end_of(pl.col(period)).alias("event_timestamp"),
        *_measures(layout, rows, where),
    ).filter(~silence.newest_silence(ENTITY))
    return table.select(ENTITY, "event_timestamp", period, *layout.own).drop_nulls()


def _panel(layout: Layout, counts: pl.DataFrame, where: str) -> pl.DataFrame:
    """Every entity with every period from the first to the last one in the table."""
    period = layout.frequency.column
    more = [c for c in layout.beside if c in counts.columns]
    first, last = counts[period].min(), counts[period].max()
    assert isinstance(first, date) and isinstance(last, date)
    calendar = layout.frequency.calendar(first, last)
    strange = counts.filter(~pl.col(period).is_in(calendar))
    if len(strange):
        raise TerminalError(
            f"{len(strange)} counts are of days that begin no {layout.frequency.name}.",
            where=f"{where}, column {period}, first: {strange[period].min()!s}",
            fix=f"Give each count the first day of its {layout.frequency.name}.",
        )
    grid = counts.select(pl.col(ENTITY).unique()).join(
        pl.DataFrame({period: calendar}, schema={period: pl.Date}), how="cross"
    )
    sums = counts.group_by(ENTITY, period).agg(
        pl.sum("cases"), *(pl.col(c).first() for c in more if c in layout.measures)
    )
    full = grid.join(sums, on=[ENTITY, period], how="left").with_columns(
        pl.col("cases").fill_null(0).cast(pl.Float64)
    )
    if groupings := [c for c in more if c not in layout.measures]:
        full = full.join(counts.select(ENTITY, *groupings).unique(ENTITY, keep="first"), on=ENTITY)
    return full


def _completed(panel: pl.DataFrame, reporting: pl.DataFrame | None, period: str) -> pl.DataFrame:
    """Add `completeness`, and count what the newest periods will hold once all is reported."""
    if reporting is None:
        return panel.with_columns(completeness=pl.lit(1.0))
    share = pl.col("completeness").fill_null(1.0)
    return panel.join(reporting, on=period, how="left").with_columns(
        share, cases=pl.col("cases") / share
    )


def _group(of: int | str) -> pl.Expr:
    return pl.col(of) if isinstance(of, str) else pl.col(ENTITY).str.head(of)


def _lag(column: str, periods: int) -> pl.Expr:
    return pl.col(column).shift(periods).over(ENTITY)


def _mean(layout: Layout, periods: int) -> pl.Expr:
    """The longest window reaches past the first year; there it holds the periods there are."""
    fewest = min(periods, layout.frequency.year)
    return pl.col("cases").rolling_mean(periods, min_samples=fewest).over(ENTITY)


def _silence(layout: Layout) -> pl.Expr:
    """Periods since the last one with a case, at most `longest`; 0 if this one has a case."""
    number = pl.int_range(pl.len()).over(ENTITY)
    last = pl.when(pl.col("cases") > 0).then(number).forward_fill().over(ENTITY)
    return (number - last).fill_null(layout.longest).clip(0, layout.longest).cast(pl.Float64)


def _measures(layout: Layout, rows: pl.DataFrame, where: str) -> Sequence[pl.Expr]:
    """Means of earlier periods; the lag leaves time for the measurements to arrive."""
    there = [c for c in layout.measures if c in rows.columns]
    for column in there:
        absent = rows.filter(pl.col(column).is_null()).sort(ENTITY, layout.frequency.column)
        if len(absent):
            first = absent.row(0, named=True)
            raise TerminalError(
                f"The table has no {column} for {len(absent)} rows.",
                where=f"{where}, column {column}, first: {first[ENTITY]}, "
                f"{layout.frequency.name} of {first[layout.frequency.column]}",
                fix="Publish a version that has a number for every period and place.",
            )
    return [
        pl.col(c).cast(pl.Float64).shift(lag).rolling_mean(span).over(ENTITY)
        if c in there
        else pl.lit(0.0).alias(c)
        for c, (lag, span) in layout.measures.items()
    ]
