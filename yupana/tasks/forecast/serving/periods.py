"""How many periods have passed since the data of an answer."""

from __future__ import annotations

from datetime import date

from yupana.tasks.forecast.frequency import Frequency


def passed(frequency: Frequency, data_as_of: date, day: date) -> int:
    """Whole periods between the last day with data and a day; 0 for a day before it."""
    return max(0, frequency.between(data_as_of, frequency.ended(day)))
