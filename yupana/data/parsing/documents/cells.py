"""Cells of a workbook as texts: what the file holds, not what its format shows; and which of them
are shown as per cent, where `12.5 %` is stored as 0.125 (ECMA-376, 18.8.30) and read as stored, so
that the unit of such a column is 1.

A workbook knows one kind of number, the double of IEEE 754, and a time as a share of a day
(ECMA-376, 18.17.4).
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from xml.etree import ElementTree

# From here on a double holds not every whole number; spreadsheets keep 15 digits.
INEXACT = 2**53
# Digits are written out up to here, beyond it an exponent.
_LONGEST = 10**21
# A duration of OpenDocument (ISO 8601).
_DURATION = re.compile(r"PT([0-9]+)H([0-9]+)M([0-9]+)(?:[.,]([0-9]+))?S")

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
# 0% and 0.00%, which every workbook has.
_BUILT_IN = frozenset(("9", "10"))
# What a format shows as it is: texts in quotes, one letter behind a backslash or an underscore.
_LITERAL = re.compile(r'"[^"]*"|\\.|_.|\[[^\]]*\]')
_CELL = re.compile(rb"<c\b([^>]*)(?<!/)>")
_PLACE, _STYLE = re.compile(rb'\br="([A-Z]+)([0-9]+)"'), re.compile(rb'\bs="([0-9]+)"')
# A cell without a type is a number.
_TEXT = re.compile(rb'\bt="(?!n")')


class Shares(NamedTuple):
    """Cells of a column below its name that hold a number.

    Attributes:
        percent: how many are shown as per cent; others: how many are not.
    """

    percent: int
    others: int


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


def shares(sheet: bytes, styles: bytes, below: int) -> dict[bytes, Shares]:
    """All columns with a cell, by their letters; none where no cell is shown as per cent.

    Args:
        sheet, styles: their XML.
        below: the row of the names.
    """
    percent = _percent(styles)
    if not any(b's="%s"' % style in sheet for style in percent):
        return {}
    counts: dict[bytes, Counter[bool]] = defaultdict(Counter)
    for about in _CELL.findall(sheet):
        if not (place := _PLACE.search(about)):
            continue
        style = _STYLE.search(about)
        number = int(place[2]) > below and not _TEXT.search(about)
        counts[place[1]][style is not None and style[1] in percent] += number
    return {letters: Shares(n[True], n[False]) for letters, n in counts.items()}


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


def _percent(styles: bytes) -> frozenset[bytes]:
    """Numbers of the cell formats that show a number as per cent."""
    root = ElementTree.fromstring(styles)
    own = {f.get("numFmtId"): f.get("formatCode", "") for f in root.iter(f"{_MAIN}numFmt")}
    percents = {number for number, code in own.items() if "%" in _LITERAL.sub("", code)}
    formats = root.find(f"{_MAIN}cellXfs")
    return frozenset(
        str(place).encode()
        for place, xf in enumerate(formats if formats is not None else ())
        if (number := xf.get("numFmtId")) in percents or (number in _BUILT_IN and number not in own)
    )
