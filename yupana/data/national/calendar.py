"""The epidemiological calendar of PAHO and the US CDC (MMWR), which count alike.

Weeks start on Sunday, and week 1 is the first with four days or more in January.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from functools import lru_cache

from epiweeks import Week, Year

FIRST_YEAR, LAST_YEAR = 1970, 2040


def epiweek_starts(
    first: int = FIRST_YEAR, last: int = LAST_YEAR
) -> Iterator[tuple[int, int, date]]:
    """(year, week, first day) of every week of these years; week 53 only where it exists."""
    for year in range(first, last + 1):
        for week in range(1, Year(year, "cdc").totalweeks() + 1):
            yield year, week, Week(year, week, "cdc").startdate()


def epiweek(day: date) -> tuple[int, int]:
    """(year, week) of a day's week: (2025, 1) for 2024-12-29."""
    week = Week.fromdate(day, "cdc")
    return int(week.year), int(week.week)


@lru_cache(maxsize=1)
def week_starts() -> dict[tuple[int, int], date]:
    """First day of every week from 1970 to 2040, by (year, week)."""
    return {(year, week): day for year, week, day in epiweek_starts()}


def latest_year(day: date) -> int:
    """The last year that a table may name on a day: a week of the next year may have begun in
    the last days of December."""
    return max(day.year, epiweek(day)[0])


def rows() -> Iterator[Iterable[object]]:
    """Header and rows of the data set `epiweeks`."""
    yield "epiweek", "year", "week", "week_start", "week_end"
    for (year, week), start in week_starts().items():
        yield f"{year}-W{week:02}", year, week, start, start + timedelta(days=6)
