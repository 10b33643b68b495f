"""The periods that a backtest forecasts from: every n-th week or month of a span."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from yupana.core.errors import UsageError
from yupana.tasks.forecast.frequency import Frequency


@dataclass(frozen=True)
class Origin:
    """The last period that is seen.

    Attributes:
        year: of the period, as its label has it.
        label: its name, such as 2021-W05 or 2021-05.
        start, end: its first and last day.
    """

    year: int
    label: str
    start: date
    end: date

    def __str__(self) -> str:
        return self.label


def parse(text: str, frequency: Frequency) -> tuple[Origin, ...]:
    """Origins of `START:END:STEP`, such as 2019-W01:2021-W44:4, both ends within reach.

    Steps count periods of the calendar, so that a 53rd week is one like any other.

    Raises:
        UsageError: the text has another form, names a period that does not exist, or is empty.
    """
    labels = text.strip().split(":")
    step = labels.pop() if len(labels) == 3 else ""
    if not re.fullmatch(r"\d{1,3}", step):
        raise _wrong(text, "is not START:END:STEP", frequency)
    bounds = []
    for label in labels:
        try:
            start = frequency.parse(label)
        except ValueError as error:
            raise _wrong(text, "is not START:END:STEP", frequency) from error
        if start is None:
            raise _wrong(text, f"names {label}, a {frequency.name} that does not exist", frequency)
        bounds.append(start)
    first, last = bounds
    if int(step) < 1 or last < first:
        raise _wrong(text, f"holds no {frequency.name}", frequency)
    starts = frequency.calendar(first, last)[:: int(step)]
    return tuple(_origin(start, frequency) for start in starts)


def newest(last: date, horizons: int, frequency: Frequency) -> str:
    """The span that a backtest takes by itself: origins of three years, `frequency.lead` apart,
    until the last one whose `horizons` periods ahead are in data that ends with that of `last`."""
    end = frequency.shift(frequency.start(last), -horizons)
    year, _ = frequency.number(end)
    # The fourth day of January lies in a year's first period.
    begin = frequency.label(date(year - 2, 1, 4))
    return f"{begin}:{frequency.label(end)}:{frequency.lead}"


def _origin(start: date, frequency: Frequency) -> Origin:
    year, _ = frequency.number(start)
    return Origin(year, frequency.label(start), start, frequency.end(start))


def _wrong(text: str, what: str, frequency: Frequency) -> UsageError:
    return UsageError(
        f"'{text}' {what}.",
        where="--origins",
        fix=f"Write it like {frequency.example}: first {frequency.name}, last {frequency.name}, "
        f"every how many {frequency.name}s.",
    )
