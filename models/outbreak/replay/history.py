"""A department's past as it was known week by week: counts, features, forecasts, truth."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from feature_repo.outbreak import weekly
from models.outbreak.replay import lateness
from yupana.tasks.forecast.checks.invariants import reach
from yupana.tasks.forecast.checks.record import Record
from yupana.tasks.forecast.checks.window import Array, Window
from yupana.tasks.forecast.frequency import WEEK
from yupana.tasks.forecast.nowcast import nowcast
from yupana.tasks.forecast.quantiles import QUANTILES, Forecaster
from yupana.tasks.forecast.usecases import REPORTING, ForecastUseCase

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

FIRST = 70
"""Weeks of counts before the first features."""

KEPT = 112
"""Weeks of counts that the features of a week look back on, and a few more."""

PERSONS = {
    "Maynas": 479_866,
    "Alto Amazonas": 122_725,
    "Loreto": 62_437,
    "Mariscal Ramón Castilla": 49_072,
    "Requena": 58_511,
    "Ucayali": 54_637,
    "Datem del Marañón": 49_571,
    "Putumayo": 6_691,
}
FIGURES = ("population_1993", "population_2007", "population_2017", "population_2022")
FOLLOWED = 60
"""Weekly publications that delays are learned from, as features.reporting."""


@dataclass(frozen=True)
class Counts:
    """Final counts of a complete panel.

    Attributes:
        entities: places with a case in any week, sorted.
        weeks: first day (Sunday) of each week.
        cases: shape (places, weeks).
    """

    entities: tuple[str, ...]
    weeks: tuple[date, ...]
    cases: Array


def counts_of(table: pl.DataFrame) -> Counts:
    """From `entity`, `week_start`, `cases`; weeks without a row count 0."""
    entities = tuple(sorted(table["entity"].unique().to_list()))
    first, last = table["week_start"].min(), table["week_start"].max()
    assert isinstance(first, date) and isinstance(last, date)
    weeks = tuple(first + timedelta(weeks=n) for n in range((last - first).days // 7 + 1))
    cases = np.zeros((len(entities), len(weeks)))
    place = {u: i for i, u in enumerate(entities)}
    for entity, week, n in table.select("entity", "week_start", "cases").iter_rows():
        cases[place[entity], (week - first).days // 7] += n
    return Counts(entities, weeks, cases)


def first_week(counts: Counts, year: int) -> int:
    """Index of the first week that begins in a year, or the number of weeks."""
    return sum(w < date(year, 1, 1) for w in counts.weeks)


def before(counts: Counts, until: int) -> Counts:
    """The weeks before one, with the places that had a case by then: nothing later is in it."""
    cases = counts.cases[:, :until]
    there = np.flatnonzero(cases.any(axis=1))
    return Counts(
        tuple(counts.entities[i] for i in there), counts.weeks[:until], cases[there]
    )


@dataclass(frozen=True)
class History:
    """One way that the past may have been reported.

    Attributes:
        counts: final.
        arrived: shape (places, weeks, delays), see `lateness`.
        weather: a climate table.
        definition: the use case.
        columns: its features.
        values: features as known at each week, shape (weeks, places, columns); NaN before
            `FIRST` and where a place has no case yet.
        quantiles: forecasts from each week, shape (weeks, places, horizons, levels).
        altered: weekly publications that are not those of `arrived`, by week: counts known
            then, shape (places, weeks up to it).
    """

    counts: Counts
    arrived: Array
    weather: pl.DataFrame
    definition: ForecastUseCase
    columns: tuple[str, ...]
    values: Array
    quantiles: Array
    altered: Mapping[int, Array] = field(default_factory=dict)

    def reported(self, week: int) -> Array:
        """Counts as published once a week was first reported, shape (places, weeks up to it)."""
        return self.altered[week] if week in self.altered else lateness.reported(self.arrived, week)

    def saturday(self, week: int) -> date:
        """The day that ends a week."""
        return self.counts.weeks[week] + timedelta(days=6)

    @property
    def periods(self) -> range:
        """The weeks that have features."""
        return range(FIRST, len(self.counts.weeks))

    def window(self, period: int) -> Window:
        """The weeks up to one, as the checks see them."""
        values = self.values[self._first(period) : period + 1]
        return Window(WEEK, self.saturday(period), self.counts.entities, self.columns, values)

    def record(self, period: int) -> Record:
        """Forecasts of the same weeks, and the truth that was complete by then."""
        first = self._first(period)
        truth = self.reported(period).T[first:].copy()
        truth[max(len(truth) - nowcast.LAST, 0) :] = np.nan
        return Record(self.quantiles[first : period + 1], truth)

    def _first(self, week: int) -> int:
        return max(FIRST, week - reach(self.definition.invariants()) + 1)


def build(
    counts: Counts, late: lateness.Lateness, definition: ForecastUseCase, *, seed: int, span: range
) -> History:
    """Features of each week of a span, as they were known then; no forecasts yet."""
    import polars as pl

    arrived = lateness.arrivals(counts.cases, counts.weeks, late, seed)
    provinces = sorted({u[:4] for u in counts.entities})
    early = [counts.weeks[0] - timedelta(weeks=n) for n in range(20, 0, -1)]
    weather = pl.DataFrame(lateness.weather([*early, *counts.weeks], provinces, seed))
    columns = weekly.FEATURES
    values = np.full((len(counts.weeks), len(counts.entities), len(columns)), np.nan)
    empty = np.full((*values.shape[:2], definition.options.horizons, len(QUANTILES)), np.nan)
    history = History(counts, arrived, weather, definition, columns, values, empty)
    for week in span:
        values[week] = features(history, week)
    return history


def features(history: History, week: int) -> Array:
    """Features of one week from what is known at it, shape (places, columns)."""
    import polars as pl

    names, weeks, reported = history.counts.entities, history.counts.weeks, history.reported(week)
    start = max(0, week - KEPT)
    there = [i for i in range(len(names)) if reported[i].any()]
    recent = reported[there, start:]
    # Only the newest rows are asked for, and no feature looks back further than `KEPT`.
    table = pl.DataFrame(
        {
            "entity": np.repeat([names[i] for i in there], recent.shape[1]),
            "week_start": np.tile(np.array(weeks[start : week + 1], "datetime64[D]"), len(there)),
            "cases": recent.ravel(),
        }
    )
    climate = history.weather.filter(pl.col("week_start") <= weeks[week])
    tables = {history.definition.counted: table, "climate_weekly": climate, **population()}
    shares = _shares(history, week)
    if shares is not None:
        tables[REPORTING] = shares
    table_of_features = history.definition.features(tables)
    newest = table_of_features.filter(pl.col("event_timestamp") == pl.col("event_timestamp").max())
    values = np.full((len(names), len(history.columns)), np.nan)
    place = {u: i for i, u in enumerate(names)}
    rows = [place[u] for u in newest["entity"]]
    values[rows] = newest.select(history.columns).to_numpy()
    return values


def population() -> dict[str, pl.DataFrame]:
    """Made-up persons by province, about the true sizes: the sample has none."""
    import polars as pl

    places = {"level": "province", "place": list(PERSONS)}
    figures = {name: list(PERSONS.values()) for name in FIGURES}
    return {"province_population": pl.DataFrame({**places, **figures})}


def _shares(history: History, week: int) -> pl.DataFrame | None:
    """Share known of the newest weeks, learned from the publications up to this one."""
    import polars as pl

    first = max(0, week - FOLLOWED)
    total = history.arrived[:, first : week + 1].sum(axis=0).cumsum(axis=1)
    for then, reported in history.altered.items():
        for delay in range(min(nowcast.LAST, then - first) + 1):
            if first <= then - delay <= week:
                total[then - delay - first, delay] = reported[:, then - delay].sum()
    reached = np.arange(week - first, -1, -1)[:, None] >= np.arange(nowcast.LAST + 1)[None]
    triangle = pl.DataFrame(
        {
            "period": history.counts.weeks[first : week + 1],
            **{
                str(d): np.where(reached[:, d], total[:, d], np.nan)
                for d in range(nowcast.LAST + 1)
            },
        }
    )
    learned = nowcast.completeness(triangle)
    if learned is None:
        return None
    weeks = [history.counts.weeks[week - d] for d in range(nowcast.LAST)]
    return pl.DataFrame({"week_start": weeks, "completeness": list(learned[: nowcast.LAST])})


def final(counts: Counts, definition: ForecastUseCase) -> pl.DataFrame:
    """Features of all weeks, from the final counts of the places that have any."""
    import polars as pl

    there = [i for i, row in enumerate(counts.cases) if row.any()]
    table = pl.DataFrame(
        {
            "entity": np.repeat([counts.entities[i] for i in there], len(counts.weeks)),
            "week_start": np.tile(np.array(counts.weeks, "datetime64[D]"), len(there)),
            "cases": counts.cases[there].ravel(),
        }
    )
    return definition.features({definition.counted: table})


def forecast(history: History, span: range, model: Callable[[int], Forecaster]) -> History:
    """The same past with the forecasts of a span.

    Args:
        model: the forecaster of a year.
    """
    quantiles = history.quantiles.copy()
    by_year: dict[int, list[int]] = {}
    for week in span:
        by_year.setdefault(history.counts.weeks[week].year, []).append(week)
    for year, weeks in by_year.items():
        quantiles[weeks] = forecasts(history, weeks, history.values[weeks], model(year))
    return replace(history, quantiles=quantiles)


def forecasts(history: History, weeks: Sequence[int], values: Array, model: Forecaster) -> Array:
    """Forecasts of some weeks' features, shape (weeks, places, horizons, levels)."""
    reach = history.definition.options.horizons
    quantiles = np.full((*values.shape[:2], reach, len(QUANTILES)), np.nan)
    at = np.nonzero(~np.isnan(values).all(axis=2))
    rows = frame(history, weeks, values, at)
    quantiles[at] = model.quantiles(rows, QUANTILES)
    return quantiles


def frame(
    history: History, weeks: Sequence[int], values: Array, at: tuple[Any, ...]
) -> pd.DataFrame:
    """Feature rows as a model takes them."""
    import pandas as pd

    rows = pd.DataFrame(values[at], columns=list(history.columns))
    rows.insert(0, "entity", np.array(history.counts.entities)[at[1]])
    days = pd.to_datetime([history.saturday(w) for w in weeks], utc=True)
    rows.insert(1, "event_timestamp", days[at[0]] + pd.Timedelta(hours=23, minutes=59, seconds=59))
    return rows
