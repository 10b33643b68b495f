"""The nowcast of all districts, kept as a Delta table beside the forecasts."""

from __future__ import annotations

from datetime import date, timedelta
from types import ModuleType
from typing import TYPE_CHECKING, Any

from yupana.config.settings import Settings
from yupana.data import delta, history
from yupana.features import as_known, nowcast, reporting

if TYPE_CHECKING:
    import polars as pl

LEVELS = (0.025, 0.1, 0.5, 0.9, 0.975)
"""Median, and the ends of the 80 % and 95 % intervals."""


def make(settings: Settings, use_case: str, room: ModuleType, day: date) -> dict[str, Any]:
    """Nowcast the newest weeks of every district from what was known on a day.

    Args:
        room: `feature_repo/<use case>_weekly.py`.
        day: later publications, and weeks that ended later, are not seen.

    Returns:
        `nowcast` (reference of the table's version), `sources` (references), `known_on` (ISO
        date of the publication), `evidence`, `hindsight`, `weeks_followed`, `districts`, and
        `weeks`: by first day, sums of all districts: `reported`, `expected` (reported over
        completeness) and `completeness`.

    Raises:
        TerminalError: nothing is published.
    """
    known = as_known.tables(settings, (room.REPORTED,), day)
    _, name, version = delta.parts(known.refs[0])
    table = settings.table("published", name)
    publication = history.at_version(table, version)
    delays = nowcast.NO_EVIDENCE if known.hindsight else reporting.learned(table, version)
    told_on = day if known.hindsight else publication.known_on
    rows = told(known.tables[name], delays, told_on)
    same = f"known_on = DATE '{told_on}'"
    name = f"{use_case}_nowcast"
    written = delta.replace(
        settings.lake, "forecasts", name, rows.to_arrow(), same, (known.refs[0],)
    )
    return {
        "nowcast": written.ref,
        "sources": known.refs,
        "known_on": told_on.isoformat(),
        "evidence": delays.evidence,
        "hindsight": known.hindsight,
        "weeks_followed": delays.weeks,
        "districts": rows["ubigeo"].n_unique(),
        "weeks": _sums(rows),
    }


def told(cases: pl.DataFrame, delays: nowcast.Delays, known_on: date) -> pl.DataFrame:
    """A row a district and week, the newest `LAST` weeks of the table.

    Args:
        cases: `ubigeo`, `week_start`, `cases`.
        known_on: day of their publication.

    Returns:
        `known_on`, `ubigeo`, `week_start`, `delay` (weeks), `reported` (cases), `completeness`
        (0-1), `evidence`, `q0.025` … `q0.975` (cases).
    """
    import polars as pl

    counts = cases.group_by("ubigeo", "week_start").agg(pl.sum("cases").cast(pl.Int64))
    newest: date = counts["week_start"].max()  # type: ignore[assignment]
    districts = counts.select(pl.col("ubigeo").unique().sort())
    made = []
    for ago in range(nowcast.LAST):
        week = newest - timedelta(weeks=ago)
        mine = counts.filter(pl.col("week_start") == week)
        frame = districts.join(mine, on="ubigeo", how="left").sort("ubigeo")
        reported = frame["cases"].fill_null(0)
        delay = reporting.delay(week, known_on)
        quantiles = nowcast.quantiles(reported.to_list(), delay, delays, LEVELS)
        made.append(
            frame.select(
                pl.lit(known_on).alias("known_on"), "ubigeo", pl.lit(week).alias("week_start"),
                pl.lit(delay, dtype=pl.Int64).alias("delay"), reported.alias("reported"),
                pl.lit(delays.share(delay)).alias("completeness"),
                pl.lit(delays.evidence).alias("evidence"),
                *(pl.Series(f"q{level:g}", quantiles[:, i]) for i, level in enumerate(LEVELS)),
            )
        )  # fmt: skip
    return pl.concat(made)


def _sums(rows: pl.DataFrame) -> dict[str, dict[str, float]]:
    """Of all districts by week, newest first; medians are not added, expected counts are."""
    import polars as pl

    by_week = rows.group_by("week_start", "completeness").agg(pl.sum("reported"))
    return {
        str(row["week_start"]): {
            "reported": row["reported"],
            "expected": round(row["reported"] / row["completeness"], 1),
            "completeness": round(row["completeness"], 3),
        }
        for row in by_week.sort("week_start", descending=True).iter_rows(named=True)
    }
