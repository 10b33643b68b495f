"""An entity's features as they would be, had its newest periods been others.

The features' own code computes them from changed sources, so that lags, means, and the sums of
areas move together, as they would have.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from yupana.core.errors import UsageError
from yupana.tasks.forecast.entities import ENTITY
from yupana.tasks.forecast.serving.analysis import sources
from yupana.tasks.forecast.serving.analysis.sources import Tables
from yupana.tasks.forecast.usecases import REPORTING, ForecastUseCase

if TYPE_CHECKING:
    import pandas as pd

MOST_FACTOR = 10.0


@dataclass(frozen=True)
class Change:
    """What would have been otherwise.

    Attributes:
        cases: of the newest periods, the oldest first, counted as if all had been reported.
        factor: of the cases of the newest periods, as many as alerts look ahead.
        temperature: °C added to every period.
        precipitation: factor of every period.
    """

    cases: tuple[float, ...] = ()
    factor: float = 1.0
    temperature: float = 0.0
    precipitation: float = 1.0


def features(
    definition: ForecastUseCase, tables: Tables, entity: str, change: Change
) -> pd.DataFrame:
    """The row of the newest period.

    Args:
        tables: as `sources.tables` returns them.

    Returns:
        One row with `ENTITY`, `event_timestamp` and the features.

    Raises:
        UsageError: the entity is not in the tables.
    """
    import polars as pl

    mine = area(definition, tables, entity, definition.layout().looks_back)
    newest = tables[definition.counted][definition.frequency.column].max()
    assert isinstance(newest, date)
    changed = definition.changed(_cases(definition, mine, entity, newest, change), change)
    here = pl.col(ENTITY) == entity
    return definition.features(changed).filter(here).sort("event_timestamp").tail(1).to_pandas()


def area(
    definition: ForecastUseCase, tables: Tables, entity: str, periods: int | None = None
) -> Tables:
    """The rows of the entity's area: no feature looks further.

    Args:
        periods: before the newest one; None: all of them.

    Raises:
        UsageError: the entity is not in the tables.
    """
    import polars as pl

    counted = definition.counted
    places, everything = definition.places, tables[counted]
    mine = sources.of_area(definition, tables, places.area_of(entity))
    entities = mine[ENTITY].unique()
    if entity not in entities:
        noun, code = places.noun, places.code
        raise UsageError(
            f"Sin datos {noun.of_the} {entity}. / No data of {noun.en} {entity}.",
            where=definition.spec.entity.key,
            fix=f"Use el {code.es} de {noun.a} bajo vigilancia. / Use the {code.en} of a "
            f"{noun.en} under surveillance.",
        )
    frequency, column = definition.frequency, definition.frequency.column
    newest, oldest = everything[column].max(), everything[column].min()
    assert isinstance(newest, date) and isinstance(oldest, date)
    first = oldest if periods is None else max(oldest, frequency.shift(newest, -periods))
    # Every entity, and the table's own first and last period: they span the panel.
    ends = pl.DataFrame({column: [first, newest]}, schema={column: pl.Date})
    span = entities.to_frame().join(ends, how="cross")
    recent = mine.filter(pl.col(column) >= first).with_columns(pl.col("cases").cast(pl.Float64))
    rows = pl.concat([recent, span.with_columns(cases=pl.lit(0.0))], how="diagonal")
    return tables | {counted: sources.summed(definition, rows)}


def _cases(
    definition: ForecastUseCase, tables: Tables, entity: str, newest: date, change: Change
) -> Tables:
    import polars as pl

    counted = definition.counted
    rows, here = tables[counted], pl.col(ENTITY) == entity
    frequency, column = definition.frequency, definition.frequency.column
    if change.cases:
        starts = [frequency.shift(newest, -k) for k in reversed(range(len(change.cases)))]
        mine = pl.DataFrame(
            {column: starts, "others": [float(c) for c in change.cases]},
            schema={column: pl.Date, "others": pl.Float64},
        )
        if REPORTING in tables:
            # The features divide reports by the share that is known of their period.
            mine = mine.join(tables[REPORTING], on=column, how="left").select(
                column, pl.col("others") * pl.col("completeness").fill_null(1.0)
            )
        mine = mine.with_columns(pl.lit(entity).alias(ENTITY))
        rows = rows.join(mine, on=[ENTITY, column], how="full", coalesce=True).with_columns(
            cases=pl.coalesce("others", "cases")
        ).drop("others")  # fmt: skip
    recent = pl.col(column) > frequency.shift(newest, -frequency.lead)
    factor = pl.when(here & recent).then(change.factor).otherwise(1.0)
    return tables | {counted: rows.with_columns(pl.col("cases") * factor)}
