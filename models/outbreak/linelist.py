"""Weekly counts by district from line lists as the agency publishes them, without a JVM.

Columns, names and the share of rows that may be at fault are those of the contract
`expectations/dengue_linelist`; years beyond its range are welcome, since a backtest is asked
about data that was never ingested.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from models.outbreak import linelist_rows
from models.outbreak.linelist_rows import CONTRACT
from yupana.core.errors import TerminalError, UsageError
from yupana.data.contracts import contract
from yupana.data.national import areas as national
from yupana.tasks.forecast.backtest import areas
from yupana.tasks.forecast.backtest.areas import Counts
from yupana.tasks.forecast.entities import ENTITY

if TYPE_CHECKING:
    import polars as pl


def read(
    files: Sequence[Path], department: str, root: Path, *, today: date, say: Callable[[str], None]
) -> Counts:
    """Join line lists and count the cases of one department, or all, by district and week.

    Args:
        files: CSV, plain or gzip, in the published schema.
        department: its plain name; `national.COUNTRY` for all.
        root: the project's folder (contract and reviewed spellings).
        today: weeks that start later are refused.
        say: told of rows that were left out.

    Raises:
        UsageError: a file is missing, lacks a column or a row, or repeats another.
        TerminalError: no row of the department, a week in the future, or more rows than the
            contract's limit without a district or week that exists.
    """
    import polars as pl

    rows = pl.concat([linelist_rows.read(path, i, root) for i, path in enumerate(files)])
    of_area = pl.lit(True) if department == national.COUNTRY else pl.col("department") == department
    mine = rows.filter(of_area)
    if mine.is_empty():
        there = sorted(d for d in rows["department"].unique() if d)
        raise TerminalError(
            f"There is no case of {department}.",
            where=", ".join(map(str, files)),
            fix=f"Use one of the departments that are there: {', '.join(map(str, there))}.",
        )
    future = mine.filter(pl.col("week_start") > today)
    if len(future):
        what = f"{len(future):,} rows are of weeks that have not begun on {today}."
        raise linelist_rows.fault(future, what, "week", root)
    good = _without_faults(mine, root, say)
    _refuse_repeats(good)
    last = rows.filter(pl.col("fault").is_null() & (pl.col("week_start") <= today))["week_start"]
    counts = good.group_by(pl.col("ubigeo").alias(ENTITY), "week_start").agg(pl.sum("cases"))
    return Counts(counts.sort(ENTITY, "week_start"), areas.newest(last), len(mine) - len(good))


def _without_faults(rows: pl.DataFrame, root: Path, say: Callable[[str], None]) -> pl.DataFrame:
    import polars as pl

    broken = rows.filter(pl.col("fault").is_not_null())
    if broken.is_empty():
        return rows
    what = f"{len(broken):,} of {len(rows):,} rows name no district, week or case that exists."
    error = linelist_rows.fault(broken, what, str(broken["fault"][0]), root)
    if len(broken) > contract.load(root, CONTRACT).limit * len(rows):
        raise error
    say(f"left out: {what} First: {error.where}: {error.detail}")
    return rows.filter(pl.col("fault").is_null())


def _refuse_repeats(rows: pl.DataFrame) -> None:
    """Two releases of the same weeks would count every case twice.

    Raises:
        UsageError: most of a file's district-weeks are in another file with the same counts.
    """
    import polars as pl

    keys = ["ubigeo", "week_start", "cases"]
    by = ["file_number", "file", "ubigeo", "week_start"]
    counts = rows.group_by(by, maintain_order=True).agg(pl.sum("cases"))
    for (_, file), own in counts.group_by("file_number", "file", maintain_order=True):
        others = counts.filter(pl.col("file_number") != own["file_number"][0])
        both = own.join(others, on=keys, how="semi")
        if len(both) > len(own) / 2:
            raise UsageError(
                f"{len(both):,} of {len(own):,} district-weeks are in another file too.",
                where=str(file),
                fix="Give every week once: leave out one of the files, or the weeks they share.",
            )
