"""Cells of a workbook as texts: what the file holds, not what its format shows.

A workbook knows one kind of number, the double of IEEE 754, and a time as a share of a day
(ECMA-376, 18.17.4).
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

# From here on a double holds not every whole number; spreadsheets keep 15 digits.
INEXACT = 2**53
# Digits are written out up to here, beyond it an exponent.
_LONGEST = 10**21
# A duration of OpenDocument (ISO 8601).
_DURATION = re.compile(r"PT([0-9]+)H([0-9]+)M([0-9]+)(?:[.,]([0-9]+))?S")


def text(value: Any, open_document: bool) -> str | None:
    """A cell as text: a number by the fewest digits that tell its double from others, a time of
    day or a duration as `HH:MM:SS`, a day as the instant it begins with; None for an empty one.

    Args:
        open_document: the sheet writes durations as texts.
    """
    if isinstance(value, str):
        return (_duration(value) if open_document else value) or None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, date) and not isinstance(value, datetime):
        return f"{value} 00:00:00"
    if isinstance(value, time):
        value = datetime.combine(date.min, value) - datetime.min
    if isinstance(value, timedelta):
        return _clock(value)
    return None if value is None else str(value)


def inexact(value: Any) -> bool:
    """Whether a cell is a whole number that may have lost its last digits."""
    return isinstance(value, float) and abs(value) >= INEXACT


def _duration(value: str) -> str:
    if not (parts := _DURATION.fullmatch(value)):
        return value
    hours, minutes, seconds, share = parts.groups()
    return f"{hours:0>2}:{minutes:0>2}:{seconds:0>2}" + (f".{share}" if share else "")


def _number(value: float) -> str:
    if not value.is_integer() or abs(value) >= _LONGEST:
        return repr(value)
    # Not the digits of the double's whole expansion: those after the shortest ones are invented.
    return str(int(value)) if abs(value) < INEXACT else f"{Decimal(repr(value)):f}"


def _clock(value: timedelta) -> str:
    minutes, seconds = divmod(abs(value) // timedelta(seconds=1), 60)
    rest = abs(value).microseconds
    share = f".{rest:06}".rstrip("0") if rest else ""
    sign = "-" if value < timedelta() else ""
    return f"{sign}{minutes // 60:02}:{minutes % 60:02}:{seconds:02}{share}"
