"""What a weekly check reads: features and cases as they were known, and what was forecast."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError
from yupana.data import delta, reading
from yupana.features import as_known

if TYPE_CHECKING:
    import polars as pl

WEEKS = 110
"""Weeks of features that are looked at: two years and the longest lag."""

_SATURDAY = timedelta(days=6)


@dataclass(frozen=True)
class Known:
    """What was known on a day.

    Attributes:
        week: Saturday that ends the newest week of the features.
        features: `ubigeo`, `week` and the features of the last `WEEKS` weeks, each as it was
            known when it was the newest, where a version of that time is still there.
        as_known: how many of these weeks are of such a version; the others are of the newest.
        forecasts: rows of `forecasts/<use case>` with origins up to `week`; None without any.
        truth: `ubigeo`, `week`, `cases` of the weeks that are fully reported.
        unfinished: Saturdays of weeks that are still being reported.
        refs: references of the tables that were read.
    """

    week: date
    features: pl.DataFrame
    as_known: int
    forecasts: pl.DataFrame | None
    truth: pl.DataFrame
    unfinished: tuple[date, ...]
    refs: tuple[str, ...]


def read(
    settings: Settings, use_case: str, room: ModuleType, day: date, version: int | None = None
) -> Known:
    """Everything that the checks of the newest week by a day need.

    Args:
        room: `feature_repo/<use case>_weekly.py`.
        day: weeks that ended later, and versions that were published later, are not seen.
        version: of the feature table, that was made from what was known on the day; None where
            none was, and the newest stands for it (`seen.Seen`).

    Raises:
        TerminalError: there are no features by that day.
    """
    import polars as pl

    table = settings.table("features", room.TABLE)
    newest = _weekly(delta.read(table, version)).filter(pl.col("week") <= day)
    if newest.is_empty():
        raise TerminalError(
            f"No week of features had ended by {day}.",
            where=str(table),
            fix=f"Run `yupana features {use_case}`, or ask for a later day.",
        )
    week: date = newest["week"].max()  # type: ignore[assignment]
    recent = newest.filter(pl.col("week") > week - timedelta(weeks=WEEKS))
    then = _then(table, recent["week"].min(), week, version)  # type: ignore[arg-type]
    features = pl.concat(
        [then, recent.join(then, on="week", how="anti")], how="diagonal_relaxed"
    ).sort("ubigeo", "week")  # fmt: skip
    truth, unfinished, sources = _truth(settings, room, day)
    return Known(
        week, features, then["week"].n_unique(), _forecasts(settings, use_case, week), truth,
        unfinished, sources,
    )  # fmt: skip


def _weekly(rows: pl.DataFrame) -> pl.DataFrame:
    import polars as pl

    return rows.with_columns(pl.col("event_timestamp").dt.date().alias("week")).drop(
        "event_timestamp"
    )


def _then(table: Path, first: date, last: date, upto: int | None) -> pl.DataFrame:
    """The rows of each week from the oldest version in which it was the newest week.

    Args:
        upto: later versions are not looked at; None looks at all.
    """
    import polars as pl
    from deltalake import DeltaTable
    from deltalake.exceptions import DeltaError

    found: dict[date, pl.DataFrame] = {}
    loaded = DeltaTable(str(table), version=upto)
    empty = _weekly(reading.frame(loaded).head(0))
    for version in range(loaded.version(), -1, -1):
        try:
            rows = _newest_week(DeltaTable(str(table), version=version))
        except (OSError, DeltaError):
            break  # from here back, old versions were cleaned away
        if rows is None:
            continue
        week = rows["week"][0]
        if first <= week <= last:
            found[week] = rows
        if week < first:
            break
    return pl.concat([empty, *found.values()], how="diagonal_relaxed")


def _newest_week(loaded: Any) -> pl.DataFrame | None:
    import polars as pl
    import pyarrow.compute as pc

    rows = reading.dataset(loaded)
    moments = rows.to_table(columns=["event_timestamp"])["event_timestamp"]
    if not len(moments):
        return None
    wanted = pc.field("event_timestamp") == pc.max(moments)
    return _weekly(pl.DataFrame(pl.from_arrow(rows.to_table(filter=wanted))))


def _truth(
    settings: Settings, room: ModuleType, day: date
) -> tuple[pl.DataFrame, tuple[date, ...], tuple[str, ...]]:
    """Cases of every district and week that is fully reported, 0 where none was."""
    import polars as pl

    known = as_known.known(settings, room, day)
    cases = known.tables[room.REPORTED].group_by("ubigeo", "week_start").agg(pl.sum("cases"))
    shares = known.tables.get(room.REPORTING)
    partly = [] if shares is None else [w + _SATURDAY for w in shares["week_start"].to_list()]
    weeks = cases.select((pl.col("week_start") + _SATURDAY).unique().alias("week"))
    grid = cases.select(pl.col("ubigeo").unique()).join(weeks, how="cross")
    full = (
        grid.join(cases.with_columns(week=pl.col("week_start") + _SATURDAY), how="left",
                  on=["ubigeo", "week"])
        .select("ubigeo", "week", pl.col("cases").fill_null(0).cast(pl.Float64))
        .filter(~pl.col("week").is_in(partly))
    )  # fmt: skip
    return full, tuple(sorted(partly)), known.refs


def _forecasts(settings: Settings, use_case: str, week: date) -> pl.DataFrame | None:
    import polars as pl

    table = settings.table("forecasts", use_case)
    if not delta.exists(table):
        return None
    found = delta.read(table).filter(pl.col("origin") <= week)
    return None if found.is_empty() else found
