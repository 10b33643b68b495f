"""The features of a past day, kept as a Delta table beside the current one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from types import ModuleType

from yupana.config.settings import Settings
from yupana.core.types import DatasetRef
from yupana.data import delta
from yupana.features import as_known

ZONE = "features"


@dataclass(frozen=True)
class AsOf:
    """The features of a day: rows of a version of the table of past days.

    Attributes:
        table: the version; `rows` are those of the day.
        sources: references of the published tables.
        newest: last day of the newest week.
        hindsight: no version was published by then; see `as_known.Known`.
    """

    table: DatasetRef
    sources: tuple[str, ...]
    newest: date
    hindsight: bool


def name(room: ModuleType) -> str:
    """The table of past days that belongs to a use case's feature table."""
    return f"{room.TABLE}_as_of"


def write(settings: Settings, room: ModuleType, day: date) -> AsOf:
    """Compute the features from what was known on a day, in place of that day's rows.

    The table has the columns of the feature table and `as_of` (the day); it holds every day that
    was asked for. The feature table itself and the online store stay as they are.

    Args:
        room: `feature_repo/<use case>_weekly.py`.

    Raises:
        TerminalError: nothing is published, or too little had happened by then.
    """
    import polars as pl

    known = as_known.known(settings, room, day)
    rows = room.weekly_features(known.tables).select(pl.lit(day).alias("as_of"), pl.all())
    newest = rows["event_timestamp"].max().date()
    same = f"as_of = DATE '{day}'"
    made = delta.replace(settings.lake, ZONE, name(room), rows.to_arrow(), same, known.refs)
    return AsOf(
        made.model_copy(update={"rows": len(rows)}), known.refs, newest, known.hindsight
    )
