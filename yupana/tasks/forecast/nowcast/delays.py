"""When cases became known, read from the published versions of their table."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from yupana.data.lake import history, reading
from yupana.data.lake.history import Publication
from yupana.tasks.forecast.frequency import Frequency
from yupana.tasks.forecast.nowcast import nowcast

if TYPE_CHECKING:
    import polars as pl

    from yupana.tasks.forecast.usecases import ForecastUseCase


def delay(start: date, known_on: date, frequency: Frequency) -> int:
    """Periods that ended after the one that begins on a day and by that of a publication; 0 or
    more."""
    return max(0, frequency.between(start, frequency.ended(known_on)))


def learned(table: Path, version: int, definition: ForecastUseCase) -> nowcast.Delays:
    """The reporting delays that were known with a version of a table of cases.

    Versions whose files were cleaned away are passed over.

    Args:
        table: published, as the use case counts it.
    """
    frequency = definition.frequency
    publications = regular(table, version, frequency)
    if len(publications) <= nowcast.LAST:
        return nowcast.NO_EVIDENCE
    young = ((p, _young(table, p, definition)) for p in publications)
    reports = [(p, rows) for p, rows in young if rows is not None]
    return nowcast.learn(_reports(reports, frequency)) if reports else nowcast.NO_EVIDENCE


def shares(delays: nowcast.Delays, known_on: date, frequency: Frequency) -> pl.DataFrame:
    """First day and `completeness` of the periods that a publication knows in part."""
    import polars as pl

    rows = [
        (start, delays.share(delay(start, known_on, frequency)))
        for start in ended(known_on, frequency)
    ]
    return pl.DataFrame(
        [row for row in rows if row[1] < 1],
        schema={frequency.column: pl.Date, "completeness": pl.Float64},
        orient="row",
    )


def regular(table: Path, version: int, frequency: Frequency) -> list[Publication]:
    """The publications up to a version, the newest of each period back from it, newest first.

    One that came after it, late, is not among them: what is learned with a version stays the same.
    """
    end = history.at_version(table, version)
    newest: dict[int, Publication] = {}
    for p in history.published_versions(table):
        if p.known_on <= end.known_on and p.version <= end.version:
            newest[int((end.known_on - p.known_on).days // frequency.days)] = p
    # A year, and the delay of its first periods.
    return [newest[n] for n in sorted(newest) if n < frequency.year + nowcast.LAST]


def ended(day: date, frequency: Frequency) -> list[date]:
    """First days of the periods that ended up to `LAST` periods before a day, newest first."""
    newest = frequency.ended(day)
    return [frequency.shift(newest, -n) for n in range(nowcast.LAST + 1)]


def _young(
    table: Path, publication: Publication, definition: ForecastUseCase
) -> pl.DataFrame | None:
    """Cases by district of the periods that were young at a publication; None if it is gone."""
    import polars as pl
    import pyarrow.compute as pc
    from deltalake import DeltaTable

    frequency = definition.frequency
    starts, column = ended(publication.known_on, frequency), frequency.column
    rows = reading.dataset(DeltaTable(table, version=publication.tidy_version))
    among = (pc.field(column) >= starts[-1]) & (pc.field(column) <= starts[0])
    try:
        young = rows.to_table(filter=among)
    except FileNotFoundError:
        return None
    counts = definition.series(pl.DataFrame(pl.from_arrow(young)))
    return counts.group_by("entity", column).agg(pl.sum("cases"))


def _reports(
    reports: list[tuple[Publication, pl.DataFrame]], frequency: Frequency
) -> pl.DataFrame:
    """As for `nowcast.triangle`: a district that a publication does not name yet has a zero."""
    import polars as pl

    districts = pl.concat([rows.select("entity") for _, rows in reports]).unique()
    frames = []
    for publication, rows in reports:
        starts = ended(publication.known_on, frequency)
        cells = pl.DataFrame({"period": starts, "delay": range(len(starts))})
        full = districts.join(cells, how="cross")
        mine = rows.rename({frequency.column: "period"})
        frames.append(full.join(mine, on=["entity", "period"], how="left"))
    return pl.concat(frames).with_columns(pl.col("cases").fill_null(0))
