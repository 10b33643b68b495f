"""Weekly counts by district from line lists as the agency publishes them, without a JVM.

Columns, names and the share of rows that may be at fault are those of the contract
`expectations/dengue_linelist`; years beyond its range are welcome, since a backtest is asked
about data that was never ingested.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from yupana.core.errors import TerminalError, UsageError
from yupana.data import codes
from yupana.data import contract as contracts
from yupana.evaluation import linelist_rows
from yupana.evaluation.linelist_rows import CONTRACT

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class WeeklyCounts:
    """Cases of one department.

    Attributes:
        counts: `ubigeo` (six digits), `week_start` (Sunday), `cases`; weeks without a case absent.
        last: first day of the last week that the files know of, in any department.
        left_out: rows of the department without a district or week that exists.
    """

    counts: pl.DataFrame
    last: date
    left_out: int


def department_code(name: str) -> tuple[str, str]:
    """INEI's two digits and the plain name of a department.

    Raises:
        UsageError: there is no such department; the message lists near names.
    """
    known = {place[0]: code[:2] for place, code in codes.ubigeos().items()}
    plain = codes.plain_name(name)
    if plain not in known:
        near = difflib.get_close_matches(plain, known, n=4, cutoff=0.5) or sorted(known)
        raise UsageError(
            f"There is no department '{name}'.",
            where="--department",
            fix=f"Use one of: {', '.join(near)}.",
        )
    return known[plain], plain


def read(
    files: Sequence[Path], department: str, root: Path, *, today: date, say: Callable[[str], None]
) -> WeeklyCounts:
    """Join line lists and count the cases of one department by district and week.

    Args:
        files: CSV, plain or gzip, in the published schema.
        department: its plain name.
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
    mine = rows.filter(pl.col("department") == department)
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
    counts = good.group_by("ubigeo", "week_start").agg(pl.sum("cases"))
    return WeeklyCounts(counts.sort("ubigeo", "week_start"), _newest(last), len(mine) - len(good))


def published(table: pl.DataFrame, code: str, department: str, *, today: date) -> WeeklyCounts:
    """The same counts from the published table, whose rows were checked when it was ingested.

    Args:
        table: `ubigeo`, `week_start`, `cases`.
        code: INEI's two digits of the department.

    Raises:
        TerminalError: no row of the department, or a week in the future.
    """
    import polars as pl

    rows = table.filter(pl.col("ubigeo").str.starts_with(code))
    future = rows.filter(pl.col("week_start") > today)
    if rows.is_empty() or len(future):
        what = "cases of weeks that have not begun" if len(future) else "no case"
        raise TerminalError(
            f"The published table has {what} of {department}.",
            where=f"published/{CONTRACT}",
            fix="Ingest a corrected file, or give line lists with --cases.",
        )
    counts = rows.group_by("ubigeo", "week_start").agg(pl.sum("cases"))
    last = table.filter(pl.col("week_start") <= today)["week_start"]
    return WeeklyCounts(counts.sort("ubigeo", "week_start"), _newest(last), 0)


def _without_faults(rows: pl.DataFrame, root: Path, say: Callable[[str], None]) -> pl.DataFrame:
    import polars as pl

    broken = rows.filter(pl.col("fault").is_not_null())
    if broken.is_empty():
        return rows
    what = f"{len(broken):,} of {len(rows):,} rows name no district, week or case that exists."
    error = linelist_rows.fault(broken, what, str(broken["fault"][0]), root)
    if len(broken) > contracts.load(root, CONTRACT).limit * len(rows):
        raise error
    say(f"left out: {what} First: {error.where}")
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


def _newest(weeks: pl.Series) -> date:
    last = weeks.max()
    assert isinstance(last, date)
    return last
