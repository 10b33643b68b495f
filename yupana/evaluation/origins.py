"""The weeks that a backtest forecasts from: every n-th epidemiological week of a span."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

from yupana.core.errors import UsageError
from yupana.data import codes

_SPAN = re.compile(r"(\d{4})-W(\d{1,2}):(\d{4})-W(\d{1,2}):(\d{1,3})")


@dataclass(frozen=True)
class Origin:
    """The last week that is seen; `start` is its Sunday."""

    year: int
    week: int
    start: date

    @property
    def saturday(self) -> date:
        """The day that ends the week."""
        return self.start + timedelta(days=6)

    def __str__(self) -> str:
        return f"{self.year}-W{self.week:02}"


def parse(text: str) -> tuple[Origin, ...]:
    """Origins of `START:END:STEP`, such as 2019-W01:2021-W44:4, both ends within reach.

    Steps count weeks of the PAHO calendar, so that a 53rd week is one like any other.

    Raises:
        UsageError: the text has another form, names a week that does not exist, or is empty.
    """
    match = _SPAN.fullmatch(text.strip())
    if not match:
        raise _wrong(text, "is not START:END:STEP")
    first, last = (int(match[1]), int(match[2])), (int(match[3]), int(match[4]))
    calendar = list(codes.epiweek_starts(codes.FIRST_YEAR, codes.LAST_YEAR))
    places = {(year, week): i for i, (year, week, _) in enumerate(calendar)}
    for year, week in (first, last):
        if (year, week) not in places:
            raise _wrong(text, f"names {year}-W{week:02}, a week that does not exist")
    if int(match[5]) < 1 or places[last] < places[first]:
        raise _wrong(text, "holds no week")
    chosen = calendar[places[first] : places[last] + 1 : int(match[5])]
    return tuple(Origin(*week) for week in chosen)


def newest(last: date, horizons: int) -> str:
    """The span that a backtest takes by itself: every fourth week of three years, until the last
    one whose `horizons` weeks ahead are in data that ends with the week of `last`."""
    end = codes.epiweek(last - timedelta(weeks=horizons))
    return f"{end[0] - 2}-W01:{end[0]}-W{end[1]:02}:4"


def _wrong(text: str, what: str) -> UsageError:
    return UsageError(
        f"'{text}' {what}.",
        where="--origins",
        fix="Write it like 2019-W01:2021-W44:4: first week, last week, every how many weeks.",
    )
