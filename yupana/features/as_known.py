"""Data as it was known on a day, and the proof that a training set holds nothing later.

A forecast is judged by what could be known when it was made: rows that came later, and counts
that a later file revised, must not reach it (point-in-time correctness).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError, UsageError
from yupana.data import delta, history
from yupana.features import given

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

WEEK = "week_start"
ORIGINS_CHECKED = 4

Tables = given.Tables


@dataclass(frozen=True)
class Known:
    """Published tables as of a day; `hindsight` when no version was published by then.

    In hindsight the oldest version is cut at the day: weeks that ended later are left out, but
    reports that came late for earlier weeks are in it.
    """

    tables: Tables
    refs: tuple[str, ...]
    hindsight: bool


def known(settings: Settings, room: ModuleType, day: date) -> Known:
    """All that a use case's features are computed from, as it was known on a day.

    Beside the tables, the shares known of the newest weeks, learned from the publications up
    to that day; in hindsight all weeks are taken as complete.

    Args:
        room: `feature_repo/<use case>_weekly.py`.

    Raises:
        TerminalError: a source was never published.
    """
    found = tables(settings, given.sources(settings, room), day)
    if found.hindsight:
        return found
    version = next(v for _, n, v in map(delta.parts, found.refs) if n == room.REPORTED)
    return replace(found, tables=found.tables | given.shares(settings, room, version))


def tables(settings: Settings, sources: tuple[str, ...], day: date) -> Known:
    """Each source's published version that was known on a day, weeks that had ended alone.

    Raises:
        TerminalError: a source was never published.
    """
    found, refs, hindsight = {}, [], False
    for name in sources:
        table = settings.table("published", name)
        try:
            version = history.version_as_of(table, day)
        except UsageError:
            version, hindsight = history.published_versions(table)[0].version, True
        found[name] = until(delta.read(table, version), day)
        refs.append(f"delta:published/{name}@{version}")
    return Known(found, tuple(refs), hindsight)


def until(table: pl.DataFrame, day: date) -> pl.DataFrame:
    """The rows of weeks that had ended by a day; a table without weeks stays whole."""
    import polars as pl

    if WEEK not in table.columns:
        return table
    return table.filter(pl.col(WEEK) <= day - timedelta(days=6))


def check(
    rows: pd.DataFrame, build: Callable[[Tables], pl.DataFrame], whole: Tables, *, seed: int
) -> None:
    """Compute features of some origins again from what had happened by then, and compare.

    Args:
        rows: a training set with `ubigeo`, `event_timestamp` (UTC) and features.
        build: the use case's feature builder.
        whole: the tables that the features were built from.
        seed: chooses the origins.

    Raises:
        TerminalError: a feature holds what was not known yet; names column, district, week.
    """
    origins = np.sort(rows["event_timestamp"].unique())
    chosen = np.random.default_rng(seed).choice(
        origins, size=min(ORIGINS_CHECKED, len(origins)), replace=False
    )
    for origin in sorted(chosen):
        moment = rows.loc[rows["event_timestamp"] == origin, "event_timestamp"].iloc[0]
        cut = {name: until(table, moment.date()) for name, table in whole.items()}
        try:
            then = build(cut).to_pandas()
        except TerminalError:
            continue  # so early that features could not be built at all
        then = then[then["event_timestamp"] == moment].set_index("ubigeo")
        _same(rows[rows["event_timestamp"] == moment].set_index("ubigeo"), then, moment)


def _same(now: pd.DataFrame, then: pd.DataFrame, moment: pd.Timestamp) -> None:
    # A district whose first case came later has no row then; there is nothing to compare.
    shared = now.index.intersection(then.index)
    columns = [c for c in then.columns if c in now.columns and c != "event_timestamp"]
    left = now.loc[shared, columns].to_numpy(dtype=float)
    right = then.loc[shared, columns].to_numpy(dtype=float)
    differ = ~np.isclose(left, right, equal_nan=True)
    if differ.any():
        row, column = np.argwhere(differ)[0]
        raise TerminalError(
            f"A feature knows the future: it is {left[row, column]:g} in the training set and "
            f"{right[row, column]:g} when computed from what had happened by then.",
            where=f"column {columns[column]}, ubigeo {shared[row]}, week ending {moment.date()}",
            fix="Use only weeks up to the origin in the feature's definition.",
        )
