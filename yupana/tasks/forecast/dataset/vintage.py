"""Data as it was known on a day, and the proof that a training set holds nothing later.

A forecast is judged by what could be known when it was made: rows that came later, and counts
that a later file revised, must not reach it (point-in-time correctness).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError, UsageError
from yupana.data.lake import delta, history
from yupana.tasks.forecast.dataset import sources as tables_of
from yupana.tasks.forecast.usecases import ForecastUseCase

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

ORIGINS_CHECKED = 4

Tables = tables_of.Tables


@dataclass(frozen=True)
class Versions:
    """Which published versions were known on a day.

    `hindsight`: a table that must be there was not published by then, and the oldest version
    stands for it.
    """

    refs: tuple[str, ...]
    hindsight: bool


@dataclass(frozen=True)
class Vintage:
    """Published tables as of a day; `hindsight` when no version was published by then.

    In hindsight the oldest version is cut at the day: periods that ended later are left out, but
    reports that came late for earlier periods are in it.
    """

    tables: Tables
    refs: tuple[str, ...]
    hindsight: bool


def on_day(
    settings: Settings, definition: ForecastUseCase, day: date, needed: Collection[str] = ()
) -> Vintage:
    """All that a use case's features are computed from, as it was known on a day.

    Beside the tables, the shares known of the newest periods, learned from the publications up
    to that day; in hindsight all periods are taken as complete.

    Args:
        definition: the use case.
        needed: as for `versions`.

    Raises:
        TerminalError: a source was never published.
    """
    return of_versions(settings, definition, versions(settings, definition, day, needed), day)


def of_versions(
    settings: Settings, definition: ForecastUseCase, of_day: Versions, day: date
) -> Vintage:
    """As `on_day`, of the versions that were found to be known on it."""
    if of_day.hindsight:
        return _cut(settings, definition, of_day, day)
    return Vintage(tables_of.at(settings, definition, of_day.refs), of_day.refs, False)


def versions(
    settings: Settings, definition: ForecastUseCase, day: date, needed: Collection[str] = ()
) -> Versions:
    """References of what `on_day` reads; no row is read.

    An optional table that was published later was not there on the day, and is left out; in
    hindsight its oldest version is taken, as of the others.

    Args:
        needed: optional tables whose oldest version is taken where none was published by then,
            because a model has learned from them.

    Raises:
        TerminalError: a source was never published.
    """
    must = _versions(settings, definition.spec.data.required, day)
    required = definition.spec.data.required
    there = [n for n in tables_of.sources(settings, definition) if n not in required]
    refs = list(must.refs)
    for name in there:
        one = _versions(settings, (name,), day)
        if not one.hindsight or must.hindsight or name in needed:
            refs += one.refs
    return Versions(tuple(refs), must.hindsight)


def reported(settings: Settings, definition: ForecastUseCase, day: date) -> Versions:
    """The version that was known on a day of the table whose newest periods come late.

    Raises:
        TerminalError: it was never published.
        UsageError: the use case has no such table.
    """
    if not definition.spec.data.late:
        name = definition.spec.name
        raise UsageError(
            f"No table of '{name}' is known to be reported late: its counts are complete.",
            where=f"models/{name}/usecase.yaml, data.late",
            fix="Name the table there, if its newest periods come late.",
        )
    return _versions(settings, (definition.spec.data.late,), day)


def _versions(settings: Settings, names: Sequence[str], day: date) -> Versions:
    refs, hindsight = [], False
    for name in names:
        table = settings.table("published", name)
        try:
            version = history.version_as_of(table, day)
        except UsageError:
            version, hindsight = history.published_versions(table)[0].version, True
        refs.append(f"delta:published/{name}@{version}")
    return Versions(tuple(refs), hindsight)


def tables(
    settings: Settings, definition: ForecastUseCase, sources: Sequence[str], day: date
) -> Vintage:
    """Each source's published version that was known on a day, without shares.

    Periods that had not ended by the day, or when the version was published, are left out.

    Raises:
        TerminalError: a source was never published.
    """
    return _cut(settings, definition, _versions(settings, sources, day), day)


def _cut(
    settings: Settings, definition: ForecastUseCase, versions_of_day: Versions, day: date
) -> Vintage:
    read: Tables = {}
    for ref in versions_of_day.refs:
        zone, name, version = delta.parts(ref)
        table = settings.table(zone, name)
        ended = min(day, history.at_version(table, version).known_on)
        read[name] = tables_of.until(tables_of.read(settings, definition, name, version), ended)
    return Vintage(read, versions_of_day.refs, versions_of_day.hindsight)


def check(
    rows: pd.DataFrame, build: Callable[[Tables], pl.DataFrame], whole: Tables, *, seed: int
) -> None:
    """Compute features of some origins again from what had happened by then, and compare.

    Args:
        rows: a training set with `entity`, `event_timestamp` (UTC) and features.
        build: the use case's feature builder.
        whole: the tables that the features were built from.
        seed: chooses the origins.

    Raises:
        TerminalError: a feature holds what was not known yet; names column, district, period.
    """
    origins = np.sort(rows["event_timestamp"].unique())
    sample = np.random.default_rng(seed).choice(
        origins, size=min(ORIGINS_CHECKED, len(origins)), replace=False
    )
    for origin in sorted(sample):
        moment = rows.loc[rows["event_timestamp"] == origin, "event_timestamp"].iloc[0]
        cut = {name: tables_of.until(table, moment.date()) for name, table in whole.items()}
        try:
            then = build(cut).to_pandas()
        except TerminalError:
            continue  # so early that features could not be built at all
        then = then[then["event_timestamp"] == moment].set_index("entity")
        _same(rows[rows["event_timestamp"] == moment].set_index("entity"), then, moment)


def _same(now: pd.DataFrame, then: pd.DataFrame, moment: pd.Timestamp) -> None:
    # A district whose first case came later has no row then; there is nothing to compare.
    both = now.index.intersection(then.index)
    columns = [c for c in then.columns if c in now.columns and c != "event_timestamp"]
    there = now.loc[both, columns].to_numpy(dtype=float)
    right = then.loc[both, columns].to_numpy(dtype=float)
    differ = ~np.isclose(there, right, equal_nan=True)
    if differ.any():
        row, column = np.argwhere(differ)[0]
        raise TerminalError(
            f"A feature knows the future: it is {there[row, column]:g} in the training set and "
            f"{right[row, column]:g} when computed from what had happened by then.",
            where=f"column {columns[column]}, entity {both[row]}, period ending {moment.date()}",
            fix="Use only periods up to the origin in the feature's definition.",
        )
