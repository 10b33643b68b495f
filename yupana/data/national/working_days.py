"""Peru's working days and hours, and when a term that is counted in them ends.

Public holidays are those of DL 713, article 6, as later laws changed it. What a decree makes a day
off for one year alone ("día no laborable") is no holiday: its hours are worked at another time.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from dateutil.easter import easter

LIMA = ZoneInfo("America/Lima")
OPENS, CLOSES = time(8), time(17)
"""Hours in which an office works, of Lima."""

_FIXED = (
    (1, 1), (5, 1), (6, 29), (7, 28), (7, 29), (8, 30), (10, 8), (11, 1), (12, 8), (12, 25),
)  # fmt: skip
_ADDED = {
    # Ley 31381 (31 December 2021), Ley 31530 (July 2022), Ley 31788 (June 2023, after its day) and
    # Ley 31822 (July 2023): the first year in which each was kept.
    (12, 9): 2022,
    (8, 6): 2022,
    (6, 7): 2024,
    (7, 23): 2023,
}
_BEFORE_EASTER = (3, 2)
"""Holy Thursday and Good Friday, days before Easter Sunday."""


@lru_cache(maxsize=64)
def holidays(year: int) -> frozenset[date]:
    """The public holidays of a year."""
    days = [date(year, month, day) for month, day in _FIXED]
    days += [date(year, *day) for day, first in _ADDED.items() if year >= first]
    days += [easter(year) - timedelta(days=n) for n in _BEFORE_EASTER]
    return frozenset(days)


def is_working_day(day: date) -> bool:
    """Whether offices work on a day: Monday to Friday, and no public holiday."""
    return day.weekday() < 5 and day not in holidays(day.year)


def deadline(received: datetime, *, working_days: int = 0, hours: int = 0) -> datetime:
    """When a term ends, in UTC.

    Days are counted from the working day after the one of reception (Ley 27444, article 144) and
    end when offices close. Hours are counted while offices work. What comes when they are closed
    is received when they open.

    Args:
        received: with its time zone.
        working_days: of the term; or
        hours: of the term.

    Raises:
        ValueError: not exactly one of the two is above zero.
    """
    if (working_days > 0) == (hours > 0):
        raise ValueError("give a term in working days or in hours")
    start = _opening(received.astimezone(LIMA))
    end = _after_days(start, working_days) if working_days else _after_hours(start, hours)
    return end.astimezone(UTC)


def _opening(moment: datetime) -> datetime:
    """The moment itself where offices work, else when they open next."""
    if is_working_day(moment.date()) and moment.time() < CLOSES:
        return max(moment, _at(moment.date(), OPENS))
    return _at(_next(moment.date()), OPENS)


def _after_days(start: datetime, working_days: int) -> datetime:
    day = start.date()
    for _ in range(working_days):
        day = _next(day)
    return _at(day, CLOSES)


def _after_hours(start: datetime, hours: int) -> datetime:
    rest = timedelta(hours=hours)
    while (today := _at(start.date(), CLOSES) - start) < rest:
        rest -= today
        start = _at(_next(start.date()), OPENS)
    return start + rest


def _next(day: date) -> date:
    day += timedelta(days=1)
    while not is_working_day(day):
        day += timedelta(days=1)
    return day


def _at(day: date, hour: time) -> datetime:
    return datetime.combine(day, hour, LIMA)
