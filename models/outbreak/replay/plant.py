"""Put a fault into a past: what was published, the features, and the forecasts made from them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from models.outbreak.replay import history
from models.outbreak.replay.fault import Fault, mine
from models.outbreak.replay.history import Counts, History
from yupana.tasks.forecast.checks.invariants import Invariants, Lag, Mean, Measure, of_kind
from yupana.tasks.forecast.checks.window import Array
from yupana.tasks.forecast.quantiles import Forecaster

if TYPE_CHECKING:
    import polars as pl

NEW = "99"
"""Last digits of a new district's code."""


def plant(
    past: History, fault: Fault, invariants: Invariants, model: Callable[[int], Forecaster],
    looks: int
) -> History:
    """The same past with a fault from its week on, for so many weeks.

    Args:
        model: the forecaster of a year; it is told the faulty features.
    """
    span = range(fault.week, min(fault.week + looks, len(past.counts.weeks)))
    faulty = _in_source(past, fault, invariants, span)
    values = faulty.values.copy()
    for week in span:
        if faulty.altered or faulty.weather is not past.weather:
            values[week] = history.features(faulty, week)
        _in_table(values, faulty, fault, invariants, week)
    return history.forecast(replace(faulty, values=values), span, model)


def _in_source(past: History, fault: Fault, invariants: Invariants, span: range) -> History:
    if fault.variant.startswith("climate"):
        return replace(past, weather=_weather(past, fault, invariants))
    if fault.columns or fault.variant in ("whole table not renewed", "feature rows joined twice"):
        return past
    if fault.kind != "split":
        return replace(past, altered={w: altered(past, fault, w)[0] for w in span})
    name = fault.group[:4] + NEW
    at = int(np.searchsorted(past.counts.entities, name))
    entities = (*past.counts.entities[:at], name, *past.counts.entities[at:])
    counts = Counts(entities, past.counts.weeks, np.insert(past.counts.cases, at, 0, axis=0))
    published = {}
    for week in span:
        old, moved = altered(past, fault, week)
        published[week] = np.insert(old, at, moved.sum(axis=0), axis=0)
    return replace(
        past,
        counts=counts,
        arrived=np.insert(past.arrived, at, 0, axis=0),
        values=np.insert(past.values, at, np.nan, axis=1),
        quantiles=np.insert(past.quantiles, at, np.nan, axis=1),
        altered=published,
    )


def altered(past: History, fault: Fault, week: int) -> tuple[Array, Array]:
    """What is published in a week, and what went to a new code, both (places, weeks up to it)."""
    counts, here = past.reported(week).copy(), mine(past, fault.group)
    moved = np.zeros_like(counts)
    since = np.arange(week + 1) >= fault.week
    way = fault.variant
    if fault.kind == "split":
        weeks = np.ones(week + 1, bool) if way.endswith("past as well") else since
        for place in map(int, np.flatnonzero(here)):
            moved[place] = np.where(weeks, _part(past, fault, place, week), 0)
        counts -= moved
    elif way == "source repeats a week's counts":
        counts[:, since] = past.reported(fault.week - 1)[:, -1:]
    elif way.startswith("whole file"):
        counts[here] *= 2
    elif way.startswith("last four"):
        counts[np.ix_(here, _between(week, fault.week - 3, fault.week))] *= 2
    else:
        counts[np.ix_(here, since)] *= fault.number
    return counts, moved


def _between(week: int, first: int, last: int) -> np.ndarray[Any, Any]:
    weeks = np.arange(week + 1)
    return (weeks >= first) & (weeks <= last)


def _part(past: History, fault: Fault, place: int, week: int) -> Array:
    """A share of each report of a place, the same in all later publications."""
    rng = np.random.default_rng([fault.seed, place])
    took = rng.binomial(past.arrived[place].astype(int), fault.number)
    total = took[: week + 1].cumsum(axis=1)
    delays = np.minimum(week - np.arange(week + 1), total.shape[1] - 1)
    return np.asarray(total[np.arange(week + 1), delays], dtype=np.float64)


def _weather(past: History, fault: Fault, invariants: Invariants) -> pl.DataFrame:
    import polars as pl

    warm, wet = of_kind(invariants, Measure)
    if fault.kind == "swapped":
        return past.weather.rename({warm: wet, wet: warm})
    if not fault.number:
        return past.weather.with_columns(pl.col(warm) * 1.8 + 32)
    return past.weather.with_columns(pl.col(wet) * fault.number)


def _in_table(
    values: Array, past: History, fault: Fault, invariants: Invariants, week: int
) -> None:
    """Change the feature rows of one week in place."""
    if fault.variant == "whole table not renewed":
        values[week] = values[fault.week - 1]
        return
    if fault.variant == "feature rows joined twice":
        several = [i for i, c in enumerate(past.columns) if isinstance(invariants[c], Lag | Mean)]
        values[week][:, several] *= 2
        return
    if not fault.columns:
        return
    there = np.flatnonzero(mine(past, fault.group) & ~np.isnan(values[week]).all(axis=1))
    at = np.array([past.columns.index(c) for c in fault.columns])
    if fault.kind == "swapped":
        values[week][np.ix_(there, at)] = values[week][np.ix_(there, at[::-1])]
    elif fault.kind == "frozen":
        before = values[fault.week - 1][there, at[0]]
        values[week][there, at[0]] = np.where(np.isnan(before), values[week][there, at[0]], before)
    elif not fault.number:
        values[week][there, at[0]] = values[week][there, at[0]] * 1.8 + 32
    else:
        values[week][there, at[0]] *= fault.number
