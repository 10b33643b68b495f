"""Training sets: features point-in-time from Feast, targets from the periods that followed."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from yupana.config.settings import Settings
from yupana.data.lake import delta
from yupana.features import splits, store, training_sets
from yupana.tasks.forecast import frequency, usecases
from yupana.tasks.forecast.dataset import sources as tables_of
from yupana.tasks.forecast.dataset import vintage
from yupana.tasks.forecast.entities import inward, outward

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

COMPLETE = 0.95
"""Share known from which on a period's count may be learned from and scored against."""


def build(
    settings: Settings, use_case: str, table: str, sources: tuple[str, ...], as_of: date | None
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """One row a district and origin, with features, targets and part.

    Args:
        table: reference of the feature table.
        sources: references of the published tables that it was computed from.
        as_of: use only what was known on this day.

    Returns:
        `entity`, `event_timestamp`, features, `target_1`… (cases h periods after the
        origin; NaN where the period is not known yet) and `part` (train, validation, test or
        gap); and the references of the published tables that they rest on.

    Raises:
        TerminalError: too few periods, or a feature holds what was not known at its origin.
    """
    definition = usecases.load(use_case)
    features, key = _at(settings, table), definition.spec.entity.key
    if as_of is None:
        tables = tables_of.at(settings, definition, sources)
        entities = features.select(key, "event_timestamp").to_pandas()
        service = definition.spec.features.service
        rows = inward(store.training_frame(settings, service, entities), key)
    else:
        # Feast's table holds the newest version alone; a past day's knowledge is computed.
        snapshot = vintage.on_day(settings, definition, as_of)
        tables, sources = snapshot.tables, snapshot.refs
        rows = definition.features(tables).select(inward(features, key).columns).to_pandas()
    vintage.check(rows, definition.features, tables, seed=settings.seed)
    year, reach = definition.frequency.year, definition.options.horizons
    lengths = splits.Lengths(test=year, validation=year, gap=reach, train_at_least=year)
    rows_by_part = splits.by_time(with_targets(rows, reach), "event_timestamp", lengths)
    splits.check_disjoint(rows_by_part, ["entity", "event_timestamp"])
    return rows_by_part, sources


def save(
    settings: Settings, use_case: str, rows: pd.DataFrame, *, features: str,
    sources: tuple[str, ...], as_of: date | None,
) -> training_sets.TrainingSet:  # fmt: skip
    """Keep a split of `build`, see `training_sets.save`."""
    table = outward(rows, usecases.load(use_case).spec.entity.key)
    return training_sets.save(
        settings, use_case, table, features=features, sources=sources, as_of=as_of
    )


def load(settings: Settings, use_case: str, ref: str) -> pd.DataFrame:
    """A split as `build` made it.

    Raises:
        UsageError: it is not there.
    """
    rows = training_sets.load(settings, use_case, ref)
    return inward(rows, usecases.load(use_case).spec.entity.key)


def with_targets(rows: pd.DataFrame, horizons: int) -> pd.DataFrame:
    """Sorted rows with `target_1` to `target_<horizons>`: cases so many periods on, NaN where
    not in the rows.

    A period that is known in part is no target: what it will hold is itself an estimate.
    """
    ordered = rows.sort_values(["entity", "event_timestamp"], ignore_index=True)
    reported = ordered["cases_lag_0"].where(ordered["completeness"] >= COMPLETE)
    cases = reported.groupby(ordered["entity"])
    return ordered.assign(**{f"target_{h}": cases.shift(-h) for h in range(1, horizons + 1)})


def _at(settings: Settings, ref: str) -> pl.DataFrame:
    zone, name, version = delta.parts(ref)
    return delta.read(settings.table(zone, name), version)


def knows_through(rows: pd.DataFrame) -> str:
    """ISO date of the last period whose count a model fitted on these rows has seen."""
    period, days = frequency.of(rows.columns), []
    for target in (c for c in rows.columns if str(c).startswith("target_")):
        newest = rows.loc[rows[target].notna(), "event_timestamp"].max()
        days.append(newest + period.offset(int(target.removeprefix("target_"))))
    return str(max(days).date())
