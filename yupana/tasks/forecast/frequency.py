"""The period of a count: the epidemiological week of PAHO, or the calendar month.

Everything that differs between the two is here: where a period begins and ends, what it is called,
how many make a year, and the names of the columns that follow from it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from math import ceil, pi
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import polars as pl

    Array = np.ndarray[Any, np.dtype[np.float64]]

YEAR_DAYS = 365.25


@dataclass(frozen=True)
class Frequency:
    """One kind of period.

    Attributes:
        name: `week` or `month`.
        year: periods of a year, as lags and splits count them.
        slots: periods that a calendar year can hold.
        lead: periods ahead that maps and alert lists are of: about a month in which to act.
        around: periods before and after the same one of past years that resemble it.
        thinning: of past origins every so many are forecast when a pool is learned.
        days: mean length.
        example: a span of origins, as people write it.
    """

    name: str
    year: int
    slots: int
    lead: int
    around: int
    thinning: int
    days: float
    example: str

    @property
    def column(self) -> str:
        """Column of a table of counts that names a period's first day."""
        return f"{self.name}_start"

    @property
    def listing(self) -> str:
        """Field of answers that lists periods: `weeks`."""
        return f"{self.name}s"

    @property
    def ending(self) -> str:
        """Field of answers that names the day that ends a period: `week_ending`."""
        return f"{self.name}_ending"

    @property
    def season(self) -> tuple[str, str]:
        """Feature columns of the season, sine and cosine."""
        return f"{self.name}_sin", f"{self.name}_cos"

    def harmonics(self, rows: pd.DataFrame) -> Array:
        """Two harmonics of the year from the columns of the season, shape (rows, 4)."""
        import numpy as np

        sin, cos = (rows[c].to_numpy(dtype=float) for c in self.season)
        return np.column_stack([sin, cos, 2 * sin * cos, cos**2 - sin**2])

    @property
    def year_mean(self) -> str:
        """Feature column of the mean over a year."""
        return f"mean_{self.year}"

    def start(self, day: date) -> date:
        """First day of the period that holds a day."""
        if self.name == "month":
            return day.replace(day=1)
        return day - timedelta(days=(day.weekday() + 1) % 7)

    def end(self, day: date) -> date:
        """Last day of the period that holds a day."""
        return self.shift(self.start(day), 1) - timedelta(days=1)

    def shift(self, start: date, periods: int) -> date:
        """First day of the period so many after (before, if negative) the one that starts here."""
        if self.name == "week":
            return start + timedelta(weeks=periods)
        months = 12 * start.year + start.month - 1 + periods
        return date(months // 12, months % 12 + 1, 1)

    def ahead(self, end: date, periods: int) -> date:
        """Last day of the period so many after the one that holds a day."""
        return self.end(self.shift(self.start(end), periods))

    def ended(self, day: date) -> date:
        """First day of the newest period that had ended when a day was over."""
        return self.shift(self.start(day + timedelta(days=1)), -1)

    def between(self, first: date, last: date) -> int:
        """Periods from the one that holds the first day to the one that holds the last."""
        if self.name == "month":
            return 12 * (last.year - first.year) + last.month - first.month
        return (self.start(last) - self.start(first)).days // 7

    def passed(self, data_as_of: date, day: date) -> int:
        """Whole periods between the last day with data and a day; 0 for a day before it."""
        return max(0, self.between(data_as_of, self.ended(day)))

    def calendar(self, first: date, last: date) -> list[date]:
        """First days of all periods that start from one day to another, both counted."""
        start = self.start(first)
        start = start if start == first else self.shift(start, 1)
        return [self.shift(start, n) for n in range(self.between(start, last) + 1)]

    def angle(self, start: date) -> float:
        """The season of a period, radians around the year."""
        return 2 * pi * start.timetuple().tm_yday / YEAR_DAYS

    def label(self, day: date) -> str:
        """Name of the period that holds a day: 2021-W05 or 2021-05."""
        year, number = self.number(day)
        return f"{year}-{'W' * (self.name == 'week')}{number:02}"

    def number(self, day: date) -> tuple[int, int]:
        """Year and number of the period that holds a day; a week's year is PAHO's."""
        from yupana.data.national import calendar

        return (day.year, day.month) if self.name == "month" else calendar.epiweek(day)

    def parse(self, label: str) -> date | None:
        """First day of a labelled period; None where there is no such period.

        Raises:
            ValueError: the text is no label.
        """
        pattern = r"(\d{4})-W(\d{1,2})" if self.name == "week" else r"(\d{4})-(\d{1,2})"
        if not (match := re.fullmatch(pattern, label)):
            raise ValueError(label)
        year, number = int(match[1]), int(match[2])
        if not (1 <= number <= self.slots and 1970 <= year <= 2040):
            return None
        if self.name == "month":
            return date(year, number, 1)
        # The fourth day of January lies in the first week, whatever weekday it is.
        start = self.shift(self.start(date(year, 1, 4)), number - 1)
        return start if self.number(start) == (year, number) else None

    def reach(self, periods: int) -> timedelta:
        """How long so many periods last at most, in whole days."""
        return timedelta(days=ceil(self.days * periods))

    def offset(self, periods: int) -> Any:
        """What pandas adds to the moment that ends a period, or to a column of such."""
        import pandas as pd

        return (
            pd.Timedelta(weeks=periods) if self.name == "week" else pd.offsets.MonthEnd(periods)
        )

    def slot(self, times: pd.Series[Any]) -> Any:
        """Place in the year of the periods that end at these moments, from 0 to `slots` - 1."""
        if self.name == "month":
            return times.dt.month.to_numpy() - 1
        # By the day of the year: a 53rd week shifts nothing.
        days = times.dt.dayofyear.to_numpy() - 1
        return (days * self.slots / YEAR_DAYS).astype("int64").clip(0, self.slots - 1)

    def end_of(self, start: pl.Expr) -> pl.Expr:
        """The last second of the periods that begin on these days, UTC."""
        import polars as pl

        step = "1w" if self.name == "week" else "1mo"
        moment = start.cast(pl.Datetime("us")).dt.offset_by(step) - pl.duration(seconds=1)
        return moment.dt.replace_time_zone("UTC")

    def days_ahead(self, end: pl.Expr, periods: pl.Expr) -> pl.Expr:
        """The days that end the periods so many after those that end on these days."""
        if self.name == "week":
            return end.dt.offset_by(periods.cast(str) + "w")
        return end.dt.offset_by(periods.cast(str) + "mo").dt.month_end()


WEEK = Frequency("week", 52, 53, 4, 3, 2, 7.0, "2019-W01:2021-W44:4")
MONTH = Frequency("month", 12, 12, 1, 1, 1, YEAR_DAYS / 12, "2014-01:2016-12:3")
FREQUENCIES = {f.name: f for f in (WEEK, MONTH)}


def of(columns: Iterable[object]) -> Frequency:
    """The frequency of a feature table, told by its season; a table without one is weekly."""
    return MONTH if MONTH.season[0] in set(columns) else WEEK
