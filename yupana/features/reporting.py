"""When cases became known, read from the published versions of their table."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from yupana.data import history, reading
from yupana.data.history import Publication
from yupana.features import nowcast

if TYPE_CHECKING:
    import polars as pl

PERIOD = timedelta(weeks=1)
PERIODS = 60
"""Weekly publications that are looked at: a year, and the delay of its first weeks."""


def delay(week_start: date, known_on: date) -> int:
    """Whole weeks from a week's end (Saturday) to the day of a publication, 0 or more."""
    return max(0, (known_on - week_start).days - 6) // PERIOD.days


def learned(table: Path, version: int) -> nowcast.Delays:
    """The reporting delays that were known with a version of a table of weekly cases.

    Versions whose files were cleaned away are passed over.

    Args:
        table: published, with `ubigeo`, `week_start`, `cases`.
    """
    publications = weekly(table, version)
    if len(publications) <= nowcast.LAST:
        return nowcast.NO_EVIDENCE
    seen = [(p, rows) for p in publications if (rows := _young(table, p)) is not None]
    return nowcast.learn(_reports(seen)) if seen else nowcast.NO_EVIDENCE


def shares(delays: nowcast.Delays, known_on: date) -> pl.DataFrame:
    """`week_start` and `completeness` of the weeks that a publication knows in part."""
    import polars as pl

    found = [(w, delays.share(delay(w, known_on))) for w in ended(known_on)]
    return pl.DataFrame(
        [row for row in found if row[1] < 1],
        schema={"week_start": pl.Date, "completeness": pl.Float64},
        orient="row",
    )


def weekly(table: Path, version: int) -> list[Publication]:
    """The publications up to a version, the newest of each week back from it, newest first.

    One that came after it, late, is not among them: what is learned with a version stays the same.
    """
    end = history.at_version(table, version)
    newest: dict[int, Publication] = {}
    for p in history.published_versions(table):
        if p.known_on <= end.known_on and p.version <= end.version:
            newest[(end.known_on - p.known_on).days // PERIOD.days] = p
    return [newest[n] for n in sorted(newest) if n < PERIODS]


def ended(day: date) -> list[date]:
    """First days of the weeks that ended up to `LAST` weeks before a day, newest first."""
    saturday = day - timedelta(days=(day.weekday() + 2) % 7)
    return [saturday - timedelta(days=6) - n * PERIOD for n in range(nowcast.LAST + 1)]


def _young(table: Path, publication: Publication) -> pl.DataFrame | None:
    """Cases by district of the weeks that were young at a publication; None if it is gone."""
    import polars as pl
    import pyarrow.compute as pc
    from deltalake import DeltaTable

    weeks = ended(publication.known_on)
    rows = reading.dataset(DeltaTable(table, version=publication.tidy_version))
    among = (pc.field("week_start") >= weeks[-1]) & (pc.field("week_start") <= weeks[0])
    try:
        found = rows.to_table(columns=["ubigeo", "week_start", "cases"], filter=among)
    except FileNotFoundError:
        return None
    return pl.DataFrame(pl.from_arrow(found)).group_by("ubigeo", "week_start").agg(pl.sum("cases"))


def _reports(seen: list[tuple[Publication, pl.DataFrame]]) -> pl.DataFrame:
    """As for `nowcast.triangle`: a district that a publication does not name yet has a zero."""
    import polars as pl

    districts = pl.concat([rows.select("ubigeo") for _, rows in seen]).unique()
    found = []
    for publication, rows in seen:
        weeks = ended(publication.known_on)
        cells = pl.DataFrame({"week_start": weeks, "delay": range(len(weeks))})
        full = districts.join(cells, how="cross")
        found.append(full.join(rows, on=["ubigeo", "week_start"], how="left"))
    return pl.concat(found).with_columns(pl.col("cases").fill_null(0))
