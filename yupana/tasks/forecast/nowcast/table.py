"""The nowcast of all districts, kept as a Delta table beside the forecasts."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from yupana.config.settings import Settings
from yupana.data.lake import delta, history
from yupana.tasks.forecast.dataset import vintage
from yupana.tasks.forecast.entities import outward
from yupana.tasks.forecast.frequency import Frequency
from yupana.tasks.forecast.nowcast import delays as reporting
from yupana.tasks.forecast.nowcast import nowcast
from yupana.tasks.forecast.usecases import ForecastUseCase

if TYPE_CHECKING:
    import polars as pl

LEVELS = (0.025, 0.1, 0.5, 0.9, 0.975)
"""Median, and the ends of the 80 % and 95 % intervals."""


def make(
    settings: Settings, use_case: str, definition: ForecastUseCase, day: date
) -> dict[str, Any]:
    """Nowcast the newest periods of every district from what was known on a day.

    Args:
        definition: the use case.
        day: later publications, and periods that ended later, are not seen.

    Returns:
        `nowcast` (reference of the table's version), `sources` (references), `known_on` (ISO
        date of the publication), `evidence`, `hindsight`, `weeks_followed`, `districts`, and
        `weeks`: by first day, sums of all districts: `reported`, `expected` (reported over
        completeness) and `completeness`.

    Raises:
        TerminalError: nothing is published.
    """
    snapshot = vintage.tables(settings, definition, (definition.spec.data.late,), day)
    _, name, version = delta.parts(snapshot.refs[0])
    table = settings.table("published", name)
    publication = history.at_version(table, version)
    delays = nowcast.NO_EVIDENCE if snapshot.hindsight else reporting.learned(
        table, version, definition
    )
    told_on = day if snapshot.hindsight else publication.known_on
    rows = by_district(snapshot.tables[name], delays, told_on, definition.frequency)
    same = f"known_on = DATE '{told_on}'"
    name = f"{use_case}_nowcast"
    stored = outward(rows, definition.spec.entity.key).to_arrow()
    ref = delta.replace(settings.lake, "forecasts", name, stored, same, (snapshot.refs[0],))
    return {
        "nowcast": ref.ref,
        "sources": snapshot.refs,
        "known_on": told_on.isoformat(),
        "evidence": delays.evidence,
        "hindsight": snapshot.hindsight,
        "weeks_followed": delays.weeks,
        "districts": rows["entity"].n_unique(),
        "weeks": _sums(rows, definition.frequency.column),
    }


def by_district(
    cases: pl.DataFrame, delays: nowcast.Delays, known_on: date, frequency: Frequency
) -> pl.DataFrame:
    """A row a district and period, the newest `LAST` weeks of the table.

    Args:
        cases: `entity`, the period's first day, `cases`.
        known_on: day of their publication.

    Returns:
        `known_on`, `entity`, the period's first day, `delay` (periods), `reported` (cases),
        `completeness` (0-1), `evidence`, `q0.025` … `q0.975` (cases).
    """
    import polars as pl

    column = frequency.column
    counts = cases.group_by("entity", column).agg(pl.sum("cases").cast(pl.Int64))
    newest: date = counts[column].max()  # type: ignore[assignment]
    districts = counts.select(pl.col("entity").unique().sort())
    frames = []
    for ago in range(nowcast.LAST):
        start = frequency.shift(newest, -ago)
        mine = counts.filter(pl.col(column) == start)
        frame = districts.join(mine, on="entity", how="left").sort("entity")
        reported = frame["cases"].fill_null(0)
        delay = reporting.delay(start, known_on, frequency)
        quantiles = nowcast.quantiles(reported.to_list(), delay, delays, LEVELS)
        frames.append(
            frame.select(
                pl.lit(known_on).alias("known_on"), "entity", pl.lit(start).alias(column),
                pl.lit(delay, dtype=pl.Int64).alias("delay"), reported.alias("reported"),
                pl.lit(delays.share(delay)).alias("completeness"),
                pl.lit(delays.evidence).alias("evidence"),
                *(pl.Series(f"q{level:g}", quantiles[:, i]) for i, level in enumerate(LEVELS)),
            )
        )  # fmt: skip
    return pl.concat(frames)


def _sums(rows: pl.DataFrame, column: str) -> dict[str, dict[str, float]]:
    """Of all districts by period, newest first; medians are not added, expected counts are."""
    import polars as pl

    by_period = rows.group_by(column, "completeness").agg(pl.sum("reported"))
    return {
        str(row[column]): {
            "reported": row["reported"],
            "expected": round(row["reported"] / row["completeness"], 1),
            "completeness": round(row["completeness"], 3),
        }
        for row in by_period.sort(column, descending=True).iter_rows(named=True)
    }
