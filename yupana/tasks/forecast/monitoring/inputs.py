"""What a run of the monitor reads: features and cases as they were known, and what was forecast."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from yupana.config.settings import Settings
from yupana.core.errors import TerminalError
from yupana.data.lake import delta, reading
from yupana.tasks.forecast.checks.invariants import reach
from yupana.tasks.forecast.dataset import vintage
from yupana.tasks.forecast.entities import inward
from yupana.tasks.forecast.usecases import REPORTING, ForecastUseCase

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Snapshot:
    """What was known on a day.

    Attributes:
        end: day that ends the newest period of the features.
        features: `entity`, `end` and the features of the periods that `invariants.reach` asks
            for, each as it was known when it was the newest, where a version of that time is
            still there.
        as_known: how many of these periods are of such a version; the others are of the newest.
        forecasts: rows of `forecasts/<use case>` with origins up to `end`; None without any.
        truth: `entity`, `end`, `cases` of the periods that are fully reported.
        unfinished: days that end the periods that are still being reported.
        refs: references of the tables that were read.
    """

    end: date
    features: pl.DataFrame
    as_known: int
    forecasts: pl.DataFrame | None
    truth: pl.DataFrame
    unfinished: tuple[date, ...]
    refs: tuple[str, ...]


def read(
    settings: Settings, definition: ForecastUseCase, day: date, model: str,
    version: int | None = None
) -> Snapshot:
    """Everything that the checks of the newest period by a day need.

    Args:
        definition: the use case.
        day: periods that ended later, and versions that were published later, are not seen.
        model: that answers: where several have forecast from an origin, its forecasts count.
        version: of the feature table, that was made from what was known on the day; None where
            none was, and the newest stands for it (`kind.Inputs`).

    Raises:
        TerminalError: there are no features by that day.
    """
    import polars as pl

    key = definition.spec.entity.key
    table = settings.table("features", definition.spec.features.table)
    newest = _by_end(delta.read(table, version), key).filter(pl.col("end") <= day)
    if newest.is_empty():
        raise TerminalError(
            f"No {definition.frequency.name} of features had ended by {day}.",
            where=str(table),
            fix=f"Run `yupana features {definition.spec.name}`, or ask for a later day.",
        )
    end: date = newest["end"].max()  # type: ignore[assignment]
    before = definition.frequency.ahead(end, -reach(definition.invariants()))
    recent = newest.filter(pl.col("end") > before)
    then = _then(table, key, recent["end"].min(), end, version)  # type: ignore[arg-type]
    features = pl.concat(
        [then, recent.join(then, on="end", how="anti")], how="diagonal_relaxed"
    ).sort("entity", "end")  # fmt: skip
    truth, unfinished, sources = _truth(settings, definition, day)
    return Snapshot(
        end, features, then["end"].n_unique(), _forecasts(settings, definition, end, model),
        truth, unfinished, sources,
    )  # fmt: skip


def _by_end(rows: pl.DataFrame, key: str) -> pl.DataFrame:
    import polars as pl

    ends = pl.col("event_timestamp").dt.date().alias("end")
    return inward(rows, key).with_columns(ends).drop("event_timestamp")


def _then(table: Path, key: str, first: date, last: date, upto: int | None) -> pl.DataFrame:
    """The rows of each period from the oldest version in which it was the newest.

    Args:
        upto: later versions are not looked at; None looks at all.
    """
    import polars as pl
    from deltalake import DeltaTable
    from deltalake.exceptions import DeltaError

    by_end: dict[date, pl.DataFrame] = {}
    loaded = DeltaTable(str(table), version=upto)
    empty = _by_end(reading.frame(loaded).head(0), key)
    for version in range(loaded.version(), -1, -1):
        try:
            rows = _newest_period(DeltaTable(str(table), version=version), key)
        except (OSError, DeltaError):
            break  # from here back, old versions were cleaned away
        if rows is None:
            continue
        end = rows["end"][0]
        if first <= end <= last:
            by_end[end] = rows
        if end < first:
            break
    return pl.concat([empty, *by_end.values()], how="diagonal_relaxed")


def _newest_period(loaded: Any, key: str) -> pl.DataFrame | None:
    import polars as pl
    import pyarrow.compute as pc

    rows = reading.dataset(loaded)
    moments = rows.to_table(columns=["event_timestamp"])["event_timestamp"]
    if not len(moments):
        return None
    newest = pc.field("event_timestamp") == pc.max(moments)
    return _by_end(pl.DataFrame(pl.from_arrow(rows.to_table(filter=newest))), key)


def _truth(
    settings: Settings, definition: ForecastUseCase, day: date
) -> tuple[pl.DataFrame, tuple[date, ...], tuple[str, ...]]:
    """Cases of every district and period that is fully reported, 0 where none was."""
    import polars as pl

    sources = vintage.on_day(settings, definition, day)
    keys = ["entity", definition.frequency.column]
    cases = sources.tables[definition.counted].group_by(keys).agg(pl.sum("cases"))
    shares = sources.tables.get(REPORTING)
    period = definition.frequency
    end = period.end_of(pl.col(period.column)).dt.date().alias("end")
    partly = [] if shares is None else shares.select(end)["end"].to_list()
    grid = cases.select(pl.col("entity").unique()).join(cases.select(end.unique()), how="cross")
    full = (
        grid.join(cases.with_columns(end), how="left", on=["entity", "end"])
        .select("entity", "end", pl.col("cases").fill_null(0).cast(pl.Float64))
        .filter(~pl.col("end").is_in(partly))
    )
    return full, tuple(sorted(partly)), sources.refs


def _forecasts(
    settings: Settings, definition: ForecastUseCase, end: date, model: str
) -> pl.DataFrame | None:
    """The forecasts up to a period, those of the model last: of an origin the last ones count."""
    import polars as pl

    table = settings.table("forecasts", definition.spec.name)
    if not delta.exists(table):
        return None
    rows = delta.read(table).filter(pl.col("origin") <= end)
    rows = rows.sort(pl.col("model") == model, maintain_order=True)
    return None if rows.is_empty() else inward(rows, definition.spec.entity.key)
