"""What the online features were computed from: read from the lake, once a version."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING

from yupana.config.settings import Settings
from yupana.data.lake import delta, reading
from yupana.lineage import contents
from yupana.tasks.forecast.dataset import sources
from yupana.tasks.forecast.entities import ENTITY, inward
from yupana.tasks.forecast.usecases import ForecastUseCase

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

Tables = dict[str, "pl.DataFrame"]


@lru_cache(maxsize=1)
def tables(settings: Settings, definition: ForecastUseCase, features_ref: str) -> Tables:
    """The published tables that a version of the features names as its inputs.

    Args:
        features_ref: for example `delta:features/NAME@3`.

    Returns:
        By name, as `ForecastUseCase.features` takes them; the cases summed by entity and period,
        with what stands beside them.

    Raises:
        TerminalError: a version is not in the lake any more.
        ContentError: a version is not as its step left it.
    """
    contents.demand(settings, features_ref)
    zone, name, version = delta.parts(features_ref)
    inputs = delta.commit_facts(settings.table(zone, name), version)["inputs"]
    return published_tables(settings, definition, tuple(inputs))


@lru_cache(maxsize=2)
def published_tables(
    settings: Settings, definition: ForecastUseCase, refs: tuple[str, ...],
    until: date | None = None,
) -> Tables:  # fmt: skip
    """Published tables, as `tables` returns them.

    Args:
        refs: for example `delta:published/NAME@3`.
        until: of a run in hindsight, the last day that it saw: nothing is taken as reported in
            part (see `vintage.Vintage`).

    Raises:
        TerminalError: a version is not in the lake any more.
        ContentError: a version is not as its step left it.
    """
    for ref in refs:
        contents.demand(settings, ref)
    if until is None:
        by_name = sources.at(settings, definition, refs)
    else:
        by_name = {
            name: sources.until(sources.read(settings, definition, name, version), until)
            for _, name, version in map(delta.parts, refs)
        }
    return by_name | {definition.counted: summed(definition, by_name[definition.counted])}


def summed(definition: ForecastUseCase, counts: pl.DataFrame) -> pl.DataFrame:
    """A row an entity and period: the sum of its cases, and the columns that its layout reads."""
    import polars as pl

    beside = [c for c in definition.layout().beside if c in counts.columns]
    return counts.group_by(ENTITY, definition.frequency.column).agg(
        pl.sum("cases"), *(pl.col(c).drop_nulls().first() for c in beside)
    )


def of_area(definition: ForecastUseCase, tables: Tables, area: str) -> pl.DataFrame:
    """The rows of cases of the entities of an area."""
    import polars as pl

    rows = tables[definition.counted]
    places = definition.places
    members = [e for e in rows[ENTITY].unique().to_list() if places.area_of(e) == area]
    return rows.filter(pl.col(ENTITY).is_in(members))


def cases(definition: ForecastUseCase, tables: Tables, area: str) -> pd.DataFrame:
    """Cases as reported, by the day that ends the period (index, every period) and entity.

    Args:
        area: its code.
    """
    import pandas as pd

    rows = tables[definition.counted]
    mine = of_area(definition, tables, area).to_pandas()
    frequency = definition.frequency
    panel = mine.pivot_table("cases", frequency.column, ENTITY, aggfunc="sum")
    # The periods of the whole table: an area may have none in the newest.
    first, last = rows[frequency.column].min(), rows[frequency.column].max()
    assert isinstance(first, date) and isinstance(last, date)
    starts = frequency.calendar(first, last)
    panel.index = pd.DatetimeIndex(panel.index)
    whole = panel.reindex(pd.DatetimeIndex(starts)).fillna(0.0)
    return whole.set_axis(pd.DatetimeIndex([frequency.end(start) for start in starts]))


def past_features(
    settings: Settings, definition: ForecastUseCase, features_ref: str, entity: str
) -> pd.DataFrame:
    """All periods of an entity in a version of the feature table, oldest first.

    Raises:
        ContentError: the version is not as its step left it.
    """
    import pyarrow.compute as pc
    from deltalake import DeltaTable

    contents.demand(settings, features_ref)
    zone, name, version = delta.parts(features_ref)
    rows = reading.dataset(DeltaTable(str(settings.table(zone, name)), version=version))
    key = definition.spec.entity.key
    past: pd.DataFrame = rows.to_table(filter=pc.field(key) == entity).to_pandas()
    return inward(past, key).sort_values("event_timestamp", ignore_index=True)
