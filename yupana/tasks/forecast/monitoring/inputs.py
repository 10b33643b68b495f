"""What a run of the monitor reads: features and cases as they were known, and what was forecast."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError
from yupana.data.lake import delta, reading
from yupana.tasks.forecast.dataset import vintage
from yupana.tasks.forecast.entities import inward
from yupana.tasks.forecast.usecases import REPORTING, ForecastUseCase

if TYPE_CHECKING:
    import polars as pl

WEEKS = 110
"""Weeks of features that are looked at: two years and the longest lag."""


@dataclass(frozen=True)
class Snapshot:
    """What was known on a day.

    Attributes:
        week: Saturday that ends the newest week of the features.
        features: `entity`, `week` and the features of the last `WEEKS` weeks, each as it was
            known when it was the newest, where a version of that time is still there.
        as_known: how many of these weeks are of such a version; the others are of the newest.
        forecasts: rows of `forecasts/<use case>` with origins up to `week`; None without any.
        truth: `entity`, `week`, `cases` of the weeks that are fully reported.
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
    settings: Settings, use_case: str, definition: ForecastUseCase, day: date,
    version: int | None = None
) -> Snapshot:
    """Everything that the checks of the newest week by a day need.

    Args:
        definition: the use case.
        day: weeks that ended later, and versions that were published later, are not seen.
        version: of the feature table, that was made from what was known on the day; None where
            none was, and the newest stands for it (`kind.Inputs`).

    Raises:
        TerminalError: there are no features by that day.
    """
    import polars as pl

    key = definition.spec.entity.key
    table = settings.table("features", definition.spec.features.table)
    newest = _weekly(delta.read(table, version), key).filter(pl.col("week") <= day)
    if newest.is_empty():
        raise TerminalError(
            f"No week of features had ended by {day}.",
            where=str(table),
            fix=f"Run `yupana features {use_case}`, or ask for a later day.",
        )
    week: date = newest["week"].max()  # type: ignore[assignment]
    oldest = week - timedelta(days=WEEKS * definition.frequency.days)
    recent = newest.filter(pl.col("week") > oldest)
    then = _then(table, key, recent["week"].min(), week, version)  # type: ignore[arg-type]
    features = pl.concat(
        [then, recent.join(then, on="week", how="anti")], how="diagonal_relaxed"
    ).sort("entity", "week")  # fmt: skip
    truth, unfinished, sources = _truth(settings, definition, day)
    return Snapshot(
        week, features, then["week"].n_unique(), _forecasts(settings, definition, week), truth,
        unfinished, sources,
    )  # fmt: skip


def _weekly(rows: pl.DataFrame, key: str) -> pl.DataFrame:
    import polars as pl

    return inward(rows, key).with_columns(pl.col("event_timestamp").dt.date().alias("week")).drop(
        "event_timestamp"
    )


def _then(table: Path, key: str, first: date, last: date, upto: int | None) -> pl.DataFrame:
    """The rows of each week from the oldest version in which it was the newest week.

    Args:
        upto: later versions are not looked at; None looks at all.
    """
    import polars as pl
    from deltalake import DeltaTable
    from deltalake.exceptions import DeltaError

    by_week: dict[date, pl.DataFrame] = {}
    loaded = DeltaTable(str(table), version=upto)
    empty = _weekly(reading.frame(loaded).head(0), key)
    for version in range(loaded.version(), -1, -1):
        try:
            rows = _newest_week(DeltaTable(str(table), version=version), key)
        except (OSError, DeltaError):
            break  # from here back, old versions were cleaned away
        if rows is None:
            continue
        week = rows["week"][0]
        if first <= week <= last:
            by_week[week] = rows
        if week < first:
            break
    return pl.concat([empty, *by_week.values()], how="diagonal_relaxed")


def _newest_week(loaded: Any, key: str) -> pl.DataFrame | None:
    import polars as pl
    import pyarrow.compute as pc

    rows = reading.dataset(loaded)
    moments = rows.to_table(columns=["event_timestamp"])["event_timestamp"]
    if not len(moments):
        return None
    newest = pc.field("event_timestamp") == pc.max(moments)
    return _weekly(pl.DataFrame(pl.from_arrow(rows.to_table(filter=newest))), key)


def _truth(
    settings: Settings, definition: ForecastUseCase, day: date
) -> tuple[pl.DataFrame, tuple[date, ...], tuple[str, ...]]:
    """Cases of every district and week that is fully reported, 0 where none was."""
    import polars as pl

    sources = vintage.on_day(settings, definition, day)
    keys = ["entity", definition.frequency.column]
    cases = sources.tables[definition.counted].group_by(keys).agg(pl.sum("cases"))
    shares = sources.tables.get(REPORTING)
    period = definition.frequency
    end = period.end_of(pl.col(period.column)).dt.date().alias("week")
    partly = [] if shares is None else shares.select(end)["week"].to_list()
    weeks = cases.select(end.unique())
    grid = cases.select(pl.col("entity").unique()).join(weeks, how="cross")
    full = (
        grid.join(cases.with_columns(end), how="left",
                  on=["entity", "week"])
        .select("entity", "week", pl.col("cases").fill_null(0).cast(pl.Float64))
        .filter(~pl.col("week").is_in(partly))
    )  # fmt: skip
    return full, tuple(sorted(partly)), sources.refs


def _forecasts(
    settings: Settings, definition: ForecastUseCase, week: date
) -> pl.DataFrame | None:
    import polars as pl

    table = settings.table("forecasts", definition.spec.name)
    if not delta.exists(table):
        return None
    rows = delta.read(table).filter(pl.col("origin") <= week)
    return None if rows.is_empty() else inward(rows, definition.spec.entity.key)
