"""The features of a past day, kept as a Delta table beside the current one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from yupana.config.settings import Settings
from yupana.core.types import DatasetRef
from yupana.data.lake import delta
from yupana.tasks.forecast.dataset import vintage
from yupana.tasks.forecast.entities import outward
from yupana.tasks.forecast.usecases import ForecastUseCase

ZONE = "features"


@dataclass(frozen=True)
class AsOf:
    """The features of a day: rows of a version of the table of past days.

    Attributes:
        table: the version; `rows` are those of the day.
        sources: references of the published tables.
        newest: last day of the newest week.
        hindsight: no version was published by then; see `vintage.Vintage`.
    """

    table: DatasetRef
    sources: tuple[str, ...]
    newest: date
    hindsight: bool


def name(definition: ForecastUseCase) -> str:
    """The table of past days that belongs to a use case's feature table."""
    return f"{definition.spec.features.table}_as_of"


def write(settings: Settings, definition: ForecastUseCase, day: date) -> AsOf:
    """Compute the features from what was known on a day, in place of that day's rows.

    The table has the columns of the feature table and `as_of` (the day); it holds every day that
    was asked for. The feature table itself and the online store stay as they are.

    Args:
        definition: the use case.

    Raises:
        TerminalError: nothing is published, or too little had happened by then.
    """
    import polars as pl

    snapshot = vintage.on_day(settings, definition, day)
    rows = definition.features(snapshot.tables).select(pl.lit(day).alias("as_of"), pl.all())
    newest: datetime = rows["event_timestamp"].max()  # type: ignore[assignment]
    same = f"as_of = DATE '{day}'"
    stored = outward(rows, definition.spec.entity.key).to_arrow()
    dataset = delta.replace(settings.lake, ZONE, name(definition), stored, same, snapshot.refs)
    return AsOf(
        dataset.model_copy(update={"rows": len(rows)}), snapshot.refs, newest.date(),
        snapshot.hindsight,
    )  # fmt: skip
