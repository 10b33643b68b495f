"""Files of the Dengue Forecasting Project: one row a week, 52 weeks a season.

Columns that are read: `season` ("2000/2001"), `season_week` (1-52), `week_start_date`
(YYYY-MM-DD) and `total_cases`; others may be there.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path

import numpy as np

from models.outbreak.challenge.season_targets import WEEKS, Counts
from yupana.core.errors import TerminalError, UsageError

COLUMNS = ("season", "season_week", "week_start_date", "total_cases")
_Row = tuple[str, int, date, int]


def read(path: Path) -> tuple[dict[str, Counts], date]:
    """Weekly counts of every season in a file, by label in order, and its first season's start.

    Raises:
        UsageError: there is no such file.
        TerminalError: a column is absent, a value is not of its kind, or a season does not have
            each of its 52 weeks once.
    """
    weeks: dict[str, dict[int, int]] = {}
    starts: dict[str, date] = {}
    for line, (season, week, start, cases) in _rows(path):
        if week in weeks.setdefault(season, {}):
            raise TerminalError(
                f"Week {week} of season {season} is there twice.",
                where=f"{path}, row {line}, column season_week",
                fix="Keep one row a week.",
            )
        weeks[season][week] = cases
        starts.setdefault(season, start)
    for season, by_week in weeks.items():
        absent = [str(w) for w in range(1, WEEKS + 1) if w not in by_week]
        if absent:
            raise TerminalError(
                f"Season {season} has {len(by_week)} of its {WEEKS} weeks.",
                where=f"{path}, column season_week: no week {', '.join(absent[:5])}"
                + (" …" if len(absent) > 5 else ""),
                fix="Add the weeks (0 where no case was found), or take the season out.",
            )
    if not weeks:
        raise TerminalError(
            "The file has no seasons.", where=f"{path}, row 2", fix="Give a file with weeks."
        )
    ordered = sorted(weeks)
    counts = {s: np.array([weeks[s][w] for w in range(1, WEEKS + 1)]) for s in ordered}
    return counts, starts[ordered[0]]


def _rows(path: Path) -> Iterator[tuple[int, _Row]]:
    """Line numbers (the heading is row 1) and checked values."""
    if not path.is_file():
        raise UsageError(
            "There is no such file.", where=str(path), fix="Check the path; a CSV is expected."
        )
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        try:
            heading = reader.fieldnames or ()
            absent = [c for c in COLUMNS if c not in heading]
            if absent:
                raise TerminalError(
                    f"The file lacks {', '.join(absent)}.",
                    where=f"{path}, row 1",
                    fix="Give a file with the columns of the project's training data: "
                    + ", ".join(COLUMNS),
                )
            for row in reader:
                yield reader.line_num, _checked(row, f"{path}, row {reader.line_num}")
        except (UnicodeDecodeError, csv.Error) as error:
            raise TerminalError(
                "The file is not CSV text in UTF-8.", where=str(path), fix="Save it as UTF-8 CSV."
            ) from error


def _checked(row: Mapping[str, str | None], where: str) -> _Row:
    def refuse(column: str, expected: str) -> TerminalError:
        return TerminalError(
            f"{row[column]!r} is not {expected}.",
            where=f"{where}, column {column}",
            fix=f"Write {expected}.",
        )

    values = {column: (row[column] or "").strip() for column in COLUMNS}
    season = re.fullmatch(r"(\d{4})/(\d{4})", values["season"])
    if season is None or int(season[2]) != int(season[1]) + 1:
        raise refuse("season", "a season like 2000/2001")
    if not re.fullmatch(r"\d{1,2}", values["season_week"]) or not (
        1 <= int(values["season_week"]) <= WEEKS
    ):
        raise refuse("season_week", f"a week from 1 to {WEEKS}")
    if not re.fullmatch(r"\d{1,6}", values["total_cases"]):
        raise refuse("total_cases", "a whole number of cases, 0 or more")
    try:
        start = date.fromisoformat(values["week_start_date"])
    except ValueError:
        raise refuse("week_start_date", "a date like 2000-07-01") from None
    return values["season"], int(values["season_week"]), start, int(values["total_cases"])
