"""The areas that a backtest is asked for: departments of Peru or all of it, and their counts."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from yupana.core.errors import TerminalError, UsageError
from yupana.data.national import areas as national
from yupana.data.national import places

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Counts:
    """Counts of the entities of one area.

    Attributes:
        counts: `entity`, the period's first day, `cases`; periods without a case are absent.
        last: first day of the last period that the files know of, in any area.
        left_out: rows of the area without an entity or a period that exists.
    """

    counts: pl.DataFrame
    last: date
    left_out: int


def department(name: str, option: str = "--department") -> tuple[str, str]:
    """INEI's two digits and the plain name of a department.

    Args:
        option: that it was given by, for errors.

    Raises:
        UsageError: there is no such department; the message lists near names.
    """
    listed = places.ubigeos().items()
    codes = {place[0]: national.area(code, "department") for place, code in listed}
    plain = places.plain_name(name)
    if plain not in codes:
        near = difflib.get_close_matches(plain, codes, n=4, cutoff=0.5) or sorted(codes)
        raise UsageError(
            f"There is no department '{name}'.",
            where=option,
            fix=f"Use one of: {', '.join(near)}.",
        )
    return codes[plain], plain


def area(name: str, option: str) -> tuple[str, str]:
    """As `department`; the country, too, whose code is empty.

    Raises:
        UsageError: there is no such area.
    """
    if places.plain_name(name) == national.COUNTRY:
        return "", national.COUNTRY
    return department(name, option)


def published(
    table: pl.DataFrame, period: str, code: str, area: str, where: str, *, today: date
) -> Counts:
    """An area's counts from the published table, whose rows were checked when it was ingested.

    Args:
        table: `entity`, the period's first day, `cases`.
        period: column of the first day.
        code: first digits of the area's entities.
        where: name of the table, for errors.
        today: periods that start later are refused.

    Raises:
        TerminalError: no row of the area, or a period in the future.
    """
    import polars as pl

    rows = table.filter(pl.col("entity").str.starts_with(code))
    future = rows.filter(pl.col(period) > today)
    if rows.is_empty() or len(future):
        what = "cases of periods that have not begun" if len(future) else "no case"
        raise TerminalError(
            f"The published table has {what} of {area}.",
            where=where,
            fix="Ingest a corrected file, or give files with --cases.",
        )
    counts = rows.group_by("entity", period).agg(pl.sum("cases"))
    last = newest(table.filter(pl.col(period) <= today)[period])
    return Counts(counts.sort("entity", period), last, 0)


def newest(periods: pl.Series) -> date:
    """The last of some first days."""
    last = periods.max()
    assert isinstance(last, date)
    return last
